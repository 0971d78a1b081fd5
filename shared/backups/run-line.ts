import { Failure, isFailure } from '../failure.ts';
import { homeOf } from '../sets/layout.ts';
import type { BackupRun } from './backup-order.ts';
import { logLine, type RunOutcome } from './log-line.ts';
import type { PublicationPlan } from './publication-plan.ts';

// The line that a run leaves in the log on the host.

/** How many sets of the database are kept in at least one tier. */
export const keptSets = ({ pruning }: PublicationPlan) =>
  new Set(pruning.filter(({ action }) => action === 'keep').map(({ id }) => id)).size;

/** Of a run that failed; `known` is what it found out before. */
export function failureLine(run: BackupRun, error: unknown, known: Partial<RunOutcome>): string {
  const problem = isFailure(error) ? error : new Failure('defect', String(error));
  return lineOf(run, { problem: { code: problem.code, message: problem.message }, ...known });
}

/** Of a run that kept a verified backup. */
export function successLine(run: BackupRun, publicationPlan: PublicationPlan): string {
  const { manifest, problems, entered, deletions } = publicationPlan;
  return lineOf(run, {
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

function lineOf({ order, workflow, startedAt }: BackupRun, known: Partial<RunOutcome>): string {
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
