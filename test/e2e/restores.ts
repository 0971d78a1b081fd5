// What every test of a restore stages and expects, said once.
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Application } from '../lab/application.ts';
import { run } from '../lab/command.ts';
import type { Content } from '../lab/database.ts';
import { until } from '../lab/faults.ts';
import type { Host } from '../lab/host.ts';
import { startObjectStore } from '../lab/object-store.ts';
import type { ActionResult } from '../lab/runner.ts';
import { errorsOf, logOf, runnerIsClean, succeeded } from './expectations.ts';
import { nothingLeft } from './rollbacks.ts';
import { backup, type Inputs } from './sets.ts';
import { atEnd } from './stage.ts';

/** Writes a row five times a second, and is part of no release. */
export const ticker = {
  image: 'acme/ticker:1',
  init: true,
  stop_grace_period: '1s',
  restart: 'unless-stopped',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: compose's own variable
  environment: { PGHOST: 'db', PGUSER: 'atlasia', PGDATABASE: 'atlasia', PGPASSWORD: '${POSTGRES_PASSWORD}' },
  entrypoint: [
    'sh',
    '-c',
    'cd /usr/lib/postgresql/*/bin || exit; while :; do ./psql -qc "INSERT INTO ticks VALUES (now())"; sleep 0.2; done',
  ],
};

/** Makes its table and its image, and starts it. */
export async function startTicker(host: Host): Promise<void> {
  // The database's files without its image's variables: it has psql, and is no database.
  const copy = 'docker export "$1" | docker import - "$2"';
  await run(['bash', '-c', copy, 'bash', await host.container('db'), ticker.image], { env: host.env });
  await host.database.psql('CREATE TABLE ticks (at timestamptz NOT NULL);');
  await host.exec(['docker', 'compose', 'up', '--detach', 'ticker']);
}

export const ticksOf = async (host: Host) => Number(await host.database.psql('SELECT count(*) FROM ticks'));

/** The writer writes again. */
export async function writes(host: Host): Promise<void> {
  const seen = await ticksOf(host);
  await until('the writer writes again', async () => ((await ticksOf(host)) > seen ? true : undefined));
}

export const databasesOf = async (host: Host) =>
  (await host.database.psql('SELECT datname FROM pg_database ORDER BY 1', 'postgres')).split('\n').filter(Boolean);

/** All that a database holds, without what the writer writes. */
export const essence = async (host: Host, database?: string): Promise<Content> =>
  Object.fromEntries(
    Object.entries(await host.database.contentOf(database)).filter(([name]) => !name.includes('ticks')),
  );

/** A file of the user's own statements. @returns its path, for `after-restore-sql` */
export function sqlFile(statements: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'workspace-')), 'after.sql');
  writeFileSync(file, statements);
  return file;
}

/** A bucket for the tests of one file: inputs and the environment of a step that reach it. */
export async function bucketForFile(): Promise<{ bucket: Inputs; env: Record<string, string> }> {
  const store = await startObjectStore();
  atEnd(() => store.close());
  await store.createBucket('acme');
  return {
    bucket: { 's3-bucket': 'acme', 's3-endpoint': store.endpoint, 's3-region': store.region },
    env: { ...store.credentials, AWS_EC2_METADATA_DISABLED: 'true' },
  };
}

/** @returns the id of a backup that was just taken */
export async function takenBackup(host: Host, backupDir: string, inputs: Inputs = {}): Promise<string> {
  const result = await backup(host, backupDir, inputs);
  succeeded(result);
  return result.outputs['backup-id'] ?? '';
}

/** It says that it has restored, and nothing of it is left but the old database. @returns the name of that */
export async function restored(app: Application, result: ActionResult): Promise<string> {
  const log = logOf(result);
  assert.equal(result.exitCode, 0, log);
  assert.equal(result.outputs['status'], 'rolled-back', log);
  assert.deepEqual(errorsOf(result), [], log);
  runnerIsClean(result);
  await nothingLeft(app);
  const aside = `atlasia_before_${result.outputs['transaction-id']}`;
  const present = await databasesOf(app.host);
  assert.ok(present.includes(aside), `${aside} is not among ${present}`);
  assert.deepEqual(
    present.filter((name) => name.includes('_restore_')),
    [],
  );
  return aside;
}
