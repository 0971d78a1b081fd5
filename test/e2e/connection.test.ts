// Every way in which a host cannot be reached: each has a name of its own and says what to do; nothing is left behind.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { run } from '../lab/command.ts';
import { silentPort } from '../lab/faults.ts';
import type { FileFact } from '../lab/files.ts';
import { folder as labFolder, temporaryFolder } from '../lab/folder.ts';
import { type KeyPair, makeKey } from '../lab/keys.ts';
import { freePort } from '../lab/port.ts';
import { runAction } from '../lab/runner.ts';
import { type SshServer, type SshServerOptions, startSshServer } from '../lab/sshd.ts';
import { adviceIn, hostIsClean, refused, succeeded } from './expectations.ts';
import { atEnd, hostForFile } from './stage.ts';

const passphrase = 'open "sesame" $HOME \\ ü';

const root = mkdtempSync(join(labFolder('connection'), 'test-'));
atEnd(() => rmSync(root, { recursive: true, force: true }));
chmodSync(root, 0o755);
const { lab, host } = await hostForFile({ name: 'connection', seed: false });
const rsa = await makeKey({ type: 'rsa' });
const locked = await makeKey({ passphrase });
/** The same account's, where other keys may log in as well. */
const other = await serve([rsa, locked, host.key]);
atEnd(() => other.stop());

async function serve(
  authorized: KeyPair[],
  environment: Record<string, string> = {},
  options: Pick<SshServerOptions, 'hostKey' | 'settings'> = {},
): Promise<SshServer> {
  const folder = mkdtempSync(join(root, 'sshd-'));
  chmodSync(folder, 0o755);
  return startSshServer({
    folder,
    account: host.account,
    authorized,
    environment: { ...lab.engine.environment, ...environment },
    ...options,
  });
}

let backupDir: string;

function backup(changes: Record<string, string>) {
  return runAction('backup', {
    ...host.inputs(),
    'backup-dir': backupDir,
    'min-free-space': '10MiB',
    ...changes,
  });
}

const at = ({ port, knownHosts }: SshServer) => ({ port: String(port), 'known-hosts': knownHosts });

