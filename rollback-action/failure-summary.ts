import { Failure, isFailure } from '../shared/failure.ts';
import type { Candidate } from '../shared/history/candidates.ts';
import { transactionFolder } from '../shared/host/backup-folder.ts';
import type { Plan } from '../shared/plan/plan.ts';
import { imageInShort } from '../shared/plan/text.ts';
import { nameOf } from '../shared/releases/image-name.ts';
import { releaseOf } from '../shared/releases/release.ts';
import type { Loaded } from '../shared/restore/load.ts';
import * as summary from '../shared/runner/job-summary.ts';
import type { Survey } from '../shared/survey/survey.ts';
import type { LastWords } from '../shared/transaction/transaction.ts';
import type { Carried } from './carry.ts';
import type { RollbackInputs } from './inputs.ts';
import type { RollbackOutputs } from './outputs.ts';
import type { PrerollbackBackup } from './prerollback-backup.ts';
import { candidatesBlocks, downtimeRows, notesBlock, servicesTable, timelineBlocks } from './summary-blocks.ts';

/** What a run knew when it failed; each null if it did not get so far. */
export interface RollbackStory {
  seen: Survey | null;
  plan: Plan | null;
  carried: Carried | null;
  /** Releases to choose from; empty where that is not the question. */
  candidates: Candidate[];
  /** Taken before the rollback. */
  backup: PrerollbackBackup | null;
  /** The restored copy of a database. */
  loaded: Loaded | null;
}

export const noStory = (): RollbackStory => ({
  seen: null,
  plan: null,
  carried: null,
  candidates: [],
  backup: null,
  loaded: null,
});

/** How many containers' last words are shown if the failure names no service. */
const mostWords = 3;

/** Summary of a run that failed: why, what to do, and as much as is known of what was planned and what went on. */
export function summarizeFailure(
  error: unknown,
  inputs: RollbackInputs,
  outputs: RollbackOutputs,
  { seen, plan, carried, candidates }: RollbackStory,
): void {
  const failure = isFailure(error) ? error : new Failure('defect', String(error));
  const foundStopped = carried?.outcome.foundStopped ?? [];
  const state = {
    refused: `${inputs.environment} was not rolled back; ${foundStopped.length === 0 ? 'nothing was stopped' : 'what had stopped was started again'}`,
    reverted: `${inputs.environment} was not rolled back; the previous release is running again`,
    failed: `The rollback of ${inputs.environment} needs manual attention now`,
  }[outputs.status as string];
  summary.writeSummary([
    summary.verdict('bad', state ?? `${inputs.environment} was not rolled back`),
    summary.paragraph(failure.message),
    ...(failure.hint === undefined ? [] : [summary.heading('What to do'), ...summary.advice(failure.hint)]),
    ...(plan !== null ? [summary.heading('The plan'), servicesTable(plan)] : seen !== null ? runningBlocks(seen) : []),
    ...(carried === null ? [] : carriedBlocks(carried, inputs)),
    ...candidatesBlocks(candidates),
    ...(plan === null ? [] : notesBlock(plan)),
    summary.explained(failure.code),
  ]);
}

/** What went on, and what the containers of the target printed last; if none did, what the transaction's commands did. */
function carriedBlocks(carried: Carried, { backupDir }: RollbackInputs): summary.Block[] {
  const { id, outcome, lines, log } = carried;
  const timeline = timelineBlocks(lines);
  const words = lastWordsOf(carried).map((each) => ({ ...each, title: `The last lines of ${each.service}` }));
  const said = log.split('\n').filter((line) => line.trim() !== '');
  if (words.length === 0 && said.length > 0)
    words.push({ service: '', title: "The last lines of the transaction's log", lines: said.slice(-15) });
  return [
    summary.facts([
      ['Transaction', { code: transactionFolder(backupDir, id) }],
      ...(timeline.length === 0 ? [] : downtimeRows(outcome)),
    ]),
    ...timeline,
    ...words.flatMap(({ title, lines: ends }) => [summary.heading(title), summary.codeBlock(ends.join('\n'))]),
  ];
}

/** Of the services that the failure names; if it names none, of all, but of no more than three. */
export function lastWordsOf({ outcome, lastWords }: Carried): LastWords[] {
  const text = outcome.failure?.text ?? '';
  // Up to the text that the failure itself quotes from the container.
  const [named = ''] = text.split('Its last output:');
  const words = new Set(named.split(/[\s,.]+/).concat(named.split(/[\s,]+/)));
  const ofFailure = lastWords.filter(({ service }) => words.has(service));
  return (ofFailure.length > 0 ? ofFailure : lastWords).filter(({ lines }) => lines.length > 0).slice(0, mostWords);
}

/** What runs. A plan would say so, but there is none yet. */
function runningBlocks({ containers, images, compose }: Survey): summary.Block[] {
  if (containers.length === 0) return [];
  const known = compose === null || 'error' in compose ? [] : compose.images;
  const rows = Object.entries(releaseOf(containers, images)).map(([service, image]) => [
    service,
    imageInShort(nameOf(image, image.image, known), image),
  ]);
  return [summary.heading('What runs'), summary.table(['Service', 'Runs'], rows)];
}
