import { readFileSync } from 'node:fs';
import { formatBytes, formatDuration } from '../../shared/units.ts';
import type { Host } from '../lab/host.ts';
import { type ActionResult, runAction } from '../lab/runner.ts';
import { median, pairs, type Sample } from './pairs.ts';
import type { Verdict } from './rollbacks.ts';

const database = 'letters';
const rows = 300_000;
const rounds = 5;

/** Where the time of a backup goes, in a database as most have it: some hundred MB of text. */
export async function benchLetters(host: Host, bareDump: BareDump, verdict: Verdict): Promise<void> {
  await host.database.create(database);
  const fill = readFileSync(new URL('../lab/sql/fill-letters.sql', import.meta.url), 'utf8');
  await host.psql(`\\set rows ${rows}\n${fill}`, database);
  const bytes = Number(await host.psql('SELECT pg_database_size(current_database())', database));

  const results: ActionResult[] = [];
  const dumps = await pairs(
    rounds,
    async () => {
      const result = await runAction('backup', { ...host.inputs(), 'db-name': database });
      if (result.exitCode !== 0) throw new Error(`The action failed:\n${result.stdout}${result.stderr}`);
      results.push(result);
      return { ms: result.durationMs };
    },
    () => bareDump(host, database),
  );
  const [mine, bare] = [0, 1].map((index) => median(dumps.map((pair) => pair[index]?.ms ?? Number.NaN)));
  const extra = median(dumps.map(([action, dump]) => action.ms - 1.15 * dump.ms));
  verdict(
    `${formatBytes(bytes)} of text: action - 1.15 x bare dump: ${Math.round(extra)} ms (${formatDuration(mine ?? 0)} / ${formatDuration(bare ?? 0)})`,
    extra <= 500,
    'at most 500 ms',
  );

  const stages = results.slice(1).map(stagesOf);
  for (const name of ['dump', 'read-back', 'all else'] as const) {
    const ms = median(stages.map((stage) => stage[name]));
    process.stdout.write(`  ${name}: ${formatDuration(ms)}, ${Math.round((100 * ms) / (mine ?? 0))} %\n`);
  }
  await host.database.drop(database);
}

/** The pipeline that a backup is compared with. */
export type BareDump = (host: Host, database: string) => Promise<Sample>;

/** Milliseconds, as the action's own log has them. */
function stagesOf({ stdout, durationMs }: ActionResult): Record<'dump' | 'read-back' | 'all else', number> {
  const told = (check: string) => {
    const [, amount, unit] = new RegExp(`${check}: .*\\(([\\d.]+) (ms|s)\\)`).exec(stdout) ?? [];
    return Number(amount) * (unit === 's' ? 1_000 : 1);
  };
  const [dump, readBack] = [told('dump'), told('disk')];
  return { dump, 'read-back': readBack, 'all else': durationMs - dump - readBack };
}
