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
/** No part may be larger. */
const largestPart = 64 * mebibyte;
/** S3 takes no less than 5 MiB. A larger part costs the store less, and more memory here. Below this, an object is sent at once. */
const usualPart = 8 * mebibyte;
/** With fewer, the store waits for the next part; with more, each part takes longer. */
const mostAtOnce = 3;
/** For the parts of a dump of up to 78 GiB. Of a larger one, two at one time still have to fit. */
const usualMemory = 24 * mebibyte;
/** S3's own limit. */
const mostParts = 10_000;

/**
 * How to cut an object of this size.
 * @param maxParts how many parts the store allows
 * @throws Failure `bucket-unusable` if it does not fit
 */
export function planParts(name: string, bytes: number, maxParts = mostParts): PartPlan {
  const needed = Math.ceil(Math.ceil(bytes / maxParts) / mebibyte) * mebibyte;
  const partBytes = Math.max(usualPart, needed);
  if (partBytes > largestPart) {
    throw new Failure(
      'bucket-unusable',
      `${name} has ${formatBytes(bytes)}, but ${counted(maxParts, 'part')} of at most ${formatBytes(largestPart)} hold only ${formatBytes(maxParts * largestPart)}`,
      { hint: 'Raise "s3-max-parts" if the store allows more parts, or copy this backup by other means' },
    );
  }
  const atOnce = Math.min(mostAtOnce, Math.max(2, Math.floor(usualMemory / partBytes)));
  return { partBytes, inMemory: Math.min(atOnce, Math.floor(largestPart / partBytes)) };
}
