// The gate in authorized_keys, with a real sshd: the actions work through it, and a key that was stolen gives no shell.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { hostCode, listOf } from '../../scripts/host-programs.ts';
import { logging } from '../../shared/backups/publish.ts';
import { program as take } from '../../shared/backups/take.ts';
import { program as drill } from '../../shared/drill/drill.ts';
import { bootstrap } from '../../shared/host/connection.ts';
import { scriptOf } from '../../shared/host/run-program.ts';
import { program as survey } from '../../shared/survey/survey.ts';
import { starting } from '../../shared/transaction/start-transaction.ts';
import { resuming } from '../../shared/transaction/transaction.ts';
import { asRoot, run } from '../lab/command.ts';
import { until } from '../lab/faults.ts';
import { folder as labFolder, temporaryFolder } from '../lab/folder.ts';
import { makeKey } from '../lab/keys.ts';
import { needPrograms } from '../lab/packages.ts';
import { freePort } from '../lab/port.ts';
import { runAction } from '../lab/runner.ts';
import { type SshServer, type SshServerOptions, startSshServer } from '../lab/sshd.ts';
import { refused, succeeded } from './expectations.ts';
import { plantHistory, rollbackInputs, rolledBack } from './rollbacks.ts';
import { backupInputs, type Inputs, write } from './sets.ts';
import { applicationForFile, atEnd } from './stage.ts';
import { verified } from './verifications.ts';

await needPrograms({ age: 'age', sftp: 'openssh-client' });
const repository = join(import.meta.dirname, '..', '..');
const { lab, app } = await applicationForFile({ name: 'gate', versions: ['v1', 'v2'], runs: 'v2' });
const { host } = app;
const { account } = host;
const root = mkdtempSync(join(labFolder('gate'), 'test-'));
atEnd(() => rmSync(root, { recursive: true, force: true }));
chmodSync(root, 0o755);
const code = await hostCode(repository);
const backupDir = host.newBackupDir();

/** What docs/security.md lets root type, on the paths of this host. What it downloads is in the folder already. */
const block = readFileSync(join(repository, 'docs', 'security.md'), 'utf8')
  .match(/^<!-- run: the host, as root -->\n```bash\n([\s\S]*?)^```$/m)?.[1]
  ?.replaceAll('/usr/local/sbin/', `${root}/sbin-`)
  .replaceAll('/etc/atlasia/', `${root}/etc/`)
  .replaceAll('/etc/ssh/', `${root}/ssh/`)
  .replaceAll('/opt/atlasia/backups', `${host.deployDir}/${backupDir}`)
  .replaceAll('/opt/atlasia', host.deployDir)
  .replaceAll(/\bdeploy$/gm, account.name)
  .replace(/(?<=authorized_keys\/)deploy/, account.name)
  .replace(/ssh-ed25519 AAAA… \w+/, host.key.publicKey)
  // It is started below.
  .replace('sshd -t && systemctl reload ssh', `/usr/sbin/sshd -t -f ${root}/ssh/sshd_config`);
assert.ok(block !== undefined);
const desk = mkdtempSync(join(root, 'desk-'));
copyFileSync(join(repository, 'host', 'gate.sh'), join(desk, 'gate.sh'));
writeFileSync(join(desk, 'programs.sha256'), listOf(code, '0.0.0'));
mkdirSync(join(root, 'ssh', 'sshd_config.d'), { recursive: true });
writeFileSync(join(root, 'ssh', 'sshd_config'), `HostKey ${root}/ssh/key\nInclude ${root}/ssh/sshd_config.d/*.conf\n`);
writeFileSync(join(root, 'ssh', 'key'), (await makeKey()).privateKey, { mode: 0o600 });
await run(asRoot(['bash', '-e', '-c', block]), { cwd: desk });
const keyOptions =
  readFileSync(join(root, 'ssh', 'authorized_keys', account.name), 'utf8').split(' ssh-ed25519')[0] ?? '';

