// How a database sorts is part of it. PostgreSQL 16 and 17 have learnt ways of which 15 knows nothing: on a server of 17, the
// drill, the printed command and the restore bring each of them back.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { TableCount } from '../../shared/postgres/facts.ts';
import { identifier } from '../lab/database.ts';
import { runAction } from '../lab/runner.ts';
import { adviceIn, errorsOf, logOf, succeeded } from './expectations.ts';
import { paste, printedCommand } from './printed.ts';
import { sqlFile } from './restores.ts';
import { backup, type Inputs, manifestOf } from './sets.ts';
import { hostForFile } from './stage.ts';
import { findingOf, verified, verify } from './verifications.ts';

const { host } = await hostForFile({ name: 'later', postgres: 'extended', seed: false });

const ways = [
  {
    name: 'icu',
    options: "LOCALE_PROVIDER icu ICU_LOCALE 'en' ICU_RULES '&V << w <<< W'",
    // Without the rules: v V v1 w W x.
    sorted: 'v V w W v1 x',
  },
  {
    name: "icu with ' and spaces",
    options: "LOCALE_PROVIDER icu ICU_LOCALE 'und' ICU_RULES '&x < '' '' < V'",
    sorted: '',
  },
  { name: 'builtin', options: "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'", sorted: 'V W v v1 w x' },
] as const;

const sortedIn = (database: string) => host.psql("SELECT string_agg(word, ' ' ORDER BY word) FROM words", database);
const wayOf = (database: string) =>
  host.psql(
    `SELECT datlocprovider, datlocale, daticurules FROM pg_database WHERE datname = '${database.replaceAll("'", "''")}'`,
    'postgres',
  );

for (const { name, options, sorted } of ways) {
  test(`a database that sorts as ${name} does comes back so: by the drill, by hand, by the button`, async () => {
    const dir = host.newBackupDir();
    await host.psql(`CREATE DATABASE ${identifier(name)} TEMPLATE template0 LOCALE 'C' ${options}`, 'postgres');
    // An index that was built in another order is corrupt, and amcheck says so.
    await host.psql(
      `CREATE TABLE words (word text PRIMARY KEY);
       INSERT INTO words SELECT unnest(ARRAY['x', 'W', 'v', 'w', 'V', 'v1'])`,
      name,
    );
    const [way, order] = [await wayOf(name), await sortedIn(name)];
    if (sorted !== '') assert.equal(order, sorted);

    const inputs: Inputs = { 'db-name': name };
    const taken = await backup(host, dir, inputs);
    succeeded(taken);
    await verified(host, await verify(host, dir, { checks: 'drill', ...inputs }), 'verified');

    const byHand = await paste(host, await printedCommand(host, taken));
    assert.equal(byHand.code, 0, byHand.stderr);
    const copy = `${name}_restored`;
    assert.deepEqual([await wayOf(copy), await sortedIn(copy)], [way, order]);
    await host.database.drop(copy);

    await host.psql('DROP TABLE words', name);
    const restored = await runAction('rollback', {
      ...host.inputs(),
      ...inputs,
      'backup-dir': dir,
      confirm: 'ROLLBACK',
      reason: 'a table was lost',
      'restore-database': taken.outputs['backup-id'] ?? '',
      'confirm-restore': 'RESTORE',
    });
    assert.equal(restored.outputs['status'], 'rolled-back', logOf(restored));
    assert.deepEqual([await wayOf(name), await sortedIn(name)], [way, order]);
  });
}

describe('event triggers', { concurrency: 1 }, () => {
  const name = 'watched';
  const dir = host.newBackupDir();
  const restore = (id: string, inputs: Inputs = {}) =>
    runAction('rollback', {
      ...host.inputs(),
      'db-name': name,
      'backup-dir': dir,
      'skip-backup': 'true',
      confirm: 'ROLLBACK',
      reason: 'a table was lost',
      'restore-database': id,
      'confirm-restore': 'RESTORE',
      ...inputs,
    });
  const trigger = (body: string) =>
    host.psql(
      `CREATE FUNCTION at_login() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN ${body} END $$;
       CREATE EVENT TRIGGER at_login ON login EXECUTE FUNCTION at_login();
       ALTER EVENT TRIGGER at_login ENABLE ALWAYS;`,
      name,
    );
  const taken = async () => {
    const result = await backup(host, dir, { 'db-name': name });
    succeeded(result);
    return result.outputs['backup-id'] ?? '';
  };
  beforeEach(async () => {
    await host.database.drop(name);
    await host.database.create(name);
    await host.psql('CREATE TABLE logins (at timestamptz DEFAULT now()); CREATE INDEX ON logins (at);', name);
  });

  test('one that notes who comes does not note us, before all is compared', async () => {
    await trigger('INSERT INTO public.logins DEFAULT VALUES;');
    const { id, ...manifest } = await manifestOf(host, await backup(host, dir, { 'db-name': name }));
    // It notes the sessions of the backup in the source.
    const noted = (manifest['tables'] as TableCount[]).find((table) => table.name === 'logins')?.rows;
    // The statements of a drill come from a role that may not write, nor switch triggers off: it would not even get in.
    const unnoticed = sqlFile(`SELECT count(*) = ${noted} FROM logins;\n`);
    const drilled = await verify(host, dir, { checks: 'drill', 'db-name': name, 'drill-sql': unnoticed });
    await verified(host, drilled, 'verified');
    const afterwards = sqlFile(`SELECT 1 / (count(*) = ${noted})::int FROM logins;\n`);
    const result = await restore(id, { 'after-restore-sql': afterwards });
    assert.equal(result.outputs['status'], 'rolled-back', logOf(result));
    assert.equal(await host.psql("SELECT evtenabled FROM pg_event_trigger WHERE evtname = 'at_login'", name), 'A');
  });

  test('one that lets nobody in is found before anything is stopped, and can be mended', async () => {
    await trigger(`IF current_database() ~ '_restore_' THEN RAISE EXCEPTION 'nobody comes in'; END IF;`);
    const id = await taken();
    const refused = await restore(id);
    assert.match(
      errorsOf(refused)[0]?.message ?? '',
      /Could not log in to the restored database as "db-user"/,
      logOf(refused),
    );
    assert.match(adviceIn(refused), /database is untouched.*copy was dropped/);
    const mend = sqlFile('DROP EVENT TRIGGER at_login;\n');
    const result = await restore(id, { 'after-restore-sql': mend });
    assert.equal(result.outputs['status'], 'rolled-back', logOf(result));
    assert.equal(await host.psql('SELECT count(*) FROM pg_event_trigger', name), '0');
  });

  test('one that forbids what a restore does at its end: the drill says so, and the restore goes on without it', async () => {
    await host.psql(
      `CREATE MATERIALIZED VIEW latest AS SELECT max(at) FROM logins;
       CREATE FUNCTION frozen() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'nothing changes here'; END $$;
       CREATE EVENT TRIGGER frozen ON ddl_command_start WHEN TAG IN ('REFRESH MATERIALIZED VIEW') EXECUTE FUNCTION frozen();`,
      name,
    );
    const id = await taken();
    const drilled = await verify(host, dir, { checks: 'drill', 'db-name': name });
    assert.equal(drilled.outputs['status'], 'failed', logOf(drilled));
    const { result: how, detail } = findingOf(drilled, 'restore');
    assert.equal(how, 'failed', detail);
    const result = await restore(id);
    assert.equal(result.outputs['status'], 'rolled-back', logOf(result));
    assert.equal(await host.psql('SELECT count(*) FROM latest', name), '1');
  });
});
