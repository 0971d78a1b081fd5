// What is read of sets, and what is said of a file that cannot be: shared/sets/read-sets.sh in a real bash.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { hostBash } from './host-bash.ts';

let folder = '';
const path = (name: string) => join(folder, name);
const sum = (text: string) => createHash('sha256').update(text).digest('hex');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'read-sets-'));
  for (const place of ['daily', 'weekly']) mkdirSync(path(place));
  writeFileSync(path('daily/dump'), 'rows');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Reads a dump that is in two folders. */
function read(lists: readonly string[] = []): string[] {
  return hostBash(
    folder,
    ['sets/read-sets.sh'],
    `backup_dir=$PWD lists=(${lists.join(' ')}) files=(daily/dump weekly/dump) first_names=(daily/dump daily/dump); main`,
  );
}
const first = ['reading: daily/dump', `sum=${sum('rows')} daily/dump`];

test('one file in two folders is read once', () => {
  linkSync(path('daily/dump'), path('weekly/dump'));
  assert.deepEqual(read(), first);
});

test('a copy that is no hard link any more is read as well', () => {
  copyFileSync(path('daily/dump'), path('weekly/dump'));
  assert.deepEqual(read(), [...first, 'reading: weekly/dump', `sum=${sum('rows')} weekly/dump`]);
  writeFileSync(path('weekly/dump'), 'rot');
  assert.deepEqual(read(), [...first, 'reading: weekly/dump', `sum=${sum('rot')} weekly/dump`]);
});

test('one that is missing in another folder is not told of: the survey shows it', () => {
  assert.deepEqual(read(), first);
});

test('a file that could not be read is told of, and the next one is read', () => {
  rmSync(path('daily/dump'));
  writeFileSync(path('weekly/dump'), 'rows');
  assert.deepEqual(read(), [
    ...['reading: daily/dump', 'unread=daily/dump'],
    ...['reading: weekly/dump', `sum=${sum('rows')} weekly/dump`],
  ]);
  mkdirSync(path('daily/dump'));
  assert.equal(read()[1], 'unread=daily/dump');
});

test('lists are told up to a limit, and one that is missing is not told', () => {
  writeFileSync(path('daily/sha256'), 'x'.repeat(70_000));
  assert.deepEqual(read(['daily/sha256', 'daily/md5']), ['list=daily/sha256', 'x'.repeat(65_536), ...first]);
});
