import type { Readable } from 'node:stream';
import type { IncomingFiles } from './incoming-files.ts';
import type { Records } from './records.ts';

/** By the names that the program takes with `takes` or, as lists, `takes_list`. */
export type Parameters = Readonly<Record<string, string | readonly string[]>>;

/**
 * Constant scripts for the host; the last one defines `main`. `parameters.sh`, `lock.sh` and `supervisor.sh` are sent in front
 * of them. `P` is what the program takes.
 */
export interface Program<P extends Parameters = Parameters> {
  name: string;
  /** What it does, in the operator's words: `the dump`. */
  step: string;
  /** Literal `new URL('./x.sh', import.meta.url)`s: the only form for which the bundler includes the file. */
  scripts: readonly URL[];
  /** Never set: it ties the type to the program. */
  takes?: P;
}

/** The lock that a program takes before it starts; a program that lingers keeps it. */
export interface LockRequest {
  /** Absolute path of the lock file on the host. */
  path: string;
  /** Milliseconds to wait for another holder. */
  wait: number;
  /** Who takes it, on one line, to show to others who find it taken. */
  holder: string;
}

export interface ProgramOptions {
  /** Milliseconds after which the host ends the program. */
  deadline: number;
  /** Milliseconds that the host has after that to end the program and clean up; default: `usualGrace`. */
  grace?: number;
  /** Milliseconds without a word from the host after which it is given up; default: `longestUnheard`. */
  unheard?: number;
  /**
   * What the host does when the runner is gone: `end` the program, or let it `finish` (it is short and must not be
   * interrupted). With `linger` it ends the program too; and a program that is done holds the lock until `release`, or
   * until the runner is gone.
   */
  atEnd: 'end' | 'finish' | 'linger';
  lock?: LockRequest;
  /** Bytes for a program with `incoming.sh` among its scripts. */
  input?: ProgramInput;
  /** Ends the program, except with `finish`. */
  signal?: AbortSignal;
  /** Gets each line that the program or its children print: hostile until cleaned. */
  onLog?: (line: string) => void;
  /** Gets the progress of a long step, as the program reports it. */
  onProgress?: (name: string, value: string) => void;
  /** Gets the files that the program sends with `send_file`. The host waits for whoever reads them. */
  files?: IncomingFiles;
}

/** Bytes that the runner sends to a program. */
export interface ProgramInput {
  /** As the program's parameter `incoming`: see `incomingFolder`. */
  folder: string;
  /** Called once, when the program is ready for them. They are read no faster than the program reads. */
  open: () => Promise<Readable>;
}

/** A started program. */
export interface Run {
  /**
   * @throws Failure: `cancelled`, `deadline`, `host-silent`, `lock-held`, `result-too-large`, one that the program named, or
   * one of the connection
   */
  result: Promise<Records>;
  /** The last lines that the program and its children printed, at most 50. */
  lastLines(): readonly string[];
  /**
   * Lets a lingering program go, and waits until the host has cleaned up, at most `patience` milliseconds.
   * @returns whether the host confirmed that it did
   */
  release(patience?: number): Promise<boolean>;
}
