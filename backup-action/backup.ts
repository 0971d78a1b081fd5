import { setTimeout as sleep } from 'node:timers/promises';
import type { BackupOrder, BackupRun } from '../shared/backups/backup-order.ts';
import { keptSets } from '../shared/backups/run-line.ts';
import { type KeptBackup, logFailure, takeVerifiedBackup } from '../shared/backups/verified-backup.ts';
import { Failure, isFailure } from '../shared/failure.ts';
import type { Connection } from '../shared/host/connection.ts';
import { holderText } from '../shared/host/lock-holder.ts';
import type { CopiedSet } from '../shared/offsite/copy-set.ts';
import { insideScript } from '../shared/postgres/scripts.ts';
import { mixedServices, releaseOf } from '../shared/releases/release.ts';
import type { WorkflowContext } from '../shared/runner/context.ts';
import * as log from '../shared/runner/log.ts';
import { reachHost } from '../shared/runner/reach-host.ts';
import type { ActionContext } from '../shared/runner/run.ts';
import { lastGoodIn } from '../shared/sets/last-good.ts';
import { layoutLines } from '../shared/sets/layout.ts';
import { setFileNames } from '../shared/sets/naming.ts';
import { type Survey, survey } from '../shared/survey/survey.ts';
import { failureTypedAs } from '../shared/typed-as.ts';
import { copyUri } from './copy-uri.ts';
import { Deployments } from './deployments.ts';
import type { BackupInputs } from './inputs.ts';
import { type BackupStory, reportedCopy } from './notice.ts';
import type { OffsiteResult } from './offsite.ts';
import type { BackupOutputs } from './outputs.ts';
import { summarizeBackup, summarizeFailure } from './summary.ts';

/** Surveys the host, takes a verified backup, copies it and the history off the host, reports. */
export async function backup(
  inputs: BackupInputs,
  workflow: WorkflowContext,
  context: ActionContext<BackupOutputs>,
  story: BackupStory,
): Promise<void> {
  const { signal, outputs, atEnd } = context;
  const startedAt = new Date();
  const holder = holderText('backup-action', workflow.runUrl, startedAt);
  const run: BackupRun = { order: inputs, startedAt, holder, workflow, signal };
  atEnd(() => {
    outputs['duration-ms'] = Date.now() - startedAt.getTime();
  });

  const deployments = new Deployments(inputs, workflow);
  let connection: Connection | undefined;
  try {
    connection = await reachHost(inputs.ssh, context);
    const host = connection;
    const kept = await takeVerifiedBackup(
      connection,
      run,
      {
        look: () => look(host, inputs, deployments, signal, story),
        onReady: (seen) => tellRelease(seen, outputs),
        recordsOf: (manifest) => deployments.recordsOf(manifest),
        onPublished: (kept) => {
          story.kept = kept;
          if (inputs.bucket !== null) story.offsite = reportedCopy(copyUri(inputs.bucket, inputs, kept), null);
          setOutputs(outputs, kept, deployments);
          // Until the copy is there, a run that is cut off has not done all of its work.
          if (inputs.bucket !== null) outputs.status = 'incomplete';
        },
      },
      log,
    );
    // The lock is free: what follows delays no other run, and fails nothing that was kept.
    await deployments.keepImages(host);
    await deployments.store();
    const copy = await copyOffHost(connection, inputs, kept, run, story, outputs);
    outputs.status = kept.problems.length === 0 ? 'succeeded' : 'incomplete';
    summarizeBackup(kept, copy, Date.now() - startedAt.getTime());
    if (kept.problems.length > 0) endIncomplete(inputs.kind, kept, copy);
  } catch (thrown) {
    const error = failureTypedAs(inputs.ssh, thrown);
    if (outputs['backup-id'] === null) {
      const hostName = connection?.name ?? inputs.ssh?.host ?? 'local';
      summarizeFailure(error, inputs, { hostName, lastGood: story.lastGood });
      await tellFailure(connection, error, run);
    }
    throw error;
  } finally {
    await connection?.close();
  }
}

