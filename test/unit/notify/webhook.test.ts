// What a webhook's server can rely on: the signature is over what it got, and a message that comes again is known as the same.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after, beforeEach, test } from 'node:test';
import { type Notice, noticeOf } from '../../../shared/notify/notice.ts';
import { callWebhook } from '../../../shared/notify/webhook.ts';

const got: { headers: IncomingHttpHeaders; body: Buffer }[] = [];
let statuses: number[] = [];
const server = createServer(async (request, response) => {
  got.push({ headers: request.headers, body: await buffer(request) });
  response.writeHead(statuses.shift() ?? 200).end();
});
await once(server.listen(0, '127.0.0.1'), 'listening');
after(() => {
  server.close();
  server.closeAllConnections();
});
beforeEach(() => {
  got.length = 0;
  statuses = [];
});

const at = new Date('2026-11-27T02:17:00Z');
const notice: Notice = noticeOf(
  {
    action: 'backup-action',
    environment: 'prod',
    startedAt: at,
    finishedAt: at,
    run: { url: null, repository: null, id: null, attempt: null, event: null, actor: null, commit: null },
    outputs: {},
  },
  {
    verdict: 'success',
    outcome: 'größe ☃',
    remarks: [],
    database: null,
    backup: null,
    lastGood: 'none',
    offsite: null,
    restored: null,
    checks: [],
    recoveryMs: null,
  },
  { exitCode: 0, isCancelled: false, failure: null },
  String,
);

const call = (secret: string | null) => {
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`);
  return callWebhook({ url, secret }, notice, { proxyFor: () => null, signal: AbortSignal.timeout(20_000) });
};

const deliveries = () => got.map(({ headers }) => headers['x-atlasia-delivery']);

test('a message that comes again has the same delivery and the same signature; the next message has another', async () => {
  statuses = [503, 200];
  await call('secret');
  await call('secret');
  const [first, again, next] = deliveries();
  assert.ok(first !== undefined && first === again && first !== next, String(deliveries()));
  for (const { headers, body } of got) {
    const signature = createHmac('sha256', 'secret').update(body).digest('hex');
    assert.equal(headers['x-atlasia-signature-256'], `sha256=${signature}`);
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(JSON.parse(String(body)).outcome, 'größe ☃');
  }
});

test('without a secret there is no signature that could be taken for one', async () => {
  await call(null);
  assert.equal(got[0]?.headers['x-atlasia-signature-256'], undefined);
});
