// By way of a proxy, which may refuse.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { reachServer } from '../../../shared/notify/connect.ts';

let status = 200;
const asked: (string | undefined)[] = [];
const proxy = createServer().on('connect', ({ url, headers }, socket) => {
  asked.push(url, headers['proxy-authorization']);
  socket.end(`HTTP/1.1 ${status} x\r\n\r\n`);
});
await once(proxy.listen(0, '127.0.0.1'), 'listening');
after(() => proxy.close());
const place = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;

const reach = (address: string) =>
  reachServer(new URL(address), () => new URL(`http://me:p%40ss%@${place}`), AbortSignal.timeout(20_000));

test('the proxy is asked for the server, with its login', async () => {
  await reach('http://hooks.example/secret');
  await reach('http://[::1]:8080/secret');
  const login = `Basic ${Buffer.from('me:p%40ss%').toString('base64')}`;
  assert.deepEqual(asked, ['hooks.example:80', login, '[::1]:8080', login]);
});

test('what is escaped in the login is sent as it is meant', async () => {
  asked.length = 0;
  await reachServer(
    new URL('http://hooks.example/'),
    () => new URL(`http://m%3Ae:p%40ss@${place}`),
    AbortSignal.timeout(20_000),
  );
  assert.equal(asked[1], `Basic ${Buffer.from('m:e:p@ss').toString('base64')}`);
});

for (const refusal of [403, 407, 502]) {
  test(`a server that the proxy does not let us reach (${refusal}) is not reached`, async () => {
    status = refusal;
    await assert.rejects(reach('https://hooks.example/secret'), {
      message: `hooks.example cannot be reached from the runner: the proxy ${place} answers ${refusal}`,
    });
  });
}
