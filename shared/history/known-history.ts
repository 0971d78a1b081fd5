import { importLegacy } from './legacy.ts';
import { type HistoryRecord, parseHistory } from './record.ts';
import { type HistoryEntry, mirrorText, recordsToMend, unite } from './union.ts';

/** Kinds of copies of the history, off the host. */
export type CopyKind = 'artifact' | 'cache';

/** The copies that were found. */
export interface LoadedCopies {
  /** The newest first. Several, so that copies which two runs wrote at the same time are merged. */
  texts: string[];
  notices: string[];
  /** The newest copy will expire soon, so a new one must be stored. */
  needsRefresh: boolean;
}

/** The copies of the history off the host. Problems with them are returned as notices and never fail an action. */
export interface HistoryMirror {
  /** The newest copies that may be trusted. */
  load(): Promise<LoadedCopies>;
  /** Stores a copy. @param merge gives the text to store if this run has stored `other` before */
  save(text: string, merge: (other: string) => string): Promise<{ notices: string[] }>;
}

/** The history as one run finds it: the host's, which is authoritative, and what the copies add. */
export interface KnownHistory {
  /** In the order of the file. */
  host: HistoryRecord[];
  mirrors: HistoryRecord[][];
  /** Records that the host's file lacks: lines from the old scripts' log, or everything if the file was lost. */
  missing: HistoryRecord[];
  /** What could not be read, one line per problem. */
  problems: string[];
}

/** Bytes: the largest copy that is stored as an artifact on GitHub. */
const longestMirror = 1024 * 1024;

/**
 * @param hostText `history.jsonl`; null if it does not exist
 * @param auditTrail `deployment_tags.log`, which may come from the old scripts
 */
export function gatherHistory(
  environment: string,
  hostText: string | null,
  auditTrail: string | null,
  mirrorTexts: readonly string[],
): KnownHistory {
  const { records, problems } = parseHistory(hostText ?? '');
  const mirrors = mirrorTexts.map((text) => parseHistory(text).records);
  const known = new Set(records.map(({ id }) => id));
  const legacy = importLegacy(auditTrail ?? '', environment).filter(({ id }) => !known.has(id));
  return {
    host: records,
    mirrors,
    missing: [...legacy, ...recordsToMend(records, mirrors, environment)],
    problems,
  };
}

/** All that is known, oldest first. */
export function entriesOf({ host, mirrors, missing }: KnownHistory): HistoryEntry[] {
  return unite([...missing, ...host], mirrors);
}

/** Whether the copies lack a record that the host has or is about to get. If so, a new copy must be stored. */
export function copiesLack(knownHistory: KnownHistory, added: readonly HistoryRecord[]): boolean {
  const copied = new Set(knownHistory.mirrors.flat().map(({ id }) => id));
  return [...knownHistory.missing, ...knownHistory.host, ...added].some(({ id }) => !copied.has(id));
}

/** Stores the whole history, including the records that this run has added. */
export async function storeCopies(
  knownHistory: KnownHistory,
  added: readonly HistoryRecord[],
  mirror: HistoryMirror,
): Promise<string[]> {
  const host = [...knownHistory.missing, ...knownHistory.host, ...added];
  const textWith = (others: readonly HistoryRecord[][]) => mirrorText(unite(host, others), longestMirror);
  const merge = (other: string) => textWith([...knownHistory.mirrors, parseHistory(other).records]);
  return (await mirror.save(textWith(knownHistory.mirrors), merge)).notices;
}
