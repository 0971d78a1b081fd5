// What goes wrong while a database is restored: afterwards it is the old one in full, or the new one in full, and whatever wrote writes.
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { attempt } from '../lab/command.ts';
import { until } from '../lab/faults.ts';
import { type ActionResult, runAction, startAction } from '../lab/runner.ts';
import { adviceIn, errorsOf, logOf, runnerIsClean } from './expectations.ts';
import { databasesOf, essence, restored, startTicker, takenBackup, ticker, writes } from './restores.ts';
import { nothingLeft, notRolledBack, rollBack, rollbackInputs, sameContainers, snapshotOf } from './rollbacks.ts';
import { bash, type Inputs } from './sets.ts';
import { applicationForFile } from './stage.ts';
import { killEngine, killSupervisorAndEngine, watchTransaction } from './transactions.ts';

const { app } = await applicationForFile({
  name: 'restore-faults',
  versions: ['v1', 'v2'],
  runs: 'v1',
  services: { ticker, backend: { restart: 'unless-stopped' } },
});
const { host } = app;
const db = host.database;
const backupDir = host.newBackupDir();
let id = '';

before(async () => {
  await startTicker(host);
  await db.psql('CREATE ROLE keeper LOGIN; ALTER TABLE shop.orders OWNER TO keeper;');
  id = await takenBackup(host, backupDir);
  await db.psql('CREATE TABLE shop.since (id int); INSERT INTO shop.since VALUES (1);');
});

const restoring = (inputs: Inputs = {}) =>
  rollbackInputs(app, backupDir, { 'restore-database': id, 'confirm-restore': 'RESTORE', ...inputs });
const restore = (inputs: Inputs = {}) => runAction('rollback', restoring(inputs));

/** What there is to compare with afterwards. */
const state = async () => ({
  content: await essence(host),
  databases: await databasesOf(host),
  containers: await snapshotOf(app),
});

/** Nothing has happened: the same data, databases and containers, and the writer writes. */
async function unharmed(before: Awaited<ReturnType<typeof state>>): Promise<void> {
  const after = await state();
  assert.deepEqual(after.content, before.content);
  assert.deepEqual(after.databases, before.databases);
  sameContainers(before.containers, after.containers);
  await writes(host);
  await nothingLeft(app);
}

function refusedWith(result: ActionResult, code: string, message: RegExp, hint: RegExp): void {
  const log = logOf(result);
  assert.equal(result.exitCode, 1, log);
  const [error, ...others] = errorsOf(result);
  assert.deepEqual(others, [], log);
  assert.match(error?.properties['title'] ?? '', new RegExp(`: ${code}$`), log);
  assert.match(error?.message ?? '', message, log);
  assert.match(adviceIn(result), hint, log);
  runnerIsClean(result);
}

