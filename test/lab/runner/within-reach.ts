import { chmodSync, copyFileSync, cpSync, existsSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { run } from '../command.ts';
import { alone, folder, temporaryFolder } from '../folder.ts';

// Another user of the machine may not be able to enter our folder, nor the one with our Node, as where this is a clone in
// root's home. What such a user is to run is copied to where everybody can read.

const copies = new Map<string, Promise<string>>();

/** A program whose folder has all that it needs; this process makes one copy of that folder, which goes with it. */
export async function programWithinReach(program: string): Promise<string> {
  const source = dirname(program);
  const copy = copies.get(source) ?? copyOf(source);
  copies.set(source, copy);
  return join(await copy, basename(program));
}

/** The Node that runs this; the lab keeps it, as it does images. */
export async function nodeWithinReach(): Promise<string> {
  const kept = join(folder('node'), process.version);
  if (existsSync(kept)) return kept;
  await alone('node', async () => {
    copyFileSync(process.execPath, `${kept}.new`);
    chmodSync(`${kept}.new`, 0o755);
    renameSync(`${kept}.new`, kept);
  });
  return kept;
}

async function copyOf(source: string): Promise<string> {
  const parent = temporaryFolder('action');
  chmodSync(parent, 0o755);
  const copy = join(parent, basename(source));
  cpSync(source, copy, { recursive: true });
  await run(['chmod', '-R', 'a+rX', copy]);
  return copy;
}
