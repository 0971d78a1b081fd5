import { availableParallelism } from 'node:os';
import { drillScript } from '../../shared/postgres/scripts.ts';
import { formatBytes, formatDuration } from '../../shared/units.ts';
import type { Host } from '../lab/host.ts';
import { runAction } from '../lab/runner.ts';
import { median, pairs, type Sample } from './pairs.ts';
import type { Verdict } from './rollbacks.ts';

const rounds = 3;

/** What a verification costs, on a database that is there. */
export async function benchVerifications(host: Host, database: string, verdict: Verdict): Promise<void> {
  const backup = await runAction('backup', { ...host.inputs(), 'db-name': database });
  if (backup.exitCode !== 0) throw new Error(`The backup failed:\n${backup.stdout}${backup.stderr}`);
  const file = backup.outputs['backup-file'] ?? '';
  const bytes = Number(backup.outputs['size-bytes']);
  const check = (checks: string) => wholeAction(host, { checks, 'db-name': database });

  const reading = await pairs(
    rounds,
    () => check('setup,backups'),
    () => check('setup'),
  );
  const setup = median(reading.map(([, sample]) => sample.ms));
  verdict(`the set-up is looked at in ${formatDuration(setup)}, connecting and all`, setup < 2_000, 'under 2 s');

  const summing = await pairs(
    rounds,
    () => onHost(host, 'sha256sum "$1" >/dev/null', file),
    async () => ({ ms: 0 }),
  );
  const sum = median(summing.map(([sample]) => sample.ms));
  const read = median(reading.map(([both, alone]) => both.ms - alone.ms));
  verdict(
    `backups of ${formatBytes(bytes)} are read at ${(sum / read).toFixed(2)} of the rate of sha256sum (${formatDuration(read)} / ${formatDuration(sum)})`,
    sum / read >= 0.8,
    'at least 0.8',
  );

  const drills = await pairs(
    rounds,
    () => check('drill'),
    () => bareRestore(host, database, file),
  );
  const extra = median(drills.map(([mine, bare]) => mine.ms - 1.15 * bare.ms));
  const [mine, bare] = [0, 1].map((index) => median(drills.map((pair) => pair[index]?.ms ?? Number.NaN)));
  verdict(
    `drill - 1.15 x bare pg_restore: ${Math.round(extra)} ms (${formatDuration(mine ?? 0)} / ${formatDuration(bare ?? 0)})`,
    extra <= 3_000,
    'at most 3000 ms',
  );
}

async function wholeAction(host: Host, inputs: Record<string, string>): Promise<Sample> {
  const result = await runAction('verify', { ...host.inputs(), ...inputs });
  if (result.exitCode !== 0) throw new Error(`The action failed:\n${result.stdout}${result.stderr}`);
  return { ms: result.durationMs };
}

/** The same archive into the same kind of server; what comes before the restore is not counted. */
async function bareRestore(host: Host, database: string, file: string): Promise<Sample> {
  const image = (await host.docker('inspect', '--format', '{{.Image}}', await host.container('db'))).trim();
  const script = drillScript();
  const processors = String(availableParallelism() * 0.75);
  const limits = ['--memory', '1g', '--memory-swap', '1g', '--cpus', processors, '--cpu-shares', '2'];
  const run = [
    'run',
    '--detach',
    '--rm',
    '--network',
    'none',
    '--user',
    'postgres',
    ...limits,
    '--entrypoint',
    'sh',
    image,
  ];
  const id = (await host.docker(...run, '-c', 'sleep 600')).trim();
  try {
    await host.docker('exec', id, 'sh', '-c', script, 'inside', 'prepare', database, '', '', '', '0');
    const restore = `docker exec -i "$2" sh -c 'zstd -q -d -c | pg_restore --no-owner --no-privileges -h /tmp/drill -U atlasia_drill -d "$1"' sh "$3" <"$1"`;
    return await onHost(host, restore, file, id, database);
  } finally {
    await host.docker('rm', '--force', '--volumes', id);
  }
}

async function onHost(host: Host, script: string, ...words: string[]): Promise<Sample> {
  const begin = performance.now();
  const { code, stderr } = await host.exec(['bash', '-euo', 'pipefail', '-c', script, 'bench', ...words]);
  if (code !== 0) throw new Error(`The comparison failed:\n${stderr}`);
  return { ms: performance.now() - begin };
}
