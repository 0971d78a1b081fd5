import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const prober = fileURLToPath(new URL('../../../shared/transaction/prober.sh', import.meta.url));

/** What the engine says of questions, each with its time and answer. */
function measured(questions: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'probes-'));
  try {
    mkdirSync(join(folder, 'probes'));
    writeFileSync(join(folder, 'probes', 'web.tsv'), questions);
    const call = 'source "$1"; measured web';
    return execFileSync('bash', ['-c', call, 'bash', prober], { cwd: folder, encoding: 'utf8' }).trim();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('longest gap, questions without an answer, questions', () => {
  const table: [what: string, questions: string, expected: string][] = [
    ['all are answered', '100 ok\n150 ok\n200 ok\n', '0 0 3'],
    ['some are not', '100 ok\n150 failed\n200 failed\n250 ok\n', '150 2 4'],
    ['of several gaps the longest', '100 ok\n150 failed\n200 ok\n250 failed\n300 failed\n350 ok\n', '150 3 6'],
    ['it does not come back', '100 ok\n150 failed\n250 failed\n', '150 2 3'],
    ['it comes after it was asked for a while', '100 failed\n400 ok\n', '300 1 2'],
    ['it never answers', '100 failed\n200 failed\n', '- 2 2'],
    ['answers come in another order', '250 ok\n100 ok\n150 failed\n', '150 1 3'],
    ['one that was given up was answered after all', '100 ok\n150 failed\n150 ok\n', '0 0 2'],
    ['nobody asked, as the engine had died', '100 ok\n150 ok\n2150 ok\n', '2000 0 3'],
    ['a slow test is a question all the time', '100 ok 12100\n12150 ok 24150\n24200 ok 36000\n', '0 0 3'],
    ['nobody asked after a slow one', '100 ok 12100\n14200 ok 14300\n', '14100 0 2'],
    ['one that is late among others', '100 ok 110\n150 ok 1290\n200 ok 210\n250 ok 260\n', '0 0 4'],
    [
      'one is late, and others fail after it was asked',
      '100 ok 110\n150 ok 1290\n1250 ok 1260\n1300 failed\n1350 ok 1360\n',
      '100 1 5',
    ],
    [
      'one that was asked while nobody was there',
      '100 ok 110\n150 failed 160\n200 ok 1290\n250 failed 260\n1400 ok 1410\n',
      '1190 2 5',
    ],
    ['it was given up', '', '- 0 0'],
  ];
  for (const [what, questions, expected] of table) {
    test(what, () => assert.equal(measured(questions), expected));
  }
});
