import { relationName } from '../postgres/relation-name.ts';
import type { Manifest } from '../sets/manifest.ts';
import { counted, formatDuration, listed } from '../units.ts';

/**
 * How much data a restore gives up, as far as two manifests know it: printed lines.
 * @param restored the backup that is restored
 * @param newest a later one of the same database; null if there is none
 * @param now on the host's clock
 */
export function givenUp(restored: Manifest, newest: Manifest | null, now: Date): string[] {
  const age = `Whatever was written in the last ${formatDuration(now.getTime() - Date.parse(restored.startedAt))} is lost`;
  if (newest === null || newest.id === restored.id || newest.database !== restored.database) return [age];
  const then = new Map(restored.tables.map((table) => [relationName(table), table.rows]));
  const today = new Map(newest.tables.map((table) => [relationName(table), table.rows]));
  const changes = [...new Set([...then.keys(), ...today.keys()])].toSorted().flatMap((name) => {
    const [before, after] = [then.get(name), today.get(name)];
    // null: nobody counted.
    if (before === null || after === null || before === after) return [];
    if (before === undefined) return [`${name} did not exist (${counted(after ?? 0, 'row')} now)`];
    if (after === undefined) return [`${name} comes back with ${counted(before, 'row')}`];
    return [`${name} ${after} → ${before} rows`];
  });
  const compared = changes.length === 0 ? 'no table has a different number of rows' : listed(changes, 10);
  return [age, `Compared with backup ${newest.id}: ${compared}`];
}
