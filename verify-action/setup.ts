import { type Catalogue, verifiedSetsOf } from '../shared/backups/catalogue.ts';
import {
  askedDatabase,
  type BackupNeeds,
  checkClock,
  checkDocker,
  checkFolders,
  checkProject,
  checkSpace,
  checkTools,
  chooseCompression,
  estimateOf,
  findDatabase,
} from '../shared/backups/preflight.ts';
import type { Book } from '../shared/history/book.ts';
import { lastGood } from '../shared/history/choice.ts';
import { parseHold, tellHold } from '../shared/history/hold.ts';
import { newestKnown } from '../shared/history/observation.ts';
import type { LocalImage, SetupSurvey, Survey } from '../shared/host/survey.ts';
import type { RegistryAnswer } from '../shared/releases/ask-registry.ts';
import { checkComposeVersion, noCompose } from '../shared/releases/compose-version.ts';
import { nameOf } from '../shared/releases/image-name.ts';
import { readProject } from '../shared/releases/project.ts';
import { type RunningImage, releaseOf, sameRelease } from '../shared/releases/release.ts';
import { referenceOf } from '../shared/releases/target.ts';
import { quoteForShell } from '../shared/shell-quote.ts';
import { counted, formatBytes, formatDuration } from '../shared/units.ts';
import { neededFor } from './drill.ts';
import { Findings, type Problem } from './finding.ts';
import type { VerifyInputs } from './inputs.ts';

/** What the set-up is judged by. */
export interface SetupFacts {
  /** How people call the host. */
  target: string;
  seen: Survey;
  catalogue: Catalogue;
  book: Book;
  /** null where there was nothing to ask. */
  registry: RegistryAnswer | null;
  /** What was wrong with the copies of the history off the host. */
  copyNotices: readonly string[];
}

/** Whether backups and rollbacks will work on this host. Nothing on it is changed. */
export function judgeSetup(facts: SetupFacts, inputs: VerifyInputs): Findings {
  const findings = new Findings('setup');
  const { target, seen } = facts;
  findings.check('connection', () =>
    inputs.ssh === null ? 'the runner is the host' : `${target} answers, with a host key of "known-hosts"`,
  );
  judgeMachine(findings, seen, inputs);
  judgeFolders(findings, seen, inputs);
  judgeDatabase(findings, facts, inputs);
  judgeCompose(findings, seen, inputs);
  judgeTransactions(findings, seen, inputs);
  judgeHistory(findings, facts, inputs);
  return findings;
}

function judgeMachine(findings: Findings, seen: Survey, inputs: VerifyInputs): void {
  findings.check('tools', () => {
    checkTools(seen);
    return `bash ${seen.bash}, and every program that is needed`;
  });
  findings.check('clock', () => {
    checkClock(seen);
    const off = Math.abs(seen.clockAhead);
    return off < 1_000 ? 'the same as the runner’s' : `${formatDuration(off)} from the runner’s`;
  });
  findings.check('docker', () => {
    checkDocker(seen);
    return `${seen.user} may use Docker ${'version' in seen.docker ? seen.docker.version : ''}`;
  });
  const { setup } = seen;
  if (setup === null) findings.unable('sessions', 'it was not asked for', null);
  else if (setup.killsSessions === 'unknown')
    findings.unable(
      'sessions',
      'logind does not tell whether it ends what a session has started',
      sessionsRemedy(seen),
    );
  else findings.check('sessions', () => judgeSessions(setup, seen));
  findings.check('lock', () => judgeLock(seen, setup, inputs), 'warning');
}

const sessionsRemedy = ({ user }: Survey) =>
  `On the host, as root, in /etc/systemd/logind.conf: KillExcludeUsers=root ${user}; then systemctl restart systemd-logind`;

/** A rollback goes on when its connection is lost; where logind ends it, nobody would carry it to its end. */
function judgeSessions({ killsSessions }: SetupSurvey, seen: Survey): string | Problem {
  if (killsSessions === 'yes') {
    return {
      detail: `logind ends what ${seen.user} has started when the connection is lost, a rollback too (KillUserProcesses)`,
      remedy: sessionsRemedy(seen),
    };
  }
  if (killsSessions === null) return 'nothing ends a rollback when the connection is lost: there is no systemd';
  return 'a rollback goes on when the connection is lost';
}

