// Databases as the public has them: what a backup and its drill say of them is true, of what is lost and of what is good.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Host } from '../lab/host.ts';
import { succeeded } from './expectations.ts';
import { backup, bash, type Inputs, type ManifestJson, manifestOf, read } from './sets.ts';
import { hostForFile, startHostForFile } from './stage.ts';
import { findingOf, verified, verify } from './verifications.ts';

const { lab, host } = await hostForFile({ name: 'public', seed: false });
const shapes = readFileSync(new URL('../lab/sql/real-databases.sql', import.meta.url), 'utf8');

interface TableJson {
  schema: string;
  name: string;
  content?: { oneIn: number; hash: string };
}
const tableOf = (manifest: ManifestJson, schema: string, name: string) =>
  (manifest['tables'] as TableJson[]).find((table) => table.schema === schema && table.name === name);

/** A server of version 17 that loads pg_cron, and where all that shapes what it prints is other than usual. */
async function startExtended(): Promise<Host> {
  const extended = await startHostForFile(lab, { name: 'extended', postgres: 'extended', seed: false });
  const container = await extended.container('db');
  const settings = `shared_preload_libraries = 'pg_cron'
cron.database_name = 'shapes'
standard_conforming_strings = off
quote_all_identifiers = on
bytea_output = escape
timezone = 'America/New_York'
datestyle = 'ISO, DMY'
default_text_search_config = 'pg_catalog.german'`;
  const script = `docker exec --user postgres "$1" sh -c 'printf "%s\\n" "$1" >>"$PGDATA/postgresql.conf"' sh "$2"
    docker exec "$1" install -d -o postgres /var/lib/postgresql/elsewhere; docker restart --time 1 "$1"`;
  await bash(extended, script, container, settings);
  await extended.composeUp(['db']);
  await extended.psql("CREATE TABLESPACE elsewhere LOCATION '/var/lib/postgresql/elsewhere';");
  return extended;
}

const left =
  /1\s+row\s+in\s+information_schema\.notes,\s+which\s+stands\s+in\s+a\s+schema\s+of\s+PostgreSQL's\s+own,\s+1\s+row\s+in\s+lost\.q_mail,\s+which\s+belongs\s+to\s+the\s+extension\s+hstore/;
const lostValues = /the values in lost\.addresses, lost\.parcels are not/;
/** What pg_dump loses of an extension's sequences, which nobody can keep it from. */
const sequences = { sequences: 'warning' };

