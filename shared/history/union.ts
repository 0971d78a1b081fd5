import { byText } from '../by-text.ts';
import type { Release } from '../releases/release.ts';
import { type HistoryRecord, historyLine } from './record.ts';

/** A record, and where it comes from. */
export interface HistoryEntry {
  record: HistoryRecord;
  source: 'host' | 'mirror';
}

/**
 * Merges the host's history with its copies. Records are only ever added, so copies that were written at the same time
 * complete each other. If host and copy both have an id, the host's record counts.
 * @returns oldest first; records of the same moment by id
 */
export function unite(host: readonly HistoryRecord[], mirrors: readonly (readonly HistoryRecord[])[]): HistoryEntry[] {
  const entries = new Map<string, HistoryEntry>();
  const texts = mirrors.flat().toSorted((a, b) => byText(historyLine(a), historyLine(b)));
  for (const record of texts) entries.set(record.id, { record, source: 'mirror' });
  for (const record of host) entries.set(record.id, { record, source: 'host' });
  return [...entries.values()].toSorted(
    ({ record: a }, { record: b }) => Date.parse(a.at) - Date.parse(b.at) || byText(a.id, b.id),
  );
}

/** How many of the newest records are restored: each is written and flushed on its own. The copies keep the others. */
const mostMended = 500;

/**
 * The records that a host which has lost its history gets back from the copies. A copy may be forged, so what it calls good
 * becomes unknown; what it calls bad stays bad, as it is worse to forget that than to be warned in vain. Tags and digests are kept, as they only work within a repository; ids are dropped, as they may match any image.
 */
export function recordsToMend(
  host: readonly HistoryRecord[],
  mirrors: readonly (readonly HistoryRecord[])[],
  environment: string,
): HistoryRecord[] {
  if (host.length > 0) return [];
  return unite([], mirrors)
    .map(({ record }) => record)
    .filter((record) => record.environment === environment)
    .slice(-mostMended)
    .map((record) => ({
      ...record,
      // They name a file of this host.
      settings: null,
      verdict: record.verdict === 'bad' ? 'bad' : 'unknown',
      release: withoutIds(record.release),
      previous: record.previous === null ? null : withoutIds(record.previous),
    }));
}

/** The release with only its tags and digests. */
export function withoutIds(release: Release): Release {
  return Object.fromEntries(Object.entries(release).map(([service, image]) => [service, { ...image, imageId: null }]));
}

/** The history as one text of at most `limit` bytes. The oldest records are left out if it would be longer. */
export function mirrorText(entries: readonly HistoryEntry[], limit: number): string {
  const lines: string[] = [];
  let size = 0;
  for (const { record } of entries.toReversed()) {
    const line = `${historyLine(record)}\n`;
    size += Buffer.byteLength(line);
    if (size > limit) break;
    lines.unshift(line);
  }
  return lines.join('');
}
