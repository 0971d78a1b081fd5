import type { Parameters, Program, ProgramOptions, Run } from './program.ts';

/** A way to the host on which programs can be run, several at a time. */
export interface Connection {
  /** For the log: `deploy@host`, or `this machine`. */
  readonly name: string;
  /**
   * Starts a program. Awaiting the run's `result` is the caller's duty.
   * @param parameters reach the program as they are, by way of its stdin; they must not hold NUL
   */
  run<P extends Parameters>(program: Program<P>, parameters: NoInfer<P>, options: ProgramOptions): Run;
  /** Ends what still runs and closes the way. May be called more than once. */
  close(): Promise<void>;
}

/**
 * What a login shell on the host is told to do: start bash without the user's start files, and let it read a script (its
 * length in bytes, then its text) and parameters (names and values by turns: how many texts, then each with a NUL behind it)
 * from stdin. It holds no
 * value, and neither a line break nor an exclamation mark, so that it means the same in every login shell.
 */
export const bootstrap =
  'exec env -u BASH_ENV bash --noprofile --norc -c \'LC_ALL=C; IFS= read -r n && IFS= read -r -N "$n" s && ' +
  'IFS= read -r c && p=() && while ((c-- > 0)); do IFS= read -r -d "" v || exit 1; p+=("$v"); done && eval "$s"\'';
