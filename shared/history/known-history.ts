import { importLegacy } from './legacy.ts';
import { type HistoryRecord, parseHistory } from './record.ts';
import { type HistoryEntry, mirrorText, recordsToMend, unite } from './union.ts';

/** Kinds of copies of the history, off the host. */
export type CopyKind = 'artifact' | 'cache';

/** What was found of them. */
export interface LoadedCopies {
  /** The newest first. They are several, so that what two runs wrote at the same time is united. */
  texts: string[];
  notices: string[];
  /** One must be stored before the last one expires. */
  needsRefresh: boolean;
}

/** The copies of the history off the host. What goes wrong with them is returned as notices: nothing here fails an action. */
export interface HistoryMirror {
  /** The newest copies that may be trusted. */
  load(): Promise<LoadedCopies>;
  /** Stores a copy. @param merge what to store where this run has stored `other` before */
  save(text: string, merge: (other: string) => string): Promise<{ notices: string[] }>;
}

/** The history as one run finds it: the host's, which is the truth, and what the copies add. */
export interface KnownHistory {
  /** In the order of the file. */
  host: HistoryRecord[];
  mirrors: HistoryRecord[][];
  /** What the host's file lacks: lines of the scripts' log, or all of it where it was lost. */
  missing: HistoryRecord[];
  /** What could not be read, one line each. */
  problems: string[];
}

/** GitHub's artifact may have this much, in bytes. */
const longestMirror = 1024 * 1024;

/**
 * @param hostText `history.jsonl`; null where there is none
 * @param auditTrail `deployment_tags.log`, which may be the scripts'
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

/** Whether the copies lack a record of the host's, or of what is to be added to it: then one must be stored. */
export function copiesLack(knownHistory: KnownHistory, added: readonly HistoryRecord[]): boolean {
  const copied = new Set(knownHistory.mirrors.flat().map(({ id }) => id));
  return [...knownHistory.missing, ...knownHistory.host, ...added].some(({ id }) => !copied.has(id));
}

/** Stores the whole history with what this run has added. */
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
