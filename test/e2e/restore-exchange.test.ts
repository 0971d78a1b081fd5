// What goes wrong from the moment at which writers are stopped until they write again: what is live is the old database in full, or
// the new one in full.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { attempt } from '../lab/command.ts';
import { cutConnections, until } from '../lab/faults.ts';
import { logOf } from './expectations.ts';
import { restoreStageForFile } from './restore-stage.ts';
import { databasesOf, restored } from './restores.ts';
import { historyIn, nothingLeft, notRolledBack, rollBack } from './rollbacks.ts';
import { killEngine, killSupervisorAndEngine, watchTransaction } from './transactions.ts';

const { app, host, db, backupDir, id, restore, startRestore, state, stateAfterCrash, serverDies, unharmed, isNew } =
  await restoreStageForFile('restore-exchange');

describe('cut off', { concurrency: 1 }, () => {
  const steps = ['prepared', 'stopping', 'exchanging', 'exchanged', 'started', 'healthy'];
  /** The journal decides up to its commit: before it the old database stays, or is live again; after it the new one is. */
  const isCommitted = (journal: string[][]) => journal.some(([name]) => name === 'commit');

  for (const step of [...steps, 'commit'])
    test(`the engine is killed at "${step}": its supervisor brings it to its end, which the run reports`, async () => {
      const seen = await state();
      const watch = watchTransaction(app, backupDir);
      const action = await startRestore();
      await killEngine(await watch.reached(step));
      const result = await action.finished;
      // It may have come a step further before it was hit.
      const journal = (await watch.ended()).journal();
      assert.ok(isCommitted(journal) || step !== 'commit', String(journal));
      if (isCommitted(journal)) {
        await restored(app, result);
        return isNew(seen);
      }
      const status = journal.some(([name]) => name === 'stopping') ? 'reverted' : 'refused';
      assert.equal(result.outputs['status'], status, logOf(result));
      return unharmed(seen);
    });

  for (const step of ['stopping', 'exchanged', 'commit'])
    test(`engine and supervisor die at "${step}": the run starts them again, and reports how it has ended`, async () => {
      const seen = await state();
      const watch = watchTransaction(app, backupDir);
      const action = await startRestore();
      await killSupervisorAndEngine(await watch.reached(step));
      const result = await action.finished;
      if (isCommitted((await watch.ended()).journal())) {
        await restored(app, result);
        return isNew(seen);
      }
      assert.notEqual(step, 'commit');
      await notRolledBack(app, result, {
        status: 'reverted',
        code: 'engine-died',
        message: /^Not restored: /,
        hint: /previous release is running again, with its old database/,
      });
      return unharmed(seen);
    });

  for (const step of [...steps, 'commit'])
    test(`engine, supervisor and runner die at "${step}": the next run ends it first, and says how`, async () => {
      const seen = await state();
      const watch = watchTransaction(app, backupDir);
      const action = await startRestore();
      await killSupervisorAndEngine(await watch.reached(step));
      await action.kill();
      await action.finished;
      const next = await rollBack(app, backupDir, { target: 'v1' });
      assert.equal(next.outputs['status'], 'unchanged', logOf(next));
      const journal = (await watch.ended()).journal();
      const [, ending] = journal.at(-1) ?? [];
      assert.match(logOf(next), new RegExp(`Finished the transaction \\d{8}_\\d{6}: ${ending}`));
      assert.equal(ending === 'rolled-back', step === 'commit', String(journal));
      assert.equal(isCommitted(journal), step === 'commit', String(journal));
      return step === 'commit' ? isNew(seen) : unharmed(seen);
    });

  for (const step of [...steps, 'commit'])
    test(`the runner dies at "${step}": the host brings it to its end, and notes that in the history`, async () => {
      const seen = await state();
      const watch = watchTransaction(app, backupDir);
      const action = await startRestore();
      await watch.reached(step);
      await action.kill();
      await action.finished;
      const ended = await watch.ended();
      assert.deepEqual(ended.journal().at(-1), ['ended', 'rolled-back']);
      const record = historyIn(app, backupDir).at(-1);
      assert.deepEqual([record?.event, record?.status, record?.restoredId], ['restore', 'succeeded', id]);
      await isNew(seen);
      await nothingLeft(app);
    });
});

for (const step of ['prepared', 'stopping', 'exchanging', 'exchanged', 'started', 'healthy', 'commit'])
  test(`the connection is cut at "${step}": the host goes on, and the runner hears how it has ended`, async () => {
    const seen = await state();
    const watch = watchTransaction(app, backupDir);
    const action = await startRestore();
    await watch.reached(step);
    cutConnections(host);
    await restored(app, await action.finished);
    await isNew(seen);
  });

describe('the server dies right after the exchange', { concurrency: 1 }, () => {
  const died = async () => {
    const watch = watchTransaction(app, backupDir);
    const action = await startRestore();
    const transaction = await watch.reached('exchanged');
    return { watch, action, transaction, start: await serverDies() };
  };

  test('and is there again at once, as its restart policy may have it: the new database is live in full', async () => {
    const seen = await state();
    const { action, start } = await died();
    await start();
    await restored(app, await action.finished);
    await isNew(seen);
  });

  test('and is there again while it is undone: the old database is live in full, and the error names the server', async () => {
    const seen = await stateAfterCrash();
    const { watch, action, start } = await died();
    await watch.reached('reverting');
    await start();
    await notRolledBack(app, await action.finished, {
      status: 'reverted',
      code: 'database-silent',
      message: /^Not restored: The database server does not answer any more/,
      hint: /previous release is running again, with its old database.*docker logs/,
    });
    await unharmed(seen);
  });

  test('and stays away: nothing is claimed, and what is live once it is back is the new database in full', async () => {
    const seen = await state();
    const { action, transaction, start } = await died();
    const result = await action.finished;
    await start();
    await notRolledBack(app, result, {
      status: 'failed',
      code: 'database-silent',
      message:
        /^The restore failed, and not everything could be put back: The database server does not answer any more/,
      hint: /If \\l lists a database atlasia_before_\d{8}_\d{6}, that is the old one, and atlasia the restored one; to swap them back: /,
    });
    assert.deepEqual(transaction.journal().at(-1), ['ended', 'failed']);
    await isNew(seen);
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

test('a failure before the exchange leaves nothing to look at, also where "on-failure" is leave', async () => {
  const seen = await state();
  // Whoever renames it waits, and gives up.
  const holder = spawn((await db.psqlCommand())[0] ?? '', (await db.psqlCommand('postgres')).slice(1), {
    env: host.env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  holder.stdin.write("BEGIN; COMMENT ON DATABASE atlasia IS 'held'; SELECT 'held';\n");
  await once(holder.stdout, 'data');
  const result = await restore({ 'on-failure': 'leave' });
  holder.stdin.end('ROLLBACK;\n');
  await once(holder, 'exit');
  await notRolledBack(app, result, {
    status: 'reverted',
    code: 'not-exchanged',
    message: /could not exchange their names/,
    hint: /previous release is running again, with its old database/,
  });
  await unharmed(seen);
});
