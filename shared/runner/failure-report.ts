import { type Failure, isFailure } from '../failure.ts';
import { workflowContext } from './context.ts';
import * as log from './log.ts';

/** Reports a failure: one annotation with the verdict, then in the log what to do and the cause. */
export function reportFailure(action: string, error: unknown): void {
  if (!isFailure(error)) {
    reportDefect(action, error);
    return;
  }
  log.error(error.message, `${action} failed: ${error.code}`);
  tellDetails(error);
}

/** Reports that the run was cancelled, and the state that this left behind if the action says so with a Failure. */
export function reportCancel(action: string, signal: NodeJS.Signals, error: unknown): void {
  const outcome = isFailure(error) ? error.message : `the runner stopped ${action} (${signal})`;
  log.error(`Cancelled: ${outcome}`, `${action} cancelled`);
  if (isFailure(error)) tellDetails(error);
  else if (error instanceof Error && error.name !== 'AbortError') tellCauses(error);
}

function reportDefect(action: string, error: unknown): void {
  log.error(`Internal error in ${action}: ${messageOf(error)}`, `${action} failed`);
  if (error instanceof Error && error.stack !== undefined) log.info(error.stack);
  if (error instanceof Error) tellCauses(error.cause);
  const where = workflowContext().actionIssuesUrl ?? 'the issues of the repository that has this action';
  log.important(`What to do: please report this log at ${where}`);
}

function tellDetails(failure: Failure): void {
  if (failure.hint !== undefined) log.important(`What to do: ${failure.hint}`);
  tellCauses(failure.cause);
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
