import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BackupAttempt,
  type BackupOrder,
  demandVerified,
  keptSets,
  logFailure,
  type Prepared,
  prepareAndTake,
  prepareBackup,
  publishBackup,
  takeBackup,
} from '../shared/backups/backup.ts';
import { type HeldDump, lockMayStay, type TakenDump } from '../shared/backups/take.ts';
import { Failure } from '../shared/failure.ts';
import { connect } from '../shared/host/connect.ts';
import type { Connection } from '../shared/host/connection.ts';
import { holderText } from '../shared/host/lock-holder.ts';
import { survey } from '../shared/host/survey.ts';
import { insideScript } from '../shared/postgres/scripts.ts';
import { mixedServices } from '../shared/releases/release.ts';
import type { WorkflowContext } from '../shared/runner/context.ts';
import { DumpProgress } from '../shared/runner/dump-progress.ts';
import { diagnoseKey } from '../shared/runner/key-diagnosis.ts';
import * as log from '../shared/runner/log.ts';
import { makePrivateFolder } from '../shared/runner/private-folder.ts';
import type { ActionContext } from '../shared/runner/run.ts';
import type { Check } from '../shared/sets/manifest.ts';
import { setFileNames } from '../shared/sets/naming.ts';
import { formatBytes, formatDuration } from '../shared/units.ts';
import { Deployments } from './deployments.ts';
import type { BackupInputs } from './inputs.ts';
import type { BackupOutputs } from './outputs.ts';
import { summarizeBackup, summarizeFailure } from './summary.ts';

/** Surveys and judges the host, takes the dump, publishes it and reports: three sessions on the host. */
export async function backup(
  inputs: BackupInputs,
  workflow: WorkflowContext,
  { signal, outputs, atEnd }: ActionContext<BackupOutputs>,
): Promise<void> {
  const startedAt = new Date();
  const run: BackupAttempt = {
    order: inputs,
    startedAt,
    holder: holderText('backup-action', workflow.runUrl, startedAt),
    workflow,
    signal,
    onLog: log.host,
    onProgress: () => {},
  };
  atEnd(() => {
    outputs['duration-ms'] = Date.now() - startedAt.getTime();
  });

  const deployments = new Deployments(inputs, workflow);
  let connection: Connection | undefined;
  try {
    connection = await connect(inputs.ssh, () => {
      const folder = makePrivateFolder();
      atEnd(folder.remove);
      return { folder: folder.path, diagnoseKey, signal };
    });
    const way = connection;
    const { prepared, held, attempt } = await prepareAndTake(
      run,
      (attempt) => prepare(way, inputs, attempt, deployments, outputs),
      (prepared, attempt) => takeDump(way, prepared, attempt),
      () => log.info('Other backups have changed since the survey: surveying again'),
    );
    try {
      await demandVerified(way, held.dump, attempt);
      await publishAndTell(way, prepared, held.dump, attempt, deployments, outputs);
    } finally {
      if (!(await held.release())) log.warning(lockMayStay(inputs.backupDir));
    }
  } catch (error) {
    if (outputs['backup-id'] === null) await tellFailure(connection, error, run);
    throw error;
  } finally {
    await connection?.close();
  }
}

async function prepare(
  connection: Connection,
  inputs: BackupInputs,
  attempt: BackupAttempt,
  deployments: Deployments,
  outputs: BackupOutputs,
): Promise<Prepared> {
  return log.group(`Survey of ${connection.target}`, async () => {
    const request = {
      ...inputs,
      probe: insideScript(),
      compose: null,
      sets: true,
      setup: false,
    };
    let seen = await survey(connection, request, attempt.signal, log.host);
    if (await deployments.clear(connection, seen, attempt)) {
      seen = await survey(connection, request, attempt.signal, log.host);
    }
    const prepared = prepareBackup(seen, inputs);
    outputs.release = JSON.stringify(prepared.release);

    const { host } = prepared;
    const { database, container, encoding } = host;
    log.success(`Service ${container.service} runs PostgreSQL ${database.serverVersion} and accepts connections`);
    log.info(`Database "${database.database}", ${formatBytes(database.sizeBytes)}, as user "${database.user}"`);
    log.info(`${formatBytes(seen.freeBytes)} free, about ${formatBytes(host.estimate)} needed`);
    log.info(`Format ${encoding.format}, compression ${encoding.compression}, done in the ${host.where}`);
    const mixed = mixedServices(seen.containers);
    if (mixed.length > 0) log.warning(`Containers of the same service run different images: ${mixed.join(', ')}`);
    return prepared;
  });
}

