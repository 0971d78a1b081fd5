// How a run went is told: to a watcher that expects a ping, to a mailbox, and to whoever takes JSON. Whatever becomes of that,
// the run ends as it would have without it.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, beforeEach, describe, test } from 'node:test';
import { readSingleFileZip } from '../../shared/runner/single-file-zip.ts';
import { makeCertificate } from '../lab/certificate.ts';
import { silentPort, until } from '../lab/faults.ts';
import { startGithub } from '../lab/github.ts';
import { type MailServer, startMailServer } from '../lab/mail-server.ts';
import { freePort } from '../lab/port.ts';
import { startProxy, startReceiver } from '../lab/receiver.ts';
import { github as runnerWords } from '../lab/runner/step.ts';
import { type ActionResult, runAction, startAction } from '../lab/runner.ts';
import { startWatcher } from '../lab/watcher.ts';
import { errorsOf, runnerIsClean, succeeded } from './expectations.ts';
import { backupInputs, type Inputs, smallDatabase } from './sets.ts';
import { hostForFile } from './stage.ts';

const { host } = await hostForFile({ name: 'notices' });
const elsewhere = 'hooks.example.org';
const certificate = await makeCertificate(elsewhere);
const receiver = await startReceiver(certificate);
const mailbox = await startMailServer(certificate, 'starttls');
after(async () => {
  await receiver.close();
  await mailbox.close();
});
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer = 200;
  mailbox.mails().length = 0;
});
await smallDatabase(host, 'shop', 200);

const trusting = { NODE_EXTRA_CA_CERTS: certificate.file };
const pingId = '5f0c1d9e-0000-4000-8000-2b1d5c3a9f77';
const hookKey = 'T0KEN-of-the-webhook';
const hookSecret = 'the-secret-of-the-signature';
const pinging: Inputs = { 'healthcheck-url': `https://127.0.0.1:${receiver.port}/${pingId}` };
const hooking: Inputs = {
  'webhook-url': `https://localhost:${receiver.port}/services/${hookKey}`,
  'webhook-secret': hookSecret,
};
const smtp = ({ port, user, password }: MailServer, scheme = 'smtp', word = password): Inputs => ({
  'smtp-url': `${scheme}://${encodeURIComponent(user)}:${encodeURIComponent(word)}@localhost:${port}`,
  'mail-to': 'ops@example.org, boss@example.org',
});
const everywhere = { ...pinging, ...hooking, ...smtp(mailbox), 'mail-on': 'always' };

const nightly = (inputs: Inputs, env: Readonly<Record<string, string>> = trusting) =>
  runAction('backup', backupInputs(host, 'backups', { 'db-name': 'shop', history: '', ...inputs }), { env });
/** A run that ends before it reaches the host. */
const unreached = async (inputs: Inputs, env: Readonly<Record<string, string>> = trusting) =>
  nightly({ ...inputs, host: '127.0.0.1', port: String(await freePort()) }, env);

const pings = () => receiver.received.filter(({ path }) => path.startsWith(`/${pingId}`));
const events = () => pings().map(({ path }) => path.slice(pingId.length + 2));
const hooks = () => receiver.received.filter(({ path }) => path.startsWith('/services/'));
const warnings = ({ annotations }: ActionResult) =>
  annotations.filter(({ name }) => name === 'warning').map(({ message }) => message);
const subjects = () => mailbox.mails().map(({ text }) => /^Subject: ((?:.*\r\n[ \t])*.*)\r\n/m.exec(text)?.[1] ?? '');
const unfolded = (text = '') => text.replaceAll(/\r\n[ \t]+/g, ' ');

function nowhere(result: ActionResult): void {
  const all = [
    result.stdout.replaceAll(/^::add-mask::.*$/gm, ''),
    result.stderr,
    result.summary,
    ...Object.values(result.outputs),
    ...receiver.received.map(({ body }) => body),
    ...mailbox.mails().map(({ text }) => text.replaceAll('=\r\n', '')),
  ].join('\n');
  for (const secret of [pingId, hookKey, hookSecret, mailbox.password, encodeURIComponent(mailbox.password)])
    assert.ok(!all.includes(secret), `${secret} is told`);
}

