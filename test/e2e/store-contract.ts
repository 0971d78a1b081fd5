// What every object store does, whoever keeps the objects: the one in memory that unit tests use, and real servers.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { isFailure } from '../../shared/failure.ts';
import type { ObjectStore } from '../../shared/offsite/object-store.ts';

/** A stream of it in pieces, as it comes from a host. */
export const piecesOf = (content: Buffer, pieceBytes = 2 ** 20) =>
  Readable.from(
    Array.from({ length: Math.ceil(content.length / pieceBytes) }, (_, at) =>
      content.subarray(at * pieceBytes, (at + 1) * pieceBytes),
    ),
    { objectMode: false },
  );

/** Nothing, if there is no such object. */
export async function contentAt(store: ObjectStore, key: string, most?: number): Promise<Buffer> {
  return buffer((await store.read(key, most))?.content ?? Readable.from([]));
}

/** There is no such object, and no part of one. */
export async function nothingAt(store: ObjectStore, key: string): Promise<void> {
  assert.equal(await store.facts(key), null);
  const left = [];
  for await (const upload of store.unfinished(key)) left.push(upload);
  assert.deepEqual(left, []);
}

/**
 * @param name of the store
 * @param large of several parts
 */
export function storeContract(name: string, open: () => Promise<ObjectStore>, large: Buffer): void {
  describe(`the contract: ${name}`, () => {
    const keyOf = (what: string) => `contract/${what}/object`;

    test('an object of one part and one of several come back as they were', async () => {
      const [store, key] = [await open(), keyOf('whole')];
      for (const content of [Buffer.alloc(0), Buffer.from('small'), large]) {
        let arrived = 0;
        await store.write(key, piecesOf(content), content.length, (bytes) => {
          arrived += bytes;
        });
        assert.equal(arrived, content.length);
        const back = await contentAt(store, key);
        assert.ok(back.equals(content));
        assert.equal((await store.facts(key))?.bytes, content.length);
      }
      assert.equal(String(await contentAt(store, key, 4)), String(large.subarray(0, 4)));
    });

    test('what was noted with an object comes back with it, and tells nothing of the next one in its place', async () => {
      const [store, key] = [await open(), keyOf('noted')];
      const metadata = { folder: '0123456789abcdef0123456789abcdef' };
      for (const content of [Buffer.alloc(0), Buffer.from('small'), large]) {
        await store.write(key, piecesOf(content), content.length, () => {}, { metadata });
        assert.deepEqual((await store.facts(key))?.metadata, metadata);
        const stored = await store.read(key);
        assert.deepEqual(stored?.metadata, metadata);
        assert.ok((await buffer(stored?.content ?? Readable.from([]))).equals(content));
      }
      await store.write(key, piecesOf(Buffer.from('other')), 5);
      assert.deepEqual((await store.facts(key))?.metadata, {});
      assert.equal(String(await contentAt(store, key)), 'other');
    });

    test('what is not there is null, and counts as deleted', async () => {
      const [store, key] = [await open(), keyOf('missing')];
      assert.equal(await store.read(key), null);
      assert.equal(await store.facts(key), null);
      assert.deepEqual(await store.remove([key]), [{ key, outcome: 'deleted', reason: null, hint: null }]);
    });

    test('what was deleted is not there, and not in the list', async () => {
      const [store, key] = [await open(), keyOf('deleted')];
      for (const each of [key, `${key}2`]) await store.write(each, piecesOf(Buffer.from('x')), 1);
      assert.deepEqual(await store.remove([key]), [{ key, outcome: 'deleted', reason: null, hint: null }]);
      await nothingAt(store, key);
      const found: string[] = [];
      for await (const object of store.list(key)) found.push(object.key);
      assert.deepEqual(found, [`${key}2`]);
    });

    test('a list has more than a thousand names, exactly those with the prefix, in order', async () => {
      const store = await open();
      const names = Array.from({ length: 1_050 }, (_, at) => `list/${String(at).padStart(4, '0')}`);
      const odd = ['list/ü +&?%', 'list/z z', 'listen'];
      for (let at = 0; at < names.length; at += 50) {
        await Promise.all(names.slice(at, at + 50).map((each) => store.write(each, piecesOf(Buffer.alloc(0)), 0)));
      }
      for (const each of odd) await store.write(each, piecesOf(Buffer.alloc(0)), 0);
      const found: string[] = [];
      for await (const object of store.list('list/')) found.push(object.key);
      // The byte order of S3: z before ü.
      assert.deepEqual(found, [...names, 'list/z z', 'list/ü +&?%']);
    });

    for (const [what, announced] of [
      ['shorter', large.length + 1],
      ['longer', large.length - 1],
    ] as const) {
      test(`a stream that is ${what} than announced leaves nothing`, async () => {
        const [store, key] = [await open(), keyOf(what)];
        await assert.rejects(store.write(key, piecesOf(large), announced), (error) => isFailure(error, 'copy-differs'));
        await nothingAt(store, key);
      });
    }

    test('a stream that breaks leaves nothing, and its own error is told', async () => {
      const [store, key] = [await open(), keyOf('broken')];
      const broken = Readable.from(
        (async function* () {
          yield large.subarray(0, 12 * 2 ** 20);
          throw new Error('the host is gone');
        })(),
        { objectMode: false },
      );
      await assert.rejects(store.write(key, broken, large.length), /the host is gone/);
      await nothingAt(store, key);
    });
  });
}
