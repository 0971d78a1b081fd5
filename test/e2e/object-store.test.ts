// The object store on a real S3 server, and on one that answers as stores do when something is wrong: storms, cuts, other bytes,
// refusals, a proxy in between. Whatever happens, an object is there whole or not at all, and no parts are left.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type Failure, isFailure } from '../../shared/failure.ts';
import type { ObjectStore } from '../../shared/offsite/object-store.ts';
import { openS3Store } from '../../shared/offsite/s3-store.ts';
import { startObjectStore } from '../lab/object-store.ts';
import { startStoreFront } from '../lab/store-front.ts';
import { atEnd, labForFile } from './stage.ts';

await labForFile();
const swift = await startObjectStore();
atEnd(() => swift.close());
await swift.createBucket('acme');
const front = await startStoreFront(swift.endpoint);
atEnd(() => front.close());
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

const whole = (content: Buffer) =>
  Readable.from(
    Array.from({ length: Math.ceil(content.length / mebibyte) }, (_, at) =>
      content.subarray(at * mebibyte, (at + 1) * mebibyte),
    ),
    { objectMode: false },
  );

/** There is no such object, and no part of it. */
async function nothingThere(): Promise<void> {
  front.interfere({});
  const clean = await open();
  assert.equal(await clean.facts(key), null);
  const left = [];
  for await (const upload of clean.unfinished(key)) left.push(upload);
  assert.deepEqual(left, []);
}

const isPart = ({ method, url = '' }: IncomingMessage, number: number) =>
  method === 'PUT' && url.includes(`partNumber=${number}&`);

const errorXml = (code: string, message: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;

function refuse(answer: ServerResponse, status: number, code: string, message = `It said ${code}`): true {
  answer.writeHead(status, { 'content-type': 'application/xml' });
  answer.end(errorXml(code, message));
  return true;
}

describe('the contract', () => {
  test('an object of one part and one of several come back as they were', async () => {
    for (const content of [Buffer.alloc(0), Buffer.from('small'), large]) {
      let arrived = 0;
      await store.write(key, whole(content), content.length, (bytes) => {
        arrived += bytes;
      });
      assert.equal(arrived, content.length);
      const back = await buffer((await store.read(key)) ?? Readable.from([]));
      assert.ok(back.equals(content));
      assert.equal((await store.facts(key))?.bytes, content.length);
    }
    assert.equal(String(await buffer((await store.read(key, 4)) ?? Readable.from([]))), String(large.subarray(0, 4)));
  });

  test('what is not there is null, and counts as deleted', async () => {
    assert.equal(await store.read(key), null);
    assert.equal(await store.facts(key), null);
    assert.deepEqual(await store.remove([key]), [{ key, outcome: 'deleted', reason: null }]);
  });

  test('a list has more than a thousand names, exactly those with the prefix, in order', async () => {
    const names = Array.from({ length: 1_050 }, (_, at) => `list/${String(at).padStart(4, '0')}`);
    const odd = ['list/ü +&?', 'list/z z', 'listen'];
    for (let at = 0; at < names.length; at += 50) {
      await Promise.all(names.slice(at, at + 50).map((name) => store.write(name, whole(Buffer.alloc(0)), 0)));
    }
    for (const name of odd) await store.write(name, whole(Buffer.alloc(0)), 0);
    const found: string[] = [];
    for await (const object of store.list('list/')) found.push(object.key);
    assert.deepEqual(found.toSorted(), [...names, ...odd.slice(0, 2)].toSorted());
  });

  for (const [what, announced] of [
    ['shorter', large.length + 1],
    ['longer', large.length - 1],
  ] as const) {
    test(`a stream that is ${what} than announced leaves nothing`, async () => {
      await assert.rejects(store.write(key, whole(large), announced), (error) => isFailure(error, 'copy-differs'));
      await nothingThere();
    });
  }

  test('a stream that breaks leaves nothing, and its own error is told', async () => {
    const broken = Readable.from(
      (async function* () {
        yield large.subarray(0, 12 * mebibyte);
        throw new Error('the host is gone');
      })(),
      { objectMode: false },
    );
    await assert.rejects(store.write(key, broken, large.length), /the host is gone/);
    await nothingThere();
  });
});

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
    await store.write(key, whole(large), large.length);
    assert.ok((await buffer((await store.read(key)) ?? Readable.from([]))).equals(large));
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
    await store.write(key, whole(large), large.length);
    assert.ok((await buffer((await store.read(key)) ?? Readable.from([]))).equals(large));
    assert.equal(cuts, 1);
  });

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
    await patient.write(key, whole(large), large.length);
    assert.equal(held, 1);
  });
});

describe('what does not pass is told, and leaves nothing', () => {
  const refusals: [status: number, code: string, remedy: RegExp][] = [
    [503, 'SlowDown', /run this again later/],
    [403, 'AccessDenied', /Grant that login s3:PutObject/],
    [400, 'ExpiredToken', /has run out/],
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
      await assert.rejects(store.write(key, whole(large), large.length), (error: Failure) => {
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
      await assert.rejects(wrong.write(key, whole(large), large.length), (error: Failure) => {
        assert.match(error.message, said);
        assert.match(error.hint ?? '', remedy);
        return true;
      });
    });
  }

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
    await assert.rejects(cancelled.write(key, whole(large), large.length), /cancelled/);
    await nothingThere();
  });

  test('content that is cut off while it is read', async () => {
    await store.write(key, whole(large), large.length);
    front.interfere({ breaks: ({ method }) => (method === 'GET' ? { bytes: 100_000, end: 'cut' } : null) });
    const content = await store.read(key);
    await assert.rejects(buffer(content ?? Readable.from([])), (error) => isFailure(error, 'bucket-unusable'));
  });

  test('a deletion that is refused is one result among others', async () => {
    for (const name of ['a', 'b', 'c']) await store.write(`${key}/${name}`, whole(Buffer.from(name)), 1);
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

  test('an object that is locked is retained', async () => {
    await store.write(key, whole(Buffer.from('x')), 1);
    front.interfere({ headers: () => ({ 'x-amz-object-lock-retain-until-date': '2999-01-01T00:00:00Z' }) });
    const [removal] = await store.remove([key]);
    assert.deepEqual([removal?.outcome, removal?.reason], ['retained', 'it is locked until 2999-01-01T00:00:00.000Z']);
    front.interfere({});
    assert.equal((await store.facts(key))?.bytes, 1);
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
      await (await open()).write(key, whole(large), large.length);
      const used = seen.length;
      assert.ok(used > 0, 'nothing went through the proxy');
      process.env['NO_PROXY'] = '127.0.0.1';
      await (await open()).write(key, whole(large), large.length);
      assert.equal(seen.length, used);
    } finally {
      for (const name of Object.keys(variables)) delete process.env[name];
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});
