import { Failure, InputError, isFailure } from '../failure.ts';
import { transactionsFolder } from '../host/backup-folder.ts';
import { lockHeld } from '../host/lock-holder.ts';
import { folderOfTier, type Tier } from '../sets/layout.ts';
import { quoteForShell } from '../shell-quote.ts';
import type { FoundFolder, Survey } from '../survey/survey.ts';
import { formatDuration } from '../units.ts';

/** What every action needs of the host. */
export interface HostNeeds {
  deployDir: string;
  /** As in the inputs: relative to the deploy folder. */
  composeFiles: readonly string[];
  envFile: string | null;
  backupDir: string;
  projectName: string | null;
  /** Milliseconds to wait for another holder of the lock. */
  lockWait: number;
}

/** Milliseconds. Ids are times: with a larger skew, a backup would count for the wrong day. */
const greatestSkew = 5 * 60_000;
/** Their sets are hard links into daily. */
const linkedTiers: readonly Tier[] = ['daily', 'weekly', 'monthly', 'predeployment'];
const neededTools = ['flock', 'stat', 'df', 'date', 'tee', 'sync', 'sha256sum', 'md5sum', 'gzip'];

/**
 * Judges what every action needs: tools, clock, folders, lock, Docker, exactly one compose project.
 * @throws Failure like judgeBackupHost
 */
export function judgeHost(survey: Survey, needs: HostNeeds): void {
  const { failures, collect } = collector();
  if (checkHost(survey, needs, collect)) collect(() => checkProject(survey, needs));
  throwAny(failures);
}

/** Runs a check: its result, or undefined if it failed. */
export type Collect = <T>(check: () => T) => T | undefined;

/** Runs every check and collects the failures, to report them together. */
export function collector(): { failures: Failure[]; collect: Collect } {
  const failures: Failure[] = [];
  return {
    failures,
    collect(check) {
      try {
        return check();
      } catch (error) {
        if (!isFailure(error)) throw error;
        failures.push(error);
        return undefined;
      }
    },
  };
}

/** @throws Failure the only one; or one that lists them all */
export function throwAny(failures: readonly Failure[]): void {
  const [first, ...others] = failures;
  if (first && others.length > 0) throw several(failures);
  if (first) throw first;
}

function several(failures: readonly Failure[]): Failure {
  const hints = failures.map(({ hint, message }) => `${message}: ${hint ?? ''}`);
  return new Failure('host-not-ready', failures.map(({ message }) => message).join('; '), {
    hint: hints.join('\n'),
    cause: failures.map(({ cause }) => cause).find((cause) => cause !== undefined),
  });
}

/** Checks all of that but the project. @returns true if Docker answers, so that what runs there can be checked */
export function checkHost(survey: Survey, needs: HostNeeds, collect: Collect): true | undefined {
  collect(() => checkTools(survey));
  collect(() => checkClock(survey));
  collect(() => checkFolders(survey, needs));
  collect(() => checkNamedFiles(survey, needs));
  collect(() => checkLock(survey, needs));
  return collect(() => checkDocker(survey));
}

/** @throws Failure `tools-missing`, `bash-too-old` */
export function checkTools(survey: Survey): void {
  const missing = neededTools.filter((tool) => !survey.tools.has(tool));
  if (missing.length > 0) {
    throw new Failure('tools-missing', `The host has no ${missing.join(', no ')}`, {
      hint: 'On the host, as root: apt-get install coreutils util-linux gzip',
    });
  }
  if (Number.parseFloat(survey.bash) < 4.4) {
    throw new Failure('bash-too-old', `The host's bash is ${survey.bash}; 4.4 or newer is needed`, {
      hint: 'On the host, as root: apt-get install bash',
    });
  }
}

/** @throws Failure `no-docker`, `docker-refuses` */
export function checkDocker(survey: Survey): true {
  if (!survey.tools.has('docker')) {
    throw new Failure('no-docker', 'docker was not found on the host', {
      hint: `Install Docker, or find out why docker is not on ${survey.user}'s PATH: command -v docker`,
    });
  }
  if ('error' in survey.docker) {
    const isClosed = /permission denied/i.test(survey.docker.error);
    throw new Failure('docker-refuses', `Docker does not answer ${survey.user} on the host`, {
      hint: isClosed
        ? `On the host, as root: usermod -aG docker ${survey.user}`
        : 'On the host, as root: systemctl status docker',
      cause: survey.docker.error,
    });
  }
  return true;
}

/** @throws Failure `clock-skew` */
export function checkClock({ clockAhead }: Survey): void {
  if (Math.abs(clockAhead) <= greatestSkew) return;
  const by = formatDuration(Math.abs(clockAhead));
  throw new Failure('clock-skew', `The host's clock is ${by} ${clockAhead > 0 ? 'ahead of' : 'behind'} the runner's`, {
    hint: 'On the host, as root: timedatectl set-ntp true',
  });
}

/**
 * Whether the folders are there, and private to the user who takes the backups.
 * @throws Failure `no-deploy-dir`, `folder-unwritable`, `folder-open`, `folder-unusable`, `folder-owner`, `folder-elsewhere`
 */
