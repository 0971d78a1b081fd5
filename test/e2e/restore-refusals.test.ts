// Restores that are refused, or fail before they have stopped anything; and what a restore does to roles and other databases.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../lab/faults.ts';
import { adviceIn, logOf } from './expectations.ts';
import { refusedWith, restoreStageForFile } from './restore-stage.ts';
import { databasesOf, restored, sqlFile, takenBackup, writes } from './restores.ts';
import { backup, bash, manifestOf, write } from './sets.ts';

const { app, host, db, backupDir, restore, startRestore, state, unharmed } =
  await restoreStageForFile('restore-refusals');

describe('refused before anything is stopped', { concurrency: 1 }, () => {
  test('the wrong confirmation, or none; and inputs that would do nothing', async () => {
    for (const [inputs, message] of [
      [{ 'confirm-restore': 'restore' }, /confirm-restore.*must be "RESTORE"/],
      [{ 'confirm-restore': '' }, /confirm-restore.*is required/],
      [{ 'restore-database': 'none' }, /confirm-restore.*has no effect/],
      [{ 'restore-database': 'latest' }, /restore-database.*is neither none, nor paired/],
      [{ 'restore-from': 's3' }, /restore-from.*needs the bucket/],
      [{ strategy: 'blue-green' }, /strategy.*cannot be blue-green/],
    ] as const)
      refusedWith(await restore(inputs), 'bad-input', message, /./);
  });

  test('no room for a second copy, with how much is free', async () => {
    const seen = await state();
    refusedWith(await restore({ 'min-free-space': '900TiB' }), 'cannot-restore', /has .* free/, /Nothing was changed/);
    await unharmed(seen);
  });

  test('a statement of after-restore-sql that fails: without its words, which may hold data', async () => {
    const seen = await state();
    const file = sqlFile("UPDATE shop.customers SET name = 'x';\nSELECT 'secret-of-a-row'::int;\n");
    const result = await restore({ 'after-restore-sql': file });
    refusedWith(result, 'after-sql-failed', /after-restore-sql" failed/, /database is untouched/);
    assert.doesNotMatch(logOf(result), /secret-of-a-row/);
    await unharmed(seen);
  });

  test('a set whose manifest says something else than its dump holds: rows, or what is in them', async () => {
    const seen = await state();
    for (const [change, said] of [
      [{ rows: 1 }, /not what .* held: rows: .*shop\.\S+/],
      [{ content: { oneIn: 1, rows: 1, hash: '7' } }, /not what .* held: content: /],
    ] as const) {
      const taken = await backup(host, backupDir);
      const manifest = await manifestOf(host, taken);
      const tables = manifest['tables'] as { schema: string; name: string; rows: number; content: { rows: number } }[];
      const other = tables.map((table) =>
        table.name === 'customers'
          ? {
              ...table,
              ...change,
              ...('content' in change ? { content: { ...change.content, rows: table.rows } } : {}),
            }
          : table,
      );
      await write(host, taken.outputs['manifest-file'] ?? '', JSON.stringify({ ...manifest, tables: other }, null, 2));
      refusedWith(
        await restore({ 'restore-database': manifest.id }),
        'restore-differs',
        said,
        /The database is untouched/,
      );
    }
    await unharmed(seen);
  });

  test('an extension that the server lacks; and a backup of a newer PostgreSQL than it is', async () => {
    const seen = await state();
    for (const [change, said] of [
      [{ extensions: [{ name: 'postgis', version: '3.4' }] }, /server's image has no postgis/],
      [{ serverVersion: '99.1' }, /backup is of PostgreSQL 99\.1, and the server is older: 15/],
    ] as const) {
      const taken = await backup(host, backupDir);
      const manifest = await manifestOf(host, taken);
      await write(host, taken.outputs['manifest-file'] ?? '', JSON.stringify({ ...manifest, ...change }, null, 2));
      refusedWith(await restore({ 'restore-database': manifest.id }), 'cannot-restore', said, /Nothing was changed/);
    }
    await unharmed(seen);
  });

  test('roles of which one cannot be made: then none is', async () => {
    const seen = await state();
    const other = await takenBackup(host, backupDir);
    const roles = "CREATE ROLE first;\nCREATE ROLE second;\nALTER ROLE second WITH LOGIN VALID UNTIL 'no date';\n";
    // As if the source had it like that.
    const script =
      'cd -- "$1" && name=backup_$2.globals.sql.gz && printf "%s" "$3" | gzip >new && mv new "$name" && ' +
      'grep -vF "  $name" "backup_$2.sha256" >list && sha256sum "$name" >>list && cat list >"backup_$2.sha256" && rm list';
    await bash(host, script, `${host.deployDir}/${backupDir}/daily`, other, roles);
    const result = await restore({ 'restore-database': other });
    refusedWith(
      result,
      'restore-failed',
      /Could not create the roles .*invalid input syntax for type timestamp/,
      /The database is untouched/,
    );
    assert.equal(await db.psql("SELECT count(*) FROM pg_roles WHERE rolname IN ('first', 'second')"), '0');
    await unharmed(seen);
  });

  test('a restore of a database that was dropped: the empty one that was created for it goes again', async () => {
    const seen = await state();
    const file = sqlFile('SELECT 1/0;\n');
    for (const [inputs, code] of [
      [{ 'min-free-space': '900TiB' }, 'cannot-restore'],
      [{ 'after-restore-sql': file }, 'after-sql-failed'],
    ] as const) {
      const result = await restore({ 'db-name': 'was "Dropped"', ...inputs });
      refusedWith(result, code, /./, /./);
      assert.match(logOf(result), /created an empty one/);
      assert.match(logOf(result), /Dropped the empty database "was "Dropped"" again/);
      assert.deepEqual(await databasesOf(host), seen.databases);
    }
    // It must be there for the backup before the restore, and somebody may come in meanwhile.
    const other = sqlFile('SELECT pg_sleep(3);\nSELECT 1/0;\n');
    const action = await startRestore({ 'db-name': 'dropped', 'after-restore-sql': other });
    await until('it is created', async () => ((await databasesOf(host)).includes('dropped') ? true : undefined));
    await db.psql('CREATE TABLE mine (id int);', 'dropped');
    const result = await action.finished;
    assert.match(adviceIn(result), /"dropped", created empty .* was kept: somebody has changed it/, logOf(result));
    assert.doesNotMatch(logOf(result), /dropdb/);
    await db.drop('dropped');
    await unharmed(seen);
  });

  test('a dump that has changed on the disk', async () => {
    const seen = await state();
    const other = await takenBackup(host, backupDir);
    const file = `${host.deployDir}/${backupDir}/daily/backup_${other}.dump.zst`;
    await bash(host, 'printf X | dd of="$1" bs=1 seek=50000 conv=notrunc status=none', file);
    const result = await restore({ 'restore-database': other });
    refusedWith(result, 'checksum-failed', /does not match its manifest/, /database is untouched/);
    await unharmed(seen);
  });
});

test('a role that the server lacks is created without a password, and named; other databases are left alone', async () => {
  await db.create('beside');
  await db.psql('CREATE TABLE kept (id int); INSERT INTO kept VALUES (7);', 'beside');
  // What earlier tests have put aside has tables of that role.
  for (const name of (await databasesOf(host)).filter((each) => each.includes('_before_'))) await db.drop(name);
  await db.psql('REASSIGN OWNED BY keeper TO atlasia; DROP OWNED BY keeper; DROP ROLE keeper;');
  const result = await restore();
  await restored(app, result);
  assert.match(logOf(result), /These roles are created, without passwords: keeper/);
  assert.equal(await db.psql("SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'keeper'"), 't');
  assert.equal(await db.psql("SELECT tableowner FROM pg_tables WHERE tablename = 'orders'"), 'keeper');
  assert.equal(await db.psql('SELECT id FROM kept', 'beside'), '7');
  await writes(host);
});

test('a restore of a restore: the old database of the first one is still there', async () => {
  await sleep(1_000); // names are made of seconds
  const present = await databasesOf(host);
  await restored(app, await restore());
  const now = await databasesOf(host);
  assert.deepEqual(
    present.filter((name) => !now.includes(name)),
    [],
  );
});
