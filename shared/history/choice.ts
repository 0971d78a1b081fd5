import type { Release, RunningImage } from '../releases/release.ts';
import type { HistoryRecord } from './record.ts';

/** The release to go back to, or why there is none. */
export type Choice = { record: HistoryRecord; why: string } | { record: null; why: string };

/** What the host's history is asked about. */
export interface ChoiceRequest {
  /** The host's own, in the order of its file. */
  records: readonly HistoryRecord[];
  environment: string;
  running: Release;
  /** Services that are never rolled back: the databases. */
  ignored: ReadonlySet<string>;
}

/**
 * The newest release that was found good and is not what runs; else the newest that ran and was not marked bad. What was
 * rolled back from is bad until it is found good anew, so that a second rollback goes further back, never forward.
 */
export function lastGood({ records, environment, running, ignored }: ChoiceRequest): Choice {
  const ours = records.filter((record) => record.environment === environment);
  const candidates = ours
    .filter((record) => ran(record) && differs(record.release, running, ignored))
    .toReversed()
    .map((record) => ({ record, verdict: verdictOn(record.release, ours, ignored) }))
    .filter(({ verdict }) => verdict !== 'bad');

  const good = candidates.find(({ verdict }) => verdict === 'good');
  if (good !== undefined) {
    return { record: good.record, why: 'the newest release that was found good and is not what runs' };
  }
  const unmarked = candidates[0];
  if (unmarked !== undefined) {
    return { record: unmarked.record, why: 'the newest release that ran and was not marked bad; none was found good' };
  }
  return { record: null, why: whyNone(ours, running, ignored) };
}

/** The latest word on a release; `unknown` is none, and null stands for no word at all. */
function verdictOn(
  release: Release,
  records: readonly HistoryRecord[],
  ignored: ReadonlySet<string>,
): 'good' | 'bad' | null {
  const isMeant = (other: Release) => sameImages(release, other, ignored);
  for (const { event, status, verdict, release: about, previous } of records.toReversed()) {
    if (verdict !== 'unknown' && isMeant(about)) return verdict;
    if (event === 'rollback' && status === 'succeeded' && previous !== null && isMeant(previous)) return 'bad';
  }
  return null;
}

function ran({ event, status }: HistoryRecord): boolean {
  return status === 'succeeded' && event !== 'drill';
}

/** Some service that is in both runs another image, and every such one can be found again. */
function differs(release: Release, running: Release, ignored: ReadonlySet<string>): boolean {
  const now = imagesOf(running, ignored);
  const others = [...imagesOf(release, ignored)].filter(([service, image]) => {
    const present = now.get(service);
    return present !== undefined && !same(image, present);
  });
  return others.length > 0 && others.every(([, { digest, imageId }]) => digest !== null || imageId !== null);
}

/** They have the same services, each with the same image. */
function sameImages(one: Release, other: Release, ignored: ReadonlySet<string>): boolean {
  const [ours, theirs] = [imagesOf(one, ignored), imagesOf(other, ignored)];
  return (
    ours.size === theirs.size &&
    [...ours].every(([service, image]) => {
      const counterpart = theirs.get(service);
      return counterpart !== undefined && same(image, counterpart);
    })
  );
}

/** As a map, which has nothing under the names that every object has: a service may be called `constructor`. */
function imagesOf(release: Release, ignored: ReadonlySet<string>): Map<string, RunningImage> {
  return new Map(Object.entries(release).filter(([service]) => !ignored.has(service)));
}

/** A digest is known only once an image was pushed or pulled, and it may get further ones; its id may change with Docker. */
function same(a: RunningImage, b: RunningImage): boolean {
  return (a.imageId !== null && a.imageId === b.imageId) || (a.digest !== null && a.digest === b.digest);
}

function whyNone(records: readonly HistoryRecord[], running: Release, ignored: ReadonlySet<string>): string {
  if (records.length === 0) return 'the history on the host is empty';
  const others = records.filter((record) => ran(record) && differs(record.release, running, ignored));
  return others.length === 0
    ? `none of the ${records.length} records on the host tells of another release that ran`
    : `each of the ${others.length} other releases in the history was marked bad or rolled back from`;
}
