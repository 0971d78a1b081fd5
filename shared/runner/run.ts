import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure.ts';
import { type Ending, reportEnding, summarizeEnding } from './failure-report.ts';
import * as log from './log.ts';
import { type Outputs, setOutputs } from './set-outputs.ts';

/** The runner waits 7.5 s between SIGINT and SIGTERM. After this time, this wrapper ends the action and undoes the rest. */
const gracePeriod = 6_500;
/** Milliseconds that telling may take: it delays the steps that follow. */
const tellingFor = 45_000;
/** Milliseconds from a cancel to the end of telling: the runner kills what is left after 10 s. */
const tellingAfterCancel = 9_000;
/** Milliseconds to put into words what could not be told in time. */
const lastWords = 300;

/** What an action gets to work with. */
export interface ActionContext<O extends Outputs> {
  /** Aborted when the run is cancelled. The action must then end on its own within 6 s. */
  signal: AbortSignal;
  /** Every declared output. Set each as soon as it is known: the workflow gets them however the step ends. */
  outputs: O;
  /** Registers a function to call at the end, however the step ends; the last one first. It must be synchronous. */
  atEnd(undo: () => void): void;
}

/** Tells others how a step ended. Whatever comes of it, the step ends as it would have without it. */
export interface Telling<O extends Outputs> {
  /** Called before the outputs are written, and may set some. */
  prepare(ending: Ending, outputs: O): void;
  /** Called when everything else is done; must end soon after `signal`. */
  tell(ending: Ending, outputs: O, signal: AbortSignal): Promise<void>;
}

export interface RunOptions<O extends Outputs> {
  /** Called once, however the step ends: also if the inputs are bad, or if the run is cancelled. */
  telling?: Telling<O>;
  /** Milliseconds that a cancelled action has to end on its own. */
  grace?: number;
}

/**
 * Runs an action and handles its failures: whatever goes wrong, reports the verdict first, then what to do and the cause,
 * and exits with 1. Exits with 0 only if `action` finished and its outputs were written. Ends the process.
 * @param name as people know the action: `backup-action`
 * @param outputs every declared output, with the value it has if the action fails before setting it
 */
export function runAction<O extends Outputs>(
  name: string,
  outputs: O,
  action: (context: ActionContext<O>) => Promise<void>,
  { telling, grace = gracePeriod }: RunOptions<O> = {},
): void {
  const cancellation = new AbortController();
  const untilTold = new AbortController();
  const undos: (() => void)[] = [];
  let cancelledBy: NodeJS.Signals | null = null;
  let ending = false;

  function cancel(signal: NodeJS.Signals): void {
    if (cancelledBy !== null) return;
    cancelledBy = signal;
    setTimeout(() => fail(new Failure('cancelled', `${name} did not end in time after ${signal}`)), grace);
    setTimeout(() => untilTold.abort(new Error('the run was cancelled')), tellingAfterCancel);
    cancellation.abort();
  }

  function succeed(): void {
    if (cancelledBy === null) end({ action: name, exitCode: 0, error: undefined, cancelledBy });
    else fail(undefined);
  }

  function fail(error: unknown): void {
    if (ending) return;
    // Ends children that were started with this signal.
    cancellation.abort();
    end({ action: name, exitCode: 1, error, cancelledBy });
  }

  function end(first: Ending): void {
    if (ending) return;
    ending = true;
    let how = first;
    const duties = [
      log.closeGroup,
      () => reportEnding(how),
      () => summarizeEnding(how),
      ...undos.reverse(),
      () => telling?.prepare(how, outputs),
      () => setOutputs(outputs),
    ];
    // Do each of these even if another one fails.
    for (const duty of duties) {
      try {
        duty();
      } catch (error) {
        reportEnding({ action: name, exitCode: 1, error, cancelledBy: null });
        how = { ...how, exitCode: 1, error: how.error ?? error };
      }
    }
    process.exitCode = how.exitCode;
    if (telling === undefined) exit(how.exitCode);
    else tellInTime(telling, how).then(() => exit(how.exitCode));
  }

  async function tellInTime(telling: Telling<O>, how: Ending): Promise<void> {
    setTimeout(() => untilTold.abort(new Error('it took too long')), tellingFor);
    const { signal } = untilTold;
    const late = new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(sleep(lastWords)));
    });
    try {
      await Promise.race([telling.tell(how, outputs, signal), late]);
    } catch (error) {
      log.warning(`Could not report how the run ended: ${error}`);
    }
  }

  function exit(code: 0 | 1): void {
    // On exit Node drops what is not yet written to a pipe, and the verdict comes last: wait until it is written.
    process.stdout.write('', () => process.exit(code));
  }

  // What our libraries should call instead is no concern of an operator.
  process.noDeprecation = true;
  process.on('SIGINT', cancel);
  process.on('SIGTERM', cancel);
  // Unhandled rejections end up here too.
  process.on('uncaughtException', fail);
  const stopped = () => fail(new Error('The action stopped before it was done, without an error'));
  // Nothing is left that could settle the action.
  process.on('beforeExit', stopped);
  // Gets here first only if a library called exit.
  process.on('exit', stopped);

  const context = { signal: cancellation.signal, outputs, atEnd: (undo: () => void) => undos.push(undo) };
  Promise.resolve(context).then(action).then(succeed, fail);
}
