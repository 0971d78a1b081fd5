// A service that does one thing and ends is well when it has ended; one that is to stay at work is not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application } from '../lab/application.ts';
import { until } from '../lab/faults.ts';
import { runAction } from '../lab/runner.ts';
import { historyIn, notRolledBack, rollbackInputs, sameContainers, snapshotOf } from './rollbacks.ts';
import { registryForFile, withApplication } from './stage.ts';
import { findingOf, verify } from './verifications.ts';

const stage = await registryForFile();

const inputs = (app: Application, backupDir: string) => rollbackInputs(app, backupDir, { target: 'v2' });

for (const restart of ['no', undefined]) {
  test(`a target that ends with 0 within stable-for is taken back (restart: ${restart})`, async () => {
    const policy = restart === undefined ? {} : { restart };
    await withApplication(stage, { name: 'task', services: { backend: policy, dashboard: policy } }, async (app) => {
      await app.publish({ version: 'v1' });
      await app.publish({ version: 'v2', ill: 'quits', delay: 5 });
      await app.deploy('v1');
      await app.serves('v1');
      const seen = await snapshotOf(app);
      const dir = app.host.newBackupDir();
      const result = await runAction('rollback', { ...inputs(app, dir), 'stable-for': '8s' });
      await notRolledBack(app, result, { status: 'reverted', message: /exit 0/, hint: /./, code: 'crashed' });
      sameContainers(seen, await snapshotOf(app));
      assert.equal(historyIn(app, dir).at(-1)?.verdict, 'bad');
    });
  });
}

test('a service with one task may have ended, before and after', async () => {
  const dashboard = { command: ['sh', '-c', 'exit 0'], healthcheck: { disable: true } };
  await withApplication(stage, { name: 'task', fixed: false, services: { dashboard } }, async (app) => {
    for (const version of ['v1', 'v2']) await app.publish({ version });
    await app.deploy('v1');
    await until('the task is done', async () => {
      const [container] = await app.containers('dashboard');
      return container?.state === 'exited' ? true : undefined;
    });
    const dir = app.host.newBackupDir();
    const result = await runAction('rollback', inputs(app, dir));
    assert.equal(result.outputs['status'], 'rolled-back', result.stdout + result.stderr);
    const after = await verify(app.host, dir, {
      checks: 'deployment',
      registry: app.registry.address,
      'stable-for': '2s',
    });
    assert.equal(
      findingOf(after, 'running: dashboard').detail,
      'it is stopped: a rollback has made its container and not started it, because it was stopped before or is a job that was skipped',
    );
    assert.equal(after.exitCode, 0, after.stdout);
  });
});
