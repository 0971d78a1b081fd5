// A database with pg_cron can be restored under its own name alone. Its printed commands are run as an operator pastes them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Host } from '../lab/host.ts';
import { succeeded } from './expectations.ts';
import { blockOf, paste, printedCommand } from './printed.ts';
import { backup, read } from './sets.ts';
import { labForFile, startHostForFile } from './stage.ts';

const lab = await labForFile();

/** A host whose server has pg_cron in this database. */
function hostWithCron(database: string): Promise<Host> {
  const compose = readFileSync(new URL('../lab/host/docker-compose.yml', import.meta.url), 'utf8').replace(
    'listen_addresses=*,',
    `listen_addresses=*, -c, shared_preload_libraries=pg_cron, -c, cron.database_name=${database}, -c, cron.use_background_workers=on,`,
  );
  const project = () => ({ compose, settings: {} });
  return startHostForFile(lab, { name: `cron-${database}`, postgres: 'extended', seed: false, project });
}

const host = await hostWithCron('atlasia');

const jobs = () => host.psql('SELECT jobname, schedule, command, database, username FROM cron.job ORDER BY jobid');

for (const format of ['custom', 'plain']) {
  test(`a database with pg_cron takes the place of the old one, with its jobs: ${format}`, async () => {
    await host.psql(`
      DROP EXTENSION IF EXISTS pg_cron;
      DROP TABLE IF EXISTS notes;
      CREATE EXTENSION pg_cron;
      GRANT USAGE ON SCHEMA cron TO pg_monitor;
      SELECT cron.schedule('tidy ''up''', '0 3 * * *', 'DELETE FROM notes WHERE n > 3');
      SELECT cron.schedule('yearly', '0 3 1 1 *', 'SELECT 1');
      ALTER DATABASE atlasia SET work_mem = '9MB';
      CREATE TABLE notes AS SELECT n FROM generate_series(1, 7) n`);
    const [before, dir] = [await jobs(), host.newBackupDir()];
    assert.equal(before.split('\n').length, 2);
    const result = await backup(host, dir, { format });
    succeeded(result);
    const report = await read(host, result.outputs['report-file'] ?? '');
    assert.match(report, /pg_cron\s+works\s+only\s+in\s+the\s+database\s+of\s+this\s+name/);

    await host.psql("DELETE FROM notes; SELECT cron.unschedule('yearly')");
    const block = await printedCommand(host, result);
    assert.equal(block, blockOf(report, 2));
    const outcome = await paste(host, block);
    assert.equal(outcome.code, 0, `${block}\n${outcome.stderr}`);
    assert.match(outcome.stdout, /Restored into atlasia; the old database is atlasia_replaced\n$/);
    assert.equal(await host.psql('SELECT count(*) FROM notes'), '7');
    assert.equal(await jobs(), before);
    assert.equal(await host.psql('SHOW work_mem'), '9MB');
    assert.equal(
      await host.psql("SELECT has_schema_privilege('pg_monitor', 'cron', 'USAGE'), nextval('cron.jobid_seq') > 2"),
      't|t',
    );
    assert.equal(await host.psql('SELECT count(*) FROM notes', 'atlasia_replaced'), '0');

    assert.equal(await host.psql('SHOW default_transaction_read_only'), 'off');

    // A second time there is an old one already: nothing is touched, and no session is ended.
    const open = host.psql('SELECT pg_sleep(3)');
    const again = await paste(host, block);
    assert.notEqual(again.code, 0);
    assert.match(again.stderr, /Nothing was changed\. First drop or rename atlasia_replaced/);
    await open;
    assert.equal(await host.psql('SELECT count(*) FROM notes'), '7');

    const back = blockOf(report, 3);
    assert.ok(result.summary.includes(back));
    assert.equal((await paste(host, back)).code, 0);
    assert.equal(await host.psql('SELECT count(*) FROM notes'), '0');
    assert.equal(await host.psql('SELECT count(*) FROM notes', 'atlasia_failed'), '7');
    // Once more there is nothing to bring back.
    assert.notEqual((await paste(host, back)).code, 0);
    assert.equal(await host.psql('SELECT count(*) FROM notes'), '0');
    await host.database.drop('atlasia_failed');
  });
}

test('a restore in place of the database postgres that stops half-way, and the way back', async () => {
  const other = await hostWithCron('postgres');
  const ask = (sql: string, database = 'postgres') => other.psql(sql, database);
  await ask(`CREATE EXTENSION pg_cron; CREATE TABLE notes AS SELECT n FROM generate_series(1, 7) n`);
  const result = await backup(other, other.newBackupDir(), { 'db-name': 'postgres' });
  succeeded(result);
  const report = await read(other, result.outputs['report-file'] ?? '');
  const [block, back] = [blockOf(report, 2), blockOf(report, 3)];

  await ask('INSERT INTO notes VALUES (8)');
  const stopped = await paste(other, `zstd() { return 1; }\n${block}`);
  assert.notEqual(stopped.code, 0);
  assert.match(stopped.stderr, /postgres is not complete, and read-only\. The old database is postgres_replaced/);
  assert.equal(await ask('SHOW default_transaction_read_only'), 'on');
  assert.match((await paste(other, block)).stderr, /Nothing was changed/);
  const brought = await paste(other, back);
  assert.equal(brought.code, 0, brought.stderr);
  assert.equal(await ask('SHOW default_transaction_read_only'), 'off');
  assert.equal(await ask('SELECT count(*) FROM notes'), '8');
  assert.equal(await ask("SELECT datname FROM pg_database WHERE datname LIKE 'postgres\\__%'"), 'postgres_failed');

  const whole = await paste(other, block);
  assert.equal(whole.code, 0, whole.stderr);
  assert.equal(await ask('SELECT count(*) FROM notes'), '7');
  assert.equal(await ask('SELECT count(*) FROM notes', 'postgres_replaced'), '8');

  // A new server has none of that name yet.
  for (const name of ['postgres', 'postgres_replaced']) {
    await other.psql(`DROP DATABASE ${name} WITH (FORCE)`, 'template1');
  }
  const anew = await paste(other, block);
  assert.equal(anew.code, 0, anew.stderr);
  assert.equal(await ask('SELECT count(*) FROM notes'), '7');
});
