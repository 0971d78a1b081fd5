import { leftOut, leftOutText } from '../postgres/table-facts.ts';
import type { Manifest } from '../sets/manifest.ts';
import { counted } from '../units.ts';

/** What whoever restores a dump should know: rows that are not in it, and what pg_dump warned of. One text each. */
export function dumpNotes({ tables, dumpWarnings }: Manifest): string[] {
  const missing = leftOut(tables).length === 0 ? [] : [`Not in this dump: ${leftOutText(tables)}`];
  const warnings = dumpWarnings ?? [];
  const warned =
    warnings.length === 0 ? [] : [`pg_dump warned of ${counted(warnings.length, 'thing')}: ${warnings.join('; ')}`];
  return [...missing, ...warned];
}
