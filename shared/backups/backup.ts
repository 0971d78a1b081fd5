import { Failure } from '../failure.ts';
import type { HistoryRecord } from '../history/record.ts';
import type { Connection } from '../host/connection.ts';
import type { Survey } from '../host/survey.ts';
import { demandSets } from '../host/survey-sets.ts';
import { type Release, releaseOf } from '../releases/release.ts';
import { type Catalogue, catalogueOf, folderOf, type VerifiedSet, verifiedSetsOf } from '../sets/catalogue.ts';
import type { BackupKind, Manifest } from '../sets/manifest.ts';
import { homeOf, parseSetFileName, setFileNames } from '../sets/naming.ts';
import { folderOfTier } from '../sets/tiers.ts';
import { demandReadable } from '../sets/whole-manifest.ts';
import { sidecarsOf } from './assemble.ts';
import { logLine, type RunOutcome } from './log-line.ts';
import { type BackupNeeds, judgeBackupHost, type ReadyHost } from './preflight.ts';
import { type Policy, type PublicationPlan, planPublication } from './publication-plan.ts';
import { conclude, type Published, publish, reject } from './publish.ts';
import { type ReportFacts, reportText } from './report-facts.ts';
import { type HeldDump, type TakenDump, take } from './take.ts';
import { allPassed, type RowCounts } from './verification.ts';

/** A request for one backup, by its own action or before a rollback. Times in milliseconds, sizes in bytes. */
export interface BackupOrder extends Omit<BackupNeeds, 'previousBytes'>, Policy {
  kind: BackupKind;
  environment: string;
  databaseName: string | null;
  compressionLevel: number | null;
  rowCounts: RowCounts;
  timeout: number;
  /** Absolute, on the host. */
  logFile: string;
}

/** One attempt at a backup. */
export interface BackupAttempt {
  order: BackupOrder;
  startedAt: Date;
  /** Names us as the holder of the lock. Unique for each run, so that no other run takes our lock for its own. */
  holder: string;
  workflow: { runUrl: string | null; commit: string | null; actor: string | null };
  signal: AbortSignal;
  /** Gets each line that the host prints. */
  onLog: (line: string) => void;
  /** Gets the progress of the dump. */
  onProgress: (name: string, value: string) => void;
}

/** A host that was surveyed and is ready for a backup. */
export interface Prepared {
  host: ReadyHost;
  catalogue: Catalogue;
  release: Release;
  /** The newest verified backup of the database. */
  previous: VerifiedSet | null;
  zstdOn: 'host' | 'container';
  setsState: string;
}

/** Another run can get in between only as often as there are runs waiting for the lock. */
const mostAttempts = 5;

/** One attempt: what it was based on, and the dump. */
export interface Attempted {
  prepared: Prepared;
  held: HeldDump;
  attempt: BackupAttempt;
}

/**
 * Another run may publish a backup while this one waits for the lock. This one then starts over, with a new survey and a
 * new id: otherwise newer data would get an older id.
 * @param prepare surveys and judges the host
 * @param onStale called before it starts over
 */
export async function prepareAndTake(
  run: BackupAttempt,
  prepare: (attempt: BackupAttempt) => Promise<Prepared>,
  takeDump: (prepared: Prepared, attempt: BackupAttempt) => Promise<HeldDump>,
  onStale: () => void,
): Promise<Attempted> {
  for (let count = 1; ; count += 1) {
    const attempt = count === 1 ? run : { ...run, startedAt: new Date() };
    const prepared = await prepare(attempt);
    try {
      return { prepared, held: await takeDump(prepared, attempt), attempt };
    } catch (error) {
      const isStale = error instanceof Failure && error.code === 'sets-changed';
      if (!isStale || count === mostAttempts) throw error;
      onStale();
    }
  }
}