export function checkFolders(
  survey: Survey,
  { deployDir, backupDir }: Pick<HostNeeds, 'deployDir' | 'backupDir'>,
): void {
  if (survey.deployDir === null) {
    throw new Failure('no-deploy-dir', `The folder ${deployDir} does not exist on the host`, {
      hint: `Check the input "deploy-dir". If it is right, a folder above it is closed. On the host, as ${survey.user}: ls -ld ${quoteForShell(deployDir)}`,
    });
  }
  // It is there, but this user may not enter it.
  if (survey.deployDir === '') {
    const folder = quoteForShell(deployDir);
    throw new Failure('folder-unwritable', `${survey.user} may not enter ${deployDir}`, {
      hint: `On the host, as root: chgrp "$(id -g ${survey.user})" ${folder} && chmod g+rx ${folder}`,
    });
  }
  if (survey.unwritable !== null) {
    throw new Failure('folder-unwritable', `${survey.user} cannot write to ${survey.unwritable}`, {
      hint: `As root: install -d -m 0700 -o ${survey.user} ${quoteForShell(backupDir)}`,
    });
  }
  checkPlaces(survey, backupDir);
  const device = survey.folders.find(({ path }) => path === backupDir)?.device;
  for (const folder of survey.folders) checkFolder(folder, survey.user, backupDir, device);
}

/** @param device the number of the file system of the backup folder, if that exists */
function checkFolder(folder: FoundFolder, user: string, backupDir: string, device: string | undefined): void {
  if (folder.type !== 'directory') {
    throw new Failure('folder-unusable', `${folder.path} is a ${folder.type}, not a folder`, {
      hint: 'Move it away, or choose another "backup-dir"',
    });
  }
  if (!folder.writable || folder.owner !== user) {
    throw new Failure(
      'folder-owner',
      `${folder.path} belongs to ${folder.owner}, not to ${user}, who takes the backups`,
      { hint: `As root: chown -R ${user}: ${quoteForShell(backupDir)}` },
    );
  }
  if (/[1-7]\d$|[1-7]$/.test(folder.mode.slice(-2))) {
    throw new Failure(
      'folder-open',
      `${folder.path} has mode ${folder.mode}: others on the host can reach the backups`,
      { hint: `As ${user} or root: chmod 700 ${quoteForShell(folder.path)}` },
    );
  }
  if (folder.device !== device && linkedTiers.some((tier) => folder.path === `${backupDir}/${folderOfTier(tier)}`)) {
    throw new Failure(
      'folder-elsewhere',
      `${folder.path} is on a different file system than ${backupDir}, so sets cannot be hard-linked into it`,
      { hint: 'Mount that file system at the backup folder itself, or set "backup-dir" to a folder on it' },
    );
  }
}

/** @throws InputError if an input names a file that the user does not find; a missing deploy folder is a failure of its own */
export function checkNamedFiles(
  { absent, deployDir, user }: Pick<Survey, 'absent' | 'deployDir' | 'user'>,
  needs: Pick<HostNeeds, 'composeFiles' | 'envFile' | 'deployDir'>,
): void {
  if (deployDir === null) return;
  const composeFile = needs.composeFiles.find((file) => absent.has(file));
  if (composeFile !== undefined) throw notFound('compose-file', composeFile, user, needs.deployDir);
  if (needs.envFile !== null && absent.has(needs.envFile))
    throw notFound('env-file', needs.envFile, user, needs.deployDir);
}

function notFound(input: string, file: string, user: string, folder: string): InputError {
  return new InputError(
    input,
    `names ${file}, and ${user} finds no such file on the host, in ${folder}`,
    `Correct it: the path is relative to "deploy-dir". On the host, as ${user}: cd ${quoteForShell(folder)} && ls -l ${quoteForShell(file)}`,
  );
}

/** Files that others may have put there while they could reach the folder, or that others can replace. */
function checkPlaces({ openParent, places }: Survey, backupDir: string): void {
  if (openParent !== null) {
    throw new Failure(
      'folder-open',
      `Any user on the host can replace files in ${openParent}, and with them the backup folder`,
      { hint: `As its owner or root: chmod o-w ${quoteForShell(openParent)}` },
    );
  }
  for (const { path, type } of places) {
    const isFolder = path === transactionsFolder(backupDir);
    if (isFolder ? type === 'directory' : type.startsWith('regular')) continue;
    throw new Failure('folder-unusable', `${path} is a ${type}, not a ${isFolder ? 'folder' : 'file'}`, {
      hint: `Find out where it comes from, then move it away: ls -l ${quoteForShell(path)}`,
    });
  }
}

/** @throws Failure `lock-held`, unless this run may wait for the lock */
function checkLock({ lockHolder }: Survey, { lockWait, backupDir }: HostNeeds): void {
  if (lockHolder === null || lockWait > 0) return;
  throw lockHeld(lockHolder, backupDir, 0);
}

/** @throws Failure `no-project`, `several-projects` */
export function checkProject(survey: Survey, needs: Pick<HostNeeds, 'deployDir' | 'projectName'>): void {
  if (survey.containers.length === 0) {
    const wanted = needs.projectName === null ? `started from ${needs.deployDir}` : `called ${needs.projectName}`;
    throw new Failure('no-project', `No container belongs to a compose project ${wanted}`, {
      hint: `Start the application, or correct "deploy-dir" or "project-name". The host has: ${survey.otherProjects.join('; ') || 'no compose project'}`,
    });
  }
  const projects = [...new Set(survey.containers.map(({ project }) => project))];
  if (projects.length > 1) {
    throw new Failure(
      'several-projects',
      `Several compose projects run from ${needs.deployDir}: ${projects.join(', ')}`,
      {
        hint: 'Set "project-name" to one of them',
      },
    );
  }
}
