import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// A cache says where the newest artifact is by its key alone. What it holds is never unpacked: any job of the main branch
// can write a cache, and what is unpacked could overwrite files of this one, which has the keys of production.

/** The id of the artifact that the newest cache points at; null where there is none. @param name of the artifact */
export async function findPointer(name: string): Promise<number | null> {
  const { isFeatureAvailable, restoreCache } = await import('@actions/cache');
  if (!isFeatureAvailable()) return null;
  const key = await restoreCache([storedPath()], prefixOf(name), [prefixOf(name)], { lookupOnly: true });
  return key === undefined ? null : pointerIn(key, name);
}

/** Lets later runs find the artifact at once. @param run `<run id>-<attempt>`: a cache cannot be changed, so each has its own */
export async function savePointer(name: string, run: string, artifactId: number): Promise<void> {
  const { isFeatureAvailable, saveCache } = await import('@actions/cache');
  if (!isFeatureAvailable()) return;
  const path = storedPath();
  mkdirSync(path, { recursive: true });
  try {
    await saveCache([path], `${prefixOf(name)}${run}-${artifactId}`);
  } finally {
    rmSync(path, { recursive: true });
  }
}

/** The artifact's id in the key of a cache; null where the key is none of ours. */
export function pointerIn(key: string, name: string): number | null {
  const prefix = prefixOf(name);
  const id = key.startsWith(prefix) ? /^\d{1,20}-\d{1,6}-(\d{1,15})$/.exec(key.slice(prefix.length))?.[1] : undefined;
  return id === undefined ? null : Number(id);
}

/** No name of an artifact has a slash, so no environment's prefix begins another's. */
function prefixOf(name: string): string {
  return `${name}/`;
}

/** Caches are found by the path of what they hold too. GitHub's own runners all have the same; others may miss. */
function storedPath(): string {
  return join(process.env['RUNNER_TEMP'] ?? tmpdir(), 'deployment-history-pointer');
}
