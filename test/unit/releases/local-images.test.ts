import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLocalImages } from '../../../shared/survey/survey-compose.ts';
import { sha } from './shop.ts';

test('an image has all of its names, one that lost them has none, and nothing is no image', () => {
  const lines = [
    `${sha('2')} ghcr.io/acme/web v2 ${sha('c')}`,
    `${sha('1')} <none> <none> <none>`,
    `${sha('2')} atlasia-keep 222222222222 <none>`,
    `${sha('3')} localhost:5000/web <none> ${sha('d')}`,
  ];
  assert.deepEqual(readLocalImages(lines.join('\n')), [
    {
      id: sha('2'),
      repoTags: ['ghcr.io/acme/web:v2', 'atlasia-keep:222222222222'],
      repoDigests: [`ghcr.io/acme/web@${sha('c')}`],
    },
    { id: sha('1'), repoTags: [], repoDigests: [] },
    { id: sha('3'), repoTags: [], repoDigests: [`localhost:5000/web@${sha('d')}`] },
  ]);
  assert.deepEqual(readLocalImages(''), []);
});
