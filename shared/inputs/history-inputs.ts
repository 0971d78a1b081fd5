import type { CopyKind } from '../history/known-history.ts';
import * as grammar from '../runner/grammar.ts';
import type { InputReader } from '../runner/input-reader.ts';

/** Where to keep copies of the history, besides on the host. */
export interface HistoryInputs {
  history: CopyKind[];
  /** Used to read earlier copies; null if the workflow does not give one. */
  githubToken: string | null;
}

const copies: grammar.Grammar<CopyKind[]> = {
  hint: 'Give artifact, or artifact,cache; leave it empty to keep the history on the host only.',
  parse(value) {
    const kinds = value.split(',').map((word) => grammar.choice('artifact', 'cache').parse(word.trim()));
    // A cache alone would not be a copy, so reject it instead of ignoring it.
    if (!kinds.includes('artifact'))
      throw new RangeError('names only a cache, which is not a copy: it says where the newest artifact is');
    return kinds;
  },
};

/** Reads them from the workflow. Call it within `readInputs`. */
export function readHistoryInputs(input: InputReader): HistoryInputs {
  return {
    history: input.withEmpty('history', copies, [], ['artifact', 'cache']),
    githubToken: input.secret('github-token'),
  };
}
