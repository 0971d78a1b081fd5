// What every test of a rollback expects, said once.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type HistoryRecord, historyLine, parseHistory } from '../../shared/history/record.ts';
import { giveTo } from '../lab/account.ts';
import { type Application, type AppService, appServices, type RunningService } from '../lab/application.ts';
import { run } from '../lab/command.ts';
import { until } from '../lab/faults.ts';
import { type ActionResult, runAction } from '../lab/runner.ts';
import { adviceIn, errorsOf, loginsLeft, logOf, runnerIsClean } from './expectations.ts';
import type { Inputs } from './sets.ts';
import { deployed } from './stage.ts';

/** Of a rollback without a backup before it, which would be most of the time. */
export const rollbackInputs = (app: Application, backupDir: string, inputs: Inputs = {}): Inputs => ({
  ...app.inputs(),
  'backup-dir': backupDir,
  'skip-backup': 'true',
  ...inputs,
});

export const rollBack = (app: Application, backupDir: string, inputs: Inputs = {}) =>
  runAction('rollback', rollbackInputs(app, backupDir, inputs));

/** Deploys a version; gives a backup folder, and with it a history, of its own. Those that work are waited for. */
export async function newBackupDirOf(app: Application, version: string): Promise<string> {
  if (/^v\d$/.test(version)) await deployed(app, version);
  else await app.deploy(version);
  return app.host.newBackupDir();
}

/** It only says what it would do. */
export function planned(result: ActionResult): void {
  assert.equal(result.outputs['status'], 'planned', logOf(result));
  assert.deepEqual(errorsOf(result), []);
}

/** What runs: every container of both services, and the database's. */
export type Snapshot = Record<string, RunningService[]>;

export async function snapshotOf(app: Application): Promise<Snapshot> {
  const services = await Promise.all(appServices.map(async (service) => [service, await app.containers(service)]));
  const database = await app.host.container('db');
  return { ...Object.fromEntries(services), db: [{ id: database } as RunningService] };
}

/** The very same containers, by id and name, in the same state: also one that was stopped meanwhile has its policy back. */
export function sameContainers(before: Snapshot, after: Snapshot): void {
  const essence = (snapshot: Snapshot) =>
    Object.fromEntries(
      Object.entries(snapshot).map(([service, containers]) => [
        service,
        containers.map(({ id, name, state, imageId, restart }) => ({
          id,
          name,
          state,
          imageId,
          restart: restart || 'no',
        })),
      ]),
    );
  assert.deepEqual(essence(after), essence(before));
}

/** The action says that it has rolled back, and it is true. */
export async function rolledBack(
  app: Application,
  result: ActionResult,
  versions: Partial<Record<AppService, string>>,
) {
  const log = logOf(result);
  assert.equal(result.exitCode, 0, log);
  assert.equal(result.outputs['status'], 'rolled-back', log);
  assert.deepEqual(errorsOf(result), [], log);
  runnerIsClean(result);
  for (const [service, version] of Object.entries(versions) as [AppService, string][]) {
    assert.equal(await app.versionOf(service), version, log);
    const wanted = (
      await run(['docker', 'image', 'inspect', '--format', '{{.ID}}', imageOf(app, service, version)], {
        env: app.host.env,
      })
    ).trim();
    const containers = await app.containers(service);
    assert.deepEqual(
      containers.map(({ imageId, state, health }) => [imageId, state, health]),
      [[wanted, 'running', 'healthy']],
    );
  }
  await nothingLeft(app);
}

