import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, mock, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFailure } from '../../shared/failure.ts';
import { Records } from '../../shared/host/records.ts';
import { connectBySsh } from '../../shared/host/ssh.ts';
import { jumpWord, mendKey, sshConfig } from '../../shared/host/ssh-config.ts';
import { explainSsh, type KeyDiagnosis } from '../../shared/host/ssh-failures.ts';

const target = { host: 'db.example', port: 2222, user: 'deploy', passphrase: null, proxyJump: null, knownHosts: '' };
const usable: KeyDiagnosis = { state: 'usable', publicKey: 'ssh-ed25519 AAAA', fingerprint: 'SHA256:abc' };

async function explained(stderr: string, changes: object = {}, key: KeyDiagnosis = usable) {
  const exit = { code: 255, begun: false, stderr, ...changes };
  return explainSsh({ ...target, ...changes }, exit, async () => key);
}

describe('what ssh prints becomes a named failure with a remedy', () => {
  const texts: [stderr: string, code: string, hint: RegExp][] = [
    [
      '@  WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!  @\nHost key verification failed.',
      'host-key-changed',
      /ssh-keyscan -p 2222 db\.example/,
    ],
    [
      'No ED25519 host key is known for [db.example]:2222 and you have requested strict checking.\nHost key verification failed.',
      'host-key-unknown',
      /ssh-keyscan -p 2222 db\.example/,
    ],
    ['deploy@db.example: Permission denied (publickey).', 'key-refused', /SHA256:abc/],
    [
      'Authenticated using "publickey" with partial success.\ndeploy@db.example: Permission denied (password).',
      'key-not-enough',
      /AuthenticationMethods publickey/,
    ],
    ['deploy@db.example: Permission denied (password).', 'key-refused', /SHA256:abc/],
    [
      'Unable to negotiate with 10.0.0.1 port 22: no matching host key type found. Their offer: ssh-rsa,ssh-dss',
      'no-common-algorithm',
      /ssh-keygen -A/,
    ],
    [
      'Unable to negotiate with 10.0.0.1 port 22: no matching cipher found. Their offer: 3des-cbc',
      'no-common-algorithm',
      /ciphers/,
    ],
    [
      'send_pubkey_test: no mutual signature algorithm\nPermission denied (publickey).',
      'no-common-algorithm',
      /ed25519/,
    ],
    ['Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures', 'key-refused', /maxauthtries/],
    ['kex_exchange_identification: Connection closed by remote host', 'connection-closed', /MaxStartups/],
    ['kex_exchange_identification: read: Connection reset by peer', 'connection-closed', /journalctl -u ssh/],
    ['Your account has expired; please contact your system administrator.', 'host-shell', /chage -l deploy/],
    ['ssh: Could not resolve hostname db.example: Name or service not known', 'host-unknown', /"host"/],
    ['ssh: connect to host db.example port 2222: Connection refused', 'connection-refused', /"port"/],
    ['ssh: connect to host db.example port 2222: Connection timed out', 'connection-timed-out', /firewall/],
    ['Connection timed out during banner exchange', 'connection-timed-out', /firewall/],
    ['ssh: connect to host db.example port 2222: No route to host', 'host-unreachable', /network/],
    ['WARNING: REVOKED HOST KEY DETECTED!\nHost key verification failed.', 'host-key-changed', /@revoked/],
    [
      'If your password has expired, call us.\nPermission denied to all but staff.\nconnect: Connection refused is what others see\nConnection closed by 10.0.0.1 port 22',
      'connection-lost',
      /Run it again/,
    ],
    ['client_loop: send disconnect: Broken pipe', 'connection-lost', /Run it again/],
    ['Timeout, server 127.0.0.1 not responding.', 'connection-lost', /60 s/],
    ['', 'connection-lost', /60 s/],
  ];
  for (const [stderr, code, hint] of texts) {
    test(`${code}: ${stderr.slice(0, 60)}`, async () => {
      const failure = await explained(stderr);
      assert.equal(failure.code, code);
      assert.match(failure.hint ?? '', hint);
    });
  }

  test('for unknown keys: a command that can be pasted as it stands, shows fingerprints, and ends the hint', async () => {
    const unknown = await explained(
      'No ED25519 host key is known for [db.example]:2222.\nHost key verification failed.',
    );
    const changed = await explained('REMOTE HOST IDENTIFICATION HAS CHANGED\nHost key verification failed.');
    for (const { hint } of [unknown, changed]) {
      assert.match(hint ?? '', /: ssh-keyscan -p 2222 db\.example > known_hosts; ssh-keygen -lf known_hosts$/);
      assert.match(hint ?? '', /ssh-keygen -lf \/etc\/ssh\/ssh_host_ed25519_key\.pub/);
    }
  });

  test('for a changed key: the fingerprints of at most five keys that were expected', async () => {
    const key = (at: number) => `db.example ssh-ed25519 ${String(at).repeat(68)}\n`;
    const said = async (knownHosts: string) => {
      const stderr =
        'REMOTE HOST IDENTIFICATION HAS CHANGED\nThe fingerprint for the ED25519 key sent by the remote host is\nSHA256:new.\nHost key verification failed.';
      return (await explained(stderr, { knownHosts })).message;
    };
    const told = await said([1, 2, 3, 4, 5, 6, 7].map(key).join(''));
    assert.match(told, /It presented SHA256:new \(ED25519\); "known-hosts" has SHA256:/);
    assert.equal(told.match(/SHA256:[A-Za-z0-9+/]{43} \(ssh-ed25519\)/g)?.length, 5);
    // A line that is commented out is not expected.
    assert.match(await said(`#${key(1)}`), /It presented SHA256:new \(ED25519\)$/);
  });

  test('why sshd closed the connection, where it says so', async () => {
    const said = async (stderr: string) => (await explained(stderr)).message;
    assert.match(
      await said('kex_exchange_identification: banner line contains: Not allowed at this time'),
      /PerSourcePenalties/,
    );
    assert.match(await said('kex_exchange_identification: banner line contains: Exceeded MaxStartups'), /MaxStartups/);
    assert.match(await said('kex_exchange_identification: Connection closed by remote host'), /before the login$/);
  });

  const closed = 'Connection closed by UNKNOWN port 65535';
  const jumps: [stderr: string, code: string, message: RegExp, hint: RegExp][] = [
    [
      `root@bastion: Permission denied (publickey).\n${closed}`,
      'key-refused',
      /^The jump host bastion refused the key for the user "root"/,
      /~root\/\.ssh.*"proxy-jump"/,
    ],
    ['deploy@db.example: Permission denied (publickey).', 'key-refused', /^db\.example refused/, /"user"/],
    [
      `ssh: Could not resolve hostname bastion: Name or service not known\n${closed}`,
      'host-unknown',
      /The name bastion/,
      /"proxy-jump"/,
    ],
    [
      `ssh: connect to host bastion port 22: Connection refused\n${closed}`,
      'connection-refused',
      /^The jump host bastion port 22 refused/,
      /"proxy-jump"/,
    ],
    [
      `@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key for bastion has changed and you have requested strict checking.\nHost key verification failed.\n${closed}`,
      'host-key-changed',
      /The host key of bastion port 22/,
      /ssh-keyscan bastion/,
    ],
    [
      `Unable to negotiate with 10.0.0.1 port 22: no matching cipher found. Their offer: 3des-cbc\nkex_exchange_identification: Connection closed by remote host\n${closed}`,
      'no-common-algorithm',
      /^The jump host bastion port 22 and ssh/,
      /ciphers/,
    ],
    [
      `channel 0: open failed: administratively prohibited: open failed\nstdio forwarding failed\n${closed}`,
      'connection-refused',
      /^The jump host bastion does not let the user "root" connect on to db\.example port 2222/,
      /allowtcpforwarding/,
    ],
    [
      `channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed\n${closed}`,
      'connection-refused',
      /^db\.example port 2222 refused/,
      /"port"/,
    ],
    [
      `channel 0: open failed: connect failed: Name or service not known\nstdio forwarding failed\n${closed}`,
      'host-unknown',
      /^The jump host bastion cannot resolve the name db\.example/,
      /looked up on the jump host/,
    ],
  ];
  for (const [stderr, code, message, hint] of jumps) {
    test(`with a jump host: ${stderr.slice(0, 70)}`, async () => {
      const failure = await explained(stderr, { proxyJump: { user: 'root', host: 'bastion', port: null } });
      assert.equal(failure.code, code);
      assert.match(failure.message, message);
      assert.match(failure.hint ?? '', hint);
    });
  }

  test('no bash', async () => {
    assert.equal((await explained("env: 'bash': No such file or directory", { code: 127 })).code, 'no-bash');
  });
  test('a login shell that does not do as told', async () => {
    assert.equal((await explained('This account is not available', { code: 1 })).code, 'host-shell');
  });
  const shells: [said: string, message: RegExp, hint: RegExp][] = [
    ['This account is currently not available.', /no login shell/, /chsh -s \/bin\/bash deploy/],
    [
      'WARNING: Your password has expired.\nPassword change required but no TTY available.',
      /password of deploy .*has expired/,
      /chage -M -1 deploy/,
    ],
    ['This service allows sftp connections only.', /only use sftp/, /sshd -T -C user=deploy/],
  ];
  for (const [said, message, hint] of shells) {
    test(said.slice(0, 50), async () => {
      const failure = await explained(said, { code: 1 });
      assert.equal(failure.code, 'host-shell');
      assert.match(failure.message, message);
      assert.match(failure.hint ?? '', hint);
    });
  }
  test('a gate that lets only listed programs through', async () => {
    const said = 'atlasia-gate: the program that came (SHA-256 ab12) is not on its list, for these actions:  backup ';
    const failure = await explained(said, { code: 126 });
    assert.equal(failure.code, 'gate-refused');
    assert.match(failure.message, /^The gate for this key on .* refused: the program that came \(SHA-256 ab12\)/);
    assert.match(failure.hint ?? '', /programs\.sha256/);
  });
  test('another host key: both fingerprints are shown', async () => {
    const failure = await explained(
      'REMOTE HOST IDENTIFICATION HAS CHANGED!\nThe fingerprint for the ED25519 key sent by the remote host is\nSHA256:presented.\nPlease contact',
      {
        knownHosts:
          '# a comment\n|1|aGFzaGVk= ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDAjKxsBMMrpZqPKtdTalwue9wHjzKxYHg9SwH2Ib317 x\n',
      },
    );
    assert.match(
      failure.message,
      /It presented SHA256:presented \(ED25519\); "known-hosts" has SHA256:[A-Za-z0-9+/]{43} \(ssh-ed25519\)$/,
    );
  });
  test('a key with a passphrase that was not given', async () => {
    assert.equal((await explained('Permission denied', {}, { state: 'wrong-passphrase' })).code, 'passphrase-missing');
  });
  test('a wrong passphrase', async () => {
    const failure = await explained('Permission denied', { passphrase: 'x' }, { state: 'wrong-passphrase' });
    assert.equal(failure.code, 'passphrase-wrong');
  });
  test('a key that is none', async () => {
    const key: KeyDiagnosis = { state: 'unreadable', detail: 'error in libcrypto' };
    assert.equal((await explained('Load key "x": error in libcrypto', {}, key)).code, 'key-unreadable');
  });
});