/** Surveys the host. Finishes an interrupted rollback first, and then surveys the host again. */
async function look(
  connection: Connection,
  inputs: BackupInputs,
  deployments: Deployments,
  signal: AbortSignal,
  story: BackupStory,
): Promise<Survey> {
  const request = { ...inputs, probe: insideScript(), compose: null, layout: layoutLines, sets: true, setup: false };
  let seen = await survey(connection, request, signal, log.host);
  if (await deployments.finishRollback(connection, seen, signal)) {
    seen = await survey(connection, request, signal, log.host);
  }
  Object.assign(story, lastGoodIn(seen, inputs.databaseName));
  await deployments.judgeHold(connection, seen);
  return seen;
}

function tellRelease({ containers, images }: Survey, outputs: BackupOutputs): void {
  outputs.release = JSON.stringify(releaseOf(containers, images));
  const mixed = mixedServices(containers);
  if (mixed.length > 0) log.warning(`Containers of the same service run different images: ${mixed.join(', ')}`);
}

function setOutputs(
  outputs: BackupOutputs,
  { facts, published, problems }: KeptBackup,
  deployments: Deployments,
): void {
  const { publicationPlan, place, dump } = facts;
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
}

/** Copies the backup off the host, if that is asked for. What goes wrong there makes the run incomplete. */
async function copyOffHost(
  connection: Connection,
  inputs: BackupInputs,
  kept: KeptBackup,
  run: BackupRun,
  story: BackupStory,
  outputs: BackupOutputs,
): Promise<OffsiteResult | null> {
  const { bucket } = inputs;
  if (bucket === null) return null;
  const { copyOffsite } = await import('./offsite.ts');
  let copied: CopiedSet | null = null;
  const copying = copyOffsite(bucket, kept, { ...run, connection, inputs, runUrl: run.workflow.runUrl }, (copy) => {
    copied = copy;
    outputs['s3-uri'] = copy.uri;
    story.offsite = reportedCopy(copyUri(bucket, inputs, kept), copy);
  });
  const result = await copying.catch(async (error) => {
    const what =
      copied === null ? 'before the copy was complete' : 'while older backups were copied; the new one is whole';
    kept.problems.push(`off-site copy: the run ended ${what}`);
    summarizeBackup(kept, { copied, others: null, problems: [] }, Date.now() - run.startedAt.getTime());
    throw error;
  });
  const [first] = result.problems;
  if (first === undefined) return result;
  kept.problems.push(...result.problems.map(({ message }) => `off-site copy: ${message}`));
  const { id, database } = kept.facts.publicationPlan.manifest;
  try {
    await logFailure(connection, run, first, log, { status: 'incomplete', id, database });
  } catch (error) {
    log.warning(`Could not record that in the log on the host: ${(error as Error).message}`);
  }
  return result;
}

/** Before a deployment, a verified dump is enough to go on. Otherwise the run fails, so that the operator looks now. */
function endIncomplete(
  kind: BackupOrder['kind'],
  { problems, published }: KeptBackup,
  copy: OffsiteResult | null,
): void {
  const message = `A verified backup is kept, but the run is incomplete: ${problems.join('; ')}`;
  if (kind !== 'predeployment') {
    const kept = published.dropped > 0 ? 'The log above names what retention deleted' : 'Nothing was deleted';
    const [failedCopy] = copy?.problems ?? [];
    const next =
      failedCopy === undefined
        ? 'Fix the problem and run the backup again'
        : `${failedCopy.hint ?? 'Fix the problem'}. The next backup copies what is missing in the bucket`;
    throw new Failure('incomplete', message, { hint: `${kept} on the host. ${next}`, cause: failedCopy });
  }
  log.error(`${message}. The deployment may go on`, 'Backup incomplete');
}

/** Reports a failed run in the log on the host, if that can be reached. */
async function tellFailure(connection: Connection | undefined, error: unknown, run: BackupRun): Promise<void> {
  // Putting the dump aside has logged it, unless that failed.
  const isLogged = isFailure(error, 'not-verified') && error.cause === undefined;
  if (connection === undefined || isLogged) return;
  try {
    // A cancelled run has little time, and the connection may be what failed.
    const patience = sleep(run.signal.aborted ? 1_000 : 10_000, undefined, { ref: false });
    await Promise.race([logFailure(connection, run, error, log), patience]);
  } catch {
    // The step reports the failure itself in any case.
  }
}
