import { Failure, isFailure } from '../failure.ts';
import type { IncomingFile } from '../host/incoming-files.ts';
import type { VerifiedSet } from '../sets/catalogue.ts';
import type { BackupId } from '../sets/manifest.ts';
import { parseSetFileName } from '../sets/naming.ts';
import { type CopiedSet, type CopyListener, copySet } from './copy-set.ts';
import { type FolderIds, isOurs, othersIn } from './folder-id.ts';
import { setFileAt } from './keys.ts';
import type { ObjectStore, ObjectTags } from './object-store.ts';
import { type OffsiteRules, planCopies, planOffsitePruning } from './plan-copies.ts';
import { type StoredSet, storedSets } from './stored-sets.ts';

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
  /** The files of a set: its `.sha256` list first, its manifest last. */
  read: (set: VerifiedSet) => AsyncIterable<IncomingFile>;
  tagsOf?: (set: VerifiedSet) => ObjectTags;
  listener: (set: VerifiedSet) => CopyListener;
  signal: AbortSignal;
}

export interface OffsiteOutcome {
  copied: CopiedSet[];
  deleted: BackupId[];
  /** Sets that were to be deleted, but are locked. */
  retained: BackupId[];
  /** Sets in the bucket that an earlier run did not encrypt, although this one encrypts. */
  plain: BackupId[];
  /** One sentence on the copies that other backup folders made; null if there are none. */
  others: string | null;
  /** If there is any, nothing was deleted after it. */
  problems: Failure[];
}

/** Removes what interrupted runs left, copies what is missing, and deletes what is no longer to be kept. */
export async function keepOffsite(store: ObjectStore, request: OffsiteRequest): Promise<OffsiteOutcome> {
  const outcome: OffsiteOutcome = { copied: [], deleted: [], retained: [], plain: [], others: null, problems: [] };
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
    const stored = await storedSets(store, prefix, environment);
    await noting(() => abortUnfinished(store, request, stored));
    outcome.others = othersIn(stored, request);
    const ours = stored.filter((set) => isOurs(set.folderId, folderIds));
    if (request.sealTo.length > 0)
      outcome.plain = ours.filter(({ manifest }) => manifest.encryption === 'none').map(({ id }) => id);
    for (const set of planCopies(request.sets, stored, newest, request.most, request)) {
      const before = outcome.problems.length;
      await noting(() => copyOne(store, request, set, outcome));
      // Where the bucket fails, the others would fail as well; a damaged file on the host, or a copy in the way, is that set's alone.
      if (outcome.problems.slice(before).some((problem) => !isFailure(problem, 'copy-differs', 'copy-not-ours'))) break;
    }
  });
  if (request.mayDelete && outcome.problems.length === 0) await noting(() => prune(store, request, outcome));
  return outcome;
}

/** Nothing tells whose an upload is: where another backup folder copies to, it is ours only if the host has that set. */
async function abortUnfinished(
  store: ObjectStore,
  { prefix, environment, folderIds, sets }: OffsiteRequest,
  stored: readonly StoredSet[],
): Promise<void> {
  const isShared = stored.some((set) => !isOurs(set.folderId, folderIds));
  for await (const upload of store.unfinished(`${prefix}/${environment}/`)) {
    const file = setFileAt(prefix, environment, upload.key);
    if (file !== null && (!isShared || sets.some(({ id }) => id === file.id))) await store.abort(upload);
  }
}

async function copyOne(
  store: ObjectStore,
  { prefix, environment, folderIds, sealTo, read, listener, tagsOf }: OffsiteRequest,
  set: VerifiedSet,
  outcome: OffsiteOutcome,
): Promise<void> {
  const tags = tagsOf === undefined ? {} : { tags: tagsOf(set) };
  const target = { prefix, environment, folderIds, sealTo, manifest: set.manifest, ...tags };
  outcome.copied.push(await copySet(store, target, read(set), listener(set)));
}

async function prune(store: ObjectStore, request: OffsiteRequest, outcome: OffsiteOutcome): Promise<void> {
  const stored = await storedSets(store, request.prefix, request.environment);
  for (const { id, keep } of planOffsitePruning(stored, request)) {
    const set = stored.find((each) => each.id === id);
    if (keep || set === undefined) continue;
    const fate = await removeSet(store, set);
    if (fate === 'deleted') outcome.deleted.push(id);
    else if (fate === 'retained') outcome.retained.push(id);
    else outcome.problems.push(fate);
  }
}

/** The manifest goes last: without it, what is left of a deletion that was broken off would be nobody's, and stay for ever. */
async function removeSet(store: ObjectStore, { files, id }: StoredSet): Promise<'deleted' | 'retained' | Failure> {
  const { manifests = [], others = [] } = Object.groupBy(files, ({ name }) =>
    parseSetFileName(name)?.part === 'manifest' ? 'manifests' : 'others',
  );
  const keysOf = (some: StoredSet['files']) => some.map(({ key }) => key);
  for (const { key } of manifests) if ((await store.facts(key))?.lockedUntil) return 'retained';
  const first = await store.remove(keysOf(others));
  const removals = first.every(({ outcome }) => outcome === 'deleted')
    ? [...first, ...(await store.remove(keysOf(manifests)))]
    : first;
  const failed = removals.find(({ outcome }) => outcome === 'failed');
  if (failed !== undefined) {
    return new Failure('bucket-unusable', `The copy of ${id} cannot be deleted: ${failed.reason}`, {
      hint: 'Grant that login s3:DeleteObject on the bucket',
    });
  }
  return removals.some(({ outcome }) => outcome === 'retained') ? 'retained' : 'deleted';
}
