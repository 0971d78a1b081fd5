/** One run of what is measured. */
export interface Sample {
  ms: number;
  peakBytes?: number;
}

/** Runs the two in turn, so that both meet the machine as it is; one pair before does not count. */
export async function pairs<First = Sample, Second = Sample>(
  rounds: number,
  first: () => Promise<First>,
  second: () => Promise<Second>,
): Promise<[First, Second][]> {
  const samples: [First, Second][] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const pair: [First, Second] = [await first(), await second()];
    if (round > 0) samples.push(pair);
  }
  return samples;
}

/** The middle one; of an even number, the lower of the two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
