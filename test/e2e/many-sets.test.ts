// Very many tables, very many sets, and sets that are made to hang or to flood: none of it stops a backup, a
// verification or a rollback, and retention mends what is too many.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '../lab/faults.ts';
import { runAction } from '../lab/runner.ts';
import { logOf, succeeded } from './expectations.ts';
import { type Planted, plantSets } from './planting.ts';
import { planned, plantHistory, rolledBack } from './rollbacks.ts';
import {
  backup,
  bash,
  type Inputs,
  idDaysAgo,
  idsIn,
  type ManifestJson,
  manifestOf,
  smallDatabase,
  write,
} from './sets.ts';
import { applicationForFile } from './stage.ts';
import { findingOf, verified, verify } from './verifications.ts';

const { app } = await applicationForFile({ name: 'many', versions: ['v1', 'v2'], runs: 'v2' });

const rollback = (dir: string, database: string, more: Inputs = {}) =>
  runAction('rollback', { ...app.inputs(), 'backup-dir': dir, 'db-name': database, target: 'v1', ...more });

const check = (dir: string, database: string) => verify(app.host, dir, { checks: 'backups', 'db-name': database });

async function historyWithTarget(dir: string): Promise<void> {
  await plantHistory(app, dir, [
    { backend: 'v1', dashboard: 'v1' },
    { backend: 'v2', dashboard: 'v2' },
  ]);
}

describe('a database of 30 000 tables, with every tier full', () => {
  const tables = 30_000;
  let dir: string;
  let first: ManifestJson;

  before(async () => {
    const { host } = app;
    dir = host.newBackupDir();
    await host.database.create('wide');
    await host.psql('ALTER SYSTEM SET max_locks_per_transaction = 1024', 'postgres');
    await host.docker('restart', await host.container('db'));
    await until('the database', async () => (await host.database.tryPsql('SELECT 1')).code === 0 || undefined);
    const name = `a_table_with_a_name_as_long_as_generated_ones_${'x'.repeat(10)}`;
    await host.psql(
      `DO $$ BEGIN FOR n IN 1..${tables} LOOP EXECUTE format('CREATE TABLE ${name}%s (id int, body text, made timestamptz)', n); END LOOP; END $$`,
      'wide',
    );
    const result = await backup(host, dir, { 'db-name': 'wide' });
    succeeded(result);
    first = await manifestOf(host, result);
    const nights = [1, 2, 3, 4, 5, 6, 7, 14, 21, 28].map((days): Planted => [idDaysAgo(days), ['daily', 'weekly']]);
    const months = [60, 90, 120, 150].map((days): Planted => [idDaysAgo(days), ['monthly']]);
    const deployments = Array.from({ length: 30 }, (_, n): Planted => [idDaysAgo(n + 0.5), ['predeployment']]);
    await plantSets(host, dir, first, [...nights, ...months, ...deployments]);
  });

  after(async () => {
    await app.host.database.drop('wide');
  });

  test('its manifest, of more than 8 MiB, is one that counts', async () => {
    assert.equal((first['tables'] as unknown[]).length, tables);
    const result = await check(dir, 'wide');
    assert.equal(result.outputs['status'], 'verified', logOf(result));
    assert.equal(result.outputs['newest-backup-id'], first.id);
    assert.equal(findingOf(result, 'complete').result, 'passed');
  });

  test('a rollback is planned', async () => {
    await historyWithTarget(dir);
    const result = await rollback(dir, 'wide', { 'plan-only': 'true' });
    planned(result);
  });

  test('the next backup knows the one before, tells what has changed, and prunes', async () => {
    await app.host.psql('CREATE TABLE added_since (id int)', 'wide');
    const result = await backup(app.host, dir, { 'db-name': 'wide', kind: 'predeployment' });
    succeeded(result);
    const report = readFileSync(result.outputs['report-file'] ?? '', 'utf8');
    assert.match(report, new RegExp(`Schema changes since ${first.id}\\n  added +TABLE public\\.added_since\\n\\n`));
    assert.match(report, /size +\S+ KiB, \d+ % of \d/);
    const left = idsIn(app.host, dir, 'daily');
    assert.equal(left.length, 7, 'days are kept');
    assert.ok(left.includes(result.outputs['backup-id'] ?? ''));
  });
});

