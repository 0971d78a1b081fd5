// Whether what is neither the runner nor the host can be reached with the settings that are given: the bucket for copies,
// the address for pings, the mail server. It is connected to, and nothing is sent.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createPlainServer } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Finding } from '../../shared/drill/finding.ts';
import { makeCertificate } from '../lab/certificate.ts';
import { silentPort } from '../lab/faults.ts';
import { type MailServer, startMailServer } from '../lab/mail-server.ts';
import { type ObjectStore, startObjectStore } from '../lab/object-store.ts';
import { freePort } from '../lab/port.ts';
import { type ActionResult, runAction } from '../lab/runner.ts';
import { runnerIsClean } from './expectations.ts';
import { backupInputs, type Inputs } from './sets.ts';
import { hostForFile } from './stage.ts';
import { findingOf, findingsOf } from './verifications.ts';

const { host } = await hostForFile({ name: 'outside' });
const certificate = await makeCertificate();

/** With nothing of the machine's own that a tool of AWS's would find. */
const bare = {
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
};

async function setup(inputs: Inputs, env: Readonly<Record<string, string>> = {}): Promise<ActionResult> {
  const result = await runAction('verify', backupInputs(host, 'backups', { checks: 'setup', ...inputs }), {
    env: { ...bare, ...env },
  });
  runnerIsClean(result);
  return result;
}

const trusting = () => ({ NODE_EXTRA_CA_CERTS: certificate.file });

/** It failed, for that reason, and says what to do; the run has failed by it. */
function failed(result: ActionResult, name: string, detail: RegExp, remedy: RegExp): void {
  const finding: Finding = findingOf(result, name);
  assert.equal(finding.result, 'failed', finding.detail);
  assert.match(finding.detail, detail);
  assert.match(finding.remedy ?? '', remedy);
  assert.deepEqual([result.outputs['status'], result.exitCode], ['failed', 1]);
}

const masks = ({ commands }: ActionResult) =>
  commands.filter(({ name }) => name === 'add-mask').map(({ message }) => message);

function nowhere(result: ActionResult, ...secrets: string[]): void {
  const all = [
    result.stdout.replaceAll(/^::add-mask::.*$/gm, ''),
    result.stderr,
    result.summary,
    ...Object.values(result.outputs),
  ];
  for (const secret of secrets) assert.ok(!all.join('\n').includes(secret), 'a secret is told');
}

test('what is not given is not looked at', async () => {
  const names = findingsOf(await setup({})).map(({ name }) => name);
  for (const name of ['bucket', 'ping', 'mail']) assert.ok(!names.includes(name), name);
});

