import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sidecarsOf } from '../shared/backups/assemble.ts';
import {
  type Catalogue,
  catalogueOf,
  folderOf,
  type VerifiedSet,
  verifiedSetsOf,
} from '../shared/backups/catalogue.ts';
import { logLine, type RunOutcome } from '../shared/backups/log-line.ts';
import type { Check } from '../shared/backups/manifest.ts';
import { setFileNames } from '../shared/backups/naming.ts';
import { judgeHost, type ReadyHost } from '../shared/backups/preflight.ts';
import { conclude, publish, reject } from '../shared/backups/publish.ts';
import { type Settlement, settle } from '../shared/backups/settlement.ts';
import { type TakenDump, type Taking, take } from '../shared/backups/take.ts';
import { allPassed } from '../shared/backups/verification.ts';
import { Failure } from '../shared/failure.ts';
import { connect } from '../shared/host/connect.ts';
import type { Connection } from '../shared/host/connection.ts';
import { survey } from '../shared/host/survey.ts';
import { insideScript } from '../shared/postgres/scripts.ts';
import { mixedServices, type Release, releaseOf } from '../shared/releases/release.ts';
import type { WorkflowContext } from '../shared/runner/context.ts';
import { diagnoseKey } from '../shared/runner/key-diagnosis.ts';
import * as log from '../shared/runner/log.ts';
import { makePrivateFolder } from '../shared/runner/private-folder.ts';
import type { ActionContext } from '../shared/runner/run.ts';
import { formatBytes, formatDuration } from '../shared/units.ts';
import type { BackupInputs } from './inputs.ts';
import type { BackupOutputs } from './outputs.ts';
import { DumpProgress } from './progress.ts';
import { reportText, summarizeBackup, summarizeFailure, type Told } from './summary.ts';

/** What one run is about, from its start. */
interface BackupRun {
  inputs: BackupInputs;
  workflow: WorkflowContext;
  signal: AbortSignal;
  startedAt: Date;
  /** Who holds the lock: unlike that of any other run, so that nobody takes our lock for theirs. */
  holder: string;
}

/** A host that was looked at and found fit. */
interface Prepared {
  host: ReadyHost;
  catalogue: Catalogue;
  release: Release;
  /** The newest verified backup of the database. */
  previous: VerifiedSet | null;
  zstdOn: 'host' | 'container';
  setsState: string;
}

/** Only as many runs as wait for the lock at once can come in between. */
const mostAttempts = 5;

/** Survey, judge, take, publish, tell: three sessions on the host. */
export async function backup(
  inputs: BackupInputs,
  workflow: WorkflowContext,
  { signal, outputs, atEnd }: ActionContext<BackupOutputs>,
): Promise<void> {
  const startedAt = new Date();
  const holder = `backup-action ${workflow.runUrl ?? 'without a workflow'} since ${startedAt.toISOString()} (${randomBytes(4).toString('hex')})`;
  const run: BackupRun = { inputs, workflow, signal, startedAt, holder };
  atEnd(() => {
    outputs['duration-ms'] = Date.now() - startedAt.getTime();
  });

  let connection: Connection | undefined;
  try {
    connection = await connect(inputs.ssh, () => {
      const folder = makePrivateFolder();
      atEnd(folder.remove);
      return { folder: folder.path, diagnoseKey, signal };
    });
    const { prepared, taking, attempt } = await prepareAndTake(connection, run, outputs);
    try {
      await verified(connection, taking.dump, attempt);
      await publishAndTell(connection, prepared, taking.dump, attempt, outputs);
    } finally {
      await taking.release();
    }
  } catch (error) {
    if (outputs['backup-id'] === null) await tellFailure(connection, error, run);
    throw error;
  } finally {
    await connection?.close();
  }
}

/**
 * Another run may have published while the lock was waited for: then all is looked at and decided again, as by a run that
 * starts now, or its newer data would stand under an older id.
 */
async function prepareAndTake(
  connection: Connection,
  run: BackupRun,
  outputs: BackupOutputs,
): Promise<{ prepared: Prepared; taking: Taking; attempt: BackupRun }> {
  for (let count = 1; ; count += 1) {
    const attempt = count === 1 ? run : { ...run, startedAt: new Date() };
    const prepared = await prepare(connection, attempt);
    outputs.release = JSON.stringify(prepared.release);
    try {
      return { prepared, taking: await takeDump(connection, prepared, attempt), attempt };
    } catch (error) {
      const isStale = error instanceof Failure && error.code === 'sets-changed';
      if (!isStale || count === mostAttempts) throw error;
      log.info('Other backups have changed since the survey: looking again');
    }
  }
}

