// A rollback of images alone meets the schema of the newer release: what older code may stumble over refuses it, before anything
// is stopped; what was only added does not.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { run } from '../lab/command.ts';
import * as faults from '../lab/faults.ts';
import { needPrograms } from '../lab/packages.ts';
import { type ActionResult, runAction } from '../lab/runner.ts';
import { logOf, succeeded } from './expectations.ts';
import { notRolledBack, planned, rollBack, rolledBack, sameContainers, snapshotOf } from './rollbacks.ts';
import { backupInputs, type Inputs } from './sets.ts';
import { applicationForFile, deployed } from './stage.ts';

await needPrograms({ age: 'age' });
const { app } = await applicationForFile({ name: 'guard', versions: ['v1', 'v2'] });
const { host } = app;

const warningsOf = ({ annotations }: ActionResult) =>
  annotations.filter(({ name }) => name === 'warning').map(({ message }) => message);
const warns = (result: ActionResult, pattern: RegExp) =>
  assert.ok(
    warningsOf(result).some((message) => pattern.test(message)),
    `${pattern}:\n${logOf(result)}`,
  );

const onV1 = `
  DROP SCHEMA IF EXISTS shop CASCADE;
  CREATE SCHEMA shop;
  CREATE TYPE shop.state AS ENUM ('open', 'paid');
  CREATE TABLE shop.orders (id bigint PRIMARY KEY, state shop.state, total numeric, note text);`;

/** v1 runs with its schema, and its backup is taken; then v2 is deployed, whose migration does this. Gives the backup folder. */
async function migrated(migration: string, kind = 'predeployment', inputs: Inputs = {}): Promise<[string, string]> {
  await deployed(app, 'v1');
  await host.psql(onV1);
  const backupDir = host.newBackupDir();
  const taken = await runAction('backup', backupInputs(host, backupDir, { kind, environment: 'lab', ...inputs }));
  succeeded(taken);
  await host.psql(migration);
  await deployed(app, 'v2');
  return [backupDir, taken.outputs['backup-id'] ?? ''];
}

/** The newest other release that ran, as the backup has recorded it. */
const toV1 = (backupDir: string, inputs: Inputs = {}) => rollBack(app, backupDir, inputs);

/** Refused, and everything runs on as it did. */
async function leftAlone(work: () => Promise<ActionResult>, message: RegExp, hint: RegExp): Promise<ActionResult> {
  const before = await snapshotOf(app);
  const result = await work();
  await notRolledBack(app, result, { status: 'refused', code: 'schema-changed', message, hint });
  sameContainers(before, await snapshotOf(app));
  assert.equal(await app.versionOf('backend'), 'v2');
  return result;
}

