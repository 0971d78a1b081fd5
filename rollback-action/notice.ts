import type { RunReport } from '../shared/notify/notice.ts';
import { doneIn } from '../shared/plan/text.ts';
import { goodBackup, lastGoodIn } from '../shared/sets/last-good.ts';
import type { RollbackStory } from './failure-summary.ts';
import type { RollbackOutputs } from './outputs.ts';
import { downtimeOf } from './summary-blocks.ts';

/** A plan, and a target that is running already, are successes, as they are for the workflow. */
export function rollbackReport(
  { seen, plan, carried, backup, loaded }: RollbackStory,
  { status }: RollbackOutputs,
): RunReport {
  const known = seen === null ? null : lastGoodIn(seen, null);
  const isDone = status === 'rolled-back';
  const problems = [...(isDone ? (loaded?.problems ?? []) : []), ...(carried?.outcome.problems ?? [])];
  const done = plan === null ? 'Rolled back' : doneIn(plan);
  const outcomes: Partial<Record<typeof status, string>> = {
    'rolled-back': `${done}${carried === null ? '' : `; longest downtime: ${downtimeOf(carried.outcome)}`}`,
    planned: 'A plan was made, and nothing was changed',
    unchanged: 'The target is already running, and nothing was done',
  };
  return {
    verdict: isDone && problems.length > 0 ? 'incomplete' : 'success',
    outcome: outcomes[status] ?? null,
    remarks: problems,
    database: known?.database ?? null,
    backup:
      backup === null ? null : { id: backup.id, sizeBytes: backup.sizeBytes, sha256: backup.sha256, file: backup.file },
    lastGood: backup === null ? (known?.lastGood ?? 'unknown') : goodBackup(backup.id),
    offsite: null,
    checks: [
      ...(backup?.checks ?? []).map((check) => ({ ...check, group: 'backup', severity: 'error' }) as const),
      ...(loaded?.findings ?? []).map(({ name, result, severity, detail, ms }) => {
        return { name, group: 'restore', result, severity, detail, ms };
      }),
    ],
    // What was read is compared with the plan's digest before it counts as restored.
    restored:
      loaded === null || plan === null || plan.restore === null
        ? null
        : { id: plan.restore.backupId, sha256: plan.restore.sha256, copy: plan.restore.copy },
    recoveryMs: loaded?.restoreMs ?? null,
  };
}
