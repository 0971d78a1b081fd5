// Where a message goes: to the address that was given, and nowhere else.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
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

test('a server that says no is asked once', async () => {
  const { said, paths } = await posted((response) => response.writeHead(403).end());
  assert.deepEqual([said, paths], ['it answers 403', ['/secret']]);
});
