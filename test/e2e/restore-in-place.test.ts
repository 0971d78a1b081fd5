// A database with pg_cron can be restored under its own name alone. Its printed commands are run as an operator pastes them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { succeeded } from './expectations.ts';
import { blockOf, paste, printedCommand } from './printed.ts';
import { backup, read } from './sets.ts';
import { hostForFile } from './stage.ts';

const compose = readFileSync(new URL('../lab/host/docker-compose.yml', import.meta.url), 'utf8').replace(
  'listen_addresses=*,',
  'listen_addresses=*, -c, shared_preload_libraries=pg_cron, -c, cron.database_name=atlasia, -c, cron.use_background_workers=on,',
);
const { host } = await hostForFile({
  name: 'cron',
  postgres: 'extended',
  seed: false,
  project: () => ({ compose, settings: {} }),
});

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
    assert.doesNotMatch(report, /^ {2}3\. /m);
    assert.match(report, /pg_cron works in\s+the database\s+of\s+this name alone/);

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

    // A second time there is an old one already: nothing is touched.
    const again = await paste(host, block);
    assert.notEqual(again.code, 0);
    assert.doesNotMatch(again.stdout, /Restored/);
    assert.equal(await host.psql('SELECT count(*) FROM notes'), '7');
    await host.database.drop('atlasia_replaced');
  });
}
