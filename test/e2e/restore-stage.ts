// What the files on restores that fail share: an application that a writer writes to, a backup of its database, and what must be so
// however a restore of that ends.
import assert from 'node:assert/strict';
import { until } from '../lab/faults.ts';
import { type ActionResult, type RunningAction, runAction, startAction } from '../lab/runner.ts';
import { adviceIn, errorsOf, logOf, runnerIsClean } from './expectations.ts';
import { databasesOf, essence, startTicker, takenBackup, ticker, writes } from './restores.ts';
import { nothingLeft, rollbackInputs, sameContainers, snapshotOf } from './rollbacks.ts';
import type { Inputs } from './sets.ts';
import { applicationForFile } from './stage.ts';

/** All that is compared before and after. */
interface State {
  content: Awaited<ReturnType<typeof essence>>;
  databases: string[];
  containers: Awaited<ReturnType<typeof snapshotOf>>;
}

/**
 * The stage of one file. The database is newer than its backup by the table `shop.since`.
 * @param database what is different about its service
 */
export async function restoreStageForFile(name: string, database: object = {}) {
  const { app } = await applicationForFile({
    name,
    versions: ['v1', 'v2'],
    runs: 'v1',
    services: { ticker, backend: { restart: 'unless-stopped' }, db: database },
  });
  const { host } = app;
  const db = host.database;
  const backupDir = host.newBackupDir();
  const addWhatIsNewer = () => db.psql('CREATE TABLE shop.since (id int); INSERT INTO shop.since VALUES (1);');

  await startTicker(host);
  await db.psql('CREATE ROLE keeper LOGIN; ALTER TABLE shop.orders OWNER TO keeper;');
  const id = await takenBackup(host, backupDir);
  await addWhatIsNewer();

  const inputsFor = (inputs: Inputs) =>
    rollbackInputs(app, backupDir, { 'restore-database': id, 'confirm-restore': 'RESTORE', ...inputs });
  const state = async (): Promise<State> => ({
    content: await essence(host),
    databases: await databasesOf(host),
    containers: await snapshotOf(app),
  });

  /** The server dies as when memory runs out. @returns what starts it again, as an operator does, and waits until it has recovered */
  async function serverDies(): Promise<() => Promise<void>> {
    const container = await host.container('db');
    await host.docker('kill', container);
    return async () => {
      await host.docker('start', container);
      await until('the server is up', async () => ((await db.tryPsql('SELECT 1')).code === 0 ? true : undefined));
    };
  }

  /** Nothing has happened: the same data, databases and containers, and the writer writes. */
  async function unharmed(before: State): Promise<void> {
    const after = await state();
    assert.deepEqual(after.content, before.content);
    assert.deepEqual(after.databases, before.databases);
    sameContainers(before.containers, after.containers);
    await writes(host);
    await nothingLeft(app);
  }

  /** What is live has the rows of the backup, without what was added since; but for an unlogged table, which a crash empties. */
  async function isNew(seen: State): Promise<void> {
    const rows = (content: State['content']) =>
      Object.entries(content).filter(([name]) => name.startsWith('table ') && !/shop\.(since|cache)/.test(name));
    assert.deepEqual(rows(await essence(host)), rows(seen.content));
    assert.equal(await db.psql("SELECT to_regclass('shop.since') IS NULL"), 't');
    await writes(host);
    // For the tests that follow.
    await addWhatIsNewer();
  }

  /** What the runner says is so: the new database is live in full, or the old one. Where it cannot know, it is one of the two. */
  async function endedAs(status: string | undefined, before: State): Promise<void> {
    const isAside = (database: string) => database.includes('_before_') && !before.databases.includes(database);
    const present = await databasesOf(host);
    if (status !== 'failed') assert.equal(present.some(isAside), status === 'rolled-back');
    if (present.some(isAside)) return isNew(before);
    // Nobody could drop it; the next restore does.
    if (status === 'failed')
      for (const database of present) if (database.includes('_restore_')) await db.drop(database);
    return unharmed(before);
  }

  return {
    app,
    host,
    db,
    backupDir,
    id,
    startRestore: (inputs: Inputs = {}): Promise<RunningAction> => startAction('rollback', inputsFor(inputs)),
    restore: (inputs: Inputs = {}): Promise<ActionResult> => runAction('rollback', inputsFor(inputs)),
    state,
    serverDies,

    /**
     * What there is to compare with after a crash of the server: that empties unlogged tables and lets sequences run ahead, but what
     * has been through one is as it was after the next.
     */
    async stateAfterCrash(): Promise<State> {
      const start = await serverDies();
      await start();
      return state();
    },

    unharmed,
    isNew,
    endedAs,

    /** Until a copy is there, or none any more. */
    copyIs: (there: boolean) =>
      until(there ? 'a copy' : 'the copy is dropped', async () =>
        (await databasesOf(host)).some((database) => database.includes('_restore_')) === there ? true : undefined,
      ),
  };
}

/** It failed with one error, and left nothing on the runner. */
export function refusedWith(result: ActionResult, code: string, message: RegExp, hint: RegExp): void {
  const log = logOf(result);
  assert.equal(result.exitCode, 1, log);
  const [error, ...others] = errorsOf(result);
  assert.deepEqual(others, [], log);
  assert.match(error?.properties['title'] ?? '', new RegExp(`: ${code}$`), log);
  assert.match(error?.message ?? '', message, log);
  assert.match(adviceIn(result), hint, log);
  runnerIsClean(result);
}
