// The object store on real S3 servers, and on one that answers as stores do when something is wrong: storms, cuts, other bytes,
// refusals, a proxy in between. Whatever happens, an object is there whole or not at all, and no parts are left.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  CreateBucketCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { type Failure, isFailure } from '../../shared/failure.ts';
import { compositeOf } from '../../shared/offsite/checksums.ts';
import type { ObjectStore } from '../../shared/offsite/object-store.ts';
import { planParts } from '../../shared/offsite/part-size.ts';
import { openS3Store } from '../../shared/offsite/s3-store.ts';
import { startLockingStore } from '../lab/locking-store.ts';
import { startObjectStore } from '../lab/object-store.ts';
import { startStoreFront } from '../lab/store-front.ts';
import { MemoryStore } from '../unit/offsite/memory-store.ts';
import { atEnd, labForFile } from './stage.ts';
import { contentAt, nothingAt, piecesOf, storeContract } from './store-contract.ts';

await labForFile();
const swift = await startObjectStore();
atEnd(() => swift.close());
await swift.createBucket('acme');
const front = await startStoreFront(swift.endpoint);
atEnd(() => front.close());
const locking = await startLockingStore();
atEnd(() => locking.close());
Object.assign(process.env, swift.credentials, { AWS_EC2_METADATA_DISABLED: 'true' });

const mebibyte = 2 ** 20;
/** Of three parts. */
const large = randomBytes(20 * mebibyte);
const never = new AbortController().signal;

let count = 0;
let key: string;
let store: ObjectStore;

const place = (endpoint = front.endpoint) => ({
  bucket: 'acme',
  prefix: 'x',
  region: swift.region,
  endpoint: new URL(endpoint),
});

const opened: ObjectStore[] = [];
async function open(signal = never, options = {}, where = place()): Promise<ObjectStore> {
  const made = await openS3Store(where, signal, { attempts: 3, silence: 5_000, ...options });
  opened.push(made);
  return made;
}

const locked = { bucket: 'locked', prefix: 'x', region: locking.region, endpoint: new URL(locking.endpoint) };
const client = new S3Client({ endpoint: locking.endpoint, region: locking.region, forcePathStyle: true });
atEnd(() => client.destroy());
await client.send(new CreateBucketCommand({ Bucket: locked.bucket, ObjectLockEnabledForBucket: true }));

beforeEach(async () => {
  count += 1;
  key = `test-${count}/object`;
  front.interfere({});
  store = await open();
});

afterEach(() => {
  front.interfere({});
  for (const each of opened.splice(0)) each.close();
});

/** There is no such object, and no part of it. */
async function nothingThere(): Promise<void> {
  front.interfere({});
  await nothingAt(await open(), key);
}

const isPart = ({ method, url = '' }: IncomingMessage, number: number) =>
  method === 'PUT' && url.includes(`partNumber=${number}&`);

/** Has the parts put together. */
const isLast = ({ method, url = '' }: IncomingMessage) => method === 'POST' && url.includes('uploadId=');

