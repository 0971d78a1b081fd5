import type { CopyKind } from '../history/known-history.ts';
import * as grammar from '../runner/grammar.ts';
import type { InputReader } from '../runner/input-reader.ts';

/** Where the history is kept besides the host. */
export interface HistoryInputs {
  history: CopyKind[];
  /** Reads earlier history; null where the workflow gives none. */
  githubToken: string | null;
}

const copies: grammar.Grammar<CopyKind[]> = {
  hint: 'Give artifact, or artifact,cache; nothing keeps the history on the host alone.',
  parse(value) {
    const kinds = value.split(',').map((word) => grammar.choice('artifact', 'cache').parse(word.trim()));
    // Rejected rather than left unused: it would be no copy at all.
    if (!kinds.includes('artifact'))
      throw new RangeError('names a cache, which only says where the newest artifact is');
    return kinds;
  },
};

/** Reads them from the workflow; to be called within `readInputs`. */
export function readHistoryInputs(input: InputReader): HistoryInputs {
  return {
    history: input.withEmpty('history', copies, [], ['artifact', 'cache']),
    githubToken: input.secret('github-token'),
  };
}