describe('1 000 sets of 300 tables', () => {
  const nights = 1_000;
  let dir: string;
  let first: ManifestJson;

  before(async () => {
    const { host } = app;
    dir = host.newBackupDir();
    await smallDatabase(host, 'several', 100);
    await host.psql("SELECT format('CREATE TABLE t%s (id int)', n) FROM generate_series(1, 300) n \\gexec", 'several');
    const result = await backup(host, dir, { 'db-name': 'several' });
    succeeded(result);
    first = await manifestOf(host, result);
    const tiers = ['daily', 'weekly', 'monthly', 'predeployment'];
    await plantSets(
      host,
      dir,
      first,
      Array.from({ length: nights - 1 }, (_, n): Planted => [idDaysAgo(n + 1), tiers]),
    );
    await historyWithTarget(dir);
  });

  test('are verified', async () => {
    const result = await check(dir, 'several');
    await verified(app.host, result, 'verified', { tiers: 'warning' });
    assert.match(findingOf(result, 'complete').detail, /^1,000 sets, each/);
  });

  test('a rollback takes its backup, and swaps', async () => {
    const result = await rollback(dir, 'several');
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
    await bash(app.host, 'rm -- "$1"', join(app.host.deployDir, dir, 'rollback', 'HOLD'));
  });

  test('retention comes to run, and mends it', async () => {
    const result = await backup(app.host, dir, { 'db-name': 'several' });
    succeeded(result);
    assert.equal(idsIn(app.host, dir, 'daily').length, 7);
    assert.equal(idsIn(app.host, dir, 'weekly').length, 4);
    assert.ok(idsIn(app.host, dir, 'monthly').length <= 35);
    assert.equal(idsIn(app.host, dir, 'predeployment').length, 30);
  });
});

describe('manifests that are made to hang or to flood', () => {
  const hostile: [what: string, script: string, reason: RegExp][] = [
    ['a FIFO', 'mkfifo -m 600 -- "$1"', /could not be read/],
    ['a link to what never ends', 'ln -s /dev/zero "$1"', /could not be read/],
    ['8 GiB of nothing', 'truncate -s 8G -- "$1"', /is not JSON/],
    ['one line without an end', 'head -c 20000000 /dev/zero | tr "\\0" x >"$1"', /could not be read/],
    ['a folder', 'mkdir -- "$1"', /could not be read/],
    ['the begin of a true one', 'sed -n "1,/tables/p" "$2" >"$1"', /is not JSON/],
    ['a true one without its last byte', 'head -c -3 "$2" >"$1"', /is not JSON/],
    ['one of another set', 'cp "$2" "$1"', /belongs to/],
  ];

  test('are broken sets, and all goes on', async () => {
    const { host } = app;
    const dir = host.newBackupDir();
    await smallDatabase(host, 'plain', 100);
    const first = await manifestOf(host, await backup(host, dir, { 'db-name': 'plain' }));
    const daily = join(host.deployDir, dir, 'daily');
    const ids = hostile.map((_, index) => `209901${String(index + 1).padStart(2, '0')}_000000`);
    for (const [index, [, script]] of hostile.entries()) {
      await bash(
        host,
        script,
        join(daily, `backup_${ids[index]}.manifest.json`),
        join(daily, `backup_${first.id}.manifest.json`),
      );
    }
    await bash(host, ': >"$1/backup_$(printf "2099\\n==> x").manifest.json"', daily);

    const result = await check(dir, 'plain');
    assert.equal(result.outputs['newest-backup-id'], first.id, logOf(result));
    const { detail } = findingOf(result, 'complete');
    assert.match(detail, /; and 3 more$/);
    const again = await backup(host, dir, { 'db-name': 'plain', 'keep-daily': '1' });
    succeeded(again);
    for (const [index, [what, , reason]] of hostile.entries()) {
      const line = new RegExp(`daily/${ids[index]} not counted: broken, its manifest (.*)`).exec(again.stdout);
      assert.match(line?.[1] ?? '', reason, `${what}:\n${again.stdout}`);
    }
    assert.match(again.stdout, new RegExp(`daily/${first.id} deleted: `));
  });

  test('one that speaks for another set makes that one unknown, and nothing is deleted for it', async () => {
    const { host } = app;
    const dir = host.newBackupDir();
    await smallDatabase(host, 'spoken', 100);
    const first = await manifestOf(host, await backup(host, dir, { 'db-name': 'spoken' }));
    const folder = join(host.deployDir, dir, 'daily');
    const forged = `\n==> weekly/backup_${first.id}.manifest.json <==\n${JSON.stringify({ ...first, sizeBytes: 1 }, null, 2)}\n`;
    await write(host, join(folder, 'backup_20990101_000000.manifest.json'), forged);
    const again = await backup(host, dir, { 'db-name': 'spoken', 'keep-daily': '1' });
    succeeded(again);
    const told = new RegExp(`daily/${first.id} not counted: broken, its manifest could not be read`);
    assert.match(again.stdout, told);
    assert.deepEqual(idsIn(host, dir, 'daily').length, 3);
  });
});
