import { formatBytes, formatDuration } from '../../shared/units.ts';
import type { Host } from '../lab/host.ts';
import { runAction } from '../lab/runner.ts';
import { median, pairs, type Sample } from './pairs.ts';
import { peaksOf } from './peak.ts';
import type { Verdict } from './rollbacks.ts';

const databaseBytes = 2 ** 30;
/** The name of the database that `fillLarge` makes. */
export const largeDatabase = 'bench';
const rounds = 5;

/** Makes the database that most of the measurements take. */
export async function fillLarge(host: Host): Promise<void> {
  process.stdout.write(`Filling a database of ${formatBytes(databaseBytes)} …\n`);
  await host.database.create(largeDatabase);
  await host.database.fillTo(databaseBytes, largeDatabase);
}

/** What a backup costs, beside the scripts that it replaces and a bare dump. */
export async function benchBackups(host: Host, verdict: Verdict): Promise<void> {
  const action = await pairsOf(host, 'the scripts it replaces', scripts);
  report(verdict, 'action / scripts', action, { limit: 0.35, aim: 0.25 });
  const bare = await pairsOf(host, 'a bare dump inside the container', bareDump);
  const extra = median(bare.map(([mine, other]) => mine.ms - 1.3 * other.ms));
  report(verdict, 'action / bare dump', bare, { limit: null, aim: 1.2 });
  verdict(`action - 1.3 x bare dump: ${Math.round(extra)} ms`, extra <= 1_000, 'at most 1000 ms');

  process.stdout.write(`\n${rounds} pairs against a backup that neither counts nor hashes …\n`);
  const content = await pairs(
    rounds,
    () => wholeAction(host),
    () => wholeAction(host, { 'row-counts': 'off' }),
  );
  report(verdict, 'action / without counts and hashes', content, { limit: 1.1, aim: 1.05 });

  await memory(host, verdict);
}

/**
 * An eighth of the data must need as much memory, on the runner and on the host. Not less: until every buffer on the way
 * has been full once, Docker's clients still grow.
 */
async function memory(host: Host, verdict: Verdict): Promise<void> {
  const small = 'bench small';
  await host.database.create(small);
  await host.database.fillTo(databaseBytes / 8, small);
  process.stdout.write('\nMemory with the large database and with a small one …\n');
  const [large, little] = [await backupPeaks(host, largeDatabase), await backupPeaks(host, small)];
  for (const where of ['runner', 'host'] as const) {
    const growth = large[where] - little[where];
    const what = `memory on the ${where}: ${formatBytes(large[where])}, ${formatBytes(little[where])} with the small one`;
    verdict(what, growth < 16 * 2 ** 20, 'no more than 16 MiB apart');
  }
}

const backupPeaks = (host: Host, name: string) => peaksOf(host, 'backup', { ...host.inputs(), 'db-name': name });

async function pairsOf(host: Host, name: string, other: (host: Host) => Promise<Sample>) {
  process.stdout.write(`\n${rounds} pairs against ${name} …\n`);
  return pairs(
    rounds,
    () => wholeAction(host),
    () => other(host),
  );
}

async function wholeAction(host: Host, inputs: Record<string, string> = {}): Promise<Sample> {
  const result = await runAction('backup', { ...host.inputs(), 'db-name': largeDatabase, ...inputs });
  if (result.exitCode !== 0) throw new Error(`The action failed:\n${result.stdout}${result.stderr}`);
  return { ms: result.durationMs };
}

/** The pipeline of backup.sh, on the host itself: it had no connection to make. */
export async function scripts(host: Host, database = largeDatabase): Promise<Sample> {
  return onHost(
    host,
    database,
    `cd "$(mktemp -d)" && docker exec "$1" pg_dump -U atlasia "$2" | gzip > d.sql.gz && gunzip -t d.sql.gz &&
     docker exec "$1" pg_dump -U atlasia --schema-only "$2" | gzip > s.sql.gz && md5sum d.sql.gz > d.md5 && rm -r "$PWD"`,
  );
}

/** The same archive as the action's, compressed where the action does it, written to the host, and nothing else. */
export async function bareDump(host: Host, database = largeDatabase): Promise<Sample> {
  return onHost(
    host,
    database,
    `cd "$(mktemp -d)" && docker exec "$1" sh -c 'pg_dump -U atlasia -Fc -Z0 "$1" | zstd -q -c -T0 -1' sh "$2" > d.dump.zst &&
     rm -r "$PWD"`,
  );
}

/** Runs a script with the database's container as $1 and the database as $2. */
export async function onHost(host: Host, database: string, script: string): Promise<Sample> {
  const begin = performance.now();
  const container = await host.container('db');
  const { code, stderr } = await host.exec(['bash', '-euo', 'pipefail', '-c', script, 'bench', container, database]);
  if (code !== 0) throw new Error(`The comparison failed:\n${stderr}`);
  return { ms: performance.now() - begin };
}

function report(
  verdict: Verdict,
  name: string,
  samples: [Sample, Sample][],
  { limit, aim }: { limit: number | null; aim: number },
): void {
  const ratio = median(samples.map(([mine, other]) => mine.ms / other.ms));
  const mine = formatDuration(median(samples.map(([sample]) => sample.ms)));
  const other = formatDuration(median(samples.map(([, sample]) => sample.ms)));
  const goal = limit === null ? `aim ${aim}` : `at most ${limit}, aim ${aim}`;
  verdict(`${name}: ${ratio.toFixed(2)} (${mine} / ${other})`, limit === null || ratio <= limit, goal);
}
