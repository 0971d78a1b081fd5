// What docs/restore.md tells one to type where a restore is not straight, pasted as it stands there.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { succeeded } from './expectations.ts';
import { blockOf, paste } from './printed.ts';
import { backup, read } from './sets.ts';
import { hostForFile } from './stage.ts';

const { host } = await hostForFile({ name: 'page', seed: false });
const page = readFileSync(new URL('../../docs/restore.md', import.meta.url), 'utf8');

/** The block with these words, for a database. */
async function typed(words: string, database: string, dump = ''): Promise<string> {
  const block = [...page.matchAll(/^```bash\n([\s\S]*?)\n```$/gm)].find(([, text = '']) => text.includes(words))?.[1];
  assert.ok(block !== undefined, `there is no block with ${words}`);
  return (
    block
      .replaceAll('CONTAINER', await host.container('db'))
      .replaceAll('USER', 'atlasia')
      // Not the word of SQL.
      .replaceAll(/DATABASE(?=[_"'])/g, database)
      .replaceAll(/\/opt\/\S+\.dump\.zst/g, dump)
  );
}

const exists = async (database: string) =>
  (await host.psql(`SELECT count(*) FROM pg_database WHERE datname = '${database}'`)) === '1';

test('a source that does not restore gives what it has, and a copy with a subscription is dropped', async () => {
  await host.database.create('shop');
  await host.psql(
    `CREATE TABLE parents (id int PRIMARY KEY);
     CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents);
     SET session_replication_role = replica;
     INSERT INTO parents VALUES (1); INSERT INTO children VALUES (1, 1), (2, 7);
     SET client_min_messages = error;
     CREATE SUBSCRIPTION "from ""there""" CONNECTION 'host=nowhere.invalid' PUBLICATION p WITH (connect = false, slot_name = 'there')`,
    'shop',
  );
  const result = await backup(host, host.newBackupDir(), { 'db-name': 'shop' });
  succeeded(result);
  const printed = blockOf(await read(host, result.outputs['report-file'] ?? ''), 2);
  const first = await paste(host, printed);
  assert.notEqual(first.code, 0);
  assert.match(first.stderr, /violates foreign key constraint/);

  const drop = await typed('DROP SUBSCRIPTION', 'shop');
  assert.equal((await paste(host, drop)).code, 0);

  const [create = ''] = /docker exec \S+ createdb (?:[^\n]*\\\n)*[^\n]*/.exec(printed) ?? [];
  assert.equal((await paste(host, create)).code, 0, create);
  const sections = await paste(host, await typed('pg_restore --section', 'shop', result.outputs['backup-file']));
  assert.match(sections.stdout, /^post-data: not without errors\n.*error: .*violates foreign key constraint/);
  assert.equal(await host.psql('SELECT count(*) FROM children', 'shop_restored'), '2');
  assert.match((await paste(host, lastLine(drop))).stderr, /logical replication subscription/);
  const dropped = await paste(host, drop);
  assert.equal(dropped.code, 0, dropped.stderr);
  assert.equal(await exists('shop_restored'), false);
  await host.psql(
    'ALTER SUBSCRIPTION "from ""there""" SET (slot_name = NONE); DROP SUBSCRIPTION "from ""there"""',
    'shop',
  );
});

test('what was put aside for pg_cron comes back, and nothing is dropped', async () => {
  for (const name of ['jobs', 'jobs_replaced']) await host.database.create(name);
  await host.psql('CREATE TABLE old (n int)', 'jobs_replaced');
  const back = await typed('DATABASE_failed', 'jobs');
  const outcome = await paste(host, back);
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.equal(await host.psql('SELECT count(*) FROM old', 'jobs'), '0');
  assert.equal(await exists('jobs_failed'), true);
  // Where the old database was never put aside, the live one stays.
  assert.notEqual((await paste(host, back)).code, 0);
  assert.equal(await host.psql('SELECT count(*) FROM old', 'jobs'), '0');
});

const lastLine = (block: string): string => block.split('\n').at(-1) ?? '';