/** Judges the survey. @throws Failure `survey-incomplete`, or like judgeBackupHost */
export function prepareBackup(seen: Survey, order: BackupOrder): Prepared {
  const sets = demandSets(seen.sets);
  const catalogue = catalogueOf(sets.files, sets.manifests);
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

/** Takes the dump under the lock, which is held until it is released. */
export async function takeBackup(
  connection: Connection,
  prepared: Prepared,
  attempt: BackupAttempt,
): Promise<HeldDump> {
  const { order, holder, signal, startedAt, onLog, onProgress } = attempt;
  const { host, previous, setsState } = prepared;
  const { backupDir } = order;
  return take(connection, {
    backupDir,
    kind: order.kind,
    startedAt,
    container: host.container.id,
    user: host.database.user,
    database: host.database.database,
    encoding: host.encoding,
    where: host.where,
    level: order.compressionLevel,
    rowCounts: order.rowCounts,
    lockWait: order.lockWait,
    timeout: order.timeout,
    lock: { path: `${backupDir}/.lock`, wait: order.lockWait, holder },
    previousSchema: previous && schemaFile(backupDir, previous),
    setsState,
    signal,
    onLog,
    onProgress,
  });
}

function schemaFile(backupDir: string, set: VerifiedSet): string {
  const prefix = parseSetFileName(set.manifest.file)?.prefix ?? 'backup';
  return `${backupDir}/${folderOf(set)}/${setFileNames(prefix, set.id, set.manifest).schema}`;
}

/** Puts aside a dump that failed a check. @throws Failure `not-verified` */
export async function demandVerified(connection: Connection, dump: TakenDump, attempt: BackupAttempt): Promise<void> {
  if (allPassed(dump.verification)) return;
  const failed = dump.verification.filter(({ result }) => result !== 'passed');
  const reason = failed.map(({ name, detail }) => `${name}: ${detail}`).join('\n');
  const failure = (path: string) =>
    new Failure('not-verified', `The dump failed its verification and does not count as a backup: ${reason}`, {
      hint: `Earlier backups are unchanged. The failed dump was put aside: ${path}. Run it again; if it fails again, check the host's disk and memory`,
    });
  const line = failureLine(attempt, failure(''), { id: dump.id, bytes: dump.sizeBytes, sha256: dump.sums.sha256 });
  const rejection = { ...ending(attempt), holder: attempt.holder, id: dump.id, dump: dump.file, reason, logLine: line };
  // Even if it cannot be put aside, report why the dump is bad.
  throw failure(await reject(connection, rejection).catch((error) => `it could not be kept (${error})`));
}

/**
 * Plans the publication of a verified dump, and publishes it into its tiers.
 * @param recordsOf the records that the history gets
 */
export async function publishBackup(
  connection: Connection,
  { host, catalogue, release, previous, zstdOn }: Prepared,
  dump: TakenDump,
  attempt: BackupAttempt,
  recordsOf: (manifest: Manifest) => readonly HistoryRecord[],
): Promise<{ reportFacts: ReportFacts; published: Published }> {
  const { order, startedAt, holder, workflow } = attempt;
  const { kind, environment } = order;
  const { runUrl, commit, actor } = workflow;
  const facts = { kind, environment, database: host.database, encoding: host.encoding, release };
  const known = { ...facts, previous: previous?.manifest ?? null, startedAt, finishedAt: new Date() };
  const publicationPlan = planPublication(dump, { ...known, runUrl, commit, actor }, catalogue.sets, order);
  const { manifest, entered, deletions } = publicationPlan;
  const home = homeOf(kind).folder;
  const reportFacts: ReportFacts = {
    publicationPlan,
    dump,
    previous: previous?.manifest ?? null,
    place: {
      folder: `${order.backupDir}/${home}`,
      container: host.container.name,
      user: host.database.user,
      zstdOn,
    },
    target: connection.target,
    minSizeRatio: order.minSizeRatio,
  };
  const sidecars = sidecarsOf(dump, manifest, reportText(reportFacts));
  demandReadable(sidecars.get(setFileNames(homeOf(kind).prefix, dump.id, manifest).manifest) ?? '');
  const published = await publish(connection, {
    ...ending(attempt),
    holder,
    id: dump.id,
    sidecars,
    tiers: entered.filter((tier) => folderOfTier(tier) !== home),
    deletions,
    records: recordsOf(manifest),
    logLine: successLine(attempt, publicationPlan),
    troubledLine: successLine(attempt, {
      ...publicationPlan,
      problems: ['a step after the publication failed: see the run'],
    }),
  });
  return { reportFacts, published };
}

/** How many sets of the database are kept in at least one tier. */
export const keptSets = ({ pruning }: PublicationPlan) =>
  new Set(pruning.filter(({ action }) => action === 'keep').map(({ id }) => id)).size;

/** Writes a failed run into the log on the host. */
export async function logFailure(connection: Connection, attempt: BackupAttempt, error: unknown): Promise<void> {
  await conclude(connection, { ...ending(attempt), logLine: failureLine(attempt, error, {}) });
}

const ending = ({ order, onLog }: BackupAttempt) => ({
  backupDir: order.backupDir,
  kind: order.kind,
  logFile: order.logFile,
  onLog,
});

function failureLine(attempt: BackupAttempt, error: unknown, known: Partial<RunOutcome>): string {
  const problem = error instanceof Failure ? error : new Failure('defect', String(error));
  return lineOf(attempt, { problem: { code: problem.code, message: problem.message }, ...known });
}

function successLine(attempt: BackupAttempt, publicationPlan: PublicationPlan): string {
  const { manifest, problems, entered, deletions } = publicationPlan;
  return lineOf(attempt, {
    status: problems.length === 0 ? 'succeeded' : 'incomplete',
    id: manifest.id,
    database: manifest.database,
    file: `${homeOf(manifest.kind).folder}/${manifest.file}`,
    bytes: manifest.sizeBytes,
    sha256: manifest.sha256,
    tiers: entered,
    kept: keptSets(publicationPlan),
    deleted: deletions.length,
    problem: problems.length === 0 ? null : { code: 'incomplete', message: problems.join('; ') },
  });
}

function lineOf({ order, workflow, startedAt }: BackupAttempt, known: Partial<RunOutcome>): string {
  const endedAt = new Date();
  return logLine({
    endedAt,
    status: 'failed',
    id: null,
    kind: order.kind,
    environment: order.environment,
    database: order.databaseName,
    file: null,
    bytes: null,
    sha256: null,
    durationMs: endedAt.getTime() - startedAt.getTime(),
    tiers: [],
    kept: null,
    deleted: null,
    actor: workflow.actor,
    runUrl: workflow.runUrl,
    problem: null,
    ...known,
  });
}