describe('a key from a secret is mended', () => {
  const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nabc\ndef\n-----END OPENSSH PRIVATE KEY-----\n';
  for (const [what, text] of [
    ['as it is', key],
    ['without its last line break', key.trimEnd()],
    ['with carriage returns', key.replaceAll('\n', '\r\n')],
    ['with indentation and empty lines around', `\n  ${key.replaceAll('\n', '\n  ')}\n`],
  ] as const) {
    test(what, () => assert.equal(mendKey(text), key));
  }
  test('the empty line of an encrypted PEM key stays', () => {
    const pem =
      '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nabc\n-----END RSA PRIVATE KEY-----\n';
    assert.equal(mendKey(pem), pem);
  });
});

test('the configuration is strict about host keys, whatever the settings', () => {
  const config = sshConfig({ ...target, key: '', knownHosts: '', passphrase: 'p' }, '/tmp/a%b', 'OpenSSH_9.6p1');
  assert.match(config, /StrictHostKeyChecking yes/);
  assert.match(config, /UserKnownHostsFile "\/tmp\/a%%b\/known_hosts"/);
  assert.match(config, /BatchMode no/);
  assert.doesNotMatch(config, /ProxyJump/);
});

test('ssh offers nothing but the key of the input, reads nothing but its own files, and opens nothing besides the session', () => {
  const lines = sshConfig({ ...target, key: '', knownHosts: '' }, '/tmp/a', 'OpenSSH_9.6p1')
    .split('\n')
    .map((line) => line.trim());
  const wanted = [
    ...['IdentitiesOnly yes', 'IdentityAgent none', 'PreferredAuthentications publickey', 'PasswordAuthentication no'],
    ...['KbdInteractiveAuthentication no', 'HostbasedAuthentication no', 'GSSAPIAuthentication no', 'BatchMode yes'],
    ...['GlobalKnownHostsFile /dev/null', 'UpdateHostKeys no', 'VerifyHostKeyDNS no'],
    ...['ForwardAgent no', 'ForwardX11 no', 'ClearAllForwardings yes', 'PermitLocalCommand no', 'RequestTTY no'],
    ...['EscapeChar none', 'Compression no'],
  ];
  assert.deepEqual(
    wanted.filter((line) => !lines.includes(line)),
    [],
  );
});

