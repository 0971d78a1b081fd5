// A rollback whose SSH server stands still in the middle: the host carries it to its end by itself, and the run finds it again,
// or says in time that it does not know.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freezeSshServer } from '../lab/faults.ts';
import { startAction } from '../lab/runner.ts';
import { errorsOf, runnerIsClean } from './expectations.ts';
import { nothingLeft, rollbackInputs } from './rollbacks.ts';
import { applicationForFile } from './stage.ts';
import { watchTransaction } from './transactions.ts';

const { app } = await applicationForFile({ name: 'still', versions: ['v1', 'v2'], runs: 'v1' });
const backupDir = app.host.newBackupDir();

/** ssh misses three signs of life, 5 s apart; 3 minutes of tries to reconnect; the last one, which has just begun. */
const longest = 20_000 + 180_000 + 40_000;
/** The action itself takes time to end, the more so where everything else works at once. */
const slack = 30_000;

/** Starts a rollback, and stops the SSH server when the host has stopped the old release. */
async function standsStill(target: string) {
  const watch = watchTransaction(app, backupDir);
  const action = await startAction('rollback', rollbackInputs(app, backupDir, { target }));
  await watch.reached('stopping');
  const begin = performance.now();
  return { action, watch, thaw: freezeSshServer(app.host), since: () => Math.round(performance.now() - begin) };
}

test('for a while: the rollback is found again, and its end is told', async () => {
  const { action, watch, thaw } = await standsStill('v2');
  try {
    await action.sawLog(/Lost the connection; the host carries on/);
  } finally {
    await thaw();
  }
  const result = await action.finished;
  await watch.ended();
  assert.equal(result.outputs['status'], 'rolled-back', result.stdout);
  assert.equal(result.exitCode, 0);
  await app.serves('v2');
  await nothingLeft(app);
});

test('for good: the run ends in time, and does not say how the rollback ended, which the host has finished', async () => {
  const { action, watch, thaw, since } = await standsStill('v1');
  try {
    const result = await action.finished;
    console.log(`It ended ${since()} ms after the fault`);
    assert.ok(since() < longest + slack, `${since()} ms`);
    assert.equal(result.exitCode, 1, result.stdout);
    assert.equal(result.outputs['status'], 'failed', result.stdout);
    assert.match(errorsOf(result)[0]?.properties['title'] ?? '', /: outcome-unknown$/, result.stdout);
    runnerIsClean(result);
    // It is so although nobody could be told.
    await watch.ended();
    await app.serves('v1');
  } finally {
    await thaw();
  }
  await nothingLeft(app);
});
