import { byText } from '../by-text.ts';
import { Failure, InputError, isFailure } from '../failure.ts';
import { transactionsFolder } from '../host/backup-folder.ts';
import { lockHeld } from '../host/lock-holder.ts';
import { checkDumpTools, type DatabaseFacts, readProbe } from '../postgres/probe.ts';
import { folderOfTier, type Tier } from '../sets/layout.ts';
import type { Compression, DumpFormat } from '../sets/manifest.ts';
import type { DumpEncoding } from '../sets/naming.ts';
import { quoteForShell } from '../shell-quote.ts';
import type { Survey } from '../survey/survey.ts';
import { formatBytes, formatDuration } from '../units.ts';

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

/** What a backup needs of the host. */
export interface BackupNeeds extends HostNeeds {
  databaseService: string | null;
  format: DumpFormat;
  compression: Compression | 'auto';
  encryption: 'none' | 'age';
  /** Bytes. */
  minFreeSpace: number;
  /** Size of the database's previous verified backup if it has this format and compression; else null. */
  previousBytes: (database: string, encoding: DumpEncoding) => number | null;
}

/** A host on which a backup can be taken, and how. */
export interface ReadyHost {
  database: DatabaseFacts;
  /** The database's container: its id, its name in Docker, and its service. */
  container: { id: string; name: string; service: string };
  encoding: DumpEncoding;
  /** Where the dump is compressed: in the container if it has the program, because moving data out of it is slow. */
  where: 'container' | 'host';
  /** Bytes that this backup will probably need. */
  estimate: number;
}

/** Ids are times: with a larger skew, backups would count for the wrong day. */
const greatestSkew = 5 * 60_000;
/** Backups grow over time. A dump, once compressed, has less than half the size of its database. */
const growth = 1.2;
const compressedShare = 0.5;
/** For a set's files and their links in every tier, with room to spare. */
const neededInodes = 100;
/** Their sets are hard links into daily. */
const linkedTiers: readonly Tier[] = ['daily', 'weekly', 'monthly', 'predeployment'];
const neededTools = ['flock', 'stat', 'df', 'date', 'tee', 'sync', 'sha256sum', 'md5sum', 'gzip'];

/**
 * Judges the survey, before anything is written.
 * @throws Failure with the code of the check that failed; `host-not-ready`, which lists them, if several did
 */
export function judgeBackupHost(survey: Survey, needs: BackupNeeds): ReadyHost {
  const { failures, collect } = collector();
  // Checks that depend on a failed one are skipped.
  const docker = checkHost(survey, needs, collect);
  const container = docker && collect(() => findDatabase(survey, needs));
  const database = container && collect(() => askedDatabase(survey));
  if (database) collect(() => checkDumpTools(database));
  collect(() => checkEncryption(survey, needs));
  const compressor = database && collect(() => chooseCompression(survey, database, needs));
  const previous = compressor && needs.previousBytes(database.database, compressor.encoding);
  const estimate = compressor && estimateOf(database, compressor.encoding, previous ?? null);
  if (estimate !== undefined) collect(() => checkSpace(survey, estimate, needs, previous ?? null));

  throwAny(failures);
  if (!container || !database || !compressor || estimate === undefined) throw new Error('A check failed unseen');
  return { database, container, estimate, ...compressor };
}

/**
 * Judges what every action needs: tools, clock, folders, lock, Docker, exactly one compose project.
 * @throws Failure like judgeBackupHost
 */
export function judgeHost(survey: Survey, needs: HostNeeds): void {
  const { failures, collect } = collector();
  if (checkHost(survey, needs, collect)) collect(() => checkProject(survey, needs));
  throwAny(failures);
}

type Collect = <T>(check: () => T) => T | undefined;

