import { cleanLine } from '../clean.ts';

/**
 * What GitHub said, in a line that one of its libraries printed: each refusal before it tries again, or before it gives up
 * without an error. null for any other line.
 */
function refusalIn(printed: string): string | null {
  const [, tried] = /^Attempt \d+ of \d+ failed with error: (.+)\. Retrying request in \d+ ms/.exec(printed) ?? [];
  const [, warned] = /^::(?:warning|error)::(?:Failed to save: )?(.+)/.exec(printed) ?? [];
  // What it then prints for users is a guess: that another job may be creating the same cache.
  const [, reserving] = /^::debug::Failed to reserve cache: (?:Error: )?(.+)/.exec(printed) ?? [];
  const refusal = tried ?? warned ?? reserving;
  return refusal === undefined ? null : cleanLine(refusal, 300);
}

/** Listens to a library for the last refusal. */
export class Refusals {
  last: string | null = null;

  readonly hear = (printed: string): void => {
    this.last = refusalIn(printed) ?? this.last;
  };
}
