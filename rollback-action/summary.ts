import type { Candidate } from '../shared/history/candidates.ts';
import { transactionFolder } from '../shared/host/backup-folder.ts';
import { linesToChange } from '../shared/plan/persist.ts';
import type { Plan } from '../shared/plan/plan.ts';
import { toIn } from '../shared/plan/text.ts';
import * as summary from '../shared/runner/job-summary.ts';
import * as log from '../shared/runner/log.ts';
import { quoteForShell } from '../shared/shell-quote.ts';
import { formatDuration } from '../shared/units.ts';
import type { Carried } from './carry.ts';
import type { ComposeSource } from './compose-source.ts';
import type { RollbackInputs } from './inputs.ts';
import type { PrerollbackBackup } from './prerollback-backup.ts';
import {
  candidatesBlocks,
  downtimeOf,
  downtimeRows,
  notesBlock,
  servicesTable,
  timelineBlocks,
} from './summary-blocks.ts';

/** Summary of a rollback that succeeded. */
export function summarizeRollback(
  { id, outcome, lines }: Carried,
  plan: Plan,
  backup: PrerollbackBackup | null,
  inputs: RollbackInputs,
  source: ComposeSource,
  durationMs: number,
): void {
  const tags = plan.services.map((step) => `${step.service} ${step.toName ?? toIn(step)}`).join(', ');
  log.success(`Rolled back to ${tags} in ${formatDuration(durationMs)}; longest downtime: ${downtimeOf(outcome)}`);
  const forward = forwardCommands(plan, outcome, source);
  for (const line of forward) log.info(line);

  summary.writeSummary([
    outcome.problems.length === 0
      ? summary.verdict('good', `Rolled back to ${tags}`)
      : summary.verdict('attention', `Rolled back to ${tags}, but some steps failed`),
    ...outcome.problems.map(summary.paragraph),
    servicesTable(plan),
    summary.facts([
      ['Environment', inputs.environment],
      ['Reason', inputs.reason ?? 'none given'],
      ...downtimeRows(outcome),
      ...(outcome.reloaded.length === 0 ? [] : [['Reloaded or restarted', outcome.reloaded.join(', ')] as const]),
      ['Took', formatDuration(durationMs)],
      ['Backup before it', backup === null ? 'none, because of skip-backup' : { code: backup.file }],
      ['Transaction', { code: transactionFolder(inputs.backupDir, id) }],
    ]),
    ...timelineBlocks(lines),
    summary.heading('Next steps'),
    ...forward.flatMap(summary.advice),
    ...notesBlock(plan),
  ]);
}

/** Summary of a plan that was not carried out. */
export function summarizePlan(plan: Plan, inputs: RollbackInputs, candidates: readonly Candidate[]): void {
  summary.writeSummary([
    plan.services.length === 0
      ? summary.verdict('good', `Nothing would change in ${inputs.environment}`)
      : summary.verdict('attention', `A plan for ${inputs.environment}; nothing was changed`),
    summary.paragraph(`The target is ${plan.source}.`),
    servicesTable(plan),
    ...(plan.services.length === 0 ? [] : howToCarryOut(plan)),
    ...notesBlock(plan),
    ...candidatesBlocks(candidates),
  ]);
}

/** Which boxes of the form carry out this plan and no other. */
function howToCarryOut({ hash }: Plan): summary.Block[] {
  return [
    summary.heading('To carry out exactly this plan'),
    ...summary.boxes('fill in the form as for this run, with "plan-only" unticked and these two', [
      ['confirm', 'ROLLBACK'],
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

/** How to keep the rollback in force, and how to end it. */
function forwardCommands(plan: Plan, { held }: Carried['outcome'], source: ComposeSource): string[] {
  return [
    ...linesToChange(plan.services, source),
    ...(source.keptIn === null
      ? []
      : [
          `The target runs with the compose files of its time; put them back before the next docker compose up: ls ${quoteForShell(`${source.keptIn}/files`)}`,
        ]),
    ...(held
      ? [
          'Deployments are on hold: backup-action refuses kind: predeployment. Once the cause is fixed, start the deployment with the box "release-hold" ticked. In a workflow file: release-hold: true',
        ]
      : []),
  ];
}
