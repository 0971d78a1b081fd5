import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import * as summary from '../../shared/runner/job-summary.ts';

describe('a block of the summary', () => {
  const evil = '<script>|`[a](b)`\n# x';

  test('shows a verdict first', () => {
    assert.equal(summary.verdict('good', 'Backed up app_1'), '## ✅ Backed up app_1');
    assert.equal(summary.verdict('bad', 'No <b>'), '## ❌ No &lt;b&gt;');
  });

  test('shows a table whose cells stay cells', () => {
    assert.equal(
      summary.table(
        ['a|b', 'n'],
        [
          [evil, 3],
          [{ code: 'x|y`z' }, ''],
        ],
      ),
      [
        '| a\\|b | n |',
        '| --- | --- |',
        '| &lt;script&gt;\\|\\`\\[a\\](b)\\` \\# x | 3 |',
        '| `` x\\|y`z `` |  |',
      ].join('\n'),
    );
  });

  test('counts the rows that it does not show', () => {
    const long = summary.table(
      ['n'],
      Array.from({ length: 503 }, (_, n) => [n]),
    );
    assert.match(long, /\| 499 \|\n\n… and 3 more rows$/);
  });

  test('shows code that cannot leave its block', () => {
    assert.equal(summary.codeBlock('a\r\n````\n\x1b[31mb'), '`````\na\n````\nb\n`````');
    assert.equal(summary.codeBlock('pie', 'mermaid'), '```mermaid\npie\n```');
  });

  test('leaves out the middle of long code', () => {
    const block = summary.codeBlock(`first\n${'x\n'.repeat(100_000)}last`);
    assert.ok(block.length < 66_000);
    assert.match(block, /^```\nfirst\n[\s\S]*\n…\n[\s\S]*\nlast\n```$/);
  });

  test('folds others away under a title', () => {
    assert.equal(
      summary.details('Kept & <gone>', [summary.paragraph('a'), summary.heading('b')]),
      '<details><summary>Kept &amp; &lt;gone></summary>\n\na\n\n### b\n\n</details>',
    );
  });
});

describe('the summary', () => {
  const blocks = ['one', 'two', 'three'].map(summary.paragraph);
  const file = process.env['GITHUB_STEP_SUMMARY'];

  afterEach(() => {
    if (file === undefined) delete process.env['GITHUB_STEP_SUMMARY'];
    else process.env['GITHUB_STEP_SUMMARY'] = file;
  });

  test('is cut between blocks, with a note, and stays below the limit in bytes', () => {
    assert.equal(summary.renderSummary(blocks), 'one\n\ntwo\n\nthree\n\n');
    const wide = Array.from({ length: 50 }, () => summary.paragraph('é'.repeat(20)));
    const text = summary.renderSummary(wide, 500);
    assert.ok(Buffer.byteLength(text) <= 500);
    assert.match(text, /^(é{20}\n\n){9}\n_The summary ends here/);
  });

  test('is added to the file of the step', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'summary-'));
    process.env['GITHUB_STEP_SUMMARY'] = join(folder, 'summary.md');
    await summary.writeSummary(blocks.slice(0, 1));
    await summary.writeSummary(blocks.slice(1));
    assert.equal(readFileSync(join(folder, 'summary.md'), 'utf8'), 'one\n\ntwo\n\nthree\n\n');
    rmSync(folder, { recursive: true });
  });

  test('is nothing where no file is named, and fails nothing where the file cannot be written', async () => {
    delete process.env['GITHUB_STEP_SUMMARY'];
    await summary.writeSummary(blocks);
    process.env['GITHUB_STEP_SUMMARY'] = '/nowhere/summary.md';
    await summary.writeSummary(blocks);
  });
});