describe('refused before anything is stopped', { concurrency: 1 }, () => {
  test('the wrong confirmation, or none; and inputs that would do nothing', async () => {
    for (const [inputs, message] of [
      [{ 'confirm-restore': 'restore' }, /confirm-restore.*must be "RESTORE"/],
      [{ 'confirm-restore': '' }, /confirm-restore.*is required/],
      [{ 'restore-database': 'none' }, /confirm-restore.*has no effect/],
      [{ 'restore-database': 'latest' }, /restore-database.*is neither none, nor paired/],
      [{ 'restore-from': 's3' }, /restore-from.*needs the bucket/],
      [{ strategy: 'blue-green' }, /strategy.*cannot be blue-green/],
    ] as const)
      refusedWith(await restore(inputs), 'bad-input', message, /./);
  });

  test('no room for a second copy, with how much is free', async () => {
    const seen = await state();
    refusedWith(await restore({ 'min-free-space': '900TiB' }), 'cannot-restore', /has .* free/, /Nothing was changed/);
    await unharmed(seen);
  });

  test('a statement of after-restore-sql that fails: without its words, which may hold data', async () => {
    const seen = await state();
    const workspace = mkdtempSync(join(tmpdir(), 'workspace-'));
    const file = join(workspace, 'mask.sql');
    writeFileSync(file, "UPDATE shop.customers SET name = 'x';\nSELECT 'secret-of-a-row'::int;\n");
    const result = await restore({ 'after-restore-sql': file });
    refusedWith(result, 'after-sql-failed', /after-restore-sql" failed/, /database is untouched/);
    assert.doesNotMatch(logOf(result), /secret-of-a-row/);
    await unharmed(seen);
  });

  test('a dump that has changed on the disk', async () => {
    const seen = await state();
    const other = await takenBackup(host, backupDir);
    const file = `${host.deployDir}/${backupDir}/daily/backup_${other}.dump.zst`;
    await bash(host, 'printf X | dd of="$1" bs=1 seek=50000 conv=notrunc status=none', file);
    const result = await restore({ 'restore-database': other });
    refusedWith(result, 'checksum-failed', /does not match its manifest/, /database is untouched/);
    await unharmed(seen);
  });
});

describe('cut off', { concurrency: 1 }, () => {
  test('the runner dies during the restore: the copy is dropped, and nothing was stopped', async () => {
    const seen = await state();
    const action = await startAction('rollback', restoring());
    await until('a copy', async () =>
      (await databasesOf(host)).some((name) => /_restore_/.test(name)) ? true : undefined,
    );
    await action.kill();
    await action.finished;
    await until('the copy is dropped', async () =>
      (await databasesOf(host)).some((name) => /_restore_/.test(name)) ? undefined : true,
    );
    await unharmed(seen);
  });

  for (const step of ['prepared', 'stopping', 'exchanging', 'exchanged', 'started', 'healthy'])
    test(`the engine is killed at "${step}": the old database is live again`, async () => {
      const seen = await state();
      const watch = watchTransaction(app, backupDir);
      const action = await startAction('rollback', restoring());
      await killEngine(await watch.reached(step));
      const result = await action.finished;
      // It may have come a step further before it was hit.
      const isSwapping = (await watch.ended()).journal().some(([name]) => name === 'stopping');
      const status = isSwapping ? 'reverted' : 'refused';
      assert.equal(result.outputs['status'], status, logOf(result));
      await unharmed(seen);
    });

  test('engine, supervisor and runner die after the exchange: the next run puts the old database back first', async () => {
    const seen = await state();
    const watch = watchTransaction(app, backupDir);
    const action = await startAction('rollback', restoring());
    await killSupervisorAndEngine(await watch.reached('exchanged'));
    await action.kill();
    await action.finished;
    const next = await rollBack(app, backupDir, { target: 'v1' });
    assert.equal(next.outputs['status'], 'unchanged', logOf(next));
    await unharmed(seen);
  });

  test('the runner dies after the exchange: the host brings it to its end', async () => {
    const seen = await state();
    const watch = watchTransaction(app, backupDir);
    const action = await startAction('rollback', restoring());
    await watch.reached('exchanged');
    await action.kill();
    await action.finished;
    const ended = await watch.ended();
    assert.deepEqual(ended.journal().at(-1), ['ended', 'rolled-back']);
    const { since, ...rest } = Object.fromEntries(
      Object.entries(seen.content).map(([name, value]) => [name.includes('shop.since') ? 'since' : name, value]),
    );
    assert.ok(since !== undefined);
    assert.deepEqual(Object.keys(await essence(host)).length, Object.keys(rest).length);
    await writes(host);
    // For the tests that follow.
    await db.psql('CREATE TABLE shop.since (id int); INSERT INTO shop.since VALUES (1);');
  });
});

test('a session that does not end: the old database stays live, and the error names the process', async () => {
  const seen = await state();
  const container = await host.container('db');
  const session = attempt(await db.psqlCommand(), {
    input: "SET application_name = 'stuck'; SELECT pg_sleep(600);",
    env: host.env,
  });
  const stuck = await until('the session', async () => {
    const found = await db.psql("SELECT pid FROM pg_stat_activity WHERE application_name = 'stuck'");
    return found === '' ? undefined : found;
  });
  const signal = (name: string) => host.docker('exec', container, 'sh', '-c', 'kill -s "$1" "$2"', 'sh', name, stuck);
  await signal('STOP');
  try {
    const result = await restore();
    await notRolledBack(app, result, {
      status: 'reverted',
      code: 'database-busy',
      message: new RegExp(`does not end: process ${stuck}`),
      hint: /pg_stat_activity/,
    });
  } finally {
    await signal('CONT');
    await session;
  }
  // To drop the copy takes an answer of every process of the server, so it was left; the restore after this one drops it.
  const left = (await databasesOf(host)).filter((name) => name.includes('_restore_'));
  for (const name of left) await db.drop(name);
  await unharmed(seen);
});

test('a role that the server lacks is created without a password, and named; other databases are left alone', async () => {
  await db.create('beside');
  await db.psql('CREATE TABLE kept (id int); INSERT INTO kept VALUES (7);', 'beside');
  // What earlier tests have put aside has tables of that role.
  for (const name of (await databasesOf(host)).filter((each) => each.includes('_before_'))) await db.drop(name);
  await db.psql('REASSIGN OWNED BY keeper TO atlasia; DROP OWNED BY keeper; DROP ROLE keeper;');
  const result = await restore();
  await restored(app, result);
  assert.match(logOf(result), /These roles are created, without passwords: keeper/);
  assert.equal(await db.psql("SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'keeper'"), 't');
  assert.equal(await db.psql("SELECT tableowner FROM pg_tables WHERE tablename = 'orders'"), 'keeper');
  assert.equal(await db.psql('SELECT id FROM kept', 'beside'), '7');
  await writes(host);
});

test('a restore of a restore: the old database of the first one is still there', async () => {
  await sleep(1_000); // names are made of seconds
  const present = await databasesOf(host);
  await restored(app, await restore());
  const now = await databasesOf(host);
  assert.deepEqual(
    present.filter((name) => !now.includes(name)),
    [],
  );
});