describe('ssh takes AES first where it can be told so', () => {
  const versions: [version: string, isTold: boolean][] = [
    ['OpenSSH_9.6p1 Ubuntu-3ubuntu13.5, OpenSSL 3.0.13 30 Jan 2024\n', true],
    ['OpenSSH_10.0p2 Debian-7, OpenSSL 3.5.1 1 Jul 2025\n', true],
    ['OpenSSH_8.1p1, LibreSSL 2.7.3\n', true],
    ['OpenSSH_8.0p1, OpenSSL 1.1.1k  FIPS 25 Mar 2021\n', false],
    ['OpenSSH_7.9p1 Debian-10+deb10u4, OpenSSL 1.1.1n  15 Mar 2022\n', false],
    ['', false],
  ];
  for (const [version, isTold] of versions) {
    test(`${version.split(',')[0]}: ${isTold}`, () => {
      const config = sshConfig({ ...target, key: '', knownHosts: '' }, '/tmp/a', version);
      assert.equal(/^ {2}Ciphers \^aes128-gcm@/m.test(config), isTold);
    });
  }
});

test('the ssh that is installed here takes AES first, and keeps all others that it knows', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ssh-'));
  try {
    const { stderr: version } = spawnSync('ssh', ['-V'], { encoding: 'utf8' });
    const settings = { ...target, key: '', knownHosts: '' };
    const ciphersWith = (said: string) => {
      writeFileSync(join(folder, 'config'), sshConfig(settings, folder, said));
      const { stdout } = spawnSync('ssh', ['-G', '-F', join(folder, 'config'), 'atlasia-host'], { encoding: 'utf8' });
      return /^ciphers (.+)$/m.exec(stdout)?.[1]?.split(',') ?? [];
    };
    const [first, usual] = [ciphersWith(version), ciphersWith('')];
    assert.equal(first[0], 'aes128-gcm@openssh.com');
    assert.deepEqual(first.toSorted(), usual.toSorted());
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a server that stands still is noticed after 15 to 20 s, and one that does not answer after 15 s', () => {
  const config = sshConfig({ ...target, key: '', knownHosts: '' }, '/tmp/a', 'OpenSSH_9.6p1');
  const seconds = (name: string) => Number(new RegExp(`^  ${name} (\\d+)$`, 'm').exec(config)?.[1]);
  assert.deepEqual(['ServerAliveInterval', 'ServerAliveCountMax', 'ConnectTimeout'].map(seconds), [5, 3, 15]);
});

