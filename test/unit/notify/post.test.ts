// Where a message goes: to the address that was given, and nowhere else.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { post } from '../../../shared/notify/post.ts';

/** What becomes of a message whose server answers like that, and the paths that were asked for. */
async function posted(answer: (response: ServerResponse) => void): Promise<{ said: string; paths: string[] }> {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? '');
    answer(response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/secret`);
  const way = { proxyFor: () => null, signal: AbortSignal.timeout(20_000) };
  const said = await post({ url, body: 'x', headers: {} }, way).catch((error: Error) => error.message);
  server.close();
  server.closeAllConnections();
  return { said, paths };
}

test('a message that is taken is taken, with what the server says', async () => {
  assert.deepEqual(await posted((response) => response.end('thanks')), { said: 'thanks', paths: ['/secret'] });
});

for (const status of [301, 302, 307, 308]) {
  test(`a redirect (${status}) is not followed, and the message was not taken`, async () => {
    const { said, paths } = await posted((response) => response.writeHead(status, { location: '/elsewhere' }).end());
    assert.equal(said, `it answers ${status}, a redirect, which is not followed`);
    assert.deepEqual(paths, ['/secret']);
  });
}

for (const status of [400, 403, 404, 410]) {
  test(`a server that says no (${status}) is asked once`, async () => {
    const { said, paths } = await posted((response) => response.writeHead(status).end());
    assert.deepEqual([said, paths], [`it answers ${status}`, ['/secret']]);
  });
}

test('a server that has too much to do is asked again when it says so', async () => {
  const times: number[] = [];
  const { said } = await posted((response) => {
    times.push(performance.now());
    if (times.length === 1) response.writeHead(429, { 'retry-after': '1' }).end();
    else response.end('thanks');
  });
  assert.equal(said, 'thanks');
  const [first = 0, second = 0] = times;
  assert.ok(second - first >= 990, `asked again after ${second - first} ms`);
});

test('a server that asks for more patience than there is is not asked again', async () => {
  const { said, paths } = await posted((response) => response.writeHead(429, { 'retry-after': '3600' }).end());
  assert.deepEqual([said, paths], ['it answers 429, and asks to wait for 1 h 00 min', ['/secret']]);
});

const bodies: [what: string, answer: (response: ServerResponse) => void, said: RegExp][] = [
  [
    'without end',
    (response) => {
      const more = () => void (response.destroyed || response.write('x'.repeat(65_536), () => setImmediate(more)));
      more();
    },
    /^x{1000}$/,
  ],
  ['that never comes', (response) => response.flushHeaders(), /^$/],
  [
    'that is compressed',
    (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('OK (not found)')),
    /^(?!OK)/,
  ],
  [
    'that is cut off',
    (response) => response.writeHead(200, { 'content-length': 100 }).write('th', () => response.destroy()),
    /^th$/,
  ],
];
for (const [what, answer, expected] of bodies) {
  test(`a message is taken where the server takes it with an answer ${what}`, async () => {
    const begun = performance.now();
    const { said, paths } = await posted(answer);
    assert.match(said, expected);
    assert.deepEqual(paths, ['/secret']);
    assert.ok(performance.now() - begun < 8_000);
  });
}
