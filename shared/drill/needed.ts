import type { ManifestSummary } from '../sets/manifest.ts';

/** Restored data need more space than the archive: indexes are rebuilt, and the write-ahead log grows. */
const indexShare = 1.3;
const writeAhead = 1280 * 1024 ** 2;
const usualRatio = 4;

/**
 * Bytes that a restore needs on Docker's disk at its peak.
 * @param live current size of the database; null if it does not answer
 */
export function neededFor({ dumpBytes, sizeBytes }: ManifestSummary, live: number | null): number {
  const data = Math.max(live ?? 0, (dumpBytes ?? sizeBytes * usualRatio) * indexShare);
  return Math.ceil(data * 1.1 + writeAhead);
}
