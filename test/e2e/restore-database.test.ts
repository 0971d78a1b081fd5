// The database is lost, or wrong: a backup takes its place, alone or together with the images, and otherwise nothing has happened.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { identifier, literal } from '../lab/database.ts';
import { logOf } from './expectations.ts';
import { databasesOf, essence, restored, startTicker, takenBackup, ticker, ticksOf, writes } from './restores.ts';
import { historyIn, newBackupDirOf, notRolledBack, planned, rollBack, rolledBack, snapshotOf } from './rollbacks.ts';
import { type Inputs, write } from './sets.ts';
import { applicationForFile, deployed } from './stage.ts';
import { verify } from './verifications.ts';

const { app } = await applicationForFile({
  name: 'restore',
  versions: ['v1', 'v2', { version: 'ill', ill: 'health' }],
  services: { ticker },
});
const { host } = app;
const db = host.database;

before(() => startTicker(host));

const restore = (backupDir: string, id: string, inputs: Inputs = {}) =>
  rollBack(app, backupDir, { 'restore-database': id, 'confirm-restore': 'RESTORE', ...inputs });

test('a lost table comes back: the database alone is restored, and the old one is kept', async () => {
  const backupDir = await newBackupDirOf(app, 'v1');
  const was = await essence(host);
  const id = await takenBackup(host, backupDir);
  await db.psql("DROP TABLE shop.orders CASCADE; ALTER DATABASE atlasia SET work_mem = '7MB'");
  const damaged = await essence(host);
  const before = await snapshotOf(app);

  const result = await restore(backupDir, id, { 'skip-backup': 'false' });
  const aside = await restored(app, result);
  assert.deepEqual(await essence(host), was, logOf(result));
  // What was there is in a backup first, and the summary says how to have it again.
  const taken = result.outputs['backup-id'] ?? '';
  const kept = host.files(`${backupDir}/rollback`).map(({ path }) => path);
  assert.ok(
    kept.some((path) => path.endsWith(`prerollback_${taken}.manifest.json`)),
    kept.join(),
  );
  assert.ok(result.summary.includes(taken));
  assert.deepEqual(await essence(host, aside), damaged);
  assert.match(result.summary, /^## ✅ /);
  assert.equal(await db.psql('SHOW work_mem'), '7MB');
  await writes(host);
  // The very same containers run, and the release stays what it was.
  assert.deepEqual(
    (await app.containers('backend')).map((each) => each.id),
    before['backend']?.map((each) => each.id),
  );
  assert.equal(await app.versionOf('backend'), 'v1');
  const record = historyIn(app, backupDir).at(-1);
  assert.deepEqual(
    [record?.event, record?.status, record?.restoredId, record?.verdict],
    ['restore', 'succeeded', id, 'unknown'],
  );
  assert.deepEqual(
    host.files(`${backupDir}/rollback`).filter(({ path }) => /HOLD/.test(path)),
    [],
  );
});

test('while deployments are on hold: it goes on, and they stay on hold', async () => {
  const backupDir = await newBackupDirOf(app, 'v1');
  const id = await takenBackup(host, backupDir);
  const hold = join(host.deployDir, backupDir, 'rollback', 'HOLD');
  const text = 'reason=v2 is slow\nsince=2026-11-25T03:00:00Z\n';
  await write(host, hold, text);
  await restored(app, await restore(backupDir, id));
  assert.equal(readFileSync(hold, 'utf8'), text);
  await writes(host);
});

test('the backup before a restore, which is itself restored, is not driven out by the one that is taken before that', async () => {
  const backupDir = await newBackupDirOf(app, 'v1');
  const id = await takenBackup(host, backupDir);
  await db.psql('CREATE TABLE shop.since (id int); INSERT INTO shop.since VALUES (1);');
  const was = await essence(host);
  const inputs = { 'skip-backup': 'false', 'keep-prerollback': '1' };
  const first = await restore(backupDir, id, inputs);
  await restored(app, first);
  assert.equal(await db.psql("SELECT to_regclass('shop.since') IS NULL"), 't');

  const wrong = first.outputs['backup-id'] ?? '';
  const result = await restore(backupDir, wrong, inputs);
  await restored(app, result);
  assert.deepEqual(await essence(host), was);
  const kept = host
    .files(`${backupDir}/rollback`)
    .flatMap(({ path }) => /prerollback_(\d{8}_\d{6})\.manifest\.json$/.exec(path)?.[1] ?? []);
  assert.deepEqual(kept.toSorted(), [wrong, result.outputs['backup-id']].toSorted());
  await db.psql('DROP TABLE shop.since');
});

test('paired: images and data go back together, to the moment before the deployment', async () => {
  const backupDir = await newBackupDirOf(app, 'v1');
  const id = await takenBackup(host, backupDir, { kind: 'predeployment', environment: 'lab' });
  const was = await essence(host);
  await deployed(app, 'v2');
  await db.psql('ALTER TABLE shop.customers DROP COLUMN born; CREATE TABLE shop.new_things (id int);');

  const result = await restore(backupDir, 'paired', { target: 'v1' });
  await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
  await restored(app, result);
  assert.deepEqual(await essence(host), was);
  assert.equal(historyIn(app, backupDir).at(-1)?.restoredId, id);
  await writes(host);
});

test('where the target fails, the old release has its old database again, with all that was written', async () => {
  const backupDir = await newBackupDirOf(app, 'v1');
  const id = await takenBackup(host, backupDir, { kind: 'predeployment', environment: 'lab' });
  await db.psql('CREATE TABLE shop.since (id int); INSERT INTO shop.since VALUES (1);');
  const was = await essence(host);
  const [before, present] = [await ticksOf(host), await databasesOf(host)];
  const result = await restore(backupDir, id, { target: 'ill', 'health-timeout': '20s' });
  await notRolledBack(app, result, {
    status: 'reverted',
    message: /Not rolled back: .*backend/,
    hint: /previous release is running again/,
  });
  assert.deepEqual(await essence(host), was);
  assert.ok((await ticksOf(host)) >= before);
  assert.deepEqual(await databasesOf(host), present);
  await writes(host);
});

test('a plan says what it would cost, and changes nothing', async () => {
  const backupDir = await newBackupDirOf(app, 'v1');
  const id = await takenBackup(host, backupDir);
  const present = await databasesOf(host);
  const undrilled = await rollBack(app, backupDir, { 'restore-database': id, 'plan-only': 'true' });
  assert.match(logOf(undrilled), /How long the restore takes is unknown/);
  const drilled = await verify(host, backupDir, { checks: 'drill' });
  assert.equal(drilled.outputs['status'], 'verified', logOf(drilled));
  const result = await rollBack(app, backupDir, { 'restore-database': id, 'plan-only': 'true' });
  planned(result);
  assert.match(logOf(result), new RegExp(`In a drill, backup ${id} was restored in \\d`));
  assert.match(logOf(result), /The dump has .*; the copy next to the live database needs about .* that are free/);
  assert.match(logOf(result), /The database "atlasia" is replaced by backup/);
  assert.match(
    logOf(result),
    /ticker is stopped meanwhile and started again: it (is connected|depends)|ticker .*names db/,
  );
  assert.match(logOf(result), /Whatever was written in the last .* is lost/);
  assert.deepEqual(await databasesOf(host), present);
});

describe('what belongs to a database and is in no dump', { concurrency: 1 }, () => {
  const name = "the 'shop'";
  const named = identifier(name);
  const owner = "the shop's";
  before(async () => {
    for (const role of [owner, 'teller', 'clerk', 'guest']) await db.psql(`CREATE ROLE ${identifier(role)} LOGIN;`);
    await db.psql(
      `CREATE DATABASE ${named} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'de-u-co-phonebk'`,
      'postgres',
    );
    await db.psql('CREATE TABLE words AS SELECT 1 AS n;', name);
    await db.psql(`ALTER DATABASE ${named} OWNER TO ${identifier(owner)};`);
    await db.psql(`
      ALTER DATABASE ${named} CONNECTION LIMIT 77;
      ALTER DATABASE ${named} IS_TEMPLATE true;
      COMMENT ON DATABASE ${named} IS ${literal('the $1 "shop" \\ of \n today')};
      REVOKE ALL ON DATABASE ${named} FROM PUBLIC;
      REVOKE TEMPORARY ON DATABASE ${named} FROM ${identifier(owner)};
      GRANT CONNECT ON DATABASE ${named} TO teller WITH GRANT OPTION;
      SET SESSION AUTHORIZATION teller;
      GRANT CONNECT ON DATABASE ${named} TO clerk WITH GRANT OPTION;
      SET SESSION AUTHORIZATION clerk;
      GRANT CONNECT ON DATABASE ${named} TO guest;
      RESET SESSION AUTHORIZATION;
      ALTER DATABASE ${named} SET search_path = "$user", "a, b", public;
      ALTER DATABASE ${named} SET "shop.motto" = ${literal("it's\n\\ here")};
      ALTER ROLE ${identifier(owner)} IN DATABASE ${named} SET statement_timeout = '7min';
      ALTER ROLE teller IN DATABASE ${named} SET search_path = '';`);
  });
  after(async () => {
    for (const each of (await databasesOf(host)).filter((other) => other.startsWith(name))) {
      await db.psql(`ALTER DATABASE ${identifier(each)} IS_TEMPLATE false;`);
      await db.drop(each);
    }
  });

  /** All that the server's own catalogues say of it, but for its name, and for what counts transactions. */
  const properties = async () =>
    (
      await db.rows<{ facts: object; grants: string[]; comment: string; settings: string[] }>(
        `SELECT to_jsonb(d) - '{oid,datname,datacl,datfrozenxid,datminmxid}'::text[] AS facts, pg_get_userbyid(datdba) AS owner,
           (SELECT jsonb_agg(each::text ORDER BY each::text) FROM unnest(datacl) each) AS grants,
           shobj_description(oid, 'pg_database') AS comment,
           (SELECT jsonb_agg(concat_ws(': ', rolname, setconfig) ORDER BY rolname)
             FROM pg_db_role_setting LEFT JOIN pg_roles r ON r.oid = setrole WHERE setdatabase = d.oid) AS settings
         FROM pg_database d WHERE datname = ${literal(name)}`,
        'postgres',
      )
    )[0];
  const restoreIt = async (backupDir: string, id: string) => {
    const result = await restore(backupDir, id, { 'db-name': name });
    assert.equal(result.outputs['status'], 'rolled-back', logOf(result));
    assert.equal(await db.psql('SELECT sum(n) FROM words', name), '1');
  };

  test('stays as it is on the live database, whatever the backup has', async () => {
    const backupDir = host.newBackupDir();
    const id = await takenBackup(host, backupDir, { 'db-name': name });
    await db.psql(`ALTER DATABASE ${named} SET work_mem = '9MB'; GRANT CREATE ON DATABASE ${named} TO guest;`);
    await db.psql('INSERT INTO words VALUES (7);', name);
    const was = await properties();
    assert.deepEqual([was?.grants.length, was?.settings.length], [5, 3], JSON.stringify(was));
    await restoreIt(backupDir, id);
    assert.deepEqual(await properties(), was);
  });

  test('comes out of the backup where the database is gone', async () => {
    const backupDir = host.newBackupDir();
    const was = await properties();
    const id = await takenBackup(host, backupDir, { 'db-name': name });
    await db.psql(`ALTER DATABASE ${named} IS_TEMPLATE false;`);
    await db.drop(name);
    await restoreIt(backupDir, id);
    const now = await properties();
    // No backup says whether others are made from it.
    assert.deepEqual({ ...now, facts: { ...now?.facts, datistemplate: true } }, was);
  });
});
