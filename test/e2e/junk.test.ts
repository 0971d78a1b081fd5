// Files of ours on the host that are full of something else: told of in a line, and passed over.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { type HistoryRecord, historyLine } from '../../shared/history/record.ts';
import type { ActionResult } from '../lab/runner.ts';
import { errorsOf, runnerIsClean, succeeded } from './expectations.ts';
import { plantFile, plantHistory, rollBack, rolledBack } from './rollbacks.ts';
import { backup, read } from './sets.ts';
import { applicationForFile } from './stage.ts';
import { findingOf, verify } from './verifications.ts';

let dir: string;

const { app } = await applicationForFile({ name: 'junk', versions: ['v1', 'v2'], runs: 'v2' });

beforeEach(() => {
  dir = app.host.newBackupDir();
});

const mebibyte = 1024 * 1024;
const rollback = (inputs: Record<string, string> = {}) => rollBack(app, dir, inputs);
const setup = () => verify(app.host, dir, { checks: 'setup', environment: 'lab' });

/** Little is said of it, and no defect is. */
function isShort(result: ActionResult): void {
  assert.doesNotMatch(result.stdout, /Internal error in/);
  assert.ok(result.stdout.length < 100_000, `${result.stdout.length} characters were printed`);
  assert.ok(result.annotations.length <= 10, `${result.annotations.length} annotations`);
  assert.ok(Object.values(result.outputs).join('').length < 100_000);
  runnerIsClean(result);
}

describe('a history of junk', { concurrency: 1 }, () => {
  for (const [what, junk] of [
    ['lines of one letter', 'x\n'.repeat(2 * mebibyte)],
    ['one line', 'x'.repeat(5 * mebibyte)],
    ['empty lines', '\n'.repeat(4 * mebibyte)],
    ['JSON that is no record', '{"version":1}\n'.repeat(300_000)],
  ] as const)
    test(`${what}`, async () => {
      await plantFile(app, dir, 'history.jsonl', junk);
      const seen = await setup();
      isShort(seen);
      if (!/^(empty|one) line/.test(what))
        assert.match(
          findingOf(seen, 'history').detail,
          /line 1 of the history cannot be read: .*; \d+ more lines of the history cannot be read$/,
        );
      const refused = await rollback();
      isShort(refused);
      assert.match(errorsOf(refused)[0]?.properties['title'] ?? '', /no-target/, refused.stdout);
      const taken = await backup(app.host, dir);
      succeeded(taken);
      isShort(taken);
    });

  test('before good records is passed over', async () => {
    await plantHistory(app, dir, [{ backend: 'v1', dashboard: 'v1' }]);
    const good = await read(app.host, join(app.host.deployDir, dir, 'rollback', 'history.jsonl'));
    await plantFile(app, dir, 'history.jsonl', `${'x\n'.repeat(mebibyte)}${good}`);
    const result = await rollback();
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
    isShort(result);
    await rollback({ target: 'v2' });
  });
});

test('more than 4 MiB of good records are no fault of theirs', async () => {
  await plantHistory(app, dir, [{ backend: 'v1', dashboard: 'v1' }]);
  const file = join(app.host.deployDir, dir, 'rollback', 'history.jsonl');
  const good = await read(app.host, file);
  const record = JSON.parse(good) as HistoryRecord;
  const many = Array.from({ length: 8_000 }, (_, index) =>
    historyLine({ ...record, id: `1-1-${String(index).padStart(8, '0')}`, verdict: 'unknown', event: 'observed' }),
  );
  await plantFile(app, dir, 'history.jsonl', `${many.join('\n')}\n${good}`);
  assert.ok((await read(app.host, file)).length > 4.5 * mebibyte);
  const seen = await setup();
  assert.equal(findingOf(seen, 'history').result, 'passed', findingOf(seen, 'history').detail);
  const result = await rollback({ 'plan-only': 'true' });
  assert.doesNotMatch(result.stdout, /cannot be read/);
});

test('a trail and a HOLD of junk are read as far as they go', async () => {
  const trail = Array.from({ length: 100_000 }, (_, index) => `20261125_030000,v1,v${index}\n`).join('');
  await plantFile(app, dir, 'deployment_tags.log', trail);
  await plantFile(app, dir, 'HOLD', `reason=${'x'.repeat(3 * mebibyte)}\n`);
  const seen = await setup();
  isShort(seen);
  assert.equal(findingOf(seen, 'hold').severity, 'warning');
  const refused = await backup(app.host, dir, { kind: 'predeployment' });
  isShort(refused);
  assert.match(errorsOf(refused)[0]?.properties['title'] ?? '', /on-hold/);
  const taken = await backup(app.host, dir);
  succeeded(taken);
  isShort(taken);
});
