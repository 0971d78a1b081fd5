import { isFailure } from '../failure.ts';
import { runWithInput } from './pour.ts';
import type { Parameters, Program, ProgramOptions, Run } from './program.ts';
import { type Access, patienceAtCancelledClose, patienceAtClose, runProgram } from './run-program.ts';

/** A connection to the host that can run programs, several at a time. */
export interface Connection {
  /** For the log: `deploy@host`, or `this machine`. */
  readonly name: string;
  /**
   * Starts a program. The caller must await the run's `result`.
   * @param parameters reach the program unchanged, through its stdin; they must not contain NUL
   */
  run<P extends Parameters>(program: Program<P>, parameters: NoInfer<P>, options: ProgramOptions): Run;
  /** Ends whatever still runs and closes the connection. May be called more than once. */
  close(): Promise<void>;
}

/** Milliseconds without a word from a host that has been silent before: what comes after that must not add up. */
const unheardAgain = 20_000;

/**
 * A connection whose programs run through `access`.
 * @param disconnect called once no program runs any more
 */
export function connectionOver(name: string, access: Access, disconnect = async () => {}): Connection {
  const runs: Run[] = [];
  let wasSilent = false;
  let wasCancelled = false;
  return {
    name,
    run(program, parameters, asked) {
      const { input } = asked;
      const options = wasSilent ? { ...asked, unheard: unheardAgain } : asked;
      const run =
        input === undefined
          ? runProgram(access, program, parameters, options)
          : runWithInput(access, program, parameters, options, input);
      runs.push(run);
      run.result.then(
        () => {
          wasSilent = false;
        },
        (error) => {
          wasSilent ||= isFailure(error, 'host-silent');
          wasCancelled ||= isFailure(error, 'cancelled');
        },
      );
      return run;
    },
    async close() {
      const patience = wasCancelled ? patienceAtCancelledClose : patienceAtClose;
      await Promise.all(runs.map((run) => run.release(patience)));
      await disconnect();
    },
  };
}

/**
 * The command for the login shell on the host. It starts bash without the user's start files, which reads a script (its
 * length in bytes, then its text) and parameters (their count, then each followed by a NUL: alternating names and values)
 * from stdin. The command itself has no values, line breaks or exclamation marks, so it means the same in every login shell.
 */
export const bootstrap =
  'exec env -u BASH_ENV bash --noprofile --norc -c \'LC_ALL=C; IFS= read -r n && IFS= read -r -N "$n" s && ' +
  'IFS= read -r c && p=() && while ((c-- > 0)); do IFS= read -r -d "" v || exit 1; p+=("$v"); done && eval "$s"\'';
