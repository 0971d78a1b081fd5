// A manifest is sent in full, and nothing else is: shared/sets/whole-manifest.sh in a real bash.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { hostBash } from './host-bash.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'whole-manifest-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function send(): string[] {
  return hostBash(folder, ['sets/whole-manifest.sh'], 'file=$PWD/manifest.json longest=1000; main');
}

/** What the runner gets of it. */
function sent(): string {
  const [line = '', ...rest] = send();
  assert.deepEqual(rest, []);
  return gunzipSync(Buffer.from(line.replace(/^manifest=/, ''), 'base64')).toString();
}

test('it is sent in full, up to the longest that the runner reads', () => {
  const file = join(folder, 'manifest.json');
  writeFileSync(file, 'x'.repeat(1_000));
  assert.equal(sent(), 'x'.repeat(1_000));
  writeFileSync(file, 'x'.repeat(5_000));
  assert.equal(sent(), 'x'.repeat(1_000));
});

test('what is no file, or not there, is refused', () => {
  assert.deepEqual(send(), ['fail manifest-unreadable', 'exit 1']);
  mkdirSync(join(folder, 'manifest.json'));
  assert.deepEqual(send(), ['fail manifest-unreadable', 'exit 1']);
});

test('so is a symbolic link: it may lead to a file that is none of ours', () => {
  writeFileSync(join(folder, 'secret'), 'x');
  symlinkSync('secret', join(folder, 'manifest.json'));
  assert.deepEqual(send(), ['fail manifest-unreadable', 'exit 1']);
});
