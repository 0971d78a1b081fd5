import { type Release, type RunningImage, sameImage } from '../releases/release.ts';
import type { HistoryRecord } from './record.ts';

/** By service, without those that are never rolled back. A map, because a service may be called `constructor` or the like. */
export type Images = ReadonlyMap<string, RunningImage>;

export function imagesOf(release: Release, ignored: ReadonlySet<string>): Images {
  return new Map(Object.entries(release).filter(([service]) => !ignored.has(service)));
}

/** What one record says about a release. */
export interface Word {
  about: Images;
  word: 'good' | 'bad';
  record: HistoryRecord;
  /** Nobody found it bad, but somebody rolled back from it. */
  isLeft: boolean;
}

/** The verdicts on releases, the latest first; `unknown` is not a verdict. A release that was rolled back from is bad. */
export function wordsOn(records: readonly HistoryRecord[], ignored: ReadonlySet<string>): Word[] {
  return records.toReversed().flatMap((record): Word[] => {
    const { event, status, verdict, release, previous } = record;
    return [
      ...(verdict === 'unknown'
        ? []
        : [{ about: imagesOf(release, ignored), word: verdict, record, isLeft: false } as const]),
      ...(event === 'rollback' && status === 'succeeded' && previous !== null
        ? [{ about: imagesOf(previous, ignored), word: 'bad', record, isLeft: true } as const]
        : []),
    ];
  });
}

/** They have the same services, each with the same image. */
export function sameImages(one: Images, other: Images): boolean {
  return (
    one.size === other.size &&
    [...one].every(([service, image]) => {
      const counterpart = other.get(service);
      return counterpart !== undefined && sameImage(image, counterpart);
    })
  );
}