/** A server whose keys lead to the gate, with such a configuration. */
async function gate(name: string, configuration: readonly string[]): Promise<SshServer> {
  const file = join(root, `${name}.conf`);
  writeFileSync(file, `${configuration.join('\n')}\n`);
  const settings = ['Subsystem sftp internal-sftp'];
  return serve(keyOptions.replace(join(root, 'etc', 'gate.conf'), file), { settings });
}

async function serve(keyOptions: string, more: Partial<SshServerOptions> = {}): Promise<SshServer> {
  const folder = mkdtempSync(join(root, 'sshd-'));
  chmodSync(folder, 0o755);
  const server = await startSshServer({
    folder,
    account,
    authorized: [host.key],
    environment: lab.engine.environment,
    keyOptions,
    ...more,
  });
  atEnd(() => server.stop());
  return server;
}

const places = [`deploy-dir ${host.deployDir}`, `backup-dir ${host.deployDir}/${backupDir}`];
const list = `programs ${join(root, 'etc', 'programs-1.0.0.sha256')}`;
const open = await gate('open', [list, 'actions backup rollback verify', ...places]);
/** As the page has it: with the keys, too, in the file of root's. */
const narrow = await serve('command="/bin/false"', {
  settings: ['Subsystem sftp internal-sftp', `Include ${root}/ssh/sshd_config.d/*.conf`],
});
const at = ({ port, knownHosts }: SshServer): Inputs => ({ port: String(port), 'known-hosts': knownHosts });

describe('through the gate', { concurrency: 1 }, () => {
  test('backup-action backs up', async () => {
    succeeded(await runAction('backup', { ...backupInputs(host, backupDir), ...at(narrow) }));
  });

  test('verify-action checks everything, and drills', async () => {
    const checks = { checks: 'setup,backups,drill,deployment', 'stable-for': '1s', registry: app.registry.address };
    const login = { 'registry-username': app.registry.username, 'registry-password': app.registry.password };
    const inputs = { ...backupInputs(host, backupDir, { ...checks, ...login, expect: 'v2' }), ...at(narrow) };
    await verified(host, await runAction('verify', inputs), 'verified', { 'last good release': 'warning' });
  });

  test('an encrypted backup goes out in files, and comes back decrypted', async () => {
    const identity = await run(['age-keygen']);
    const encryption = { encrypt: 'age', 'encrypt-to': /age1\w+/.exec(identity)?.[0] ?? '' };
    succeeded(await runAction('backup', { ...backupInputs(host, backupDir, encryption), ...at(narrow) }));
    const drill = backupInputs(host, backupDir, { checks: 'drill', 'decrypt-key': identity });
    await verified(host, await runAction('verify', { ...drill, ...at(narrow) }), 'verified');
  });

  test('a log in another place, if the configuration names it', async () => {
    const log = `${host.deployDir}/backup.log`;
    const inputs = { ...backupInputs(host, backupDir), 'log-file': log };
    const refusal = { message: /refused: log_file is .*backup\.log, a place that/, hint: /configuration/ };
    const result = await runAction('backup', { ...inputs, ...at(narrow) });
    assert.match(result.stdout, refusal.message);
    assert.equal(result.exitCode, 1);
    const server = await gate('log', [list, 'actions backup', ...places, `log-file ${log}`]);
    succeeded(await runAction('backup', { ...inputs, ...at(server) }));
    assert.match(readFileSync(log, 'utf8'), / backup succeeded /);
  });

  test('over a jump host, whose key only leads on', async () => {
    const onward = `restrict,port-forwarding,permitopen="127.0.0.1:${narrow.port}",command="/bin/false"`;
    const jump = await serve(onward);
    const inputs = {
      ...backupInputs(host, backupDir),
      port: String(narrow.port),
      'proxy-jump': `${account.name}@127.0.0.1:${jump.port}`,
      'known-hosts': narrow.knownHosts + jump.knownHosts,
    };
    succeeded(await runAction('backup', inputs));
  });

  test('rollback-action rolls back', async () => {
    await plantHistory(app, backupDir, [{ backend: 'v1', dashboard: 'v1' }]);
    const inputs = rollbackInputs(app, backupDir, { 'skip-backup': 'false', ...at(open) });
    await rolledBack(app, await runAction('rollback', inputs), { backend: 'v1', dashboard: 'v1' });
  });
});

