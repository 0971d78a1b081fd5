import { chmodSync, existsSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';
import { alone, folder } from './folder.ts';
import { needPrograms } from './packages.ts';

const version = '1.32.0';
/** Of the package for x86-64, which CI has. */
const hash = '84a6acb975accc13408786a2bd274b572537ca19c933ebbc13e78f3988562071';

/** zizmor, which finds weaknesses in workflows: a program in a package of Python's, which the lab keeps. @returns its path */
export async function zizmor(): Promise<string> {
  const kept = join(folder('zizmor'), version);
  const program = join(kept, 'bin', 'zizmor');
  await needPrograms({ pip3: 'python3-pip' });
  await alone('zizmor', async () => {
    if (existsSync(program)) return;
    const fresh = mkdtempSync(join(folder('zizmor'), 'new-'));
    const pinned = join(fresh, 'requirements.txt');
    writeFileSync(pinned, `zizmor==${version}${process.arch === 'x64' ? ` --hash=sha256:${hash}` : ''}\n`);
    const safely = ['--only-binary=:all:', '--no-deps', '--disable-pip-version-check'];
    await run(['pip3', 'install', '--quiet', ...safely, '--target', fresh, '--requirement', pinned]);
    chmodSync(join(fresh, 'bin', 'zizmor'), 0o755);
    renameSync(fresh, kept);
  });
  return program;
}
