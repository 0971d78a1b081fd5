import { Failure } from '../failure.ts';
import { reportCancel, reportFailure } from './failure-report.ts';
import * as log from './log.ts';
import { type Outputs, setOutputs } from './set-outputs.ts';

/** The runner waits 7.5 s between SIGINT and SIGTERM; what is not undone by then is undone by the wrapper. */
const gracePeriod = 6_500;

/** What an action is given to work with. */
export interface ActionContext<O extends Outputs> {
  /** Aborted when the run is cancelled. The action must then end by itself within 6 s. */
  signal: AbortSignal;
  /** Every declared output; set them as they come to be known. They are handed to the workflow however the step ends. */
  outputs: O;
  /** Registers what must be undone at the end, however the step ends; the last one first. It must be synchronous. */
  atEnd(undo: () => void): void;
}

/**
 * Runs an action and owns its failure: whatever goes wrong, the verdict is told first, then what to do and the cause,
 * and the exit is 1. It is 0 only where `action` came to its end and its outputs were written. Ends the process.
 * @param name as people know the action: `backup-action`
 * @param outputs every declared output, as it stands where the action fails before it knows better
 * @param grace milliseconds that a cancelled action has to end by itself
 */
export function runAction<O extends Outputs>(
  name: string,
  outputs: O,
  action: (context: ActionContext<O>) => Promise<void>,
  grace = gracePeriod,
): void {
  const cancellation = new AbortController();
  const undos: (() => void)[] = [];
  let cancelledBy: NodeJS.Signals | undefined;
  let ending = false;

  function cancel(signal: NodeJS.Signals): void {
    if (cancelledBy !== undefined) return;
    cancelledBy = signal;
    setTimeout(() => fail(new Failure('cancelled', `${name} did not end in time after ${signal}`)), grace);
    cancellation.abort();
  }

  function succeed(): void {
    if (cancelledBy === undefined) end(0);
    else fail(undefined);
  }

  function fail(error: unknown): void {
    if (ending) return;
    // Children that were started with the signal end with us.
    cancellation.abort();
    end(1, () => {
      if (cancelledBy === undefined) reportFailure(name, error);
      else reportCancel(name, cancelledBy, error);
    });
  }

  function end(exit: 0 | 1, tell: () => void = () => {}): void {
    if (ending) return;
    ending = true;
    let code = exit;
    // Each of these is done whatever becomes of the others.
    for (const duty of [log.closeGroup, tell, ...undos.reverse(), () => setOutputs(outputs)]) {
      try {
        duty();
      } catch (error) {
        code = 1;
        reportFailure(name, error);
      }
    }
    process.exitCode = code;
    // Node drops what a pipe has not taken yet when it exits, and the verdict comes last.
    process.stdout.write('', () => process.exit(code));
  }

  process.on('SIGINT', cancel);
  process.on('SIGTERM', cancel);
  // Rejections that nobody handles end here too.
  process.on('uncaughtException', fail);
  // Reached before any other end only where nothing is left that could settle the action, or a library called exit.
  process.on('exit', () => fail(new Error('It stopped before it was done, without an error')));

  const context = { signal: cancellation.signal, outputs, atEnd: (undo: () => void) => undos.push(undo) };
  Promise.resolve(context).then(action).then(succeed, fail);
}
