import * as core from '@actions/core';

/** null and undefined come out empty; numbers as integers. */
export type OutputValue = string | number | boolean | null | undefined;

/** By the names that action.yml declares; every declared output must be there. */
export type Outputs = Record<string, OutputValue>;

/**
 * Sets every output of the step.
 * @throws Error where the runner's file cannot be written, RangeError for a number that has no integer
 */
export function setOutputs(outputs: Outputs): void {
  for (const [name, value] of Object.entries(outputs)) core.setOutput(name, outputText(value));
}

/** How a value stands in an output. */
export function outputText(value: OutputValue): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'number') return String(value);
  if (!Number.isFinite(value)) throw new RangeError(`An output cannot be ${value}`);
  // BigInt, since large numbers would come out as 1e+21.
  return BigInt(Math.round(value)).toString();
}
