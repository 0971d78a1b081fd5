// The summaries in the README are what the code prints today. If this fails, draw them anew: npm run pictures. Compared is the
// text beside each picture; test/unit/pictures.test.ts sees that the picture was drawn from it.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { skeletonOf, summariesToShow } from '../lab/summaries.ts';
import { registryForFile } from './stage.ts';

const { lab, registry } = await registryForFile();
const folder = fileURLToPath(new URL('../../docs/pictures', import.meta.url));

test('each picture shows what the code prints', async () => {
  const summaries = await summariesToShow(lab, registry);
  const drawn = globSync(`${folder}/*.md`).map((file) => basename(file, '.md'));
  assert.deepEqual(drawn.toSorted(), Object.keys(summaries).toSorted());
  for (const [name, summary] of Object.entries(summaries)) {
    assert.equal(skeletonOf(summary), skeletonOf(readFileSync(`${folder}/${name}.md`, 'utf8')), name);
  }
});
