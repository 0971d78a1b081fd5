import type { HistoryRecord } from '../../shared/history/record.ts';
import type { TagMeaning } from '../../shared/releases/ask-registry.ts';
import { referenceOf } from '../../shared/releases/image-reference.ts';
import { moves } from '../../shared/releases/moving-tag.ts';
import { type RunningImage, sameImage } from '../../shared/releases/release.ts';

/** Whether a service runs what a tag stands for, and who says so; `unknown` if neither registry nor history can tell. */
export type TagEvidence =
  | { is: 'same' | 'other'; source: 'the registry' | 'the history' }
  | { is: 'unknown'; why: string };

/** What is needed to judge a tag. The tags on the host are no proof: anybody may have pointed them elsewhere. */
export interface TagQuestion {
  service: string;
  tag: string;
  repository: string;
  runs: RunningImage;
  /** All digests that the running image has in this repository. */
  digests: readonly string[];
  /** The registry's answer; undefined if it gave none. */
  meaning: TagMeaning | undefined;
  /** The host's own records of this environment, in the order of the file. */
  history: readonly HistoryRecord[];
}

/** Asks the registry first: it knows what a tag stands for now. The history knows what ran under it, and was found good. */
export function tagEvidence(question: TagQuestion): TagEvidence {
  const byRegistry = inRegistry(question);
  if (byRegistry !== null) return { is: byRegistry, source: 'the registry' };
  const { tag, service, runs, repository, history } = question;
  const away = `the registry gave no answer that settles what ${tag} is`;
  // What ran under it the last time says nothing about what it stands for today.
  if (moves(tag)) return { is: 'unknown', why: `${away}, and of a tag that moves the history cannot know` };
  const good = history
    .filter(({ event, status, verdict }) => event !== 'drill' && status === 'succeeded' && verdict === 'good')
    .flatMap(({ release }) => (Object.hasOwn(release, service) ? (release[service] ?? []) : []))
    .filter((known) => known.tag === tag && referenceOf(known.image)?.repository === repository)
    .filter(({ digest, imageId }) => digest !== null || imageId !== null);
  const newest = good.at(-1);
  if (newest === undefined)
    return { is: 'unknown', why: `neither the registry nor the history says which image ${tag} is` };
  if (good.some((known) => isComparable(known, newest) && !sameImage(known, newest))) {
    return { is: 'unknown', why: `${away}, and the history has different images for it` };
  }
  if (isRunning(newest, question)) return { is: 'same', source: 'the history' };
  return isComparable(newest, runs)
    ? { is: 'other', source: 'the history' }
    : { is: 'unknown', why: `neither the registry nor the history says for certain which image ${tag} is` };
}

function inRegistry({ meaning, runs, digests }: TagQuestion): 'same' | 'other' | null {
  if (meaning === undefined) return null;
  const known = new Set([...meaning.parts, ...(meaning.whole === null ? [] : [meaning.whole])]);
  if ([runs.imageId, ...digests].some((each) => each !== null && known.has(each))) return 'same';
  // With containerd's store an image is known by the digest of the whole alone. If we lack that, nothing follows.
  const isByWhole = runs.imageId === null || digests.includes(runs.imageId);
  return meaning.whole === null && isByWhole ? null : 'other';
}

function isRunning(known: RunningImage, { runs, digests }: TagQuestion): boolean {
  return sameImage(known, runs) || (known.digest !== null && digests.includes(known.digest));
}

function isComparable(one: RunningImage, other: RunningImage): boolean {
  return (one.imageId !== null && other.imageId !== null) || (one.digest !== null && other.digest !== null);
}
