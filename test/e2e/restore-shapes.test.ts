// Where a restore comes from and goes to: a bucket when the host has lost everything, ciphertext, SQL text, a database of another name.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { run } from '../lab/command.ts';
import { until } from '../lab/faults.ts';
import { needPrograms } from '../lab/packages.ts';
import { runAction } from '../lab/runner.ts';
import { adviceIn, errorsOf, logOf, succeeded } from './expectations.ts';
import { paste } from './printed.ts';
import {
  bucketForFile,
  databasesOf,
  essence,
  restored,
  sqlFile,
  startTicker,
  takenBackup,
  ticker,
  writes,
} from './restores.ts';
import { historyIn, rollbackInputs } from './rollbacks.ts';
import { backupInputs, bash, type Inputs } from './sets.ts';
import { applicationForFile } from './stage.ts';

await needPrograms({ age: 'age', zstd: 'zstd' });

/** Ends at once where it does not find its table, as applications do; Docker tries again, later each time. */
const needy = {
  ...ticker,
  entrypoint: [
    ...['sh', '-c'],
    'cd /usr/lib/postgresql/*/bin && ./psql -qc "SELECT FROM shop.orders LIMIT 0" || exit 1; exec sleep infinity',
  ],
};
const { app } = await applicationForFile({
  name: 'restore-shapes',
  versions: ['v1'],
  runs: 'v1',
  services: { ticker, needy },
});
const { host } = app;
const db = host.database;
const { bucket, env } = await bucketForFile();

before(() => startTicker(host));

const restore = (backupDir: string, id: string, inputs: Inputs = {}) =>
  runAction(
    'rollback',
    rollbackInputs(app, backupDir, { 'restore-database': id, 'confirm-restore': 'RESTORE', ...inputs }),
    { env },
  );

test('all is lost but the bucket and the key: an empty database, no backups, no history, no roles', async () => {
  const identity = await run(['age-keygen']);
  const sealed = { encrypt: 'age', 'encrypt-to': /age1\w+/.exec(identity)?.[0] ?? '' };
  const backupDir = host.newBackupDir();
  await db.psql(
    "CREATE ROLE shopper LOGIN; GRANT SELECT ON shop.orders TO shopper; ALTER DATABASE atlasia SET work_mem = '9MB'; ALTER DATABASE atlasia CONNECTION LIMIT 90;",
  );
  const was = await essence(host);
  const taken = await runAction('backup', backupInputs(host, backupDir, { environment: 'lab', ...sealed, ...bucket }), {
    env,
  });
  succeeded(taken);
  const id = taken.outputs['backup-id'] ?? '';
  await bash(host, 'rm --recursive -- "$1"', `${host.deployDir}/${backupDir}`);
  await db.psql('DROP OWNED BY shopper; DROP ROLE shopper;');
  await db.drop('atlasia');
  await db.create('atlasia');

  const from = { 'restore-from': 's3', ...bucket, 'min-free-space': '10MiB' };
  const locked = await restore(backupDir, id, from);
  assert.match(errorsOf(locked)[0]?.properties['title'] ?? '', /decrypt-key-missing$/, logOf(locked));

  const result = await restore(backupDir, id, { ...from, 'decrypt-key': identity });
  await restored(app, result);
  assert.deepEqual(await essence(host), was);
  assert.equal(await db.psql('SHOW work_mem'), '9MB');
  assert.equal(await db.psql(`SELECT datconnlimit FROM pg_database WHERE datname = 'atlasia'`), '90');
  assert.equal(await db.psql("SELECT has_table_privilege('shopper', 'shop.orders', 'SELECT')"), 't');
  assert.match(logOf(result), new RegExp(`from s3://acme/atlasia-backups/lab/${id}/`));
  assert.doesNotMatch(logOf(result), /AGE-SECRET-KEY-1[A-Z0-9]{20}(?![\s\S]*add-mask)/);
  await writes(host);
  assert.equal(historyIn(app, backupDir).at(-1)?.restoredId, id);
});

