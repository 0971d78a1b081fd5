// How a database sorts is part of it. PostgreSQL 16 and 17 have learnt ways of which 15 knows nothing: on a server of 17, the
// drill, the printed command and the restore bring each of them back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identifier } from '../lab/database.ts';
import { runAction } from '../lab/runner.ts';
import { logOf, succeeded } from './expectations.ts';
import { paste, printedCommand } from './printed.ts';
import { backup, type Inputs } from './sets.ts';
import { hostForFile } from './stage.ts';
import { verified, verify } from './verifications.ts';

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
