// Behind a reverse proxy, with neither names nor ports that are fixed: users notice nothing, however it ends.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Application } from '../lab/application.ts';
import { type Seen, seenDuring } from '../lab/prober.ts';
import { type ActionResult, runAction, startAction } from '../lab/runner.ts';
import { newBackupDirOf, notRolledBack, rollbackInputs, rolledBack, sameContainers, snapshotOf } from './rollbacks.ts';
import { registryForFile, type StageOptions, startApplicationForFile, withApplication } from './stage.ts';
import { killEngine, watchTransaction } from './transactions.ts';

const stage = await registryForFile();

const proxied: StageOptions = {
  name: 'proxied',
  fixed: false,
  versions: ['v1', 'v2', { version: 'ill', ill: 'health' }],
  runs: 'v2',
};

const app = await startApplicationForFile(stage, { ...proxied, proxy: true });

const rollback = (app: Application, more: Record<string, string>) =>
  runAction('rollback', { ...app.inputs(), 'skip-backup': 'true', ...more });

/** What users saw meanwhile, at forty questions a second for each service: more is what `npm run bench` asks. */
function underLoad<T>(app: Application, work: () => Promise<T>): Promise<[T, Seen[]]> {
  return seenDuring([app.url('backend'), app.url('dashboard')], 25, work);
}

function nobodyNoticed(seen: readonly Seen[], { stdout }: ActionResult): void {
  for (const { asked, failed, faults } of seen) {
    assert.ok(asked > 100);
    assert.equal(failed, 0, `${JSON.stringify(faults)}\n${stdout}`);
  }
}

describe('behind nginx', { concurrency: 1 }, () => {
  /** A backup folder of its own; v2 runs. */
  const running = () => newBackupDirOf(app, 'v2');

  test('there and back again, no request fails, and the old containers are gone', async () => {
    const backupDir = await running();
    for (const target of ['v1', 'v2']) {
      const before = await snapshotOf(app);
      const [result, seen] = await underLoad(app, () => rollback(app, { target, 'backup-dir': backupDir }));
      await rolledBack(app, result, { backend: target, dashboard: target });
      nobodyNoticed(seen, result);
      assert.deepEqual([result.outputs['failed-requests'], result.outputs['downtime-ms']], ['0', '0'], result.stdout);
      assert.match(
        result.stdout,
        /backend +new containers start before the old ones stop, without downtime: proxy is on its network/,
      );
      const now = await snapshotOf(app);
      assert.notEqual(now['backend']?.[0]?.id, before['backend']?.[0]?.id);
      assert.equal(now['backend']?.[0]?.name, before['backend']?.[0]?.name);
    }
  });

  test('a target that is ill is taken back, and no request has failed', async () => {
    const backupDir = await running();
    const before = await snapshotOf(app);
    const [result, seen] = await underLoad(app, () =>
      rollback(app, { target: 'ill', 'backup-dir': backupDir, 'health-timeout': '20s' }),
    );
    await notRolledBack(app, result, {
      status: 'reverted',
      code: 'unhealthy',
      message: /unhealthy|health check/,
      hint: /The previous release is running again/,
    });
    sameContainers(before, await snapshotOf(app));
    nobodyNoticed(seen, result);
  });

  for (const step of ['started', 'draining', 'drained']) {
    test(`an engine that is killed when it has ${step} is taken back, and no request has failed`, async () => {
      const backupDir = await running();
      const before = await snapshotOf(app);
      const [result, seen] = await underLoad(app, async () => {
        const action = await startAction('rollback', rollbackInputs(app, backupDir, { target: 'v1' }));
        await killEngine(await watchTransaction(app, backupDir).reached(step));
        return action.finished;
      });
      await notRolledBack(app, result, {
        status: 'reverted',
        code: 'engine-died',
        message: /The engine was killed/,
        hint: /Run it again/,
      });
      sameContainers(before, await snapshotOf(app));
      await app.serves('v2');
      nobodyNoticed(seen, result);
    });
  }

  test('a service of several containers keeps their number', async () => {
    await withApplication(stage, { ...proxied, proxy: true, services: { backend: { scale: 2 } } }, async (app) => {
      const [result, seen] = await underLoad(app, () => rollback(app, { target: 'v1' }));
      assert.equal(result.outputs['status'], 'rolled-back', result.stdout);
      nobodyNoticed(seen, result);
      const containers = await app.containers('backend');
      assert.deepEqual(
        containers.map(({ state }) => state),
        ['running', 'running'],
      );
      assert.equal(new Set(containers.map(({ imageId }) => imageId)).size, 1);
    });
  });

  test('strategy: recreate is obeyed, with its gap', async () => {
    const backupDir = await running();
    const [result, seen] = await underLoad(app, () =>
      rollback(app, { target: 'v1', 'backup-dir': backupDir, strategy: 'recreate' }),
    );
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
    assert.match(result.stdout, /backend +one after the other.*the input "strategy" asks for it/);
    assert.ok(
      seen.every(({ failed }) => failed > 0),
      'nginx had nobody to ask for a moment',
    );
    assert.ok(Number(result.outputs['downtime-ms']) > 0);
  });
});

test('without a proxy it is one after the other, and the reason is told', async () => {
  await withApplication(stage, proxied, async (app) => {
    const result = await rollback(app, { target: 'v1', strategy: 'blue-green' });
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
    assert.match(result.stdout, /backend +one after the other.*no known proxy is on its network/);
    assert.match(
      result.stdout,
      /::warning::backend cannot be swapped without downtime, although "strategy" asks for it/,
    );
  });
});
