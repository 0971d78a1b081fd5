// Where pings go, at healthchecks.io and at servers like it, and what counts as taken.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { pingStart } from '../../../shared/notify/ping.ts';

const paths: string[] = [];
let answer = { status: 200, body: 'OK' };
const server = createServer((request, response) => {
  paths.push(`${request.method} ${request.url}`);
  response.writeHead(answer.status).end(answer.body);
});
await once(server.listen(0, '127.0.0.1'), 'listening');
after(() => {
  server.close();
  server.closeAllConnections();
});

const start = (path: string) => {
  paths.length = 0;
  const address = new URL(path, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return pingStart(address, { proxyFor: () => null, signal: AbortSignal.timeout(20_000) });
};

const addresses: [what: string, path: string, asked: string][] = [
  ['of a check', '/5f0c1d9e', 'POST /5f0c1d9e/start'],
  ['of a check, with a slash behind it', '/5f0c1d9e/', 'POST /5f0c1d9e/start'],
  ['below a path', '/watch/ping/5f0c1d9e', 'POST /watch/ping/5f0c1d9e/start'],
  ['of a name, to be created', '/ping/key/nightly-backup?create=1', 'POST /ping/key/nightly-backup/start?create=1'],
];
for (const [what, path, asked] of addresses) {
  test(`an address ${what}`, async () => {
    answer = { status: 200, body: 'OK' };
    await start(path);
    assert.deepEqual(paths, [asked]);
  });
}

test('a check that was created by the ping has taken it', async () => {
  answer = { status: 201, body: 'Created' };
  await start('/ping/key/nightly-backup?create=1');
});

for (const dropped of ['not found', 'rate limited']) {
  test(`a ping that was dropped (${dropped}) was not taken, although the answer is 200`, async () => {
    answer = { status: 200, body: `OK (${dropped})` };
    await assert.rejects(start('/5f0c1d9e'), new RegExp(`^Error: it answers "${dropped}"$`));
  });
}
