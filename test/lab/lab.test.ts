import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { attempt } from './command.ts';
import * as faults from './faults.ts';
import { temporaryFolder } from './folder.ts';
import { type Host, startHost } from './host.ts';
import { type KeyPair, makeKey } from './keys.ts';
import { type Lab, openLab } from './lab.ts';

let lab: Lab;
let host: Host;

before(async () => {
  lab = await openLab();
  host = await startHost(lab, { name: 'lab', deployFolder: "it's $HOME" });
});

after(async () => {
  await host?.stop();
  await lab?.close();
});

/** What a runner does, without anything of the actions. */
function ssh(command: string, key: KeyPair = host.key) {
  const folder = temporaryFolder('ssh');
  writeFileSync(join(folder, 'key'), key.privateKey, { mode: 0o600 });
  writeFileSync(join(folder, 'known_hosts'), host.ssh.knownHosts);
  const options = ['StrictHostKeyChecking=yes', `UserKnownHostsFile=${folder}/known_hosts`, 'IdentitiesOnly=yes'];
  const words = options.flatMap((option) => ['-o', option]);
  const { port, user = '' } = host.inputs();
  const target = ['-i', join(folder, 'key'), '-p', port ?? '', `${user}@127.0.0.1`];
  return attempt(['ssh', '-F', '/dev/null', '-o', 'BatchMode=yes', ...words, ...target, command]);
}

test('a user reaches the host, its engine and compose by SSH', async () => {
  const said = await ssh('id -un; docker compose version --short; docker ps --format "{{.Names}}" | sort');
  assert.equal(said.code, 0, said.stderr);
  const [user, compose = '', ...containers] = said.stdout.trim().split('\n');
  assert.equal(user, host.account.name);
  assert.notEqual(user, 'root');
  assert.match(compose, /^v?[2-9]\./);
  for (const service of ['db', 'web']) assert.ok(containers.includes(`${host.project}-${service}-1`), `${containers}`);
});

test('nobody else does', async () => {
  const said = await ssh('true', await makeKey());
  assert.equal(said.code, 255);
  assert.match(said.stderr, /Permission denied \(publickey\)/);
});

test('keys of every kind can be made', async () => {
  for (const type of ['ed25519', 'rsa', 'ecdsa'] as const) {
    const key = await makeKey({ type, passphrase: 'open sesame' });
    assert.match(key.privateKey, /^-----BEGIN OPENSSH PRIVATE KEY-----\n.*-----END OPENSSH PRIVATE KEY-----\n$/s);
    assert.match(key.publicKey, new RegExp(`^(ssh-${type}|${type}-sha2-nistp256) `));
  }
});

test('the database has its seed, and a copy of it has the same content', async () => {
  const original = await host.database.contentOf();
  assert.match(original['table shop.orders'] ?? '', /^2000 rows /);
  const copy = "dbname=postgres host='nowhere'";
  await host.database.create(copy);
  try {
    const script = 'set -o pipefail; PGDATABASE=$1 pg_dump -U "$2" | PGDATABASE=$3 psql -XqU "$2" -v ON_ERROR_STOP=1';
    const { database, user } = host.database;
    await host.docker('exec', await host.container('db'), 'bash', '-c', script, 'bash', database, user, copy);
    assert.deepEqual(await host.database.contentOf(copy), original);
    await host.psql('UPDATE shop.orders SET weight = 0 WHERE id = 7', copy);
    assert.notEqual((await host.database.contentOf(copy))['table shop.orders'], original['table shop.orders']);
  } finally {
    await host.database.drop(copy);
  }
});

test('the database’s container has what the official image has, and the lean one does without', async () => {
  const tools =
    'for tool in bash zstd gzip grep tail sha256sum md5sum stat timeout mkfifo; do command -v $tool; done; env';
  const script = (image: string) => host.docker('run', '--rm', '--entrypoint', 'sh', image, '-c', tools);
  const standard = await script(lab.images.postgres);
  assert.match(standard, /\/bash\n.*\/zstd\n.*\/gzip\n.*\/mkfifo\n/s);
  assert.match(standard, /^PG_MAJOR=\d+$/m);
  assert.match(standard, /^PGDATA=/m);
  const lean = await script(lab.images.leanPostgres);
  assert.doesNotMatch(lean, /\/(bash|zstd)\n/);
  assert.match(lean, /\/gzip\n/);
});

