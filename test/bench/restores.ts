import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { formatBytes, formatDuration } from '../../shared/units.ts';
import { type Application, appServices, startApplication } from '../lab/application.ts';
import type { DatabaseServer } from '../lab/database.ts';
import type { Lab } from '../lab/lab.ts';
import type { Seen } from '../lab/prober.ts';
import { startRegistry } from '../lab/registry.ts';
import { runAction } from '../lab/runner.ts';
import { median, pairs, type Sample } from './pairs.ts';
import { underQuestions, type Verdict } from './rollbacks.ts';

const rounds = 3;
const database = 'shop';
const letters = readFileSync(new URL('../lab/sql/fill-letters.sql', import.meta.url), 'utf8');

/** pg_restore fills several tables at a time; the action fills one after the other, as a drill does, and then builds with all jobs. */
const shapes: readonly [what: string, fill: (server: DatabaseServer) => Promise<unknown>][] = [
  ['one large table', (server) => server.psql(`\\set rows 400000\n${letters}`, database)],
  ['two large tables', (server) => server.fillTo(2 ** 29, database)],
];

/** Who works with the database, and so has to stop: the dashboard asks the backend alone. */
const writer = 'backend';
/** As many sessions as the action takes on this machine. */
const jobs = String(Math.min(availableParallelism(), 8));

/** What a restore with the button costs, beside pg_restore, and beside a stop, two renames and a start. */
export async function benchRestores(lab: Lab, verdict: Verdict): Promise<void> {
  const registry = await startRegistry();
  try {
    const app = await startApplication(lab, registry, { name: 'bench' });
    try {
      await app.publish({ version: 'v1' });
      await app.deploy('v1');
      await app.serves('v1');
      for (const [what, fill] of shapes) {
        await app.host.database.create(database);
        await fill(app.host.database);
        await restores(app, what, verdict);
        await app.host.database.drop(database);
      }
    } finally {
      await app.stop();
    }
  } finally {
    await registry.close();
  }
}

async function restores(app: Application, what: string, verdict: Verdict): Promise<void> {
  const backup = await runAction('backup', { ...app.host.inputs(), 'db-name': database });
  const id = backup.outputs['backup-id'];
  if (id === undefined) throw new Error(`The backup failed:\n${backup.stdout}${backup.stderr}`);
  const bytes = Number(await app.host.psql('SELECT pg_database_size(current_database())', database));
  const unpackMs = await unpack(app, backup.outputs['backup-file'] ?? '');

  const away: Record<'mine' | 'bare', number[]> = { mine: [], bare: [] };
  const whole: number[] = [];
  const samples = await pairs(
    rounds,
    async () => {
      const [{ restoreMs, wholeMs }, seen] = await underQuestions(app, 20, () => restore(app, id));
      away.mine.push(gapIn(seen));
      whole.push(wholeMs);
      return { ms: restoreMs };
    },
    async () => {
      // Under the same questions as the action's: they take their share of the processor.
      const [sample] = await underQuestions(app, 20, () => bareRestore(app));
      const [, seen] = await underQuestions(app, 20, () => bareExchange(app));
      away.bare.push(gapIn(seen));
      return sample;
    },
  );
  const ratio = median(samples.map(([mine, bare]) => mine.ms / bare.ms));
  const [mine, bare] = [0, 1].map((side) =>
    formatDuration(median(samples.map((pair) => pair[side]?.ms ?? Number.NaN))),
  );
  verdict(
    `restore of ${what}, ${formatBytes(bytes)} / bare pg_restore with ${jobs} jobs: ${ratio.toFixed(2)} (${mine} / ${bare}; the whole action ${formatDuration(median(whole.slice(1)))})`,
    ratio <= 1.15,
    'at most 1.15',
  );
  const byHand = median(samples.map(([mine, bare]) => mine.ms / (unpackMs + bare.ms)));
  process.stdout.write(
    `  With the file unpacked first, as several jobs need it (${formatDuration(unpackMs)}): ${byHand.toFixed(2)}\n`,
  );
  // The first pair does not count.
  const [mineAway, bareAway] = [away.mine.slice(1), away.bare.slice(1)];
  const extra = median(mineAway.map((gap, round) => gap - (bareAway[round] ?? Number.NaN)));
  verdict(
    `the writer is away for ${formatDuration(median(mineAway))} by a restore; by stop, two renames and start ${formatDuration(median(bareAway))}`,
    extra <= 1_000,
    'at most 1 s more',
  );
}

const gapIn = (seen: readonly Seen[]) => seen[appServices.indexOf(writer)]?.longestGapMs ?? Number.NaN;

async function restore(app: Application, id: string): Promise<{ restoreMs: number; wholeMs: number }> {
  const result = await runAction('rollback', {
    ...app.inputs(),
    'db-name': database,
    'skip-backup': 'true',
    'restore-database': id,
    'confirm-restore': 'RESTORE',
  });
  if (result.outputs['status'] !== 'rolled-back') throw new Error(`The restore failed:\n${result.stdout}`);
  await app.host.database.drop(`${database}_before_${result.outputs['transaction-id']}`);
  return { restoreMs: loadIn(result.stdout), wholeMs: result.durationMs };
}

/** Milliseconds, as the log tells them for people. */
function loadIn(log: string): number {
  const [, minutes = '0', number, unit] = /Restored as \S+ in (?:(\d+) min )?([\d.]+) (m?s);/.exec(log) ?? [];
  return Number(minutes) * 60_000 + Number(number) * (unit === 'ms' ? 1 : 1_000);
}

/** pg_restore needs an unpacked file for several jobs. @returns milliseconds, which are no part of the ratio that has a goal */
async function unpack(app: Application, file: string): Promise<number> {
  const begin = performance.now();
  await onHost(app, 'zstd -q -d -c "$2" | docker exec -i "$1" sh -c "cat >/tmp/bench.dump"', file);
  return performance.now() - begin;
}

async function bareRestore(app: Application): Promise<Sample> {
  const { database: server } = app.host;
  await server.create('bare');
  const words = [
    'pg_restore',
    '--username=atlasia',
    '--dbname=bare',
    `--jobs=${jobs}`,
    '--exit-on-error',
    '/tmp/bench.dump',
  ];
  const begin = performance.now();
  await app.host.docker('exec', await app.host.container('db'), ...words);
  return { ms: performance.now() - begin };
}

/** The least that such an exchange can cost. */
async function bareExchange(app: Application): Promise<void> {
  const ids = (await app.containers(writer)).map(({ id }) => id);
  await app.host.docker('stop', ...ids);
  await app.host.psql(
    `BEGIN; ALTER DATABASE ${database} RENAME TO gone; ALTER DATABASE bare RENAME TO ${database}; COMMIT;`,
    'postgres',
  );
  await app.host.docker('start', ...ids);
  await app.host.database.drop('gone');
}

async function onHost(app: Application, script: string, ...words: string[]): Promise<void> {
  const container = await app.host.container('db');
  const { code, stderr } = await app.host.exec([
    'bash',
    '-euo',
    'pipefail',
    '-c',
    script,
    'bench',
    container,
    ...words,
  ]);
  if (code !== 0) throw new Error(`The comparison failed:\n${stderr}`);
}
