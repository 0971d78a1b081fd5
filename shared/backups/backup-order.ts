import type { BackupKind } from '../sets/manifest.ts';
import type { BackupNeeds } from './preflight.ts';
import type { Policy } from './publication-plan.ts';
import type { RowCounts } from './verification.ts';

/** A request for one backup, by its own action or before a rollback. Times in milliseconds, sizes in bytes. */
export interface BackupOrder extends Omit<BackupNeeds, 'previousBytes'>, Policy {
  kind: BackupKind;
  /** Public keys to encrypt to; empty if `encryption` is none. */
  recipients: readonly string[];
  environment: string;
  databaseName: string | null;
  compressionLevel: number | null;
  rowCounts: RowCounts;
  timeout: number;
  /** Absolute, on the host. */
  logFile: string;
}

/** One run that carries an order out. */
export interface BackupRun {
  order: BackupOrder;
  startedAt: Date;
  /** Who holds the lock, as `holderText` makes it. */
  holder: string;
  workflow: { runUrl: string | null; commit: string | null; actor: string | null };
  signal: AbortSignal;
}
