// What others depend on: neighbours of a container, its name, jobs that are awaited, what was stopped on purpose, and data.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { ActionResult } from '../lab/runner.ts';
import { logOf } from './expectations.ts';
import type { Inputs } from './sets.ts';
import { type Container, deployedWell, isBack, type Shape, twoReleases, withShape } from './shapes.ts';
import { registryForFile } from './stage.ts';
import { killEngine, watchTransaction } from './transactions.ts';

const ground = await registryForFile();

/** Without new tags: all tests of this file share one Docker engine, and the images' names with it. */
const rollBack = (shape: Shape, more: Inputs = {}) => shape.rollBack({ persist: 'none', ...more });

/** Refused before anything was stopped: v2 goes on in the same container. */
async function isRefused(shape: Shape, result: ActionResult, before: readonly Container[], why: RegExp): Promise<void> {
  assert.equal(result.exitCode, 1, logOf(result));
  assert.match(logOf(result), why);
  const [now] = await shape.inspect();
  assert.equal(now?.Id, before[0]?.Id, logOf(result));
  assert.equal(now?.State.StartedAt, before[0]?.State.StartedAt, logOf(result));
}

const names = (containers: readonly Container[]) => containers.map(({ Name }) => Name).toSorted();
const runs = async (shape: Shape, service: string, version: string) => {
  const [container] = await shape.inspect(service);
  return container?.Config.Env.includes(`VERSION=${version}`) === true;
};

