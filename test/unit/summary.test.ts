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

  test('shows commands in blocks that can be copied, and the rest of the advice as text', () => {
    assert.deepEqual(summary.advice('On the host: docker start db1, then docker logs db1. Then run it again\nOr not'), [
      'On the host:',
      '```bash\ndocker start db1\ndocker logs db1\n```',
      'Then run it again',
      'Or not',
    ]);
    assert.equal(
      summary.facts([['Do', { advice: 'As root: rm /a; ls <b>' }]]),
      '| Do | As root: ` rm /a `; ` ls <b> ` |\n| :--- | :--- |',
    );
  });

  test('has no column without a name, and facts have no empty head', () => {
    assert.throws(() => summary.table(['', 'n'], []), /no name/);
    assert.equal(
      summary.facts([
        ['a', 1],
        ['b', 2],
      ]),
      '| a | 1 |\n| :--- | :--- |\n| b | 2 |',
    );
  });

  test('links the runs of this very repository, and nothing else', () => {
    Object.assign(process.env, { GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'acme/shop' });
    const ours = 'https://github.com/acme/shop/actions/runs/12';
    assert.equal(summary.paragraph(`[see] ${ours}, ok`), `\\[see\\] <${ours}>, ok`);
    assert.equal(summary.paragraph(`${ours}/attempts/2`), `<${ours}/attempts/2>`);
    for (const foreign of [
      'https://github.com/evil/shop/actions/runs/12',
      `${ours}x`,
      `https://evil.com/${ours.slice(8)}`,
    ])
      assert.doesNotMatch(summary.paragraph(foreign), /<|https:\/\//);
    Object.assign(process.env, { GITHUB_REPOSITORY: 'acme/sh>op' });
    assert.doesNotMatch(summary.paragraph('https://github.com/acme/sh>op/actions/runs/12'), /<https/);
  });

  test('names the form to fill in', () => {
    Object.assign(process.env, {
      GITHUB_REPOSITORY: 'acme/shop',
      GITHUB_WORKFLOW_REF: 'acme/shop/.github/workflows/rollback.yml@refs/heads/main',
    });
    const [words, table] = summary.boxes('fill in', [['confirm', 'ROLLBACK']]);
    assert.equal(words, '[**Run workflow**](https://github.com/acme/shop/actions/workflows/rollback.yml): fill in');
    assert.equal(table, '| Box | What to write |\n| --- | --- |\n| ` confirm ` | ` ROLLBACK ` |');
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
    summary.writeSummary(blocks.slice(0, 1));
    summary.writeSummary(blocks.slice(1));
    assert.equal(readFileSync(join(folder, 'summary.md'), 'utf8'), 'one\n\ntwo\n\nthree\n\n');
    rmSync(folder, { recursive: true });
  });

  test('is nothing where no file is named, and fails nothing where the file cannot be written', async () => {
    delete process.env['GITHUB_STEP_SUMMARY'];
    summary.writeSummary(blocks);
    process.env['GITHUB_STEP_SUMMARY'] = '/nowhere/summary.md';
    summary.writeSummary(blocks);
  });
});
