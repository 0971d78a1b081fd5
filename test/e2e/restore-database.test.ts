// The database is lost, or wrong: a backup takes its place, alone or together with the images, and otherwise nothing has happened.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { logOf } from './expectations.ts';
import { databasesOf, essence, restored, startTicker, takenBackup, ticker, ticksOf, writes } from './restores.ts';
import { historyIn, newBackupDirOf, notRolledBack, planned, rollBack, rolledBack, snapshotOf } from './rollbacks.ts';
import { type Inputs, write } from './sets.ts';
import { applicationForFile, deployed } from './stage.ts';
import { verify } from './verifications.ts';

const { app } = await applicationForFile({
  name: 'restore',
  versions: ['v1', 'v2', { version: 'ill', ill: 'health' }],
  services: { ticker },
});
const { host } = app;
const db = host.database;

before(() => startTicker(host));

const restore = (backupDir: string, id: string, inputs: Inputs = {}) =>
  rollBack(app, backupDir, { 'restore-database': id, 'confirm-restore': 'RESTORE', ...inputs });

test('a lost table comes back: the database alone is restored, and the old one is kept', async () => {
  const backupDir = await newBackupDirOf(app, 'v1');
  const was = await essence(host);
  const id = await takenBackup(host, backupDir);
  await db.psql("DROP TABLE shop.orders CASCADE; ALTER DATABASE atlasia SET work_mem = '7MB'");
  const damaged = await essence(host);
  const before = await snapshotOf(app);

  const result = await restore(backupDir, id, { 'skip-backup': 'false' });
  const aside = await restored(app, result);
  assert.deepEqual(await essence(host), was, logOf(result));
  // What was there is in a backup first, and the summary says how to have it again.
  const taken = result.outputs['backup-id'] ?? '';
  const kept = host.files(`${backupDir}/rollback`).map(({ path }) => path);
  assert.ok(
    kept.some((path) => path.endsWith(`prerollback_${taken}.manifest.json`)),
    kept.join(),
  );
  assert.ok(result.summary.includes(taken));
  assert.deepEqual(await essence(host, aside), damaged);
  assert.match(result.summary, /^## ✅ /);
  assert.equal(await db.psql('SHOW work_mem'), '7MB');
  await writes(host);
  // The very same containers run, and the release stays what it was.
  assert.deepEqual(
    (await app.containers('backend')).map((each) => each.id),
    before['backend']?.map((each) => each.id),
  );
  assert.equal(await app.versionOf('backend'), 'v1');
  const record = historyIn(app, backupDir).at(-1);
  assert.deepEqual(
    [record?.event, record?.status, record?.restoredId, record?.verdict],
    ['restore', 'succeeded', id, 'unknown'],
  );
  assert.deepEqual(
    host.files(`${backupDir}/rollback`).filter(({ path }) => /HOLD/.test(path)),
    [],
  );
});

test('while deployments are on hold: it goes on, and they stay on hold', async () => {
  const backupDir = await newBackupDirOf(app, 'v1');
  const id = await takenBackup(host, backupDir);
  const hold = join(host.deployDir, backupDir, 'rollback', 'HOLD');
  const text = 'reason=v2 is slow\nsince=2026-11-25T03:00:00Z\n';
  await write(host, hold, text);
  await restored(app, await restore(backupDir, id));
  assert.equal(readFileSync(hold, 'utf8'), text);
  await writes(host);
});

test('the backup before a restore, which is itself restored, is not driven out by the one that is taken before that', async () => {
  const backupDir = await newBackupDirOf(app, 'v1');
  const id = await takenBackup(host, backupDir);
  await db.psql('CREATE TABLE shop.since (id int); INSERT INTO shop.since VALUES (1);');
  const was = await essence(host);
  const inputs = { 'skip-backup': 'false', 'keep-prerollback': '1' };
  const first = await restore(backupDir, id, inputs);
  await restored(app, first);
  assert.equal(await db.psql("SELECT to_regclass('shop.since') IS NULL"), 't');

  const wrong = first.outputs['backup-id'] ?? '';
  const result = await restore(backupDir, wrong, inputs);
  await restored(app, result);
  assert.deepEqual(await essence(host), was);
  const kept = host
    .files(`${backupDir}/rollback`)
    .flatMap(({ path }) => /prerollback_(\d{8}_\d{6})\.manifest\.json$/.exec(path)?.[1] ?? []);
  assert.deepEqual(kept.toSorted(), [wrong, result.outputs['backup-id']].toSorted());
  await db.psql('DROP TABLE shop.since');
});

test('paired: images and data go back together, to the moment before the deployment', async () => {
  const backupDir = await newBackupDirOf(app, 'v1');
  const id = await takenBackup(host, backupDir, { kind: 'predeployment', environment: 'lab' });
  const was = await essence(host);
  await deployed(app, 'v2');
  await db.psql('ALTER TABLE shop.customers DROP COLUMN born; CREATE TABLE shop.new_things (id int);');

  const result = await restore(backupDir, 'paired', { target: 'v1' });
  await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
  await restored(app, result);
  assert.deepEqual(await essence(host), was);
  assert.equal(historyIn(app, backupDir).at(-1)?.restoredId, id);
  await writes(host);
});

test('where the target fails, the old release has its old database again, with all that was written', async () => {
  const backupDir = await newBackupDirOf(app, 'v1');
  const id = await takenBackup(host, backupDir, { kind: 'predeployment', environment: 'lab' });
  await db.psql('CREATE TABLE shop.since (id int); INSERT INTO shop.since VALUES (1);');
  const was = await essence(host);
  const [before, present] = [await ticksOf(host), await databasesOf(host)];
  const result = await restore(backupDir, id, { target: 'ill', 'health-timeout': '20s' });
  await notRolledBack(app, result, {
    status: 'reverted',
    message: /Not rolled back: .*backend/,
    hint: /previous release is running again/,
  });
  assert.deepEqual(await essence(host), was);
  assert.ok((await ticksOf(host)) >= before);
  assert.deepEqual(await databasesOf(host), present);
  await writes(host);
});

test('a plan says what it would cost, and changes nothing', async () => {
  const backupDir = await newBackupDirOf(app, 'v1');
  const id = await takenBackup(host, backupDir);
  const present = await databasesOf(host);
  const undrilled = await rollBack(app, backupDir, { 'restore-database': id, 'plan-only': 'true' });
  assert.match(logOf(undrilled), /How long the restore takes is unknown/);
  const drilled = await verify(host, backupDir, { checks: 'drill' });
  assert.equal(drilled.outputs['status'], 'verified', logOf(drilled));
  const result = await rollBack(app, backupDir, { 'restore-database': id, 'plan-only': 'true' });
  planned(result);
  assert.match(logOf(result), new RegExp(`In a drill, backup ${id} was restored in \\d`));
  assert.match(logOf(result), /The dump has .*; the copy next to the live database needs about .* that are free/);
  assert.match(logOf(result), /The database "atlasia" is replaced by backup/);
  assert.match(
    logOf(result),
    /ticker is stopped meanwhile and started again: it (is connected|depends)|ticker .*names db/,
  );
  assert.match(logOf(result), /Whatever was written in the last .* is lost/);
  assert.deepEqual(await databasesOf(host), present);
});