describe('the schema has changed since the target ran', { concurrency: 1 }, () => {
  test('a column that is gone refuses with three ways on, a plan says so, and off passes', async () => {
    const [backupDir, id] = await migrated(`
      ALTER TABLE shop.orders DROP total, ADD paid_at timestamptz;
      COMMENT ON TABLE shop.orders IS E'\\n--\\n-- Name: orders; Type: TABLE; Schema: shop; Owner: x\\n--\\n';`);
    const refusal = await leftAlone(
      () => toV1(backupDir),
      /^The database schema has changed since the target ran: shop\.orders: column total is gone$/,
      new RegExp(`restore-database: paired, which is ${id}\\..*schema-guard: off.*another release`, 's'),
    );
    warns(refusal, /need not notice: shop\.orders: column paid_at$/);
    assert.match(refusal.summary, /column total is gone/);

    const plan = await toV1(backupDir, { 'plan-only': 'true' });
    planned(plan);
    warns(plan, /column total is gone/);
    warns(plan, /^Without plan-only, this would be refused \(schema-changed\)\. You have three options/);
    assert.match(plan.summary, /would be refused \(schema-changed\)/);

    const off = await toV1(backupDir, { 'schema-guard': 'off' });
    await rolledBack(app, off, { backend: 'v1', dashboard: 'v1' });
    assert.ok(!warningsOf(off).some((message) => /column/.test(message)), logOf(off));
    // A reviewed plan stays valid, whatever the guard says.
    assert.equal(off.outputs['plan-hash'], plan.outputs['plan-hash']);
  });

  test('what was only added is a warning, and refused by any', async () => {
    const [backupDir] = await migrated(
      `ALTER TABLE shop.orders ADD currency text DEFAULT 'EUR' NOT NULL;
       ALTER TYPE shop.state ADD VALUE 'refunded'; CREATE TABLE shop.refunds (id int);`,
      'scheduled',
    );
    const added =
      /^Added to the database schema .*: shop\.orders: column currency; table shop\.refunds; shop\.state: value refunded$/;
    // No backup was taken before the deployment, but one while v1 ran.
    await leftAlone(
      () => toV1(backupDir, { 'schema-guard': 'any' }),
      added,
      /there is no backup from before a deployment; .* such as \d{8}_\d{6} \(scheduled, taken while the target ran/,
    );
    const result = await toV1(backupDir);
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
    warns(result, added);
    assert.doesNotMatch(logOf(result), /older code will meet a newer schema/);
  });

  test('what a tag stands for is known after the pull, and then the guard as well', async () => {
    const [backupDir] = await migrated('ALTER TABLE shop.orders ALTER note SET NOT NULL;');
    const byTag = { target: 'v1' };
    await app.forget('v1');
    const plan = await toV1(backupDir, { ...byTag, 'plan-only': 'true' });
    planned(plan);
    assert.match(logOf(plan), /is checked after the pull/);
    await leftAlone(
      () => toV1(backupDir, byTag),
      /^The database schema has changed since the target ran: shop\.orders: column note must not be NULL any more$/,
      /three options/,
    );

    // The schema is again as it was.
    await host.psql('ALTER TABLE shop.orders ALTER note DROP NOT NULL;');
    const result = await toV1(backupDir, { 'schema-guard': 'any', ...byTag });
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
    assert.match(logOf(result), /The database schema is the one that the target ran with/);
  });

  test('where no backup is known, nobody knows, and any refuses', async () => {
    await deployed(app, 'v2');
    const backupDir = host.newBackupDir();
    const unknown =
      /^Whether the database schema has changed since the target ran is unknown: the host has no backup .* while the target ran$/;
    await leftAlone(
      () => toV1(backupDir, { target: 'v1', 'schema-guard': 'any' }),
      unknown,
      /schema-guard: off \(or destructive\)/,
    );
    const result = await toV1(backupDir, { target: 'v1' });
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
    warns(result, unknown);
  });

  test('what cannot be read is told with the reason', async () => {
    const recipient = /age1\w+/.exec(await run(['age-keygen']))?.[0] ?? '';
    const sealed = { encrypt: 'age', 'encrypt-to': recipient };
    const [encrypted, id] = await migrated('ALTER TABLE shop.orders DROP total;', 'predeployment', sealed);
    const inPlan = async (backupDir: string) => {
      const plan = await toV1(backupDir, { 'plan-only': 'true' });
      planned(plan);
      return plan;
    };
    warns(
      await inPlan(encrypted),
      new RegExp(
        `has changed since the target ran; what has changed is unknown: the schema file of ${id} is encrypted$`,
      ),
    );

    const [plain, other] = await migrated('ALTER TABLE shop.orders DROP total;');
    const release = await faults.lockTable(host, 'shop', 'orders');
    warns(
      await inPlan(plain),
      /unknown: that of the database could not be read: somebody has held a table locked for 10/,
    );
    await release();
    const schemas = (await host.exec(['find', join(host.deployDir, plain), '-name', '*.schema.sql.gz'])).stdout;
    const files = schemas.split('\n').filter(Boolean);
    assert.ok(files.length > 0);
    const spoiled = await host.exec([
      'bash',
      '-c',
      'printf %s "$1" | gzip -c >"$2"',
      'bash',
      'SELECT 1;',
      files[0] ?? '',
    ]);
    assert.equal(spoiled.code, 0, spoiled.stderr);
    warns(await inPlan(plain), new RegExp(`unknown: the schema file of ${other} does not match its manifest$`));
    await host.exec(['rm', ...files]);
    warns(await inPlan(plain), new RegExp(`unknown: the schema file of ${other} is missing, or cannot be read$`));
  });
});
