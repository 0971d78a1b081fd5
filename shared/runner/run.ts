import { Failure } from '../failure.ts';
import { reportCancel, reportFailure } from './failure-report.ts';
import * as log from './log.ts';
import { type Outputs, setOutputs } from './set-outputs.ts';

/** The runner waits 7.5 s between SIGINT and SIGTERM. After this time, this wrapper ends the action and undoes the rest. */
const gracePeriod = 6_500;

/** What an action gets to work with. */
export interface ActionContext<O extends Outputs> {
  /** Aborted when the run is cancelled. The action must then end on its own within 6 s. */
  signal: AbortSignal;
  /** Every declared output. Set each as soon as it is known: the workflow gets them however the step ends. */
  outputs: O;
  /** Registers a function to call at the end, however the step ends; the last one first. It must be synchronous. */
  atEnd(undo: () => void): void;
}

/**
 * Runs an action and handles its failures: whatever goes wrong, reports the verdict first, then what to do and the cause,
 * and exits with 1. Exits with 0 only if `action` finished and its outputs were written. Ends the process.
 * @param name as people know the action: `backup-action`
 * @param outputs every declared output, with the value it has if the action fails before setting it
 * @param grace milliseconds that a cancelled action has to end on its own
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
    // Ends children that were started with this signal.
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
    // Do each of these even if another one fails.
    for (const duty of [log.closeGroup, tell, ...undos.reverse(), () => setOutputs(outputs)]) {
      try {
        duty();
      } catch (error) {
        code = 1;
        reportFailure(name, error);
      }
    }
    process.exitCode = code;
    // On exit Node drops what is not yet written to a pipe, and the verdict comes last: wait until it is written.
    process.stdout.write('', () => process.exit(code));
  }

  process.on('SIGINT', cancel);
  process.on('SIGTERM', cancel);
  // Unhandled rejections end up here too.
  process.on('uncaughtException', fail);
  // Gets here first only if nothing is left that could settle the action, or if a library called exit.
  process.on('exit', () => fail(new Error('The action stopped before it was done, without an error')));

  const context = { signal: cancellation.signal, outputs, atEnd: (undo: () => void) => undos.push(undo) };
  Promise.resolve(context).then(action).then(succeed, fail);
}
