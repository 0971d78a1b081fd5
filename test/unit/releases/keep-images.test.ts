import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptImages, losingTheirName } from '../../../shared/releases/keep-images.ts';
import { image, sha } from './shop.ts';

const release = (n: number) => ({ web: image('web', 'latest', null, `sha256:${String(n).padStart(64, '0')}`) });
const id = (n: number) => release(n).web.imageId ?? '';

test('what loses its name by the next deployment: what has a tag that moves, or none', () => {
  const running = {
    api: image('api', 'latest', sha('a'), sha('1')),
    db: image('db', '17', sha('b'), sha('2')),
    web: { image: null, tag: null, digest: null, imageId: sha('3') },
    gone: image('gone', 'main', sha('c'), null),
  };
  assert.deepEqual(losingTheirName(running), [sha('1'), sha('3')]);
});

test('the names of the ten newest releases stay, and of what runs; those before go', () => {
  const history = Array.from({ length: 15 }, (_, n) => release(n));
  const { kept, released } = keptImages('/opt/shop/backups', [id(1)], [...history, ...history.slice(-3)]);
  assert.deepEqual(kept, [id(1)]);
  assert.deepEqual(released.toSorted(), [0, 2, 3, 4].map(id));
});

test('each backup folder has names of its own', () => {
  const keeper = (folder: string) => keptImages(folder, [], []).keeper;
  assert.match(keeper('/a'), /^[0-9a-f]{8}$/);
  assert.notEqual(keeper('/a'), keeper('/b'));
});
