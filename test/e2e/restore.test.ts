// The restore commands as they are printed, run as an operator would paste them: what comes out equals the source.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type Content, identifier, literal } from '../lab/database.ts';
import { type Host, startHost } from '../lab/host.ts';
import type { ActionResult } from '../lab/runner.ts';
import { succeeded } from './expectations.ts';
import { blockOf, paste, printedCommand } from './printed.ts';
import { backup, type Inputs, manifestOf, read, smallDatabase } from './sets.ts';
import { labForFile } from './stage.ts';

const lab = await labForFile();

/** Is there where something was run that is only a name. */
const trap = '/tmp/atlasia-pwned';

/** Restores a backup by its printed command, and drops the result when it has been looked at. */
async function restored(host: Host, result: ActionResult, name: string): Promise<Content> {
  const outcome = await paste(host, await printedCommand(host, result));
  try {
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.equal(outcome.stderr, '');
    assert.ok(outcome.stdout.endsWith(`Restored into ${name}\n`), outcome.stdout);
    return await host.database.contentOf(name);
  } finally {
    await host.database.drop(name);
  }
}

interface Form {
  inputs: Inputs;
  file: RegExp;
  encoding: string;
}

function restoresInEveryForm(host: () => Host, forms: readonly Form[]): void {
  let source: Content;
  let dir: string;
  before(async () => {
    source = await host().database.contentOf();
    assert.ok(Object.keys(source).length > 100);
    dir = host().newBackupDir();
  });

  for (const { inputs, file, encoding } of forms) {
    test(`${Object.values(inputs).join(', ') || 'as it comes'}: ${encoding}`, async () => {
      const result = await backup(host(), dir, inputs);
      succeeded(result);
      const manifest = await manifestOf(host(), result);
      assert.match(manifest.file, file);
      assert.equal(`${manifest['format']} ${manifest['compression']}`, encoding);
      assert.deepEqual(await restored(host(), result, 'atlasia_restored'), source);
    });
  }
}

