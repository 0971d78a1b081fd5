import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { formatDuration } from '../../shared/units.ts';
import { giveTo } from '../lab/account.ts';
import { type Application, appServices, startApplication } from '../lab/application.ts';
import type { Lab } from '../lab/lab.ts';
import { type Seen, seenDuring } from '../lab/prober.ts';
import { type Registry, startRegistry } from '../lab/registry.ts';
import { type ActionResult, runAction } from '../lab/runner.ts';
import { median } from './pairs.ts';

const rounds = 3;
const rollbacksBehindProxy = 20;
const healthIntervalMs = 10_000;
const stableForMs = 1_000;
const versions = ['v1', 'v2'] as const;

/** How one gets to another version, or just restarts. */
type Way = 'mine' | 'bare' | 'scripts' | 'plain';

/** Tells one figure, and whether it is good enough. */
export type Verdict = (what: string, isMet: boolean, goal: string) => void;

/** What a rollback costs the users of a service, beside what Docker itself and the scripts cost them in the same run. */
export async function benchRollbacks(lab: Lab, verdict: Verdict): Promise<void> {
  const registry = await startRegistry();
  try {
    await withFixedNames(lab, registry, verdict);
    await behindProxy(lab, registry, verdict);
  } finally {
    await registry.close();
  }
}

async function withFixedNames(lab: Lab, registry: Registry, verdict: Verdict): Promise<void> {
  const app = await startApplication(lab, registry, { name: 'bench', healthInterval: '10s' });
  try {
    await deployFirst(app);
    const samples: Record<Way, number[]>[] = [];
    const verified: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const [result, mine] = await gapsOf(app, () => rollback(app, round));
      verified.push(result.durationMs);
      const [, bare] = await gapsOf(app, () => stopAndStart(app));
      const [, scripts] = await gapsOf(app, () => compose(app, ['down', '--timeout', '30'], up));
      await app.serves(versions[round % 2] ?? 'v1');
      const [, plain] = await gapsOf(app, () => plainUp(app, versions[(round + 1) % 2] ?? 'v1'));
      samples.push({ mine, bare, scripts, plain });
      await compose(app, up);
      await app.serves(versions[round % 2] ?? 'v1');
    }
    appServices.forEach((service, index) => {
      const of = (way: Way) => median(samples.map((sample) => sample[way][index] ?? Number.NaN));
      const [mine, bare, scripts, plain] = [of('mine'), of('bare'), of('scripts'), of('plain')];
      verdict(
        `${service} is away for ${formatDuration(mine)}; by docker stop and start ${formatDuration(bare)}, by up -d with an override ${formatDuration(plain)}, by down and up -d ${formatDuration(scripts)}`,
        mine <= 1.1 * bare + 100,
        'at most 1.1 times docker stop and start, and 0.1 s',
      );
    });
    const most = healthIntervalMs + stableForMs + 5_000;
    const took = median(verified);
    verdict(
      `from the button to a verified target: ${formatDuration(took)}`,
      took <= most,
      `at most ${formatDuration(most)}`,
    );
  } finally {
    await app.stop();
  }
}

async function behindProxy(lab: Lab, registry: Registry, verdict: Verdict): Promise<void> {
  const app = await startApplication(lab, registry, { name: 'bench', fixed: false, proxy: true });
  try {
    await deployFirst(app);
    const [, seen] = await underQuestions(app, 10, async () => {
      for (let round = 0; round < rollbacksBehindProxy; round += 1) await rollback(app, round);
    });
    const asked = seen.reduce((sum, each) => sum + each.asked, 0);
    const failed = seen.reduce((sum, each) => sum + each.failed, 0);
    const faults = seen
      .flatMap((each) => Object.entries(each.faults))
      .map(([fault, count]) => `, ${count} by ${fault}`);
    verdict(
      `${failed} of ${asked} requests failed in ${rollbacksBehindProxy} rollbacks behind nginx${faults.join('')}`,
      failed === 0,
      'none',
    );
  } finally {
    await app.stop();
  }
}

async function deployFirst(app: Application): Promise<void> {
  for (const version of versions) await app.publish({ version });
  await app.deploy('v2');
  await app.serves('v2');
}

/** To the other of the two versions, whose images are on the host from the second time on. */
async function rollback(app: Application, round: number): Promise<ActionResult> {
  const target = versions[round % 2] ?? 'v1';
  const result = await runAction('rollback', { ...app.inputs(), target, 'skip-backup': 'true' });
  if (result.outputs['status'] !== 'rolled-back') throw new Error(`The rollback failed:\n${result.stdout}`);
  return result;
}

/** The least that a swap in place can cost: the same containers, and nothing else. */
async function stopAndStart(app: Application): Promise<void> {
  for (const service of appServices) {
    const [container] = await app.containers(service);
    await app.host.docker('stop', container?.id ?? '');
    await app.host.docker('start', container?.id ?? '');
  }
}

const up = ['up', '--detach', '--pull', 'never'];

/** Compose's own way to another version, which waits for each service's health before it stops the next. */
async function plainUp(app: Application, version: string): Promise<void> {
  const images = appServices.map((service) => [
    service,
    { image: `${app.registry.address}/acme/${service}:${version}` },
  ]);
  const override = join(app.host.deployDir, 'override.yml');
  writeFileSync(override, stringify({ services: Object.fromEntries(images) }));
  await giveTo(app.host.account, override);
  await compose(app, ['--file', 'docker-compose.yml', '--file', 'override.yml', ...up]);
}

/** As the host's account, one after the other; what the scripts did is `down` and `up`. */
async function compose(app: Application, ...commands: string[][]): Promise<void> {
  for (const words of commands) {
    const { code, stderr } = await app.host.exec(['docker', 'compose', ...words]);
    if (code !== 0) throw new Error(`docker compose ${words[0]} failed:\n${stderr}`);
  }
}

/** The longest gap of each service, in milliseconds. */
async function gapsOf<T>(app: Application, work: () => Promise<T>): Promise<[T, number[]]> {
  const [result, seen] = await underQuestions(app, 20, work);
  return [result, seen.map(({ longestGapMs }) => longestGapMs)];
}

/** What users of each service saw while something was done. */
export function underQuestions<T>(app: Application, everyMs: number, work: () => Promise<T>): Promise<[T, Seen[]]> {
  const urls = appServices.map((service) => app.url(service));
  return seenDuring(urls, everyMs, async () => {
    const result = await work();
    // The end of a gap is seen only by a question that comes after it.
    await sleep(1_000);
    return result;
  });
}
