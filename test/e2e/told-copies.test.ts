// What is told of runs with copies, and what must never be: a copy that failed is no sign of life, and what a database says of its
// rows goes to nobody. Copies go by way of the runner's proxy.
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { makeCertificate } from '../lab/certificate.ts';
import { until } from '../lab/faults.ts';
import { startMailServer } from '../lab/mail-server.ts';
import { startObjectStore } from '../lab/object-store.ts';
import { startProxy, startReceiver } from '../lab/receiver.ts';
import { type ActionResult, runAction, startAction } from '../lab/runner.ts';
import { startStoreFront } from '../lab/store-front.ts';
import { logOf, runnerIsClean, succeeded } from './expectations.ts';
import { backupInputs, type Inputs, smallDatabase } from './sets.ts';
import { hostForFile } from './stage.ts';

const { host } = await hostForFile({ name: 'told-copies' });
const storeName = 'store.example.org';
const certificate = await makeCertificate(storeName);
const receiver = await startReceiver(certificate);
const mailbox = await startMailServer(certificate, 'starttls');
const store = await startObjectStore();
after(async () => {
  await receiver.close();
  await mailbox.close();
  await store.close();
});
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer = 200;
  mailbox.mails().length = 0;
});
// Of several parts.
await smallDatabase(host, 'shop', 400_000);

const trusting = { NODE_EXTRA_CA_CERTS: certificate.file };
const login = { ...trusting, ...store.credentials, AWS_EC2_METADATA_DISABLED: 'true' };
const everywhere: Inputs = {
  'healthcheck-url': `https://127.0.0.1:${receiver.port}/5f0c1d9e-0000-4000-8000-2b1d5c3a9f77`,
  'webhook-url': `https://localhost:${receiver.port}/hook`,
  'smtp-url': `smtp://${encodeURIComponent(mailbox.user)}:${encodeURIComponent(mailbox.password)}@localhost:${mailbox.port}`,
  'mail-to': 'ops@example.org',
  'mail-on': 'always',
};
const place = (bucket: string): Inputs => ({
  's3-bucket': bucket,
  's3-endpoint': store.endpoint,
  's3-region': store.region,
});
const inputsOf = (inputs: Inputs) => backupInputs(host, 'backups', { 'db-name': 'shop', history: '', ...inputs });
const pings = () => receiver.received.filter(({ path }) => path.startsWith('/5f0c1d9e'));
const hooks = () => receiver.received.filter(({ path }) => path === '/hook').map(({ body }) => JSON.parse(body));
/** Everything that left for somebody, and the step's own words. */
const told = (result: ActionResult) => [
  ...receiver.received.map(({ body }) => body),
  ...mailbox.mails().map(({ text }) => text.replaceAll('=\r\n', '')),
  result.stdout,
  result.stderr,
  result.summary,
  ...Object.values(result.outputs),
];

test('a backup whose copy failed is no sign of life: the watcher gets a failure, with the reason', async () => {
  const result = await runAction('backup', inputsOf({ ...everywhere, ...place('no-such-bucket') }), { env: login });
  assert.equal(result.outputs['status'], 'incomplete', logOf(result));
  assert.deepEqual(
    pings().map(({ path }) => path.split('/').at(-1)),
    ['start', 'fail'],
  );
  assert.match(pings()[1]?.body ?? '', /^INCOMPLETE: .*NoSuchBucket/s);
  assert.deepEqual([hooks()[0].verdict, hooks()[0].offsite.copied], ['incomplete', false]);
  assert.equal(mailbox.mails().length, 1);
});

test('a copy goes by way of the proxy of the runner, over TLS', async () => {
  await store.createBucket('proxied');
  const [proxy, front] = [await startProxy(), await startStoreFront(store.endpoint, certificate)];
  const at = `${storeName}:${new URL(front.endpoint).port}`;
  try {
    const inputs = inputsOf({ ...place('proxied'), 's3-endpoint': `https://${at}` });
    const result = await runAction('backup', inputs, {
      env: { ...login, HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` },
    });
    succeeded(result);
    assert.deepEqual([...new Set(proxy.targets)], [at]);
    const parts = store.requests().filter((line) => line.startsWith('PUT /proxied/') && line.includes('partNumber='));
    assert.ok(parts.length > 1, `${parts.length} parts`);
  } finally {
    proxy.close();
    front.close();
  }
});

test('a run that is cancelled while it tells ends as it was, and soon', async () => {
  receiver.answer = 'silent';
  const running = await startAction('backup', inputsOf({ 'webhook-url': everywhere['webhook-url'] ?? '' }), {
    env: trusting,
  });
  await until('the webhook', async () => receiver.received[0]);
  const result = await running.cancel();
  assert.deepEqual([result.exitCode, result.signal, result.outputs['status']], [0, null, 'succeeded'], logOf(result));
  assert.match(logOf(result), /Could not send the webhook to localhost:\d+/);
  runnerIsClean(result);
});

test('what a restore says of rows is told to nobody, and no secret is', async () => {
  await host.database.create('crm');
  await host.psql(
    `CREATE TABLE aaa_rules (n int);
     INSERT INTO aaa_rules VALUES (1);
     CREATE TABLE zzz_rules (n int);
     INSERT INTO zzz_rules VALUES (1);
     CREATE FUNCTION fits(body text) RETURNS boolean LANGUAGE plpgsql AS $$
       BEGIN
         IF NOT EXISTS (SELECT FROM public.zzz_rules) THEN RAISE EXCEPTION 'refused: %', body; END IF;
         RETURN true;
       END $$;
     CREATE TABLE customers (body text CHECK (public.fits(body)));
     INSERT INTO customers SELECT 'planted-customer-' || n FROM generate_series(1, 5) n;`,
    'crm',
  );
  const inputs = { ...everywhere, 'db-name': 'crm' };
  succeeded(await runAction('backup', inputsOf(inputs), { env: trusting }));
  const result = await runAction('verify', { ...inputsOf(inputs), checks: 'drill' }, { env: trusting });
  assert.equal(result.outputs['status'], 'failed', logOf(result));
  assert.equal(hooks().at(-1).verdict, 'failure');
  assert.match(result.outputs['evidence'] ?? '', /"result":"failed"/);
  assert.deepEqual([pings().length, hooks().length, mailbox.mails().length], [4, 2, 2]);
  const secrets = ['planted-customer', mailbox.password, '5f0c1d9e'];
  for (const text of told(result)) {
    const shown = text.replaceAll(/^::add-mask::.*$/gm, '');
    for (const secret of secrets) assert.ok(!shown.includes(secret), `${secret} is told:\n${shown}`);
  }
});
