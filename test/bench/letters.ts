import { readFileSync } from 'node:fs';
import { formatBytes, formatDuration } from '../../shared/units.ts';
import type { Host } from '../lab/host.ts';
import { runAction, startAction } from '../lab/runner.ts';
import { bareDump, onHost, scripts } from './backups.ts';
import { actionOf } from './earlier.ts';
import { median, pairs, type Sample } from './pairs.ts';
import type { Verdict } from './rollbacks.ts';

const database = 'letters';
const rows = 300_000;
const rounds = 5;

/**
 * Where the time of a backup goes, in a database as most have it: some hundred MB of text.
 * @param against a commit whose bundle is measured beside today's, or nothing
 */
export async function benchLetters(host: Host, against: string | undefined, verdict: Verdict): Promise<void> {
  await host.database.create(database);
  const fill = readFileSync(new URL('../lab/sql/fill-letters.sql', import.meta.url), 'utf8');
  await host.psql(`\\set rows ${rows}\n${fill}`, database);
  const bytes = Number(await host.psql('SELECT pg_database_size(current_database())', database));
  const inputs = { ...host.inputs(), 'db-name': database };
  const dumpBytes = Number((await runAction('backup', inputs)).outputs['size-bytes']);
  const backup = (action = 'backup', others = {}) => sampleOf(action, { ...inputs, ...others });

  const dumps = await pairs(rounds, backup, () => bareDump(host, database));
  const extra = median(dumps.map(([action, dump]) => action.ms - 1.15 * dump.ms));
  verdict(
    `${formatBytes(bytes)} of text, dump ${formatBytes(dumpBytes)}: action - 1.15 x bare dump: ${Math.round(extra)} ms (${both(dumps)})`,
    extra <= 500,
    'at most 500 ms',
  );
  const old = await pairs(2, backup, () => scripts(host, database));
  const ratio = ratioOf(old);
  verdict(`action / scripts: ${ratio.toFixed(2)} (${both(old)})`, ratio <= 0.25, 'at most 0.25');
  const uncounted = await pairs(rounds, backup, () => backup('backup', { 'row-counts': 'off' }));
  process.stdout.write(`  with / without counts and hashes: ${ratioOf(uncounted).toFixed(2)} (${both(uncounted)})\n`);
  if (against !== undefined) {
    const earlier = actionOf('backup', against);
    try {
      const changes = await pairs(rounds, backup, () => backup(earlier.folder));
      process.stdout.write(`  today / ${against}: ${ratioOf(changes).toFixed(2)} (${both(changes)})\n`);
    } finally {
      earlier.remove();
    }
  }
  await profile(host);

  const shares: Record<string, number>[] = [];
  for (let round = 0; round < rounds; round += 1) shares.push(await sharesOf(inputs));
  const typical = (name: string) => median(shares.map((share) => share[name] ?? Number.NaN));
  const whole = phases.reduce((sum, [name]) => sum + typical(name), 0);
  for (const name of Object.keys(shares[0] ?? {})) {
    const ms = typical(name);
    process.stdout.write(`  ${name}: ${formatDuration(ms)}, ${Math.round((100 * ms) / whole)} %\n`);
  }
  await host.database.drop(database);
}

const ratioOf = (samples: readonly [Sample, Sample][]) =>
  median(samples.map(([first, second]) => first.ms / second.ms));

const both = (samples: readonly [Sample, Sample][]) =>
  [0, 1].map((index) => formatDuration(median(samples.map((pair) => pair[index]?.ms ?? Number.NaN)))).join(' / ');

async function sampleOf(action: string, inputs: Readonly<Record<string, string>>): Promise<Sample> {
  const result = await runAction(action, inputs);
  if (result.exitCode !== 0) throw new Error(`The action failed:\n${result.stdout}${result.stderr}`);
  return { ms: result.durationMs };
}

/**
 * What the dump's stage does, in the shell alone: each line does what those before it do, and one thing more. What the action takes
 * beyond the last is its own.
 */
async function profile(host: Host): Promise<void> {
  const times = profiled.map((): number[] => []);
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, [, script]] of profiled.entries()) {
      const { ms } = await onHost(host, database, script);
      if (round > 0) times[index]?.push(ms);
    }
  }
  process.stdout.write('  the stage of the dump, piece by piece:\n');
  let before = 0;
  for (const [index, [what]] of profiled.entries()) {
    const ms = median(times[index] ?? []);
    const more = index === 0 ? '' : ` (${ms < before ? '-' : '+'}${formatDuration(Math.abs(ms - before))})`;
    process.stdout.write(`    ${what}: ${formatDuration(ms)}${more}\n`);
    before = ms;
  }
}

const dumpedTo = (where: string) =>
  `docker exec "$1" sh -c 'pg_dump -U atlasia -Fc -Z0 "$1" | zstd -q -c --single-thread -1 ${where}' sh "$2"`;
const dumped = dumpedTo('');
const parsed = `tee >(docker exec -i "$1" sh -c 'zstd -qdc | pg_restore --file=/dev/null')`;
const sides = `docker exec "$1" pg_dump -U atlasia -s "$2" | gzip -n >schema &
  docker exec "$1" pg_dumpall -U atlasia -g | gzip -n >globals &`;
const readBack =
  'sync d; dd if=d iflag=nocache count=0 status=none; openssl dgst -sha256 -r <d >sum & md5sum d >md5; wait';
const inFolder = (script: string) => `cd "$(mktemp -d)"; ${script}; rm -r "$PWD"`;

const profiled: readonly [what: string, script: string][] = [
  ['dumped and compressed in the container, and left there', inFolder(dumpedTo('>/dev/null'))],
  ['… and passed on by Docker to the disk', inFolder(`${dumped} >d`)],
  ['… and parsed while it is written', inFolder(`${dumped} | ${parsed} >d`)],
  ['… and hashed', inFolder(`${dumped} | ${parsed} | tee d | openssl dgst -sha256 -r >sum`)],
  [
    '… beside the schema and the roles',
    inFolder(`${sides} ${dumped} | ${parsed} | tee d | openssl dgst -sha256 -r >sum; wait`),
  ],
  [
    '… flushed, and read back from the disk',
    inFolder(`${sides} ${dumped} | ${parsed} | tee d | openssl dgst -sha256 -r >sum; ${readBack}`),
  ],
];

/** What begins with which line of the log. */
const phases: readonly [name: string, begin: RegExp | null][] = [
  ['start and connection', null],
  ['survey', /::group::Survey/],
  ['snapshot, dump, parsing, counts, read-back', /::group::Dump/],
  ['publication', /::group::Publish/],
];

/** How long each phase of a backup takes, in milliseconds. */
async function sharesOf(inputs: Readonly<Record<string, string>>): Promise<Record<string, number>> {
  const startedAt = performance.now();
  const running = await startAction('backup', inputs);
  const begins = await Promise.all(
    phases.map(async ([, begin]) => {
      if (begin === null) return 0;
      await running.sawLog(begin);
      return performance.now() - startedAt;
    }),
  );
  const { durationMs, stdout } = await running.finished;
  const ends = [...begins.slice(1), durationMs];
  const told = (check: string) => {
    const [, amount, unit] = new RegExp(`${check}: .*\\(([\\d.]+) (ms|s)\\)`).exec(stdout) ?? [];
    return Number(amount) * (unit === 's' ? 1_000 : 1);
  };
  return {
    ...Object.fromEntries(phases.map(([name], index) => [name, (ends[index] ?? 0) - (begins[index] ?? 0)])),
    '… of these, the dump': told('dump'),
    '… of these, the read-back': told('disk'),
  };
}
