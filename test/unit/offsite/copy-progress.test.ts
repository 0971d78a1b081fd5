// What the log says while a copy gets on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyProgressLine } from '../../../shared/offsite/copy-progress.ts';

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
