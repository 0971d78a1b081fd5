// What test/e2e/pictures.test.ts compares is the text beside each picture; here it counts that the picture was drawn from that text.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sumsFile, sumsOf } from '../lab/picture-sums.ts';

const folder = fileURLToPath(new URL('../../docs/pictures', import.meta.url));
const anew = 'draw the pictures anew: npm run pictures';

test('each picture was drawn from the text beside it, and neither has changed since', () => {
  const drawn = readFileSync(join(folder, sumsFile), 'utf8');
  assert.equal(sumsOf(folder), drawn, `A picture or its text was changed without the other; ${anew}`);
  const names = drawn
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(line.lastIndexOf(' ') + 1));
  const texts = names.filter((name) => name.endsWith('.md')).map((name) => basename(name, '.md'));
  assert.deepEqual(
    names,
    texts.flatMap((name) => [`${name}.md`, `${name}.png`]),
    `A text or its picture is missing; ${anew}`,
  );
});
