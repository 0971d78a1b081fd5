import { Failure } from '../failure.ts';
import type { HistoryRecord } from '../history/record.ts';
import { type Word, wordsOn } from '../history/word.ts';
import type { RunningImage } from '../releases/release.ts';
import type { Target } from './target.ts';
import { isThatImage, type WantedImage } from './target-image.ts';

/** That the latest word of the history on a target is bad. */
export interface KnownBad {
  /** A printed line: what is bad, and since when that is known. */
  text: string;
  /** The record that has the target; null if only a part of it was ever recorded. */
  id: string | null;
  /** It was found bad since it was last found good. Otherwise somebody has only rolled back from it, and may well want it back. */
  wasFound: boolean;
}

/**
 * Looks for the latest word on the target as a whole; if it never ran like that, on each of its images.
 * @param records those whose verdicts count, in the order of the file
 * @param repositoryOf the repository of a service in the compose file
 */
export function knownBad(
  images: ReadonlyMap<string, WantedImage>,
  records: readonly HistoryRecord[],
  ignored: ReadonlySet<string>,
  repositoryOf: (service: string) => string | undefined,
): KnownBad | null {
  const wanted = [...images].filter(([service]) => !ignored.has(service));
  const isIn = (release: ReadonlyMap<string, RunningImage>, [service, image]: [string, WantedImage]) => {
    const known = release.get(service);
    return known !== undefined && isThatImage(image, known, repositoryOf(service));
  };
  const words = wordsOn(records, ignored);
  const isOnAll = ({ about }: Word) => wanted.length > 0 && wanted.every((each) => isIn(about, each));
  const onAll = words.find(isOnAll);
  const latest: [Word, string[]][] =
    onAll !== undefined
      ? [[onAll, wanted.map(named)]]
      : wanted.flatMap((each): [Word, string[]][] => {
          const word = words.find(({ about }) => isIn(about, each));
          return word === undefined ? [] : [[word, [named(each)]]];
        });
  const bad = latest.filter(([{ word }]) => word === 'bad');
  if (bad.length === 0) return null;
  const newest = records.findLast(({ event, release }) => {
    const known = new Map(Object.entries(release));
    return event !== 'drill' && wanted.every((each) => isIn(known, each));
  });
  const wasFound = [
    isOnAll,
    ...wanted.map(
      (each) =>
        ({ about }: Word) =>
          isIn(about, each),
    ),
  ].some((isOn) => {
    const own = words.filter(isOn);
    const good = own.findIndex(({ word }) => word === 'good');
    return own.slice(0, good < 0 ? own.length : good).some(({ word, isLeft }) => word === 'bad' && !isLeft);
  });
  return { wasFound, text: bad.map(([word, names]) => describe(word, names)).join('; '), id: newest?.id ?? null };
}

/**
 * A target that was named by tag or digest may be named by mistake, or by somebody who does not know that it was found bad.
 * @throws Failure `target-bad` unless the record's id or the services were given as well
 */
export function refuseKnownBad(
  { knownBad: bad, images }: { knownBad: KnownBad | null; images: ReadonlyMap<string, WantedImage> },
  { kind }: Target,
  services: readonly string[] | null,
): void {
  if (bad === null || !bad.wasFound || services !== null || kind === 'record' || kind === 'last-good') return;
  const byId = bad.id === null ? '' : `give the id of its record as "target": ${bad.id}; or `;
  throw new Failure('target-bad', `The target is known to be bad: ${bad.text}`, {
    hint: `Nothing was stopped. If you want it anyway, ${byId}name the services: services: ${[...images.keys()].join(', ')}`,
  });
}

function describe({ record, isLeft }: Word, names: readonly string[]): string {
  const what = names.join(', ');
  return isLeft
    ? `${what} was rolled back from at ${record.at} (record ${record.id})`
    : `${what} was found bad at ${record.at} (${record.event}, record ${record.id})`;
}

function named([service, { tag, digest, imageId }]: [string, WantedImage]): string {
  return `${service} ${tag ?? (digest ?? imageId ?? '').slice(7, 19)}`;
}