describe('a nightly backup', { concurrency: 1 }, () => {
  test('that succeeds is told everywhere, after it is verified, without a secret', async () => {
    const result = await nightly(everywhere);
    succeeded(result);
    const id = result.outputs['backup-id'] ?? '';
    assert.deepEqual(events(), ['start', '']);
    assert.match(
      pings()[1]?.body ?? '',
      new RegExp(`^OK: backup of prod, database shop, .*\n\nBackup ${id} of "shop" is verified`),
    );

    const [hook, ...others] = hooks();
    assert.deepEqual(others, []);
    const notice = JSON.parse(hook?.body ?? '{}');
    assert.deepEqual(
      [notice.schema, notice.verdict, notice.environment, notice.database, notice.backup.id, notice.lastGoodBackup.id],
      ['atlasia-notice/1', 'success', 'prod', 'shop', id, id],
    );
    assert.equal(notice.backup.sha256, result.outputs['sha256']);
    const signature = createHmac('sha256', hookSecret)
      .update(hook?.body ?? '')
      .digest('hex');
    assert.equal(hook?.headers['x-atlasia-signature-256'], `sha256=${signature}`);

    const [mail] = mailbox.mails();
    assert.deepEqual(mail?.to, ['ops@example.org', 'boss@example.org']);
    assert.match(unfolded(subjects()[0]), /^OK: backup of prod, database shop, [\d.]+ KiB, last good backup .* old$/);
    assert.match(unfolded(mail?.text), /^Content-Type: multipart\/alternative;/m);
    for (const type of ['plain', 'html'])
      assert.match(mail?.text ?? '', new RegExp(`^Content-Type: text/${type};`, 'm'));

    const evidence = JSON.parse(result.outputs['evidence'] ?? '{}');
    assert.equal(evidence.schema, 'atlasia-evidence/1');
    assert.ok(
      evidence.checks.some(
        ({ name, result }: { name: string; result: string }) => name === 'read-back' && result === 'passed',
      ),
    );
    nowhere(result);
  });

  test('that fails before the host is told with the reason, and what to do', async () => {
    const result = await unreached(everywhere);
    assert.deepEqual(events(), ['start', 'fail']);
    assert.match(
      pings()[1]?.body ?? '',
      /^FAILED: backup of prod, database shop, age of the last good backup unknown\n/,
    );
    assert.match(pings()[1]?.body ?? '', /What to do: /);
    assert.equal(JSON.parse(hooks()[0]?.body ?? '{}').error, 'connection-refused');
    assert.equal(mailbox.mails().length, 1);
    nowhere(result);
  });

  test('with a bad input is told, as far as one can know whom to tell', async () => {
    const result = await nightly({
      ...everywhere,
      'webhook-url': 'ftp://x/T0KEN-of-the-webhook',
      'keep-daily': 'many',
    });
    assert.equal(result.exitCode, 1);
    assert.deepEqual(events(), ['fail']);
    assert.match(pings()[0]?.body ?? '', /"keep-daily"/);
    assert.match(unfolded(subjects()[0]), /^FAILED: backup of prod/);
    nowhere(result);
  });

  test('whose dump fails tells how old the last good backup is', async () => {
    const pgDump = (
      await host.docker(
        'exec',
        '--user',
        '0',
        await host.container('db'),
        'sh',
        '-c',
        'readlink -f "$(command -v pg_dump)"',
      )
    ).trim();
    const inside = async (script: string) =>
      host.docker('exec', '--user', '0', await host.container('db'), 'sh', '-c', script);
    await inside(`mv ${pgDump} ${pgDump}.away; printf '#!/bin/sh\nexit 3\n' >${pgDump}; chmod +x ${pgDump}`);
    const result = await nightly({ ...pinging, ...smtp(mailbox) });
    await inside(`mv ${pgDump}.away ${pgDump}`);
    assert.equal(result.exitCode, 1);
    assert.deepEqual(events(), ['start', 'fail']);
    assert.match(unfolded(subjects()[0]), /^FAILED: backup of prod, database shop, last good backup .* old$/);
  });

  test('that is cancelled is told within the few seconds that are left', async () => {
    const running = await startAction(
      'backup',
      backupInputs(host, 'backups', { 'db-name': 'shop', history: '', ...everywhere }),
      { env: trusting },
    );
    await running.sawLog(/Survey of/);
    const result = await running.cancel();
    assert.deepEqual([result.exitCode, result.signal], [1, null], result.stdout);
    assert.deepEqual(events(), ['start', 'fail']);
    assert.match(pings()[1]?.body ?? '', /^CANCELLED: backup of prod/);
    assert.match(unfolded(subjects()[0]), /^CANCELLED: backup of prod/);
  });

  test('that no longer runs is noticed: no ping comes, and the watcher writes a mail', async () => {
    const job = { job: 'nightly backup of prod', to: 'ops@example.org', patience: 2_000 };
    const watcher = await startWatcher(certificate, mailbox, job);
    try {
      await unreached({ 'healthcheck-url': watcher.url });
      assert.deepEqual(watcher.states(), ['down'], 'a run that fails is no sign of life');
      succeeded(await nightly({ 'healthcheck-url': watcher.url }));
      // From here on, GitHub starts no run any more.
      const mail = await until('a mail from the watcher', async () =>
        mailbox.mails().find(({ text }) => text.includes('No ping came in time')),
      );
      assert.deepEqual(mail.to, ['ops@example.org']);
      assert.match(mail.text, /^Subject: DOWN: nightly backup of prod\r$/m);
      assert.deepEqual(watcher.states(), ['down', 'up', 'down']);
    } finally {
      await watcher.close();
    }
  });
});

