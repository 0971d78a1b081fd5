// What PostgreSQL says where a backup or a drill fails: the error first and with what helps, and none of what stands in the rows.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import * as faults from '../lab/faults.ts';
import type { ActionResult } from '../lab/runner.ts';
import { adviceIn, errorsOf, hostIsClean, succeeded } from './expectations.ts';
import { backup, manifestOf, namesIn, read, startBackup } from './sets.ts';
import { hostForFile } from './stage.ts';
import { findingOf, verify } from './verifications.ts';

const { host } = await hostForFile({ name: 'words', seed: false });

/** In rows; behind a line break it looks like what PostgreSQL says. */
const secret = 'SECRET-OF-ALICE';
const row = `${secret}\npg_restore: error: could not execute query: ERROR:  relation "${secret}" does not exist\nERROR:  ${secret}`;
const literal = `E'${row.replaceAll('\n', '\\n')}'`;

/** In the log, in what GitHub shows and keeps, and in every file of the backup folder but the log of PostgreSQL and the dumps. */
async function nothingLeaks(result: ActionResult, dir: string): Promise<void> {
  const { stdout, stderr, summary, outputs, annotations } = result;
  const places = new Map<string, string>([
    ['log', stdout + stderr],
    ['annotations', JSON.stringify(annotations)],
    ['summary', summary],
    ['outputs', JSON.stringify(outputs)],
  ]);
  for (const name of namesIn(host.files(dir)))
    if (!/\.dump\.|\.gz$|^postgres-.*\.log$/.test(name))
      places.set(name, await read(host, join(host.deployDir, dir, name)));
  for (const [place, text] of places) assert.ok(!text.includes(secret), `${place}:\n${text}`);
}

/** What was held back is on the host, for its owner alone, and the log says where. */
async function isKept(result: ActionResult, dir: string, words: RegExp): Promise<void> {
  const file = host.files(dir).find((each) => /^postgres-(\d{8}_\d{6}|drill-[0-9a-f]{8})\.log$/.test(each.path));
  const path = join(host.deployDir, dir, file?.path ?? '');
  assert.match(await read(host, path), words);
  assert.equal(file?.mode, 0o600);
  assert.equal(result.stdout.split('What PostgreSQL says is kept on the host, in ').length, 2, result.stdout);
  assert.ok(result.stdout.includes(`kept on the host, in ${path}`), result.stdout);
  assert.deepEqual(
    namesIn(host.files(dir)).filter((name) => name.startsWith('.postgres.log')),
    [],
  );
}