test('an id that neither host nor bucket has: the error names the place, and what to set', async () => {
  const backupDir = host.newBackupDir();
  for (const [inputs, place] of [
    [{}, host.deployDir],
    [{ 'restore-from': 's3', ...bucket }, 's3://acme/atlasia-backups/lab'],
  ] as const) {
    const result = await restore(backupDir, '20200101_000000', inputs);
    assert.match(errorsOf(result)[0]?.message ?? '', new RegExp(`20200101_000000 .*found in ${place}`), logOf(result));
    assert.match(adviceIn(result), /"restore-database"/);
  }
});

test('SQL text, with statements of the user before anybody connects', async () => {
  const backupDir = host.newBackupDir();
  const was = await essence(host);
  const id = await takenBackup(host, backupDir, { format: 'plain' });
  await db.psql('DROP TABLE shop.orders CASCADE;');
  const file = sqlFile(`CREATE TABLE masked AS SELECT count(*) AS orders, current_setting('work_mem') AS memory,
       (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS seats FROM shop.orders;\n`);
  const seats = 'SELECT datconnlimit FROM pg_database WHERE datname = current_database()';
  await db.psql('ALTER DATABASE atlasia CONNECTION LIMIT 80;');
  await restored(app, await restore(backupDir, id, { 'after-restore-sql': file }));
  // It has its settings, and nobody but superusers gets in, whatever limit it will have.
  assert.match(await db.psql('SELECT * FROM masked'), /^\d+\|9MB\|0$/);
  assert.equal(await db.psql(seats), '80');
  await db.psql('DROP TABLE masked');
  assert.deepEqual(await essence(host), was);
});

test('a copy of another name, such as for staging: the live database of production is not touched', async () => {
  const backupDir = host.newBackupDir();
  const id = await takenBackup(host, backupDir);
  const was = await essence(host);
  await db.create('staging');
  const result = await restore(backupDir, id, { 'db-name': 'staging' });
  assert.equal(result.outputs['status'], 'rolled-back', logOf(result));
  assert.match(logOf(result), /The backup is of the database "atlasia", and replaces "staging"/);
  assert.deepEqual(await essence(host, 'staging'), was);
  assert.deepEqual(await essence(host), was);
  assert.ok((await databasesOf(host)).some((name) => name.startsWith('staging_before_')));
});

test('a database whose name has quotes and spaces, and that was dropped: it is exchanged, and the printed command ends it', async () => {
  const backupDir = host.newBackupDir();
  const id = await takenBackup(host, backupDir);
  const was = await essence(host);
  const name = `it's "the" $(id) \\shop`;
  const first = await restore(backupDir, id, { 'db-name': name });
  assert.equal(first.outputs['status'], 'rolled-back', logOf(first));
  assert.deepEqual(await essence(host, name), was);
  // It is not taken for the empty one that was created in its place.
  const mark = `SELECT setconfig FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database() AND setconfig::text ~ 'atlasia'`;
  assert.equal(await db.psql(mark, name), '');

  await db.psql('DROP TABLE shop.orders CASCADE;', name);
  const second = await restore(backupDir, id, { 'db-name': name });
  assert.equal(second.outputs['status'], 'rolled-back', logOf(second));
  assert.deepEqual(await essence(host, name), was);
  const kept = [first, second].map((result) => `${name}_before_${result.outputs['transaction-id']}`);
  const present = await databasesOf(host);
  assert.deepEqual(
    kept.filter((each) => !present.includes(each)),
    [],
  );
  for (const { summary } of [first, second]) {
    const command = /^docker exec .*dropdb .*$/m.exec(summary)?.[0] ?? '';
    const { code, stderr } = await paste(host, command);
    assert.equal(code, 0, `${command}\n${stderr}`);
  }
  assert.deepEqual(
    (await databasesOf(host)).filter((each) => kept.includes(each)),
    [],
  );
  await db.drop(name);
});

