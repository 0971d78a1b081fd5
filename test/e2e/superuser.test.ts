// An ordinary role owns a database, and has put in the way of whoever comes as superuser what such a role can: none of the
// actions runs any of it. A role that did get its code run would be superuser from then on.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, before, describe, test } from 'node:test';
import type { TableCount } from '../../shared/postgres/facts.ts';
import { insideScript } from '../../shared/postgres/scripts.ts';
import { run } from '../lab/command.ts';
import { literal } from '../lab/database.ts';
import { runAction } from '../lab/runner.ts';
import { succeeded } from './expectations.ts';
import { rolledBack } from './rollbacks.ts';
import { backup, bash, manifestOf } from './sets.ts';
import { applicationForFile } from './stage.ts';
import { findingOf, verify } from './verifications.ts';

const { app } = await applicationForFile({ name: 'prey' });
const { host } = app;

const root = join(import.meta.dirname, '..', '..');
const source = (path: string) => readFileSync(join(root, path), 'utf8');
const planted = readFileSync(new URL('../lab/sql/planted.sql', import.meta.url), 'utf8');

/** All that speaks SQL to a server. What is printed for an operator to paste has its own test, of the restore. */
const speakers = globSync('{shared,*-action}/**/*.{sh,sql}', { cwd: root }).filter((path) => {
  const code = source(path).replaceAll(/^\s*#.*$|'[^'\n]*'/gm, '');
  // It reads what those have said.
  if (path.endsWith('/postgres-words.sh')) return false;
  return path.endsWith('.sql') || /\b(psql|pg_dump|pg_dumpall|pg_restore|createdb|dropdb)\b/.test(code);
});

const databases = [
  // Its own schema before PostgreSQL's: what it has called alike is found first.
  { name: 'prey', schema: 'evil', path: 'evil, pg_catalog', role: null },
  // As every role could before PostgreSQL 15, with the usual search path: what fits the arguments better is found.
  { name: 'older', schema: 'public', path: null, role: null },
  // Every session becomes the role, whose code then becomes the superuser again.
  { name: 'guise', schema: 'evil', path: 'evil, pg_catalog', role: 'mallory' },
];

/** A superuser's own tables, to which the role can give code all the same; and one to which it cannot. */
const ofSuperuser = `
  SET search_path = pg_catalog;
  CREATE SCHEMA office;
  CREATE TABLE office.safe AS SELECT 1 AS a;
  CREATE TABLE prey.in_a_schema_of_the_role (a integer);
  CREATE TABLE office.by_function (a integer);
  CREATE INDEX ON office.by_function ((a + prey.constant('a function of the role')));
  CREATE TABLE office.by_operator (a integer);
  CREATE OPERATOR prey.@@@@ (LEFTARG = integer, RIGHTARG = text, FUNCTION = prey.either);
  CREATE INDEX ON office.by_operator ((a + (1 OPERATOR(prey.@@@@) 'an operator of the role')));
  CREATE TABLE office.by_statistics (a integer, b integer);
  CREATE STATISTICS office.both ON (a + prey.constant('statistics of a superuser')), b FROM office.by_statistics;
  CREATE FUNCTION office.wrapper(integer) RETURNS integer LANGUAGE sql IMMUTABLE
    AS $$ SELECT prey.constant('a function within that of a superuser') $$;
  CREATE TABLE office.by_wrapper (a integer);
  CREATE INDEX ON office.by_wrapper ((a + office.wrapper(1)));
  CREATE TABLE office.child () INHERITS (prey.partial);
  CREATE TABLE office.part PARTITION OF prey.parted FOR VALUES FROM (-5) TO (-1);`;

before(async () => {
  await host.psql('CREATE ROLE mallory LOGIN;');
  for (const { name, schema, path, role } of databases) {
    await host.psql(`CREATE DATABASE ${name} OWNER mallory TEMPLATE template0;`);
    await host.psql(`SET SESSION AUTHORIZATION mallory;\n\\set schema ${schema}\n${planted}`, name);
    if (path !== null) await host.psql(`ALTER DATABASE ${name} SET search_path = ${path};`);
    await host.psql(ofSuperuser, name);
    if (role !== null) await host.psql(`ALTER DATABASE ${name} SET role = ${role};`);
  }
  // A superuser who makes such an index runs what is in it.
  await forget();
});

const forget = async () => {
  await inDatabase('rm -f /tmp/planted');
  await host.psql('ALTER ROLE mallory NOSUPERUSER;');
};

const inDatabase = async (script: string) =>
  (await host.docker('exec', await host.container('db'), 'sh', '-c', script)).split('\n').filter(Boolean);

/** What was run of what was planted, and whether it did what it was for. */
const found = async () => ({
  run: await inDatabase('sort -u /tmp/planted 2>/dev/null || true'),
  isSuperuser: await host.psql("SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory';"),
});

afterEach(forget);

test('what is planted is run where nothing holds it off, and makes a superuser', async () => {
  for (const statement of ['SELECT current_database();', 'SELECT count(*) FROM ONLY prey.partial;']) {
    await host.psql(statement, 'prey');
    assert.equal((await found()).isSuperuser, 't', statement);
  }
  const { run } = await found();
  for (const name of ['current_database', 'count', 'the condition of an index'])
    assert.ok(run.includes(name), `${name} in ${run.join()}`);
});

test('whatever speaks SQL does so with a search path of our own', () => {
  const [statements, programs] = [/\.sql$/, /\.sh$/].map((ending) =>
    speakers.filter((path) => ending.test(path)).sort(),
  );
  // The others follow one of these two in one script.
  const [drill, reach] = ['shared/postgres/drill-inside.sh', 'shared/postgres/reach-server.sh'];
  const followers = ['inside', 'load-inside', 'replace-inside'].map((name) => `shared/postgres/${name}.sh`);
  assert.deepEqual(programs, [drill, reach, ...followers].toSorted());
  for (const program of [drill, reach])
    assert.match(
      source(program),
      /^export PGOPTIONS=["'][^"']*-c role=none -c search_path=pg_catalog [^"']*["']$/m,
      program,
    );
  // They are said within a session of those.
  assert.ok(
    (statements ?? []).every((path) => /^shared\/postgres\/facts-/.test(path)),
    statements?.join(),
  );
});

test('all that our statements call is planted', async () => {
  const sql = speakers.map(source).join('\n');
  const list = (pattern: RegExp) =>
    [...new Set([...sql.matchAll(pattern)].map(([, name = '']) => literal(name)))].join(', ');
  // Words that are no function of PostgreSQL's are the grammar's own, or the shell's.
  const missing = await host.psql(
    `SET search_path = pg_catalog;
     SELECT DISTINCT proname FROM pg_proc p WHERE pronamespace = 'pg_catalog'::regnamespace
       AND proname IN (${list(/\b([a-z_][a-z0-9_]*)\s*\(/g)})
       AND NOT EXISTS (SELECT FROM pg_proc q WHERE q.proname = p.proname AND q.pronamespace = 'evil'::regnamespace)
     UNION SELECT DISTINCT oprname FROM pg_operator p WHERE oprnamespace = 'pg_catalog'::regnamespace
       AND oprname IN (${list(/([-+*/<>=~!@#%^&|?]+)/g)})
       AND NOT EXISTS (SELECT FROM pg_operator q WHERE q.oprname = p.oprname AND q.oprnamespace = 'evil'::regnamespace);`,
    'prey',
  );
  assert.equal(missing, '');
});

test('who may not copy into a file runs none of it either: what cannot be counted without is not counted', async () => {
  await host.psql('CREATE ROLE reader LOGIN; GRANT pg_read_all_data TO reader;');
  const result = await backup(host, host.newBackupDir(), { 'db-name': 'prey', 'db-user': 'reader' });
  assert.deepEqual((await found()).run, [], result.stdout);
  succeeded(result);
  const tables = (await manifestOf(host, result))['tables'] as TableCount[];
  assert.deepEqual(
    tables.flatMap(({ name, rows }) => (rows === null ? [] : [name])),
    ['safe'],
  );
  assert.match(result.stdout, /rows of 1 table counted .*; 11 not counted, because counting could run other roles/);
});

test('what the role can give code to is counted by COPY, and nothing else is', async () => {
  const variables = ['PGUSER=atlasia', 'PGDATABASE=prey'].flatMap((variable) => ['--env', variable]);
  const session = ['sh', '-c', insideScript(), 'inside', 'session'];
  const statements = ['session', 'tables'].map((part) => source(`shared/postgres/facts-${part}.sql`));
  const said = await run(['docker', 'exec', '--interactive', ...variables, await host.container('db'), ...session], {
    input: [
      '\\set lock_wait 1000',
      '\\set row_counts exact',
      "\\set snapshot ''",
      "\\set chosen ''",
      ...statements,
    ].join('\n'),
    env: host.env,
  });
  const planned = said
    .split('\n')
    .filter((line) => line.startsWith('table '))
    .map((line) => JSON.parse(line.slice(6)).name);
  assert.deepEqual(planned, ['safe']);
  assert.equal(said.match(/^copied /gm)?.length, 11, said);
});

test('a table that an extension names, and a role owns, is counted by COPY as well', async () => {
  await host.psql('CREATE DATABASE named OWNER mallory;', 'postgres');
  await host.psql(
    `CREATE EXTENSION hstore;
     CREATE SCHEMA prey;
     GRANT ALL ON SCHEMA prey TO mallory;
     CREATE TABLE prey.config (a integer);
     INSERT INTO prey.config VALUES (1);
     ALTER TABLE prey.config OWNER TO mallory;
     ALTER EXTENSION hstore ADD TABLE prey.config;
     UPDATE pg_extension SET extconfig = ARRAY['prey.config'::regclass::oid], extcondition = ARRAY[''] WHERE extname = 'hstore';
     SET ROLE mallory;
     CREATE FUNCTION prey.act() RETURNS integer LANGUAGE plpgsql AS $$
     BEGIN
       SET ROLE NONE;
       COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; echo named >>/tmp/planted';
       RETURN 1;
     EXCEPTION WHEN OTHERS THEN RETURN 1;
     END $$;
     CREATE FUNCTION prey.constant() RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN prey.act(); END $$;
     CREATE INDEX ON prey.config ((a + prey.constant()));`,
    'named',
  );
  await host.psql('SELECT count(*) FROM prey.config;', 'named');
  assert.deepEqual((await found()).run, ['named'], 'it is run where nothing holds it off');
  await forget();
  const result = await backup(host, host.newBackupDir(), { 'db-name': 'named' });
  assert.deepEqual((await found()).run, [], result.stdout);
  succeeded(result);
  assert.deepEqual(
    ((await manifestOf(host, result))['tables'] as TableCount[]).map(({ name, rows }) => [name, rows]),
    [['config', 1]],
  );
});

for (const { name } of databases) {
  describe(`in the database ${name}`, () => {
    let dir: string;
    before(() => {
      dir = host.newBackupDir();
    });

    test('a backup runs none of it, also where it ends what a dead run has left, and counts every row', async () => {
      await bash(host, 'umask 077; mkdir -p "$1/daily/.partial-20261125_021700"', dir);
      const result = await backup(host, dir, { 'db-name': name });
      assert.deepEqual(await found(), { run: [], isSuperuser: 'f' }, result.stdout);
      succeeded(result);
      const tables = (await manifestOf(host, result))['tables'] as TableCount[];
      assert.ok(tables.every(({ exact }) => exact));
      const filled = tables
        .filter(({ rows }) => rows !== 0)
        .map(({ schema, name, rows }) => `${schema}.${name} ${rows}`);
      assert.equal(tables.length, 12);
      assert.deepEqual(filled.sort(), ['office.safe 1', 'prey.expression 80', 'prey.part 90', 'prey.partial 70']);
    });

    test('a verification runs none of it, and what is planted does not change what a drill sees', async () => {
      const result = await verify(host, dir, { 'db-name': name, checks: 'setup,backups,drill' });
      assert.deepEqual(await found(), { run: [], isSuperuser: 'f' }, result.stdout);
      for (const check of ['restore', 'tables', 'rows', 'sequences', 'extensions', 'schema', 'indexes', 'newest'])
        assert.equal(findingOf(result, check).result, 'passed', result.stdout);
    });

    test('a rollback with a backup runs none of it', async () => {
      await app.publish({ version: 'v1' });
      await app.publish({ version: 'v2' });
      await app.deploy('v2');
      await app.serves('v2');
      const result = await runAction('rollback', {
        ...app.inputs(),
        'backup-dir': dir,
        'db-name': name,
        target: 'v1',
      });
      assert.deepEqual(await found(), { run: [], isSuperuser: 'f' }, result.stdout);
      await rolledBack(app, result, { backend: 'v1' });
    });
  });
}
