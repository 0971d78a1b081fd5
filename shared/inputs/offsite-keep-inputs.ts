import type { OffsitePolicy } from '../offsite/plan-copies.ts';
import * as grammar from '../runner/grammar.ts';
import type { InputReader } from '../runner/input-reader.ts';
import type { RetentionPolicy } from '../sets/tiers.ts';
import { demandNothing, type OffsiteInputs } from './offsite-inputs.ts';

/**
 * Which copies to keep. Call it within `readInputs`.
 * @param keep what to keep on the host: the bucket keeps the same unless its own inputs say otherwise
 */
export function readOffsiteKeep(input: InputReader, { bucket }: OffsiteInputs, keep: RetentionPolicy): OffsitePolicy {
  const given = {
    'keep-daily': input.optional('s3-keep-daily', grammar.allOrNumber),
    'keep-weekly': input.optional('s3-keep-weekly', grammar.allOrNumber),
    'keep-monthly': input.optional('s3-keep-monthly', grammar.allOrNumber),
  };
  input.rule(() => {
    if (bucket === null) demandNothing(given);
  });
  return {
    daily: given['keep-daily'] ?? keep.daily,
    weekly: given['keep-weekly'] ?? keep.weekly,
    monthly: given['keep-monthly'] ?? keep.monthly,
  };
}
