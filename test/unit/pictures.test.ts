// What test/e2e/pictures.test.ts compares is the text beside each picture; here it counts that the picture was drawn from that text.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sumsFile, sumsOf } from '../lab/picture-sums.ts';
import { skeletonOf } from '../lab/summaries.ts';

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

test('a picture that was drawn on another machine is compared all the same', () => {
  const here = [
    'deploy may use Docker 20.10.24+dfsg1',
    'docker compose 2.26.1-4',
    'a lost connection does not end a rollback (this host has no systemd)',
    'pg_dump 15.18 (Debian 15.18-0+deb12u1) is in the container',
  ];
  const there = [
    'deploy may use Docker 28.0.4',
    'docker compose 2.38.2',
    'a lost connection does not end a rollback',
    'pg_dump 16.9 (Ubuntu 16.9-0ubuntu0.24.04.1) is in the container',
  ];
  assert.deepEqual(here.map(skeletonOf), there.map(skeletonOf));
  assert.notEqual(skeletonOf('Docker 20.10.24 answers'), skeletonOf('Docker 20.10.24 does not answer'));
});
