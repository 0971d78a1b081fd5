// Docker itself is restarted under a rollback's hands, or has no room for what is pulled: the host ends with the target, or
// with what ran before.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { run } from '../lab/command.ts';
import { startEngineToBreak } from '../lab/engine.ts';
import { prepareImages } from '../lab/images.ts';
import { runAction, startAction } from '../lab/runner.ts';
import { adviceIn, errorsOf } from './expectations.ts';
import {
  historyIn,
  newBackupDirOf,
  nothingLeft,
  notRolledBack,
  plantHistory,
  rollbackInputs,
  rolledBack,
  sameContainers,
  snapshotOf,
} from './rollbacks.ts';
import type { Inputs } from './sets.ts';
import { atEnd, registryForFile, startApplicationForFile, withApplication } from './stage.ts';
import { killSupervisorAndEngine, watchTransaction } from './transactions.ts';

const engine = await startEngineToBreak();
atEnd(() => engine.stop());
const stage = await registryForFile(async () => ({
  engine,
  images: await prepareImages(engine),
  close: async () => {},
}));
const restarts = { restart: 'unless-stopped' };
const app = await startApplicationForFile(stage, {
  name: 'broken',
  services: { db: restarts, backend: restarts, dashboard: restarts },
  versions: ['v1', 'v2', { version: 'v3', ballast: 8 }],
});

const running = (version: string) => newBackupDirOf(app, version);

const inputs = (backupDir: string, more: Inputs = {}) => rollbackInputs(app, backupDir, more);

describe('Docker', { concurrency: 1 }, () => {
  test('has no room for what is pulled: refused, nothing is stopped, and with room it goes', async () => {
    const backupDir = await running('v2');
    const { env } = app.host;
    const image = await run(['docker', 'image', 'inspect', '--format', '{{.ID}}', 'atlasia-lab/web:v3-8'], { env });
    await run(['docker', 'rmi', '--force', image.trim()], { env });
    const before = await snapshotOf(app);
    const mend = await engine.fillDisk(1024 * 1024);
    try {
      await notRolledBack(app, await runAction('rollback', inputs(backupDir, { target: 'v3' })), {
        status: 'refused',
        code: 'disk-full',
        message: /disk is full/,
        hint: /Nothing was stopped. On the host, as [a-z]\S*: docker system df/,
      });
      sameContainers(before, await snapshotOf(app));
    } finally {
      await mend();
    }
    await rolledBack(app, await runAction('rollback', inputs(backupDir, { target: 'v3' })), {
      backend: 'v3',
      dashboard: 'v3',
    });
  });

  test('is restarted at commit, and has no policy to bring the target back: the target runs', async () => {
    await withApplication(stage, { name: 'plain', runs: 'v2' }, async (plain) => {
      const backupDir = plain.host.newBackupDir();
      const transaction = watchTransaction(plain, backupDir);
      const action = await startAction('rollback', rollbackInputs(plain, backupDir, { target: 'v1' }));
      // The runner starts the engine again; until then nothing is done that a restart could come too late for.
      await killSupervisorAndEngine(await transaction.reached('commit'));
      await engine.restart();
      const result = await action.finished;
      assert.equal(result.outputs['status'], 'rolled-back', result.stdout);
      await plain.serves('v1');
      assert.deepEqual(errorsOf(result), []);
    });
  });

  for (const step of ['checked', 'created', 'prepared', 'stopping', 'started', 'answers', 'healthy', 'commit']) {
    test(`is restarted at ${step}: the target runs, or what ran before`, async () => {
      const backupDir = await running('v2');
      await plantHistory(app, backupDir, [{ backend: 'v1', dashboard: 'v1' }]);
      const transaction = watchTransaction(app, backupDir);
      const action = await startAction('rollback', inputs(backupDir));
      await transaction.reached(step);
      await engine.restart();
      const result = await action.finished;
      const log = result.stdout + result.stderr;
      const { status } = result.outputs;
      const version = status === 'rolled-back' ? 'v1' : 'v2';
      assert.ok(['rolled-back', 'reverted', 'refused'].includes(status ?? ''), log);
      assert.equal(result.exitCode, status === 'rolled-back' ? 0 : 1, log);
      await app.serves(version);
      await nothingLeft(app);
      for (const service of ['backend', 'dashboard'] as const) {
        const containers = await app.containers(service);
        assert.deepEqual(
          containers.map(({ state, restart }) => [state, restart]),
          [['running', 'unless-stopped']],
          log,
        );
      }
      // What Docker did is not held against the target.
      const [newest] = historyIn(app, backupDir).slice(1);
      assert.ok(newest === undefined || newest.verdict === (status === 'rolled-back' ? 'good' : 'unknown'), log);
      if (status !== 'rolled-back') {
        const [error] = errorsOf(result);
        assert.match(error?.properties['title'] ?? '', /docker-restarted$/, log);
        assert.match(error?.message ?? '', /Docker was restarted on the host during the rollback/);
        assert.match(adviceIn(result), /Run it again/);
      }
    });
  }
});
