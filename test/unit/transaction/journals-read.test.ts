// Which transactions are unfinished, asked of the journals by shared/survey/transactions.sh in a real bash.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

const script = join(import.meta.dirname, '../../../shared/survey/transactions.sh');
const [first, second, third] = ['20261101_020000', '20261102_020000', '20261103_020000'] as const;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'transactions-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function plant(id: string, ...steps: string[]): void {
  mkdirSync(join(folder, id));
  writeFileSync(join(folder, id, 'journal'), steps.map((step) => `1\t${step}\t\n`).join(''));
}

/** @param before what is done in the shell before */
function ask(call: string, before = ':'): { status: number | null; ids: string[] } {
  const text = `set -euo pipefail; source "$1"; ${before}; ${call} "$2"`;
  const { status, stdout } = spawnSync('bash', ['-c', text, 'bash', script, folder], { encoding: 'utf8' });
  return { status, ids: stdout.split('\n').filter((line) => line !== '') };
}

test('those that have begun and not ended are unfinished, the oldest first', () => {
  plant(second, 'begin', 'checked');
  plant(first, 'begin');
  plant(third, 'begin', 'ended');
  plant('20261104_020000');
  symlinkSync(join(folder, first), join(folder, '20261105_020000'));
  assert.deepEqual(ask('unfinished_transactions'), { status: 0, ids: [first, second] });
  assert.deepEqual(ask('ended_transactions'), { status: 0, ids: [third] });
});

test('a host without the folder, and one without transactions, has none', () => {
  assert.deepEqual(ask('unfinished_transactions'), { status: 0, ids: [] });
  assert.deepEqual(ask('ended_transactions'), { status: 0, ids: [] });
  rmSync(folder, { recursive: true });
  assert.deepEqual(ask('unfinished_transactions'), { status: 0, ids: [] });
  mkdirSync(folder);
});

test('a journal that cannot be read is not taken for an ended one', () => {
  plant(first, 'begin');
  // As with a disk that fails: nothing else makes root's own reading fail.
  const failing = 'grep() { return 2; }; cat() { return 1; }';
  assert.notEqual(ask('unfinished_transactions', failing).status, 0);
  assert.notEqual(ask('ended_transactions', failing).status, 0);
});

test('one that is pruned meanwhile is no fault', () => {
  plant(first, 'begin');
  const pruned = 'grep() { rm -r 2*; return 2; }';
  assert.deepEqual(ask('unfinished_transactions', pruned), { status: 0, ids: [] });
});
