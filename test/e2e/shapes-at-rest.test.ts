// What does not run when a rollback begins, or stops before it should: what an earlier rollback has left behind, what was stopped
// by hand, and what compose stops by itself.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { logOf } from './expectations.ts';
import { type Container, isBack, type Shape, twoReleases, withShape } from './shapes.ts';
import { registryForFile } from './stage.ts';
import { killEngine, watchTransaction } from './transactions.ts';

const ground = await registryForFile();
const versions = ['v1', 'v2', { version: 'v3', ill: 'start' as const }];

/** To `v3`, which no record knows, and which does not start. */
const toIll = (shape: Shape, more: Record<string, string> = {}) => {
  const { username, password } = shape.registry;
  const login = { 'registry-username': username, 'registry-password': password };
  return shape.rollBack({ persist: 'none', target: 'v3', 'health-timeout': '20s', ...login, ...more });
};
const seen = (containers: readonly Container[]) =>
  containers.map(({ Name, State }) => `${Name.replace(/^.*?-/, '')} ${State.Status}`).toSorted();

describe('what does not run', { concurrency: 2 }, () => {
  test('what on-failure: leave has left behind is no replica; a killed engine leaves nothing', async () => {
    await withShape(ground, { name: 'left', versions }, async (shape) => {
      await shape.write({
        'docker-compose.yml': {
          services: {
            app: shape.app(),
            web: shape.app({ ports: [], depends_on: ['app'] }),
            worker: shape.app({ ports: [], restart: 'unless-stopped', healthcheck: { disable: true } }),
          },
        },
      });
      await twoReleases(shape);
      await shape.compose(['stop', 'worker']);
      const verified = await shape.verify();
      assert.equal(verified.outputs['status'], 'verified', logOf(verified));
      assert.match(logOf(verified), /worker.*stopped by hand/);
      const before = { web: await shape.inspect('web'), app: await shape.inspect() };

      const watch = watchTransaction(shape, shape.backupDir);
      const killed = toIll(shape, { 'on-failure': 'leave' });
      await killEngine(await watch.reached('stopping'));
      const outcome = await killed;
      assert.equal(outcome.outputs['status'], 'reverted', logOf(outcome));
      assert.deepEqual([(await shape.inspect())[0]?.Id, await shape.answer()], [before.app[0]?.Id, 'v2']);

      const left = await toIll(shape, { 'on-failure': 'leave' });
      assert.equal(left.outputs['status'], 'failed', logOf(left));
      assert.equal((await shape.inspect('app')).length, 2);
      assert.equal((await shape.inspect('web')).length, 2, 'the target of web was made, and never started');
      await isBack(shape, await shape.rollBack({ persist: 'none', target: 'v1' }));
      const project = before.app[0]?.Name.replace(/-app-1$/, '') ?? '';
      for (const service of ['app', 'web', 'worker']) {
        const now = await shape.inspect(service);
        assert.equal(now.length, 1, `${service}: ${seen(now)}`);
        assert.equal(now[0]?.Name, `${project}-${service}-1`);
        assert.equal(now[0]?.State.Status, service === 'worker' ? 'created' : 'running');
      }
      // Nobody has started it since.
      const verifiedAgain = await shape.verify();
      assert.equal(verifiedAgain.outputs['status'], 'verified', logOf(verifiedAgain));
      const again = await shape.rollBack({ persist: 'none', target: 'v2' });
      assert.equal(again.outputs['status'], 'rolled-back', logOf(again));
      assert.equal((await shape.inspect('worker'))[0]?.State.Status, 'created', logOf(again));
    });
  });

  test('a stopped service whose container somebody removes meanwhile comes back stopped', async () => {
    await withShape(ground, { name: 'gone', versions }, async (shape) => {
      const worker = shape.app({ ports: [], restart: 'unless-stopped' });
      await shape.write({ 'docker-compose.yml': { services: { a: worker, app: shape.app({ depends_on: ['a'] }) } } });
      await twoReleases(shape);
      await shape.compose(['stop', 'a']);
      const [old] = await shape.inspect('a');
      const watch = watchTransaction(shape, shape.backupDir);
      const action = toIll(shape);
      await watch.reached('stays-stopped');
      await shape.host.docker('rm', '--force', old?.Id ?? '');
      const result = await action;
      assert.equal(result.outputs['status'], 'reverted', logOf(result));
      const now = await shape.inspect('a');
      assert.deepEqual([now.length, now[0]?.State.Status, now[0]?.Image], [1, 'created', old?.Image], logOf(result));
    });
  });
});