test('what a session leaves on the host is seen, and a cut connection is', async () => {
  assert.deepEqual(await host.processes(), []);
  const session = ssh('setsid sleep 600 </dev/null >/dev/null 2>&1 & sleep 601');
  await faults.hostProcess(host, /sleep 601/);
  faults.cutConnections(host);
  assert.equal((await session).code, 255);
  const left = await host.processes();
  assert.ok(left.some(({ where, command }) => where === 'host' && command === 'sleep 600'));
  await host.exec(['kill', ...left.map(({ pid }) => String(pid))]);
  await faults.until('the host at rest', async () => ((await host.processes()).length === 0 ? true : undefined));
  assert.deepEqual(host.ssh.connections(), []);
});

test('a dump stands still in the middle until it may go on, or is ended', async () => {
  const container = await host.container('db');
  const { user, database } = host.database;
  const dump = () =>
    attempt(['docker', 'exec', container, 'pg_dump', '-U', user, '-Fc', '-Z0', database], { env: host.env });

  const release = await faults.stallDumps(host);
  const first = dump();
  await faults.dumpStalled(host);
  assert.equal((await host.database.sessions()).length, 1);
  assert.match((await host.processes()).map(({ command }) => command).join(), /pg_dump/);
  await release();
  assert.equal((await first).code, 0);

  const releaseAgain = await faults.stallDumps(host);
  const second = dump();
  await faults.dumpStalled(host);
  await faults.terminateDump(host);
  await releaseAgain();
  const { code, stderr } = await second;
  assert.equal(code, 1);
  assert.match(stderr, /terminating connection due to administrator command/);
  assert.deepEqual(await host.database.sessions(), []);
});

test('locks are held until they are released', async () => {
  const name = 'it\'s "quoted" $(touch /tmp/x) `id` $HOME \\n %s';
  const release = await faults.lockTable(host, 'Größe "M"', name);
  const blocked = await host.database.tryPsql(
    `SET lock_timeout = 50; SELECT FROM "Größe ""M"""."${name.replaceAll('"', '""')}";`,
  );
  assert.match(blocked.stderr, /lock timeout/);
  await release();

  const folder = host.newBackupDir();
  const take = () => host.exec(['flock', '--nonblock', `${folder}/.lock`, 'true']);
  const free = await faults.holdLock(host, folder, 'run 17');
  assert.equal((await take()).code, 1);
  assert.deepEqual(
    host.files(folder).map(({ path, uid }) => [path, uid]),
    [
      ['.lock', host.account.uid],
      ['.lock.holder', host.account.uid],
    ],
  );
  await free();
  assert.equal((await take()).code, 0);
});

test('a disk gets full, a database stands still, a port is silent', async () => {
  const folder = host.newBackupDir();
  const remove = await faults.smallDisk(host, folder, 4);
  await faults.leaveRoom(host, folder, 64);
  const full = await host.exec(['sh', '-c', `head -c 1M /dev/zero >${folder}/file`]);
  assert.match(full.stderr, /No space left on device/);
  await remove();
  assert.deepEqual(host.files(folder), []);

  const resume = await faults.pauseDatabase(host);
  assert.match((await host.database.tryPsql('SELECT 1;')).stderr, /is paused/);
  await resume();
  assert.equal(await host.psql('SELECT 1;'), '1');

  const { port, close } = await faults.silentPort();
  const silent = await attempt(['ssh', '-F', '/dev/null', '-o', 'ConnectTimeout=1', '-p', String(port), '127.0.0.1']);
  assert.match(silent.stderr, /timed out during banner exchange/);
  await close();
});

test('a table of the wanted size is made', async () => {
  await host.database.create('bench');
  await host.database.fillTo(8 * 2 ** 20, 'bench');
  const bytes = Number(await host.psql("SELECT pg_relation_size('events') + pg_relation_size('orders');", 'bench'));
  assert.ok(Math.abs(bytes / (8 * 2 ** 20) - 1) < 0.05, `${bytes} bytes`);
});
