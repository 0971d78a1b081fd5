// What a store is asked for, and what its answers are taken for: by AWS's own library, against a server that answers as we like.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { after, afterEach, describe, test } from 'node:test';
import { compositeOf } from '../../../shared/offsite/checksums.ts';
import type { ObjectStore } from '../../../shared/offsite/object-store.ts';
import { openS3Store } from '../../../shared/offsite/s3-store.ts';
import type { UploadSettings } from '../../../shared/offsite/s3-upload.ts';
import { type Asked, refusal, startFalseStore } from './false-store.ts';

// This file is a process of its own.
process.env['AWS_ACCESS_KEY_ID'] = 'id';
process.env['AWS_SECRET_ACCESS_KEY'] = 'secret';

const server = await startFalseStore();
const opened: ObjectStore[] = [];
after(() => server.close());
afterEach(() => {
  for (const store of opened.splice(0)) store.close();
  server.asked.length = 0;
  server.instead = () => null;
});

async function open(settings: Partial<UploadSettings> = {}, bucket = 'acme', attempts = 1): Promise<ObjectStore> {
  const place = { ...server.place(bucket), ...settings };
  const store = await openS3Store(place, new AbortController().signal, { attempts });
  opened.push(store);
  return store;
}

const mebibyte = 2 ** 20;
const content = (bytes: number) => Readable.from([Buffer.alloc(bytes)], { objectMode: false });
const write = (store: ObjectStore, bytes: number) => store.write('x/object', content(bytes), bytes);
const isPart = ({ query }: Asked) => query.has('partNumber');

