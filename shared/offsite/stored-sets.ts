import { text } from 'node:stream/consumers';
import { isFailure } from '../failure.ts';
import { newestFirst } from '../sets/catalogue.ts';
import type { BackupId, ManifestSummary } from '../sets/manifest.ts';
import { parseSetFileName } from '../sets/naming.ts';
import { longestManifest, readSummary } from '../sets/read-manifest.ts';
import { namesOf, sidesOf } from '../sets/read-sets.ts';
import { ObjectFailure } from './bucket-failure.ts';
import { folderIdIn } from './folder-id.ts';
import { setFileAt } from './keys.ts';
import type { ObjectStore } from './object-store.ts';

export interface StoredFile {
  /** Bare. */
  name: string;
  key: string;
  bytes: number;
}

/** A set in the bucket whose manifest is ours. */
export interface StoredSet {
  id: BackupId;
  database: string;
  manifest: ManifestSummary;
  /** Of the backup folder that it is from; null if none is noted. Untrusted. */
  folderId: string | null;
  /** All of its files that are there, in the order of names. */
  files: StoredFile[];
  /** Every file of it is there, and the dump has the size that the manifest says. */
  isComplete: boolean;
  /** Why not, one line each. */
  faults: string[];
}

/** Files that form no set of ours: their upload was cut off or is still under way, or their manifest is not ours, or cannot be read. */
export interface StoredPart {
  id: BackupId;
  files: StoredFile[];
  /** `unread`: there is a manifest, but the store does not give it. `foreign`: it is none of ours. */
  state: 'no-manifest' | 'unread' | 'foreign';
  /** As in "20261125_021700: it has no manifest". */
  why: string;
}

/** What lies in the bucket for one environment, newest first. */
export interface BucketContents {
  sets: StoredSet[];
  /** Nobody counts them, nobody deletes them. */
  parts: StoredPart[];
}

/** How many manifests to read at one time. */
const atOnce = 8;

/** The sets of an environment in the bucket that have a manifest of ours, newest first. */
export async function storedSets(store: ObjectStore, prefix: string, environment: string): Promise<StoredSet[]> {
  return (await contentsOf(store, prefix, environment)).sets;
}

export async function contentsOf(store: ObjectStore, prefix: string, environment: string): Promise<BucketContents> {
  const found = new Map<BackupId, StoredFile[]>();
  for await (const { key, bytes } of store.list(`${prefix}/${environment}/`)) {
    const file = setFileAt(prefix, environment, key);
    if (file === null) continue;
    found.set(file.id, [...(found.get(file.id) ?? []), { name: file.name, key, bytes }]);
  }
  const contents: BucketContents = { sets: [], parts: [] };
  const all = [...found].toSorted(([a], [b]) => newestFirst(a, b));
  for (let at = 0; at < all.length; at += atOnce) {
    const portion = all.slice(at, at + atOnce);
    const read = portion.map(([id, files]) => storedSet(store, environment, id, files));
    for (const set of await Promise.all(read)) {
      if ('state' in set) contents.parts.push(set);
      else contents.sets.push(set);
    }
  }
  return contents;
}

/** The set; or why these files are none. */
async function storedSet(
  store: ObjectStore,
  environment: string,
  id: BackupId,
  files: StoredFile[],
): Promise<StoredSet | StoredPart> {
  const file = files.find(({ name }) => parseSetFileName(name)?.part === 'manifest');
  const part = (state: StoredPart['state'], why: string): StoredPart => ({ id, files, state, why });
  const foreign = (why: string) => part('foreign', why);
  if (file === undefined) return part('no-manifest', 'it has no manifest');
  if (file.bytes > longestManifest) return foreign('its manifest is too large to be one of ours');
  const stored = await store.read(file.key).catch((error: unknown) => {
    if (error instanceof ObjectFailure) return error;
    throw error;
  });
  if (stored === null) return foreign('its manifest was deleted just now');
  if (stored instanceof ObjectFailure) return part('unread', `its manifest cannot be read. ${stored.message}`);
  const manifest = summaryOf(await text(stored.content));
  if (manifest === null) return foreign('its manifest is none of ours, or damaged');
  if (manifest.id !== id || manifest.environment !== environment)
    return foreign('its manifest is that of another backup');
  const faults = faultsOf(manifest, files);
  const folderId = folderIdIn(stored.metadata);
  return { id, database: manifest.database, manifest, folderId, files, isComplete: faults.length === 0, faults };
}

function summaryOf(json: string): ManifestSummary | null {
  try {
    return readSummary(json);
  } catch (error) {
    if (isFailure(error)) return null;
    throw error;
  }
}

/** What is missing or has another size than the manifest says. */
function faultsOf(manifest: ManifestSummary, files: readonly StoredFile[]): string[] {
  const { id, database } = manifest;
  const names = namesOf({ manifest });
  const sides = sidesOf({ state: 'verified', id, database, manifest, folders: [] });
  const wanted = [
    names.dump,
    ...sides.map((side) => names[side]),
    names.report,
    names.sha256,
    names.md5,
    names.manifest,
  ];
  return wanted.flatMap((name) => {
    const file = files.find((each) => each.name === name);
    if (file === undefined) return [`${name} is missing`];
    if (file.bytes === 0) return [`${name} is empty`];
    if (name === names.dump && file.bytes !== manifest.sizeBytes) {
      return [`${name} has ${file.bytes} bytes, but its manifest says ${manifest.sizeBytes}`];
    }
    return [];
  });
}
