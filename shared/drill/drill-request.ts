import type { TableCount } from '../postgres/facts.ts';
import type { VerifiedSet } from '../sets/catalogue.ts';
import type { Restored } from './restored.ts';
import type { SentDump } from './sent-dump.ts';

/** What to drill, and within which limits. */
export interface DrillRequest {
  backupDir: string;
  set: VerifiedSet;
  /** The dump and what lies beside it, if the runner sends them; null: the host has them, and they are not encrypted. */
  sent: SentDump | null;
  /** As in the whole manifest. */
  tables: readonly TableCount[];
  /** Name or id of an image on the host with the right PostgreSQL server and its programs. */
  image: string;
  /** Eight hex digits that make the name of this drill's container unique. */
  token: string;
  /** Bytes. */
  memory: number;
  /** Bytes of the largest value in the dump; null if unknown. */
  largestValue: number | null;
  /** Bytes that must be free on Docker's disk before the drill starts: what it should need, plus `leastBytes`. */
  neededBytes: number;
  /** Bytes that must stay free there: below that the drill is stopped. */
  leastBytes: number;
  /** Time zone of the sessions that took the dump; empty if unknown. */
  timezone: string;
  /** The user's SQL statements; each must return true. */
  statements: readonly string[];
  /** Milliseconds in total. */
  timeout: number;
  signal: AbortSignal;
  onLog: (line: string) => void;
  onProgress: (name: string, value: string) => void;
}

/** What a drill came to. */
export interface DrillOutcome {
  /** null if the dump restored; otherwise why not, what was said of it, and the statement's error if the server refused one. */
  fault: { why: string; words: string; refusal: string | null } | null;
  /** Hash of the file, read during the restore; null if that failed. */
  sha256: string | null;
  /** Milliseconds from an empty server to restored data. */
  restoreMs: number;
  /** null if it did not restore. */
  restored: Restored | null;
}

/** The name of a drill's container. */
export const containerOf = (token: string): string => `atlasia-drill-${token}`;
