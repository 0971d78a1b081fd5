import { formatDuration } from '../../shared/units.ts';
import { farAway } from '../lab/distance.ts';
import type { Host } from '../lab/host.ts';
import { runAction } from '../lab/runner.ts';
import { todayAnd } from './earlier.ts';
import { median, pairs } from './pairs.ts';
import type { Verdict } from './rollbacks.ts';

const eachWayMs = 150;
const rounds = 3;
const database = 'small';
const rows = 1_000;

/** What a backup of a small database costs over a connection to the other side of the world, and how often it waits for it. */
export async function benchDistances(host: Host, against: string | undefined, verdict: Verdict): Promise<void> {
  await host.database.create(database);
  await host.psql(`CREATE TABLE notes AS SELECT n, md5(n::text) AS note FROM generate_series(1, ${rows}) n`, database);
  const distance = await farAway(host.ssh.port, eachWayMs);
  try {
    const near = { ...host.inputs(), 'db-name': database };
    const knownHosts = host.ssh.knownHosts.replace(`:${host.ssh.port} `, `:${distance.port} `);
    const far = { ...near, port: String(distance.port), 'known-hosts': knownHosts };
    await todayAnd(against, 'backup', async (action, label) => {
      const runs = await pairs(
        rounds,
        async () => {
          const before = distance.roundTrips();
          const { ms } = await timed(action, far);
          return { ms, roundTrips: distance.roundTrips() - before };
        },
        () => timed(action, near),
      );
      const farMs = median(runs.map(([one]) => one.ms));
      const waits = median(runs.map(([one, other]) => (one.ms - other.ms) / (2 * eachWayMs)));
      const trips = median(runs.map(([one]) => one.roundTrips));
      const told =
        `${label}a backup of one table with ${rows} short rows over ${2 * eachWayMs} ms of round trip: ${formatDuration(farMs)}; ` +
        `the runner spoke after it had heard something ${trips} times, and waited as long as ${waits.toFixed(1)} round trips take`;
      if (label === '') verdict(told, farMs <= 8_000, 'at most 8 s');
      else process.stdout.write(`  ${told}\n`);
    });
  } finally {
    await distance.close();
    await host.database.drop(database);
  }
}

async function timed(action: string, inputs: Record<string, string>): Promise<{ ms: number }> {
  const { exitCode, durationMs, stdout, stderr } = await runAction(action, inputs);
  if (exitCode !== 0) throw new Error(`The action failed:\n${stdout}${stderr}`);
  return { ms: durationMs };
}
