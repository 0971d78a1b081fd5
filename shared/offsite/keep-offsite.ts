import { Failure, isFailure } from '../failure.ts';
import type { IncomingFile } from '../host/incoming-files.ts';
import type { VerifiedSet } from '../sets/catalogue.ts';
import type { BackupId } from '../sets/manifest.ts';
import { parseSetFileName } from '../sets/naming.ts';
import { formatDuration } from '../units.ts';
import { type CopiedSet, type CopyListener, copySet } from './copy-set.ts';
import { type FolderIds, isOurs, othersIn } from './folder-id.ts';
import { setFileAt } from './keys.ts';
import type { ObjectStore, ObjectTags, Removal } from './object-store.ts';
import { type OffsiteRules, type OffsiteTier, offsiteTierOf, planCopies, planOffsitePruning } from './plan-copies.ts';
import { contentsOf, type StoredPart, type StoredSet, storedSets } from './stored-sets.ts';

/** What is to be kept off-site in one run. The caller sees to it that no other run does the same meanwhile. */
export interface OffsiteRequest extends OffsiteRules {
  folderIds: FolderIds;
  prefix: string;
  environment: string;
  /** Public keys to encrypt plain sets to on their way; empty: they are copied as they are. */
  sealTo: readonly string[];
  /** The verified sets on the host. */
  sets: readonly VerifiedSet[];
  /** The set that this run took. */
  newest: BackupId;
  /** How many sets to copy at most. */
  most: number;
  /** Whether sets may be deleted that are no longer to be kept. */
  mayDelete: boolean;
  /** The files of a set: its `.sha256` list first, its manifest last. Ends after `timeout`. */
  read: (set: VerifiedSet) => AsyncIterable<IncomingFile>;
  /** How long one copy may take: milliseconds. */
  timeout: number;
  /** @param tier in which the bucket keeps the set for longest */
  tagsOf?: (set: VerifiedSet, tier: OffsiteTier) => ObjectTags;
  listener: (set: VerifiedSet) => CopyListener;
  /** Called for each copy as soon as it is whole: the run may be cancelled before the next one is. */
  onCopied?: (copy: CopiedSet) => Promise<void>;
  signal: AbortSignal;
}

export interface OffsiteOutcome {
  copied: CopiedSet[];
  deleted: BackupId[];
  /** Sets that were to be deleted, but are locked. */
  retained: BackupId[];
  /** Sets in the bucket that an earlier run did not encrypt, although this one encrypts. */
  plain: BackupId[];
  /** Sets in the bucket whose manifest the store does not give, and why. Nobody counts them, nobody deletes them. */
  unread: StoredPart[];
  /** One sentence on the copies that other backup folders made; null if there are none. */
  others: string | null;
  /** If there is any, nothing was deleted after it. */
  problems: Failure[];
}

/** Removes what interrupted runs left, copies what is missing, and deletes what is no longer to be kept. */
export async function keepOffsite(store: ObjectStore, request: OffsiteRequest): Promise<OffsiteOutcome> {
  const outcome: OffsiteOutcome = {
    copied: [],
    deleted: [],
    retained: [],
    plain: [],
    unread: [],
    others: null,
    problems: [],
  };
  const { prefix, environment, folderIds, signal, newest } = request;
  const noting = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!isFailure(error)) throw error;
      outcome.problems.push(error);
    }
  };

  await noting(async () => {
    const { sets: stored, parts } = await contentsOf(store, prefix, environment);
    outcome.unread = parts.filter(({ state }) => state === 'unread');
    await noting(() => abortUnfinished(store, request, stored));
    await noting(() => removeRemains(store, request, stored, parts));
    outcome.others = othersIn(stored, request);
    const ours = stored.filter((set) => isOurs(set.folderId, folderIds));
    if (request.sealTo.length > 0) outcome.plain = ours.filter(isPlain).map(({ id }) => id);
    // As far as anybody can tell, these sets are there: they are not copied again.
    const sets = request.sets.filter(({ id }) => !outcome.unread.some((part) => part.id === id));
    for (const set of planCopies(sets, stored, newest, request.most, request)) {
      const before = outcome.problems.length;
      const tier = offsiteTierOf(set, sets, stored, request);
      await noting(() => copyOne(store, request, set, tier, outcome));
      // Where the bucket fails, the others would fail as well; a damaged file on the host, or a copy in the way, is that set's alone.
      if (outcome.problems.slice(before).some((problem) => !isFailure(problem, 'copy-differs', 'copy-not-ours'))) break;
    }
  });
  if (request.mayDelete && outcome.problems.length === 0) await noting(() => prune(store, request, outcome, noting));
  return outcome;
}