async function prepare(connection: Connection, { inputs, signal }: BackupRun): Promise<Prepared> {
  return log.group(`Survey of ${connection.target}`, async () => {
    const request = {
      deployDir: inputs.deployDir,
      backupDir: inputs.backupDir,
      projectName: inputs.projectName ?? '',
      databaseService: inputs.databaseService ?? '',
      databaseUser: inputs.databaseUser ?? '',
      databaseName: inputs.databaseName ?? '',
      probe: insideScript(),
    };
    const seen = await survey(connection, request, signal, log.host);
    const catalogue = catalogueOf(seen.files, seen.manifests);
    const newest = (database: string) => verifiedSetsOf(database, catalogue.sets)[0] ?? null;
    const host = judgeHost(seen, {
      ...inputs,
      previousBytes: (database, { format, compression }) => {
        const manifest = newest(database)?.manifest;
        return manifest?.format === format && manifest.compression === compression ? manifest.sizeBytes : null;
      },
    });

    const { database, container, encoding } = host;
    log.success(`The service ${container.service} runs PostgreSQL ${database.serverVersion} and accepts connections`);
    log.info(`Database "${database.database}" of ${formatBytes(database.sizeBytes)}, as user "${database.user}"`);
    log.info(`${formatBytes(seen.freeBytes)} are free; about ${formatBytes(host.estimate)} will be needed`);
    log.info(`Format ${encoding.format}, compression ${encoding.compression}, made in the ${host.where}`);
    const mixed = mixedServices(seen.containers);
    if (mixed.length > 0) log.warning(`Containers of one service run different images: ${mixed.join(', ')}`);
    return {
      host,
      catalogue,
      release: releaseOf(seen.containers, seen.images),
      previous: newest(database.database),
      zstdOn: seen.tools.has('zstd') ? 'host' : 'container',
      setsState: seen.setsState,
    };
  });
}

async function takeDump(connection: Connection, prepared: Prepared, run: BackupRun): Promise<Taking> {
  const { inputs, holder, signal, startedAt } = run;
  const { host, previous, setsState } = prepared;
  return log.group('Dump, and read back from the disk', async () => {
    const progress = new DumpProgress(host.estimate);
    const taking = await take(connection, {
      backupDir: inputs.backupDir,
      startedAt,
      container: host.container.id,
      user: host.database.user,
      database: host.database.database,
      encoding: host.encoding,
      where: host.where,
      level: inputs.compressionLevel,
      rowCounts: inputs.rowCounts,
      lockWait: inputs.lockWait,
      timeout: inputs.timeout,
      lock: { path: `${inputs.backupDir}/.lock`, wait: inputs.lockWait, holder },
      previousSchema: previous && schemaFile(inputs.backupDir, previous),
      setsState,
      signal,
      onLog: log.host,
      onProgress: (name, value) => progress.tell(name, value),
    });
    for (const check of [...taking.dump.verification, ...taking.dump.sides]) log.info(checkLine(check));
    return taking;
  });
}

function schemaFile(backupDir: string, set: VerifiedSet): string {
  return `${backupDir}/${folderOf(set)}/${setFileNames('backup', set.id, set.manifest).schema}`;
}

function checkLine({ name, result, detail, ms }: Check): string {
  const mark = { passed: '✔', failed: '✘', 'could-not-check': '?' }[result];
  return `${mark} ${name}: ${detail}${ms > 0 ? ` (${formatDuration(ms)})` : ''}`;
}

/** Puts a dump aside that failed a check. @throws Failure `not-verified` */
async function verified(connection: Connection, dump: TakenDump, run: BackupRun): Promise<void> {
  if (allPassed(dump.verification)) return;
  const failed = dump.verification.filter(({ result }) => result !== 'passed');
  const reason = failed.map(({ name, detail }) => `${name}: ${detail}`).join('\n');
  const failure = (path: string) =>
    new Failure('not-verified', `The dump failed its verification and does not count as a backup: ${reason}`, {
      hint: `Earlier backups are as they were. It was put aside: ${path}. Run it again; where it fails again, look at the host's disk and memory`,
    });
  const line = lineOf(run, failure(''), { id: dump.id, bytes: dump.sizeBytes, sha256: dump.sums.sha256 });
  const rejection = { ...ending(run), holder: run.holder, id: dump.id, dump: dump.file, reason, logLine: line };
  // Why the dump is bad matters more than where it went.
  throw failure(await reject(connection, rejection).catch((error) => `it could not be kept (${error})`));
}