describe('the gate stops an action, which says why and what to do', { concurrency: 1 }, () => {
  test('whose programs are of a release that is not installed', async () => {
    const old = join(root, 'old.sha256');
    writeFileSync(
      old,
      listOf(
        code.filter(({ name }) => name !== 'survey'),
        '0.0.0',
      ),
    );
    const server = await gate('old', [`programs ${old}`, 'actions backup', ...places]);
    const result = await runAction('backup', { ...backupInputs(host, backupDir), ...at(server) });
    refused(result, {
      message:
        /^The gate for this key on 127\.0\.0\.1 refused: the program that came \(SHA-256 [0-9a-f]{64}\) is not on its list/,
      hint: /programs\.sha256.*docs\/security\.md#a-gate-on-the-host/,
    });
  });

  test('that the key is not meant for', async () => {
    await plantHistory(app, backupDir, [{ backend: 'v2', dashboard: 'v2' }]);
    const result = await runAction('rollback', rollbackInputs(app, backupDir, at(narrow)));
    assert.equal(result.exitCode, 1);
    assert.match(result.stdout, /rollback-action failed%3A gate-refused/);
    assert.equal(await app.versionOf('backend'), 'v1');
  });

  test('on another backup folder', async () => {
    const result = await runAction('backup', { ...backupInputs(host, host.newBackupDir()), ...at(narrow) });
    refused(result, {
      message: /refused: backup_dir is .*a place that its configuration does not name/,
      hint: /configuration/,
    });
  });
});

