import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// The key of a cache says where the newest artifact is. The content of a cache is never unpacked: any job of the main branch
// can write one, and its files could overwrite files of this job, which has the keys of production.

/** The id of the artifact to which the newest cache points; null if there is none. @param name of the artifact */
export async function findPointer(name: string): Promise<number | null> {
  const { isFeatureAvailable, restoreCache } = await import('@actions/cache');
  if (!isFeatureAvailable()) return null;
  const key = await restoreCache([storedPath()], prefixOf(name), [prefixOf(name)], { lookupOnly: true });
  return key === undefined ? null : pointerIn(key, name);
}

/**
 * Lets later runs find the artifact at once.
 * @returns false if it could not be saved; true too if the runner has no cache
 * @param run `<run id>-<attempt>`; caches cannot change, so each run has its own
 */
export async function savePointer(name: string, run: string, artifactId: number): Promise<boolean> {
  const { isFeatureAvailable, saveCache } = await import('@actions/cache');
  if (!isFeatureAvailable()) return true;
  const path = storedPath();
  mkdirSync(path, { recursive: true });
  try {
    // The library only warns where it fails.
    return (await saveCache([path], `${prefixOf(name)}${run}-${artifactId}`)) !== -1;
  } finally {
    rmSync(path, { recursive: true });
  }
}

/** The artifact's id in the key of a cache; null if the key is not ours. */
export function pointerIn(key: string, name: string): number | null {
  const prefix = prefixOf(name);
  const id = key.startsWith(prefix) ? /^\d{1,20}-\d{1,6}-(\d{1,15})$/.exec(key.slice(prefix.length))?.[1] : undefined;
  return id === undefined ? null : Number(id);
}

/** Names of artifacts contain no slash, so no environment's prefix is the beginning of another's. */
function prefixOf(name: string): string {
  return `${name}/`;
}

/** GitHub finds a cache only by the same path. All of GitHub's own runners have the same one; others may find nothing. */
function storedPath(): string {
  return join(process.env['RUNNER_TEMP'] ?? tmpdir(), 'deployment-history-pointer');
}