function judgeLock({ lockHolder }: Survey, setup: SetupSurvey | null, { timeout }: VerifyInputs): string | Problem {
  if (lockHolder === null) {
    const left = setup?.leftHolder ?? null;
    return left === null ? 'free' : `free; ${left} died with it, and the next run tidies up`;
  }
  const since = Date.parse(/ since (\d{4}-\d\d-\d\dT[\d:.]+Z)/.exec(lockHolder)?.[1] ?? '');
  const held = Date.now() - since;
  if (held <= timeout) return `held by ${lockHolder}, which is at work`;
  return {
    detail: `held by ${lockHolder}${Number.isNaN(held) ? '' : `, for ${formatDuration(held)}`}`,
    remedy: 'See what it does; no backup and no rollback can begin before it ends',
  };
}

function judgeFolders(findings: Findings, seen: Survey, inputs: VerifyInputs): void {
  const { backupDir } = inputs;
  findings.check('folders', () => {
    checkFolders(seen, inputs);
    const isThere = seen.folders.some(({ path }) => path === backupDir);
    return isThere ? `${backupDir} belongs to ${seen.user}` : `${backupDir} is made by the first backup`;
  });
  const { setup } = seen;
  if (setup === null) findings.unable('modes', 'it was not asked for', null);
  else if (setup.unseen.length > 0) {
    const remedy = `As root: chown -R ${seen.user}: ${quoteForShell(backupDir)}`;
    findings.unable('modes', `${seen.user} cannot look into ${setup.unseen.join(', ')}`, remedy);
  } else findings.check('modes', () => judgeModes(setup, seen, backupDir));
}

/** What `setup-permissions.sh` set right. */
function judgeModes({ open, openCount }: SetupSurvey, { user }: Survey, backupDir: string): string | Problem {
  if (openCount === 0) return 'only their owner can reach the backups';
  const named = open
    .slice(0, 3)
    .map(({ path, mode, owner }) => `${path || '.'} (${owner === user ? `mode ${mode}` : `of ${owner}`})`);
  const rest = openCount > named.length ? `, and ${openCount - named.length} more` : '';
  const isOthers = open.some(({ owner }) => owner !== user);
  const chmod = `chmod -R u=rwX,go= ${quoteForShell(backupDir)}`;
  return {
    detail: `others on the host can reach ${named.join(', ')}${rest}`,
    remedy: isOthers
      ? `As root: chown -R ${user}: ${quoteForShell(backupDir)} && ${chmod}`
      : `As ${user} or root: ${chmod}`,
  };
}

function judgeDatabase(findings: Findings, { seen, catalogue }: SetupFacts, inputs: VerifyInputs): void {
  const needs: BackupNeeds = { ...inputs, format: 'custom', compression: 'auto', previousBytes: () => null };
  findings.after('docker', 'project', () => {
    checkProject(seen, needs);
    const services = new Set(seen.containers.map(({ service }) => service));
    return `${seen.containers[0]?.project} runs ${[...services].toSorted().join(', ')}`;
  });
  findings.after('project', 'database', () => `the service ${findDatabase(seen, needs).service} runs it`);
  findings.after('database', 'database accepts', () => {
    const { database, serverVersion, sizeBytes } = askedDatabase(seen);
    return `"${database}" accepts connections: ${formatBytes(sizeBytes)}, PostgreSQL ${serverVersion}`;
  });
  findings.after(
    'database accepts',
    'pg_dump',
    () => `pg_dump ${askedDatabase(seen).pgDumpVersion} is in the container`,
  );
  findings.after('pg_dump', 'compressor', () => {
    const { encoding, where } = chooseCompression(seen, askedDatabase(seen), needs);
    return `${encoding.compression}, in the ${where}`;
  });
  findings.after('compressor', 'space', () => {
    const facts = askedDatabase(seen);
    const { encoding } = chooseCompression(seen, facts, needs);
    const previous = verifiedSetsOf(facts.database, catalogue.sets)[0]?.manifest ?? null;
    const alike = previous?.format === encoding.format && previous.compression === encoding.compression;
    const estimate = estimateOf(facts, encoding, alike ? previous.sizeBytes : null);
    checkSpace(seen, estimate, needs, alike ? previous.sizeBytes : null);
    return `${formatBytes(seen.freeBytes)} free, and the next backup needs about ${formatBytes(estimate)}`;
  });
  const free = seen.setup?.dockerFree ?? null;
  if ('version' in seen.docker && free === null) {
    findings.unable(
      'space for a drill',
      'how much room the disk of Docker has could not be seen',
      'On the host: docker info',
    );
  } else {
    findings.after(
      'database accepts',
      'space for a drill',
      () => judgeDrillSpace(seen, catalogue, needs.minFreeSpace, free ?? 0),
      'warning',
    );
  }
}

