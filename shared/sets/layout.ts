import type { BackupKind } from './manifest.ts';

// The layout of the backup folder: tiers, their folders and their prefixes. Programs on the host that handle tiers get it as a
// parameter.

/** A reason to keep a set: as one of the daily backups, one of the weekly ones, and so on. */
export type Tier = 'daily' | 'weekly' | 'monthly' | 'predeployment' | 'prerollback';

/** The folders of the backup directory. */
export type Folder = 'daily' | 'weekly' | 'monthly' | 'predeployment' | 'rollback' | 'failed';

/** How the file names of a set begin: an ordinary backup, one taken before a rollback, one that failed verification. */
export type SetPrefix = 'backup' | 'prerollback' | 'failed';

interface Shelf {
  folder: Folder;
  prefix: SetPrefix;
  /** `flat`: the files of all sets side by side; `nested`: one folder for each set. */
  place: 'flat' | 'nested';
}

const shelves: Record<Tier, Shelf> = {
  daily: { folder: 'daily', prefix: 'backup', place: 'flat' },
  weekly: { folder: 'weekly', prefix: 'backup', place: 'flat' },
  monthly: { folder: 'monthly', prefix: 'backup', place: 'flat' },
  predeployment: { folder: 'predeployment', prefix: 'backup', place: 'nested' },
  prerollback: { folder: 'rollback', prefix: 'prerollback', place: 'flat' },
};

/** Holds the last dump that failed its verification. */
const failed: Shelf = { folder: 'failed', prefix: 'failed', place: 'flat' };

export const allTiers = Object.keys(shelves) as readonly Tier[];

export const allFolders: readonly Folder[] = [...allTiers.map(folderOfTier), failed.folder];

/** The folder that holds the sets of a tier. */
export function folderOfTier(tier: Tier): Folder {
  return shelves[tier].folder;
}

/** The tier that a set of this kind is put into first. */
export function homeOf(kind: BackupKind): { folder: Folder; prefix: SetPrefix } {
  return shelves[kind === 'prerollback' ? 'prerollback' : 'daily'];
}

/** The prefix of the file names in a folder. */
export function prefixIn(folder: Folder): SetPrefix {
  return shelfOf(folder).prefix;
}

/** The path of a set's files in a folder, relative to the backup directory. */
export function placeIn(folder: Folder, id: string): string {
  return shelfOf(folder).place === 'nested' ? `${folder}/${id}` : folder;
}

/** The layout for programs on the host: `FOLDER PREFIX flat|nested|aside`, one line each. */
export const layoutLines: readonly string[] = [
  ...Object.values(shelves).map(({ folder, prefix, place }) => `${folder} ${prefix} ${place}`),
  `${failed.folder} ${failed.prefix} aside`,
];

function shelfOf(folder: Folder): Shelf {
  return Object.values(shelves).find((shelf) => shelf.folder === folder) ?? failed;
}