describe('a real database', () => {
  for (const [server, start, options, known] of [
    ['an older server', async () => host, '', {}],
    [
      'a later server',
      startExtended,
      "LOCALE_PROVIDER icu ICU_LOCALE 'en' ICU_RULES '&V << w <<< W' LOCALE 'C'",
      sequences,
    ],
  ] as const)
    test(`on ${server}: its drill names what a restore loses, and condemns nothing else`, async () => {
      const host = await start();
      const dir = host.newBackupDir();
      await host.psql(`CREATE DATABASE shapes TEMPLATE template0 ${options}`, 'postgres');
      await host.psql(shapes, 'shapes');
      const taken = await backup(host, dir, { 'db-name': 'shapes' });
      succeeded(taken);
      const manifest = await manifestOf(host, taken);
      const report = await read(host, taken.outputs['report-file'] ?? '');

      // Of tables that belong to extensions the report tells at once.
      for (const text of [report, taken.summary]) assert.match(text, left);
      // Some is hashed whole, and some of the large by one row in so many.
      assert.equal(tableOf(manifest, 'good', 'accounts')?.content?.oneIn, 1);
      assert.ok(
        ['large_heap', 'large_pairs'].every((name) => Number(tableOf(manifest, 'good', name)?.content?.oneIn) > 1),
      );

      const setup = await verify(host, dir, { checks: 'setup', 'db-name': 'shapes' });
      assert.match(findingOf(setup, 'other databases').detail, /no verified backup of .*: "atlasia"/);

      const drill = (inputs: Inputs = {}) => verify(host, dir, { checks: 'drill', 'db-name': 'shapes', ...inputs });
      const drilled = await drill();
      await verified(host, drilled, 'failed', {
        content: 'failed',
        'left out': 'failed',
        extensions: 'warning',
        ...sequences,
      });
      assert.match(
        findingOf(drilled, 'sequences').detail,
        /lost\.q_mail_number_seq is at nothing, not between -1 and -1/,
      );
      assert.match(findingOf(drilled, 'content').detail, lostValues);
      assert.match(
        findingOf(drilled, 'content').remedy ?? '',
        /generated columns again, .*lost\.addresses, lost\.parcels/,
      );
      assert.match(findingOf(drilled, 'left out').detail, left);
      assert.match(
        findingOf(drilled, 'extensions').detail,
        /^not in the dump, and not in a restore: function pg_catalog\.everywhere\(integer\), which stands in a schema of PostgreSQL's own, function lost\.by_hand\(integer\), which belongs to the extension hstore\. The extensions: /,
      );
      if (known === sequences) {
        assert.match(findingOf(drilled, 'sequences').detail, /lab_config\.undumped is at nothing, not between 9 and 9/);
        // The server that is too small for the largest value says nothing of the backup.
        const small = await drill({ 'drill-memory': '192MiB' });
        await verified(host, small, 'could-not-verify', { drill: 'could-not-check' });
        assert.match(findingOf(small, 'drill').detail, /^Memory ran out in the scratch container/);
      }

      await host.psql(
        'ALTER EXTENSION hstore DROP TABLE lost.q_mail; ALTER EXTENSION hstore DROP FUNCTION lost.by_hand(int); DROP TABLE information_schema.notes; DROP FUNCTION pg_catalog.everywhere(int); ALTER TABLE lost.addresses DROP COLUMN zone; ALTER TABLE lost.parcels DROP COLUMN zone',
        'shapes',
      );
      succeeded(await backup(host, dir, { 'db-name': 'shapes' }));
      const whole = await drill();
      await verified(host, whole, 'verified', known);
      assert.match(
        findingOf(whole, 'content').detail,
        /^hashed, with equal results: \d+ tables whole, \d by a sample of [\d,]+ rows in all\. A restore leaves materialized views empty if they were empty before, or read one that was: good\.empty_view, lost\.emptied_view, lost\.stale_view$/,
      );
    });

  test('a value that was changed in a plain dump is found: of a small table, and of a large one', async () => {
    const dir = host.newBackupDir();
    await host.docker('exec', '--user', 'postgres', await host.container('db'), 'mkdir', '-p', '/tmp/fast');
    await host.database.create('values');
    await host.psql(
      `CREATE TABLESPACE fast LOCATION '/tmp/fast';
       CREATE TABLE people TABLESPACE fast AS SELECT n AS id, 'name ' || n AS name FROM generate_series(1, 500) n;
       CREATE TABLE notes AS SELECT true AS active, repeat(md5(n::text), 20) AS note, n AS number FROM generate_series(1, 70000) n;`,
      'values',
    );
    const taken = await backup(host, dir, { 'db-name': 'values', format: 'plain', compression: 'none' });
    succeeded(taken);
    const drill = () => verify(host, dir, { checks: 'drill', 'db-name': 'values' });
    await verified(host, await drill(), 'verified');
    const manifest = await manifestOf(host, taken);
    const forge = async (change: string) => {
      const forged = await host.exec([
        'bash',
        '-euc',
        `cd -- "\${1%/*}"; was=$(sha256sum "$1" | cut -d ' ' -f 1); sed -i "$2" "$1"; is=$(sha256sum "$1" | cut -d ' ' -f 1)
         sed -i "s/$was/$is/" ./*.manifest.json`,
        'bash',
        taken.outputs['backup-file'] ?? '',
        change,
      ]);
      assert.equal(forged.code, 0, forged.stderr);
    };
    assert.ok(Number(tableOf(manifest, 'public', 'notes')?.content?.oneIn) > 1);
    await forge('s/\\t\\([0-9]*\\)1$/\\t\\12/');
    await forge('s/\\tname 77$/\\tname 78/');
    const drilled = await drill();
    await verified(host, drilled, 'failed', { content: 'failed' });
    assert.match(findingOf(drilled, 'content').detail, /^the values in public\.notes, public\.people are/);
    await host.database.drop('values');
    await host.psql('DROP TABLESPACE fast');
  });

  test('tables of another role are counted, and that they were not hashed is a warning', async () => {
    const dir = host.newBackupDir();
    await host.psql('CREATE ROLE app LOGIN;');
    await host.psql('CREATE DATABASE owned OWNER app;', 'postgres');
    await host.psql(
      'CREATE TABLE ours AS SELECT 1 AS n; CREATE TABLE theirs AS SELECT 2 AS n; ALTER TABLE theirs OWNER TO app',
      'owned',
    );
    succeeded(await backup(host, dir, { 'db-name': 'owned' }));
    const drilled = await verify(host, dir, { checks: 'drill', 'db-name': 'owned' });
    // The schema public belongs to the database's owner, who could give its tables code.
    await verified(host, drilled, 'verified', { content: 'warning' });
    assert.match(findingOf(drilled, 'content').detail, /^only the rows were counted of public\.ours, public\.theirs/);
  });

  test('what pg_dump warns of is told', async () => {
    const dir = host.newBackupDir();
    await host.psql('CREATE ROLE clerk LOGIN;');
    await host.psql('CREATE DATABASE warned OWNER clerk;', 'postgres');
    await host.psql(
      "CREATE SUBSCRIPTION s CONNECTION 'dbname=x password=hunter2' PUBLICATION p WITH (connect = false)",
      'warned',
    );
    // What a plain role may not read, and pg_dump does not need.
    await host.psql(
      'CREATE EXTENSION hstore; CREATE SCHEMA private; CREATE TABLE private.log (n int); ALTER EXTENSION hstore ADD TABLE private.log',
      'warned',
    );
    const taken = await backup(host, dir, { 'db-name': 'warned', 'db-user': 'clerk' });
    succeeded(taken);
    const warning = 'subscriptions not dumped because current user is not a superuser';
    assert.deepEqual((await manifestOf(host, taken))['dumpWarnings'], [warning]);
    for (const text of [await read(host, taken.outputs['report-file'] ?? ''), taken.summary])
      assert.match(text, /pg_dump warned of 1 thing: subscriptions not\s+dumped/);
  });

  test('names and rows in other characters than UTF-8 are backed up, compared and come back', async () => {
    const dir = host.newBackupDir();
    await host.psql("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'", 'postgres');
    await host.psql(
      `SET client_encoding = 'UTF8';
       CREATE TABLE "café" ("naïve" text CHECK ("naïve" IN ('é', 'à'))); INSERT INTO "café" VALUES ('é');
       CREATE SEQUENCE "numéro"; COMMENT ON TABLE "café" IS 'où';`,
      'latin',
    );
    for (const format of ['custom', 'plain']) {
      const taken = await backup(host, dir, { 'db-name': 'latin', format });
      succeeded(taken);
      assert.equal(tableOf(await manifestOf(host, taken), 'public', 'café')?.content?.oneIn, 1);
      await verified(host, await verify(host, dir, { checks: 'drill', 'db-name': 'latin' }), 'verified');
    }
    await host.database.drop('latin');
  });

  test('what a database sets for itself is no setting of its server: a restore into a new one does without', async () => {
    await host.database.create('set');
    await host.psql('ALTER DATABASE "set" SET timezone = \'Asia/Tokyo\'', 'postgres');
    const taken = await backup(host, host.newBackupDir(), { 'db-name': 'set' });
    succeeded(taken);
    const { TimeZone, DateStyle } = (await manifestOf(host, taken))['serverSettings'] as Record<string, string>;
    assert.deepEqual({ TimeZone, DateStyle }, { TimeZone: undefined, DateStyle: 'ISO, MDY' });
    await host.database.drop('set');
  });

  test('more tables than the server has locks for are counted and dumped', async () => {
    const dir = host.newBackupDir();
    await host.database.create('many');
    const make = Array.from(
      { length: 16 },
      () =>
        "DO $$ BEGIN FOR i IN 1..500 LOOP EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY)', nextval('n')); END LOOP; END $$;",
    );
    await host.psql(`CREATE SEQUENCE n; ${make.join('\n')}`, 'many');
    const taken = await backup(host, dir, { 'db-name': 'many' });
    await succeeded(taken);
    assert.equal(((await manifestOf(host, taken))['tables'] as unknown[]).length, 8_000);
    await host.database.drop('many');
  });
});
