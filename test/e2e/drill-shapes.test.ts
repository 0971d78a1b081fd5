// Databases as they stand in the wild: what a drill must not hold against a backup that is good, and what the scratch container
// lacks. Nothing bad is said of the backup then.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { noDrillLeft } from './drills.ts';
import { backup, bash, type Inputs, type ManifestJson, manifestOf, write } from './sets.ts';
import { hostForFile } from './stage.ts';
import { findingOf, verified, verify } from './verifications.ts';

const { host } = await hostForFile({ name: 'drill-shapes', postgres: 'extended', seed: false });
let dir: string;

beforeEach(() => {
  dir = host.newBackupDir();
});

/** Everything that shapes what a server prints is other than usual. */
const settings = `shared_preload_libraries = 'pg_cron,pg_stat_statements'
cron.database_name = 'jobs'
standard_conforming_strings = off
quote_all_identifiers = on
bytea_output = escape
default_toast_compression = lz4`;
const configure = 'docker exec --user postgres "$1" sh -c \'printf "%s\\n" "$1" >>"$PGDATA/postgresql.conf"\' sh "$2"';
await bash(host, configure, await host.container('db'), settings);
await host.docker('restart', '--time', '1', await host.container('db'));
await host.composeUp(['db']);

async function drillOf(
  database: string,
  { format = 'custom', ...inputs }: Inputs = {},
  changes?: (manifest: ManifestJson) => object,
) {
  const manifest = await manifestOf(host, await backup(host, dir, { 'db-name': database, format }));
  if (changes !== undefined) await forge(manifest, changes(manifest));
  return verify(host, dir, { checks: 'drill', 'db-name': database, ...inputs });
}

/** In each folder that the set stands in. */
async function forge(manifest: ManifestJson, changes: object): Promise<void> {
  const list = await bash(host, 'cd -- "$1" && ls -d -- "$PWD"/*/"$2"', dir, `backup_${manifest.id}.manifest.json`);
  for (const path of list.trim().split('\n')) {
    await bash(host, 'rm -- "$1"', path);
    await write(host, path, JSON.stringify({ ...manifest, ...changes }, null, 2));
  }
}

test('a schema that PostgreSQL prints differently after a restore is compared with a restore of its schema file', async () => {
  await host.database.create('printed');
  await bash(host, 'docker exec "$1" install -d -o postgres /var/lib/postgresql/elsewhere', await host.container('db'));
  await host.psql(
    'CREATE ROLE app; CREATE ROLE "Odd ""Role"""; CREATE TABLESPACE elsewhere LOCATION \'/var/lib/postgresql/elsewhere\';',
  );
  await host.psql(
    `CREATE EXTENSION hstore;
     CREATE TABLE people (
       id int PRIMARY KEY, type varchar(255) NOT NULL CHECK (type IN ('user', 'admin')), key bytea DEFAULT E'\\\\\\\\001',
       path text DEFAULT E'C:\\\\temp'
     );
     CREATE INDEX ON people (id) WHERE type IN ('user', 'guest');
     CREATE INDEX there ON people (type) TABLESPACE elsewhere;
     INSERT INTO people VALUES (1, 'user'), (2, 'admin');
     CREATE TABLE months (month int, n int) PARTITION BY LIST (month);
     CREATE TABLE january PARTITION OF months FOR VALUES IN (1);
     CREATE INDEX never_whole ON ONLY months (n);
     GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text) TO app;
     REVOKE ALL ON FUNCTION hstore(text, text) FROM PUBLIC;
     GRANT EXECUTE ON FUNCTION hstore(text, text) TO app;
     ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO "Odd ""Role""";
     CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$
       BEGIN IF session_user <> 'atlasia' THEN RAISE 'nobody may do this'; END IF; END $$;
     CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION refuse();
     ALTER EVENT TRIGGER refuse ENABLE ALWAYS;
     ALTER ROLE atlasia IN DATABASE printed SET default_transaction_read_only = on;
     ALTER DATABASE printed SET session_preload_libraries = 'auto_explain';`,
    'printed',
  );
  try {
    const result = await drillOf('printed');
    await verified(host, result, 'verified');
    assert.match(findingOf(result, 'schema').detail, /^a new dump of it is identical to one of its schema file/);
    assert.match(findingOf(result, 'indexes').detail, /^all are valid; amcheck read [1-9]/);
    await noDrillLeft(host, dir);
  } finally {
    await host.psql('ALTER DATABASE printed RESET ALL', 'postgres');
  }
});