describe('who cannot be told', { concurrency: 1 }, () => {
  test('fails nothing: a server that answers an error, redirects, or is not there', async () => {
    for (const [answer, times] of [
      [503, 3],
      [404, 1],
      [302, 1],
    ] as const) {
      receiver.received.length = 0;
      receiver.answer = answer;
      const result = await nightly(hooking);
      succeeded(result);
      assert.equal(hooks().length, times, `${answer}`);
      assert.match(
        warnings(result).join('\n'),
        new RegExp(`Could not send the webhook to localhost:\\d+: it answers ${answer}`),
      );
      assert.equal(receiver.received.length, times, 'a redirect was followed');
      nowhere(result);
    }
  });

  test('holds nothing up beyond its limit: servers that hang', async () => {
    const silent = await silentPort();
    const at = (scheme: string) => `${scheme}://localhost:${silent.port}/${pingId}`;
    const mail = {
      'smtp-url': `smtp://robot%40example.org:password@localhost:${silent.port}`,
      'mail-to': 'ops@example.org',
    };
    const result = await unreached({ 'healthcheck-url': at('https'), 'webhook-url': at('https'), ...mail });
    await silent.close();
    assert.equal(errorsOf(result).length, 1);
    const told = warnings(result).join('\n');
    for (const what of ['the ping', 'the webhook', 'the mail'])
      assert.match(told, new RegExp(`Could not send ${what}.*no answer within`));
    runnerIsClean(result);
  });

  test('mail: a bad password, a certificate that is not trusted, no TLS, nobody there', async () => {
    const plain = await startMailServer(certificate, 'none');
    const port = await freePort();
    const cases: [Inputs, Record<string, string>, RegExp][] = [
      [smtp(mailbox, 'smtp', 'not:the-word'), trusting, /rejects the login/],
      [smtp(mailbox), {}, /self-signed certificate/],
      [smtp(plain), trusting, /does not offer TLS/],
      [
        { ...smtp(plain), 'smtp-url': `smtp://localhost:${plain.port}`, 'mail-from': 'robot@example.org' },
        trusting,
        /does not offer TLS/,
      ],
      [smtp({ ...mailbox, port }), trusting, /ECONNREFUSED/],
    ];
    for (const [inputs, env, reason] of cases) {
      const result = await unreached(inputs, env);
      assert.match(warnings(result).join('\n'), reason);
      assert.doesNotMatch(result.stdout.replaceAll(/^::add-mask::.*$/gm, ''), /not:the-word/);
    }
    await plain.close();
    assert.equal(mailbox.mails().length + plain.mails().length, 0);
  });

  test('mail: one recipient is refused, the other gets it; over TLS from the first byte', async () => {
    const server = await startMailServer(certificate, 'implicit', { refused: 'boss@example.org' });
    const result = await unreached(smtp(server, 'smtps'));
    await server.close();
    assert.match(warnings(result).join('\n'), /it refuses boss@example\.org; the others got the mail/);
    assert.deepEqual(
      server.mails().map(({ to }) => to),
      [['ops@example.org']],
    );
  });

  test('mail: all recipients are refused', async () => {
    const server = await startMailServer(certificate, 'starttls', { refused: 'boss@example.org' });
    const result = await unreached({ ...smtp(server), 'mail-to': 'boss@example.org' });
    await server.close();
    assert.match(
      warnings(result).join('\n'),
      /Could not send the mail: localhost:\d+ refuses the mail: .*No such user/,
    );
    assert.deepEqual(server.mails(), []);
  });
});

