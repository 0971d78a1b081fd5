// Backups as tests take, find and plant them on a host of the lab.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { literal } from '../lab/database.ts';
import type { FileFact } from '../lab/files.ts';
import type { Host } from '../lab/host.ts';
import { type ActionOptions, type ActionResult, type RunningAction, runAction, startAction } from '../lab/runner.ts';

export type Inputs = Readonly<Record<string, string>>;

/** What a test asks of a backup; the lab's disk may be smaller than the action's usual reserve. */
export const backupInputs = (host: Host, backupDir: string, inputs: Inputs = {}): Inputs => ({
  ...host.inputs(),
  'backup-dir': backupDir,
  'min-free-space': '10MiB',
  ...inputs,
});

export const backup = (host: Host, backupDir: string, inputs: Inputs = {}, options: ActionOptions = {}) =>
  runAction('backup', backupInputs(host, backupDir, inputs), options);

export const startBackup = (host: Host, backupDir: string, inputs: Inputs = {}): Promise<RunningAction> =>
  startAction('backup', backupInputs(host, backupDir, inputs));

export async function bash(host: Host, script: string, ...words: string[]): Promise<string> {
  const outcome = await host.exec(['bash', '-c', script, 'bash', ...words]);
  if (outcome.code !== 0) throw new Error(outcome.stderr || outcome.stdout);
  return outcome.stdout;
}

export const read = (host: Host, path: string): Promise<string> => bash(host, 'cat -- "$1"', path);

/** Writes a file as the account; folders above it are made, and closed to others. */
export async function write(host: Host, path: string, content: string): Promise<void> {
  const script = 'umask 077; mkdir -p -- "$(dirname -- "$1")" && cat >"$1"';
  const outcome = await host.exec(['bash', '-c', script, 'bash', path], { input: content });
  if (outcome.code !== 0) throw new Error(outcome.stderr);
}

export interface ManifestJson {
  id: string;
  file: string;
  [field: string]: unknown;
}

export async function manifestOf(host: Host, result: ActionResult): Promise<ManifestJson> {
  return JSON.parse(await read(host, result.outputs['manifest-file'] ?? ''));
}

/** The ids of the sets in a tier. */
export function idsIn(host: Host, backupDir: string, tier: string): string[] {
  const names = host
    .files(`${backupDir}/${tier}`)
    .map(({ path }) => /^(?:.*\/)?backup_(.*)\.manifest\.json$/.exec(path));
  return names.flatMap((match) => (match?.[1] === undefined ? [] : [match[1]])).sort();
}

/** The files of a folder without those that a run writes anew. */
export const namesIn = (files: readonly FileFact[]): string[] =>
  files.filter(({ type }) => type === 'file').map(({ path }) => path);

/** `YYYYMMDD_HHMMSS` of a moment so many days ago. */
export function idDaysAgo(days: number): string {
  const time = new Date(Date.now() - days * 86_400_000).toISOString();
  return time.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_');
}

/** Lets a set be there a second time, as if it had been taken at another time; what `changes` says is other in its manifest. */
export async function plant(
  host: Host,
  backupDir: string,
  source: ManifestJson,
  id: string,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const startedAt = id.replace(/(....)(..)(..)_(..)(..)(..)/, '$1-$2-$3T$4:$5:$6.000Z');
  const file = source.file.replace(source.id, id);
  const folder = join(host.deployDir, backupDir, 'daily');
  // biome-ignore lint/suspicious/noTemplateCurlyInString: bash's
  const copy = 'cd -- "$1"; for file in "backup_$2".*; do cp -p -- "$file" "backup_$3.${file#*.}"; done';
  await bash(host, copy, folder, source.id, id);
  const manifest = { ...source, id, file, startedAt, finishedAt: startedAt, ...changes };
  await write(host, join(folder, `backup_${id}.manifest.json`), JSON.stringify(manifest, null, 2));
  return join(folder, file);
}

/** A backup folder that is the same as another, for a test to spoil: what takes seconds to make is made once. */
export async function copyOf(host: Host, backupDir: string): Promise<string> {
  const copy = host.newBackupDir();
  await bash(host, 'cp --archive -- "$1" "$2"', backupDir, copy);
  return copy;
}

/** A small database of its own, with rows that do not compress. */
export async function smallDatabase(host: Host, name: string, rows: number): Promise<void> {
  await host.database.create(name);
  await host.psql(
    `CREATE TABLE items (id int PRIMARY KEY, body bytea);
     INSERT INTO items SELECT n, sha512(convert_to(${literal(name)} || n, 'UTF8')) FROM generate_series(1, ${rows}) n;`,
    name,
  );
}

export const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