test('what the source loads at its start is loaded, and its jobs do not run', async () => {
  await host.database.create('jobs');
  await host.psql(
    `CREATE EXTENSION pg_cron;
     CREATE EXTENSION pg_stat_statements;
     CREATE TABLE runs (at timestamptz);
     SELECT cron.schedule('each minute', '* * * * *', 'INSERT INTO runs VALUES (now())') IS NOT NULL;
     SELECT cron.alter_job(jobid, active := false) FROM cron.job;`,
    'jobs',
  );
  const result = await drillOf('jobs');
  await verified(host, result, 'verified');
  await noDrillLeft(host, dir);
});

test('a library that the image lacks is named, and the backup is not blamed', async () => {
  const result = await drillOf('jobs', {}, () => ({ serverSettings: { shared_preload_libraries: 'no_such_library' } }));
  await verified(host, result, 'could-not-verify', { drill: 'could-not-check' });
  assert.match(
    findingOf(result, 'drill').detail,
    /^The image lacks no_such_library, which the source loads at its start/,
  );
  await noDrillLeft(host, dir);
});

test('a server that does not start for another reason lacks no library', async () => {
  const result = await drillOf('jobs', {}, () => ({
    serverSettings: { shared_preload_libraries: 'pg_stat_statements', 'pg_stat_statements.max': '1073741823' },
  }));
  await verified(host, result, 'could-not-verify', { drill: 'could-not-check' });
  assert.match(findingOf(result, 'drill').detail, /^Could not start PostgreSQL with the settings of the source/);
  assert.match(result.stdout, /could not map anonymous shared memory|shared memory/);
  assert.doesNotMatch(result.stdout, /lacks/);
  await noDrillLeft(host, dir);
});

test('configuration of an extension: rows that its condition leaves out, and sequences that it dumps or not', async () => {
  await host.database.create('configured');
  await host.psql(
    `CREATE SCHEMA lab_config;
     CREATE EXTENSION lab_config;
     INSERT INTO lab_config.settings VALUES ('theme', 'dark');
     SELECT setval('lab_config.dumped', 7), setval('lab_config.undumped', 9);`,
    'configured',
  );
  const drilled = await drillOf('configured');
  await verified(host, drilled, 'verified', { sequences: 'warning' });
  assert.match(
    findingOf(drilled, 'sequences').detail,
    /^lab_config\.undumped is at nothing, not between 9 and 9: pg_dump leaves out sequences of the extension lab_config$/,
  );
  assert.match(findingOf(drilled, 'sequences').remedy ?? '', /setval\('lab_config\.undumped', 9\)/);

  for (const change of [
    "INSERT INTO lab_config.settings VALUES ('mine', 'too', true)",
    "DELETE FROM lab_config.settings WHERE name = 'mine'; UPDATE lab_config.settings SET value = '2' WHERE is_own",
  ]) {
    await host.psql(change, 'configured');
    const changed = await drillOf('configured');
    await verified(host, changed, 'verified', { sequences: 'warning', 'left out': 'warning' });
    assert.match(
      findingOf(changed, 'left out').detail,
      /^not in the dump, so a restore has other rows: lab_config\.settings \([12] rows? that the extension lab_config does not name\)$/,
    );
  }

  await host.psql('CREATE INDEX mine ON lab_config.settings (value)', 'configured');
  const indexed = await drillOf('configured');
  await verified(host, indexed, 'verified', { sequences: 'warning', 'left out': 'warning', extensions: 'warning' });
  assert.match(
    findingOf(indexed, 'extensions').detail,
    /^not in the dump, and not in a restore: index mine on lab_config\.settings, which belongs to the extension lab_config\. /,
  );
});

