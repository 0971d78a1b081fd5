import { importLegacy } from './legacy.ts';
import { type HistoryRecord, parseHistory } from './record.ts';
import { type HistoryEntry, mirrorText, recordsToMend, unite } from './union.ts';

/** The copies of the history off the host. Each tells what went wrong as notices; none of it fails an action. */
export interface Mirror {
  load(): Promise<{ texts: string[]; notices: string[]; needsRefresh: boolean }>;
  /** @param merge what to store where this run has stored `other` before */
  save(text: string, merge: (other: string) => string): Promise<{ notices: string[] }>;
}

/** The history as one run finds it: the host's, which is the truth, and what the copies add. */
export interface Book {
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
export function openBook(
  environment: string,
  hostText: string | null,
  auditTrail: string | null,
  mirrorTexts: readonly string[],
): Book {
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
export function entriesOf({ host, mirrors, missing }: Book): HistoryEntry[] {
  return unite([...missing, ...host], mirrors);
}

/** Whether the copies lack a record of the host's, or of what is to be added to it: then one must be stored. */
export function copiesLack(book: Book, added: readonly HistoryRecord[]): boolean {
  const copied = new Set(book.mirrors.flat().map(({ id }) => id));
  return [...book.missing, ...book.host, ...added].some(({ id }) => !copied.has(id));
}

/** Stores the whole history with what this run has added. */
export async function storeBook(book: Book, added: readonly HistoryRecord[], mirror: Mirror): Promise<string[]> {
  const host = [...book.missing, ...book.host, ...added];
  const textWith = (others: readonly HistoryRecord[][]) => mirrorText(unite(host, others), longestMirror);
  const merge = (other: string) => textWith([...book.mirrors, parseHistory(other).records]);
  return (await mirror.save(textWith(book.mirrors), merge)).notices;
}
