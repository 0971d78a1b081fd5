import type { SetPrefix } from './layout.ts';
import type { BackupId, Compression, DumpFormat } from './manifest.ts';

const idGrammar = /^(\d{4})(\d{2})(\d{2})_(\d{2})(\d{2})(\d{2})$/;

/** How a dump's file name ends; an encrypted dump has `.age` after that. */
export type DumpExtension = 'dump.zst' | 'dump' | 'sql.gz' | 'sql.zst' | 'sql';

const dumpExtensions: readonly DumpExtension[] = ['dump.zst', 'dump', 'sql.gz', 'sql.zst', 'sql'];

/** How a dump is encoded on disk: the part of the manifest that also shows in the file name. */
export interface DumpEncoding {
  format: DumpFormat;
  compression: Compression;
  encryption: 'none' | 'age';
  /** Given where a runner encrypted a plain set. */
  sealedFrom?: object | null;
}

/** The files beside the dump, and how their names end. */
const sidecarEndings = {
  manifest: 'manifest.json',
  report: 'report.txt',
  schema: 'schema.sql.gz',
  globals: 'globals.sql.gz',
  settings: 'settings.sql.gz',
  sha256: 'sha256',
  md5: 'md5',
  proof: 'proof.jsonl',
  reason: 'reason.txt',
} as const;

/**
 * Those that are encrypted with the dump. The others say what it is, and must be read without a key. The report of a plain set says
 * more than that: a runner encrypts it too.
 */
const sealedParts: ReadonlySet<string> = new Set(['schema', 'globals', 'settings', 'report']);

const isSealed = (part: string, { encryption, sealedFrom }: DumpEncoding) =>
  encryption === 'age' && sealedParts.has(part) && (part !== 'report' || sealedFrom != null);

export type Sidecar = keyof typeof sidecarEndings;

/** The bare file names of one set. Only a failed set has a `reason`; `proof` appears once something is proven. */
export type SetFileNames = Record<Sidecar | 'dump', string>;

/** The parts of a file name. */
export interface SetFileName {
  prefix: SetPrefix;
  id: BackupId;
  part: Sidecar | 'dump';
}

/** The id of a backup that started at this time: `YYYYMMDD_HHMMSS`, UTC, whole seconds. Years 0000 to 9999. */
export function backupIdAt(start: Date): BackupId {
  const [date = '', time = ''] = start.toISOString().split('T');
  return `${date.replaceAll('-', '')}_${time.slice(0, 8).replaceAll(':', '')}`;
}

/** When the backup started; null if the text is not an id. A date that does not exist, such as 20260230, is not one. */
export function startOf(id: string): Date | null {
  const parts = idGrammar.exec(id);
  if (parts === null) return null;
  const [, year, month, day, hour, minute, second] = parts;
  const start = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // The date parser turns 30 February into a day in March, and 24:00 into the next day.
  return Number.isNaN(start.getTime()) || backupIdAt(start) !== id ? null : start;
}

/** True for a `YYYYMMDD_HHMMSS` that is a real date and time. */
export function isBackupId(text: string): text is BackupId {
  return startOf(text) !== null;
}

/** The extension of a dump, without a leading dot. The gzip of a custom dump is inside the archive, so it has no `.gz`. */
export function dumpExtension({ format, compression, encryption }: DumpEncoding): string {
  const outer = { zstd: '.zst', gzip: format === 'custom' ? '' : '.gz', none: '' }[compression];
  return `${format === 'custom' ? 'dump' : 'sql'}${outer}${encryption === 'age' ? '.age' : ''}`;
}

/** The names of all files of a set: letters, digits, `_` and `.` only. */
export function setFileNames(prefix: SetPrefix, id: BackupId, encoding: DumpEncoding): SetFileNames {
  const sidecars = Object.entries(sidecarEndings).map(([part, ending]) => {
    return [part, `${prefix}_${id}.${ending}${isSealed(part, encoding) ? '.age' : ''}`];
  });
  return { ...Object.fromEntries(sidecars), dump: `${prefix}_${id}.${dumpExtension(encoding)}` };
}

/** Reads a bare file name; null if it is not ours. */
export function parseSetFileName(name: string): SetFileName | null {
  const [, prefix, id = '', ending = ''] = /^(backup|prerollback|failed)_(\d{8}_\d{6})\.(.+)$/.exec(name) ?? [];
  if (!isBackupId(id)) return null;
  const part = partOf(ending);
  return part === null ? null : { prefix: prefix as SetPrefix, id, part };
}

/** True for the name of a file or folder that a run did not finish; the next run removes it. */
export function isPartialName(name: string): boolean {
  return /^\.partial-\d{8}_\d{6}/.test(name);
}

function partOf(ending: string): Sidecar | 'dump' | null {
  for (const [part, known] of Object.entries(sidecarEndings)) if (ending === known) return part as Sidecar;
  const plain = ending.replace(/\.age$/, '');
  for (const part of sealedParts) if (plain === sidecarEndings[part as Sidecar]) return part as Sidecar;
  return dumpExtensions.some((known) => plain === known) ? 'dump' : null;
}