test('what was added to an extension by hand, and what an update has left, is named; another version is told', async () => {
  await host.database.create('handmade');
  const extensions = async (expected: Record<string, string>) => {
    const drilled = await drillOf('handmade');
    await verified(host, drilled, 'verified', expected);
    return findingOf(drilled, 'extensions');
  };
  await host.psql("CREATE EXTENSION citext VERSION '1.5'", 'handmade');
  assert.match((await extensions({})).detail, /the image has different versions, .*: citext 1\.\d instead of 1\.5$/);

  // The later version has taken two operators away.
  await host.psql(
    `ALTER EXTENSION citext UPDATE; CREATE EXTENSION hstore VERSION '1.7';
     CREATE FUNCTION "left over"(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER EXTENSION hstore ADD FUNCTION "left over"(int)`,
    'handmade',
  );
  const older = await extensions({ extensions: 'warning' });
  assert.match(
    older.detail,
    /^not in the dump, and not in a restore: function public\."left over"\(integer\), .*operator public\.@.*: hstore 1\.8 instead of 1\.7$/,
  );
  assert.match(older.remedy ?? '', /First update the one in the database \(ALTER EXTENSION "hstore" UPDATE\)/);

  await host.psql(
    `ALTER EXTENSION hstore UPDATE;
     CREATE FUNCTION by_hand(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
     CREATE VIEW seen AS SELECT 1 AS one;
     CREATE TYPE pair AS (a int, b int);
     CREATE TABLE empty (n int);
     ALTER EXTENSION hstore ADD FUNCTION by_hand(text);
     ALTER EXTENSION citext ADD VIEW seen;
     ALTER EXTENSION citext ADD TYPE pair;
     ALTER EXTENSION citext ADD TABLE empty;`,
    'handmade',
  );
  const added = await extensions({ extensions: 'warning' });
  const belongs = (object: string, extension: string) => `${object}, which belongs to the extension ${extension}`;
  assert.ok(
    added.detail.startsWith(
      `not in the dump, and not in a restore: ${[
        belongs('table public.empty', 'citext'),
        belongs('type public.pair', 'citext'),
        belongs('view public.seen', 'citext'),
        belongs('function public."left over"(integer)', 'hstore'),
        belongs('function public.by_hand(pg_catalog.text)', 'hstore'),
      ].join(', ')}. The extensions: `,
    ),
    added.detail,
  );
  // The remedy is a statement that works: what was taken out is in the next dump.
  const [, statement] = /remove it from the extension: (ALTER EXTENSION .*)$/.exec(added.remedy ?? '') ?? [];
  assert.equal(statement, 'ALTER EXTENSION "citext" DROP table public.empty');
  await host.psql(
    `${statement};
     ALTER EXTENSION citext DROP type public.pair; ALTER EXTENSION citext DROP view public.seen;
     ALTER EXTENSION hstore DROP function public."left over"(integer); ALTER EXTENSION hstore DROP function public.by_hand(text)`,
    'handmade',
  );
  assert.match((await extensions({})).detail, /^citext 1\.\d, hstore 1\.8/);
});

test('what CREATE EXTENSION defines in another way, and what a schema lost with its name public, is named', async () => {
  await host.database.create('altered');
  await host.psql(
    `CREATE EXTENSION pgcrypto;
     ALTER FUNCTION digest(text, text) SET search_path = public;
     ALTER FUNCTION hmac(text, text, text) SECURITY DEFINER;
     CREATE EXTENSION earthdistance CASCADE;
     CREATE OR REPLACE FUNCTION earth() RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 1.0::float8';
     CREATE SCHEMA open;
     GRANT USAGE ON SCHEMA open TO PUBLIC;
     ALTER SCHEMA public RENAME TO "my app";`,
    'altered',
  );
  const drilled = await drillOf('altered');
  await verified(host, drilled, 'verified', { extensions: 'warning' });
  const { detail, remedy } = findingOf(drilled, 'extensions');
  assert.match(
    detail,
    /^restored as CREATE EXTENSION defines it, and changed in the database: function "my app"\.earth\(\) of the extension earthdistance, function "my app"\.digest\(pg_catalog\.text,pg_catalog\.text\) of the extension pgcrypto, function "my app"\.hmac\(pg_catalog\.text,pg_catalog\.text,pg_catalog\.text\) of the extension pgcrypto; lost in a restore: privilege USAGE for PUBLIC on schema "my app"\. The extensions: /,
  );
  assert.match(remedy ?? '', /After a restore: GRANT USAGE ON SCHEMA "my app" TO PUBLIC$/);
});

