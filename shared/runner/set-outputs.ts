import * as core from '@actions/core';

/** null and undefined become empty; numbers become integers. */
export type OutputValue = string | number | boolean | null | undefined;

/** By the names in action.yml; every declared output must be present. */
export type Outputs = Record<string, OutputValue>;

/**
 * Sets every output of the step.
 * @throws Error if the runner's file cannot be written, RangeError for a number that is not finite
 */
export function setOutputs(outputs: Outputs): void {
  for (const [name, value] of Object.entries(outputs)) core.setOutput(name, outputText(value));
}

/** The text of a value in an output. */
export function outputText(value: OutputValue): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'number') return String(value);
  if (!Number.isFinite(value)) throw new RangeError(`An output cannot be ${value}`);
  // BigInt, because a large number would become 1e+21.
  return BigInt(Math.round(value)).toString();
}
