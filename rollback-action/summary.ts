import type { Candidate } from '../shared/history/candidates.ts';
import { transactionFolder } from '../shared/host/backup-folder.ts';
import { linesToChange } from '../shared/plan/persist.ts';
import type { Plan } from '../shared/plan/plan.ts';
import { doneIn, targetText } from '../shared/plan/text.ts';
import { inContainer, pastedLine } from '../shared/report/in-container.ts';
import { givenUp } from '../shared/restore/given-up.ts';
import type { Loaded } from '../shared/restore/load.ts';
import * as summary from '../shared/runner/job-summary.ts';
import * as log from '../shared/runner/log.ts';
import { quoteForShell } from '../shared/shell-quote.ts';
import { transactionMark } from '../shared/transaction/transaction-files.ts';
import { formatDuration } from '../shared/units.ts';
import type { Carried } from './carry.ts';
import type { ComposeSource } from './compose-source.ts';
import type { RollbackInputs } from './inputs.ts';
import type { PrerollbackBackup } from './prerollback-backup.ts';
import type { Restoring } from './restoring.ts';
import {
  candidatesBlocks,
  downtimeOf,
  downtimeRows,
  notesBlock,
  restoreBlocks,
  servicesTable,
  timelineBlocks,
} from './summary-blocks.ts';

/** What a rollback was carried out with. */
export interface RollbackMeans {
  /** Taken before it. */
  backup: PrerollbackBackup | null;
  compose: ComposeSource;
  restoring: Restoring | null;
  loaded: Loaded | null;
}

/** Summary of a rollback that succeeded. */
export function summarizeRollback(
  { id, outcome, lines }: Carried,
  plan: Plan,
  { backup, compose, restoring, loaded }: RollbackMeans,
  inputs: RollbackInputs,
  durationMs: number,
): void {
  const done = doneIn(plan);
  log.success(`${done} in ${formatDuration(durationMs)}; longest downtime: ${downtimeOf(outcome)}`);
  const forward = forwardCommands(plan, outcome, compose);
  for (const line of forward) log.info(line);
  const aside = restoring?.exchange.aside.replace(transactionMark, id) ?? null;
  const cleanup = restoring === null || aside === null ? null : dropCommand(restoring, aside);
  if (cleanup !== null)
    log.info(`The old database is kept as ${aside}. When you no longer need it, drop it: ${cleanup}`);

  summary.writeSummary([
    verdictOf(done, outcome, loaded),
    ...[...outcome.problems, ...(loaded?.problems ?? [])].map(summary.paragraph),
    ...(plan.services.length === 0 ? [] : [servicesTable(plan)]),
    ...(restoring === null || loaded === null || aside === null
      ? []
      : restoreBlocks(plan, {
          loaded,
          aside,
          givenUp: givenUp(restoring.manifest, backup?.manifest ?? null, new Date()),
        })),
    summary.facts([
      ['Environment', inputs.environment],
      ['Reason', inputs.reason ?? 'none given'],
      ...downtimeRows(outcome),
      ...(outcome.reloaded.length === 0 ? [] : [['Reloaded or restarted', outcome.reloaded.join(', ')] as const]),
      ['Took', formatDuration(durationMs)],
      ['Backup before the rollback', backup === null ? 'none, because of skip-backup' : { code: backup.file }],
      ['Transaction', { code: transactionFolder(inputs.backupDir, id) }],
    ]),
    ...timelineBlocks(lines),
    ...(forward.length === 0 && cleanup === null ? [] : [summary.heading('Next steps')]),
    ...forward.flatMap(summary.advice),
    ...(cleanup === null || aside === null ? [] : afterRestore(backup, aside, cleanup)),
    ...notesBlock(plan),
  ]);
}

function verdictOf(done: string, outcome: Carried['outcome'], loaded: Loaded | null): summary.Block {
  if (outcome.problems.length > 0) return summary.verdict('attention', `${done}, but some steps failed`);
  if ((loaded?.problems ?? []).length > 0)
    return summary.verdict('attention', `${done}; the restored database needs a look`);
  return summary.verdict('good', done);
}

/** Summary of a plan that was not carried out. */
export function summarizePlan(plan: Plan, inputs: RollbackInputs, candidates: readonly Candidate[]): void {
  const isEmpty = plan.services.length === 0 && plan.restore === null;
  summary.writeSummary([
    isEmpty
      ? summary.verdict('good', `Nothing would change in ${inputs.environment}`)
      : summary.verdict('attention', `A plan for ${inputs.environment}; nothing was changed`),
    summary.paragraph(`${targetText(plan)}.`),
    ...(plan.services.length + plan.leftAlone.length === 0 ? [] : [servicesTable(plan)]),
    ...restoreBlocks(plan, null),
    ...(isEmpty ? [] : howToCarryOut(plan)),
    ...notesBlock(plan),
    ...candidatesBlocks(candidates),
  ]);
}

/** Which boxes of the form carry out this plan and no other. */
function howToCarryOut({ hash, restore }: Plan): summary.Block[] {
  return [
    summary.heading('To carry out exactly this plan'),
    ...summary.boxes('fill in the form as for this run, with "plan-only" unticked and these', [
      ['confirm', 'ROLLBACK'],
      ...(restore === null ? [] : [['confirm-restore', 'RESTORE'] as const]),
      ['expect-plan', hash],
    ]),
    summary.paragraph('In a workflow file:'),
    summary.codeBlock(`expect-plan: ${hash}`, 'yaml'),
  ];
}

/** Summary of a run whose target was already running. */
export function summarizeUnchanged(plan: Plan, inputs: RollbackInputs): void {
  summary.writeSummary([
    summary.verdict('good', `${inputs.environment} already runs the target; nothing was done`),
    summary.table(
      ['Service', 'Why it is left alone'],
      plan.leftAlone.map(({ service, why }) => [service, why]),
    ),
  ]);
}

/** How to take a restore back, and how to end it. */
function afterRestore(backup: PrerollbackBackup | null, aside: string, cleanup: string): summary.Block[] {
  return [
    ...(backup === null
      ? []
      : summary.boxes('to get back the data from before this restore, start the same workflow with these', [
          ['restore-database', backup.id],
          ['confirm-restore', 'RESTORE'],
        ])),
    summary.paragraph(`The old database is kept as ${aside}. When you no longer need it, drop it on the host:`),
    summary.codeBlock(cleanup, 'bash'),
  ];
}

/** To be typed on the host, when the old database is no longer needed. */
function dropCommand({ exchange, containerName: container }: Restoring, aside: string): string {
  const { access, user } = exchange;
  const words = ['dropdb', `--username=${user}`, '--maintenance-db=template1', '--', aside];
  return pastedLine([...inContainer({ container, access }), ...words]);
}

/** How to keep the rollback in force, and how to end it. */
function forwardCommands(plan: Plan, { held }: Carried['outcome'], source: ComposeSource): string[] {
  return [
    ...linesToChange(plan.services, source),
    ...(source.keptIn === null
      ? []
      : [
          `The target runs with its old compose files; put them back in place before the next docker compose up: ls ${quoteForShell(`${source.keptIn}/files`)}`,
        ]),
    ...(held
      ? [
          'Deployments are on hold: backup-action refuses kind: predeployment. Once the cause is fixed, start the deployment with the box "release-hold" ticked. In a workflow file: release-hold: true',
        ]
      : []),
  ];
}