test('an index on a function that the owner of its table may no longer call', async () => {
  await host.database.create('granted');
  await host.psql(
    `CREATE ROLE migrator;
     CREATE FUNCTION norm(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN lower($1); END $$;
     CREATE TABLE people AS SELECT 'N' || n AS name FROM generate_series(1, 9) n;
     ALTER TABLE people OWNER TO migrator;
     CREATE INDEX ON people (norm(name));
     REVOKE ALL ON FUNCTION norm(text) FROM PUBLIC;`,
    'granted',
  );
  await verified(host, await drillOf('granted'), 'verified', { content: 'warning' });
});

test('a setting by which sessions write in an encoding that lacks some of the characters', async () => {
  await host.database.create('japanese');
  await host.psql(
    `CREATE TABLE "日本" AS SELECT '語' AS "値"; COMMENT ON TABLE "日本" IS '語'; COMMENT ON DATABASE japanese IS '語';
     ALTER DATABASE japanese SET client_encoding = 'LATIN1';`,
    'japanese',
  );
  for (const format of ['custom', 'plain']) await verified(host, await drillOf('japanese', { format }), 'verified');
});

test('a value that an index takes only as the server of the source compresses it', async () => {
  await host.database.create('long');
  await host.psql(
    "CREATE TABLE notes AS SELECT repeat('abcdefghij', 40000) AS note; CREATE INDEX ON notes (note);",
    'long',
  );
  await verified(host, await drillOf('long'), 'verified');
});

test('a large table without a key that has more columns than a row of a query', async () => {
  await host.database.create('wide');
  await host.psql(
    `SELECT format('CREATE TABLE wide (%s)', string_agg('c' || n || ' text', ', ')) FROM generate_series(1, 1600) n \\gexec
     SELECT format('INSERT INTO wide (%s) SELECT %s FROM generate_series(1, 6000) row',
         string_agg('c' || n, ', '), string_agg(format('repeat(md5((row * %s)::text), 2)', n), ', ')) FROM generate_series(1, 100) n \\gexec`,
    'wide',
  );
  const drilled = await drillOf('wide');
  await verified(host, drilled, 'verified');
  assert.match(findingOf(drilled, 'content').detail, /1 by a sample of [\d,]+ rows/);
});

test('money of a locale that the image lacks', async () => {
  await host.database.create('money');
  await host.psql("CREATE TABLE prices AS SELECT '1.50'::money AS price", 'money');
  const settings = { serverSettings: { lc_monetary: 'de_DE.UTF-8' } };
  const result = await drillOf('money', {}, () => settings);
  await verified(host, result, 'could-not-verify', { drill: 'could-not-check' });
  assert.match(findingOf(result, 'drill').detail, /lacks the locale de_DE\.UTF-8/);
  await verified(
    host,
    await drillOf('jobs', {}, ({ serverSettings }) => ({
      serverSettings: { ...(serverSettings as object), ...settings.serverSettings },
    })),
    'verified',
  );
});

test('another server, which a restore asks and a drill cannot reach, and a file that is not in the image', async () => {
  await host.database.create('far');
  await host.psql(
    `CREATE EXTENSION postgres_fdw;
     CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', dbname 'postgres');
     CREATE USER MAPPING FOR atlasia SERVER other OPTIONS ("user" 'atlasia');
     CREATE FOREIGN TABLE databases (datname name) SERVER other OPTIONS (schema_name 'pg_catalog', table_name 'pg_database');
     CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM databases;`,
    'far',
  );
  const far = await drillOf('far');
  await verified(host, far, 'could-not-verify', { drill: 'could-not-check' });
  assert.match(
    findingOf(far, 'drill').detail,
    /^A restore of this backup asks another server, .* so the drill proved nothing about the backup/,
  );
  await host.psql('REFRESH MATERIALIZED VIEW counted WITH NO DATA', 'far');
  await verified(host, await drillOf('far'), 'verified');

  await host.database.create('dictionary');
  const words = 'for d in /usr/share/postgresql/*/tsearch_data; do echo the >"$d/shop.stop"; done';
  await host.docker('exec', '--user', 'root', await host.container('db'), 'sh', '-c', words);
  await host.psql('CREATE TEXT SEARCH DICTIONARY shop (TEMPLATE = simple, STOPWORDS = shop)', 'dictionary');
  const lacking = await drillOf('dictionary');
  await verified(host, lacking, 'could-not-verify', { drill: 'could-not-check' });
  assert.match(
    findingOf(lacking, 'drill').detail,
    /^The image lacks a file that the source reads, such as a dictionary/,
  );
});

