// What is reached for elsewhere: it ends in time, and at once where the run is cancelled; and what was wrong is told as such.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createPlainServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Failure } from '../../shared/failure.ts';
import { reachMailServer } from '../../shared/notify/mail.ts';
import { reachPing } from '../../shared/notify/ping.ts';
import { reachBucket } from '../../shared/offsite/bucket.ts';
import { inTime, reasonOf } from '../../shared/reaching.ts';

const never = new AbortController().signal;
// This file is a process of its own.
process.env['AWS_ACCESS_KEY_ID'] = 'id';
process.env['AWS_SECRET_ACCESS_KEY'] = 'secret';

describe('in time', () => {
  test('what answers', async () => assert.equal(await inTime(1_000, never, Promise.resolve(7)), 7));
  test('what does not', () =>
    assert.rejects(inTime(20, never, new Promise(() => {})), /^Error: no answer within 20 ms$/));
  test('what is cancelled', () => {
    const reason = new Error('cancelled');
    return assert.rejects(inTime(60_000, AbortSignal.abort(reason), new Promise(() => {})), reason);
  });
});

test('a name with several addresses that all refuse tells of one', () => {
  const refused = new Error('connect ECONNREFUSED ::1:465');
  assert.equal(reasonOf(new AggregateError([refused, new Error('x')])), 'connect ECONNREFUSED ::1:465');
  assert.equal(reasonOf(Object.assign(new Error('denied\nmore'), { name: 'AccessDenied' })), 'AccessDenied: denied');
});

describe('a cancel ends what hangs', () => {
  const sockets = new Set<Socket>();
  const silent = createPlainServer((socket) => sockets.add(socket.on('error', () => {})));
  let port: number;
  before(async () => {
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    port = (silent.address() as AddressInfo).port;
  });
  after(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  const tries: [string, (signal: AbortSignal) => Promise<void>][] = [
    ['ping', (signal) => reachPing(new URL(`https://127.0.0.1:${port}/x`), () => null, signal)],
    ['mail', (signal) => reachMailServer({ host: '127.0.0.1', port, tls: 'starttls', login: null }, signal)],
    ['bucket', (signal) => reachBucket({ ...place, endpoint: new URL(`http://127.0.0.1:${port}`) }, signal)],
  ];
  for (const [name, reach] of tries) {
    test(name, async () => {
      const controller = new AbortController();
      const reached = reach(controller.signal);
      const reason = new Error('cancelled');
      setTimeout(() => controller.abort(reason), 100);
      await assert.rejects(reached, reason);
    });
  }
});

const place = { bucket: 'acme', prefix: 'x', region: null, endpoint: null };

for (const name of ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3']) {
  test(`an address in ${name}, which nobody has checked, is not asked`, async () => {
    process.env[name] = 'http://127.0.0.1:1';
    try {
      await assert.rejects(
        reachBucket(place, never),
        (error: Failure) => error.message.startsWith(`${name} is set`) && /"s3-endpoint"/.test(error.hint ?? ''),
      );
    } finally {
      delete process.env[name];
    }
  });
}

describe('where a proxy is named,', () => {
  const { versions } = process;
  const reachWith = async (node: string, proxy = 'http://127.0.0.1:1') => {
    Object.defineProperty(process, 'versions', { value: { ...versions, node } });
    process.env['HTTPS_PROXY'] = proxy;
    try {
      const endpoint = new URL('http://127.0.0.1:1');
      return await reachBucket({ ...place, endpoint }, never).catch((error: Failure) => error.message);
    } finally {
      delete process.env['HTTPS_PROXY'];
      Object.defineProperty(process, 'versions', { value: versions });
    }
  };
  for (const node of ['20.20.2', '23.11.0', '24.4.1']) {
    test(`Node ${node}, which would go past it, is refused`, async () =>
      assert.equal(await reachWith(node), `Node ${node} cannot use the proxy that HTTPS_PROXY names`));
  }
  test('and where none is, any Node will do', async () =>
    assert.match((await reachWith('20.20.2', '')) ?? '', /cannot be listed/));
  for (const node of ['24.5.0', '24.21.0', '25.0.0']) {
    test(`Node ${node} is not`, async () => assert.match((await reachWith(node)) ?? '', /cannot be listed/));
  }
});

describe('what a store says', () => {
  let answer: { status: number; body: string };
  const store = createServer((_request, response) => {
    response.writeHead(answer.status, { 'content-type': 'application/xml' });
    response.end(answer.body);
  });
  before(async () => {
    await once(store.listen(0, '127.0.0.1'), 'listening');
  });
  after(() => {
    store.close();
  });

  const reach = () => {
    const endpoint = new URL(`http://127.0.0.1:${(store.address() as AddressInfo).port}`);
    return reachBucket({ ...place, endpoint }, never);
  };
  const listing = (name: string) => `<ListBucketResult><Name>${name}</Name><KeyCount>0</KeyCount></ListBucketResult>`;
  const error = (code: string, message = 'no') => `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;

  test('its listing of the bucket', async () => {
    answer = { status: 200, body: listing('acme') };
    await reach();
  });

  const bad: [what: string, status: number, body: string, hint: RegExp][] = [
    ['another bucket', 200, listing('other'), /"s3-endpoint"/],
    ['a page', 200, '<html><body>ok</body></html>', /"s3-endpoint"/],
    ['nothing', 200, '', /"s3-endpoint"/],
    ['an old login', 400, error('ExpiredToken'), /configure-aws-credentials/],
    ['no such login', 403, error('InvalidAccessKeyId'), /configure-aws-credentials/],
    ['no right', 403, error('AccessDenied'), /s3:ListBucket/],
    ['another region', 400, error('AuthorizationHeaderMalformed'), /"s3-region"/],
    ['no such bucket', 404, error('NoSuchBucket'), /"s3-bucket"/],
    ['a clock that is wrong', 403, error('RequestTimeTooSkewed'), /clock/],
    ['an error of its own', 500, error('InternalError'), /status page/],
    [
      'a role that is not trusted',
      403,
      error('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity'),
      /id-token/,
    ],
  ];
  for (const [what, status, body, hint] of bad) {
    test(`${what}: with what to do`, async () => {
      answer = { status, body };
      await assert.rejects(reach(), (failure) => {
        assert.ok(failure instanceof Failure);
        assert.match(failure.message, /^"acme" at 127\.0\.0\.1:\d+ cannot be listed: ./);
        assert.match(failure.hint ?? '', hint);
        return true;
      });
    });
  }
});
