import type { ExtensionMembers, TableCount } from '../postgres/facts.ts';
import type { Release } from '../releases/release.ts';

/** The id that all files of one backup share: its start as `YYYYMMDD_HHMMSS`, UTC. */
export type BackupId = string;

export type BackupKind = 'scheduled' | 'predeployment' | 'prerollback';
export type DumpFormat = 'custom' | 'plain';
/** How the dump is compressed. The `gzip` of a custom dump is done by pg_dump, inside the archive. */
export type Compression = 'zstd' | 'gzip' | 'none';

/** Sequences ignore snapshots: the value in the archive lies between `before` and `after` (null: never used). */
export interface SequenceRange {
  schema: string;
  name: string;
  before: string | null;
  after: string | null;
  increment: string;
  /** It starts over at its end. */
  cycles: boolean;
  /** The extension that it belongs to; null if none. */
  extension: string | null;
  /** pg_dump takes its value. */
  isDumped: boolean;
}

export type CheckResult = 'passed' | 'failed' | 'could-not-check';

export interface Check {
  name: string;
  result: CheckResult;
  detail: string;
  ms: number;
}

/** The dump that a sealed copy was made from. */
export interface SealedFrom {
  sizeBytes: number;
  sha256: string;
  md5: string;
}

/** A manifest without its long lists of tables and sequences: enough to choose a set, and to decide what to keep. */
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
  /** LC_CTYPE; null: the same as `locale`. */
  ctype: string | null;
  /** null: libc. */
  localeProvider: 'libc' | 'icu' | 'builtin' | null;
  /** The provider's own name for the locale; null for libc. */
  providerLocale: string | null;
  /** Tailoring rules of an ICU collation. */
  icuRules: string | null;
  /** The first superuser of the server; null in manifests of earlier versions. */
  bootstrapRole: string | null;
  /** Settings of the server that decide what a restore makes of the dump, by name; null in manifests of earlier versions. */
  serverSettings: Record<string, string> | null;
  /** What pg_dump warned of, one each with its details; null in manifests of earlier versions. */
  dumpWarnings: string[] | null;
  format: DumpFormat;
  compression: Compression;
  encryption: 'none' | 'age';
  /** The dump's bare file name. */
  file: string;
  /** Size of the file on disk. */
  sizeBytes: number;
  /** Size before compression; null if not known: pg_dump compressed it itself, or the host compressed a custom dump. */
  dumpBytes: number | null;
  sha256: string;
  md5: string;
  /** In a bucket: of the dump on the host, which is plain there, if a runner encrypted this copy on its way; else null. */
  sealedFrom: SealedFrom | null;
  largeObjects: number;
  /** Of the schema dump without the lines that differ from run to run; null if it could not be taken or is too long. */
  schemaSha256: string | null;
  /** The previous backup if its schema was different; else null. */
  schemaChangedSince: BackupId | null;
  release: Release;
  runUrl: string | null;
  commit: string | null;
  actor: string | null;
  checks: Check[];
}

/** What a dump holds and what was proven while it was taken. It never changes; without one there is no set. */
export interface Manifest extends ManifestSummary {
  tables: TableCount[];
  sequences: SequenceRange[];
  extensions: { name: string; version: string }[];
  /** null in manifests of earlier versions. */
  members: ExtensionMembers[] | null;
}