test('a view that the printed command cannot fill in time is not called restored by chance', async () => {
  await host.database.create('views');
  await host.psql(
    `CREATE MATERIALIZED VIEW later AS SELECT 1 AS n;
     CREATE FUNCTION reads_later() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
       -- Meanwhile another session would have filled it.
       PERFORM pg_sleep(0.5);
       RETURN (SELECT n FROM public.later);
     END $$;
     CREATE MATERIALIZED VIEW first AS SELECT reads_later() AS n;`,
    'views',
  );
  const result = await drillOf('views');
  await verified(host, result, 'failed', {
    restore: 'failed',
    ...Object.fromEntries(
      ['tables', 'rows', 'content', 'sequences', 'large objects', 'extensions', 'schema', 'indexes'].map((name) => [
        name,
        'could-not-check',
      ]),
    ),
  });
  assert.match(findingOf(result, 'restore').detail, /materialized view "later" has not been populated/);
  assert.match(findingOf(result, 'restore').remedy ?? '', /^The file is intact; the source itself does not restore/);
});

test('a value that needs more memory than there is', async () => {
  await host.database.create('large');
  await host.psql("CREATE TABLE files AS SELECT decode(repeat('0123456789abcdef', 5 << 20), 'hex') AS body", 'large');
  const ranOut = await drillOf('large', { 'drill-memory': '192MiB' });
  await verified(host, ranOut, 'could-not-verify', { drill: 'could-not-check' });
  const { detail, remedy } = findingOf(ranOut, 'drill');
  assert.match(
    detail,
    /^Memory ran out in the scratch container, which may use 192\.0 MiB, so the drill proved nothing/,
  );
  assert.match(remedy ?? '', /^Set "drill-memory" to \d+(MiB|GiB)/);
  await noDrillLeft(host, dir);

  const refused = await drillOf('large', { 'drill-memory': '192MiB' }, ({ tables }) => ({
    tables: (tables as object[]).map((table) => ({ ...table, largestValue: 300 << 20 })),
  }));
  await verified(host, refused, 'could-not-verify', { drill: 'could-not-check' });
  assert.match(findingOf(refused, 'drill').detail, /the largest value in public\.files has 300\.0 MiB/);
  assert.match(findingOf(refused, 'drill').remedy ?? '', /^Nothing was restored\. Set "drill-memory" to 2304MiB/);
});

test('amcheck without its library', async () => {
  const container = await host.container('db');
  const image = (await host.docker('inspect', '--format', '{{.Config.Image}}', container)).trim();
  const lacking = `${host.project}/postgres:lacking`;
  const maker = (
    await host.docker('create', '--entrypoint', 'sh', image, '-c', 'rm /usr/lib/postgresql/*/lib/amcheck.so')
  ).trim();
  await host.docker('start', '--attach', maker);
  const entry = ['--change', 'ENTRYPOINT ["docker-entrypoint.sh"]', '--change', 'CMD ["postgres"]'];
  await host.docker('commit', ...entry, maker, lacking);
  await host.docker('rm', maker);
  await bash(host, 'sed -i "s#^POSTGRES_IMAGE=.*#POSTGRES_IMAGE=$1#" .env', lacking);
  await host.composeUp(['db']);
  try {
    const result = await drillOf('jobs');
    await verified(host, result, 'could-not-verify', { indexes: 'could-not-check' });
    assert.match(findingOf(result, 'indexes').detail, /amcheck/);
  } finally {
    await bash(host, 'sed -i "s#^POSTGRES_IMAGE=.*#POSTGRES_IMAGE=$1#" .env', image);
    await host.composeUp(['db']);
    await host.docker('rmi', lacking);
  }
});
