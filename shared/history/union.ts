import { byText } from '../order.ts';
import type { Release } from '../releases/release.ts';
import { type HistoryRecord, historyLine } from './record.ts';

/** A record, and whose word it is. */
export interface HistoryEntry {
  record: HistoryRecord;
  source: 'host' | 'mirror';
}

/**
 * The host's history with what only its copies know. Records are only ever added, so copies that were written at the same
 * time heal each other; where both know an id, the host's word counts.
 * @returns oldest first; of the same moment by id
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

/** So many of the newest: each is written, and flushed, by itself. The copies keep the others. */
const mostMended = 500;

/**
 * What a host that has lost its history gets back. What was found good there is not proven by a copy; and a copy, which may
 * be forged, supplies tags and digests, which belong to a repository, but no ids, which could be those of any image here.
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
      verdict: 'unknown',
      release: withoutIds(record.release),
      previous: record.previous === null ? null : withoutIds(record.previous),
    }));
}

/** The release by its tags and digests alone. */
export function withoutIds(release: Release): Release {
  return Object.fromEntries(Object.entries(release).map(([service, image]) => [service, { ...image, imageId: null }]));
}

/** The history as one text of at most so many bytes: where it is longer, the oldest records are left out. */
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