/** Runs every check and collects the failures, to report them together. */
function collector(): { failures: Failure[]; collect: Collect } {
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

function throwAny(failures: readonly Failure[]): void {
  const [first, ...others] = failures;
  if (first && others.length > 0) throw several(failures);
  if (first) throw first;
}

/** Whether Docker answers. */
function checkHost(survey: Survey, needs: HostNeeds, collect: Collect): true | undefined {
  collect(() => checkTools(survey));
  collect(() => checkClock(survey));
  collect(() => checkFolders(survey, needs));
  collect(() => checkNamedFiles(survey, needs));
  collect(() => checkLock(survey, needs));
  return collect(() => checkDocker(survey));
}

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

export function checkClock({ clockAhead }: Survey): void {
  if (Math.abs(clockAhead) <= greatestSkew) return;
  const by = formatDuration(Math.abs(clockAhead));
  throw new Failure('clock-skew', `The host's clock is ${by} ${clockAhead > 0 ? 'ahead of' : 'behind'} the runner's`, {
    hint: 'On the host: timedatectl set-ntp true',
  });
}

export function checkFolders(survey: Survey, { deployDir, backupDir }: HostNeeds): void {
  if (survey.deployDir === null) {
    throw new Failure('no-deploy-dir', `The folder ${deployDir} does not exist on the host`, {
      hint: `Check the input "deploy-dir". If it is right, a folder above it is closed. On the host, as ${survey.user}: ls -ld ${quoteForShell(deployDir)}`,
    });
  }
  // It is there, and nobody of this user's can go in.
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
  for (const folder of survey.folders) {
    if (folder.type !== 'directory') {
      throw new Failure('folder-unusable', `${folder.path} is a ${folder.type}, not a folder`, {
        hint: 'Move it away, or choose another "backup-dir"',
      });
    }
    if (!folder.writable || folder.owner !== survey.user) {
      throw new Failure(
        'folder-owner',
        `${folder.path} belongs to ${folder.owner}, not to ${survey.user}, who takes the backups`,
        { hint: `As root: chown -R ${survey.user}: ${quoteForShell(backupDir)}` },
      );
    }
    if (/[1-7]\d$|[1-7]$/.test(folder.mode.slice(-2))) {
      throw new Failure(
        'folder-open',
        `${folder.path} has mode ${folder.mode}: others on the host can reach the backups`,
        { hint: `As ${survey.user} or root: chmod 700 ${quoteForShell(folder.path)}` },
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
}

/** @throws InputError if an input names a file that the user does not find; a missing deploy folder is told by itself */
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

export function checkLock({ lockHolder }: Survey, { lockWait, backupDir }: HostNeeds): void {
  if (lockHolder === null || lockWait > 0) return;
  throw lockHeld(lockHolder, backupDir, 0);
}

export function checkProject(survey: Survey, needs: HostNeeds): void {
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

export function findDatabase(survey: Survey, needs: BackupNeeds): ReadyHost['container'] {
  checkProject(survey, needs);
  const services = [...new Set(survey.containers.map(({ service }) => service))].toSorted(byText).join(', ');
  const [candidate, ...others] = survey.candidates;
  if (candidate === undefined) {
    throw needs.databaseService === null
      ? new Failure('no-database', `No service of the project runs a PostgreSQL image; it has ${services}`, {
          hint: 'Set "db-service" to the service of the database',
        })
      : new Failure('no-database', `The project has no service "${needs.databaseService}"; it has ${services}`, {
          hint: 'Correct the input "db-service", or start the service',
        });
  }
  if (others.length > 0) {
    throw new Failure(
      'several-databases',
      `Several containers could be the database: ${survey.candidates.map(({ service }) => service).join(', ')}`,
      { hint: 'Set "db-service" to one service that has one container' },
    );
  }
  if (candidate.state !== 'running') {
    throw new Failure(
      'database-not-running',
      `The database's container (service ${candidate.service}) is ${candidate.state}`,
      {
        hint:
          candidate.state === 'paused'
            ? `On the host: docker unpause ${candidate.container.slice(0, 12)}`
            : `On the host: docker start ${candidate.container.slice(0, 12)}, then docker logs --tail 50 ${candidate.container.slice(0, 12)}`,
      },
    );
  }
  const name = survey.containers.find(({ id }) => id === candidate.container)?.name ?? candidate.container;
  return { id: candidate.container, name: name.replace(/^\//, ''), service: candidate.service };
}

export function askedDatabase({ probe }: Survey): DatabaseFacts {
  if (probe === null || 'error' in probe) {
    throw new Failure('database-silent', 'No command could be run in the database container', {
      hint: 'On the host: docker ps, then docker logs NAME, with the name of that container',
      cause: probe?.error,
    });
  }
  return readProbe(probe.output);
}

/** zstd if available, else gzip. For a custom dump, pg_dump itself does the gzip. */
export function chooseCompression(
  survey: Survey,
  database: DatabaseFacts,
  { format, compression, encryption }: BackupNeeds,
): Pick<ReadyHost, 'encoding' | 'where'> {
  const inside = (tool: string) => database.tools.has(tool);
  const wanted =
    compression === 'auto' ? autoCompression(format, inside('zstd') || survey.tools.has('zstd')) : compression;
  const encoding: DumpEncoding = { format, compression: wanted, encryption };
  const program = wanted === 'gzip' && format === 'custom' ? 'none' : wanted;
  if (program === 'none' || inside(program)) return { encoding, where: 'container' };
  if (survey.tools.has(program)) return { encoding, where: 'host' };
  throw new Failure('no-compressor', `Neither the host nor the database container has ${program}`, {
    hint: `On the host, as root: apt-get install ${program}. Or set "compression" to auto`,
  });
}

/** It encrypts on the host: what the database's container holds is plain anyway, and few images have age. */
export function checkEncryption(survey: Pick<Survey, 'tools'>, { encryption }: Pick<BackupNeeds, 'encryption'>): void {
  if (encryption === 'none' || survey.tools.has('age')) return;
  throw new Failure('no-age', 'age is not installed on the host, so the backup cannot be encrypted there', {
    hint: 'On the host, as root: apt-get install age',
  });
}

/** Plain dumps are what the former scripts made; they stay compressed with gzip as before. */
function autoCompression(format: DumpFormat, zstd: boolean): Compression {
  return format === 'custom' && zstd ? 'zstd' : 'gzip';
}

export function estimateOf(database: DatabaseFacts, { compression }: DumpEncoding, previous: number | null): number {
  if (previous !== null) return Math.ceil(previous * growth);
  return Math.ceil(database.sizeBytes * (compression === 'none' ? 1 : compressedShare));
}

export function checkSpace(
  survey: Survey,
  estimate: number,
  { minFreeSpace, backupDir }: BackupNeeds,
  previous: number | null,
): void {
  const needed = Math.max(estimate, minFreeSpace);
  if (survey.freeBytes < needed) {
    const why =
      needed === minFreeSpace && minFreeSpace > estimate
        ? 'the input "min-free-space"'
        : previous === null
          ? 'estimated from the size of the database'
          : 'estimated from the previous backup';
    throw new Failure(
      'no-space',
      `The disk of ${backupDir} has ${formatBytes(survey.freeBytes)} free; ${formatBytes(needed)} needed (${why})`,
      { hint: `See what fills it: df -h ${backupDir}; docker system df. Nothing was deleted to make room` },
    );
  }
  if (survey.freeInodes !== null && survey.freeInodes < neededInodes) {
    throw new Failure('no-inodes', `The disk of ${backupDir} has ${survey.freeInodes} inodes left`, {
      hint: `Remove files that you no longer need: df -i ${backupDir}`,
    });
  }
}

function several(failures: readonly Failure[]): Failure {
  const hints = failures.map(({ hint, message }) => `${message}: ${hint ?? ''}`);
  return new Failure('host-not-ready', failures.map(({ message }) => message).join('; '), {
    hint: hints.join('\n'),
    cause: failures.map(({ cause }) => cause).find((cause) => cause !== undefined),
  });
}