/** Whether another backup folder copies to the same place. */
const isShared = (stored: readonly StoredSet[], folderIds: FolderIds) =>
  stored.some((set) => !isOurs(set.folderId, folderIds));

/** Nothing tells whose an upload is: where another backup folder copies to, it is ours only if the host has that set. */
async function abortUnfinished(
  store: ObjectStore,
  { prefix, environment, folderIds, sets }: OffsiteRequest,
  stored: readonly StoredSet[],
): Promise<void> {
  const shared = isShared(stored, folderIds);
  for await (const upload of store.unfinished(`${prefix}/${environment}/`)) {
    const file = setFileAt(prefix, environment, upload.key);
    if (file !== null && (!shared || sets.some(({ id }) => id === file.id))) await store.abort(upload);
  }
}

/**
 * A copy that was cut off has no manifest. Removing it is only sure to lose nothing if the host still has that set. If another backup
 * folder copies to the same place, it may be that folder's upload, still under way. Locked files stay.
 */
async function removeRemains(
  store: ObjectStore,
  { sets, folderIds }: OffsiteRequest,
  stored: readonly StoredSet[],
  parts: readonly StoredPart[],
): Promise<void> {
  if (isShared(stored, folderIds)) return;
  const remains = parts.filter(({ state, id }) => state === 'no-manifest' && sets.some((set) => set.id === id));
  for (const { id, files } of remains) demandRemoved(id, await store.remove(files.map(({ key }) => key)));
}

function demandRemoved(id: BackupId, removals: readonly Removal[]): void {
  const failed = removals.find(({ outcome }) => outcome === 'failed');
  if (failed === undefined) return;
  throw new Failure('bucket-unusable', `The copy of ${id} cannot be deleted: ${failed.reason}`, {
    ...(failed.hint !== null && { hint: failed.hint }),
  });
}

/** A lock may have kept the plain dump beside the encrypted one. */
const isPlain = ({ manifest, files }: StoredSet) =>
  manifest.encryption === 'none' ||
  files.some(({ name }) => parseSetFileName(name)?.part === 'dump' && !name.endsWith('.age'));

async function copyOne(
  store: ObjectStore,
  { prefix, environment, folderIds, sealTo, read, timeout, listener, tagsOf, onCopied }: OffsiteRequest,
  set: VerifiedSet,
  tier: OffsiteTier,
  outcome: OffsiteOutcome,
): Promise<void> {
  const tags = tagsOf === undefined ? {} : { tags: tagsOf(set, tier) };
  const target = { prefix, environment, folderIds, sealTo, manifest: set.manifest, ...tags };
  const begun = performance.now();
  const copy = await copySet(store, target, read(set), listener(set)).catch((error: unknown) => {
    // The host was only waiting: it sends as fast as the store takes it.
    if (!isFailure(error, 'deadline', 'host-silent') || performance.now() - begun < timeout) throw error;
    throw new Failure('deadline', `Copying ${set.id} to the bucket took longer than ${formatDuration(timeout)}`, {
      hint: 'Raise "timeout", or find out what slows down the connection to the store',
      cause: error,
    });
  });
  outcome.copied.push(copy);
  await onCopied?.(copy);
}

/** @param noting what fails for one set, and goes on with the next */
async function prune(
  store: ObjectStore,
  request: OffsiteRequest,
  outcome: OffsiteOutcome,
  noting: (work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const stored = await storedSets(store, request.prefix, request.environment);
  for (const { id, keep } of planOffsitePruning(stored, request)) {
    const set = stored.find((each) => each.id === id);
    if (keep || set === undefined) continue;
    await noting(async () => {
      const fate = await removeSet(store, set);
      outcome[fate].push(id);
    });
  }
}

/**
 * All of a set, or nothing: where one file is locked, the others stay beside it. The manifest goes last: without it, what is left of
 * a deletion that was broken off would be nobody's, and stay for ever.
 */
async function removeSet(store: ObjectStore, { files, id }: StoredSet): Promise<'deleted' | 'retained'> {
  const { manifests = [], others = [] } = Object.groupBy(files, ({ name }) =>
    parseSetFileName(name)?.part === 'manifest' ? 'manifests' : 'others',
  );
  const keysOf = (some: StoredSet['files']) => some.map(({ key }) => key);
  const facts = await Promise.all(files.map(({ key }) => store.facts(key)));
  if (facts.some((each) => each?.lockedUntil)) return 'retained';
  const first = await store.remove(keysOf(others));
  const removals = first.every(({ outcome }) => outcome === 'deleted')
    ? [...first, ...(await store.remove(keysOf(manifests)))]
    : first;
  demandRemoved(id, removals);
  return removals.some(({ outcome }) => outcome === 'retained') ? 'retained' : 'deleted';
}
