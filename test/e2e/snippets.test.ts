// The parts of workflows in the pages, read as whole workflows are: workflows.test.ts shows that the linters complain about what is wrong.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { actionlint, complaintsOf } from '../lab/workflow/linters.ts';
import { snippetsIn } from '../lab/workflow/snippets.ts';

const root = join(import.meta.dirname, '..', '..');
const parts = globSync(['*.md', 'docs/*.md', 'examples/*.md', '*-action/README.md'], { cwd: root })
  .toSorted()
  .flatMap((page) =>
    snippetsIn(page, readFileSync(join(root, page), 'utf8')).map((text, index) => ({
      place: `${page}, block ${index + 1}`,
      text,
    })),
  );

test('there are some', () => assert.ok(parts.length > 10));

for (const { place, text } of parts) {
  test(`linters have no complaint about ${place}`, async () => {
    assert.deepEqual(await complaintsOf(text, place), []);
    assert.deepEqual(await actionlint(text), []);
  });
}
