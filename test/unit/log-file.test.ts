// The log of runs, while several of them write it at once: its program in a real bash, on a folder of this machine.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { hostBash } from './sets/host-bash.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-file-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes a line, after these changes to the program. */
const tell = (change = '') =>
  hostBash(folder, ['backups/log-file.sh'], `open_parent() { :; }; ${change}\ntell_log "$PWD/backup.log" ours`);
const lines = () => readFileSync(join(folder, 'backup.log'), 'utf8');

test('the first run creates it, and the next one writes behind that', () => {
  assert.deepEqual([tell(), tell()], [[], []]);
  assert.equal(lines(), 'ours\nours\n');
  assert.deepEqual(readdirSync(folder), ['backup.log']);
});

test('of two runs that create it at once, none loses its line', () => {
  const other = 'echo theirs >theirs; command ln theirs backup.log; { sleep 0.2; rm theirs; } &';
  assert.deepEqual(tell(`ln() { ${other} command ln "$@"; }`), []);
  assert.equal(lines(), 'theirs\nours\n');
  assert.deepEqual(readdirSync(folder), ['backup.log']);
});

test('what is put in its place meanwhile is not written', () => {
  const told = tell('ln() { command ln -s elsewhere backup.log; command ln "$@"; }').join(' ');
  assert.match(told, /^problem=The log could not be written: .*is a symbolic link, not a file$/);
  assert.deepEqual(readdirSync(folder), ['backup.log']);
});

test('where it cannot be created, the reason is that', () => {
  const [problem = '', ...more] = tell('mktemp() { echo "No space left on device" >&2; return 1; }');
  assert.deepEqual([problem, more], ['problem=The log could not be written: No space left on device', []]);
});
