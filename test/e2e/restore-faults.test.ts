// What goes wrong while a database is restored: afterwards it is the old one in full, or the new one in full, and whatever wrote writes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { attempt } from '../lab/command.ts';
import { cutConnections, freezeRunner, until } from '../lab/faults.ts';
import { type ActionResult, runAction, startAction } from '../lab/runner.ts';
import { adviceIn, errorsOf, logOf, runnerIsClean } from './expectations.ts';
import { databasesOf, essence, restored, sqlFile, startTicker, takenBackup, ticker, writes } from './restores.ts';
import { nothingLeft, notRolledBack, rollBack, rollbackInputs, sameContainers, snapshotOf } from './rollbacks.ts';
import { backup, bash, type Inputs, manifestOf, write } from './sets.ts';
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

/** What is live has the rows of the backup, without what was added since; but for an unlogged table, which a crash empties. */
async function isNew(seen: Awaited<ReturnType<typeof state>>) {
  const rows = ({ content }: Pick<typeof seen, 'content'>) =>
    Object.entries(content).filter(([name]) => name.startsWith('table ') && !/shop\.(since|cache)/.test(name));
  assert.deepEqual(rows({ content: await essence(host) }), rows(seen));
  assert.equal(await db.psql("SELECT to_regclass('shop.since') IS NULL"), 't');
  await writes(host);
  // For the tests that follow.
  await db.psql('CREATE TABLE shop.since (id int); INSERT INTO shop.since VALUES (1);');
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
    const file = sqlFile("UPDATE shop.customers SET name = 'x';\nSELECT 'secret-of-a-row'::int;\n");
    const result = await restore({ 'after-restore-sql': file });
    refusedWith(result, 'after-sql-failed', /after-restore-sql" failed/, /database is untouched/);
    assert.doesNotMatch(logOf(result), /secret-of-a-row/);
    await unharmed(seen);
  });

  test('a set whose manifest says something else than its dump holds: rows, or what is in them', async () => {
    const seen = await state();
    for (const [change, said] of [
      [{ rows: 1 }, /not what .* held: rows: .*shop\.\S+/],
      [{ content: { oneIn: 1, rows: 1, hash: '7' } }, /not what .* held: content: /],
    ] as const) {
      const taken = await backup(host, backupDir);
      const manifest = await manifestOf(host, taken);
      const tables = manifest['tables'] as { schema: string; name: string; rows: number; content: { rows: number } }[];
      const other = tables.map((table) =>
        table.name === 'customers'
          ? {
              ...table,
              ...change,
              ...('content' in change ? { content: { ...change.content, rows: table.rows } } : {}),
            }
          : table,
      );
      await write(host, taken.outputs['manifest-file'] ?? '', JSON.stringify({ ...manifest, tables: other }));
      refusedWith(
        await restore({ 'restore-database': manifest.id }),
        'restore-differs',
        said,
        /The database is untouched/,
      );
    }
    await unharmed(seen);
  });

  test('an extension that the server lacks; and a backup of a newer PostgreSQL than it is', async () => {
    const seen = await state();
    for (const [change, said] of [
      [{ extensions: [{ name: 'postgis', version: '3.4' }] }, /server's image has no postgis/],
      [{ serverVersion: '99.1' }, /backup is of PostgreSQL 99\.1, and the server is older: 15/],
    ] as const) {
      const taken = await backup(host, backupDir);
      const manifest = await manifestOf(host, taken);
      await write(host, taken.outputs['manifest-file'] ?? '', JSON.stringify({ ...manifest, ...change }));
      refusedWith(await restore({ 'restore-database': manifest.id }), 'cannot-restore', said, /Nothing was changed/);
    }
    await unharmed(seen);
  });

  test('roles of which one cannot be made: then none is', async () => {
    const seen = await state();
    const other = await takenBackup(host, backupDir);
    const roles = "CREATE ROLE first;\nCREATE ROLE second;\nALTER ROLE second WITH LOGIN VALID UNTIL 'no date';\n";
    // As if the source had it like that.
    const script =
      'cd -- "$1" && name=backup_$2.globals.sql.gz && printf "%s" "$3" | gzip >new && mv new "$name" && ' +
      'grep -vF "  $name" "backup_$2.sha256" >list && sha256sum "$name" >>list && cat list >"backup_$2.sha256" && rm list';
    await bash(host, script, `${host.deployDir}/${backupDir}/daily`, other, roles);
    const result = await restore({ 'restore-database': other });
    refusedWith(
      result,
      'restore-failed',
      /Could not create the roles .*invalid input syntax for type timestamp/,
      /The database is untouched/,
    );
    assert.equal(await db.psql("SELECT count(*) FROM pg_roles WHERE rolname IN ('first', 'second')"), '0');
    await unharmed(seen);
  });

  test('a restore of a database that was dropped: the empty one that was created for it goes again', async () => {
    const seen = await state();
    const file = sqlFile('SELECT 1/0;\n');
    for (const [inputs, code] of [
      [{ 'min-free-space': '900TiB' }, 'cannot-restore'],
      [{ 'after-restore-sql': file }, 'after-sql-failed'],
    ] as const) {
      const result = await restore({ 'db-name': 'was "Dropped"', ...inputs });
      refusedWith(result, code, /./, /./);
      assert.match(logOf(result), /created an empty one/);
      assert.match(logOf(result), /Dropped the empty database "was "Dropped"" again/);
      assert.deepEqual(await databasesOf(host), seen.databases);
    }
    // It must be there for the backup before the restore, and somebody may come in meanwhile.
    const other = sqlFile('SELECT pg_sleep(3);\nSELECT 1/0;\n');
    const action = await startAction('rollback', restoring({ 'db-name': 'dropped', 'after-restore-sql': other }));
    await until('it is created', async () => ((await databasesOf(host)).includes('dropped') ? true : undefined));
    await db.psql('CREATE TABLE mine (id int);', 'dropped');
    const result = await action.finished;
    assert.match(adviceIn(result), /"dropped", created empty .* was kept: somebody has changed it/, logOf(result));
    assert.doesNotMatch(logOf(result), /dropdb/);
    await db.drop('dropped');
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

/**
 * What there is to compare with after a crash of the server: that empties unlogged tables and lets sequences run ahead, but what has been
 * through one is as it was after the next.
 */
async function stateAfterCrash() {
  const start = await serverDies();
  await start();
  return state();
}

/** The server dies as when memory runs out. @returns what starts it again, as an operator does, and waits until it has recovered */
async function serverDies(): Promise<() => Promise<void>> {
  const container = await host.container('db');
  await host.docker('kill', container);
  return async () => {
    await host.docker('start', container);
    await until('the server is up', async () => ((await db.tryPsql('SELECT 1')).code === 0 ? true : undefined));
  };
}

/** Until a copy is there, or none any more. */
const copyIs = (there: boolean) =>
  until(there ? 'a copy' : 'the copy is dropped', async () =>
    (await databasesOf(host)).some((name) => name.includes('_restore_')) === there ? true : undefined,
  );

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
    const action = await startAction('rollback', restoring({ 'restore-database': slowId, 'db-name': slow, ...inputs }));
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
    const action = await startAction('rollback', restoring({ ...disk.least, 'after-restore-sql': file }));
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
    const next = await startAction(
      'rollback',
      restoring({ 'restore-database': slowId, 'db-name': slow, 'after-restore-sql': file }),
    );
    await works(slow, 'CREATE INDEX');
    assert.ok(!(await databasesOf(host)).includes(left[0] ?? ''));
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

describe('cut off', { concurrency: 1 }, () => {
  test('the runner dies during the restore: the copy is dropped, and nothing was stopped', async () => {
    const seen = await state();
    const action = await startAction('rollback', restoring());
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
    const action = await startAction('rollback', restoring({ ...inputs, 'after-restore-sql': sleeps }));
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

  test('an empty database whose restore has no copy yet is neither taken over nor dropped by another', async () => {
    const seen = await state();
    const inputs = { 'db-name': 'was dropped', 'after-restore-sql': sqlFile('SELECT 1/0;\n') };
    const first = await startAction('rollback', restoring(inputs));
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

  for (const step of ['prepared', 'stopping', 'exchanging', 'exchanged', 'healthy'])
    test(`engine, supervisor and runner die at "${step}": the next run puts the old database back first`, async () => {
      const seen = await state();
      const watch = watchTransaction(app, backupDir);
      const action = await startAction('rollback', restoring());
      await killSupervisorAndEngine(await watch.reached(step));
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

for (const step of ['stopping', 'exchanged', 'started'])
  test(`the connection is cut at "${step}": the host goes on, and the runner hears how it has ended`, async () => {
    const seen = await state();
    const watch = watchTransaction(app, backupDir);
    const action = await startAction('rollback', restoring());
    await watch.reached(step);
    cutConnections(host);
    await restored(app, await action.finished);
    await isNew(seen);
  });

describe('the server dies right after the exchange', { concurrency: 1 }, () => {
  const died = async () => {
    const watch = watchTransaction(app, backupDir);
    const action = await startAction('rollback', restoring());
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
      message: /The database server does not answer any more/,
      hint: /Could not make sure that the old database is back: it is atlasia, or still atlasia_before_\d{8}_\d{6}/,
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
