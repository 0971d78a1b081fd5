import { listed } from '../units.ts';
import type { ObjectMetadata } from './object-store.ts';
import type { StoredSet } from './stored-sets.ts';

/** By which the manifest's object says from which backup folder a copy is: in its metadata, as its bytes are the host's. */
const noted = 'folder';

/** The folder's own id, and those of folders whose copies it has taken over. */
export type FolderIds = readonly [own: string, ...takenOver: string[]];

export const metadataOf = ([own]: FolderIds): ObjectMetadata => ({ [noted]: own });

/** The id of the backup folder that a copy is from; null if none is noted, as of one that was copied by hand. */
export const folderIdIn = (metadata: ObjectMetadata): string | null => metadata[noted] ?? null;

/** Whether a copy counts as this backup folder's. It does unless both have an id, and these differ. */
export function isOurs(noted: string | null, folderIds: readonly string[]): boolean {
  return folderIds.length === 0 || noted === null || folderIds.includes(noted);
}

/** One sentence on the copies of a database that other backup folders made; null if there are none. */
export function othersIn(
  stored: readonly Pick<StoredSet, 'database' | 'folderId'>[],
  { database, folderIds }: { database: string; folderIds: readonly string[] },
): string | null {
  const others = stored.filter((set) => set.database === database && !isOurs(set.folderId, folderIds));
  if (others.length === 0) return null;
  const ids = [...new Set(others.map((set) => set.folderId ?? ''))];
  const who = ids.length === 1 ? 'another backup folder' : `${ids.length} other backup folders`;
  const [copies, are] = others.length === 1 ? ['a copy', 'it is'] : [`${others.length} copies`, 'they are'];
  return `The bucket also holds ${copies} of "${database}" that ${who} made (${listed(ids, 3)}); ${are} left alone. Give each host an "s3-prefix" of its own; if this host replaces a lost one, add that id to ".folder-id" in its backup folder to take the copies over`;
}