describe('a run that does not get to the host', () => {
  let before: FileFact[];

  beforeEach(() => {
    backupDir = host.newBackupDir();
    before = host.files();
  });

  afterEach(async () => {
    assert.deepEqual(host.files(), before, 'something was written on the host');
    await hostIsClean(host);
  });

  test('another host key', async () => {
    const { publicKey } = await makeKey();
    const result = await backup({ 'known-hosts': `[127.0.0.1]:${host.ssh.port} ${publicKey}` });
    refused(result, {
      message: /^The host key of 127\.0\.0\.1 port \d+ does not match "known-hosts": .*another machine answers/,
      hint: new RegExp(
        `ssh-keygen -lf .*: ssh-keyscan -p ${host.ssh.port} 127\\.0\\.0\\.1 > known_hosts; ssh-keygen -lf known_hosts$`,
        'm',
      ),
    });
    const fingerprint = async (line: string) => {
      const file = join(temporaryFolder('key'), 'key.pub');
      writeFileSync(file, line);
      return (await run(['ssh-keygen', '-lf', file])).split(' ')[1] ?? '';
    };
    const presented = await fingerprint(host.ssh.knownHosts.replace(/^\S+ /, ''));
    const message = result.annotations[0]?.message ?? '';
    assert.ok(
      message.includes(`It presented ${presented} (ED25519); "known-hosts" has ${await fingerprint(publicKey)} (`),
      message,
    );
    // It did not offer its key to whoever answers there.
    assert.match(result.stdout, /Cause: .*REMOTE HOST IDENTIFICATION HAS CHANGED/s);
  });

  test('no host key for this host', async () => {
    const result = await backup({ 'known-hosts': host.ssh.knownHosts.replace('[127.0.0.1]', '[127.0.0.2]') });
    refused(result, {
      message: /^The input "known-hosts" has no key for \[127\.0\.0\.1\]:\d+$/,
      hint: new RegExp(`ssh-keygen -lf /etc/ssh/.*: ssh-keyscan -p ${host.ssh.port} 127\\.0\\.0\\.1 > known_hosts; `),
    });
  });

  test('the printed line gives the host key that is then taken', async () => {
    const unknown = await backup({ 'known-hosts': '# none' });
    // To the end of the line, as somebody pastes it.
    const command = /ssh-keyscan -p .*$/m.exec(adviceIn(unknown))?.[0] ?? '';
    const folder = temporaryFolder('known-hosts');
    const shown = await run(['sh', '-c', `cd "$1" && ${command}`, 'sh', folder]);
    assert.match(shown, /SHA256:\S{43} /);
    const lines = readFileSync(join(folder, 'known_hosts'), 'utf8');
    const result = await backup({ 'known-hosts': lines, 'project-name': 'none' });
    refused(result, { message: /^No container belongs to a compose project called none$/, hint: /project-name/ });
  });

  test('another client key', async () => {
    const key = await makeKey();
    const file = join(temporaryFolder('key'), 'key.pub');
    writeFileSync(file, key.publicKey);
    const [, fingerprint = ''] = (await run(['ssh-keygen', '-lf', file])).split(' ');
    const result = await backup({ 'ssh-key': key.privateKey });
    refused(result, { message: /^127\.0\.0\.1 refused the key for the user "\S+"$/, hint: /authorized_keys/ });
    assert.ok(adviceIn(result).includes(`The key offered is ${fingerprint}. `), adviceIn(result));
  });

  test('another user', async () => {
    const result = await backup({ user: 'nobody-of-that-name' });
    refused(result, { message: /refused the key for the user "nobody-of-that-name"$/, hint: /check the input "user"/ });
  });

  test('text that is no key, a key cut short, and a public key', async () => {
    const lines = host.key.privateKey.trim().split('\n');
    for (const text of ['no key at all', lines.slice(0, -2).join('\n'), host.key.privateKey.replace(/[A-M]/g, 'N')]) {
      const result = await backup({ 'ssh-key': text });
      refused(result, {
        message:
          /^(Input "ssh-key" does not contain a private key|The input "ssh-key" is not a private key that ssh can read)$/,
        hint: /Store the whole (private key )?file/,
      });
      assert.ok(!result.stdout.includes(`Cause: ${text}`));
    }
    const result = await backup({ 'ssh-key': host.key.publicKey });
    refused(result, { message: /"ssh-key".*public key/, hint: /private key/ });
  });

  test('a key with a passphrase, without it and with another one', async () => {
    const key = { 'ssh-key': locked.privateKey, ...at(other) };
    refused(await backup(key), {
      message: /^The private key needs a passphrase, but none was given$/,
      hint: /"ssh-key-passphrase"$/m,
    });
    const result = await backup({ ...key, 'ssh-key-passphrase': 'another word' });
    refused(result, {
      message: /^The passphrase does not open the private key$/,
      hint: /Check the input "ssh-key-passphrase"/,
    });
    const masks = result.commands.filter(({ name }) => name === 'add-mask').map(({ message }) => message);
    assert.ok(masks.includes('another word'));
    assert.doesNotMatch(result.stdout.replaceAll(/^::add-mask::.*$/gm, ''), /another word/);
  });

  test('a port where nobody listens', async () => {
    const port = await freePort();
    const result = await backup({ port: String(port) });
    refused(result, {
      message: new RegExp(`^127\\.0\\.0\\.1 port ${port} refused the connection$`),
      hint: /Check the input "port"/,
    });
  });

  test('a port where nobody answers', async () => {
    const { port, close } = await silentPort();
    try {
      const result = await backup({ port: String(port) });
      refused(result, { message: new RegExp(`port ${port} did not answer$`), hint: /firewall/ });
      assert.ok(result.durationMs < 20_000, `${result.durationMs} ms`);
    } finally {
      await close();
    }
  });

  test('a cancel while nobody answers', async () => {
    const { port, close } = await silentPort();
    try {
      const { startAction } = await import('../lab/runner.ts');
      const action = await startAction('backup', { ...host.inputs(), 'backup-dir': backupDir, port: String(port) });
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const begin = performance.now();
      const result = await action.cancel();
      assert.ok(performance.now() - begin < 7_000);
      assert.equal(result.exitCode, 1);
      assert.match(result.annotations[0]?.message ?? '', /^Cancelled: .*nothing was done on the host/);
      assert.deepEqual([result.remaining, result.leftovers], [[], []]);
    } finally {
      await close();
    }
  });

  test('a name that nobody knows', async () => {
    refused(await backup({ host: 'no-such-host.invalid' }), {
      message: /^The name no-such-host\.invalid cannot be resolved$/,
      hint: /Check the input "host"/,
    });
  });

  test('a host without bash', async () => {
    const bare = await withPrograms({ env: 'exec /usr/bin/env "$@"' });
    try {
      refused(await backup(at(bare)), {
        message: /^bash was not found on 127\.0\.0\.1$/,
        hint: /apt-get install bash/,
      });
    } finally {
      await bare.stop();
    }
  });

  test('a host whose shell does something else', async () => {
    const odd = await withPrograms({ env: 'echo "This account is closed."; exit 1' });
    try {
      refused(await backup(at(odd)), {
        message: /^The login shell of \S+ on 127\.0\.0\.1 did not start our program \(exit 1\)$/,
        hint: new RegExp(`Run: ssh -p ${odd.port} \\S+@127\\.0\\.0\\.1 true\\.`),
      });
    } finally {
      await odd.stop();
    }
  });

  const servers: [
    what: string,
    options: Pick<SshServerOptions, 'hostKey' | 'settings'>,
    message: RegExp,
    hint: RegExp,
  ][] = [
    [
      'that wants a password as well',
      { settings: ['AuthenticationMethods publickey,password', 'PasswordAuthentication yes'] },
      /^127\.0\.0\.1 accepted the key of the user "\S+", but also requires a second method: password$/,
      /AuthenticationMethods publickey\. Then: systemctl reload ssh$/m,
    ],
    [
      'whose host key is of a kind that is no longer taken',
      { hostKey: 'rsa', settings: ['HostKeyAlgorithms ssh-rsa'] },
      /have no host key type in common: it offers only ssh-rsa$/,
      /ssh-keygen -A/,
    ],
    [
      'with an old key exchange',
      { settings: ['KexAlgorithms diffie-hellman-group1-sha1'] },
      /have no key exchange method in common: it offers only diffie-hellman-group1-sha1/,
      /kexalgorithms/,
    ],
    [
      'that takes no keys of this kind',
      { settings: ['PubkeyAcceptedAlgorithms ssh-rsa'] },
      /refused the key for the user "\S+"$/,
      /sshd -T \| grep -i pubkeyaccepted/,
    ],
    [
      'where a command is forced',
      { settings: ['ForceCommand internal-sftp'] },
      /login shell of \S+ on 127\.0\.0\.1 did not start our program|may only use sftp/,
      /forced? ?command/i,
    ],
  ];
  for (const [what, options, message, hint] of servers) {
    test(`a server ${what}`, async () => {
      const server = await serve([host.key], {}, options);
      try {
        refused(await backup(at(server)), { message, hint });
      } finally {
        await server.stop();
      }
    });
  }

  test('inputs that cannot be used, all named at once', async () => {
    const result = await backup({
      host: '-oProxyCommand=touch /tmp/x',
      port: '70000',
      user: 'root; id',
      'ssh-key': ' ',
      'known-hosts': '',
      'deploy-dir': 'relative/../..',
      'lock-wait': 'long',
      'keep-daily': '-1',
      kind: 'yearly',
      timezone: 'Mars/Olympus',
      'proxy-jump': 'a b@c',
      'min-size-ratio': '7',
    });
    const inputs = ['host', 'port', 'user', 'ssh-key', 'known-hosts', 'deploy-dir', 'lock-wait', 'keep-daily', 'kind'];
    refused(result, {
      message: /^12 inputs cannot be used: /,
      hint: /^known-hosts: .*ssh-keyscan -p PORT HOST > known_hosts; ssh-keygen -lf known_hosts$/m,
    });
    for (const input of [...inputs, 'timezone', 'proxy-jump', 'min-size-ratio']) {
      assert.match(result.annotations[0]?.message ?? '', new RegExp(`"${input}" `));
      assert.match(adviceIn(result), new RegExp(`^(What to do: )?${input}: `, 'm'));
    }
    assert.ok(result.durationMs < 5_000);
    assert.deepEqual(result.state, {}, 'a folder was made before the inputs were read');
  });

  test('one input that cannot be used', async () => {
    refused(await backup({ 'deploy-dir': 'app' }), {
      message: /^Input "deploy-dir" is not an absolute path \(given: "app"\)$/,
      hint: /^What to do: Give an absolute path/,
    });
  });

  test('a host to jump over that is the host', async () => {
    refused(await backup({ 'proxy-jump': `127.0.0.1:${host.ssh.port}` }), {
      message: /^The input "proxy-jump" names the host itself$/,
      hint: /leave "proxy-jump" out/,
    });
  });

  test('a host to jump over without a key in known-hosts', async () => {
    const lines = host.ssh.knownHosts;
    const result = await backup({ 'known-hosts': lines, 'proxy-jump': `${host.account.name}@127.0.0.1:${other.port}` });
    refused(result, {
      message: new RegExp(`has no key for \\[127\\.0\\.0\\.1\\]:${other.port}$`),
      hint: new RegExp(
        `\\(ssh-keyscan -p ${other.port} 127\\.0\\.0\\.1; ssh -p ${other.port} \\S+ ssh-keyscan -p ${host.ssh.port} .*\\) > known_hosts; ssh-keygen`,
      ),
    });
  });
});

