import { createHash } from 'node:crypto';
import type { Connection } from '../host/connection.ts';
import type { Program } from '../host/program.ts';
import { moves } from './moving-tag.ts';
import type { Release } from './release.ts';

/** Which images get a name of ours, so that `docker image prune` spares them. */
export interface KeptImages {
  /** Whose the names are: eight hex digits. */
  keeper: string;
  /** Ids. */
  kept: readonly string[];
  /** Ids of images that may have had such a name and need it no more. */
  released: readonly string[];
}

/** Of so many of the newest different releases, the history's images keep their names. */
const keptReleases = 10;
/** How many ids the host is given, the newest first: older ones lost their names in earlier runs. */
const mostReleased = 500;

/**
 * Decides from the history, so that the names do not become more and more.
 * @param now ids of images to keep in any case
 * @param releases those of the history, the newest last
 */
export function keptImages(backupDir: string, now: readonly string[], releases: readonly Release[]): KeptImages {
  const different = new Map<string, string[]>();
  for (const release of releases.toReversed()) {
    const ids = Object.values(release).flatMap(({ imageId }) => imageId ?? []);
    if (ids.length > 0) different.set(ids.toSorted().join(), ids);
  }
  const newest = new Set([...now, ...[...different.values()].slice(0, keptReleases).flat()]);
  const older = [...different.values()].flat().filter((id) => !newest.has(id));
  return {
    keeper: createHash('sha256').update(backupDir).digest('hex').slice(0, 8),
    kept: [...new Set(now)],
    released: [...new Set(older)].slice(0, mostReleased),
  };
}

/** The images that lose their only name when the next release comes: those whose tag moves, or that have none. */
export function losingTheirName(release: Release): string[] {
  const losing = Object.values(release).filter(({ tag }) => tag === null || moves(tag));
  return [...new Set(losing.flatMap(({ imageId }) => imageId ?? []))];
}

export const program: Program<{ keeper: string; kept: readonly string[]; released: readonly string[] }> = {
  name: 'keep-images',
  step: 'the protection of images',
  scripts: [new URL('./keep.sh', import.meta.url), new URL('./keep-images.sh', import.meta.url)],
};

/** Gives and takes the names. @returns ids that could not be given one */
export async function keepImages(
  connection: Connection,
  { keeper, kept, released }: KeptImages,
  onLog: (line: string) => void,
): Promise<string[]> {
  const run = connection.run(program, { keeper, kept, released }, { deadline: 60_000, atEnd: 'end', onLog });
  return (await run.result).all('not-kept');
}
