import { type Failure, isFailure } from '../failure.ts';
import { workflowContext } from './context.ts';
import * as summary from './job-summary.ts';
import * as log from './log.ts';

/** How a step ended. */
export interface Ending {
  /** The action's name, as people know it. */
  action: string;
  exitCode: 0 | 1;
  /** What was thrown; undefined if nothing was. */
  error: unknown;
  /** The signal by which the runner stopped the step; null if it did not. */
  cancelledBy: NodeJS.Signals | null;
}

/** What happened in one sentence, and what to do about it. */
export interface EndingWords {
  code: string;
  message: string;
  hint: string | null;
}

/** In words how a step ended that did not end well; null for one that did. */
export function wordsOf({ action, exitCode, error, cancelledBy }: Ending): EndingWords | null {
  if (exitCode === 0) return null;
  if (isFailure(error)) return { code: error.code, message: error.message, hint: error.hint ?? null };
  if (cancelledBy !== null)
    return { code: 'cancelled', message: `the runner stopped ${action} (${cancelledBy})`, hint: null };
  const where = workflowContext().actionIssuesUrl ?? 'the issues of the repository that has this action';
  return {
    code: 'defect',
    message: `Internal error in ${action}: ${messageOf(error)}`,
    hint: `please report this log at ${where}`,
  };
}

/** Reports a step that did not end well: one annotation with the verdict, then in the log what to do and the cause. */
export function reportEnding(ending: Ending): void {
  const { action, error, cancelledBy } = ending;
  const words = wordsOf(ending);
  if (words === null) return;
  if (cancelledBy !== null) log.error(`Cancelled: ${words.message}`, `${action} cancelled`);
  else if (isFailure(error)) log.error(words.message, `${action} failed: ${words.code}`);
  else log.error(words.message, `${action} failed`);

  if (isFailure(error)) tellDetails(error);
  else if (cancelledBy === null) tellDefect(error, words);
  else if (error instanceof Error && error.name !== 'AbortError') tellCauses(error);
}

/** The job summary of a step that failed before the action could write its own: its inputs are bad, say. */
export function summarizeEnding(ending: Ending): void {
  const words = wordsOf(ending);
  if (words === null || summary.hasSummary()) return;
  const { code, message, hint } = words;
  const how = code === 'cancelled' ? 'was cancelled' : code === 'bad-input' ? 'did nothing' : 'failed';
  summary.writeSummary([
    summary.verdict('bad', `${ending.action} ${how}: ${code}`),
    summary.paragraph(message),
    ...(hint === null ? [] : [summary.heading('What to do'), ...summary.advice(hint)]),
    ...(isFailure(ending.error) ? [summary.explained(ending.error.code)] : []),
  ]);
}

function tellDefect(error: unknown, { hint }: EndingWords): void {
  if (error instanceof Error && error.stack !== undefined) log.info(error.stack);
  if (error instanceof Error) tellCauses(error.cause);
  log.important(`What to do: ${hint}`);
}

function tellDetails(failure: Failure): void {
  if (failure.hint !== undefined) log.important(`What to do: ${failure.hint}`);
  tellCauses(failure.cause);
  log.info(`More about it: ${summary.explanation(failure.code)}`);
}

/** Prints an error and its chain of causes. */
function tellCauses(cause: unknown): void {
  for (let each = cause; each !== undefined && each !== null && each !== ''; ) {
    log.info(`Cause: ${messageOf(each)}`);
    each = each instanceof Error ? each.cause : undefined;
  }
}

function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message === '' ? error.name : error.message;
  return typeof error === 'string' ? error : (JSON.stringify(error) ?? String(error));
}
