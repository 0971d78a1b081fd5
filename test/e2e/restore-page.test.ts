// What docs/restore.md and docs/offsite.md tell one to type, pasted as it stands there. Nothing that they call run is left out.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Outcome } from '../lab/command.ts';
import { attempt, run, whereIs } from '../lab/command.ts';
import { temporaryFolder } from '../lab/folder.ts';
import type { Host } from '../lab/host.ts';
import { startObjectStore } from '../lab/object-store.ts';
import { needPrograms } from '../lab/packages.ts';
import { startSshServer } from '../lab/sshd.ts';
import { succeeded } from './expectations.ts';
import { blockOf, paste } from './printed.ts';
import { backup, type Inputs, manifestOf, read } from './sets.ts';
import { atEnd, hostForFile, startHostForFile } from './stage.ts';

await needPrograms({ age: 'age', aws: 'awscli', zstd: 'zstd' });
const { lab, host } = await hostForFile({ name: 'page', seed: false });
const store = await startObjectStore();
atEnd(() => store.close());
await store.createBucket('acme');
const bucket = { 's3-bucket': 'acme', 's3-endpoint': store.endpoint, 's3-region': store.region };
const login = { ...store.credentials, AWS_EC2_METADATA_DISABLED: 'true' };
const identity = await run(['age-keygen']);
const sealed = { encrypt: 'age', 'encrypt-to': /age1\w+/.exec(identity)?.[0] ?? '' };

const page = (name: string) => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');

/** Those that are called run, and have not been typed yet. */
const untyped = new Set(
  ['restore', 'offsite'].flatMap((name) =>
    Array.from(page(name).matchAll(/^( *)<!-- run: .* -->\n *```bash\n([\s\S]*?)\n *```$/gm), ([, indent = '', text]) =>
      (text ?? '').replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    ),
  ),
);
const all = [...untyped];

/** What the words in capitals stand for. */
interface Meant {
  database: string;
  /** The set. */
  id?: string;
  /** Of the backups, below the deploy folder. */
  dir?: string;
  /** The new database. */
  copy?: string;
  on?: Host;
}

