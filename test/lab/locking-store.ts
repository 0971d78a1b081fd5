// moto with S3 over HTTP: it keeps versions and locks, reports checksums, and takes tags and storage classes, which the other store
// of the lab does not. It checks no signatures.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';
import { alone, folder } from './folder.ts';
import type { ObjectStore } from './object-store.ts';
import { needPrograms } from './packages.ts';
import { freePort, listening } from './port.ts';

const version = '5.1.1';

/** Starts it on loopback; it ends with this process at the latest. */
export async function startLockingStore(): Promise<Pick<ObjectStore, 'endpoint' | 'region' | 'close'>> {
  const packages = await installed();
  const port = await freePort();
  const command = ['--pdeathsig', 'KILL', 'python3', '-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)];
  const server = spawn('setpriv', command, {
    env: { ...process.env, PYTHONPATH: packages },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4_000);
  });
  await listening(
    port,
    () => server.exitCode !== null,
    () => said,
  );
  return {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    async close() {
      server.kill('SIGKILL');
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
    },
  };
}

/** Its packages of Python's, which the lab keeps. @returns their folder */
async function installed(): Promise<string> {
  const kept = join(folder('moto'), version);
  await needPrograms({ pip3: 'python3-pip' });
  await alone('moto', async () => {
    if (existsSync(kept)) return;
    const fresh = mkdtempSync(join(folder('moto'), 'new-'));
    const safely = ['--only-binary=:all:', '--disable-pip-version-check'];
    await run(['pip3', 'install', '--quiet', ...safely, '--target', fresh, `moto[s3,server]==${version}`]);
    renameSync(fresh, kept);
  });
  return kept;
}