test('the database postgres is one like others', async () => {
  const backupDir = host.newBackupDir();
  const id = await takenBackup(host, backupDir);
  const was = await essence(host);
  const result = await restore(backupDir, id, { 'db-name': 'postgres' });
  assert.equal(result.outputs['status'], 'rolled-back', logOf(result));
  assert.deepEqual(await essence(host, 'postgres'), was);
});

test('a backup with a subscription: its copy goes if the restore fails, and else it is there, disabled and named', async () => {
  const backupDir = host.newBackupDir();
  await db.create('reader');
  await db.psql(
    `CREATE TABLE items (id int PRIMARY KEY); SET client_min_messages = error;
     CREATE SUBSCRIPTION upstream CONNECTION 'host=nowhere.invalid' PUBLICATION p WITH (connect = false, slot_name = 'there')`,
    'reader',
  );
  const id = await takenBackup(host, backupDir, { 'db-name': 'reader' });
  const inputs = { 'db-name': 'reader' };
  const refused = await restore(backupDir, id, inputs);
  assert.match(errorsOf(refused)[0]?.message ?? '', /subscriptions belong to the database.*upstream/, logOf(refused));
  await db.psql('ALTER SUBSCRIPTION upstream SET (slot_name = NONE); DROP SUBSCRIPTION upstream;', 'reader');

  const file = sqlFile('SELECT 1/0;\n');
  const failed = await restore(backupDir, id, { ...inputs, 'after-restore-sql': file });
  assert.match(errorsOf(failed)[0]?.properties['title'] ?? '', /after-sql-failed$/, logOf(failed));
  assert.match(adviceIn(failed), /restored copy was dropped/);
  assert.deepEqual(
    (await databasesOf(host)).filter((name) => name.includes('_restore_')),
    [],
  );

  const result = await restore(backupDir, id, inputs);
  assert.equal(result.outputs['status'], 'rolled-back', logOf(result));
  for (const told of [logOf(result), result.summary])
    assert.match(told, /Subscriptions were restored, and are disabled: upstream/);
  assert.match(result.summary, /^## ⚠️ .*the restored database needs a look\n/);
  assert.equal(
    await db.psql('SELECT subname, subenabled, subslotname FROM pg_subscription', 'reader'),
    'upstream|f|there',
  );
  await db.psql('ALTER SUBSCRIPTION upstream SET (slot_name = NONE); DROP SUBSCRIPTION upstream;', 'reader');
});

test('what cannot be restored next to the live database is refused with all reasons', async () => {
  const backupDir = host.newBackupDir();
  const id = await takenBackup(host, backupDir);
  await db.psql('CREATE ROLE plain LOGIN; GRANT pg_read_all_data TO plain;');
  const result = await runAction('rollback', {
    ...app.inputs(),
    'backup-dir': backupDir,
    'skip-backup': 'true',
    'restore-database': id,
    'confirm-restore': 'RESTORE',
    'db-user': 'plain',
    'min-free-space': '900TiB',
  });
  assert.match(errorsOf(result)[0]?.message ?? '', /"plain" is not a superuser/, logOf(result));
  assert.match(adviceIn(result), /Nothing was changed[\s\S]*must stay free/);
});

test('an application that ends again and again for want of its data is started again, and stays', async () => {
  const backupDir = host.newBackupDir();
  await host.exec(['docker', 'compose', 'up', '--detach', 'needy']);
  const id = await takenBackup(host, backupDir);
  const container = await host.container('needy');
  const seen = async () =>
    (await host.docker('inspect', '--format', '{{.State.Status}} {{.RestartCount}}', container)).trim();
  await db.psql('DROP TABLE shop.orders CASCADE;');
  await host.docker('restart', container);
  // By then, Docker waits for more than ten seconds between two tries.
  await until('it waits for its next try', async () =>
    /^restarting ([7-9]|\d\d)$/.test(await seen()) ? true : undefined,
  );
  await restored(app, await restore(backupDir, id));
  assert.equal(await seen(), 'running 0');
  const policy = await host.docker('inspect', '--format', '{{.HostConfig.RestartPolicy.Name}}', container);
  assert.equal(policy.trim(), 'unless-stopped');
  await host.docker('rm', '--force', container);
});
