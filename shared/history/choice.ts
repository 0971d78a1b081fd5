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
  const verdicts = verdictsOf(ours, ignored);
  const candidates = ours
    .filter((record) => ran(record) && differs(record.release, running, ignored))
    .filter(({ release }) => verdicts.get(releaseKey(release, ignored)) !== 'bad')
    .toReversed();

  const good = candidates.find(({ release }) => verdicts.get(releaseKey(release, ignored)) === 'good');
  if (good !== undefined) return { record: good, why: 'the newest release that was found good and is not what runs' };
  const unmarked = candidates[0];
  if (unmarked !== undefined) {
    return { record: unmarked, why: 'the newest release that ran and was not marked bad; none was found good' };
  }
  return { record: null, why: whyNone(ours, running, ignored) };
}

/** Two releases with the same key are the same, but for the ignored services. */
export function releaseKey(release: Release, ignored: ReadonlySet<string>): string {
  return Object.entries(release)
    .filter(([service]) => !ignored.has(service))
    .map(([service, image]) => `${service}=${image.digest ?? image.imageId ?? ''}`)
    .toSorted()
    .join(' ');
}

/** The latest word on each release; `unknown` is none. */
function verdictsOf(records: readonly HistoryRecord[], ignored: ReadonlySet<string>): Map<string, 'good' | 'bad'> {
  const verdicts = new Map<string, 'good' | 'bad'>();
  for (const { event, status, verdict, release, previous } of records) {
    if (event === 'rollback' && status === 'succeeded' && previous !== null) {
      verdicts.set(releaseKey(previous, ignored), 'bad');
    }
    if (verdict !== 'unknown') verdicts.set(releaseKey(release, ignored), verdict);
  }
  return verdicts;
}

function ran({ event, status }: HistoryRecord): boolean {
  return status === 'succeeded' && event !== 'drill';
}

/** Some service that is in both runs another image, and every such one can be found again. */
function differs(release: Release, running: Release, ignored: ReadonlySet<string>): boolean {
  const others = Object.entries(release).filter(
    ([service, image]) => !ignored.has(service) && running[service] !== undefined && !same(image, running[service]),
  );
  return others.length > 0 && others.every(([, { digest, imageId }]) => digest !== null || imageId !== null);
}

function same(a: RunningImage, b: RunningImage): boolean {
  if (a.imageId !== null && b.imageId !== null) return a.imageId === b.imageId;
  return a.digest !== null && a.digest === b.digest;
}

function whyNone(records: readonly HistoryRecord[], running: Release, ignored: ReadonlySet<string>): string {
  if (records.length === 0) return 'the history on the host is empty';
  const others = records.filter((record) => ran(record) && differs(record.release, running, ignored));
  const releases = new Set(others.map(({ release }) => releaseKey(release, ignored))).size;
  return releases === 0
    ? `none of the ${records.length} records on the host tells of another release that ran`
    : `each of the ${releases} other releases in the history was marked bad or rolled back from`;
}
