import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { formatBytes } from '../../shared/units.ts';
import { actionOf } from './earlier.ts';
import { median, pairs, type Sample } from './pairs.ts';
import { peakIn, tellsPeak } from './peak.ts';
import type { Verdict } from './rollbacks.ts';

const rounds = 15;
const run = promisify(execFile);

/** What it costs to start an action, beside an empty node, and beside the bundle of an earlier commit if one is named. */
export async function benchStarts(against: string | undefined, verdict: Verdict): Promise<void> {
  const starts = await pairs(rounds, () => startBundle(), startNothing);
  const start = median(starts.map(([bundle]) => bundle.ms));
  const overNode = median(starts.map(([bundle, node]) => bundle.ms / node.ms));
  verdict(
    `bundle starts in ${Math.round(start)} ms, ${overNode.toFixed(1)} times an empty node`,
    start < 75,
    'under 75 ms',
  );
  const peak = Math.max(...starts.map(([bundle]) => bundle.peakBytes ?? 0));
  verdict(`bundle's peak memory at start: ${formatBytes(peak)}`, peak < 75e6, 'under 75 MB');
  if (against === undefined) return;

  const earlier = actionOf('backup', against);
  try {
    const both = await pairs(
      rounds,
      () => startBundle(),
      () => startBundle(join(earlier.folder, '..')),
    );
    const ratio = median(both.map(([today, then]) => today.ms / then.ms));
    verdict(`bundle starts in ${ratio.toFixed(2)} of what it took at ${against}`, ratio <= 1, 'no slower');
  } finally {
    earlier.remove();
  }
}

/** Without inputs it stops at the first check, which is as far as start-up goes. */
const startBundle = (folder = '.') => timed([...tellsPeak.split(' '), join(folder, 'dist/backup/index.js')]);

const startNothing = () => timed(['--eval', '']);

async function timed(nodeArguments: readonly string[]): Promise<Sample> {
  const begin = performance.now();
  const { stderr } = await run(process.execPath, nodeArguments, { env: {} }).catch(
    (error) => error as { stderr: string },
  );
  const peak = peakIn(stderr);
  return { ms: performance.now() - begin, ...(peak === undefined ? {} : { peakBytes: peak }) };
}
