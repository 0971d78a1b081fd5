import { randomBytes } from 'node:crypto';
import { Failure, isFailure } from '../shared/failure.ts';
import { appendHistory } from '../shared/history/host-file.ts';
import { type KnownHistory, storeCopies } from '../shared/history/known-history.ts';
import { parseHistory, recordId } from '../shared/history/record.ts';
import { transactionFolder } from '../shared/host/backup-folder.ts';
import type { Connection } from '../shared/host/connection.ts';
import { holderText } from '../shared/host/lock-holder.ts';
import type { Plan } from '../shared/plan/plan.ts';
import { keepCompose } from '../shared/releases/kept-compose.ts';
import type { WorkflowContext } from '../shared/runner/context.ts';
import { historyMirror } from '../shared/runner/history-mirror.ts';
import * as log from '../shared/runner/log.ts';
import { reachHost } from '../shared/runner/reach-host.ts';
import type { ActionContext } from '../shared/runner/run.ts';
import type { BackupId } from '../shared/sets/manifest.ts';
import type { Survey } from '../shared/survey/survey.ts';
import { failureTypedAs } from '../shared/typed-as.ts';
import type { Carried } from './carry.ts';
import type { ComposeSource } from './compose-source.ts';
import { type Decision, decide, tableOf } from './decide.ts';
import type { CreatingRun } from './dropped-database.ts';
import { endingFailure } from './endings.ts';
import { lastWordsOf, type RollbackStory, summarizeFailure } from './failure-summary.ts';
import { handOver } from './hand-over.ts';
import type { RollbackInputs } from './inputs.ts';
import { look } from './look.ts';
import type { RollbackOutputs } from './outputs.ts';
import { backupOrder, type PrerollbackBackup, takePrerollbackBackup } from './prerollback-backup.ts';
import { pullTarget } from './pull-target.ts';
import { settledPlan, transactionRequest } from './request.ts';
import { refuseStrangers } from './strangers.ts';
import { type RollbackMeans, summarizePlan, summarizeRollback, summarizeUnchanged } from './summary.ts';

/** What is fixed from the start of a run. */
interface RollbackRun extends CreatingRun {
  inputs: RollbackInputs;
  workflow: WorkflowContext;
  startedAt: Date;
  /** Names us as the holder of a lock. Unique, so that no other run mistakes our lock for its own. */
  holder: string;
  historyId: string;
  outputs: RollbackOutputs;
  /** For the summary and notices: what is known so far. */
  story: RollbackStory;
}

/** Survey, plan, pull, take a backup, swap as one transaction, record, report. */
export async function rollback(
  inputs: RollbackInputs,
  workflow: WorkflowContext,
  context: ActionContext<RollbackOutputs>,
  story: RollbackStory,
): Promise<void> {
  const { signal, outputs, atEnd } = context;
  refuseStrangers(workflow);
  const startedAt = new Date();
  const run: RollbackRun = {
    inputs,
    workflow,
    signal,
    startedAt,
    holder: holderText('rollback-action', workflow.runUrl, startedAt),
    historyId: recordId(workflow.runId, workflow.runAttempt, randomBytes(4).toString('hex')),
    outputs,
    story,
    created: null,
    held: null,
  };
  atEnd(() => {
    outputs['duration-ms'] = Date.now() - startedAt.getTime();
  });

  const connections: Connection[] = [];
  const reach = async () => {
    const connection = await reachHost(inputs.ssh, context);
    connections.push(connection);
    return connection;
  };
  try {
    await carryOut(await reach(), reach, run);
  } catch (thrown) {
    const error = failureTypedAs(inputs.ssh, await tidied(thrown, connections, run));
    // These leave the operator with a choice. Once the plan was shown, so were they.
    const mustChoose = isFailure(error, 'no-target', 'image-missing', 'record-unknown', 'target-bad', 'schema-changed');
    if (!mustChoose) run.story.candidates = [];
    for (const line of tableOf(run.story.candidates)) log.info(line);
    summarizeFailure(error, inputs, outputs, run.story);
    throw error;
  } finally {
    await run.held?.release();
    await Promise.all(connections.map((connection) => connection.close()));
  }
}

/** A database that was created for the restore goes again if that came to nothing, and nobody else works on it. */
async function tidied(error: unknown, connections: readonly Connection[], run: RollbackRun): Promise<unknown> {
  const [connection] = connections.slice(-1);
  const isOver = run.outputs.status === 'refused' || run.outputs.status === 'reverted';
  if (run.created === null || connection === undefined || !isOver) return error;
  await run.held?.release();
  run.held = null;
  const { withoutCreated } = await import('./dropped-database.ts');
  return withoutCreated(connection, run.created, { ...run, backupDir: run.inputs.backupDir }, error);
}

async function carryOut(connection: Connection, reach: () => Promise<Connection>, run: RollbackRun): Promise<void> {
  const { inputs, workflow, signal } = run;
  const mirror = historyMirror({
    environment: inputs.environment,
    kinds: inputs.history,
    token: inputs.githubToken,
    workflow,
  });
  // GitHub may be slow: ask it while the survey runs.
  const mirrored = mirror.load();

  const seen = await look(connection, run);
  run.story.seen = seen;
  const decision = await decide(connection, seen, await mirrored, inputs, signal, (list) => {
    run.story.candidates = list;
  });
  try {
    await carryOutPlan(connection, reach, run, { ...decision, seen, mirror });
  } finally {
    await decision.restoring?.source.close();
  }
}

/** What the plan is carried out with. */
interface Decided extends Decision {
  seen: Survey;
  mirror: ReturnType<typeof historyMirror>;
}

