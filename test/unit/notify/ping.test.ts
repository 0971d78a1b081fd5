// Where pings go, at healthchecks.io and at servers like it, and what counts as taken.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import type { Notice, Verdict } from '../../../shared/notify/notice.ts';
import { pingEnd, pingStart } from '../../../shared/notify/ping.ts';

const paths: string[] = [];
let answer = { status: 200, body: 'OK' };
let body = '';
const server = createServer(async (request, response) => {
  paths.push(`${request.method} ${request.url}`);
  body = await text(request);
  response.writeHead(answer.status).end(answer.body);
});
await once(server.listen(0, '127.0.0.1'), 'listening');
after(() => {
  server.close();
  server.closeAllConnections();
});

const addressOf = (path: string) => new URL(path, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
const route = { proxyFor: () => null, signal: AbortSignal.timeout(60_000) };

const start = (path: string) => {
  paths.length = 0;
  return pingStart(addressOf(path), route);
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

const ended = (verdict: Verdict, outcome: string): Notice => ({
  action: 'backup-action',
  verdict,
  outcome,
  environment: null,
  startedAt: new Date(0),
  finishedAt: new Date(0),
  run: { url: null, repository: null, id: null, attempt: null, event: null, actor: null, commit: null },
  outputs: {},
  restored: null,
  remarks: [],
  database: null,
  backup: null,
  lastGood: 'none',
  offsite: null,
  checks: [],
  recoveryMs: null,
  code: null,
  advice: [],
});

for (const [verdict, path] of [
  ['warning', '/5f0c1d9e'],
  ['failure', '/5f0c1d9e/fail'],
] as const) {
  test(`the end of a run with ${verdict} is told at ${path}, with at most as much text as a server keeps`, async () => {
    answer = { status: 200, body: 'OK' };
    paths.length = 0;
    await pingEnd(addressOf('/5f0c1d9e'), ended(verdict, 'It went.'), route);
    assert.deepEqual(paths, [`POST ${path}`]);
    assert.match(body, /\n\nIt went\.\n\n/);
    await pingEnd(addressOf('/5f0c1d9e'), ended(verdict, 'x'.repeat(20_000)), route);
    assert.equal(body.length, 9_000);
    assert.match(body, /\n\nx+$/);
  });
}

for (const dropped of ['not found', 'rate limited']) {
  test(`a ping that was dropped (${dropped}) was not taken, although the answer is 200`, async () => {
    answer = { status: 200, body: `OK (${dropped})` };
    await assert.rejects(start('/5f0c1d9e'), new RegExp(`^Error: it answers "${dropped}"$`));
  });
}