describe('an object', () => {
  test('has the class, the encryption, the key and the tags that are asked for, of one part and of several', async () => {
    const store = await open({
      storageClass: 'GLACIER_IR',
      sse: 'aws:kms',
      kmsKey: 'arn:aws:kms:eu-central-1:1:key/backups',
      tags: { team: 'the shop' },
    });
    for (const bytes of [1, 9 * mebibyte]) {
      server.asked.length = 0;
      await store.write('x/object', content(bytes), bytes, () => {}, { tags: { tier: 'daily' } });
      const [making, ...others] = server.asked;
      assert.deepEqual(
        ['storage-class', 'server-side-encryption', 'server-side-encryption-aws-kms-key-id', 'tagging'].map(
          (name) => making?.headers[`x-amz-${name}`],
        ),
        ['GLACIER_IR', 'aws:kms', 'arn:aws:kms:eu-central-1:1:key/backups', 'team=the+shop&tier=daily'],
      );
      // A store refuses them where they are sent again.
      assert.ok(others.every(({ headers }) => !Object.keys(headers).some((name) => /class|side|tagging/.test(name))));
    }
  });

  test('is kept out of archive classes if every run reads it', async () => {
    for (const [storageClass, of] of [
      ['DEEP_ARCHIVE', undefined],
      ['GLACIER', undefined],
      ['STANDARD_IA', 'STANDARD_IA'],
    ] as const) {
      server.asked.length = 0;
      const store = await open({ storageClass });
      await store.write('x/manifest', content(1), 1, () => {}, { isIndex: true });
      await store.write('x/dump', content(1), 1);
      const classes = server.asked.map(({ headers }) => headers['x-amz-storage-class']);
      assert.deepEqual(classes, [of, storageClass]);
    }
  });

  test('of one part comes with its MD5, which a bucket with locks demands where the store knows no other checksum', async () => {
    await write(await open(), 1);
    const md5 = createHash('md5').update(Buffer.alloc(1)).digest('base64');
    assert.equal(server.asked[0]?.headers['content-md5'], md5);
  });

  test('is encrypted twice by the store if that is asked for', async () => {
    const store = await open({ sse: 'aws:kms:dsse' });
    for (const bytes of [1, 9 * mebibyte]) {
      server.asked.length = 0;
      await write(store, bytes);
      assert.equal(server.asked[0]?.headers['x-amz-server-side-encryption'], 'aws:kms:dsse');
    }
  });

  test('has what is to be noted with it, of one part and of several, in the request that makes it', async () => {
    const store = await open();
    for (const bytes of [1, 9 * mebibyte]) {
      server.asked.length = 0;
      await store.write('x/object', content(bytes), bytes, () => {}, { metadata: { folder: 'f0' } });
      assert.deepEqual(
        server.asked.map(({ headers }) => headers['x-amz-meta-folder']),
        ['f0', ...server.asked.slice(1).map(() => undefined)],
      );
    }
  });

  test('has nothing that is not asked for', async () => {
    const store = await open({ storageClass: null, sse: null, kmsKey: null, tags: null });
    await store.write('x/object', content(1), 1, () => {}, { tags: { tier: 'daily' } });
    const names = Object.keys(server.asked[0]?.headers ?? {});
    assert.deepEqual(
      names.filter((name) => /class|side|tagging|meta/.test(name)),
      [],
    );
  });

  test('comes with the checksum of each part, which the store compares, and tells for the whole', async () => {
    const bytes = 9 * mebibyte;
    const sums = [8 * mebibyte, mebibyte].map((length) => createHash('sha256').update(Buffer.alloc(length)).digest());
    const whole = createHash('sha256').update(Buffer.concat(sums)).digest();
    server.instead = ({ method }) => {
      if (method !== 'HEAD') return null;
      const checksum = { 'x-amz-checksum-sha256': `${whole.toString('base64')}-2`, 'x-amz-checksum-type': 'COMPOSITE' };
      return { status: 200, headers: { 'content-length': String(bytes), ...checksum } };
    };
    const store = await open();
    const { parts } = await store.write('x/object', content(bytes), bytes);
    const sent = new Map(server.asked.filter(isPart).map(({ query, headers }) => [query.get('partNumber'), headers]));
    assert.equal(server.asked[0]?.headers['x-amz-checksum-algorithm'], 'SHA256');
    for (const [at, sum] of sums.entries()) {
      const headers = sent.get(String(at + 1));
      assert.equal(headers?.['x-amz-checksum-sha256'], sum.toString('base64'));
      // Signed, so that a store that knows no such header compares it as well.
      assert.equal(headers?.['x-amz-content-sha256'], sum.toString('hex'));
    }
    assert.deepEqual((await store.facts('x/object'))?.compositeSha256, compositeOf(parts));
    assert.equal(server.asked.at(-1)?.headers['x-amz-checksum-mode'], 'ENABLED');
  });

  test('comes in as many parts as the store allows', async () => {
    await write(await open({ maxParts: 2 }), 20 * mebibyte);
    assert.equal(server.asked.filter(isPart).length, 2);
    server.asked.length = 0;
    await write(await open({ maxParts: null }), 20 * mebibyte);
    assert.equal(server.asked.filter(isPart).length, 3);
  });

  test('that fails for a reason that passes is sent again after a pause, part by part', async () => {
    const times = new Map<string, number[]>();
    server.instead = (asked) => {
      if (!isPart(asked)) return null;
      const number = asked.query.get('partNumber') ?? '';
      const tried = [...(times.get(number) ?? []), performance.now()];
      times.set(number, tried);
      return number === '2' && tried.length === 1 ? refusal(500, 'InternalError') : null;
    };
    await write(await open({}, 'acme', 2), 20 * mebibyte);
    assert.deepEqual(
      ['1', '2', '3'].map((number) => times.get(number)?.length),
      [1, 2, 1],
    );
    const [first = 0, second = 0] = times.get('2') ?? [];
    assert.ok(second - first >= 450, `sent again after ${second - first} ms`);
  });

  test('that was not taken, and whose parts could not be removed: both are told', async () => {
    server.instead = (asked) => {
      if (isPart(asked)) return refusal(403, 'AccessDenied');
      return asked.method === 'DELETE' ? refusal(503, 'SlowDown') : null;
    };
    await assert.rejects(write(await open(), 9 * mebibyte), /AccessDenied.*Its parts could not be removed: SlowDown/);
  });
});

describe('a refusal of a HEAD, which has no words', () => {
  const refusedWith = async (status: number, code: string) => {
    server.instead = () => refusal(status, code);
    const store = await open();
    const { message = '', hint = '' } = await store.facts('x/object').then(
      () => ({}) as { message?: string; hint?: string },
      (error) => error,
    );
    return { message, hint };
  };

  test("is told in the store's own words, for which one byte is asked", async () => {
    const { message, hint } = await refusedWith(400, 'ExpiredToken');
    assert.match(message, /ExpiredToken/);
    assert.match(hint, /The login has expired/);
    const last = server.asked.at(-1);
    assert.deepEqual([last?.method, last?.key, last?.headers.range], ['GET', 'x/object', 'bytes=0-0']);
  });

  test('is told by its status if the store gives the byte', async () => {
    server.instead = ({ method }) => (method === 'HEAD' ? refusal(400, 'X') : { status: 206, body: 'x' });
    await assert.rejects((await open()).facts('x/object'), /BadRequest \(HTTP 400\)/);
  });
});