function judgeDrillSpace(seen: Survey, catalogue: Catalogue, minFreeSpace: number, free: number): string | Problem {
  const facts = askedDatabase(seen);
  const newest = verifiedSetsOf(facts.database, catalogue.sets)[0];
  if (newest === undefined) return 'there is no backup to drill yet';
  const needed = neededFor(newest.manifest, facts.sizeBytes) + minFreeSpace;
  const remedy = 'On the host: docker system df. Or drill on another machine: docs/restore.md';
  if (free >= needed)
    return `${formatBytes(free)} free on the disk of Docker, and a drill needs at most ${formatBytes(needed)}`;
  return {
    detail: `the disk of Docker has ${formatBytes(free)} free, and a drill needs at most ${formatBytes(needed)}`,
    remedy,
  };
}

function judgeCompose(findings: Findings, seen: Survey, inputs: VerifyInputs): void {
  const { compose } = seen;
  findings.after('docker', 'compose', () => {
    if (compose === null || 'error' in compose) return noCompose(compose?.error ?? '');
    checkComposeVersion(compose.version);
    return `docker compose ${compose.version}`;
  });
  findings.after('compose', 'compose file', () => judgeComposeFile(seen, inputs));
  if (inputs.envFile === null) return;
  findings.after('compose', 'env file', () => {
    const names = compose === null || 'error' in compose ? null : compose.envNames;
    if (names !== null) return `${inputs.envFile} sets ${names.length} variables`;
    return {
      detail: `${seen.user} cannot read ${inputs.envFile} in ${inputs.deployDir}`,
      remedy: 'Correct "env-file", or give the file to that user',
    };
  });
}

function judgeComposeFile({ compose, containers }: Survey, inputs: VerifyInputs): string | Problem {
  if (compose === null || 'error' in compose) return noCompose('');
  const files = inputs.composeFiles.join(', ');
  const check = `In ${inputs.deployDir} on the host: docker compose config --quiet`;
  if (compose.config.trim() === '') return { detail: `compose cannot read ${files}`, remedy: check };
  const { name, services } = readProject(compose.config, compose.template);
  const running = containers[0]?.project;
  if (running !== undefined && running !== name) {
    return {
      detail: `${files} is that of the project "${name}", and "${running}" is what runs`,
      remedy: `Set "project-name": ${running}, or correct "compose-file"`,
    };
  }
  const complaint = compose.complaints.split('\n').find((line) => /is not set/.test(line));
  if (complaint !== undefined)
    return { detail: `${files}: ${complaint.trim()}`, remedy: `Set it in the env file. ${check}` };
  return `${files} is valid, with ${counted(services.size, 'service')}`;
}

function judgeTransactions(findings: Findings, seen: Survey, { backupDir }: VerifyInputs): void {
  findings.check('transactions', () => {
    const [first] = seen.unfinished;
    if (first === undefined) return 'no rollback was left half-way';
    if (seen.lockHolder !== null) return `${seen.unfinished.join(', ')} is at work`;
    return {
      detail: `the rollback ${seen.unfinished.join(', ')} was left half-way`,
      remedy: `The next backup or rollback ends it. By hand on the host: bash ${quoteForShell(`${backupDir}/rollback/transactions/${first}/engine.sh`)}`,
    };
  });
  findings.check(
    'hold',
    () =>
      seen.hold === null
        ? 'deployments may go on'
        : {
            detail: tellHold(parseHold(seen.hold)),
            remedy: 'When the cause is mended, deploy with release-hold: true in backup-action',
          },
    'warning',
  );
}

function judgeHistory(findings: Findings, facts: SetupFacts, inputs: VerifyInputs): void {
  const { seen, book, copyNotices } = facts;
  const { environment, backupDir } = inputs;
  const ours = book.host.filter((record) => record.environment === environment);
  findings.check(
    'history',
    () => {
      const [problem] = book.problems;
      if (problem === undefined) return `${counted(ours.length, 'record')} of ${environment} on the host`;
      return {
        detail: book.problems.length === 1 ? problem : `${problem}, and ${book.problems.length - 1} more`,
        remedy: `Such lines are passed over. See ${backupDir}/rollback/history.jsonl on the host`,
      };
    },
    'warning',
  );
  const running = releaseOf(seen.containers, seen.images);
  // Where the deployment is judged as well, that says what runs.
  if (!inputs.checks.includes('deployment'))
    findings.after(
      'project',
      'release',
      () => {
        const newest = newestKnown(book.host, environment);
        if (newest !== null && sameRelease(newest.release, running)) return `what runs is what ${newest.at} says`;
        return {
          detail: newest === null ? 'the history tells of no release' : `what runs is not what ${newest.at} says`,
          remedy: 'Run verify-action with checks: deployment after each deployment; a backup notes what runs, too',
        };
      },
      'warning',
    );
  findings.after('compose file', 'last good release', () => judgeLastGood(facts, inputs), 'warning');
  judgeRegistry(findings, facts, inputs);
  if (inputs.history.length === 0) return;
  findings.check(
    'copies of the history',
    () => {
      if (copyNotices.length > 0) {
        return { detail: copyNotices.join('; '), remedy: 'Give the job permissions: actions: read, or history: ""' };
      }
      const copies = book.mirrors.length;
      return copies === 0 ? 'none yet; the next backup or rollback stores one' : `${copies} found on GitHub`;
    },
    'warning',
  );
}

