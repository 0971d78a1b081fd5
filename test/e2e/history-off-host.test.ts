// The host is lost, and with it its history: copies in artifacts bring it back, and what a stranger has put among them
// does not.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { beforeEach, describe, test } from 'node:test';
import { parseHistory } from '../../shared/history/record.ts';
import { startGithub } from '../lab/github.ts';
import type { RunFacts } from '../lab/github-results.ts';
import { runAction } from '../lab/runner.ts';
import { historyFile, historyIn, newBackupDirOf, notRolledBack, plantHistory, rolledBack } from './rollbacks.ts';
import { applicationForFile, atEnd } from './stage.ts';

const { app } = await applicationForFile({ name: 'copies', versions: ['v1', 'v2', 'v3'] });
const github = await startGithub();
atEnd(() => github.close());

beforeEach(() => github.startAnew());

/** The action as a step of a workflow run of its own. */
async function step(
  action: string,
  backupDir: string,
  more: Record<string, string> = {},
  facts: Partial<RunFacts> = {},
) {
  const { env } = github.startRun(facts);
  const { host } = app;
  const common =
    action === 'backup' ? { ...host.inputs(), environment: 'lab', 'min-free-space': '10MiB' } : app.inputs();
  const inputs = { ...common, history: 'artifact,cache', 'backup-dir': backupDir, ...more };
  return runAction(action, inputs, { env, token: github.token });
}

const rollback = (backupDir: string, more: Record<string, string> = {}) =>
  step('rollback', backupDir, { 'skip-backup': 'true', ...more });

const running = (version: string) => newBackupDirOf(app, version);

describe('the history off the host', { concurrency: 1 }, () => {
  test('a backup stores it where it has something new, and not again', async () => {
    const backupDir = await running('v1');
    const first = await step('backup', backupDir);
    assert.equal(first.exitCode, 0, first.stdout);
    assert.deepEqual([first.annotations, github.artifacts.map(({ name }) => name)], [[], ['deployment-history-lab']]);
    const second = await step('backup', backupDir);
    assert.deepEqual([second.exitCode, second.annotations, github.artifacts.length], [0, [], 1]);
    // What the libraries say of each step of theirs is not for people.
    for (const { stdout } of [first, second])
      assert.doesNotMatch(stdout, /bytes \d|SHA256 digest|Cache|\[command\]|Artifact/);
    await app.deploy('v2');
    await app.serves('v2');
    await step('backup', backupDir);
    assert.equal(github.artifacts.length, 2);
    // Whatever kept a copy from being stored: the next run stores it.
    github.artifacts = [];
    await step('backup', backupDir);
    assert.equal(github.artifacts.length, 1);
  });

  test('a host that has lost it gets it back from there; its word alone is not enough to go back without being named', async () => {
    const backupDir = await running('v2');
    await plantHistory(app, backupDir, [
      { backend: 'v1', dashboard: 'v1' },
      { backend: 'v3', dashboard: 'v3', verdict: 'bad' },
    ]);
    const [known] = historyIn(app, backupDir);
    assert.ok(known);
    await step('backup', backupDir);
    rmSync(historyFile(app, backupDir));
    rmSync(historyFile(app, backupDir).replace('history.jsonl', 'deployment_tags.log'), { force: true });

    await notRolledBack(app, await rollback(backupDir), {
      status: 'refused',
      code: 'no-target',
      message: /nothing to roll back to/,
      hint: new RegExp(known.id),
    });
    await notRolledBack(app, await rollback(backupDir, { target: 'v3' }), {
      status: 'refused',
      code: 'target-bad',
      message: /known to be bad: backend v3, dashboard v3 was found bad/,
      hint: /services: backend, dashboard/,
    });
    const result = await rollback(backupDir, { target: known.id });
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
    const records = historyIn(app, backupDir);
    assert.deepEqual([records[0]?.id, records[0]?.verdict, records.at(-1)?.event], [known.id, 'unknown', 'rollback']);
    assert.deepEqual(records[0] && Object.values(records[0].release).map(({ imageId }) => imageId), [null, null]);
    // What the rollback has done is off the host as well.
    const copies = await step('rollback', backupDir, { 'plan-only': 'true', target: known.id });
    assert.equal(copies.exitCode, 0, copies.stdout);
    assert.equal(github.artifacts.length, 2);
  });

  test('a copy that a fork has forged is not read, nor one with a command in it believed', async () => {
    const backupDir = await running('v2');
    await plantHistory(app, backupDir, [{ backend: 'v3', dashboard: 'v3' }]);
    const [evil] = historyIn(app, backupDir);
    assert.ok(evil);
    // The fork runs the same action, against a host of its own.
    await step('backup', backupDir, {}, { headRepositoryId: 9, event: 'pull_request' });
    assert.equal(github.artifacts.length, 1);
    rmSync(historyFile(app, backupDir));
    for (const target of ['', evil.id]) {
      const result = await rollback(backupDir, { target });
      assert.equal(result.outputs['status'], 'refused', result.stdout);
      assert.doesNotMatch(result.stdout.replaceAll(`has no record ${evil.id}`, ''), new RegExp(evil.id));
    }
    assert.equal(await app.versionOf('backend'), 'v2');
  });

  test('a token that may not read, and a GitHub that is away, cost a notice and no rollback', async () => {
    const backupDir = await running('v2');
    await plantHistory(app, backupDir, [{ backend: 'v1', dashboard: 'v1' }]);
    github.mayReadActions = false;
    github.fault = { path: /twirp/, answer: 400 };
    try {
      const result = await rollback(backupDir);
      await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
      const notices = result.annotations.map(({ name, message }) => `${name}: ${message}`).join('\n');
      assert.match(notices, /notice: Could not read copies of the history: .*actions: read/);
      assert.match(notices, /notice: Could not store a copy of the history: /);
      assert.deepEqual(
        parseHistory(
          historyIn(app, backupDir)
            .map((each) => JSON.stringify(each))
            .join('\n'),
        ).problems,
        [],
      );
    } finally {
      github.mayReadActions = true;
      github.fault = null;
    }
  });
});
