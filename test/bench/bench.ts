// `npm run bench`: what a backup costs, as ratios of pairs that run in turn on the same database of at least 1 GB; and how
// long a rollback or a restore keeps a service away. `npm run bench -- rollback`, `restore`, `verify` or `copy` for one of them alone.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { formatBytes, formatDuration } from '../../shared/units.ts';
import { type Host, startHost } from '../lab/host.ts';
import { openLab } from '../lab/lab.ts';
import { runAction, startAction } from '../lab/runner.ts';
import { benchCopies } from './copies.ts';
import { median, pairs, type Sample } from './pairs.ts';
import { peakIn, tellsPeak } from './peak.ts';
import { benchRestores } from './restores.ts';
import { benchRollbacks } from './rollbacks.ts';
import { benchVerifications } from './verifications.ts';

const databaseBytes = 2 ** 30;
const rounds = 5;
const database = 'bench';
const run = promisify(execFile);

const lab = await openLab();
try {
  const only = process.argv[2];
  if (only !== 'rollback' && only !== 'restore') {
    const host = await startHost(lab, { name: 'bench', seed: false });
    try {
      if (only !== 'copy') {
        await fill(host);
        if (only !== 'verify') await bench(host);
        print('\nVerifications …');
        await benchVerifications(host, database, verdict);
      }
      if (only !== 'verify') {
        print('\nCopies …');
        await benchCopies(host, verdict);
      }
    } finally {
      await host.stop();
    }
  }
  if (only === undefined || only === 'rollback') {
    print('\nRollbacks …');
    await benchRollbacks(lab, verdict);
  }
  if (only === undefined || only === 'restore') {
    print('\nRestores …');
    await benchRestores(lab, verdict);
  }
} finally {
  await lab.close();
}

async function fill(host: Host): Promise<void> {
  print(`Filling a database of ${formatBytes(databaseBytes)} …`);
  await host.database.create(database);
  await host.database.fillTo(databaseBytes, database);
}

async function bench(host: Host): Promise<void> {
  const action = await pairsOf(host, 'the scripts it replaces', scripts);
  report('action / scripts', action, { limit: 0.35, aim: 0.25 });
  const bare = await pairsOf(host, 'a bare dump inside the container', bareDump);
  const extra = median(bare.map(([mine, other]) => mine.ms - 1.3 * other.ms));
  report('action / bare dump', bare, { limit: null, aim: 1.2 });
  verdict(`action - 1.3 x bare dump: ${Math.round(extra)} ms`, extra <= 1_000, 'at most 1000 ms');

  print(`\n${rounds} pairs against a backup that neither counts nor hashes …`);
  const content = await pairs(
    rounds,
    () => wholeAction(host),
    () => wholeAction(host, { 'row-counts': 'off' }),
  );
  report('action / without counts and hashes', content, { limit: 1.1, aim: 1.05 });

  await memory(host);

  const starts = await pairs(15, startBundle, startNothing);
  const start = median(starts.map(([bundle]) => bundle.ms));
  const overNode = median(starts.map(([bundle, node]) => bundle.ms / node.ms));
  verdict(
    `bundle starts in ${Math.round(start)} ms, ${overNode.toFixed(1)} times an empty node`,
    start < 75,
    'under 75 ms',
  );
  const peak = Math.max(...starts.map(([bundle]) => bundle.peakBytes ?? 0));
  verdict(`bundle's peak memory at start: ${formatBytes(peak)}`, peak < 75e6, 'under 75 MB');
}

/**
 * An eighth of the data must need as much memory, on the runner and on the host. Not less: until every buffer on the way
 * has been full once, Docker's clients still grow.
 */
async function memory(host: Host): Promise<void> {
  const small = 'bench small';
  await host.database.create(small);
  await host.database.fillTo(databaseBytes / 8, small);
  print('\nMemory with the large database and with a small one …');
  const [large, little] = [await peaksOf(host, database), await peaksOf(host, small)];
  for (const where of ['runner', 'host'] as const) {
    const growth = large[where] - little[where];
    const what = `memory on the ${where}: ${formatBytes(large[where])}, ${formatBytes(little[where])} with the small one`;
    verdict(what, growth < 16 * 2 ** 20, 'no more than 16 MiB apart');
  }
}