/** Only where a login is given: else nobody asks for one. */
function judgeRegistry(findings: Findings, { registry }: SetupFacts, inputs: VerifyInputs): void {
  if (inputs.login === null) return;
  if (registry === null)
    findings.unable(
      'registry',
      'it could not be asked from the host',
      `On the host: curl -sI https://${inputs.registry}/v2/`,
    );
  else
    findings.check('registry', () =>
      registry.refusal === null
        ? `${inputs.registry} takes the login of ${inputs.login?.user}`
        : {
            detail: `${inputs.registry} refuses the login: ${registry.refusal}`,
            remedy:
              'Give a token with packages: read as "registry-password"; see whether the host reaches the registry',
          },
    );
}

/** What the history says to go back to. */
function lastGoodOf({ seen, book }: Pick<SetupFacts, 'seen' | 'book'>, inputs: VerifyInputs) {
  const ignored = new Set([...seen.candidates.map(({ service }) => service), inputs.databaseService ?? '']);
  const running = releaseOf(seen.containers, seen.images);
  const choice = lastGood({ records: book.host, environment: inputs.environment, running, ignored });
  const images = seen.compose === null || 'error' in seen.compose ? [] : seen.compose.images;
  const wanted = Object.entries(choice.record?.release ?? {}).filter(([service]) => !ignored.has(service));
  return { choice, images, wanted, away: wanted.filter(([, image]) => !isHere(image, images)) };
}

/** The images of the last good release that are not on the host: by digest, else by tag. */
export function imagesToAskFor(facts: Pick<SetupFacts, 'seen' | 'book'>, inputs: VerifyInputs): string[] {
  return lastGoodOf(facts, inputs).away.flatMap(([, image]) => referenceTo(image) ?? []);
}

function referenceTo({ image, tag, digest }: RunningImage): string | null {
  const repository = referenceOf(image)?.repository;
  if (repository === undefined || (digest === null && tag === null)) return null;
  return digest === null ? `${repository}:${tag}` : `${repository}@${digest}`;
}

function judgeLastGood(facts: SetupFacts, inputs: VerifyInputs): string | Problem {
  const { choice, images, wanted, away } = lastGoodOf(facts, inputs);
  if (choice.record === null) {
    return {
      detail: `there is nothing to roll back to: ${choice.why}`,
      remedy: 'After the next good deployment there will be. Until then a rollback must name a "target"',
    };
  }
  const name = wanted.map(([service, image]) => named(service, image, images)).join(', ');
  if (away.length === 0) return `${name}: every image is on the host`;
  const there = new Set(facts.registry?.there ?? []);
  const lost = away.filter(([, image]) => !there.has(referenceTo(image) ?? ''));
  if (lost.length === 0) return `${name}: what is not on the host, the registry has`;
  const isOnlyHere = lost.every(([, image]) => referenceTo(image) === null);
  const answer = facts.registry?.away[0]?.why ?? facts.registry?.refusal ?? 'the registry could not be asked';
  const why = isOnlyHere ? 'it was only on this host' : answer;
  return {
    detail: `${lost.map(([service, image]) => named(service, image, images)).join(', ')} is not on the host, and not to be had: ${why}`,
    remedy: 'A rollback must name another "target". To keep images, do not run docker image prune --all',
  };
}

function named(service: string, { image, tag, digest, imageId }: RunningImage, images: readonly LocalImage[]): string {
  return `${service} ${nameOf(imageId, image, images) ?? tag ?? (digest ?? imageId ?? 'unknown').slice(0, 19)}`;
}

function isHere({ image, digest, imageId }: RunningImage, images: readonly LocalImage[]): boolean {
  const repository = referenceOf(image)?.repository;
  return images.some(
    ({ id, repoDigests }) =>
      (imageId !== null && id === imageId) ||
      (digest !== null &&
        repoDigests.map(referenceOf).some((name) => name?.digest === digest && name.repository === repository)),
  );
}
