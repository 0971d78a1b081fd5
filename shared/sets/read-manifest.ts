import { Failure, isFailure } from '../failure.ts';
import { extensionMembers, tableCount } from '../postgres/facts.ts';
import { isDigest } from '../releases/image-reference.ts';
import { isImageId, isServiceName, type RunningImage } from '../releases/release.ts';
import {
  bool,
  count,
  listOf,
  mapOf,
  milliseconds,
  oneOf,
  orNull,
  type Reader,
  shape,
  text,
  textThat,
} from '../untrusted.ts';
import type { Check, Manifest, ManifestSummary, SealedFrom, SequenceRange } from './manifest.ts';
import { isBackupId, parseSetFileName } from './naming.ts';

/** UTF-16 units; room for `mostRelations` tables, each with a sequence and names of 63 characters. */
export const longestManifest = 128 * 1024 * 1024;
/** UTF-16 units. PostgreSQL limits names to 63 bytes, but it can be built with another limit. */
const name = text(1024);
const line = text(4096);
/** PostgreSQL sets no limit, but createdb gets them as an argument, and Linux gives one 128 KiB. */
const rules = textThat((value) => Buffer.byteLength(value) <= 131_000, 'ICU rules of at most 131,000 bytes');
const mostRelations = 200_000;

const backupId = textThat(isBackupId, 'a backup id');
const instant = textThat(
  (value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(value) && !Number.isNaN(Date.parse(value)),
  'a time in ISO 8601 and UTC',
);
const bigInteger = textThat((value) => /^-?\d{1,20}$/.test(value), 'a whole number as text');
const hex = (digits: number): Reader<string> =>
  textThat((value) => value.length === digits && /^[a-f0-9]+$/.test(value), `${digits} lower-case hex digits`);
const url = textThat((value) => value.length <= 2048 && /^https?:\/\/[!-~]+$/.test(value), 'an http(s) address');

const sequence = shape<SequenceRange>({
  schema: name,
  name,
  before: orNull(bigInteger),
  after: orNull(bigInteger),
  increment: bigInteger,
  cycles: (value, place) => value !== undefined && bool(value, place),
  extension: orNull(name),
  isDumped: (value, place) => value === undefined || bool(value, place),
});

const runningImage = shape<RunningImage>({
  image: orNull(line),
  tag: orNull(text(128)),
  digest: orNull(textThat(isDigest, 'a digest')),
  imageId: orNull(textThat(isImageId, 'an image id')),
});

const check = shape<Check>({
  name,
  result: oneOf('passed', 'failed', 'could-not-check'),
  detail: line,
  ms: milliseconds,
});

/** A setting as PostgreSQL names it, with the library before it: `cron.database_name`. */
export const isSettingName = (text: string): boolean =>
  /^[a-z_][a-z0-9_$]*(\.[a-z_][a-z0-9_$]*)*$/i.test(text) && text.length <= 200;

const summaryFields: { [Field in keyof ManifestSummary]: Reader<ManifestSummary[Field]> } = {
  version: oneOf(1),
  id: backupId,
  kind: oneOf('scheduled', 'predeployment', 'prerollback'),
  environment: name,
  database: textThat((value) => value !== '' && value.length <= 1024 && !value.includes('\0'), 'a database name'),
  startedAt: instant,
  finishedAt: instant,
  serverVersion: name,
  pgDumpVersion: name,
  encoding: name,
  locale: name,
  ctype: orNull(name),
  localeProvider: orNull(oneOf('libc', 'icu', 'builtin')),
  providerLocale: orNull(name),
  icuRules: orNull(rules),
  bootstrapRole: orNull(name),
  serverSettings: orNull(mapOf(isSettingName, line, 200)),
  dumpWarnings: orNull(listOf(line, 100)),
  format: oneOf('custom', 'plain'),
  compression: oneOf('zstd', 'gzip', 'none'),
  encryption: oneOf('none', 'age'),
  file: textThat((value) => parseSetFileName(value)?.part === 'dump', 'the bare name of a dump'),
  sizeBytes: count,
  dumpBytes: orNull(count),
  sha256: hex(64),
  md5: hex(32),
  sealedFrom: orNull(shape<SealedFrom>({ sizeBytes: count, sha256: hex(64), md5: hex(32) })),
  largeObjects: count,
  schemaSha256: orNull(hex(64)),
  schemaChangedSince: orNull(backupId),
  release: mapOf(isServiceName, runningImage, 1000),
  runUrl: orNull(url),
  commit: orNull(textThat((value) => /^[a-f0-9]{7,64}$/.test(value), 'a commit')),
  actor: orNull(name),
  checks: listOf(check, 1000),
};

const summary = shape<ManifestSummary>(summaryFields);

const manifest = shape<Manifest>({
  ...summaryFields,
  tables: listOf(tableCount, mostRelations),
  sequences: listOf(sequence, mostRelations),
  extensions: listOf(shape({ name, version: name }), 10_000),
  members: orNull(extensionMembers),
});

/**
 * Reads a manifest from the host, which may hold anything. Fields unknown to this version are dropped.
 *
 * @throws Failure `bad-manifest`; its message continues a sentence that begins with the file's name.
 */
export function readManifest(json: string): Manifest {
  return read(manifest, json);
}

/** Reads only the summary, whether the long lists are there or not. @throws Failure as `readManifest` */
export function readSummary(json: string): ManifestSummary {
  return read(summary, json);
}

function read<T>(reader: Reader<T>, json: string): T {
  if (json.length > longestManifest) throw new Failure('bad-manifest', 'is too large for a manifest');
  const value = parse(json);
  refuseOtherVersions(value);
  try {
    return reader(value, '');
  } catch (error) {
    if (isFailure(error)) throw new Failure('bad-manifest', `is not a manifest: ${error.message}`);
    throw error;
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new Failure('bad-manifest', 'is not JSON', { cause: error });
  }
}

/** Checked before anything else: a later version may look entirely different. */
function refuseOtherVersions(value: unknown): void {
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version !== 1) {
    throw new Failure('bad-manifest', `has version ${version}; this release of the action reads version 1`);
  }
}
