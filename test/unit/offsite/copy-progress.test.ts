// What the log says while a copy gets on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CopyProgress, copyProgressLine } from '../../../shared/offsite/copy-progress.ts';
import type { StoryLog } from '../../../shared/story-log.ts';
import { wholeSet } from './copied-sets.ts';

const mebibyte = 2 ** 20;
const file = { name: 'backup_x.dump.zst', bytes: 1024 * mebibyte };

const lines: [what: string, arrived: number, ms: number, line: RegExp][] = [
  [
    'bytes, rate and what is left',
    256 * mebibyte,
    8_000,
    /^backup_x\.dump\.zst: 256(\.0)? MiB of 1\.0 GiB copied, 32(\.0)? MiB\/s, about 24(\.0)? s left$/,
  ],
  ['no time before anything has arrived', 0, 10_000, /^backup_x\.dump\.zst: 0 B of 1\.0 GiB copied, 0 B\/s$/],
  ['no negative time at the end', 1025 * mebibyte, 10_000, /about 0 (s|ms) left$/],
];
for (const [what, arrived, ms, line] of lines) {
  test(what, () => assert.match(copyProgressLine({ ...file, arrived, ms }), line));
}

test('a line every ten seconds, of all that has arrived of this file; then how it was compared', (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: 0 });
  const written: string[] = [];
  const write = (text: string) => void written.push(text);
  const log = { info: write, progress: write, success: write } as unknown as StoryLog;
  const progress = new CopyProgress(log, wholeSet('20261127_021700').set);
  assert.match(written.splice(0).join(), /^20261127_021700: its dump has 23 B$/);

  progress.begins('dump', 400 * mebibyte);
  for (let second = 1; second <= 20; second += 1) {
    context.mock.timers.tick(1_000);
    progress.arrived(10 * mebibyte);
  }
  const [first, second, ...more] = written.splice(0);
  assert.match(first ?? '', /^dump: 100(\.0)? MiB of 400(\.0)? MiB copied, 10(\.0)? MiB\/s, about 30(\.0)? s left$/);
  assert.match(second ?? '', /^dump: 200(\.0)? MiB of /);
  assert.deepEqual(more, []);

  progress.confirmed('dump', 'reported');
  progress.begins('report', 7);
  progress.confirmed('report', 'read-back');
  assert.deepEqual(
    written.map((line) => line.replace(/^.*?, /, '')),
    ['the store reports the same SHA-256', 'read back, with the same SHA-256'],
  );
});
