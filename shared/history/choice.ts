import { type Release, sameImage } from '../releases/release.ts';
import type { HistoryRecord } from './record.ts';
import { type Images, imagesOf, sameImages, wordsOn } from './word.ts';

/** The release to go back to, or why there is none. */
export type Choice = { record: HistoryRecord; why: string } | { record: null; why: string };

/** What is needed to choose from the host's history. */
export interface ChoiceRequest {
  /** The host's own records, in the order of its file. */
  records: readonly HistoryRecord[];
  environment: string;
  running: Release;
  /** Services that are never rolled back: the databases. */
  ignored: ReadonlySet<string>;
}

/**
 * The newest release that was found good and is not running; failing that, the newest that ran and was not marked bad.
 * Rolling back from a release marks it bad until it is found good again, so a second rollback goes further back, never forward.
 */
export function lastGood({ records, environment, running, ignored }: ChoiceRequest): Choice {
  const ours = records.filter((record) => record.environment === environment);
  const now = imagesOf(running, ignored);
  const others = ours
    .filter(ran)
    .map((record) => ({ record, images: imagesOf(record.release, ignored) }))
    .filter(({ images }) => differs(images, now))
    .toReversed();
  const words = wordsOn(ours, ignored);

  let unmarked: HistoryRecord | null = null;
  for (const { record, images } of others) {
    const word = words.find(({ about }) => sameImages(about, images))?.word ?? null;
    if (word === 'good') {
      return { record, why: 'the newest release that was found good and is not running now' };
    }
    if (word === null) unmarked ??= record;
  }
  if (unmarked !== null) {
    return { record: unmarked, why: 'the newest other release that ran and was not marked bad; none was found good' };
  }
  return {
    record: null,
    why: whyNone(
      environment,
      ours.length,
      others.map(({ images }) => images),
    ),
  };
}

function ran({ event, status }: HistoryRecord): boolean {
  return status === 'succeeded' && event !== 'drill';
}

/** Some service in both has a different image, and each such image can be found again. */
function differs(images: Images, now: Images): boolean {
  const others = [...images].filter(([service, image]) => {
    const present = now.get(service);
    return present !== undefined && !sameImage(image, present);
  });
  return others.length > 0 && others.every(([, { digest, imageId }]) => digest !== null || imageId !== null);
}

function whyNone(environment: string, known: number, others: readonly Images[]): string {
  if (known === 0) return `the history on the host has no record of ${environment}`;
  const releases = others.filter(
    (images, index) => others.findIndex((earlier) => sameImages(earlier, images)) === index,
  ).length;
  return releases === 0
    ? known === 1
      ? 'the only record on the host is of the release that runs'
      : `none of the ${known} records on the host shows another release of the services that run now`
    : releases === 1
      ? 'the only other release in the history was marked bad or rolled back from'
      : `each of the ${releases} other releases in the history was marked bad or rolled back from`;
}
