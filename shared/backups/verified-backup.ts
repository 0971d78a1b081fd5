import { Failure, isFailure } from '../failure.ts';
import type { HistoryRecord } from '../history/record.ts';
import { lockFile } from '../host/backup-folder.ts';
import type { Connection } from '../host/connection.ts';
import { type Release, releaseOf } from '../releases/release.ts';
import { type Catalogue, catalogueOf, pathOf, type VerifiedSet, verifiedSetsOf } from '../sets/catalogue.ts';
import { folderOfTier, homeOf } from '../sets/layout.ts';
import type { Check, Manifest } from '../sets/manifest.ts';
import { parseSetFileName, setFileNames } from '../sets/naming.ts';
import { demandReadable } from '../sets/whole-manifest.ts';
import type { StoryLog } from '../story-log.ts';
import type { Survey } from '../survey/survey.ts';
import { demandSets } from '../survey/survey-sets.ts';
import { formatBytes, formatDuration } from '../units.ts';
import { sidecarsOf } from './assemble.ts';
import { awaitTurn } from './await-turn.ts';
import type { BackupOrder, BackupRun } from './backup-order.ts';
import { DumpProgress } from './dump-progress.ts';
import type { RunOutcome } from './log-line.ts';
import { judgeBackupHost, type ReadyHost } from './preflight.ts';
import { planPublication } from './publication-plan.ts';
import { logRun, type Published, publish, reject } from './publish.ts';
import { type ReportFacts, reportText } from './report-facts.ts';
import { failureLine, successLine } from './run-line.ts';
import { type HeldDump, lockMayStay, type TakenDump, type TakeRequest, take } from './take.ts';
import { allPassed } from './verification.ts';

// The story of one backup, for backup-action and for the backup before a rollback: survey and judge the host, take the dump
// under the lock, demand that it is verified, publish it, release the lock.

/** The steps that differ between the two actions. */
export interface BackupSteps {
  /** Surveys the host, with its backup folders. Called again if other backups arrived in the meantime. */
  look: () => Promise<Survey>;
  /** Called when the host was judged to be ready. */
  onReady: (seen: Survey) => void;
  /** The records that the history gets for a backup that is about to be published. */
  recordsOf: (manifest: Manifest) => readonly HistoryRecord[];
  /** Called as soon as the backup is published, before the lock is released: whatever comes next may be cut off. */
  onPublished: (kept: KeptBackup) => void;
}

/** A backup that is verified and published. */
export interface KeptBackup {
  facts: ReportFacts;
  published: Published;
  /** What makes the run incomplete, one line each; empty if all went well. */
  problems: string[];
}

/**
 * Takes a backup. The lock is free again when it returns.
 * @throws Failure if there is no verified backup, or if that is unknown: `publication-unknown`
 */
export async function takeVerifiedBackup(
  connection: Connection,
  run: BackupRun,
  steps: BackupSteps,
  log: StoryLog,
): Promise<KeptBackup> {
  const { ready, held, attempt } = await takeUnderLock(connection, run, steps, log);
  try {
    await demandVerified(connection, held.dump, attempt, log);
    const kept = await log.group('Publish and prune', () =>
      publishBackup(connection, ready, held.dump, attempt, steps.recordsOf, log),
    );
    steps.onPublished(kept);
    return kept;
  } finally {
    if (!(await held.release())) log.warning(lockMayStay(run.order.backupDir));
  }
}

/** No backup is in the way of the one that is next in the line. Others, such as a person who deletes sets, may be a few times. */
const mostAttempts = 5;

/**
 * Takes a dump under the lock. What was decided from a survey holds only if no other run has published or deleted a backup since:
 * so a run that finds the lock taken, or the backups changed, stands in line, and surveys again when it is next. It gets a new id
 * as well: otherwise newer data would get an older one.
 */
async function takeUnderLock(
  connection: Connection,
  run: BackupRun,
  steps: BackupSteps,
  log: StoryLog,
): Promise<Attempt> {
  const { backupDir, lockWait } = run.order;
  const attempt = async (current: BackupRun, inTurn: boolean): Promise<Attempt> => {
    const ready = await lookAtHost(connection, run.order, steps, log);
    const lock = { path: lockFile(backupDir), wait: inTurn ? lockWait : 0, holder: run.holder };
    const held = await log.group('Dump and read back from disk', () =>
      takeDump(connection, ready, current, { lock, isInTurn: inTurn }, log),
    );
    return { ready, held, attempt: current };
  };

  try {
    return await attempt(run, false);
  } catch (error) {
    const isInVain = isFailure(error, 'sets-changed') || (isFailure(error, 'lock-held') && lockWait > 0);
    if (!isInVain) throw error;
  }
  const turn = await awaitTurn(
    connection,
    run,
    (holder) => log.progress(`Waiting for the lock, held by ${holder}`),
    log.host,
  );
  try {
    for (let count = 2; ; count += 1) {
      try {
        return await attempt({ ...run, startedAt: new Date() }, true);
      } catch (error) {
        if (!isFailure(error, 'sets-changed') || count === mostAttempts) throw error;
        log.progress('Something changed the backups without taking the lock: surveying again');
      }
    }
  } finally {
    await turn.giveUp();
  }
}