async function carryOutPlan(
  connection: Connection,
  reach: () => Promise<Connection>,
  run: RollbackRun,
  { seen, plan, knownHistory, compose, restoring, afterPull, mirror }: Decided,
): Promise<void> {
  const { inputs, signal, outputs, historyId } = run;
  run.story.plan = plan;
  outputs.from = JSON.stringify(plan.from);
  outputs.to = JSON.stringify(plan.to);
  outputs['plan-hash'] = plan.hash;

  if (inputs.planOnly) {
    outputs.status = 'planned';
    summarizePlan(plan, inputs, run.story.candidates);
    log.success(`Plan only: nothing was changed. To carry out this plan: expect-plan: ${plan.hash}`);
    return;
  }
  expectPlan(plan, inputs);
  if (plan.services.length === 0 && restoring === null) {
    await tellUnchanged(plan, run);
    return;
  }
  if (knownHistory.missing.length > 0) {
    await appendHistory(connection, { backupDir: inputs.backupDir, records: knownHistory.missing, onLog: log.host });
    log.info(`Missing records added to the history on the host: ${knownHistory.missing.length}`);
  }

  const images = await pullTarget(connection, plan, inputs, knownHistory.host, signal);
  const settled = await afterPull(settledPlan(plan, images));
  restoring?.demandPaired(settled);
  run.story.plan = settled;
  outputs.to = JSON.stringify(settled.to);
  if (settled.services.length === 0 && restoring === null) {
    await tellUnchanged(settled, run);
    return;
  }
  const backup = inputs.skipBackup ? null : await backUp(connection, seen, run, settled.restore?.backupId ?? null);
  run.story.backup = backup;
  outputs['backup-id'] = backup?.id ?? null;

  const loaded = (await restoring?.load(connection, run)) ?? null;
  run.story.loaded = loaded;
  const request = transactionRequest({
    ...run,
    plan: settled,
    compose,
    images,
    restoring,
    backupId: backup?.id ?? null,
    schemaSha256: backup?.schemaSha256 ?? null,
    token: randomBytes(8).toString('hex'),
  });
  const carried = await handOver(connection, { request, signal, reconnect: reach }, outputs, restoring);
  run.story.carried = carried;
  await copyRecords(carried, knownHistory, run, mirror);
  if (carried.outcome.ending === 'rolled-back') await keepFiles(connection, compose, run);
  await tellEnding(carried, settled, { backup, compose, restoring, loaded }, run);
  if (carried.recorded !== null) outputs['history-id'] = historyId;
}

/** Keeps the compose files of the release that is running now. */
async function keepFiles(connection: Connection, compose: ComposeSource, { inputs }: RollbackRun): Promise<void> {
  if (compose.settings === null || compose.keptIn !== null) return;
  const { config, files, envFiles } = compose;
  try {
    await keepCompose(
      connection,
      { backupDir: inputs.backupDir, id: compose.settings.kept, config, files, envFiles },
      log.host,
    );
  } catch (error) {
    if (!isFailure(error)) throw error;
    log.notice(`The compose files of this release were not kept on the host: ${error.message}`);
  }
}

function expectPlan(plan: Plan, { expectPlan: expected }: RollbackInputs): void {
  if (expected === null || expected === plan.hash) return;
  throw new Failure('plan-changed', 'The plan has changed since it was reviewed', {
    hint: `Nothing was done. Review the plan above; then, in the form under "Run workflow", put its hash into the box "expect-plan". In a workflow file: expect-plan: ${plan.hash}`,
  });
}

async function tellUnchanged(plan: Plan, { outputs, inputs }: RollbackRun): Promise<void> {
  outputs.status = 'unchanged';
  summarizeUnchanged(plan, inputs);
  log.success('The target is already running: nothing was done');
}

/** @param spared the backup that is restored then; null if none is */
async function backUp(
  connection: Connection,
  seen: Survey,
  run: RollbackRun,
  spared: BackupId | null,
): Promise<PrerollbackBackup> {
  const order = backupOrder(run.inputs, spared);
  return takePrerollbackBackup(connection, seen, { ...run, order }, () => look(connection, run));
}

/** Copies the record off the host. Problems with the copies are reported but do not fail the run. */
async function copyRecords(
  carried: Carried,
  knownHistory: KnownHistory,
  { inputs }: RollbackRun,
  mirror: ReturnType<typeof historyMirror>,
): Promise<void> {
  if (carried.recorded === null || inputs.history.length === 0) return;
  const { records, problems } = parseHistory(carried.recorded);
  for (const text of [...problems, ...(await storeCopies(knownHistory, records, mirror))]) log.notice(text);
}

/** Reports how it ended. @throws Failure unless the rollback succeeded */
async function tellEnding(
  carried: Carried,
  plan: Plan,
  means: RollbackMeans,
  { inputs, outputs, startedAt }: RollbackRun,
): Promise<void> {
  const { outcome, id } = carried;
  outputs.status = outcome.ending ?? 'failed';
  outputs['downtime-ms'] = outcome.downtimeMs;
  outputs['failed-requests'] = outcome.failedRequests;
  if (outcome.ending === 'rolled-back') {
    summarizeRollback(carried, plan, means, inputs, Date.now() - startedAt.getTime());
    for (const problem of outcome.problems) log.error(problem, 'Rolled back, with problems');
    return;
  }
  for (const line of carried.log.split('\n').slice(-30)) if (line.trim() !== '') log.host(line);
  for (const { service, lines } of lastWordsOf(carried)) for (const line of lines) log.host(`${service}: ${line}`);
  throw endingFailure(outcome, transactionFolder(inputs.backupDir, id), plan);
}
