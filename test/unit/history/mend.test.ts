import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordsToMend } from '../../../shared/history/union.ts';
import { record, sha } from '../releases/shop.ts';

test('a host that lost its history gets tags and digests back from a copy, but neither its praise nor ids of images', () => {
  const { release } = record();
  const settings = { compose: '2.30.0', kept: 'ab', services: {} };
  const [mended] = recordsToMend([], [[record({ previous: release, settings })]], 'prod');
  const expected = { image: 'ghcr.io/acme/web:v2', tag: 'v2', digest: sha('c'), imageId: null };
  assert.deepEqual(mended?.release['web'], expected);
  assert.deepEqual(mended?.previous?.['web'], expected);
  assert.equal(mended?.verdict, 'unknown');
  assert.equal(mended?.settings, null, 'they name a file of another host');
  assert.equal(release['web']?.imageId, sha('2'), 'the copy itself was changed');
});

test('what a copy calls bad stays bad: to forget that would be worse than to believe it in vain', () => {
  const verdicts = (['good', 'bad', 'unknown'] as const).map(
    (verdict) => recordsToMend([], [[record({ verdict })]], 'prod')[0]?.verdict,
  );
  assert.deepEqual(verdicts, ['unknown', 'bad', 'unknown']);
});

test('a host that has a history gets nothing, nor what happened elsewhere', () => {
  assert.deepEqual(recordsToMend([record()], [[record({ id: '7-1-00000002' })]], 'prod'), []);
  assert.deepEqual(recordsToMend([], [[record({ environment: 'staging' })]], 'prod'), []);
});

test('of very many records a host gets the newest back', () => {
  const many = Array.from({ length: 2_000 }, (_, index) =>
    record({ id: `7-1-${String(index).padStart(8, '0')}`, at: new Date(1_700_000_000_000 + index).toISOString() }),
  );
  const mended = recordsToMend([], [many], 'prod');
  assert.equal(mended.length, 500);
  assert.equal(mended.at(-1)?.id, '7-1-00001999');
});
