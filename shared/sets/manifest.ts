import type { TableCount } from '../postgres/facts.ts';
import type { Release } from '../releases/release.ts';

/** Every file of one backup shares an id: `YYYYMMDD_HHMMSS`, UTC, of its start. */
export type BackupId = string;

export type BackupKind = 'scheduled' | 'predeployment' | 'prerollback';
export type DumpFormat = 'custom' | 'plain';
/** How the dump is compressed; `gzip` of a custom dump is pg_dump's own, inside the archive. */
export type Compression = 'zstd' | 'gzip' | 'none';

/** Sequences do not obey snapshots: the archive's value lies between `before` and `after` (null: never used). */
export interface SequenceRange {
  schema: string;
  name: string;
  before: string | null;
  after: string | null;
  increment: string;
}

export type CheckResult = 'passed' | 'failed' | 'could-not-check';

export interface Check {
  name: string;
  result: CheckResult;
  detail: string;
  ms: number;
}

/** What is told of a set without the long lists of what it holds: all that choice and retention look at. */
export interface ManifestSummary {
  version: 1;
  id: BackupId;
  kind: BackupKind;
  environment: string;
  database: string;
  /** ISO 8601, UTC. */
  startedAt: string;
  finishedAt: string;
  serverVersion: string;
  pgDumpVersion: string;
  encoding: string;
  /** LC_COLLATE of the database. */
  locale: string;
  /** LC_CTYPE; null: the same. */
  ctype: string | null;
  /** null: libc. */
  localeProvider: 'libc' | 'icu' | 'builtin' | null;
  /** The provider's own name of the locale; null for libc. */
  providerLocale: string | null;
  format: DumpFormat;
  compression: Compression;
  encryption: 'none' | 'age';
  /** The dump's bare file name. */
  file: string;
  /** Of the file on disk. */
  sizeBytes: number;
  /** Before compression; null where that is not known: pg_dump compressed it itself, or the host a custom dump. */
  dumpBytes: number | null;
  sha256: string;
  md5: string;
  largeObjects: number;
  /** Of the schema dump without the lines that differ from run to run; null where it could not be taken, or is too long. */
  schemaSha256: string | null;
  /** The previous backup, where its schema was another; else null. */
  schemaChangedSince: BackupId | null;
  release: Release;
  runUrl: string | null;
  commit: string | null;
  actor: string | null;
  checks: Check[];
}

/** What a dump holds and what was proven while it was taken: a set without one does not exist. Never changed. */
export interface Manifest extends ManifestSummary {
  tables: TableCount[];
  sequences: SequenceRange[];
  extensions: { name: string; version: string }[];
}
