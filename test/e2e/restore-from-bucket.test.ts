// The host is lost, or its backups are: images and data come back from the bucket, onto the same host or onto a new one.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Application } from '../lab/application.ts';
import { run } from '../lab/command.ts';
import { needPrograms } from '../lab/packages.ts';
import { runAction } from '../lab/runner.ts';
import { adviceIn, errorsOf, logOf, succeeded } from './expectations.ts';
import { bucketForFile, databasesOf, essence, restored, startTicker, ticker, writes } from './restores.ts';
import { planned, rollbackInputs, rolledBack } from './rollbacks.ts';
import { backupInputs, bash, type Inputs } from './sets.ts';
import { applicationForFile, deployed, startApplicationForFile } from './stage.ts';

await needPrograms({ age: 'age' });
const { app, ...ground } = await applicationForFile({
  name: 'bucket',
  versions: ['v1', 'v2'],
  runs: 'v1',
  services: { ticker },
});
const { host } = app;
const db = host.database;
const { bucket, env } = await bucketForFile();
const noBucket = { 's3-bucket': '', 's3-endpoint': '', 's3-region': '' };
const identity = await run(['age-keygen']);
const sealed = { encrypt: 'age', 'encrypt-to': /age1\w+/.exec(identity)?.[0] ?? '' };

before(() => startTicker(host));

async function taken(backupDir: string, inputs: Inputs): Promise<string> {
  const result = await runAction('backup', backupInputs(host, backupDir, { environment: 'lab', ...inputs }), { env });
  succeeded(result);
  return result.outputs['backup-id'] ?? '';
}

const restore = (on: Application, backupDir: string, id: string, inputs: Inputs = {}) =>
  runAction(
    'rollback',
    rollbackInputs(on, backupDir, {
      'restore-database': id,
      'confirm-restore': 'RESTORE',
      'restore-from': 's3',
      ...bucket,
      ...inputs,
    }),
    { env },
  );

test('paired, from the bucket: images and data go back together although the host has lost its backups', async () => {
  const backupDir = host.newBackupDir();
  const older = await taken(backupDir, { kind: 'predeployment', ...bucket });
  const alone = await taken(backupDir, { kind: 'predeployment' });
  await deployed(app, 'v2');
  // The one that belongs to the target is on the host alone: an older one in the bucket must not pass for it.
  const refused = await restore(app, backupDir, 'paired', { target: 'v1' });
  assert.match(errorsOf(refused)[0]?.message ?? '', new RegExp(`No complete copy ${alone} found`), logOf(refused));
  assert.equal(await app.versionOf('backend'), 'v2');

  await deployed(app, 'v1');
  await db.psql('CREATE TABLE shop.just_before (id int);');
  const was = await essence(host);
  const id = await taken(backupDir, { kind: 'predeployment', ...bucket });
  await deployed(app, 'v2');
  await db.psql('DROP TABLE shop.orders CASCADE;');
  await bash(host, 'rm --recursive -- "$1"', `${host.deployDir}/${backupDir}`);
  const result = await restore(app, backupDir, 'paired', { target: 'v1' });
  await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
  await restored(app, result);
  assert.match(logOf(result), new RegExp(`from s3://acme/atlasia-backups/lab/${id}/`));
  assert.doesNotMatch(logOf(result), new RegExp(`lab/${older}/`));
  assert.deepEqual(await essence(host), was);
  await writes(host);
});

test('a copy for staging, on another host: the backup is of another environment, and has to be said so', async () => {
  const backupDir = host.newBackupDir();
  const id = await taken(backupDir, { environment: 'production', ...bucket });
  const was = await essence(host);
  await db.create('staging');
  const inputs = { 'db-name': 'staging', environment: 'staging' };
  const refused = await restore(app, backupDir, id, inputs);
  assert.match(errorsOf(refused)[0]?.message ?? '', /found in s3:\/\/acme\/atlasia-backups\/staging/, logOf(refused));
  for (const [wrong, said] of [
    [{ 'restore-database': 'paired', 'restore-environment': 'production' }, /cannot be combined with paired/],
    [{ 'restore-from': 'host', ...noBucket, 'restore-environment': 'production' }, /"restore-from" is host/],
    [
      {
        'restore-database': 'none',
        'restore-from': 'host',
        ...noBucket,
        'confirm-restore': '',
        'restore-environment': 'lab',
      },
      /"restore-database" is none/,
    ],
  ] as const) {
    const result = await restore(app, backupDir, id, { ...inputs, ...wrong });
    assert.match(errorsOf(result)[0]?.message ?? '', /restore-environment/, logOf(result));
    assert.match(logOf(result), said);
  }
  const result = await restore(app, backupDir, id, { ...inputs, 'restore-environment': 'production' });
  assert.equal(result.outputs['status'], 'rolled-back', logOf(result));
  assert.deepEqual(await essence(host, 'staging'), was);
  assert.deepEqual(await essence(host), was);
});

test('the whole way, onto an empty host: from the bucket and the key alone to an application that is served', async () => {
  const id = await taken(host.newBackupDir(), { ...sealed, ...bucket });
  const was = await essence(host);
  const there = await startApplicationForFile(ground, { name: 'new', services: { ticker } });
  const { database } = there.host;
  // The project is there and its server is up, and has nothing of ours: no database, no role, no backup, no history.
  await database.drop('atlasia');
  const backupDir = there.host.newBackupDir();
  const inputs = { 'decrypt-key': identity, 'skip-backup': 'false' };

  const plan = await restore(there, backupDir, id, { ...inputs, 'plan-only': 'true', 'confirm-restore': '' });
  assert.match(errorsOf(plan)[0]?.message ?? '', /server has no database "atlasia"/, logOf(plan));
  assert.match(adviceIn(plan), /run this without "plan-only", which creates it/);
  assert.ok(
    !(await there.host.database.rows("SELECT 1 FROM pg_database WHERE datname = 'atlasia'", 'postgres')).length,
  );

  const result = await restore(there, backupDir, id, inputs);
  await restored(there, result);
  assert.match(logOf(result), /server had no database "atlasia": created an empty one/);
  assert.deepEqual(await essence(there.host), was);
  await there.host.exec(['docker', 'compose', 'up', '--detach', 'ticker']);
  await deployed(there, 'v1');
  await writes(there.host);
  // From now on it is a host like any other.
  const next = await runAction(
    'backup',
    backupInputs(there.host, backupDir, { environment: 'lab', ...sealed, ...bucket }),
    { env },
  );
  succeeded(next);
  planned(
    await restore(there, backupDir, next.outputs['backup-id'] ?? '', { 'decrypt-key': identity, 'plan-only': 'true' }),
  );
  assert.deepEqual(
    (await databasesOf(there.host)).filter((name) => name.includes('_restore_')),
    [],
  );
});
