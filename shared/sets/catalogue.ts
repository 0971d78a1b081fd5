import { byText } from '../by-text.ts';
import { isFailure } from '../failure.ts';
import { allFolders, type Folder, placeIn, prefixIn, type SetPrefix } from './layout.ts';
import type { BackupId, ManifestSummary } from './manifest.ts';
import { isPartialName, parseSetFileName, setFileNames } from './naming.ts';
import { readSummary } from './read-manifest.ts';

/** A file as the survey found it. */
export interface FoundFile {
  /** Below the backup directory: `daily/backup_<id>.dump.zst`, `predeployment/<id>/backup_<id>.dump.zst`. */
  path: string;
  bytes: number;
}

/** A set whose dump is present and has the size given in its manifest. */
export interface VerifiedSet {
  state: 'verified';
  id: BackupId;
  database: string;
  manifest: ManifestSummary;
  /** The folders that hold it (by hard links to the same files), in the order of `Folder`. */
  folders: Folder[];
}

/** A set that nobody should rely on. It is never counted and never deleted. */
export interface BrokenSet {
  state: 'broken';
  id: BackupId;
  /** null if the manifest does not say. */
  database: string | null;
  manifest: ManifestSummary | null;
  folders: Folder[];
  /** As in "broken: <reason>". */
  reason: string;
}

export type BackupSet = VerifiedSet | BrokenSet;

/** Everything in the backup directory. */
export interface Catalogue {
  /** Newest first. A set that is intact in one folder and damaged in another is listed once for each. */
  sets: BackupSet[];
  /** Ids of dumps that failed their verification when they were taken, newest first. */
  failed: BackupId[];
  /** Left behind by interrupted runs. */
  partial: FoundFile[];
  /** Not ours, or without a manifest: shown, never touched. */
  foreign: FoundFile[];
}

/** What the rollback folder holds besides sets. */
const rollbackRecords = /^rollback\/(deployment_tags\.log|history\.jsonl|HOLD|(compose|transactions)(\/.+)?)$/;

/**
 * Sorts the files that the survey found into sets and others.
 *
 * @param files every file in these folders.
 * @param manifestTexts by path, the parts of the `*.manifest.json` files that make up a summary. Untrusted.
 */
export function catalogueOf(files: readonly FoundFile[], manifestTexts: ReadonlyMap<string, string>): Catalogue {
  const copies = new Map<string, Copy>();
  const failed = new Set<BackupId>();
  const partial: FoundFile[] = [];
  const foreign: FoundFile[] = [];

  for (const file of files) {
    const place = placeOf(file);
    if (place === 'partial') partial.push(file);
    else if (place === 'foreign') foreign.push(file);
    else if (place === 'record') continue;
    else if (place.folder === 'failed') failed.add(place.id);
    else {
      const key = `${place.folder}/${place.id}`;
      const copy = copies.get(key) ?? { ...place, files: [] };
      copy.files.push(file);
      copies.set(key, copy);
    }
  }

  const sets = new Map<string, BackupSet>();
  for (const copy of [...copies.values()].toSorted(byFolder)) {
    const manifestFile = copy.files.find((file) => parseSetFileName(bareName(file.path))?.part === 'manifest');
    // The manifest is put into place last, so files without one are not a set.
    if (manifestFile === undefined) foreign.push(...copy.files);
    else {
      const manifestText = manifestTexts.get(manifestFile.path);
      add(sets, judge(copy, manifestText), manifestText);
    }
  }
  return {
    sets: [...sets.values()].toSorted((a, b) => newestFirst(a.id, b.id)),
    failed: [...failed].toSorted(newestFirst),
    partial,
    foreign,
  };
}

/** The verified sets of one database, newest first. */
export function verifiedSetsOf(database: string, sets: readonly BackupSet[]): VerifiedSet[] {
  return sets.filter((set) => set.state === 'verified').filter((set) => set.database === database);
}

/** The paths of the folders that hold a set, relative to the backup directory, in the order of `folders`. */
export function pathsOf({ id, folders }: BackupSet): string[] {
  return folders.map((folder) => placeIn(folder, id));
}

/** The first of those places. */
export function pathOf(set: BackupSet): string {
  return pathsOf(set)[0] ?? 'daily';
}

/** Compares ids. An id is a time, so sorting the text sorts by time. */
export function newestFirst(a: BackupId, b: BackupId): number {
  return byText(b, a);
}

/** A set's files in one folder. */
interface Copy {
  folder: Folder;
  prefix: SetPrefix;
  id: BackupId;
  files: FoundFile[];
}

function bareName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A name counts only in its own folder: a `prerollback_` file in daily is foreign. */
function placeOf({ path }: FoundFile): Omit<Copy, 'files'> | 'partial' | 'record' | 'foreign' {
  if (path.split('/').some(isPartialName)) return 'partial';
  if (rollbackRecords.test(path)) return 'record';
  const bare = bareName(path);
  const parsed = parseSetFileName(bare);
  const folder = allFolders.find((known) => path.startsWith(`${known}/`));
  if (parsed === null || folder === undefined) return 'foreign';
  const { prefix, id } = parsed;
  const expected = `${placeIn(folder, id)}/${bare}`;
  return prefix === prefixIn(folder) && path === expected ? { folder, prefix, id } : 'foreign';
}

function judge(copy: Copy, manifestText: string | undefined): BackupSet {
  const broken = (reason: string, manifest: ManifestSummary | null): BrokenSet => ({
    state: 'broken',
    id: copy.id,
    database: manifest?.database ?? null,
    manifest,
    folders: [copy.folder],
    reason,
  });

  if (manifestText === undefined) return broken('its manifest could not be read', null);
  const manifest = manifestOrReason(manifestText);
  if (typeof manifest === 'string') return broken(`its manifest ${manifest}`, null);
  if (manifest.id !== copy.id) return broken(`its manifest belongs to ${manifest.id}`, manifest);
  const { dump } = setFileNames(copy.prefix, copy.id, manifest);
  if (manifest.file !== dump) return broken(`its manifest names ${manifest.file} instead of ${dump}`, manifest);
  const file = copy.files.find((found) => bareName(found.path) === dump);
  if (file === undefined) return broken(`${dump} is missing`, manifest);
  if (file.bytes !== manifest.sizeBytes) {
    const size = file.bytes === 0 ? 'is empty' : `has ${file.bytes} bytes`;
    return broken(`${dump} ${size}, but its manifest says ${manifest.sizeBytes}`, manifest);
  }
  return { state: 'verified', id: copy.id, database: manifest.database, manifest, folders: [copy.folder] };
}

function manifestOrReason(text: string): ManifestSummary | string {
  try {
    return readSummary(text);
  } catch (error) {
    if (isFailure(error)) return error.message;
    throw error;
  }
}

/** Copies with the same manifest and the same verdict are one set in several folders. */
function add(sets: Map<string, BackupSet>, set: BackupSet, manifestText: string | undefined): void {
  const key = JSON.stringify([set.id, set.state === 'broken' ? set.reason : null, manifestText ?? null]);
  const known = sets.get(key);
  if (known === undefined) sets.set(key, set);
  else known.folders.push(...set.folders);
}

function byFolder(a: Copy, b: Copy): number {
  return allFolders.indexOf(a.folder) - allFolders.indexOf(b.folder);
}
