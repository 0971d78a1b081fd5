import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameOf } from '../../../shared/releases/image-name.ts';
import { sha } from './shop.ts';

const table: [own: string, others: string, name: string][] = [
  ['v1', 'latest', 'v1'],
  ['v1', 'latest a-name-before-v1 v1.0.0', 'v1'],
  ['20240315', 'v2', '20240315'],
  ['latest', '', 'latest'],
  ['latest', 'stable', 'stable'],
  ['latest', 'stable v2', 'v2'],
  ['main', '', 'main'],
  ['main', 'latest', 'main'],
  ['main', 'stable', 'main'],
  ['main', 'latest main-1a2b3c4', 'main-1a2b3c4'],
  ['stable', '1 1.4 1.4.2 sha-1a2b3c4', '1.4.2'],
  ['latest', 'sha-1a2b3c4 v2.0', 'v2.0'],
];
for (const [own, others, name] of table) {
  test(`${own} that also is ${others || 'nothing else'} is called ${name}`, () => {
    const repoTags = [own, ...others.split(' ').filter(Boolean)].map((tag) => `ghcr.io/acme/web:${tag}`);
    const images = [
      { id: sha('1'), repoTags: [...repoTags, 'ghcr.io/acme/api:v9', 'atlasia-keep:1'], repoDigests: [] },
    ];
    assert.equal(nameOf({ image: `ghcr.io/acme/web:${own}`, tag: own, imageId: sha('1') }, null, images), name);
  });
}

test('an image without a tag of its own is called by what the repository of the compose file has for it', () => {
  const images = [
    { id: sha('1'), repoTags: ['ghcr.io/acme/web:latest', 'ghcr.io/acme/web:v1'], repoDigests: [] },
    { id: sha('2'), repoTags: ['ghcr.io/acme/web:latest'], repoDigests: [] },
  ];
  const name = (id: string) => nameOf({ image: id, tag: null, imageId: id }, 'ghcr.io/acme/web:v2', images);
  assert.deepEqual([name(sha('1')), name(sha('2')), name(sha('3'))], ['v1', 'latest', null]);
});