describe('with a stolen key', { concurrency: 1 }, () => {
  const folder = temporaryFolder('thief');
  writeFileSync(join(folder, 'key'), host.key.privateKey, { mode: 0o600 });
  writeFileSync(join(folder, 'known'), narrow.knownHosts + open.knownHosts);
  const options = ['-F', '/dev/null', '-i', join(folder, 'key'), '-o', `UserKnownHostsFile=${join(folder, 'known')}`];
  const quiet = ['-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10'];
  const target = `${account.name}@127.0.0.1`;
  /** Somewhere that the account may write, outside of the project. */
  const loot = mkdtempSync(join(root, 'loot-'));
  chmodSync(loot, 0o777);
  const marker = join(loot, 'got-in');

  async function client(program: 'ssh' | 'sftp' | 'scp', words: string[], input: string | Buffer = '') {
    const child = spawn(program, [...options, ...quiet, ...words], { stdio: 'pipe', timeout: 30_000 });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const [stdout, stderr, exit] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.on('close', resolve)),
    ]);
    return { stdout, stderr, exit };
  }

  const ssh = (words: string[], input?: string | Buffer, server = narrow) =>
    client('ssh', ['-p', String(server.port), ...words], input);

  /** What the runner sends for a program. */
  function request(script: Buffer, parameters: readonly (readonly [string, string])[]): Buffer {
    const pairs = parameters.flat();
    const end = `${pairs.length}\n${pairs.map((each) => `${each}\0`).join('')}`;
    return Buffer.concat([Buffer.from(`${script.length}\n`), script, Buffer.from(end)]);
  }

  const ours: [string, string][] = [
    ['nonce', 'n'],
    ['silence', '60'],
    ['deadline', '60'],
    ['at_end', 'finish'],
    ['lock', ''],
    ['lock_wait', '0'],
    ['holder', ''],
  ];
  const withOurs = (...more: [string, string][]) => [
    ...ours.filter(([name]) => !more.some(([other]) => other === name)),
    ...more,
  ];
  const onHost = `${host.deployDir}/${backupDir}`;

  const strange: [what: string, words: string[], input?: string][] = [
    ['a shell', [target]],
    ['a command', [target, `touch ${marker}`]],
    ['bash, as the runner asks for it, without a program', [target, bootstrap], `touch ${marker}\n`],
    ['a command behind the one of the runner', [target, `${bootstrap}; touch ${marker}`], `1\nx0\n`],
    ['a program of their own', [target, bootstrap], `${13 + marker.length}\ntouch ${marker}; exit\n0\n`],
    ['a length that bash would run', [target, bootstrap], `x[$(touch ${marker})]\nx0\n`],
  ];
  for (const [what, words, input] of strange) {
    test(`refused: ${what}`, async () => {
      const { stderr, stdout, exit } = await ssh(words, input);
      assert.match(stderr + stdout, /atlasia-gate: /);
      assert.notEqual(exit, 0);
      assert.ok(!existsSync(marker), 'something ran');
    });
  }

  test('refused: a terminal', async () => {
    const { stderr } = await ssh(['-tt', target]);
    assert.match(stderr, /PTY allocation request failed/);
  });

  test('refused: files by sftp and scp', async () => {
    const secret = join(host.deployDir, '.env');
    for (const result of [
      await client('sftp', ['-P', String(narrow.port), '-b', '-', target], `get ${secret} ${folder}/stolen\n`),
      await client('scp', ['-P', String(narrow.port), `${target}:${secret}`, join(folder, 'stolen')]),
      await client('scp', ['-O', '-P', String(narrow.port), `${target}:${secret}`, join(folder, 'stolen')]),
      await client('scp', ['-P', String(narrow.port), join(folder, 'known'), `${target}:${marker}`]),
    ]) {
      assert.notEqual(result.exit, 0);
      assert.match(result.stderr, /atlasia-gate: |Connection closed/);
    }
    assert.ok(!existsSync(join(folder, 'stolen')) && !existsSync(marker));
  });

  test('refused: ports of the host, either way', async () => {
    const stdio = await ssh(['-W', `127.0.0.1:${app.ports.backend}`, target], 'GET / HTTP/1.0\n\n');
    assert.match(stdio.stderr, /administratively prohibited|forwarding failed/);
    assert.equal(stdio.stdout, '');
    const remote = await ssh([
      '-N',
      '-o',
      'ExitOnForwardFailure=yes',
      '-R',
      `${await freePort()}:127.0.0.1:22`,
      target,
    ]);
    assert.match(remote.stderr, /remote port forwarding failed|administratively prohibited/);
  });

  test('refused: a listed program with one byte changed', async () => {
    const script = Buffer.from(scriptOf(logging).toString().replace('set -euo', 'set -exo'));
    const { stderr } = await ssh([target, bootstrap], request(script, withOurs()));
    assert.match(stderr, /is not on its list/);
  });

  const misused: [what: string, script: Buffer, parameters: [string, string][], said: RegExp][] = [
    [
      'a line into a file elsewhere',
      scriptOf(logging),
      withOurs(['log_file', marker], ['log_line', 'ssh-ed25519 AAAA thief']),
      /log_file is .*got-in/,
    ],
    [
      'a line into the compose file',
      scriptOf(logging),
      withOurs(['log_file', `${host.deployDir}/docker-compose.yml`], ['log_line', 'x']),
      /log_file is/,
    ],
    [
      'a line into a file elsewhere, by dots',
      scriptOf(logging),
      withOurs(['log_file', `${onHost}/../../../../../..${marker}`], ['log_line', 'x']),
      /log_file is .*leads out of its folder/,
    ],
    [
      'a line into what runs as an engine',
      scriptOf(logging),
      withOurs(
        ['log_file', `${onHost}/rollback/transactions/20260101_000000/engine.sh`],
        ['log_line', `touch ${marker}`],
      ),
      /log_file is/,
    ],
    [
      'a lock elsewhere',
      scriptOf(logging),
      withOurs(['lock', marker], ['log_file', `${onHost}/backup.log`], ['log_line', 'x']),
      /lock is/,
    ],
    [
      'a path out of the backup folder',
      scriptOf(resuming),
      withOurs(['backup_dir', onHost], ['id', '../../../../loot']),
      /id is .*leads out of its folder/,
    ],
    [
      'code of their own for the container',
      scriptOf(survey),
      withOurs(['deploy_dir', host.deployDir], ['backup_dir', onHost], ['inside_script', `touch ${marker}`]),
      /the code in inside_script is not on its list/,
    ],
    [
      "an option in place of a container's name",
      scriptOf(take),
      withOurs(['backup_dir', onHost], ['container', '--privileged']),
      /container is --privileged, which is no name/,
    ],
    [
      'a drill in a container of the application, which it would remove',
      scriptOf(drill),
      withOurs(['name', 'shop-db-1']),
      /name is shop-db-1, which is neither a drill's nor a backup's/,
    ],
    [
      'a rollback, by the key for backups',
      scriptOf(starting),
      withOurs(),
      /is not on its list, for these actions: {2}backup verify/,
    ],
    ['a parameter that is no name', scriptOf(logging), withOurs([`x[$(touch ${marker})]`, '1']), /no program takes/],
  ];
  for (const [what, script, parameters, said] of misused) {
    test(`refused: ${what}`, async () => {
      const { stderr, exit } = await ssh([target, bootstrap], request(script, parameters));
      assert.match(stderr, said);
      assert.notEqual(exit, 0);
      assert.ok(!existsSync(marker), 'something was written');
    });
  }

  test('a number that bash would run is none', async () => {
    for (const name of ['deadline', 'silence', 'lock_wait']) {
      const parameters = withOurs([name, `x[$(touch ${marker})]`], ['log_file', ''], ['log_line', '']);
      const { stdout } = await ssh([target, bootstrap], request(scriptOf(logging), parameters));
      assert.match(stdout, /misfit/);
      assert.ok(!existsSync(marker), name);
    }
  });

  test('an engine that somebody has written into the backup folder is not started, and without a gate it would be', async () => {
    const planted = `${onHost}/rollback/transactions/20260101_000000`;
    await write(host, `${planted}/engine.sh`, `touch ${marker}\n`);
    const parameters = withOurs(['backup_dir', onHost], ['id', '20260101_000000']);
    const { stdout } = await ssh([target, bootstrap], request(scriptOf(resuming), parameters));
    assert.match(stdout, /gate-refused/);
    assert.ok(!existsSync(marker));
    await client(
      'ssh',
      ['-p', String(host.ssh.port), '-o', 'StrictHostKeyChecking=no', target, bootstrap],
      request(scriptOf(resuming), parameters),
    );
    // Without that, the test would have seen nothing.
    await until('the engine that was planted', async () => existsSync(marker) || undefined);
    rmSync(marker);
    await host.exec(['rm', '-r', planted]);
  });
});

test('a gate without a whole configuration lets nothing through', async () => {
  const broken: [string, string[]][] = [
    ['no-list', ['actions backup', ...places]],
    ['no-actions', [list, ...places]],
    ['no-places', [list, 'actions backup']],
    ['unknown', [list, 'actions backup', ...places, 'allow everything']],
    ['missing', ['programs /nowhere/at/all', 'actions backup', ...places]],
  ];
  for (const [name, configuration] of broken) {
    const server = await gate(name, configuration);
    const result = await runAction('backup', { ...backupInputs(host, backupDir), ...at(server) });
    refused(result, {
      message: /^The gate for this key on 127\.0\.0\.1 refused: (its configuration|the list) /,
      hint: /gate/,
    });
  }
});
