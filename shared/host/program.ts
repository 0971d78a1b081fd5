import type { Records } from './records.ts';

/** By the name that the program asks for them with `takes` or, where there may be several, `takes_list`. */
export type Parameters = Readonly<Record<string, string | readonly string[]>>;

/**
 * Constant scripts for the host, of which the last defines `main`; `parameters.sh`, `lock.sh` and `supervisor.sh` are sent in
 * front of them. `P` says what it takes.
 */
export interface Program<P extends Parameters = Parameters> {
  name: string;
  /** What it does, as an operator calls it: `the dump`. */
  step: string;
  /** Literal `new URL('./x.sh', import.meta.url)`s: the only form that the bundler carries along. */
  scripts: readonly URL[];
  /** Never there: it ties the type to the program. */
  takes?: P;
}

/** The lock that a program takes before it starts; a program that lingers keeps it. */
export interface LockRequest {
  /** Absolute path of the lock file on the host. */
  path: string;
  /** Milliseconds to wait for another holder. */
  wait: number;
  /** Who takes it, on one line, for those who find it taken. */
  holder: string;
}

export interface ProgramOptions {
  /** Milliseconds after which the host ends the program. */
  deadline: number;
  /** Milliseconds that the host has beyond that to end the program and put itself in order; else `usualGrace`. */
  grace?: number;
  /**
   * What the host does when the runner is gone: `end` the program; let it `finish` (it is short and must not be cut);
   * `linger`: end it, and when it is done wait for `release` or the runner's end, with the lock kept.
   */
  atEnd: 'end' | 'finish' | 'linger';
  lock?: LockRequest;
  /** Ends the program, unless it is one that finishes. */
  signal?: AbortSignal;
  /** A line that the program or its children printed: hostile until cleaned. */
  onLog?: (line: string) => void;
  /** How far a long step is, as the program told. */
  onProgress?: (name: string, value: string) => void;
}

/** A program that was started. */
export interface Run {
  /**
   * @throws Failure: `cancelled`, `deadline`, `host-silent`, `lock-held`, `result-too-large`, what the program named, or what
   * became of the connection
   */
  result: Promise<Records>;
  /** What the program and its children printed last, at most 50 lines. */
  lastLines(): readonly string[];
  /**
   * Lets a lingering program go, and waits until the host has put itself in order, at most `patience` milliseconds.
   * @returns whether it was seen to have done so
   */
  release(patience?: number): Promise<boolean>;
}