describe('a restore on a host with the official image', () => {
  let host: Host;
  before(async () => {
    host = await startHost(lab, { name: 'restore', deployFolder: "it's $(touch here) a" });
  });
  after(() => host?.stop());

  describe('gives a database that equals the source, for each format', () => {
    restoresInEveryForm(
      () => host,
      [
        { inputs: {}, file: /\.dump\.zst$/, encoding: 'custom zstd' },
        { inputs: { compression: 'gzip' }, file: /\.dump$/, encoding: 'custom gzip' },
        { inputs: { compression: 'none' }, file: /\.dump$/, encoding: 'custom none' },
        { inputs: { format: 'plain' }, file: /\.sql\.gz$/, encoding: 'plain gzip' },
        { inputs: { format: 'plain', compression: 'zstd' }, file: /\.sql\.zst$/, encoding: 'plain zstd' },
        { inputs: { format: 'plain', compression: 'none' }, file: /\.sql$/, encoding: 'plain none' },
      ],
    );
  });

  describe('means this database and no other, whatever its name says', () => {
    const user = `host=evil user="O'Neil" $(id)`;
    before(() => host.psql(`CREATE ROLE ${identifier(user)} SUPERUSER LOGIN;`));

    const names: [name: string, user: string][] = [
      ['host=evil dbname=atlasia', user],
      ['postgresql://evil:5432/atlasia?user=x', 'atlasia'],
      ['it\'s "a" $(touch /tmp/atlasia-pwned) `id` \\ %s!', user],
      ['-dash --help; rm', 'atlasia'],
      ['line one\n::set-output name=status::x\r##[error]名前', 'atlasia'],
    ];
    for (const [name, dbUser] of names) {
      test(JSON.stringify(name), async () => {
        await smallDatabase(host, name, 50);
        const source = await host.database.contentOf(name);
        const result = await backup(host, host.newBackupDir(), { 'db-name': name, 'db-user': dbUser });
        succeeded(result);
        assert.equal((await manifestOf(host, result))['database'], name);
        const command = await printedCommand(host, result);
        const outcome = await paste(host, command);
        assert.equal(outcome.code, 0, `${command}\n${outcome.stderr}`);
        assert.deepEqual(await host.database.contentOf(`${name}_restored`), source);
        assert.equal(existsSync(trap), false);
        await host.database.drop(name);
        await host.database.drop(`${name}_restored`);
      });
    }
  });

  describe('goes the whole way', () => {
    let dir: string;
    let report: string;
    const name = "the 'shop'";
    const settingsOf = (database: string) =>
      host.psql(`
        SELECT pg_get_userbyid(datdba), datconnlimit, shobj_description(oid, 'pg_database'),
          (SELECT array_agg(acl::text ORDER BY acl::text) FROM unnest(datacl) acl)
          FROM pg_database WHERE datname = ${literal(database)};
        SELECT coalesce(rolname, '-'), unnest(setconfig) FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = setrole
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = ${literal(database)}) ORDER BY 1, 2;`);

    before(async () => {
      dir = host.newBackupDir();
      await smallDatabase(host, name, 20);
      await host.psql(`
        CREATE ROLE "app's reader" LOGIN PASSWORD 'hidden';
        ALTER DATABASE ${identifier(name)} SET work_mem = '9MB';
        ALTER DATABASE ${identifier(name)} CONNECTION LIMIT 77;
        ALTER DATABASE ${identifier(name)} OWNER TO "app's reader";
        COMMENT ON DATABASE ${identifier(name)} IS 'the $1 "shop"';
        REVOKE CONNECT ON DATABASE ${identifier(name)} FROM PUBLIC;
        GRANT CONNECT ON DATABASE ${identifier(name)} TO pg_monitor WITH GRANT OPTION;
        ALTER DATABASE ${identifier(name)} SET search_path = "$user", public;
        ALTER ROLE "app's reader" IN DATABASE ${identifier(name)} SET statement_timeout = '7min';`);
      const result = await backup(host, dir, { 'db-name': name });
      succeeded(result);
      report = await read(host, result.outputs['report-file'] ?? '');
    });

    test('the restored database takes the place of the old one, with its settings', async () => {
      const before = await settingsOf(name);
      const source = await host.database.contentOf(name);
      await host.psql('DELETE FROM items;', name);
      for (const number of [2, 3]) {
        const outcome = await paste(host, blockOf(report, number));
        assert.equal(outcome.code, 0, `${blockOf(report, number)}\n${outcome.stderr}`);
      }
      assert.deepEqual(await host.database.contentOf(name), source);
      assert.equal(await settingsOf(name), before);
      assert.match(
        before,
        /^app's reader\|77\|the \$1 "shop"\|.*pg_monitor=c\*[\s\S]*9MB[\s\S]*statement_timeout=7min/,
      );
      assert.equal(await host.psql('SELECT count(*) FROM items;', `${name}_replaced`), '0');
    });

    test('what a role has put into names, comments and settings is put back as it was, and none of it is run', async () => {
      // What passes through the lists of names unquoted; the old marker; a command of psql's; and SQL of every kind of quote.
      const act = 'ALTER/**/ROLE/**/mallory/**/SUPERUSER';
      const hostile = `-- Settings of the database\n\\! touch ${trap}\n'; ${act}; --"; ${act}; $$; ${act};\n\\i /dev/null\n`;
      const [role, database] = [`mallory\n${act};--`, `mall\n-- Settings of the database\n${act};`];
      await host.psql('CREATE ROLE mallory LOGIN;');
      await host.psql(`CREATE ROLE ${identifier(role)} LOGIN;`);
      await smallDatabase(host, database, 5);
      await host.psql(`ALTER DATABASE ${identifier(database)} OWNER TO mallory;`);
      await host.psql(
        `SET SESSION AUTHORIZATION mallory;
         COMMENT ON DATABASE ${identifier(database)} IS ${literal(hostile)};
         SELECT set_config('search_path', '"$user", q""x, "a""b c",d-e', false);
         ALTER DATABASE ${identifier(database)} SET search_path FROM CURRENT;
         SELECT set_config('search_path', 'a;${act};--', false);
         ALTER ROLE mallory IN DATABASE ${identifier(database)} SET search_path FROM CURRENT;
         RESET SESSION AUTHORIZATION;
         ALTER DATABASE ${identifier(database)} SET "a.b" = ${literal(hostile)};
         ALTER ROLE ${identifier(role)} IN DATABASE ${identifier(database)} SET search_path FROM CURRENT;
         ALTER ROLE ${identifier(role)} SET application_name = ${literal(hostile)};`,
        database,
      );
      const kept = () => settingsOf(database);
      const before = await kept();
      const result = await backup(host, dir, { 'db-name': database });
      succeeded(result);
      const printed = await read(host, result.outputs['report-file'] ?? '');
      for (const number of [1, 2, 3]) {
        const outcome = await paste(host, blockOf(printed, number));
        assert.equal(outcome.code, 0, `${blockOf(printed, number)}\n${outcome.stderr}`);
      }
      assert.equal(await host.psql("SELECT count(*) FROM pg_roles WHERE rolsuper AND rolname LIKE 'mall%';"), '0');
      assert.equal(existsSync(trap), false);
      // A list comes back with its names in quotes, as PostgreSQL writes one that was set in the usual way.
      const quoted = before
        .replaceAll(`search_path=a;${act};--`, `search_path="a;${act};--"`)
        .replace(`search_path="$user", q""x, "a""b c",d-e`, `search_path="$user", "q""""x", "a""b c", "d-e"`);
      assert.notEqual(quoted, before);
      assert.equal(await kept(), quoted);
      assert.equal(await host.psql('SELECT count(*) FROM public.items;', database), '5');
    });

    test('a role that is gone comes back, without its password', async () => {
      await host.psql(`REASSIGN OWNED BY "app's reader" TO atlasia; DROP OWNED BY "app's reader";`, name);
      await host.psql(`REASSIGN OWNED BY "app's reader" TO atlasia; DROP OWNED BY "app's reader";
        DROP ROLE "app's reader";`);
      const outcome = await paste(host, blockOf(report, 1));
      assert.equal(outcome.code, 0, outcome.stderr);
      assert.equal(
        await host.psql("SELECT rolcanlogin, rolpassword IS NULL FROM pg_authid WHERE rolname = 'app''s reader';"),
        't|t',
      );
    });

    test('a damaged file is not restored, and a database that is there is not touched', async () => {
      const command = blockOf(report, 2);
      const again = await backup(host, dir, { 'db-name': name });
      const file = again.outputs['backup-file'] ?? '';
      const fresh = await printedCommand(host, again);
      await host.exec(['bash', '-c', 'printf X | dd of="$1" bs=1 seek=300 conv=notrunc status=none', 'bash', file]);
      const outcome = await paste(host, fresh);
      assert.notEqual(outcome.code, 0);
      assert.match(outcome.stdout, /\.dump\.zst: FAILED/);
      assert.doesNotMatch(outcome.stdout, /Restored/);
      const made = "SELECT datname FROM pg_database WHERE datname LIKE '%restored';";
      assert.equal(await host.psql(made), '');

      // The first backup of the day has been pruned from daily, where the command looks for it.
      await host.database.create(`${name}_restored`);
      const second = await paste(host, command);
      assert.notEqual(second.code, 0);
      assert.doesNotMatch(second.stdout, /Restored/);
    });
  });
});

describe('a restore on a host whose image has neither zstd nor bash', () => {
  let host: Host;
  before(async () => {
    host = await startHost(lab, { name: 'lean', postgres: 'lean' });
  });
  after(() => host?.stop());

  restoresInEveryForm(
    () => host,
    [
      { inputs: {}, file: /\.dump\.zst$/, encoding: 'custom zstd' },
      { inputs: { format: 'plain' }, file: /\.sql\.gz$/, encoding: 'plain gzip' },
      { inputs: { format: 'plain', compression: 'zstd' }, file: /\.sql\.zst$/, encoding: 'plain zstd' },
    ],
  );
});
