import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { formatBytes, formatDuration } from '../../shared/units.ts';
import type { Host } from '../lab/host.ts';
import { startObjectStore } from '../lab/object-store.ts';
import { runAction } from '../lab/runner.ts';
import type { Copying } from './copying.ts';
import { median } from './pairs.ts';
import { peakIn, tellsPeak } from './peak.ts';
import type { Verdict } from './rollbacks.ts';

const bytes = 2 ** 30;
const rounds = 5;
const id = '20261127_021700';
const name = `backup_${id}.dump.zst`;

/** A dump, a manifest, and the list of their checksums; prints the dump's. */
const makeSet = `set -e; mkdir -p "$(dirname "$1")"; cd "$(dirname "$1")"
  head -c "$3" /dev/urandom >"$1"; echo '{}' >"backup_$2.manifest.json"
  sha256sum "$(basename "$1")" "backup_$2.manifest.json" >"backup_$2.sha256"
  head -c 64 "backup_$2.sha256"`;

/** What a copy costs, beside the slower of its two halves: reading over the same connection, and the library from a local file. */
export async function benchCopies(host: Host, verdict: Verdict): Promise<void> {
  const store = await startObjectStore();
  try {
    await store.createBucket('bench');
    const backupDir = join(host.deployDir, 'copies');
    const file = join(backupDir, 'daily', name);
    const made = await host.exec(['bash', '-c', makeSet, 'bash', file, id, String(bytes)]);
    const sha256 = made.stdout.trim();
    const { endpoint, region } = store;
    const common = { host: host.inputs(), backupDir, id, name, sha256, file, bytes, bucket: 'bench', endpoint, region };
    const ratios: number[] = [];
    // The first round does not count.
    for (let round = 0; round <= rounds; round += 1) {
      const [copy, read, library] = [
        await moved({ ...common, way: 'copy' }, store.credentials),
        await moved({ ...common, way: 'read' }, store.credentials),
        await moved({ ...common, way: 'library' }, store.credentials),
      ];
      if (round === 0) continue;
      ratios.push(Math.max(read, library) / copy);
      const times = [copy, read, library].map(formatDuration);
      process.stdout.write(`  copy ${times[0]}, reading ${times[1]}, library ${times[2]}\n`);
    }
    const ratio = median(ratios);
    verdict(
      `${formatBytes(bytes)} are copied at ${ratio.toFixed(2)} of the rate of the slower half`,
      ratio >= 0.9,
      'at least 0.9',
    );
    await host.exec(['rm', '-r', backupDir]);

    await host.database.create('copied');
    await host.database.fillTo(bytes, 'copied');
    const place = { 's3-bucket': 'bench', 's3-endpoint': endpoint, 's3-region': region };
    const inputs = { ...host.inputs(), 'db-name': 'copied', compression: 'none', ...place };
    for (const [how, more] of Object.entries({ '': {}, ', encrypted on the way': await sealing() })) {
      const peak = await peakOf({ ...inputs, ...more }, store.credentials);
      verdict(
        `memory of a backup of ${formatBytes(bytes)} with a copy${how}: ${formatBytes(peak)}`,
        peak < 150e6,
        'under 150 MB',
      );
    }
  } finally {
    await store.close();
  }
}

async function sealing(): Promise<Record<string, string>> {
  const key = await identityToRecipient(await generateX25519Identity());
  return { encrypt: 'age', 'encrypt-to': key, 'encrypt-at': 'runner' };
}

async function peakOf(inputs: Record<string, string>, credentials: Record<string, string>): Promise<number> {
  const env = { ...credentials, AWS_EC2_METADATA_DISABLED: 'true', NODE_OPTIONS: tellsPeak };
  const { exitCode, stdout, stderr } = await runAction('backup', inputs, { env });
  if (exitCode !== 0) throw new Error(`The action failed:\n${stdout}${stderr}`);
  return peakIn(stderr) ?? Number.NaN;
}

/** Milliseconds. */
async function moved(copying: Copying, credentials: Record<string, string>): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'copying.ts')], {
    env: { ...process.env, ...credentials, AWS_EC2_METADATA_DISABLED: 'true' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(JSON.stringify(copying));
  const [told, said] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (child.exitCode !== 0) throw new Error(`It failed:\n${said}`);
  return Number(told);
}
