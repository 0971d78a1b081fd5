import { type Candidate, candidateCells, candidateColumns } from '../shared/history/candidates.ts';
import type { Plan } from '../shared/plan/plan.ts';
import { fromIn, toIn } from '../shared/plan/text.ts';
import type { Loaded } from '../shared/restore/load.ts';
import * as summary from '../shared/runner/job-summary.ts';
import type { JournalLine } from '../shared/transaction/journal.ts';
import { timelineOf } from '../shared/transaction/timeline.ts';
import { formatDuration } from '../shared/units.ts';
import type { Carried } from './carry.ts';

// What the summaries of a rollback have in common, however it ended.

/** What each service runs, what it is to run, and how it gets there. */
export function servicesTable(plan: Plan): summary.Block {
  return summary.table(
    ['Service', 'From', 'To', 'How', 'Why'],
    [
      ...plan.services.map((step) => [step.service, fromIn(step), toIn(step), step.strategy, step.why]),
      ...plan.leftAlone.map(({ service, why }) => [service, '', '', 'left alone', why]),
    ],
  );
}

/** What has become of a restore. */
export interface RestoreDone {
  loaded: Loaded;
  /** The name under which the old database is kept. */
  aside: string;
  /** What was given up: printed lines. */
  givenUp: readonly string[];
}

/** What happens to the database; or, with `done`, what has happened. */
export function restoreBlocks({ restore }: Plan, done: RestoreDone | null): summary.Block[] {
  if (restore === null) return [];
  const { backupId, copy, takenAt, source, database, restarted } = restore;
  const services = restarted.map(({ service, why }) => `${service} (${why})`).join(', ');
  return [
    summary.heading('The database'),
    summary.facts([
      ['Database', database],
      ['Backup', `${backupId}, taken ${takenAt}${source === database ? '' : ` from "${source}"`}`],
      ...(copy === null ? [] : [['Copy', { code: copy }] as const]),
      ...(done === null ? [] : [['Restored in', formatDuration(done.loaded.restoreMs)] as const]),
      ...(done === null ? [] : [['The old database', { code: done.aside }] as const]),
      ...(restarted.length === 0 ? [] : [['Stopped meanwhile, and started again', services] as const]),
    ]),
    ...(done?.givenUp ?? [...restore.costs, ...restore.givenUp]).map(summary.paragraph),
    ...(done === null
      ? []
      : [
          summary.details('Compared with the manifest of the backup', [
            summary.table(
              ['Check', 'Result'],
              done.loaded.findings.map(({ name, result, detail }) => [
                `${result === 'passed' ? '✅' : '⚠️'} ${name}`,
                detail,
              ]),
            ),
          ]),
        ]),
  ];
}

export function notesBlock({ notes }: Plan): summary.Block[] {
  return notes.length === 0
    ? []
    : [
        summary.details('Notes', [
          summary.table(
            ['Level', 'Note'],
            notes.map(({ level, text }) => [level, text]),
          ),
        ]),
      ];
}

export function downtimeOf({ downtimeMs }: Carried['outcome']): string {
  return downtimeMs === null ? 'not measured' : formatDuration(downtimeMs);
}

export function downtimeRows(outcome: Carried['outcome']): [string, string | number][] {
  return [
    ['Longest downtime', downtimeOf(outcome)],
    ['Failed requests', outcome.failedRequests ?? 'not measured'],
  ];
}

/** The timeline; none if no container was stopped or started. */
export function timelineBlocks(lines: readonly JournalLine[]): summary.Block[] {
  if (!lines.some(({ step }) => step === 'stopping' || step === 'starting')) return [];
  return [summary.heading('What happened'), summary.codeBlock(timelineOf(lines).join('\n'))];
}

/** The releases to choose from. */
export function candidatesBlocks(candidates: readonly Candidate[]): summary.Block[] {
  if (candidates.length === 0) return [];
  const rows = candidates.map(candidateCells).map(([tag, digest, ...rest]) => [tag, { code: digest }, ...rest]);
  return [summary.heading('Other releases in the history'), summary.table(candidateColumns, rows)];
}
