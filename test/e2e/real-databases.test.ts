// Databases as the public has them: what a backup and its drill say of them is true, of what is lost and of what is good.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { succeeded } from './expectations.ts';
import { backup, type ManifestJson, manifestOf, read } from './sets.ts';
import { hostForFile } from './stage.ts';
import { findingOf, notPassed, verified, verify } from './verifications.ts';

const { host } = await hostForFile({ name: 'public', seed: false });
const shapes = readFileSync(new URL('../lab/sql/real-databases.sql', import.meta.url), 'utf8');

interface TableJson {
  schema: string;
  name: string;
  content?: { oneIn: number; hash: string };
}
const tableOf = (manifest: ManifestJson, schema: string, name: string) =>
  (manifest['tables'] as TableJson[]).find((table) => table.schema === schema && table.name === name);

describe('a real database', () => {
  test('its drill names what a restore loses, and condemns nothing else', async () => {
    const dir = host.newBackupDir();
    await host.database.create('shapes');
    await host.psql(shapes, 'shapes');
    const taken = await backup(host, dir, { 'db-name': 'shapes' });
    await succeeded(taken);
    const manifest = await manifestOf(host, taken);
    const report = await read(host, taken.outputs['report-file'] ?? '');

    // Of tables that belong to extensions the report tells at once.
    const left = /1 row in lost\.q_mail, which\s+belongs to the extension hstore/;
    for (const text of [report, taken.summary]) assert.match(text, left);
    // Some is hashed whole, and some of the large by one row in so many.
    assert.equal(tableOf(manifest, 'good', 'accounts')?.content?.oneIn, 1);
    assert.ok(
      ['large_heap', 'large_pairs'].every((name) => Number(tableOf(manifest, 'good', name)?.content?.oneIn) > 1),
    );

    const drilled = await verify(host, dir, { checks: 'drill', 'db-name': 'shapes' });
    await verified(host, drilled, 'failed', { content: 'failed', 'left out': 'failed' });
    assert.match(findingOf(drilled, 'content').detail, /the values in lost\.addresses are not/);
    assert.match(findingOf(drilled, 'content').remedy ?? '', /generated columns anew, .*lost\.addresses/);
    assert.match(findingOf(drilled, 'left out').detail, left);

    await host.psql(
      'ALTER EXTENSION hstore DROP TABLE lost.q_mail; ALTER TABLE lost.addresses DROP COLUMN zone',
      'shapes',
    );
    await succeeded(await backup(host, dir, { 'db-name': 'shapes' }));
    const whole = await verify(host, dir, { checks: 'drill', 'db-name': 'shapes' });
    assert.deepEqual(notPassed(whole), {});
    await verified(host, whole, 'verified');
    assert.match(
      findingOf(whole, 'content').detail,
      /^hashed, with equal results: \d+ tables whole, .* by one row in \d+$/,
    );
  });

  test('one value that was changed in the dump is found', async () => {
    const dir = host.newBackupDir();
    await host.database.create('values');
    await host.psql(
      "CREATE TABLE people AS SELECT n AS id, 'name ' || n AS name FROM generate_series(1, 500) n",
      'values',
    );
    const taken = await backup(host, dir, { 'db-name': 'values', format: 'plain', compression: 'none' });
    await succeeded(taken);
    const manifest = await manifestOf(host, taken);
    const forged = await host.exec([
      'bash',
      '-euc',
      `cd -- "\${1%/*}"; sed -i 's/\\tname 77$/\\tname 78/' "$1"; sum=$(sha256sum "$1" | cut -d ' ' -f 1)
       sed -i "s/$2/$sum/" ./*.manifest.json`,
      'bash',
      taken.outputs['backup-file'] ?? '',
      String(manifest['sha256']),
    ]);
    assert.equal(forged.code, 0, forged.stderr);
    const drilled = await verify(host, dir, { checks: 'drill', 'db-name': 'values' });
    await verified(host, drilled, 'failed', { content: 'failed' });
    assert.match(findingOf(drilled, 'content').detail, /public\.people/);
  });

  test('what pg_dump warns of is told', async () => {
    const dir = host.newBackupDir();
    await host.psql('CREATE ROLE clerk LOGIN;');
    await host.psql('CREATE DATABASE warned OWNER clerk;', 'postgres');
    await host.psql(
      "CREATE SUBSCRIPTION s CONNECTION 'dbname=x password=hunter2' PUBLICATION p WITH (connect = false)",
      'warned',
    );
    const taken = await backup(host, dir, { 'db-name': 'warned', 'db-user': 'clerk' });
    succeeded(taken);
    const warning = 'subscriptions not dumped because current user is not a superuser';
    assert.deepEqual((await manifestOf(host, taken))['dumpWarnings'], [warning]);
    for (const text of [await read(host, taken.outputs['report-file'] ?? ''), taken.summary])
      assert.match(text, /pg_dump gave 1 warning: subscriptions not\s+dumped/);
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