async function meant(text: string, { database, id = '', dir = '', copy = '', on = host }: Meant): Promise<string> {
  return (
    text
      .replaceAll('/opt/atlasia/backups', join(on.deployDir, dir))
      .replaceAll('/opt/atlasia', on.deployDir)
      .replaceAll(/2026112[37]_02170[03]/g, id)
      .replaceAll('CONTAINER', await on.container('db'))
      .replaceAll('USER', 'atlasia')
      .replaceAll('LOCALE', 'C.UTF-8')
      .replaceAll(/\bNEW\b/g, copy)
      // Not the word of SQL.
      .replaceAll(/(?<!ALTER |CREATE )\bDATABASE(?=["'_\n]|$)/g, database)
  );
}

/** The block with these words, for a database. */
async function typed(words: string, what: Meant): Promise<string> {
  const block = all.find((text) => text.includes(words));
  assert.ok(block !== undefined, `there is no block with ${words}`);
  untyped.delete(block);
  return meant(block, what);
}

async function pasted(words: string, what: Meant): Promise<string> {
  const { code, stdout, stderr } = await paste(what.on ?? host, `set -e\n${await typed(words, what)}`);
  assert.equal(code, 0, `${words}\n${stdout}${stderr}`);
  return stdout;
}

const exists = async (database: string, on = host) =>
  (await on.psql(`SELECT count(*) FROM pg_database WHERE datname = '${database}'`)) === '1';

const ordersIn = (database: string, on = host) => on.psql('SELECT count(*) FROM orders', database);

/** A shop with three orders, and a backup of it. */
async function shop(database: string, inputs: Inputs = {}, env: Record<string, string> = {}) {
  if (!(await exists(database))) {
    await host.database.create(database);
    await host.psql(
      `CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 3);
       CREATE TABLE customers (id int); ALTER DATABASE ${database} SET work_mem = '9MB';`,
      database,
    );
  }
  const dir = host.newBackupDir();
  const result = await backup(host, dir, { 'db-name': database, ...inputs }, { env });
  succeeded(result);
  const what: Meant = { database, dir, id: result.outputs['backup-id'] ?? '' };
  return { result, what };
}

test('on the same host: from the report to the exchange, and back', async () => {
  const { result, what } = await shop('shop', { kind: 'predeployment' });
  assert.match(await pasted('tail -n 5', what), /\nVERIFIED /);
  assert.match(await pasted('ls -1 daily', what), /predeployment:\n\d{8}_\d{6}/);
  assert.match(await pasted('head -n 20', what), /^VERIFIED /);
  assert.match(await pasted('echo Restored into', what), /\nRestored into shop_restored\n$/);
  await pasted('dropdb --username=USER -- DATABASE_restored', what);
  assert.equal(await exists('shop_restored'), false);
  await pasted('echo Restored into', what);

  const { tables } = (await manifestOf(host, result)) as unknown as { tables: Record<string, unknown>[] };
  assert.equal(tables.length, 2);
  assert.deepEqual((await pasted('psql -XAt', what)).split('\n').filter(Boolean), [
    'public.customers|0',
    'public.orders|3',
  ]);

  await host.psql('DELETE FROM orders', 'shop');
  const own: Meant = { ...what };
  const web = async (words: string) => {
    const { code, stderr } = await paste(host, (await typed(words, own)).replaceAll('web worker', 'web'));
    assert.equal(code, 0, stderr);
    return (await host.docker('ps', '--format', '{{.Names}}')).includes(`${host.project}-web-1`);
  };
  assert.equal(await web('docker compose stop'), false);
  await pasted('zcat backup_20261123_021703.settings', what);
  assert.equal(await web('docker compose start'), true);
  assert.equal(await ordersIn('shop'), '3');
  assert.equal(await host.psql('SHOW work_mem', 'shop'), '9MB');

  await pasted('"DATABASE_replaced" RENAME', what);
  assert.deepEqual([await ordersIn('shop'), await ordersIn('shop_restored')], ['0', '3']);
  await pasted('zcat backup_20261123_021703.settings', what);
  await pasted('dropdb --username=USER -- DATABASE_replaced', what);
  assert.deepEqual([await ordersIn('shop'), await exists('shop_replaced')], ['3', false]);

  // What a restore by the action leaves.
  await host.psql('DELETE FROM orders', 'shop');
  await host.psql(`ALTER DATABASE shop RENAME TO shop_before_${what.id}`);
  await host.psql(`ALTER DATABASE shop_before_${what.id} CONNECTION LIMIT 0`);
  await host.database.create('shop');
  await pasted('DATABASE_before_', what);
  assert.deepEqual([await ordersIn('shop'), await exists('shop_restored')], ['0', true]);
  assert.equal(await host.psql("SELECT datconnlimit FROM pg_database WHERE datname = 'shop'"), '-1');
});

test('where the server wants a password, or listens elsewhere, the function of the page says so to its programs', async () => {
  const lines = (await typed('# It wants a password', { database: 'shop' })).split('\n');
  const [password = '', elsewhere = ''] = lines.filter((line) => line.startsWith('db() {'));
  const asked = 'db sh -c \'printf "%s " "$PGPASSWORD" "$PGPORT" "$PGHOST"\' </dev/null';
  const secret = await host.docker('exec', await host.container('db'), 'printenv', 'POSTGRES_PASSWORD');
  const given = async (definition: string) => {
    const { stdout, stderr } = await paste(host, `${definition}\n${asked}`);
    assert.equal(stderr, '');
    return stdout.trim();
  };
  assert.equal(await given(password), secret.trim());
  const there = elsewhere.replace('=PORT', '=5432').replace('=FOLDER', '=/var/run/postgresql');
  assert.equal(await given(there), '5432 /var/run/postgresql');
  const { stdout } = await paste(host, `${there}\ndb psql -XAt -U atlasia -d postgres -c 'SELECT 7' </dev/null`);
  assert.equal(stdout, '7\n');
});

test('each format, without zstd on the host, and one table alone', async () => {
  const rows = [...page('restore').matchAll(/^\| `(\.[a-z.]+)` \| `(.*)` \|$/gm)];
  const formats: Record<string, Inputs> = {
    '.dump.zst': {},
    '.dump': { compression: 'gzip' },
    '.sql.gz': { format: 'plain' },
    '.sql.zst': { format: 'plain', compression: 'zstd' },
    '.sql': { format: 'plain', compression: 'none' },
  };
  assert.deepEqual(
    rows.map(([, ending]) => ending),
    Object.keys(formats),
  );
  for (const [index, [, ending = '', command = '']] of rows.entries()) {
    const { result, what } = await shop('formats', formats[ending]);
    const file = result.outputs['backup-file'] ?? '';
    assert.ok(file.endsWith(ending), file);
    const copy = `formats_${index}`;
    await host.database.create(copy);
    const line = (await meant(command, { ...what, copy })).replaceAll('\\|', '|').replace('FILE', file);
    const { code, stderr } = await paste(host, `set -o pipefail\n${line}`);
    assert.equal(code, 0, stderr);
    assert.equal(await ordersIn(copy), '3', ending);
  }

  const { what } = await shop('formats');
  await host.database.create('no_zstd');
  await pasted('zstd -dc <', { ...what, copy: 'no_zstd' });
  assert.equal(await ordersIn('no_zstd'), '3');
  await host.database.create('one_table');
  await pasted('--table=orders', { ...what, copy: 'one_table' });
  assert.equal(await host.psql("SELECT string_agg(relname, ' ') FROM pg_stat_user_tables", 'one_table'), 'orders');
  // One of the rows was deleted, and another has come since.
  await host.psql('DELETE FROM orders WHERE id = 2; INSERT INTO orders VALUES (4);', 'formats');
  await pasted('RENAME TO orders_restored', { ...what, copy: 'one_table' });
  assert.equal(await host.psql("SELECT string_agg(id::text, ' ' ORDER BY id) FROM orders", 'formats'), '1 3 4');
  assert.match(await pasted('ON CONFLICT DO NOTHING', what), /INSERT 0 1/);
  assert.equal(await host.psql("SELECT string_agg(id::text, ' ' ORDER BY id) FROM orders", 'formats'), '1 2 3 4');
});

test('on a new server: the roles first', async () => {
  const other = await startHostForFile(lab, { name: 'new', seed: false, startOnly: ['db'] });
  await host.psql('CREATE ROLE clerk LOGIN');
  const { what } = await shop('moved');
  await run(['cp', '-r', join(host.deployDir, what.dir ?? '', 'daily'), `${other.deployDir}/`]);
  await run(['chmod', '-R', 'a+rX', join(other.deployDir, 'daily')]);
  const block = await typed('zcat backup_20261123_021703.globals', { ...what, on: other });
  // That the superuser exists is said, and normal.
  const { code, stderr } = await paste(other, `cd daily\n${block}`);
  assert.equal(code, 0, stderr);
  assert.equal(await other.psql("SELECT count(*) FROM pg_roles WHERE rolname = 'clerk'"), '1');
});

/** On a machine that has the key, the bucket's login, and docker sent to the host. */
async function atDesk(script: string, more: NodeJS.ProcessEnv = {}): Promise<{ outcome: Outcome; folder: string }> {
  const folder = temporaryFolder('desk');
  writeFileSync(join(folder, 'key.txt'), identity, { mode: 0o600 });
  const outcome = await attempt(['bash', '-e', '-c', script], { cwd: folder, env: { ...host.env, ...login, ...more } });
  assert.equal(outcome.code, 0, outcome.stderr);
  return { outcome, folder };
}

/** As `aws` needs it for a store that is not AWS, at the place of a copy. */
const fromStore = (script: string, uri = '') =>
  script
    .replace('aws s3 cp', `aws s3 cp --quiet --region ${store.region} --endpoint-url ${store.endpoint}`)
    .replace(/s3:\/\/acme-backups\/atlasia-backups\/prod\/\w+\//, uri.replace(/[^/]*$/, ''));

test('from the bucket, by hand: with aws, age and zstd alone', async () => {
  const { result, what } = await shop('burnt', { ...sealed, ...bucket }, login);
  // Under its own name, as after a loss.
  await host.database.drop('burnt');
  const script = await typed('s3://acme-backups/atlasia-backups/prod/20261123_021703/', { ...what, copy: 'burnt' });
  const settings = await typed('settings.sql.gz.age', what);
  await atDesk(`${fromStore(script, result.outputs['s3-uri'])}\n${settings}`);
  assert.equal(await ordersIn('burnt'), '3');
  assert.equal(await host.psql('SHOW work_mem', 'burnt'), '9MB');
});

test('copies in the bucket, fetched as docs/offsite.md says: as they are, and encrypted by the runner', async () => {
  for (const [words, inputs] of [
    ['prod/20261127_021700/', {}],
    ['for file in *.age', { ...sealed, 'encrypt-at': 'runner' }],
  ] as const) {
    const { result, what } = await shop('copied', { ...bucket, ...inputs }, login);
    const fetching = fromStore(await typed('prod/20261127_021700/', what), result.outputs['s3-uri']);
    const script = words.startsWith('prod') ? fetching : `${fetching}\n${await typed(words, what)}`;
    const { outcome, folder } = await atDesk(script);
    assert.match(outcome.stdout, /\.manifest\.json: OK/);
    // The report, with which the page goes on, is that of the host.
    const report = readFileSync(join(folder, `backup_${what.id}.report.txt`), 'utf8');
    assert.equal(report, await read(host, result.outputs['report-file'] ?? ''));
  }
});

test('a new host goes on with the copies of a lost one', async () => {
  const { what } = await shop('goes_on', bucket, login);
  const dir = what.dir ?? '';
  const ids = () => read(host, `${dir}/.folder-id`);
  const own = await ids();
  await pasted('.folder-id', what);
  assert.equal(await ids(), `${own}4d1c9a70be52f3868a0b7c2de94f1563\n`);
  succeeded(await backup(host, dir, { 'db-name': 'goes_on', ...bucket }, { env: login }));
});

test('an encrypted backup of the host, restored from where the key is', async () => {
  const { what } = await shop('sealed', sealed);
  const { account } = host;
  // A host has what scp asks for.
  const settings = ['Subsystem sftp internal-sftp'];
  const environment = lab.engine.environment;
  const folder = temporaryFolder('sshd');
  const ssh = await startSshServer({ folder, account, authorized: [host.key], environment, settings });
  atEnd(() => ssh.stop());
  const bin = temporaryFolder('bin');
  const config = join(bin, 'config');
  writeFileSync(join(bin, 'key'), host.key.privateKey, { mode: 0o600 });
  writeFileSync(join(bin, 'known'), ssh.knownHosts);
  writeFileSync(
    config,
    `Host HOST
  HostName 127.0.0.1
  Port ${ssh.port}
  IdentityFile ${bin}/key
  UserKnownHostsFile ${bin}/known\n`,
  );
  // In place of the ~/.ssh/config of the person at the desk.
  for (const name of ['ssh', 'scp']) {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${whereIs(name)} -F ${config} "$@"\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const script = await typed('export DOCKER_HOST=ssh://', { ...what, copy: 'unsealed' });
  await atDesk(script.replaceAll('deploy@', `${account.name}@`), { PATH: `${bin}:${process.env['PATH']}` });
  assert.equal(await ordersIn('unsealed'), '3');
});

test('a source that does not restore gives what it has, and a copy with a subscription is dropped', async () => {
  await host.database.create('broken');
  await host.psql(
    `CREATE TABLE parents (id int PRIMARY KEY);
     CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents);
     SET session_replication_role = replica;
     INSERT INTO parents VALUES (1); INSERT INTO children VALUES (1, 1), (2, 7);
     SET client_min_messages = error;
     CREATE SUBSCRIPTION "from ""there""" CONNECTION 'host=nowhere.invalid' PUBLICATION p WITH (connect = false, slot_name = 'there')`,
    'broken',
  );
  const { result, what } = await shop('broken');
  const printed = blockOf(await read(host, result.outputs['report-file'] ?? ''), 2);
  const first = await paste(host, printed);
  assert.notEqual(first.code, 0);
  assert.match(first.stderr, /violates foreign key constraint/);

  const drop = await typed('DROP SUBSCRIPTION', what);
  assert.equal((await paste(host, drop)).code, 0);

  const [create = ''] = /docker exec \S+ createdb (?:[^\n]*\\\n)*[^\n]*/.exec(printed) ?? [];
  assert.equal((await paste(host, create)).code, 0, create);
  const sections = await paste(host, await typed('pg_restore --section', what));
  assert.match(sections.stdout, /^post-data: not without errors\n.*error: .*violates foreign key constraint/);
  assert.equal(await host.psql('SELECT count(*) FROM children', 'broken_restored'), '2');
  assert.match((await paste(host, lastLine(drop))).stderr, /logical replication subscription/);
  const dropped = await paste(host, drop);
  assert.equal(dropped.code, 0, dropped.stderr);
  assert.equal(await exists('broken_restored'), false);
  await host.psql(
    'ALTER SUBSCRIPTION "from ""there""" SET (slot_name = NONE); DROP SUBSCRIPTION "from ""there"""',
    'broken',
  );
});

test('what was put aside for pg_cron comes back, and nothing is dropped', async () => {
  for (const name of ['jobs', 'jobs_replaced']) await host.database.create(name);
  await host.psql('CREATE TABLE old (n int)', 'jobs_replaced');
  const back = await typed('DATABASE_failed', { database: 'jobs' });
  const outcome = await paste(host, back);
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.equal(await host.psql('SELECT count(*) FROM old', 'jobs'), '0');
  assert.equal(await exists('jobs_failed'), true);
  // Where the old database was never put aside, the live one stays.
  assert.notEqual((await paste(host, back)).code, 0);
  assert.equal(await host.psql('SELECT count(*) FROM old', 'jobs'), '0');
});

test('no block that is called run was left out', () => {
  assert.ok(all.length >= 20);
  assert.deepEqual([...untyped], []);
});

const lastLine = (block: string): string => block.split('\n').at(-1) ?? '';