describe('unfinished uploads', () => {
  const page = (ids: string[], next = '') =>
    `<ListMultipartUploadsResult><IsTruncated>${next !== ''}</IsTruncated><NextKeyMarker>x/dump</NextKeyMarker>
     <NextUploadIdMarker>${next}</NextUploadIdMarker>${ids.map((id) => `<Upload><Key>x/dump</Key><UploadId>${id}</UploadId></Upload>`).join('')}
     </ListMultipartUploadsResult>`;
  const idsIn = async (store: ObjectStore) => {
    const ids: string[] = [];
    for await (const { uploadId } of store.unfinished('x/')) ids.push(uploadId);
    return ids;
  };

  test('are found on every page', async () => {
    const pages = new Map([
      ['', page(['1', '2'], '2')],
      ['2', page(['3'])],
    ]);
    server.instead = ({ query }) => ({ status: 200, body: pages.get(query.get('upload-id-marker') ?? '') ?? '' });
    assert.deepEqual(await idsIn(await open()), ['1', '2', '3']);
  });

  test('are not asked for without end where the store names no next page', { timeout: 10_000 }, async () => {
    server.instead = () => ({ status: 200, body: page(['1'], 'again') });
    assert.deepEqual(await idsIn(await open()), ['1', '1']);
  });

  test('that somebody else has ended are ended', async () => {
    server.instead = () => refusal(404, 'NoSuchUpload');
    await (await open()).abort({ key: 'x/dump', uploadId: '1' });
  });
});

describe('a list', () => {
  const answers: [what: string, body: string, said: RegExp][] = [
    ['of another bucket', '<ListBucketResult><Name>other</Name></ListBucketResult>', /is not an S3 store/],
    [
      'that does not say how it goes on',
      '<ListBucketResult><Name>acme</Name><IsTruncated>true</IsTruncated></ListBucketResult>',
      /does not say how its list goes on/,
    ],
    [
      'whose next page is the same again',
      '<ListBucketResult><Name>acme</Name><IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken></ListBucketResult>',
      /does not say how its list goes on/,
    ],
  ];
  for (const [what, body, said] of answers) {
    test(`${what} is a failure: half of it would pass for all of it`, { timeout: 10_000 }, async () => {
      server.instead = () => ({ status: 200, body });
      const store = await open();
      const toItsEnd = async () => {
        for await (const _ of store.list('x/'));
      };
      await assert.rejects(toItsEnd(), said);
    });
  }
});

describe('a deletion', () => {
  const removed = async (bucket: string, code: string, message: string) => {
    server.instead = ({ method }) => (method === 'DELETE' ? refusal(403, code, message) : null);
    const store = await open({}, bucket);
    await store.write('x/retention-notes', content(1), 1);
    const [removal] = await store.remove(['x/retention-notes']);
    return removal?.outcome;
  };
  const refusals: [what: string, bucket: string, code: string, message: string, outcome: string][] = [
    ['by a lock', 'acme', 'AccessDenied', 'Access Denied because object protected by object lock.', 'retained'],
    ["by the provider's own rule", 'acme', 'ObjectLocked', 'The object is under retention', 'retained'],
    ['for want of the right to', 'acme', 'AccessDenied', 'Access Denied', 'failed'],
    ['for want of the right to, in a bucket whose name tells of a lock', 'immutable-x', 'AccessDenied', 'No', 'failed'],
    [
      'for want of the right to, by the name of such a bucket',
      'acme-retention',
      'AccessDenied',
      'User: arn:aws:iam::1:user/immutable is not authorized to perform: s3:DeleteObject on resource: "arn:aws:s3:::acme-retention/x/retention-notes"',
      'failed',
    ],
  ];
  for (const [what, bucket, code, message, outcome] of refusals)
    test(`that is refused ${what}`, async () => assert.equal(await removed(bucket, code, message), outcome));
});

test('the login is also taken from a profile', async () => {
  const folder = mkdtempSync(`${tmpdir()}/profile-`);
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = process.env;
  try {
    delete process.env['AWS_ACCESS_KEY_ID'];
    delete process.env['AWS_SECRET_ACCESS_KEY'];
    writeFileSync(`${folder}/credentials`, '[backups]\naws_access_key_id = OF-A-PROFILE\naws_secret_access_key = x\n');
    Object.assign(process.env, { AWS_SHARED_CREDENTIALS_FILE: `${folder}/credentials`, AWS_PROFILE: 'backups' });
    await write(await open(), 1);
    assert.match(server.asked[0]?.headers.authorization ?? '', /Credential=OF-A-PROFILE\//);
  } finally {
    for (const name of ['AWS_SHARED_CREDENTIALS_FILE', 'AWS_PROFILE']) delete process.env[name];
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret });
    rmSync(folder, { recursive: true });
  }
});
