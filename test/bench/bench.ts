// `npm run bench`: what the actions cost, mostly as ratios of pairs that run in turn. `npm run bench -- PART…` for some of the parts;
// `--against COMMIT` measures the bundle of an earlier commit beside today's, where a part can.
import { parseArgs } from 'node:util';
import { type Host, startHost } from '../lab/host.ts';
import { openLab } from '../lab/lab.ts';
import { benchBackups, fillLarge, largeDatabase } from './backups.ts';
import { benchCopies } from './copies.ts';
import { benchDistances } from './distances.ts';
import { benchGrowth } from './growth.ts';
import { benchLetters } from './letters.ts';
import { benchRestores } from './restores.ts';
import { benchRollbacks } from './rollbacks.ts';
import { benchStarts } from './starts.ts';
import { benchVerifications } from './verifications.ts';

const {
  positionals: asked,
  values: { against },
} = parseArgs({ allowPositionals: true, options: { against: { type: 'string' } } });
const lab = await openLab();

/** Each brings what it needs, and leaves nothing. */
const parts: Readonly<Record<string, () => Promise<void>>> = {
  start: () => benchStarts(against, verdict),
  backup: () =>
    onHost(async (host) => {
      await fillLarge(host);
      await benchBackups(host, verdict);
    }),
  letters: () => onHost((host) => benchLetters(host, against, verdict)),
  distance: () => onHost((host) => benchDistances(host, against, verdict)),
  growth: () => onHost((host) => benchGrowth(host, against, verdict)),
  verify: () =>
    onHost(async (host) => {
      await fillLarge(host);
      await benchVerifications(host, largeDatabase, verdict);
    }),
  copy: () => onHost((host) => benchCopies(host, verdict)),
  rollback: () => benchRollbacks(lab, verdict),
  restore: () => benchRestores(lab, verdict),
};

try {
  const unknown = asked.filter((name) => !Object.hasOwn(parts, name));
  if (unknown.length > 0) throw new Error(`There is no ${unknown.join(', ')}: ${Object.keys(parts).join(', ')}`);
  for (const [name, part] of Object.entries(parts)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    process.stdout.write(`\n── ${name}\n`);
    await part();
  }
} finally {
  await lab.close();
}

async function onHost(work: (host: Host) => Promise<void>): Promise<void> {
  const host = await startHost(lab, { name: 'bench', seed: false });
  try {
    await work(host);
  } finally {
    await host.stop();
  }
}

function verdict(what: string, isMet: boolean, goal: string): void {
  process.stdout.write(`${isMet ? '✔' : '✘'} ${what} [${goal}]\n`);
  if (!isMet) process.exitCode = 1;
}
