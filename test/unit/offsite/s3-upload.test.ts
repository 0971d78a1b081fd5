// How one object is sent: what the library is asked to do, without a store.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import * as s3 from '@aws-sdk/client-s3';
import { S3Upload } from '../../../shared/offsite/s3-upload.ts';

const bytes = 1000;

/** Sends an object that fills one part, whose content ends so; what the store was asked for. */
async function asked(end: () => void): Promise<string[]> {
  const requests: string[] = [];
  const client = {
    send: async (command: object) => {
      requests.push(command.constructor.name);
      return {};
    },
  } as unknown as s3.S3Client;
  const place = { bucket: 'b', region: null, endpoint: null, pathStyle: false };
  const to = { place, key: 'k', properties: {}, signal: new AbortController().signal };
  const content = Readable.from(
    (function* () {
      yield Buffer.alloc(bytes);
      end();
    })(),
    { objectMode: false },
  );
  const upload = new S3Upload(client, s3, to as never);
  await upload.send(content, bytes, { partBytes: bytes, inMemory: 1 }, () => {}, { sends: true }).catch(() => {});
  return requests;
}

test('an object of one part is made only once its content has ended well', async () => {
  assert.deepEqual(await asked(() => {}), ['PutObjectCommand']);
  assert.deepEqual(
    await asked(() => {
      throw new Error('other bytes');
    }),
    [],
  );
});