describe('a backup is taken', () => {
  beforeEach(() => {
    backupDir = host.newBackupDir();
  });

  afterEach(() => hostIsClean(host));

  const cases: [string, () => Record<string, string>][] = [
    ['with a key that has CRLF', () => ({ 'ssh-key': host.key.privateKey.replaceAll('\n', '\r\n') })],
    ['with a key without its last line break', () => ({ 'ssh-key': host.key.privateKey.trimEnd() })],
    ['with a key that is indented', () => ({ 'ssh-key': `\n${host.key.privateKey.replaceAll(/^/gm, '    ')}\n\n` })],
    ['with an RSA key', () => ({ 'ssh-key': rsa.privateKey, ...at(other) })],
    [
      'with a key that has a passphrase',
      () => ({ 'ssh-key': locked.privateKey, 'ssh-key-passphrase': passphrase, ...at(other) }),
    ],
    ['with known hosts that have CRLF', () => ({ 'known-hosts': host.ssh.knownHosts.replaceAll('\n', '\r\n') })],
    [
      'over another host',
      () => ({
        'proxy-jump': `${host.account.name}@127.0.0.1:${other.port}`,
        'known-hosts': host.ssh.knownHosts + other.knownHosts,
      }),
    ],
  ];
  for (const [how, changes] of cases) {
    test(how, async () => {
      const result = await backup(changes());
      succeeded(result);
      assert.ok(
        host.files(backupDir).some(({ path }) => path === `daily/backup_${result.outputs['backup-id']}.dump.zst`),
      );
      assert.doesNotMatch(result.stdout.replaceAll(/^::add-mask::.*$/gm, ''), /PRIVATE KEY|open "sesame"/);
    });
  }
});

/** A server whose sessions find these programs, and no others. */
async function withPrograms(programs: Record<string, string>): Promise<SshServer> {
  const folder = join(mkdtempSync(join(root, 'bin-')), 'bin');
  mkdirSync(folder);
  chmodSync(join(folder, '..'), 0o755);
  chmodSync(folder, 0o755);
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return serve([host.key], { PATH: folder });
}