test('nobody else may read the key, its passphrase, or whom we trust', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ssh-'));
  const before = process.umask(0);
  try {
    const settings = { ...target, host: '127.0.0.1', port: 1, key: 'k', passphrase: 'p', knownHosts: '' };
    const diagnoseKey = async () => usable;
    const connecting = connectBySsh(settings, { folder, diagnoseKey, signal: AbortSignal.timeout(20_000) });
    await assert.rejects(connecting);
    const modes = ['key', 'known_hosts', 'config', 'passphrase', 'askpass'].map((name) => [
      name,
      (statSync(join(folder, name)).mode & 0o077).toString(8),
    ]);
    assert.deepEqual(
      modes.filter(([, mode]) => mode !== '0'),
      [],
    );
  } finally {
    process.umask(before);
    rmSync(folder, { recursive: true });
  }
});

test('a login that does not end is given up after 40 s: a server that always says a little more keeps ssh waiting for ever', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ssh-'));
  const server = createServer().listen(0, '127.0.0.1');
  let sockets: Socket[] = [];
  let connecting: Promise<unknown> | undefined;
  let ending: unknown;
  mock.timers.enable({ apis: ['Date'], now: Date.now() });
  try {
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const settings = { ...target, host: '127.0.0.1', port, key: 'k', knownHosts: '' };
    const surroundings = { folder, diagnoseKey: async () => usable, signal: new AbortController().signal };
    connecting = connectBySsh(settings, surroundings).catch((error: unknown) => {
      ending = error;
    });
    sockets = await once(server, 'connection');
    for (const socket of sockets) socket.on('error', () => {}).write('SSH-2.0-OpenSSH_9.2\r\n');
    mock.timers.tick(39_000);
    await sleep(200);
    assert.equal(ending, undefined);
    // One that no longer hears a signal either is killed.
    for (const pid of clients()) process.kill(pid, 'SIGSTOP');
    mock.timers.tick(2_000);
    // ssh itself gives this one up 15 s after its last word.
    await Promise.race([connecting, sleep(5_000)]);
    assert.ok(isFailure(ending, 'connection-timed-out'), String(ending));
    assert.deepEqual(clients(), []);
  } finally {
    for (const pid of clients()) process.kill(pid, 'SIGKILL');
    mock.timers.reset();
    for (const socket of sockets) socket.destroy();
    await connecting;
    server.close();
    rmSync(folder, { recursive: true });
  }
});