async function takeDump(connection: Connection, prepared: Prepared, run: BackupAttempt): Promise<HeldDump> {
  return log.group('Dump and read back from disk', async () => {
    const progress = new DumpProgress(prepared.host.estimate);
    const held = await takeBackup(connection, prepared, {
      ...run,
      onProgress: (name, value) => progress.tell(name, value),
    });
    for (const check of [...held.dump.verification, ...held.dump.sides]) log.info(checkLine(check));
    return held;
  });
}

function checkLine({ name, result, detail, ms }: Check): string {
  const mark = { passed: '✔', failed: '✘', 'could-not-check': '?' }[result];
  return `${mark} ${name}: ${detail}${ms > 0 ? ` (${formatDuration(ms)})` : ''}`;
}

async function publishAndTell(
  connection: Connection,
  prepared: Prepared,
  dump: TakenDump,
  attempt: BackupAttempt,
  deployments: Deployments,
  outputs: BackupOutputs,
): Promise<void> {
  const { reportFacts, published } = await log.group('Publish and prune', async () => {
    const done = await publishBackup(connection, prepared, dump, attempt, (manifest) =>
      deployments.recordsOf(manifest),
    );
    const { publicationPlan } = done.reportFacts;
    for (const { reason } of publicationPlan.tiers) log.info(reason);
    for (const { tier, id, reason } of publicationPlan.pruning) log.info(`${tier}/${id} ${reason}`);
    return done;
  });
  const { publicationPlan, place } = reportFacts;
  const problems = [...publicationPlan.problems, ...published.problems];

  const names = setFileNames('backup', dump.id, publicationPlan.manifest);
  Object.assign(outputs, {
    status: problems.length === 0 ? 'succeeded' : 'incomplete',
    'backup-id': dump.id,
    'backup-file': `${place.folder}/${names.dump}`,
    'manifest-file': `${place.folder}/${names.manifest}`,
    'report-file': `${place.folder}/${names.report}`,
    'size-bytes': dump.sizeBytes,
    ...dump.sums,
    tiers: ['daily', ...published.entered].join(','),
    kept: keptSets(publicationPlan),
    deleted: published.dropped,
    'history-id': deployments.historyId,
  });
  await deployments.store();
  await summarizeBackup(reportFacts, problems, Date.now() - attempt.startedAt.getTime());
  if (problems.length > 0) endIncomplete(attempt.order.kind, problems, published.dropped > 0);
}

/** Before a deployment, a verified dump is enough to go on. Otherwise the run fails, so that the operator looks now. */
function endIncomplete(kind: BackupOrder['kind'], problems: readonly string[], pruned: boolean): void {
  const message = `A verified backup is kept, but the run is incomplete: ${problems.join('; ')}`;
  const kept = pruned ? 'The log above names what retention deleted' : 'Nothing was deleted';
  if (kind !== 'predeployment') {
    throw new Failure('incomplete', message, { hint: `${kept}. Fix the problem and run the backup again` });
  }
  log.error(`${message}. The deployment may go on`, 'Backup incomplete');
}

/** Reports a failed run in the job summary and, if the host can be reached, in the log on the host. */
async function tellFailure(connection: Connection | undefined, error: unknown, run: BackupAttempt): Promise<void> {
  await summarizeFailure(error, run.order);
  const isLogged = error instanceof Failure && error.code === 'not-verified';
  if (connection === undefined || isLogged) return;
  try {
    // A cancelled run has little time, and the connection may be what failed.
    const patience = sleep(run.signal.aborted ? 1_000 : 20_000, undefined, { ref: false });
    await Promise.race([logFailure(connection, run, error), patience]);
  } catch {
    // The step reports the failure itself in any case.
  }
}
