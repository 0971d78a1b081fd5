import { Failure } from '../failure.ts';
import { counted, formatBytes } from '../units.ts';

/** How an object is sent. */
export interface PartPlan {
  /** Of each part but the last. Stores demand at least 5 MiB, and some that all are equal. */
  partBytes: number;
  /** Parts held in memory at one time, the one that is being filled among them. */
  inMemory: number;
}

const mebibyte = 2 ** 20;
/** Parts held in memory times their size. */
const mostMemory = 64 * mebibyte;
/** Below this, an object is sent at once. */
const usualPart = 8 * mebibyte;
/** With more at one time, a part takes longer; it does not get faster. */
const mostAtOnce = 5;
/** S3's own limit. */
export const mostParts = 10_000;

/**
 * How to cut an object of this size.
 * @param maxParts how many parts the store allows
 * @throws Failure `bucket-unusable` if it does not fit
 */
export function planParts(name: string, bytes: number, maxParts = mostParts): PartPlan {
  const needed = Math.ceil(Math.ceil(bytes / maxParts) / mebibyte) * mebibyte;
  const partBytes = Math.max(usualPart, needed);
  if (partBytes > mostMemory) {
    throw new Failure(
      'bucket-unusable',
      `${name} has ${formatBytes(bytes)}, but ${counted(maxParts, 'part')} of at most ${formatBytes(mostMemory)} hold only ${formatBytes(maxParts * mostMemory)}`,
      { hint: 'Raise "s3-max-parts" if the store allows more parts, or copy this backup by other means' },
    );
  }
  return { partBytes, inMemory: Math.min(mostAtOnce, Math.floor(mostMemory / partBytes)) };
}