/** The most memory at one time; on the host that of all processes of its sessions together, looked at every 50 ms. */
async function peaksOf(host: Host, name: string): Promise<{ runner: number; host: number }> {
  const running = await startAction(
    'backup',
    { ...host.inputs(), 'db-name': name },
    { env: { NODE_OPTIONS: tellsPeak } },
  );
  let onHost = 0;
  let ended = false;
  const finished = running.finished.finally(() => {
    ended = true;
  });
  while (!ended) {
    const pids = (await host.processes()).filter(({ where }) => where === 'host').map(({ pid }) => pid);
    onHost = Math.max(
      onHost,
      pids.map(residentBytes).reduce((sum, bytes) => sum + bytes, 0),
    );
    await sleep(50);
  }
  const { exitCode, stderr } = await finished;
  if (exitCode !== 0) throw new Error(`The action failed:\n${stderr}`);
  return { runner: peakIn(stderr) ?? Number.NaN, host: onHost };
}

function residentBytes(pid: number): number {
  try {
    return 1_024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}

async function pairsOf(host: Host, name: string, other: (host: Host) => Promise<Sample>) {
  print(`\n${rounds} pairs against ${name} …`);
  return pairs(
    rounds,
    () => wholeAction(host),
    () => other(host),
  );
}

async function wholeAction(host: Host, inputs: Record<string, string> = {}): Promise<Sample> {
  const result = await runAction('backup', { ...host.inputs(), 'db-name': database, ...inputs });
  if (result.exitCode !== 0) throw new Error(`The action failed:\n${result.stdout}${result.stderr}`);
  return { ms: result.durationMs };
}

/** The pipeline of backup.sh, on the host itself: it had no connection to make. */
async function scripts(host: Host): Promise<Sample> {
  return onHost(
    host,
    `cd "$(mktemp -d)" && docker exec "$1" pg_dump -U atlasia "$2" | gzip > d.sql.gz && gunzip -t d.sql.gz &&
     docker exec "$1" pg_dump -U atlasia --schema-only "$2" | gzip > s.sql.gz && md5sum d.sql.gz > d.md5 && rm -r "$PWD"`,
  );
}

/** The same archive as the action's, compressed where the action does it, written to the host, and nothing else. */
async function bareDump(host: Host): Promise<Sample> {
  return onHost(
    host,
    `cd "$(mktemp -d)" && docker exec "$1" sh -c 'pg_dump -U atlasia -Fc -Z0 "$1" | zstd -q -c -T0 -1' sh "$2" > d.dump.zst &&
     rm -r "$PWD"`,
  );
}

async function onHost(host: Host, script: string): Promise<Sample> {
  const begin = performance.now();
  const container = await host.container('db');
  const { code, stderr } = await host.exec(['bash', '-euo', 'pipefail', '-c', script, 'bench', container, database]);
  if (code !== 0) throw new Error(`The comparison failed:\n${stderr}`);
  return { ms: performance.now() - begin };
}

/** Without inputs it stops at the first check, which is as far as start-up goes. */
async function startBundle(): Promise<Sample> {
  return timed([...tellsPeak.split(' '), 'dist/backup/index.js']);
}

async function startNothing(): Promise<Sample> {
  return timed(['--eval', '']);
}

async function timed(nodeArguments: readonly string[]): Promise<Sample> {
  const begin = performance.now();
  const { stderr } = await run(process.execPath, nodeArguments, { env: {} }).catch(
    (error) => error as { stderr: string },
  );
  const peak = peakIn(stderr);
  return { ms: performance.now() - begin, ...(peak === undefined ? {} : { peakBytes: peak }) };
}

function report(
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

function verdict(what: string, isMet: boolean, goal: string): void {
  print(`${isMet ? '✔' : '✘'} ${what} [${goal}]`);
  if (!isMet) process.exitCode = 1;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