/** What a drill refuses: the database, what the finding begins with, what to mend, and what is kept on the host. */
const sources: [what: string, sql: string, error: RegExp, remedy: RegExp, kept: RegExp][] = [
  [
    'orphans',
    `CREATE TABLE customers (email text PRIMARY KEY);
     CREATE TABLE orders (email text REFERENCES customers);
     SET session_replication_role = replica;
     INSERT INTO orders VALUES (${literal});`,
    /it does not restore\. insert or update on table "orders" violates foreign key constraint "orders_email_fkey"\. /,
    /source itself does not restore.*"orders" has rows whose partner is missing.*VALIDATE CONSTRAINT "orders_email_fkey".*docs\/restore\.md#a-source-that-does-not-restore/,
    /DETAIL: {2}Key \(email\)=\(SECRET-OF-ALICE/,
  ],
  [
    'a CHECK that reads a later table, and says what it reads',
    `CREATE TABLE zones (name text);
     INSERT INTO zones VALUES ('a');
     CREATE FUNCTION checked(name text) RETURNS boolean LANGUAGE plpgsql AS $$
       BEGIN
         IF NOT EXISTS (SELECT FROM public.zones) THEN
           RAISE WARNING '%', name;
           RAISE EXCEPTION 'relation "%" does not exist', name;
         END IF;
         RETURN true;
       END $$;
     CREATE TABLE customers (name text CHECK (checked(name)));
     INSERT INTO customers VALUES (${literal});`,
    /it does not restore\. an error whose words may hold data; they are in \S+\/postgres-drill-[0-9a-f]{8}\.log on the host/,
    /^The file is intact\. Why it does not restore is only in the log of PostgreSQL that the finding names/,
    /CONTEXT: {2}PL\/pgSQL function public\.checked\(text\) line \d+ at RAISE/,
  ],
  [
    'a value that its type does not take',
    `CREATE FUNCTION number_of(name text) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
       BEGIN
         IF current_setting('unix_socket_directories') = '/tmp/drill' THEN RETURN name::integer; END IF;
         RETURN 1;
       END $$;
     CREATE TABLE customers (name text CHECK (number_of(name) > 0));
     INSERT INTO customers VALUES (${literal});`,
    /it does not restore\. invalid input syntax for type integer: … \(in the rows of "customers"\)/,
    /values that their type no longer accepts/,
    /CONTEXT: {2}PL\/pgSQL function public\.number_of/,
  ],
  [
    'a function that finds nothing without its search_path',
    `CREATE FUNCTION helper(name text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT name';
     CREATE FUNCTION folded(name text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN helper(name); END $$;
     CREATE TABLE customers (name text CHECK (folded(name) <> ''));
     INSERT INTO customers VALUES (${literal});`,
    /it does not restore\. function … does not exist \(in the rows of "customers"\)/,
    /empty search_path: write the schema.*SET search_path/,
    /QUERY: /,
  ],
  [
    'equal rows under a corrupt index',
    `CREATE TABLE customers (email text CONSTRAINT one_each UNIQUE);
     INSERT INTO customers VALUES (${literal});
     UPDATE pg_index SET indisready = false WHERE indexrelid = 'one_each'::regclass;
     INSERT INTO customers VALUES (${literal});
     UPDATE pg_index SET indisready = true WHERE indexrelid = 'one_each'::regclass;`,
    /it does not restore\. could not create unique index "one_each"\. /,
    /source itself does not restore.*HAVING count\(\*\) > 1.*REINDEX INDEX "one_each"/,
    /DETAIL: {2}Key \(email\)=\(SECRET-OF-ALICE/,
  ],
  [
    'a CHECK that finds a later table empty',
    `CREATE TABLE zones (name text);
     INSERT INTO zones VALUES ('a');
     CREATE FUNCTION is_any() RETURNS boolean LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM public.zones)';
     CREATE TABLE customers (name text, CONSTRAINT in_zone CHECK (is_any()));
     INSERT INTO customers VALUES (${literal});`,
    /it does not restore\. new row for relation "customers" violates check constraint "in_zone" \(in the rows of "customers"\)\. /,
    /source itself does not restore.*reads another table or a setting, make it a trigger/,
    /DETAIL: {2}Failing row contains \(SECRET-OF-ALICE/,
  ],
  [
    'a function that takes a row for a name',
    `CREATE FUNCTION looked_up(name text) RETURNS boolean LANGUAGE plpgsql AS $$
       BEGIN
         IF current_setting('unix_socket_directories') = '/tmp/drill' THEN EXECUTE format('SELECT FROM %I', left(name, 15)); END IF;
         RETURN true;
       END $$;
     CREATE TABLE customers (name text CHECK (looked_up(name)));
     INSERT INTO customers VALUES (${literal});`,
    /it does not restore\. relation … does not exist \(in the rows of "customers"\)/,
    /empty search_path/,
    /ERROR: {2}relation "SECRET-OF-ALICE" does not exist/,
  ],
];

describe('a source that does not restore', () => {
  for (const [at, [what, sql, error, remedy, kept]] of sources.entries()) {
    test(what, async () => {
      const database = `source${at}`;
      const dir = host.newBackupDir();
      await host.database.create(database);
      await host.psql(sql, database);
      const custom = host.newBackupDir();
      succeeded(await backup(host, custom, { 'db-name': database }));
      const result = await verify(host, custom, { checks: 'drill', 'db-name': database });
      const finding = findingOf(result, 'restore');
      assert.match(finding.detail, error);
      assert.match(finding.remedy ?? '', remedy);
      assert.doesNotMatch(finding.remedy ?? '', /Do not rely/);
      await nothingLeaks(result, custom);
      await isKept(result, custom, kept);
      if (at === 0) {
        succeeded(await backup(host, dir, { 'db-name': database, format: 'plain' }));
        const plain = await verify(host, dir, { checks: 'drill', 'db-name': database });
        assert.match(findingOf(plain, 'restore').detail, /violates foreign key constraint "orders_email_fkey"/);
        await nothingLeaks(plain, dir);
      }
      const check = await verify(host, custom, { checks: 'backups', 'db-name': database });
      assert.doesNotMatch(JSON.stringify(check.outputs), /postgres-/, 'it is taken for a file of somebody else');
      await host.database.drop(database);
    });
  }
});

describe('a backup', () => {
  before(async () => {
    await host.psql('CREATE ROLE clerk LOGIN;');
    await host.docker('exec', await host.container('db'), 'true');
  });

  async function clerksDatabase(name: string, sql: string): Promise<void> {
    await host.psql(`CREATE DATABASE ${name} OWNER clerk;`);
    await host.psql(sql, name);
  }

  async function failed(name: string, inputs: Record<string, string> = {}): Promise<{ message: string; hint: string }> {
    const dir = host.newBackupDir();
    const result = await backup(host, dir, { 'db-name': name, 'db-user': 'clerk', ...inputs });
    assert.equal(result.exitCode, 1);
    await nothingLeaks(result, dir);
    await hostIsClean(host);
    return { message: errorsOf(result)[0]?.message ?? '', hint: adviceIn(result) };
  }

  test('by a user who may not read a table', async () => {
    await clerksDatabase('guarded', `CREATE TABLE secrets AS SELECT ${literal} AS a;`);
    const { message, hint } = await failed('guarded');
    assert.match(message, /^(pg_dump failed|The rows could not be counted): permission denied for table secrets/);
    assert.match(hint, /GRANT pg_read_all_data TO "clerk"/);
  });

  test('by an owner from whom rows are hidden', async () => {
    await clerksDatabase(
      'hidden',
      'CREATE TABLE people (a text); ALTER TABLE people OWNER TO clerk; ALTER TABLE people ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;',
    );
    const { message, hint } = await failed('hidden');
    assert.match(message, /: query would be affected by row-level security policy for table "people"/);
    assert.match(hint, /ALTER ROLE "clerk" BYPASSRLS/);
  });
});

describe('a table that is locked', () => {
  before(async () => {
    await host.psql('ALTER SYSTEM SET max_prepared_transactions = 5');
    await host.docker('restart', '--time', '5', await host.container('db'));
    await faults.until('the database answers', async () =>
      (await host.database.tryPsql('SELECT 1')).code === 0 ? true : undefined,
    );
    await host.database.create('locked');
    await host.psql('CREATE TABLE orders AS SELECT 1 AS n', 'locked');
  });

  test('by a prepared transaction: it is named, and what ends it', async () => {
    await host.psql(`BEGIN; LOCK TABLE orders; PREPARE TRANSACTION 'left''over'`, 'locked');
    const dir = host.newBackupDir();
    const result = await backup(host, dir, { 'db-name': 'locked', 'lock-wait': '5s' });
    await host.psql(`ROLLBACK PREPARED 'left''over'`, 'locked');
    assert.match(
      errorsOf(result)[0]?.message ?? '',
      /^A table stayed locked for 5\.0 s, so it could not be dumped: public\.orders, held by the prepared transaction "left'over" for /,
    );
    assert.match(adviceIn(result), /, in psql, in the database locked \(COMMIT.*\): ROLLBACK PREPARED 'left''over';$/m);
    await hostIsClean(host);
  });

  test('by a session: the progress says what it waits for', async () => {
    const release = await faults.lockTable(host, 'public', 'orders', 'locked');
    // This one is locked as well, but a dump does not wait for it.
    const releaseOther = await faults.lockTemporaryTable(host, 'a_table_of_its_own', 'locked');
    const dir = host.newBackupDir();
    try {
      const action = await startBackup(host, dir, { 'db-name': 'locked', 'lock-wait': '60s' });
      await action.sawLog(/Waiting for the lock on public\.orders, held by pid \d+ \(lab, idle in transaction for /);
      await release();
      const result = await action.finished;
      assert.equal(result.exitCode, 0, result.stdout);
      assert.doesNotMatch(result.stdout, /a_table_of_its_own/);
      assert.ok((await manifestOf(host, result)).id);
      assert.deepEqual(
        namesIn(host.files(dir)).filter((name) => name.startsWith('postgres')),
        [],
      );
    } finally {
      await release();
      await releaseOther();
    }
  });
});
