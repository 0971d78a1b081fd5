// The database is lost, or wrong: a backup takes its place, alone or together with the images, and otherwise nothing has happened.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Application } from '../lab/application.ts';
import { run } from '../lab/command.ts';
import type { Content } from '../lab/database.ts';
import { until } from '../lab/faults.ts';
import type { ActionResult } from '../lab/runner.ts';
import { errorsOf, logOf, runnerIsClean, succeeded } from './expectations.ts';
import {
  historyIn,
  newBackupDirOf,
  nothingLeft,
  notRolledBack,
  planned,
  rollBack,
  rolledBack,
  snapshotOf,
} from './rollbacks.ts';
import { backup, type Inputs } from './sets.ts';
import { applicationForFile, deployed } from './stage.ts';

/** Writes a row five times a second, and is part of no release. */
const ticker = {
  image: 'acme/ticker:1',
  init: true,
  stop_grace_period: '1s',
  restart: 'unless-stopped',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: compose's own variable
  environment: { PGHOST: 'db', PGUSER: 'atlasia', PGDATABASE: 'atlasia', PGPASSWORD: '${POSTGRES_PASSWORD}' },
  entrypoint: [
    'sh',
    '-c',
    'PATH=/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin; while :; do psql -qc "INSERT INTO ticks VALUES (now())"; sleep 0.2; done',
  ],
};

const { app } = await applicationForFile({
  name: 'restore',
  versions: ['v1', 'v2', { version: 'ill', ill: 'health' }],
  services: { ticker },
});
const { host } = app;
const db = host.database;

before(async () => {
  // The same files without the image's variables: it has psql, and is no database.
  await run(
    ['bash', '-c', 'docker export "$1" | docker import - "$2"', 'bash', await host.container('db'), ticker.image],
    {
      env: host.env,
    },
  );
  await db.psql('CREATE TABLE ticks (at timestamptz NOT NULL);');
  await host.exec(['docker', 'compose', 'up', '--detach', 'ticker']);
});

const ticks = async (database?: string) => Number(await db.psql('SELECT count(*) FROM ticks', database));
const databases = async () =>
  (await db.psql('SELECT datname FROM pg_database ORDER BY 1', 'postgres')).split('\n').filter(Boolean);
/** Whatever the writer has written meanwhile does not count. */
const essence = async (database?: string): Promise<Content> =>
  Object.fromEntries(Object.entries(await db.contentOf(database)).filter(([name]) => !/ticks/.test(name)));

async function takenBackup(backupDir: string, inputs: Inputs = {}): Promise<string> {
  const result = await backup(host, backupDir, inputs);
  succeeded(result);
  return result.outputs['backup-id'] ?? '';
}

const restore = (backupDir: string, id: string, inputs: Inputs = {}) =>
  rollBack(app, backupDir, { 'restore-database': id, 'confirm-restore': 'RESTORE', ...inputs });

/** It says that it has restored, and nothing of it is left but the old database. @returns the name of that */
async function restored(app: Application, result: ActionResult): Promise<string> {
  const log = logOf(result);
  assert.equal(result.exitCode, 0, log);
  assert.equal(result.outputs['status'], 'rolled-back', log);
  assert.deepEqual(errorsOf(result), [], log);
  runnerIsClean(result);
  await nothingLeft(app);
  const aside = `atlasia_before_${result.outputs['transaction-id']}`;
  const present = await databases();
  assert.ok(present.includes(aside), `${aside} is not among ${present}`);
  assert.deepEqual(
    present.filter((name) => name.includes('_restore_')),
    [],
  );
  return aside;
}

/** The writer writes again. */
const writes = async () => {
  const seen = await ticks();
  await until('the writer writes again', async () => ((await ticks()) > seen ? true : undefined));
};

test('a lost table comes back: the database alone is restored, and the old one is kept', async () => {
  const backupDir = await newBackupDirOf(app, 'v1');
  const was = await essence();
  const id = await takenBackup(backupDir);
  await db.psql("DROP TABLE shop.orders CASCADE; ALTER DATABASE atlasia SET work_mem = '7MB'");
  const damaged = await essence();
  const before = await snapshotOf(app);

  const result = await restore(backupDir, id);
  const aside = await restored(app, result);
  assert.deepEqual(await essence(), was, logOf(result));
  assert.deepEqual(await essence(aside), damaged);
  assert.equal(await db.psql('SHOW work_mem'), '7MB');
  await writes();
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

test('paired: images and data go back together, to the moment before the deployment', async () => {
  const backupDir = await newBackupDirOf(app, 'v1');
  const id = await takenBackup(backupDir, { kind: 'predeployment', environment: 'lab' });
  const was = await essence();
  await deployed(app, 'v2');
  await db.psql('ALTER TABLE shop.customers DROP COLUMN born; CREATE TABLE shop.new_things (id int);');

  const result = await restore(backupDir, 'paired', { target: 'v1' });
  await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
  await restored(app, result);
  assert.deepEqual(await essence(), was);
  assert.equal(historyIn(app, backupDir).at(-1)?.restoredId, id);
  await writes();
});

test('where the target fails, the old release has its old database again, with all that was written', async () => {
  const backupDir = await newBackupDirOf(app, 'v1');
  const id = await takenBackup(backupDir, { kind: 'predeployment', environment: 'lab' });
  await db.psql('CREATE TABLE shop.since (id int); INSERT INTO shop.since VALUES (1);');
  const was = await essence();
  const [before, present] = [await ticks(), await databases()];
  const result = await restore(backupDir, id, { target: 'ill', 'health-timeout': '5s' });
  await notRolledBack(app, result, {
    status: 'reverted',
    message: /Not rolled back: .*backend/,
    hint: /previous release is running again/,
  });
  assert.deepEqual(await essence(), was);
  assert.ok((await ticks()) >= before);
  assert.deepEqual(await databases(), present);
  await writes();
});

test('a plan says what it would cost, and changes nothing', async () => {
  const backupDir = await newBackupDirOf(app, 'v1');
  const id = await takenBackup(backupDir);
  const present = await databases();
  const result = await rollBack(app, backupDir, { 'restore-database': id, 'plan-only': 'true' });
  planned(result);
  assert.match(logOf(result), /The database "atlasia" is replaced by backup/);
  assert.match(
    logOf(result),
    /ticker is stopped meanwhile and started again: it (is connected|depends)|ticker .*names db/,
  );
  assert.match(logOf(result), /gives up whatever was written in the last/);
  assert.deepEqual(await databases(), present);
});
