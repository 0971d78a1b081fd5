// What a sweep removes and what it leaves, and that a removal which failed is gone on with: shared/sets/folders.sh in a real bash.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { layoutLines } from '../../../shared/sets/layout.ts';
import { hostBash } from './host-bash.ts';

const id = '20261124_021700';
const set = [`backup_${id}.dump`, `backup_${id}.manifest.json`];
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'folders-'));
  mkdirSync(join(folder, 'daily'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const daily = () => readdirSync(join(folder, 'daily')).toSorted();
const files = (...names: readonly string[]) => {
  for (const name of names) writeFileSync(join(folder, 'daily', name), '');
};
const marker = (name: string) => mkdirSync(join(folder, 'daily', `.partial-${name}`));

function bash(code: string): string[] {
  const layout = layoutLines.map((line) => `'${line}'`).join(' ');
  return hostBash(folder, ['survey/sets.sh', 'sets/folders.sh'], `layout=(${layout})\n${code}`);
}

/** As on a disk with faults: `rm` takes folders away, and no file. */
const brokenDisk = 'rm() { [[ $1 == -rf ]] && command rm "$@"; }';

describe('a sweep', () => {
  test('removes what is left of a set that was being put there, and nothing of another', () => {
    files(`backup_${id}.dump`, 'backup_20261125_021700.dump');
    marker(id);
    assert.deepEqual(bash('sweep .'), []);
    assert.deepEqual(daily(), ['backup_20261125_021700.dump']);
  });

  test('keeps a set that is complete: only its marker was left', () => {
    files(...set);
    marker(id);
    assert.deepEqual(bash('sweep .'), []);
    assert.deepEqual(daily(), set);
  });

  test('leaves names alone that only look similar, and what stands beside them', () => {
    const foreign = ['notes', `x${id}`, `${id}.old`, `${id}.delete.old`, `${id}.deleted`, '2026_02', ''];
    for (const name of foreign) {
      marker(name);
      files(`backup_${name}.dump`);
    }
    const before = daily();
    assert.deepEqual(bash('sweep .'), []);
    assert.deepEqual(daily(), before);
  });

  test('that cannot remove a file leaves the marker to the next one, and goes on', () => {
    files(...set);
    marker(`${id}.delete`);
    assert.deepEqual(bash(`${brokenDisk}; sweep .; echo on`), ['on']);
    assert.deepEqual(daily(), [`.partial-${id}.delete`, ...set]);
    bash('sweep .');
    assert.deepEqual(daily(), []);
  });
});

test('a removal that fails leaves its marker, says so, and the next sweep finishes it', () => {
  files(...set);
  assert.deepEqual(bash(`${brokenDisk}; drop daily ${id} || echo failed`), ['failed']);
  assert.deepEqual(daily(), [`.partial-${id}.delete`, ...set]);
  bash('sweep .');
  assert.deepEqual(daily(), []);
});
