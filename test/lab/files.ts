import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';

/** A file or folder as it was found: two listings are equal where nothing was touched. */
export interface FileFact {
  /** Relative to the folder that was listed. */
  path: string;
  type: 'file' | 'folder' | 'link' | 'other';
  /** As `ls` counts it: 0o600. */
  mode: number;
  uid: number;
  inode: number;
  links: number;
  size: number;
  modified: number;
  /** Of a file's bytes; a link's target; else empty. */
  content: string;
}

/** All that is in a folder, deep, sorted by path; nothing where there is no such folder. */
export function filesIn(folder: string): FileFact[] {
  return entries(folder).sort((one, other) => (one.path < other.path ? -1 : 1));
}

function entries(folder: string, prefix = ''): FileFact[] {
  return namesIn(join(folder, prefix)).flatMap((name) => {
    const path = join(prefix, name);
    const fact = factOf(folder, path);
    if (fact === undefined) return [];
    return fact.type === 'folder' ? [fact, ...entries(folder, path)] : [fact];
  });
}

/** Nothing where the file went away meanwhile. */
function factOf(folder: string, path: string): FileFact | undefined {
  const absolute = join(folder, path);
  try {
    const stats = lstatSync(absolute);
    const type = typeOf(stats);
    return {
      path,
      type,
      mode: stats.mode & 0o7777,
      uid: stats.uid,
      inode: stats.ino,
      links: stats.nlink,
      size: type === 'folder' ? 0 : stats.size,
      modified: stats.mtimeMs,
      content: contentOf(absolute, type),
    };
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function typeOf(stats: Stats): FileFact['type'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

function contentOf(path: string, type: FileFact['type']): string {
  if (type === 'file') return createHash('sha256').update(readFileSync(path)).digest('hex');
  return type === 'link' ? readlinkSync(path) : '';
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