/** A dump that was taken, and what it was taken from. */
interface Attempt {
  ready: Ready;
  held: HeldDump;
  attempt: BackupRun;
}

function lookAtHost(
  connection: Connection,
  order: BackupOrder,
  { look, onReady }: BackupSteps,
  log: StoryLog,
): Promise<Ready> {
  return log.group(`Survey of ${connection.name}`, async () => {
    const seen = await look();
    const ready = judgeSurvey(seen, order);
    onReady(seen);
    tellSurvey(seen, ready, log);
    return ready;
  });
}

/** A host that was surveyed and is ready for a backup. */
interface Ready {
  host: ReadyHost;
  catalogue: Catalogue;
  release: Release;
  /** The newest verified backup of the database. */
  previous: VerifiedSet | null;
  zstdOn: 'host' | 'container';
  setsState: string;
}

/** @throws Failure `survey-incomplete`, or as judgeBackupHost does */
function judgeSurvey(seen: Survey, order: BackupOrder): Ready {
  const sets = demandSets(seen.sets);
  const catalogue = catalogueOf(sets.files, sets.manifests);
  refusePlain(order, catalogue);
  const newest = (database: string) => verifiedSetsOf(database, catalogue.sets)[0] ?? null;
  const host = judgeBackupHost(seen, {
    ...order,
    previousBytes: (database, { format, compression }) => {
      const manifest = newest(database)?.manifest;
      return manifest?.format === format && manifest.compression === compression ? manifest.sizeBytes : null;
    },
  });
  return {
    host,
    catalogue,
    release: releaseOf(seen.containers, seen.images),
    previous: newest(host.database.database),
    zstdOn: seen.tools.has('zstd') ? 'host' : 'container',
    setsState: sets.state,
  };
}

/** Whoever encrypts backups does not expect a plain one, least of all from a rollback in a hurry. @throws Failure `plain-refused` */
function refusePlain({ kind, encryption }: BackupOrder, { sets }: Catalogue): void {
  const sealed = sets.find(({ manifest }) => manifest?.encryption === 'age');
  if (kind !== 'prerollback' || encryption === 'age' || sealed === undefined) return;
  throw new Failure(
    'plain-refused',
    `The backups of this host are encrypted, such as ${sealed.id}, and this one would not be`,
    {
      hint: 'Give this step "encrypt" and "encrypt-to" as in backup-action.',
    },
  );
}

function tellSurvey(seen: Survey, { host, catalogue }: Ready, log: StoryLog): void {
  const { database, container, encoding } = host;
  log.success(`Service ${container.service} runs PostgreSQL ${database.serverVersion} and accepts connections`);
  const { place } = database.access;
  if (place !== null) log.info(`Reached at ${place.host}, port ${place.port}, as its postmaster.pid says`);
  log.info(`Database "${database.database}", ${formatBytes(database.sizeBytes)}, as user "${database.user}"`);
  log.info(`${formatBytes(seen.freeBytes)} free, about ${formatBytes(host.estimate)} needed`);
  log.info(`Format ${encoding.format}, compression ${encoding.compression}, done in the ${host.where}`);
  if (encoding.encryption === 'age') {
    log.info('Encrypted on the host by age before anything is written, so the host cannot read it either');
  } else if (catalogue.sets.some(({ manifest }) => manifest?.encryption === 'age')) {
    log.warning(
      'Other backups on this host are encrypted, and this one is not: give "encrypt" and "encrypt-to" here as well',
    );
  }
}

/** Takes the dump under the lock, which is held until it is released. */
async function takeDump(
  connection: Connection,
  ready: Ready,
  run: BackupRun,
  turn: Pick<TakeRequest, 'lock' | 'isInTurn'>,
  log: StoryLog,
): Promise<HeldDump> {
  const { order, signal, startedAt } = run;
  const { host, previous, setsState } = ready;
  const { backupDir } = order;
  const progress = new DumpProgress(host.estimate, log);
  const held = await take(connection, {
    backupDir,
    kind: order.kind,
    startedAt,
    container: host.container.id,
    user: host.database.user,
    database: host.database.database,
    databaseEncoding: host.database.encoding,
    access: host.database.access,
    encoding: host.encoding,
    where: host.where,
    recipients: order.recipients,
    level: order.compressionLevel,
    rowCounts: order.rowCounts,
    lockWait: order.lockWait,
    timeout: order.timeout,
    ...turn,
    previousSchema:
      previous !== null && previous.manifest.encryption === 'none' && host.encoding.encryption === 'none'
        ? schemaFile(backupDir, previous)
        : null,
    setsState,
    signal,
    onLog: log.host,
    onProgress: (name, value) => progress.tell(name, value),
  });
  for (const check of [...held.dump.verification, ...held.dump.sides]) log.info(checkLine(check));
  return held;
}

