// What goes wrong while the copy is loaded: the live database is untouched, nothing was stopped, and no copy is left.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { asRoot, attempt } from '../lab/command.ts';
import { cutConnections, freezeRunner, until } from '../lab/faults.ts';
import { logOf } from './expectations.ts';
import { refusedWith, restoreStageForFile } from './restore-stage.ts';
import { databasesOf, essence, sqlFile, takenBackup } from './restores.ts';
import type { Inputs } from './sets.ts';

const { host, db, backupDir, restore, startRestore, state, stateAfterCrash, serverDies, unharmed, copyIs } =
  await restoreStageForFile('restore-loading');

describe('while it is loaded', { concurrency: 1 }, () => {
  // Its index takes minutes to build, but only in the copy.
  const slow = 'slow';
  let slowId = '';
  before(async () => {
    await db.create(slow);
    await db.psql(
      `CREATE FUNCTION slowly(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
         BEGIN IF current_database() ~ '_restore_' THEN PERFORM pg_sleep(0.2); END IF; RETURN n; END $$;
       CREATE TABLE items AS SELECT n FROM generate_series(1, 1000) n;
       CREATE INDEX ON items (slowly(n));`,
      slow,
    );
    slowId = await takenBackup(host, backupDir, { 'db-name': slow });
  });
  /** In the midst of a statement. */
  const works = (where: string, statement: string) =>
    until(
      `${statement} in ${where}`,
      async () =>
        (await db.psql(
          `SELECT 1 FROM pg_stat_activity WHERE datname ~ '^${where}_restore_' AND query ~ '^${statement}'`,
        )) || undefined,
    );
  const started = async (inputs: Inputs = {}) => {
    const action = await startRestore({ 'restore-database': slowId, 'db-name': slow, ...inputs });
    await works(slow, 'CREATE INDEX');
    return action;
  };
  /** Bytes that must stay free, so that a file takes them away. */
  async function nearlyFull() {
    const container = await host.container('db');
    const data = '/var/lib/postgresql/data';
    const df = await host.docker('exec', container, 'df', '--output=avail', '-m', data);
    return {
      least: { 'min-free-space': `${Number(df.split('\n')[1]) - 3_000}MiB` },
      fill: () => host.docker('exec', container, 'fallocate', '--length', '6000MiB', `${data}/ballast`),
      empty: () => host.docker('exec', container, 'rm', '-f', `${data}/ballast`),
    };
  }

  test('the disk becomes full: the copy is dropped before that stops the live database', async () => {
    const seen = await state();
    const disk = await nearlyFull();
    const action = await started(disk.least);
    try {
      await disk.fill();
      const result = await action.finished;
      const hint = /is untouched.* copy was dropped/;
      refusedWith(result, 'restore-no-room', /had only .* left, less than "min-free-space"/, hint);
    } finally {
      await disk.empty();
    }
    await unharmed(seen);
  });

  test('the disk becomes full while the statements of the user run: that is the reason, and not they', async () => {
    const seen = await state();
    const disk = await nearlyFull();
    const file = sqlFile('SELECT pg_sleep(300);\n');
    const action = await startRestore({ ...disk.least, 'after-restore-sql': file });
    try {
      await works('atlasia', 'SELECT pg_sleep');
      await disk.fill();
      refusedWith(await action.finished, 'restore-no-room', /had only .* left/, /copy was dropped/);
    } finally {
      await disk.empty();
    }
    await unharmed(seen);
  });

  test('the server dies: that is the reason, its databases are whole, and the next restore drops what is left', async () => {
    const seen = await stateAfterCrash();
    const action = await started();
    const name = (await host.docker('inspect', '--format', '{{.Name}}', await host.container('db'))).trim().slice(1);
    const start = await serverDies();
    const result = await action.finished;
    await start();
    refusedWith(
      result,
      'database-silent',
      new RegExp(`container of the database, ${name}, ended: exit 137 while the backup was restored`),
      /database is as it was, and this run has stopped nothing.*docker logs.*run this again/,
    );
    assert.deepEqual(await essence(host), seen.content);
    const left = (await databasesOf(host)).filter((each) => !seen.databases.includes(each));
    assert.deepEqual([left.length, left[0]?.startsWith('slow_restore_')], [1, true], String(left));
    const file = sqlFile('SELECT 1/0;\n');
    const next = await startRestore({ 'restore-database': slowId, 'db-name': slow, 'after-restore-sql': file });
    await works(slow, 'CREATE INDEX');
    assert.ok(!(await databasesOf(host)).includes(left[0] ?? ''));
    await next.kill();
    await next.finished;
    await copyIs(false);
    await unharmed(seen);
  });

  /** Kills all that the action has running on the host, as a host does that has no memory left. */
  const killPrograms = () =>
    attempt(asRoot(['kill', '-KILL', ...host.sessionProcesses().map(({ pid }) => String(pid))]));

  test('what loads it on the host is killed: the run drops the copy, and nothing was stopped', async () => {
    const seen = await state();
    const action = await started();
    await killPrograms();
    const result = await action.finished;
    refusedWith(result, 'connection-lost', /./, /The database is untouched, and nothing was stopped/);
    await copyIs(false);
    // The name of who was killed stays; the lock does not.
    rmSync(join(host.deployDir, backupDir, '.lock.holder'));
    await unharmed(seen);
  });

  test('that and the runner are killed, and only the server lives on: it does not go on filling the disk, and the copy is dropped', async () => {
    const seen = await state();
    const action = await started();
    // Whatever of them outlives the others would drop it.
    freezeRunner(action);
    await killPrograms();
    await action.kill();
    await action.finished;
    await copyIs(false);
    rmSync(join(host.deployDir, backupDir, '.lock.holder'));
    await unharmed(seen);
  });

  test('that, the runner and the server die, as when the machine goes down: the next restore drops what is left', async () => {
    const seen = await stateAfterCrash();
    const action = await started();
    const [left = ''] = (await databasesOf(host)).filter((each) => !seen.databases.includes(each));
    await action.kill();
    await killPrograms();
    const start = await serverDies();
    await action.finished;
    await start();
    assert.deepEqual(await essence(host), seen.content);
    const next = await started();
    assert.ok(!(await databasesOf(host)).includes(left), left);
    await next.kill();
    await next.finished;
    await copyIs(false);
    await unharmed(seen);
  });

  test('the connection is cut: the copy is dropped, and nothing was stopped', async () => {
    const seen = await state();
    const action = await started();
    cutConnections(host);
    const result = await action.finished;
    await copyIs(false);
    refusedWith(
      result,
      'connection-lost',
      /./,
      /Run it again\. The database is untouched, and nothing was stopped\. (The restored copy was dropped|The host drops the restored copy slow_restore_)/,
    );
    await unharmed(seen);
  });
});

