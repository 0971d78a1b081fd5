import { nameOf } from '../releases/image-name.ts';
import { type Release, type RunningImage, sameImage } from '../releases/release.ts';
import type { LocalImage } from '../survey/survey-compose.ts';
import type { HistoryRecord } from './record.ts';
import type { HistoryEntry } from './union.ts';
import { type Images, imagesOf, wordsOn } from './word.ts';

/** A release that a rollback could go to, for people who must choose one. */
export interface Candidate {
  /** `v1`; or `web v1, api v2` if the services differ. */
  tag: string;
  /** The first 12 hex digits, or `-`; in the same form. */
  digest: string;
  verdict: HistoryRecord['verdict'];
  /** ISO 8601, of the newest record. */
  when: string;
  /** The id of that record. */
  id: string;
}

export interface CandidateFacts {
  /** The history with its copies, oldest first. */
  entries: readonly HistoryEntry[];
  /** The records whose verdicts count, oldest first. */
  verdicts: readonly HistoryRecord[];
  running: Release;
  /** Services that are never rolled back. */
  ignored: ReadonlySet<string>;
  /** The host's images, for their names. */
  images: readonly LocalImage[];
  environment: string;
}

export const candidateColumns = ['Tag', 'Digest', 'Verdict', 'When', 'Record'] as const;
const mostCandidates = 10;

/** Different releases, the newest first, without drills and without what runs. At most ten. */
export function candidates({ entries, verdicts, running, ignored, images, environment }: CandidateFacts): Candidate[] {
  const now = imagesOf(running, ignored);
  const words = wordsOn(verdicts, ignored);
  const found: { about: Images; candidate: Candidate }[] = [];
  for (const { record, source } of entries.toReversed()) {
    const about = imagesOf(record.release, ignored);
    const isOther = [...about].some(([service, image]) => {
      const present = now.get(service);
      return present !== undefined && !isSame(image, present);
    });
    if (record.event === 'drill' || record.environment !== environment || !isOther) continue;
    if (found.some((earlier) => isAlike(earlier.about, about))) continue;
    const word = words.find((each) => isAlike(each.about, about))?.word;
    // What a copy calls good nobody has to believe.
    const copied = source === 'mirror' && record.verdict === 'bad' ? 'bad' : 'unknown';
    found.push({
      about,
      candidate: {
        tag: joined(about, (image) => nameOf(image, null, images) ?? '-'),
        digest: joined(about, ({ digest, imageId }) => (digest ?? imageId)?.slice(7, 19) ?? '-'),
        verdict: word ?? copied,
        when: record.at,
        id: record.id,
      },
    });
    if (found.length === mostCandidates) break;
  }
  return found.map(({ candidate }) => candidate);
}

/** The cells of a table. */
export function candidateCells({
  tag,
  digest,
  verdict,
  when,
  id,
}: Candidate): [string, string, string, string, string] {
  return [tag, digest, verdict, when, id];
}

/** The table as printed lines; empty without candidates. */
export function candidateLines(list: readonly Candidate[]): string[] {
  if (list.length === 0) return [];
  const rows = [[...candidateColumns], ...list.map(candidateCells)];
  const widths = candidateColumns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function isAlike(one: Images, other: Images): boolean {
  return (
    one.size === other.size &&
    [...one].every(([service, image]) => {
      const counterpart = other.get(service);
      return counterpart !== undefined && isSame(image, counterpart);
    })
  );
}

/** Old records may name nothing but a tag. */
function isSame(one: RunningImage, other: RunningImage): boolean {
  const isNameless = [one, other].some(({ digest, imageId }) => digest === null && imageId === null);
  return isNameless ? one.tag === other.tag : sameImage(one, other);
}

function joined(images: Images, tell: (image: RunningImage) => string): string {
  const texts = [...images].map(([service, image]): [string, string] => [service, tell(image)]);
  const [first] = texts;
  if (first === undefined) return '-';
  return texts.every(([, text]) => text === first[1])
    ? first[1]
    : texts.map(([service, text]) => `${service} ${text}`).join(', ');
}
