// Docker itself is restarted under a rollback's hands, or has no room for what is pulled: the host ends with the target, or
// with what ran before.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Application, startApplication } from '../lab/application.ts';
import { run } from '../lab/command.ts';
import { type BreakableEngine, startEngineToBreak } from '../lab/engine.ts';
import { prepareImages } from '../lab/images.ts';
import type { Lab } from '../lab/lab.ts';
import { type Registry, startRegistry } from '../lab/registry.ts';
import { runAction, startAction } from '../lab/runner.ts';
import { adviceIn, errorsOf } from './expectations.ts';
import {
  historyIn,
  nothingLeft,
  notRolledBack,
  plantHistory,
  rolledBack,
  sameContainers,
  snapshotOf,
} from './rollbacks.ts';
import { killSupervisorAndEngine, watchTransaction } from './transactions.ts';

let engine: BreakableEngine;
let lab: Lab;
let registry: Registry;
let app: Application;

before(async () => {
  engine = await startEngineToBreak();
  registry = await startRegistry();
  lab = { engine, images: await prepareImages(engine), close: () => engine.stop() };
  const restarts = { restart: 'unless-stopped' };
  app = await startApplication(lab, registry, {
    name: 'broken',
    services: { db: restarts, backend: restarts, dashboard: restarts },
  });
  for (const version of ['v1', 'v2']) await app.publish({ version });
  await app.publish({ version: 'v3', ballast: 8 });
});

after(async () => {
  await app?.stop();
  await registry?.close();
  await engine?.stop();
});

async function running(version: string): Promise<string> {
  await app.deploy(version);
  await app.serves(version);
  return app.host.newBackupDir();
}

const inputs = (backupDir: string, more: Record<string, string> = {}) => ({
  ...app.inputs(),
  'backup-dir': backupDir,
  'skip-backup': 'true',
  ...more,
});

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
        hint: /Nothing was stopped. On the host: docker system df/,
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
    const plain = await startApplication(lab, registry, { name: 'plain' });
    try {
      await plain.deploy('v2');
      await plain.serves('v2');
      const backupDir = plain.host.newBackupDir();
      const transaction = watchTransaction(plain, backupDir);
      const given = { ...plain.inputs(), 'backup-dir': backupDir, 'skip-backup': 'true', target: 'v1' };
      const action = await startAction('rollback', given);
      // The runner starts the engine again; until then nothing is done that a restart could come too late for.
      await killSupervisorAndEngine(await transaction.reached('commit'));
      await engine.restart();
      const result = await action.finished;
      assert.equal(result.outputs['status'], 'rolled-back', result.stdout);
      await plain.serves('v1');
      assert.deepEqual(errorsOf(result), []);
    } finally {
      await plain.stop();
    }
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