/** Those of our children that are ssh. */
function clients(): number[] {
  const { pid } = process;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').map(Number);
  return children.filter((child) => child > 0 && readFileSync(`/proc/${child}/comm`, 'utf8') === 'ssh\n');
}

test('of what ssh says, only the last part is kept, whatever a server has it say', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ssh-'));
  const { PATH } = process.env;
  const flood = "head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 255";
  writeFileSync(join(folder, 'ssh'), `#!/bin/sh\n${flood}\n`, { mode: 0o700 });
  process.env['PATH'] = `${folder}:${PATH}`;
  try {
    const settings = { ...target, host: '127.0.0.1', port: 1, key: 'k', knownHosts: '' };
    const surroundings = { folder, diagnoseKey: async () => usable, signal: new AbortController().signal };
    const failure = await connectBySsh(settings, surroundings).then(
      () => assert.fail('It has connected'),
      (error: unknown) => error,
    );
    assert.ok(isFailure(failure, 'connection-lost'), String(failure));
    assert.match(String(failure.cause), /^x{1,20000}$/);
  } finally {
    process.env['PATH'] = PATH;
    rmSync(folder, { recursive: true });
  }
});

test('a jump host is written as ssh reads it', () => {
  assert.equal(jumpWord({ user: 'me', host: 'bastion', port: 2200 }), 'me@bastion:2200');
  assert.equal(jumpWord({ user: null, host: 'fe80::1', port: null }), '[fe80::1]');
});

describe('records', () => {
  test('keep the order, and keys that come again', () => {
    const records = Records.parse(Buffer.from('a\x001\0b\0line\nbreak\0a\x002\0'));
    assert.deepEqual(records.all('a'), ['1', '2']);
    assert.equal(records.get('b'), 'line\nbreak');
    assert.equal(records.find('c'), undefined);
  });
  test('name what is missing or no number', () => {
    const records = Records.parse(Buffer.from('n\x00x\0'));
    assert.throws(() => records.get('size'), /"size"/);
    assert.throws(() => records.integer('n'), /whole number/);
  });
});
