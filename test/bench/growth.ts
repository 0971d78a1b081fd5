import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyLine } from '../../shared/history/record.ts';
import { formatBytes, formatDuration } from '../../shared/units.ts';
import { plantSets } from '../e2e/planting.ts';
import { idDaysAgo, manifestOf } from '../e2e/sets.ts';
import { giveTo } from '../lab/account.ts';
import type { Host } from '../lab/host.ts';
import { type ActionResult, runAction } from '../lab/runner.ts';
import { record } from '../unit/history/records.ts';
import { todayAnd } from './earlier.ts';
import { median } from './pairs.ts';
import { type Peaks, peaksOf } from './peak.ts';
import type { Verdict } from './rollbacks.ts';

const rounds = 3;
const database = 'growing';

/** A backup, or a check of backups, with none of something, with half of much of it, and with all. */
interface Growing {
  what: string;
  most: number;
  action: 'backup' | 'verify';
  inputs: Record<string, string>;
  /** Makes it so many; it has been fewer before. */
  grow: (count: number) => Promise<void>;
}

/** What years of use cost: sets in the folder, records in the history, tables in the database. No more than linearly more. */
export async function benchGrowth(host: Host, against: string | undefined, verdict: Verdict): Promise<void> {
  await host.database.create(database);
  const common = { 'db-name': database, 'keep-daily': '400' };
  const folders = [host.newBackupDir(), host.newBackupDir(), host.newBackupDir()] as const;
  const [ofSets, ofRecords, ofTables] = folders;
  let planted = 0;
  const sets = async (count: number) => {
    // Of one day, only the newest is kept.
    const manifest = await manifestOf(host, await timed(host, 'backup', { ...common, 'backup-dir': ofSets }));
    const ids = Array.from({ length: count - planted }, (_, index) => idDaysAgo(planted + index + 1));
    await plantSets(
      host,
      ofSets,
      manifest,
      ids.map((id) => [id, ['daily']]),
    );
    planted = count;
  };
  const records = async (count: number) => writeHistory(host, ofRecords, count);
  const tables = async (count: number) => {
    const make = "EXECUTE format('CREATE TABLE IF NOT EXISTS t%s (id int PRIMARY KEY, body text)', n)";
    await host.psql(`DO $$ BEGIN FOR n IN 1..${count} LOOP ${make}; END LOOP; END $$`, database);
  };
  const inputs = (folder: string) => ({ ...common, 'backup-dir': folder });
  await timed(host, 'backup', inputs(ofRecords));
  const all: Growing[] = [
    { what: 'sets: a backup', most: 300, action: 'backup', inputs: inputs(ofSets), grow: sets },
    {
      what: 'records in the history: a check of the backups',
      most: 2_000,
      action: 'verify',
      inputs: { ...inputs(ofRecords), checks: 'backups' },
      grow: records,
    },
    { what: 'tables: a backup', most: 3_000, action: 'backup', inputs: inputs(ofTables), grow: tables },
  ];
  for (const growing of all) await measure(host, growing, against, verdict);
  await host.database.drop(database);
}

/** Of one number of them. */
interface Cost {
  /** Milliseconds. */
  ms: number;
  peaks: Peaks;
}

async function measure(host: Host, growing: Growing, against: string | undefined, verdict: Verdict): Promise<void> {
  const { what, most, action, inputs, grow } = growing;
  const costs: { today: Cost[]; earlier: Cost[] } = { today: [], earlier: [] };
  for (const count of [0, most / 2, most]) {
    if (count > 0) await grow(count);
    await todayAnd(against, action, async (which, label) => {
      costs[label === '' ? 'today' : 'earlier'].push(await costOf(host, which, inputs));
    });
  }
  const told = (of: readonly Cost[]) =>
    of
      .map(
        ({ ms, peaks }) =>
          `${formatDuration(ms)} with ${formatBytes(peaks.runner)} here and ${formatBytes(peaks.host)} on the host`,
      )
      .join('; ');
  const numbers = `0, ${most / 2} and ${most} ${what}`;
  const isLinear =
    isAtMostLinear(costs.today, ({ ms }) => ms, 500) &&
    isAtMostLinear(costs.today, ({ peaks }) => peaks.runner, 16 * 2 ** 20) &&
    isAtMostLinear(costs.today, ({ peaks }) => peaks.host, 16 * 2 ** 20);
  verdict(`${numbers}: ${told(costs.today)}`, isLinear, 'no more than linear');
  if (costs.earlier.length > 0) process.stdout.write(`  ${against}: ${told(costs.earlier)}\n`);
}

/** The second half may add no more than the first did; less than `noise` is not counted. */
function isAtMostLinear(costs: readonly Cost[], of: (cost: Cost) => number, noise: number): boolean {
  const [none = Number.NaN, half = Number.NaN, full = Number.NaN] = costs.map(of);
  return full - none <= 2 * Math.max(half - none, 0) + noise;
}

/** The memory in runs of their own: to look at it takes time, and a peak may fall between two looks, so the highest counts. */
async function costOf(host: Host, action: string, inputs: Record<string, string>): Promise<Cost> {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round += 1) times.push((await timed(host, action, inputs)).durationMs);
  const peaks: Peaks[] = [];
  for (let round = 0; round < rounds; round += 1)
    peaks.push(await peaksOf(host, action, { ...host.inputs(), ...inputs }));
  const most = (where: keyof Peaks) => Math.max(...peaks.map((each) => each[where]));
  return { ms: median(times.slice(1)), peaks: { runner: most('runner'), host: most('host') } };
}

async function writeHistory(host: Host, backupDir: string, count: number): Promise<void> {
  const digest = `sha256:${'ab'.repeat(32)}`;
  const release = { image: 'acme/backend:v1', tag: 'v1', imageId: digest, digest: `acme/backend@${digest}` };
  const lines = Array.from({ length: count }, (_, index) =>
    historyLine(
      record({
        at: new Date(Date.now() - (count - index) * 3_600_000).toISOString(),
        event: 'deploy',
        verdict: 'good',
        release: { backend: release, dashboard: release },
      }),
    ),
  );
  const folder = join(host.deployDir, backupDir, 'rollback');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, 'history.jsonl'), lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
  await giveTo(host.account, folder);
}

async function timed(host: Host, action: string, inputs: Record<string, string>): Promise<ActionResult> {
  const result = await runAction(action, { ...host.inputs(), ...inputs });
  if (result.exitCode !== 0) throw new Error(`The action failed:\n${result.stdout}${result.stderr}`);
  return result;
}
