import { Failure, isFailure } from '../shared/failure.ts';
import { transactionFolder } from '../shared/host/backup-folder.ts';
import type { Plan } from '../shared/plan/plan.ts';
import { fromIn, toIn } from '../shared/plan/text.ts';
import * as summary from '../shared/runner/job-summary.ts';
import * as log from '../shared/runner/log.ts';
import { quoteForShell } from '../shared/shell-quote.ts';
import { timelineOf } from '../shared/transaction/timeline.ts';
import { formatDuration } from '../shared/units.ts';
import type { Carried } from './carry.ts';
import type { RollbackInputs } from './inputs.ts';
import type { RollbackOutputs } from './outputs.ts';
import type { PrerollbackBackup } from './prerollback-backup.ts';

/** Summary of a rollback that succeeded. */
export async function summarizeRollback(
  { id, outcome, lines }: Carried,
  plan: Plan,
  backup: PrerollbackBackup | null,
  inputs: RollbackInputs,
  durationMs: number,
): Promise<void> {
  const tags = plan.services.map((step) => `${step.service} ${step.toName ?? toIn(step)}`).join(', ');
  const downtime = outcome.downtimeMs === null ? 'not measured' : formatDuration(outcome.downtimeMs);
  log.success(`Rolled back to ${tags} in ${formatDuration(durationMs)}; longest downtime: ${downtime}`);
  const forward = forwardCommands(plan, inputs, outcome);
  for (const line of forward) log.info(line);

  await summary.writeSummary([
    outcome.problems.length === 0
      ? summary.verdict('good', `Rolled back to ${tags}`)
      : summary.verdict('attention', `Rolled back to ${tags}, but some steps failed`),
    ...outcome.problems.map(summary.paragraph),
    imagesTable(plan),
    summary.table(
      ['', ''],
      [
        ['Environment', inputs.environment],
        ['Reason', inputs.reason ?? 'none given'],
        ['Longest downtime', downtime],
        ['Failed requests', outcome.failedRequests ?? 'not measured'],
        ...(outcome.reloaded.length === 0 ? [] : [['Reloaded or restarted', outcome.reloaded.join(', ')]]),
        ['Took', formatDuration(durationMs)],
        ['Backup before it', backup === null ? 'none, because of skip-backup' : { code: backup.file }],
        ['Transaction', { code: transactionFolder(inputs.backupDir, id) }],
      ],
    ),
    summary.heading('What happened'),
    summary.codeBlock(timelineOf(lines).join('\n')),
    summary.heading('Next steps'),
    ...forward.map(summary.paragraph),
    ...notesBlock(plan),
  ]);
}

/** Summary of a plan that was not carried out. */
export async function summarizePlan(plan: Plan, inputs: RollbackInputs): Promise<void> {
  await summary.writeSummary([
    plan.services.length === 0
      ? summary.verdict('good', `Nothing would change in ${inputs.environment}`)
      : summary.verdict('attention', `A plan for ${inputs.environment}; nothing was changed`),
    summary.paragraph(`The target is ${plan.source}.`),
    imagesTable(plan),
    summary.table(
      ['Service', 'How', 'Why'],
      [
        ...plan.services.map(({ service, strategy, why }) => [service, strategy, why]),
        ...plan.leftAlone.map(({ service, why }) => [service, 'left alone', why]),
      ],
    ),
    summary.paragraph('To carry out exactly this plan:'),
    summary.codeBlock(`expect-plan: ${plan.hash}`, 'yaml'),
    ...notesBlock(plan),
  ]);
}

/** Summary of a run whose target was already running. */
export async function summarizeUnchanged(plan: Plan, inputs: RollbackInputs): Promise<void> {
  await summary.writeSummary([
    summary.verdict('good', `${inputs.environment} already runs the target; nothing was done`),
    summary.table(
      ['Service', 'Why it is left alone'],
      plan.leftAlone.map(({ service, why }) => [service, why]),
    ),
  ]);
}

/** Summary of a run that failed. */
export async function summarizeFailure(
  error: unknown,
  inputs: RollbackInputs,
  outputs: RollbackOutputs,
): Promise<void> {
  const failure = isFailure(error) ? error : new Failure('defect', String(error));
  const state = {
    refused: `${inputs.environment} was not rolled back; nothing was stopped`,
    reverted: `${inputs.environment} was not rolled back; the previous release is running again`,
    failed: `The rollback of ${inputs.environment} needs manual attention now`,
  }[outputs.status as string];
  await summary.writeSummary([
    summary.verdict('bad', state ?? `${inputs.environment} was not rolled back`),
    summary.paragraph(failure.message),
    ...(failure.hint === undefined
      ? []
      : [summary.heading('What to do'), ...failure.hint.split('\n').map(summary.paragraph)]),
  ]);
}

function imagesTable(plan: Plan): summary.Block {
  return summary.table(
    ['Service', 'From', 'To'],
    plan.services.map((step) => [step.service, fromIn(step), toIn(step)]),
  );
}

function notesBlock({ notes }: Plan): summary.Block[] {
  return notes.length === 0
    ? []
    : [
        summary.details('Notes', [
          summary.table(
            ['', ''],
            notes.map(({ level, text }) => [level, text]),
          ),
        ]),
      ];
}

/** How to keep the rollback in force, and how to end it. */
function forwardCommands(plan: Plan, inputs: RollbackInputs, { held }: Carried['outcome']): string[] {
  const lines = [
    ...new Set(
      plan.services.flatMap(({ envLine }) => (envLine === null ? [] : [`${envLine.variable}=${envLine.value}`])),
    ),
  ];
  const file = `${inputs.deployDir}/${inputs.envFile ?? '.env'}`;
  return [
    ...(lines.length === 0
      ? []
      : [
          `Change the tag in ${file} on the host too, or the next docker compose pull undoes the rollback: ${lines.map(quoteForShell).join(' ')}`,
        ]),
    ...(held
      ? [
          'Deployments are on hold: backup-action refuses kind: predeployment. Once the cause is fixed, deploy with release-hold: true',
        ]
      : []),
  ];
}