/** The action says that it has not, with this status, why and what to do. */
export async function notRolledBack(
  app: Application,
  result: ActionResult,
  expected: { status: 'refused' | 'reverted' | 'failed'; message: RegExp; hint: RegExp; code?: string },
): Promise<void> {
  const log = logOf(result);
  assert.equal(result.exitCode, 1, log);
  assert.equal(result.outputs['status'], expected.status, log);
  const [error, ...others] = errorsOf(result);
  assert.deepEqual(others, [], log);
  assert.match(error?.message ?? '', expected.message, log);
  assert.match(adviceIn(result), expected.hint, log);
  if (expected.code !== undefined)
    assert.match(error?.properties['title'] ?? '', new RegExp(`: ${expected.code}$`), log);
  assert.match(result.summary, /^## ❌/);
  runnerIsClean(result);
  await nothingLeft(app);
}

/** No process, login, holder, marker or container of ours is left, and every container has the name that it should. */
export async function nothingLeft(app: Application): Promise<void> {
  const { host } = app;
  await until('nothing at work on the host', async () => (await host.isAtRest()) || undefined);
  assert.deepEqual(loginsLeft(host.account), []);
  const names = (await Promise.all(appServices.map((service) => app.containers(service)))).flat();
  for (const { name } of names)
    assert.doesNotMatch(name, /\.\d{8}_\d{6}|target|^\/[0-9a-f]{12}_/, 'a name of a transaction is left');
  const left = host.files().map(({ path }) => path);
  assert.deepEqual(
    left.filter((path) => /\.lock\.holder|\.partial-|\/reserve$|\/carrier$|HOLD\.new|aim\.new/.test(path)),
    [],
  );
}

export function imageOf(app: Application, service: AppService, version: string): string {
  return `${app.registry.address}/acme/${service}:${version}`;
}

/** The history on the host. */
export function historyIn(app: Application, backupDir: string): HistoryRecord[] {
  const { records, problems } = parseHistory(readFileSync(historyFile(app, backupDir), 'utf8'));
  assert.deepEqual(problems, []);
  return records;
}

export function historyFile(app: Application, backupDir: string): string {
  return join(app.host.deployDir, backupDir, 'rollback', 'history.jsonl');
}

/** Plants a history, as deployments and checks have written it; versions by service, the last one the newest. */
export async function plantHistory(
  app: Application,
  backupDir: string,
  records: readonly ({ verdict?: HistoryRecord['verdict'] } & Partial<Record<AppService, string>>)[],
): Promise<void> {
  const lines = await Promise.all(
    records.map(async ({ verdict = 'good', ...versions }, index) => {
      const release = await Promise.all(
        Object.entries(versions).map(async ([service, version]) => [
          service,
          await runningImage(app, service as AppService, version),
        ]),
      );
      return historyLine({
        version: 1,
        id: `0-0-${String(index).padStart(8, '0')}`,
        at: new Date(Date.now() - (records.length - index) * 3_600_000).toISOString(),
        environment: 'lab',
        event: 'deploy',
        status: 'succeeded',
        verdict,
        release: Object.fromEntries(release),
        previous: null,
        schemaSha256: null,
        backupId: null,
        restoredId: null,
        reason: null,
        actor: null,
        runUrl: null,
        commit: null,
        settings: null,
        durationMs: null,
        downtimeMs: null,
      });
    }),
  );
  await plantFile(app, backupDir, 'history.jsonl', `${lines.join('\n')}\n`);
}

export async function plantFile(app: Application, backupDir: string, name: string, text: string): Promise<void> {
  const folder = join(app.host.deployDir, backupDir, 'rollback');
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  await run(['chmod', '0700', join(app.host.deployDir, backupDir)]);
  await giveTo(app.host.account, join(app.host.deployDir, backupDir));
}

async function runningImage(app: Application, service: AppService, version: string) {
  const format = '{{.ID}} {{range .RepoDigests}}{{.}} {{end}}';
  const image = imageOf(app, service, version);
  const [imageId = '', ...digests] = (
    await run(['docker', 'image', 'inspect', '--format', format, image], { env: app.host.env })
  )
    .trim()
    .split(' ');
  const digest = digests.find((name) => name.startsWith(`${app.registry.address}/acme/${service}@`));
  return {
    image: `${app.registry.address}/acme/${service}:latest`,
    tag: 'latest',
    digest: digest?.split('@')[1] ?? null,
    imageId,
  };
}
