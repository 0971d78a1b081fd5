import { text } from 'node:stream/consumers';
import { isFailure } from '../failure.ts';
import { newestFirst } from '../sets/catalogue.ts';
import type { BackupId, ManifestSummary } from '../sets/manifest.ts';
import { parseSetFileName, setFileNames } from '../sets/naming.ts';
import { longestManifest, readSummary } from '../sets/read-manifest.ts';
import { sidesOf } from '../sets/read-sets.ts';
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
  /** All of its files that are there, in the order of names. */
  files: StoredFile[];
  /** Every file of it is there, and the dump has the size that the manifest says. */
  isComplete: boolean;
  /** Why not, one line each. */
  faults: string[];
}

/** How many manifests to read at one time. */
const atOnce = 8;

/**
 * The sets of an environment in the bucket, newest first. What is not a set with a manifest of ours is left out: nobody counts
 * it, nobody deletes it.
 */
export async function storedSets(store: ObjectStore, prefix: string, environment: string): Promise<StoredSet[]> {
  const root = `${prefix}/${environment}/`;
  const found = new Map<BackupId, StoredFile[]>();
  for await (const { key, bytes } of store.list(root)) {
    const [id = '', name = '', ...deeper] = key.slice(root.length).split('/');
    const parsed = parseSetFileName(name);
    if (deeper.length > 0 || parsed === null || parsed.id !== id || parsed.prefix === 'failed') continue;
    const files = found.get(id) ?? [];
    files.push({ name, key, bytes });
    found.set(id, files);
  }
  const sets: StoredSet[] = [];
  const all = [...found];
  for (let at = 0; at < all.length; at += atOnce) {
    const portion = all.slice(at, at + atOnce);
    const read = await Promise.all(portion.map(([id, files]) => storedSet(store, environment, id, files)));
    sets.push(...read.filter((set) => set !== null));
  }
  return sets.toSorted((a, b) => newestFirst(a.id, b.id));
}

async function storedSet(
  store: ObjectStore,
  environment: string,
  id: BackupId,
  files: StoredFile[],
): Promise<StoredSet | null> {
  const file = files.find(({ name }) => parseSetFileName(name)?.part === 'manifest');
  if (file === undefined || file.bytes > longestManifest) return null;
  const content = await store.read(file.key);
  if (content === null) return null;
  const manifest = summaryOf(await text(content));
  if (manifest === null || manifest.id !== id || manifest.environment !== environment) return null;
  const faults = faultsOf(manifest, files);
  return { id, database: manifest.database, manifest, files, isComplete: faults.length === 0, faults };
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
export function faultsOf(manifest: ManifestSummary, files: readonly StoredFile[]): string[] {
  const { id, database } = manifest;
  const names = setFileNames(parseSetFileName(manifest.file)?.prefix ?? 'backup', id, manifest);
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