function schemaFile(backupDir: string, set: VerifiedSet): string {
  const prefix = parseSetFileName(set.manifest.file)?.prefix ?? 'backup';
  return `${backupDir}/${pathOf(set)}/${setFileNames(prefix, set.id, set.manifest).schema}`;
}

function checkLine({ name, result, detail, ms }: Check): string {
  const mark = { passed: '✔', failed: '✘', 'could-not-check': '?' }[result];
  return `${mark} ${name}: ${detail}${ms > 0 ? ` (${formatDuration(ms)})` : ''}`;
}

/** Puts aside a dump that failed a check, and logs the run on the host. @throws Failure `not-verified`; with a cause if it could not */
async function demandVerified(connection: Connection, dump: TakenDump, run: BackupRun, log: StoryLog): Promise<void> {
  if (allPassed(dump.verification)) return;
  const failed = dump.verification.filter(({ result }) => result !== 'passed');
  const reason = failed.map(({ name, detail }) => `${name}: ${detail}`).join('\n');
  const isOfBytes = failed.some(({ name }) => ['file', 'disk', 'read-back'].includes(name));
  const next = isOfBytes ? "Run it again; if it fails again, check the host's disk and memory" : 'Run it again';
  const failure = (whereItIs: string, cause?: unknown) =>
    new Failure('not-verified', `The dump failed its verification and does not count as a backup: ${reason}`, {
      hint: `Earlier backups are unchanged. ${whereItIs}. ${next}`,
      cause,
    });
  const line = failureLine(run, failure(''), { id: dump.id, bytes: dump.sizeBytes, sha256: dump.sums.sha256 });
  const rejection = { ...ending(run, log), holder: run.holder, id: dump.id, dump: dump.file, reason, logLine: line };
  let aside: string;
  try {
    aside = await reject(connection, rejection);
  } catch (error) {
    // Report why the dump is bad, even if it could not be put aside.
    throw failure('The failed dump could not be put aside', error);
  }
  throw failure(`The failed dump was put aside: ${aside}`);
}

/** Plans the publication of a verified dump, and publishes it into its tiers. */
async function publishBackup(
  connection: Connection,
  { host, catalogue, release, previous, zstdOn }: Ready,
  dump: TakenDump,
  run: BackupRun,
  recordsOf: BackupSteps['recordsOf'],
  log: StoryLog,
): Promise<KeptBackup> {
  const { order, startedAt, holder, workflow } = run;
  const { kind, environment } = order;
  const { runUrl, commit, actor } = workflow;
  const known = { kind, environment, database: host.database, encoding: host.encoding, release };
  const manifestFacts = { ...known, previous: previous?.manifest ?? null, startedAt, finishedAt: new Date() };
  const publicationPlan = planPublication(dump, { ...manifestFacts, runUrl, commit, actor }, catalogue.sets, order);
  const { manifest, entered, deletions } = publicationPlan;
  const home = homeOf(kind).folder;
  const facts: ReportFacts = {
    publicationPlan,
    dump,
    previous: previous?.manifest ?? null,
    place: {
      folder: `${order.backupDir}/${home}`,
      container: host.container.name,
      access: host.database.access,
      user: host.database.user,
      zstdOn,
    },
    hostName: connection.name,
    minSizeRatio: order.minSizeRatio,
  };
  const sidecars = sidecarsOf(dump, manifest, reportText(facts));
  demandReadable(sidecars.get(setFileNames(homeOf(kind).prefix, dump.id, manifest).manifest) ?? '');
  const published = await publish(connection, {
    ...ending(run, log),
    holder,
    id: dump.id,
    sidecars,
    tiers: entered.filter((tier) => folderOfTier(tier) !== home),
    deletions,
    records: recordsOf(manifest),
    logLine: successLine(run, publicationPlan),
    troubledLine: successLine(run, {
      ...publicationPlan,
      problems: ['a step after the publication failed: see the run'],
    }),
  });
  for (const { reason } of publicationPlan.tiers) log.info(reason);
  for (const { tier, id, reason } of publicationPlan.pruning) log.info(`${folderOfTier(tier)}/${id} ${reason}`);
  return { facts, published, problems: [...publicationPlan.problems, ...published.problems] };
}

/** Writes a failed run, or one that failed after a backup was kept, into the log on the host. */
export async function logFailure(
  connection: Connection,
  run: BackupRun,
  error: unknown,
  log: StoryLog,
  known: Partial<RunOutcome> = {},
): Promise<void> {
  await logRun(connection, { ...ending(run, log), logLine: failureLine(run, error, known) });
}

const ending = ({ order }: BackupRun, log: StoryLog) => ({
  backupDir: order.backupDir,
  kind: order.kind,
  logFile: order.logFile,
  onLog: log.host,
});