describe('the bucket for copies', { concurrency: 1 }, () => {
  let store: ObjectStore;
  before(async () => {
    store = await startObjectStore();
    await store.createBucket('acme-backups');
  });
  after(() => store?.close());

  const inputs = (more: Inputs = {}) => ({ 's3-bucket': 'acme-backups', 's3-endpoint': store.endpoint, ...more });

  test('that answers the login passes; it is asked for one name, and nothing is written', async () => {
    const before = store.requests().length;
    const result = await setup(inputs(), store.credentials);
    assert.equal(findingOf(result, 'bucket').result, 'passed');
    assert.match(
      findingOf(result, 'bucket').detail,
      /^"acme-backups" answers and can be listed; writing to it was not tried/,
    );
    const asked = store.requests().slice(before);
    assert.equal(asked.length, 1, asked.join('\n'));
    assert.match(asked[0] ?? '', /^GET \/acme-backups\/\?list-type=2&max-keys=1&prefix=atlasia-backups/);
    nowhere(result, store.credentials.AWS_SECRET_ACCESS_KEY);
  });

  test('with another secret fails', async () => {
    const result = await setup(inputs(), { ...store.credentials, AWS_SECRET_ACCESS_KEY: 'not-the-secret' });
    failed(
      result,
      'bucket',
      /^"acme-backups" at 127\.0\.0\.1:\d+ cannot be listed: SignatureDoesNotMatch/,
      /configure-aws-credentials/,
    );
    nowhere(result, 'not-the-secret');
  });

  test('without a login fails', async () => {
    failed(await setup(inputs()), 'bucket', /cannot be listed: CredentialsProviderError/, /AWS_ACCESS_KEY_ID/);
  });

  test('that is not there fails', async () => {
    const result = await setup(inputs({ 's3-bucket': 'nobodys' }), store.credentials);
    failed(result, 'bucket', /"nobodys" at .* cannot be listed: NoSuchBucket/, /"s3-bucket"/);
  });

  test('of a store that does not listen fails', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const result = await setup(inputs({ 's3-endpoint': endpoint }), store.credentials);
    failed(result, 'bucket', /cannot be listed: .*ECONNREFUSED/, /"s3-endpoint"/);
  });

  test('of a page of the web that is no store fails', async () => {
    const page = createPlainServer((_request, response) => response.end('<html><body>Welcome</body></html>'));
    await once(page.listen(0, '127.0.0.1'), 'listening');
    const endpoint = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
    const result = await setup(inputs({ 's3-endpoint': endpoint }), store.credentials);
    page.close();
    failed(result, 'bucket', /cannot be listed: /, /"s3-endpoint"/);
  });

  test('whose login is never handed out fails in time', async () => {
    const silent = await silentPort();
    const env = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${silent.port}/` };
    const result = await setup(inputs(), env);
    await silent.close();
    failed(result, 'bucket', /cannot be listed: (no answer within 20\.0 s|CredentialsProviderError)/, /./);
  });

  test('of AWS without a region fails', async () => {
    const result = await setup({ 's3-bucket': 'acme-backups' }, store.credentials);
    failed(result, 'bucket', /"acme-backups" at S3 cannot be listed: Region is missing/, /"s3-region"/);
  });
});

describe('the address for pings', { concurrency: 1 }, () => {
  const secret = '5f0c1d9e-0000-4000-8000-2b1d5c3a9f77';
  let server: Server;
  const requests: string[] = [];
  let connections = 0;
  before(async () => {
    server = createServer(certificate, ({ url = '' }, response) => {
      requests.push(url);
      response.end();
    });
    server.on('connection', () => {
      connections += 1;
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  after(() => server?.close());

  const at = (port: number) => ({ 'healthcheck-url': `https://127.0.0.1:${port}/${secret}` });
  const own = () => at((server.address() as AddressInfo).port);

  test('that answers passes; pings are sent of the run alone', async () => {
    const result = await setup(own(), trusting());
    assert.equal(findingOf(result, 'ping').result, 'passed', findingOf(result, 'ping').detail);
    assert.equal(connections - requests.length, 1, 'the check itself connects, and sends nothing');
    assert.deepEqual(requests, [`/${secret}/start`, `/${secret}`]);
    nowhere(result, secret);
    assert.ok(masks(result).includes(secret));
  });

  test('whose certificate is not trusted fails', async () => {
    const result = await setup(own());
    failed(result, 'ping', /cannot be reached from the runner: self-signed certificate/, /"healthcheck-url"/);
    nowhere(result, secret);
  });

  test('where nobody listens fails', async () => {
    failed(await setup(at(await freePort())), 'ping', /ECONNREFUSED/, /"healthcheck-url"/);
  });

  test('that is taken and never answered fails', async () => {
    const silent = await silentPort();
    const result = await setup(at(silent.port), trusting());
    await silent.close();
    failed(result, 'ping', /no answer within 10\.0 s/, /"healthcheck-url"/);
  });
});

describe('the mail server', { concurrency: 1 }, () => {
  const urlOf = ({ port, user, password }: MailServer, scheme = 'smtp', word = password) =>
    `${scheme}://${encodeURIComponent(user)}:${encodeURIComponent(word)}@localhost:${port}`;

  /** Nobody is told how the run went: the server is only tried. */
  const mailAt = (url: string): Inputs => ({ 'smtp-url': url, 'mail-on': 'never' });

  async function withServer(
    tls: Parameters<typeof startMailServer>[1],
    work: (server: MailServer) => Promise<void>,
    options?: Parameters<typeof startMailServer>[2],
  ) {
    const server = await startMailServer(certificate, tls, options);
    try {
      await work(server);
    } finally {
      await server.close();
    }
  }

  for (const [tls, scheme] of [
    ['starttls', 'smtp'],
    ['implicit', 'smtps'],
  ] as const) {
    test(`that takes the login with ${scheme}:// passes, and no mail was begun`, async () => {
      await withServer(tls, async (server) => {
        const result = await setup(mailAt(urlOf(server, scheme)), trusting());
        const { detail, result: how } = findingOf(result, 'mail');
        assert.deepEqual([how, detail], ['passed', `localhost:${server.port} accepts the login`]);
        assert.deepEqual([server.logins(), server.senders()], [1, []]);
        nowhere(result, server.password, encodeURIComponent(server.password));
        for (const secret of [server.password, encodeURIComponent(server.password)])
          assert.ok(masks(result).includes(secret));
      });
    });
  }

  test('that does not take the login fails', async () => {
    await withServer('starttls', async (server) => {
      const result = await setup(mailAt(urlOf(server, 'smtp', 'not:the-word')), trusting());
      failed(result, 'mail', /rejects the login: .*535/, /%40 and %3A/);
      nowhere(result, 'not:the-word', 'not%3Athe-word');
    });
  });

  test('that offers no TLS is not told the login', async () => {
    await withServer('none', async (server) => {
      failed(await setup(mailAt(urlOf(server))), 'mail', /does not offer TLS/, /smtps:\/\//);
      assert.equal(server.logins(), 0);
    });
  });

  test('whose certificate is not trusted is not told the login', async () => {
    await withServer('starttls', async (server) => {
      failed(await setup(mailAt(urlOf(server))), 'mail', /self-signed certificate/, /"smtp-url"/);
      assert.equal(server.logins(), 0);
    });
  });

  test('that asks for no login does not take one', async () => {
    await withServer(
      'starttls',
      async (server) => {
        const result = await setup(mailAt(urlOf(server)), trusting());
        failed(result, 'mail', /rejects the login/, /"smtp-url"/);
      },
      { takesLogins: false },
    );
  });

  test('where nobody listens fails', async () => {
    const result = await setup(mailAt(`smtp://localhost:${await freePort()}`));
    failed(result, 'mail', /cannot be reached: .*ECONNREFUSED/, /"smtp-url"/);
  });
});

test('bad settings are told of before anything is touched, without what they hold', async () => {
  const result = await runAction('verify', {
    ...backupInputs(host, 'backups'),
    's3-region': 'eu-central-1',
    'healthcheck-url': 'ftp://example.org/5f0c1d9e',
    'smtp-url': 'smtp://robot@example.org',
  });
  assert.equal(result.exitCode, 1);
  assert.match(result.stdout, /"s3-bucket" is missing, although "s3-region" was given/);
  assert.match(result.stdout, /"healthcheck-url" is not an https address/);
  assert.match(result.stdout, /"smtp-url" has only half a login/);
  nowhere(result, '5f0c1d9e');
});

test('settings that no check would look at are bad input', async () => {
  const key = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
  const given = { checks: 'deployment', 's3-bucket': 'acme-backups', encrypt: 'age', 'encrypt-to': key };
  const result = await runAction('verify', { ...backupInputs(host, 'backups'), ...given });
  assert.equal(result.exitCode, 1);
  assert.match(result.stdout, /"encrypt" has no effect because "checks" does not include setup/);
  assert.match(result.stdout, /"s3-bucket" has no effect because "checks" includes neither setup nor backups/);
});