describe('what others depend on', { concurrency: 2 }, () => {
  test('a container that lives in the network or processes of another is named, and nothing is stopped', async () => {
    await withShape(ground, { name: 'sharers' }, async (shape) => {
      await shape.write({ 'docker-compose.yml': { services: { app: shape.app() } } });
      await twoReleases(shape);
      const before = await shape.inspect();
      const app = (before[0]?.Name ?? '').slice(1);
      for (const [name, mode] of [
        ['sidecar', 'network'],
        ['profiler', 'pid'],
      ] as const) {
        const of = `${shape.host.project}-${name}`;
        await shape.host.docker(
          ...['run', '--detach', '--name', of, `--${mode}`, `container:${app}`],
          ...[`${shape.repository()}:v1`, 'sleep', '600'],
        );
        await isRefused(shape, await rollBack(shape), before, new RegExp(`cannot-swap.*${of}`, 's'));
        await shape.host.docker('rm', '--force', of);
      }
      await isBack(shape, await rollBack(shape));
    });
  });

  test('the names of the containers stay: of one, of several, and after going back', async () => {
    await withShape(
      ground,
      { name: 'names', versions: ['v1', 'v2', { version: 'v3', ill: 'start' }] },
      async (shape) => {
        await shape.write({
          'docker-compose.yml': { services: { app: shape.app(), web: shape.app({ ports: [], scale: 2 }) } },
        });
        await twoReleases(shape);
        const project = shape.host.project;
        const expected = { app: [`/${project}-app-1`], web: [`/${project}-web-1`, `/${project}-web-2`] };
        const stay = async () => {
          assert.deepEqual(names(await shape.inspect('app')), expected.app);
          assert.deepEqual(names(await shape.inspect('web')), expected.web);
        };
        await stay();
        const { username, password } = shape.registry;
        const login = { 'registry-username': username, 'registry-password': password };
        const failed = await rollBack(shape, { target: 'v3', ...login });
        assert.equal(failed.outputs['status'], 'reverted', logOf(failed));
        await stay();
        await isBack(shape, await rollBack(shape));
        await stay();
        const [web] = await shape.inspect('web');
        const url = `http://${project}-app-1:8080/version`;
        assert.equal((await shape.host.docker('exec', web?.Id ?? '', 'wget', '-q', '-O', '-', url)).trim(), 'v1');
      },
    );
  });

  test('a job that others await runs from the target, and they start after its end', async () => {
    await withShape(ground, { name: 'job' }, async (shape) => {
      await shape.write({
        'docker-compose.yml': {
          services: {
            assets: shape.app({ ports: [], command: ['sh', '-c', 'sleep 3'], healthcheck: { disable: true } }),
            app: shape.app({ depends_on: { assets: { condition: 'service_completed_successfully' } } }),
          },
        },
      });
      await twoReleases(shape);
      const result = await rollBack(shape);
      await isBack(shape, result);
      const [job] = await shape.inspect('assets');
      const [app] = await shape.inspect('app');
      assert.equal(job?.State.Status, 'exited');
      assert.equal(job?.State.ExitCode, 0);
      assert.ok(await runs(shape, 'assets', 'v1'));
      assert.ok(
        String(job?.State.FinishedAt) < String(app?.State.StartedAt),
        'the application started before the job was done',
      );
    });
  });

  test('an engine that is killed while a job runs, or names change, takes everything back without an outage', async () => {
    await withShape(ground, { name: 'job-killed' }, async (shape) => {
      await shape.write({
        'docker-compose.yml': {
          services: {
            assets: shape.app({ ports: [], command: ['sh', '-c', 'sleep 2'], healthcheck: { disable: true } }),
            worker: shape.app({ ports: [], restart: 'unless-stopped' }),
            app: shape.app({
              depends_on: {
                assets: { condition: 'service_completed_successfully' },
                worker: { condition: 'service_started' },
              },
            }),
          },
        },
      });
      await twoReleases(shape);
      await shape.compose(['stop', 'worker']);
      const seen = async () =>
        (await Promise.all(['app', 'assets', 'worker'].map(shape.inspect)))
          .flat()
          .map(({ Id, Name, State }) => [Id, Name, State.Status]);
      const startedAt = async () => (await shape.inspect())[0]?.State.StartedAt;
      const [before, since] = [await seen(), await startedAt()];
      for (const step of ['running', 'stays-stopped']) {
        const watch = watchTransaction(shape, shape.backupDir);
        const action = rollBack(shape);
        await killEngine(await watch.reached(step));
        const result = await action;
        assert.equal(result.outputs['status'], 'reverted', logOf(result));
        assert.deepEqual(await seen(), before, step);
        if (step === 'running') assert.equal(await startedAt(), since, 'the application was stopped');
      }
      await isBack(shape, await rollBack(shape));
    });
  });

  test('a job that fails takes everything back without an outage, and blames no release; it can be skipped', async () => {
    await withShape(ground, { name: 'job-fails' }, async (shape) => {
      await shape.write({
        'docker-compose.yml': {
          services: {
            migrate: shape.app({
              ports: [],
              // A migration that does not know the newer schema.
              command: ['sh', '-c', 'test ! -e /state/v2 || test $$VERSION = v2 && touch /state/$$VERSION'],
              volumes: ['state:/state'],
              healthcheck: { disable: true },
            }),
            app: shape.app({ depends_on: { migrate: { condition: 'service_completed_successfully' } } }),
          },
          volumes: { state: null },
        },
      });
      await twoReleases(shape);
      const before = await shape.inspect();
      const [earlier] = await shape.inspect('migrate');
      const failed = await rollBack(shape);
      assert.equal(failed.outputs['status'], 'reverted', logOf(failed));
      const [again] = await shape.inspect('migrate');
      assert.equal(again?.Id, earlier?.Id);
      assert.ok(String(again?.State.StartedAt) > String(earlier?.State.StartedAt), 'its own job was not run again');
      assert.equal(again?.State.ExitCode, 0);
      assert.match(logOf(failed), /job-failed.*migrate.*jobs: skip/s);
      const [now] = await shape.inspect();
      assert.equal(now?.State.StartedAt, before[0]?.State.StartedAt, 'the application was stopped');
      const history = join(shape.host.deployDir, String(shape.backupDir), 'rollback', 'history.jsonl');
      assert.doesNotMatch(readFileSync(history, 'utf8'), /"verdict":"bad"/);

      const result = await rollBack(shape, { jobs: 'skip' });
      await isBack(shape, result);
      const [job] = await shape.inspect('migrate');
      assert.equal(job?.State.Status, 'created');
      assert.ok(await runs(shape, 'migrate', 'v1'));
    });
  });

  test('what was stopped by hand stays stopped, what crashed is started, and what is paused is refused', async () => {
    await withShape(ground, { name: 'stopped' }, async (shape) => {
      const worker = { ports: [], healthcheck: { disable: true } };
      await shape.write({
        'docker-compose.yml': {
          services: {
            app: shape.app(),
            worker: shape.app({ ...worker, restart: 'unless-stopped' }),
            // Ends with 0 when it is asked to.
            cron: shape.app(worker),
            // v2 made it crash.
            queue: shape.app({ ...worker, command: ['sh', '-c', 'test $$VERSION = v1 && exec serve; exit 3'] }),
          },
        },
      });
      await deployedWell(shape, 'v1');
      await shape.deploy('v2');
      await shape.serves('v2');
      const before = await shape.inspect();
      await shape.compose(['pause', 'worker']);
      await isRefused(shape, await rollBack(shape), before, /cannot-swap.*worker is paused/s);
      await shape.compose(['unpause', 'worker']);

      await shape.compose(['stop', 'worker', 'cron']);
      const result = await rollBack(shape);
      await isBack(shape, result);
      const states = async (service: string) => (await shape.inspect(service)).map(({ State }) => State.Status);
      assert.deepEqual(await states('worker'), ['created'], logOf(result));
      assert.deepEqual(await states('cron'), ['created'], logOf(result));
      assert.deepEqual(await states('queue'), ['running'], logOf(result));
      for (const service of ['worker', 'cron', 'queue']) assert.ok(await runs(shape, service, 'v1'), service);
      assert.match(logOf(result), /worker.*stopped/);
      const after = await shape.verify();
      assert.equal(after.exitCode, 0, logOf(after));
    });
  });

  test("an unset stop-timeout follows the container's own", async () => {
    await withShape(ground, { name: 'grace' }, async (shape) => {
      // It needs longer than its own stop_grace_period, and so is killed; 30 s would be enough.
      const command = ['sh', '-c', "serve & trap 'sleep 4; exit 0' TERM; while true; do sleep 0.2; done"];
      await shape.write({
        'docker-compose.yml': { services: { app: shape.app({ command, stop_grace_period: '1s' }) } },
      });
      await twoReleases(shape);
      const result = await rollBack(shape);
      await isBack(shape, result);
      assert.match(logOf(result), /app did not stop when asked and was killed/);
    });
  });

  test('a store with the tag of the release is left alone, unless it is named', async () => {
    await withShape(ground, { name: 'store', repositories: ['shop-redis'] }, async (shape) => {
      await shape.write({
        'docker-compose.yml': {
          services: {
            app: shape.app(),
            cache: shape.app({ image: `${shape.repository('shop-redis')}:\${TAG}`, ports: [] }),
          },
        },
      });
      await twoReleases(shape);
      const before = await shape.inspect('cache');
      const result = await rollBack(shape);
      await isBack(shape, result);
      assert.match(logOf(result), /cache is left alone: it is a store/);
      assert.equal((await shape.inspect('cache'))[0]?.Id, before[0]?.Id);

      const named = await rollBack(shape, { services: 'cache', target: 'v1' });
      assert.equal(named.outputs['status'], 'rolled-back', logOf(named));
      assert.ok(await runs(shape, 'cache', 'v1'));
    });
  });

  test('a sidecar that shares volumes is no obstacle, and shares them afterwards', async () => {
    await withShape(ground, { name: 'volumes-from' }, async (shape) => {
      await shape.write({
        'docker-compose.yml': {
          services: {
            app: shape.app({ volumes: ['data:/data', '/scratch'] }),
            sidecar: shape.app({ ports: [], volumes_from: ['app:ro'] }),
          },
          volumes: { data: null },
        },
      });
      await twoReleases(shape);
      await isBack(shape, await rollBack(shape));
      const [app] = await shape.inspect('app');
      await shape.host.docker('exec', app?.Id ?? '', 'sh', '-c', 'echo here > /data/mark; echo here > /scratch/mark');
      await shape.compose(['restart', 'sidecar']);
      const [sidecar] = await shape.inspect('sidecar');
      const seen = await shape.host.docker('exec', sidecar?.Id ?? '', 'cat', '/data/mark', '/scratch/mark');
      assert.equal(seen.trim(), 'here\nhere');
    });
  });

  test('hooks that only compose runs are refused', async () => {
    await withShape(ground, { name: 'hooks', newest: true }, async (shape) => {
      await shape.write({
        'docker-compose.yml': { services: { app: shape.app({ post_start: [{ command: 'touch /started' }] }) } },
      });
      await twoReleases(shape);
      await isRefused(shape, await rollBack(shape), await shape.inspect(), /cannot-swap.*post_start/s);
    });
  });
});