const errorXml = (code: string, message: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;

function refuse(answer: ServerResponse, status: number, code: string, message = `It said ${code}`): true {
  answer.writeHead(status, { 'content-type': 'application/xml' });
  answer.end(errorXml(code, message));
  return true;
}

storeContract('in memory', async () => new MemoryStore(), large);
storeContract('OpenStack Swift', open, large);
storeContract('moto, with versions and locks', () => open(never, {}, locked), large);

describe('what passes is waited for', () => {
  test('a storm of 503 and 500', async () => {
    let refused = 0;
    front.interfere({
      instead(asked, answer) {
        if (asked.method !== 'PUT' || refused >= 2) return false;
        refused += 1;
        asked.resume();
        return refuse(answer, refused === 1 ? 503 : 500, refused === 1 ? 'SlowDown' : 'InternalError');
      },
    });
    await store.write(key, piecesOf(large), large.length);
    assert.ok((await contentAt(store, key)).equals(large));
    assert.equal(refused, 2);
  });

  test('a connection that is cut in the middle of a part', async () => {
    let cuts = 0;
    front.interfere({
      instead(asked) {
        if (!isPart(asked, 2) || cuts > 0) return false;
        cuts += 1;
        asked.once('data', () => asked.destroy());
        return true;
      },
    });
    await store.write(key, piecesOf(large), large.length);
    assert.ok((await contentAt(store, key)).equals(large));
    assert.equal(cuts, 1);
  });

  test('the page of a proxy whose store is away for a moment', async () => {
    let pages = 0;
    front.interfere({
      instead(asked, answer) {
        if (asked.method !== 'PUT' || pages >= 2) return false;
        pages += 1;
        asked.resume();
        answer.writeHead(pages === 1 ? 502 : 504, { 'content-type': 'text/html' });
        answer.end(
          '<html>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr>nginx\r\n</body>\r\n</html>\r\n',
        );
        return true;
      },
    });
    await store.write(key, piecesOf(large), large.length);
    assert.equal(pages, 2);
  });

  test("the runner's clock, which is an hour off: the store's is used", async () => {
    const { now } = Date;
    try {
      Date.now = () => now() + 3_600_000;
      const skewed = await open();
      await skewed.write(key, piecesOf(large), large.length);
      assert.equal((await skewed.facts(key))?.bytes, large.length);
    } finally {
      Date.now = now;
    }
  });

  const { partBytes } = planParts(key, large.length);
  const sums = [0, 1, 2].map((part) =>
    createHash('sha256')
      .update(large.subarray(part * partBytes, (part + 1) * partBytes))
      .digest('hex'),
  );
  const [composite = ''] = compositeOf(sums).split('-');
  const known: [what: string, headers: Record<string, string>][] = [
    ['its ETag', {}],
    [
      'its checksum, where the ETag is none of MD5',
      {
        etag: '"of-another-kind"',
        'x-amz-checksum-sha256': `${Buffer.from(composite, 'hex').toString('base64')}-${sums.length}`,
        'x-amz-checksum-type': 'COMPOSITE',
      },
    ],
  ];
  for (const [what, headers] of known) {
    test(`the answer that all parts were put together, which was lost: the object is known by ${what}`, async () => {
      let asked = 0;
      // Swift takes no checksums in the list of parts, so it puts them together at the second try at the earliest.
      const keeper = await startStoreFront(locking.endpoint);
      atEnd(() => keeper.close());
      const there = await open(never, {}, { ...locked, endpoint: new URL(keeper.endpoint) });
      keeper.interfere({
        headers: ({ method }): Record<string, string> => (method === 'HEAD' ? headers : {}),
        instead(request, answer) {
          if (!isLast(request)) return false;
          asked += 1;
          return asked > 1 && refuse(answer, 404, 'NoSuchUpload');
        },
        breaks: (request) => (isLast(request) ? { bytes: 0, end: 'cut' } : null),
      });
      await there.write(key, piecesOf(large), large.length);
      assert.equal(asked, 2);
      assert.ok((await contentAt(there, key)).equals(large));
    });
  }

  test('a store that says nothing for too long', async () => {
    const patient = await open(never, { silence: 500 });
    let held = 0;
    front.interfere({
      instead(asked) {
        if (!isPart(asked, 1) || held > 0) return false;
        held += 1;
        return true;
      },
    });
    await patient.write(key, piecesOf(large), large.length);
    assert.equal(held, 1);
  });
});

describe('what does not pass is told, and leaves nothing', () => {
  const refusals: [status: number, code: string, remedy: RegExp][] = [
    [503, 'SlowDown', /run this again later/],
    [403, 'AccessDenied', /Grant that login s3:PutObject/],
    [400, 'ExpiredToken', /has expired/],
    [403, 'RequestTimeTooSkewed', /runner's clock/],
    [507, 'QuotaExceeded', /Make room/],
  ];
  for (const [status, code, remedy] of refusals) {
    test(`${code} at the second part`, async () => {
      front.interfere({
        instead(asked, answer) {
          if (!isPart(asked, 2)) return false;
          asked.resume();
          return refuse(answer, status, code);
        },
      });
      await assert.rejects(store.write(key, piecesOf(large), large.length), (error: Failure) => {
        assert.equal(error.code, 'bucket-unusable');
        assert.match(error.message, new RegExp(code));
        assert.match(error.hint ?? '', remedy);
        return true;
      });
      await nothingThere();
    });
  }

  const asked: [what: string, where: Partial<ReturnType<typeof place>>, said: RegExp, remedy: RegExp][] = [
    ['a bucket that is missing', { bucket: 'other' }, /NoSuchBucket/, /create the bucket/],
    ['another region', { region: 'eu-nowhere-7' }, /AuthorizationHeaderMalformed/, /Correct "s3-region"/],
    ['a port where nobody listens', { endpoint: new URL('http://127.0.0.1:1') }, /ECONNREFUSED/, /s3-endpoint/],
  ];
  for (const [what, where, said, remedy] of asked) {
    test(what, async () => {
      const wrong = await open(never, { attempts: 1 }, { ...place(), ...where });
      await assert.rejects(wrong.write(key, piecesOf(large), large.length), (error: Failure) => {
        assert.match(error.message, said);
        assert.match(error.hint ?? '', remedy);
        return true;
      });
    });
  }

  test('an upload that somebody else has ended, while another object of that size and name is there', async () => {
    await store.write(key, piecesOf(Buffer.from(large).reverse()), large.length);
    front.interfere({ instead: (request, answer) => isLast(request) && refuse(answer, 404, 'NoSuchUpload') });
    await assert.rejects(store.write(key, piecesOf(large), large.length), /NoSuchUpload/);
  });

  test('a cancel in the middle of a part', async () => {
    const cancel = new AbortController();
    const cancelled = await open(cancel.signal);
    front.interfere({
      instead(request) {
        if (!isPart(request, 2)) return false;
        cancel.abort(new Error('cancelled'));
        return true;
      },
    });
    await assert.rejects(cancelled.write(key, piecesOf(large), large.length), /cancelled/);
    await nothingThere();
  });

  test('content that is cut off while it is read', async () => {
    await store.write(key, piecesOf(large), large.length);
    front.interfere({ breaks: ({ method }) => (method === 'GET' ? { bytes: 100_000, end: 'cut' } : null) });
    await assert.rejects(contentAt(store, key), (error) => isFailure(error, 'bucket-unusable'));
  });

  test('a deletion that is refused is one result among others', async () => {
    for (const name of ['a', 'b', 'c']) await store.write(`${key}/${name}`, piecesOf(Buffer.from(name)), 1);
    front.interfere({
      instead: ({ method, url = '' }, answer) =>
        (method === 'HEAD' && /\/a(\?|$)/.test(url)) || (method === 'DELETE' && /\/b(\?|$)/.test(url))
          ? refuse(answer, 403, 'AccessDenied')
          : false,
    });
    const removals = await store.remove([`${key}/a`, `${key}/b`, `${key}/c`]);
    assert.deepEqual(
      removals.map(({ outcome }) => outcome),
      ['failed', 'failed', 'deleted'],
    );
  });

  const pages: [status: number, said: RegExp, remedy: RegExp][] = [
    [403, /a web page came as the answer \(HTTP 403\)$/, /Correct "s3-endpoint"/],
    [413, /EntityTooLarge \(HTTP 413\)$/, /client_max_body_size/],
  ];
  for (const [status, said, remedy] of pages) {
    test(`the page of a proxy that does not let it pass (${status})`, async () => {
      front.interfere({
        instead(asked, answer) {
          if (!isPart(asked, 2)) return false;
          asked.resume();
          answer.writeHead(status, { 'content-type': 'text/html' });
          answer.end('<html><body><h1>No</h1><hr></body></html>');
          return true;
        },
      });
      await assert.rejects(store.write(key, piecesOf(large), large.length), (error: Failure) => {
        assert.match(error.message, said);
        assert.match(error.hint ?? '', remedy);
        return true;
      });
      await nothingThere();
    });
  }

  test('a redirect, which is not followed', async () => {
    const asked: string[] = [];
    front.interfere({
      instead({ method, url = '' }, answer) {
        asked.push(`${method} ${url}`);
        answer.writeHead(307, { location: `${swift.endpoint}/elsewhere` }).end();
        return true;
      },
    });
    await assert.rejects(store.write(key, piecesOf(Buffer.from('x')), 1), (error: Failure) => {
      assert.match(error.message, /HTTP 307/);
      return /s3-region/.test(error.hint ?? '');
    });
    assert.equal(asked.length, 1);
  });
});

describe('what not every store has', () => {
  const refusals: [status: number, code: string, message: string][] = [
    [501, 'NotImplemented', 'A header you provided implies functionality that is not implemented'],
    [400, 'InvalidArgument', "Unsupported header 'x-amz-checksum-algorithm' received for this API call"],
  ];
  for (const [status, code, message] of refusals) {
    test(`headers for checksums (${status}): they are left out, and nothing is reported`, async () => {
      let refused = 0;
      const others: string[] = [];
      front.interfere({
        instead(asked, answer) {
          const unknown = Object.keys(asked.headers).find((name) => /checksum/.test(name));
          if (unknown === undefined) {
            others.push(asked.method ?? '');
            return false;
          }
          refused += 1;
          asked.resume();
          return refuse(answer, status, code, message);
        },
      });
      for (const content of [Buffer.from('small'), large]) {
        await store.write(key, piecesOf(content), content.length);
        const facts = await store.facts(key);
        assert.deepEqual([facts?.bytes, facts?.sha256, facts?.compositeSha256], [content.length, null, null]);
      }
      // One for the first upload, one for the first look; each store is asked once.
      assert.equal(refused, 2);
      assert.ok(others.length > 5);
    });
  }

  test('storage classes and tags', async () => {
    const settings = {
      storageClass: 'STANDARD_IA',
      sse: 'AES256' as const,
      kmsKey: null,
      tags: { team: 'the shop' },
      maxParts: null,
    };
    const keeper = await openS3Store({ ...locked, ...settings }, never);
    opened.push(keeper);
    for (const content of [Buffer.from('small'), large]) {
      await keeper.write(key, piecesOf(content), content.length, () => {}, { tags: { tier: 'daily' } });
      const object = { Bucket: locked.bucket, Key: key };
      const { StorageClass, ServerSideEncryption } = await client.send(new HeadObjectCommand(object));
      assert.deepEqual([StorageClass, ServerSideEncryption], ['STANDARD_IA', 'AES256']);
      const { TagSet = [] } = await client.send(new GetObjectTaggingCommand(object));
      assert.deepEqual(TagSet.map(({ Key, Value }) => `${Key}=${Value}`).toSorted(), ['team=the shop', 'tier=daily']);
    }
  });

  test('an address with a path, and a region of no name', async () => {
    const below = '/storage/v1/s3';
    const asked: string[] = [];
    const gateway = createServer((incoming, outgoing) => {
      const { method, headers, url = '' } = incoming;
      asked.push(url);
      const { hostname, port } = new URL(locking.endpoint);
      const passed = request({ hostname, port, method, headers, path: url.slice(below.length) }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(passed);
    });
    await once(gateway.listen(0, '127.0.0.1'), 'listening');
    atEnd(() => gateway.closeAllConnections());
    atEnd(() => gateway.close());
    const endpoint = new URL(`http://127.0.0.1:${(gateway.address() as AddressInfo).port}${below}`);
    const there = await open(never, {}, { ...locked, region: 'auto', endpoint });
    await there.write(key, piecesOf(large), large.length);
    assert.ok((await contentAt(there, key)).equals(large));
    assert.ok(asked.every((url) => url.startsWith(`${below}/${locked.bucket}/`)));
  });

  test('signs in a prefix', async () => {
    const odd = `${key}/a.b/it's_(1)!*/object`;
    await store.write(odd, piecesOf(large), large.length);
    const found: string[] = [];
    for await (const object of store.list(`${key}/a.b/it's_(1)!*/`)) found.push(object.key);
    assert.deepEqual(found, [odd]);
    assert.deepEqual(await store.remove(found), [{ key: odd, outcome: 'deleted', reason: null, hint: null }]);
    await nothingAt(store, odd);
  });

  test('a bucket of AWS with dots in its name, whose certificate would not hold for a host of that name', async () => {
    const hosts: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (asked, socket) => {
      hosts.push(asked.url ?? '');
      socket.end('HTTP/1.1 502 No\r\n\r\n');
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    process.env['HTTPS_PROXY'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    try {
      for (const name of ['acme.backups', 'acme']) {
        const there = await openS3Store({ bucket: name, prefix: 'x', region: 'eu-central-1', endpoint: null }, never, {
          attempts: 1,
        });
        opened.push(there);
        await assert.rejects(there.facts(key));
      }
    } finally {
      delete process.env['HTTPS_PROXY'];
      proxy.close();
    }
    assert.deepEqual(hosts, ['s3.eu-central-1.amazonaws.com:443', 'acme.s3.eu-central-1.amazonaws.com:443']);
  });
});

describe('what is locked is retained, which is no error', () => {
  /** Versions of it that are there, and whether a deletion hides them. */
  async function versionsOf(prefix: string): Promise<[versions: number, hidden: number]> {
    const { Versions = [], DeleteMarkers = [] } = await client.send(
      new ListObjectVersionsCommand({ Bucket: locked.bucket, Prefix: prefix }),
    );
    return [Versions.length, DeleteMarkers.length];
  }

  test('by a legal hold', async () => {
    const keeper = await open(never, {}, locked);
    await keeper.write(key, piecesOf(Buffer.from('x')), 1);
    const hold = (Status: 'ON' | 'OFF') =>
      client.send(new PutObjectLegalHoldCommand({ Bucket: locked.bucket, Key: key, LegalHold: { Status } }));
    await hold('ON');
    assert.deepEqual(await keeper.remove([key]), [
      { key, outcome: 'retained', reason: 'it is under a legal hold', hint: null },
    ]);
    assert.deepEqual(await versionsOf(key), [1, 0]);
    await hold('OFF');
    assert.deepEqual(await keeper.remove([key]), [{ key, outcome: 'deleted', reason: null, hint: null }]);
    // In such a bucket, a deletion hides.
    assert.deepEqual(await versionsOf(key), [1, 1]);
  });

  test("by the bucket's own rule", async () => {
    const Bucket = 'ruled';
    await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    const Rule = { DefaultRetention: { Mode: 'COMPLIANCE', Days: 30 } } as const;
    const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled', Rule } as const;
    await client.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
    const keeper = await open(never, {}, { ...locked, bucket: Bucket });
    await keeper.write(key, piecesOf(Buffer.from('x')), 1);
    const [removal] = await keeper.remove([key]);
    assert.equal(removal?.outcome, 'retained');
    assert.match(removal?.reason ?? '', /^it is locked until \d{4}-/);
    assert.equal((await keeper.facts(key))?.bytes, 1);
  });
});

describe("the runner's proxy", () => {
  test('is used where it is named, and not for what NO_PROXY names', async () => {
    const seen: string[] = [];
    const proxy = createServer((incoming, outgoing) => {
      seen.push(incoming.url ?? '');
      const { hostname, port, pathname, search } = new URL(incoming.url ?? '');
      const { method, headers } = incoming;
      const passed = request({ hostname, port, method, headers, path: pathname + search }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(passed);
    });
    proxy.on('connect', (incoming, socket) => {
      seen.push(incoming.url ?? '');
      const [hostname = '', port] = (incoming.url ?? '').split(':');
      const onward = connect(Number(port), hostname, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      for (const each of [onward, socket]) each.on('error', () => {});
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const variables = { HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, NO_PROXY: '' };
    try {
      Object.assign(process.env, variables);
      await (await open()).write(key, piecesOf(large), large.length);
      const used = seen.length;
      assert.ok(used > 0, 'nothing went through the proxy');
      process.env['NO_PROXY'] = '127.0.0.1';
      await (await open()).write(key, piecesOf(large), large.length);
      assert.equal(seen.length, used);
    } finally {
      for (const name of Object.keys(variables)) delete process.env[name];
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});