describe('the runner dies, or stands still', { concurrency: 1 }, () => {
  test('the runner dies during the restore: the copy is dropped, and nothing was stopped', async () => {
    const seen = await state();
    const action = await startRestore();
    await copyIs(true);
    await action.kill();
    await action.finished;
    await copyIs(false);
    await unharmed(seen);
  });

  test('the runner dies while a database that was dropped is restored: the next run knows the empty one, and drops it', async () => {
    const seen = await state();
    const inputs = { 'db-name': 'was dropped' };
    const sleeps = sqlFile('SELECT pg_sleep(300);\n');
    const action = await startRestore({ ...inputs, 'after-restore-sql': sleeps });
    await copyIs(true);
    await action.kill();
    await action.finished;
    await copyIs(false);
    assert.ok((await databasesOf(host)).includes('was dropped'));
    // A plan changes nothing, and needs nothing to be created.
    const plan = await restore({ ...inputs, 'plan-only': 'true', 'confirm-restore': '' });
    assert.equal(plan.outputs['status'], 'planned', logOf(plan));
    assert.ok((await databasesOf(host)).includes('was dropped'));
    const next = await restore({ ...inputs, 'after-restore-sql': sqlFile('SELECT 1/0;\n') });
    refusedWith(next, 'after-sql-failed', /./, /./);
    assert.match(logOf(next), /"was dropped" is empty: an earlier restore created it and was cut off/);
    assert.match(logOf(next), /Dropped the empty database "was dropped" again/);
    await unharmed(seen);
  });

  test('another restore neither takes over nor drops an empty database whose copy is not there yet', async () => {
    const seen = await state();
    const inputs = { 'db-name': 'was dropped', 'after-restore-sql': sqlFile('SELECT 1/0;\n') };
    const first = await startRestore(inputs);
    const isThere = async () => ((await databasesOf(host)).includes('was dropped') ? true : undefined);
    await until('it is created', isThere);
    const goOn = freezeRunner(first);
    try {
      const second = await restore({ ...inputs, 'lock-wait': '0s' });
      refusedWith(second, 'lock-held', /\.lock\.created is held by rollback-action/, /did not wait/);
      assert.ok(await isThere());
    } finally {
      await goOn();
    }
    refusedWith(await first.finished, 'after-sql-failed', /./, /./);
    await unharmed(seen);
  });
});