async function publishAndTell(
  connection: Connection,
  { host, catalogue, release, previous: previousSet, zstdOn }: Prepared,
  dump: TakenDump,
  run: BackupRun,
  outputs: BackupOutputs,
): Promise<void> {
  const { inputs, workflow, startedAt, holder } = run;
  const { kind, environment } = inputs;
  const { runUrl, commit, actor } = workflow;
  const previous = previousSet?.manifest ?? null;
  const facts = { kind, environment, database: host.database, encoding: host.encoding, release, previous };
  const times = { startedAt, finishedAt: new Date() };
  const settlement = settle(dump, { ...facts, ...times, runUrl, commit, actor }, catalogue.sets, inputs);
  const { manifest, entered, deletions } = settlement;
  const folder = `${inputs.backupDir}/daily`;
  const place = { folder, container: host.container.name, user: host.database.user, zstdOn };
  const told: Told = {
    settlement,
    dump,
    previous,
    place,
    target: connection.target,
    minSizeRatio: inputs.minSizeRatio,
  };

  const published = await log.group('Publish and prune', async () => {
    const done = await publish(connection, {
      ...ending(run),
      holder,
      id: dump.id,
      sidecars: sidecarsOf(dump, manifest, reportText(told)),
      tiers: entered.filter((tier) => tier !== 'daily'),
      deletions,
      logLine: successLine(run, settlement),
      troubledLine: successLine(run, { ...settlement, problems: ['a step after the publication failed: see the run'] }),
    });
    for (const { reason } of settlement.tiers) log.info(reason);
    for (const { tier, id, reason } of settlement.pruning) log.info(`${tier}/${id} ${reason}`);
    return done;
  });
  const problems = [...settlement.problems, ...published.problems];

  const names = setFileNames('backup', dump.id, manifest);
  Object.assign(outputs, {
    status: problems.length === 0 ? 'succeeded' : 'incomplete',
    'backup-id': dump.id,
    'backup-file': `${folder}/${names.dump}`,
    'manifest-file': `${folder}/${names.manifest}`,
    'report-file': `${folder}/${names.report}`,
    'size-bytes': dump.sizeBytes,
    ...dump.sums,
    tiers: ['daily', ...published.entered].join(','),
    kept: keptSets(settlement),
    deleted: published.dropped,
  });
  await summarizeBackup(told, problems, Date.now() - startedAt.getTime());
  if (problems.length > 0) endIncomplete(kind, problems, published.dropped > 0);
}

const keptSets = ({ pruning }: Settlement) =>
  new Set(pruning.filter(({ action }) => action === 'keep').map(({ id }) => id)).size;

/** Before a deployment a verified dump is enough to go on; else the operator is to look now. */
function endIncomplete(kind: BackupInputs['kind'], problems: readonly string[], pruned: boolean): void {
  const message = `A verified backup is kept, but the run is incomplete: ${problems.join('; ')}`;
  const kept = pruned ? 'What retention deleted was named above' : 'Nothing was deleted';
  if (kind !== 'predeployment') {
    throw new Failure('incomplete', message, { hint: `${kept}. Mend what is named, and run it again` });
  }
  log.error(`${message}. The deployment may go on`, 'Backup incomplete');
}

const ending = ({ inputs }: BackupRun) => ({
  backupDir: inputs.backupDir,
  logFile: inputs.logFile,
  onLog: log.host,
});

/** A run that came to nothing is told of in the job's summary and, where that can be, in the log on the host. */
async function tellFailure(connection: Connection | undefined, error: unknown, run: BackupRun): Promise<void> {
  await summarizeFailure(error, run.inputs);
  const isLogged = error instanceof Failure && error.code === 'not-verified';
  if (connection === undefined || isLogged) return;
  try {
    // A cancelled run has little time, and the connection may be what failed.
    const logged = conclude(connection, { ...ending(run), logLine: lineOf(run, error, {}) });
    await Promise.race([logged, sleep(run.signal.aborted ? 1_000 : 20_000, undefined, { ref: false })]);
  } catch {
    // The verdict is told in any case.
  }
}

function lineOf(run: BackupRun, error: unknown, known: Partial<RunOutcome>): string {
  const { inputs, workflow, startedAt } = run;
  const problem = error instanceof Failure ? error : new Failure('defect', String(error));
  const endedAt = new Date();
  return logLine({
    endedAt,
    status: 'failed',
    id: null,
    kind: inputs.kind,
    environment: inputs.environment,
    database: inputs.databaseName,
    file: null,
    bytes: null,
    sha256: null,
    durationMs: endedAt.getTime() - startedAt.getTime(),
    tiers: [],
    kept: null,
    deleted: null,
    actor: workflow.actor,
    runUrl: workflow.runUrl,
    problem: { code: problem.code, message: problem.message },
    ...known,
  });
}

function successLine(run: BackupRun, settlement: Settlement): string {
  const { manifest, problems, entered, deletions } = settlement;
  return lineOf(run, null, {
    status: problems.length === 0 ? 'succeeded' : 'incomplete',
    id: manifest.id,
    database: manifest.database,
    file: `daily/${manifest.file}`,
    bytes: manifest.sizeBytes,
    sha256: manifest.sha256,
    tiers: entered,
    kept: keptSets(settlement),
    deleted: deletions.length,
    problem: problems.length === 0 ? null : { code: 'incomplete', message: problems.join('; ') },
  });
}
