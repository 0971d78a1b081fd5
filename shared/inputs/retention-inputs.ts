import * as grammar from '../runner/grammar.ts';
import type { InputReader } from '../runner/input-reader.ts';
import type { RetentionPolicy } from '../sets/tiers.ts';

/** For how many days, weeks, months and deployments to keep a backup. */
export interface RetentionInputs {
  keep: RetentionPolicy;
}

/** Reads them from the workflow. Call it within `readInputs`. */
export function readRetentionInputs(input: InputReader): RetentionInputs {
  return {
    keep: {
      daily: input.withDefault('keep-daily', grammar.allOrNumber, 7),
      weekly: input.withDefault('keep-weekly', grammar.allOrNumber, 4),
      monthly: input.withDefault('keep-monthly', grammar.allOrNumber, 'all'),
      predeployment: input.withDefault('keep-predeployment', grammar.allOrNumber, 30),
      // Only rollback-action prunes these.
      prerollback: 'all',
    },
  };
}