test('mail goes by a relay that knows neither TLS nor logins, where that is asked for; names need not be ASCII', async () => {
  const relay = await startMailServer(certificate, 'none', { takesLogins: false, wantsLogin: false });
  const result = await unreached({
    'smtp-url': `smtp://localhost:${relay.port}?tls=none`,
    'mail-from': 'backups@example.org',
    'mail-to': 'ops@example.org',
    'db-name': 'größe ☃',
  });
  await relay.close();
  assert.deepEqual(warnings(result), []);
  const [mail, ...others] = relay.mails();
  assert.deepEqual([others, relay.logins(), relay.senders()], [[], 0, ['backups@example.org']]);
  const subject = unfolded(/^Subject: ((?:.*\r\n[ \t])*.*)\r\n/m.exec(mail?.text ?? '')?.[1]);
  const words = subject.replaceAll(/\?= =\?/g, '?==?').matchAll(/=\?UTF-8\?Q\?(.*?)\?=/gi);
  const bytes = Array.from(words, ([, word = '']) => word.replaceAll('_', ' ')).join('');
  assert.match(
    decodeURIComponent(bytes.replaceAll(/=([0-9A-F]{2})/g, '%$1')) + subject,
    /FAILED: backup of prod, database größe ☃/,
  );
});

test('a run that tells nobody and copies nothing loads neither the library of a store nor that of mail', async () => {
  const spy = `data:text/javascript,${encodeURIComponent(
    "import{registerHooks}from'node:module';registerHooks({load(u,c,n){process.stderr.write('loaded\\x20'+u+'\\n');return n(u,c)}})",
  )}`;
  const loadedBy = async (inputs: Inputs) => {
    const result = await nightly(inputs, { ...trusting, NODE_OPTIONS: `--import ${spy}` });
    succeeded(result);
    const files = Array.from(result.stderr.matchAll(/^loaded file:\/\/(\S+\/dist\/\S+)$/gm), ([, file = '']) => file);
    assert.ok(
      files.some((file) => file.endsWith('/dist/backup/index.js')),
      result.stderr,
    );
    return files.map((file) => readFileSync(decodeURIComponent(file), 'utf8')).join('');
  };
  const heavy = /@aws-sdk\/|nodemailer\/|@azure\/|@actions\/artifact|age-encryption\//;
  assert.doesNotMatch(await loadedBy({}), heavy);
  assert.match(await loadedBy({ ...smtp(mailbox), 'mail-on': 'always' }), /nodemailer\//);
});

test('the proxy of the runner is used', async () => {
  const proxy = await startProxy();
  const inputs = { 'webhook-url': `https://${elsewhere}:${receiver.port}/services/x` };
  const result = await unreached(inputs, { ...trusting, HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` });
  proxy.close();
  assert.deepEqual(warnings(result), []);
  assert.deepEqual(proxy.targets, [`${elsewhere}:${receiver.port}`]);
  assert.equal(hooks().length, 1);
});

test('the evidence is kept as an artifact, and failing to is a warning', async () => {
  const github = await startGithub();
  const run = github.startRun();
  const result = await nightly({ ...smtp(mailbox), evidence: 'artifact' }, { ...trusting, ...run.env });
  succeeded(result);
  assert.equal(mailbox.mails().length, 0, 'nobody wants mail of a success');
  const [artifact] = github.artifacts;
  assert.match(artifact?.name ?? '', /^evidence-prod-backup-\d{8}T\d+Z$/);
  const path = `/repos/${runnerWords.repository}/actions/artifacts/${artifact?.id}/zip`;
  const zip = await fetch(`${run.env['GITHUB_API_URL']}${path}`, {
    headers: { authorization: `Bearer ${github.token}` },
  });
  const kept = JSON.parse(String(await readSingleFileZip(Buffer.from(await zip.arrayBuffer()), 1_000_000)));
  assert.deepEqual([kept.schema, kept.backup.sha256], ['atlasia-evidence/1', result.outputs['sha256']]);
  assert.deepEqual(kept.checks, JSON.parse(result.outputs['evidence'] ?? '{}').checks);
  github.fault = { path: /CreateArtifact/, answer: 403 };
  const failed = await nightly({ evidence: 'artifact' }, github.startRun().env);
  await github.close();
  succeeded(failed);
  assert.match(warnings(failed).join('\n'), /Could not store the evidence as an artifact: .*(403|planted)/);
});

test('a verification tells by the same channels, and a rollback that is refused too', async () => {
  const inputs = backupInputs(host, 'backups', { 'db-name': 'shop', history: '', ...pinging, ...hooking });
  await runAction('verify', { ...inputs, checks: 'backups' }, { env: trusting });
  await runAction('rollback', { ...inputs, environment: 'staging', target: 'v1' }, { env: trusting });
  const told = hooks().map(({ body }) => JSON.parse(body));
  assert.deepEqual(
    told.map(({ action }) => action),
    ['verify-action', 'rollback-action'],
  );
  assert.equal(told[0].database, 'shop');
  assert.equal(told[0].lastGoodBackup.state, 'known');
  assert.equal(told[1].verdict, 'failure');
  assert.deepEqual(events().length, 4);
});
