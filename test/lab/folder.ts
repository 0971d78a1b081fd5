import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/**
 * What the lab keeps between runs, so that only the first one waits for the engine's images. It is no `os.tmpdir()`,
 * which some systems keep in memory and empty at each boot.
 */
export const labFolder = process.env['ATLASIA_LAB'] ?? join('/var/tmp', `atlasia-lab-${userInfo().username}`);

/** A folder within the lab's; made where it is missing. The host's user may look into it. */
export function folder(...names: string[]): string {
  const path = join(labFolder, ...names);
  mkdirSync(path, { recursive: true, mode: 0o755 });
  return path;
}

const temporaryFolders = new Set<string>();

/** A new folder that goes when this process ends. Its path is short, as those of sockets have to be. */
export function temporaryFolder(name: string): string {
  if (temporaryFolders.size === 0) process.once('exit', removeTemporaryFolders);
  const path = mkdtempSync(join(tmpdir(), `${name}-`));
  temporaryFolders.add(path);
  return path;
}

function removeTemporaryFolders(): void {
  for (const path of temporaryFolders) rmSync(path, { recursive: true, force: true });
}

/** Does something that no other user of the lab does meanwhile. The kernel frees the lock, also after a kill. */
export async function alone<T>(subject: string, work: () => Promise<T>): Promise<T> {
  const release = await hold(subject);
  try {
    return await work();
  } finally {
    await release();
  }
}

/** Waits until no other user of the lab holds it; then this process does, until it is released or ends. */
export async function hold(subject: string): Promise<() => Promise<void>> {
  const lock = join(folder('locks'), subject);
  const holder = spawn('flock', [lock, 'sh', '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(holder, 'exit');
  await Promise.race([once(holder.stdout, 'data'), ended]);
  return async () => {
    holder.stdin.end();
    await ended;
  };
}
