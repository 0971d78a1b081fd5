import type { Restored } from '../../shared/drill/restored.ts';
import type { TableCount } from '../../shared/postgres/facts.ts';
import type { Manifest, SequenceRange } from '../../shared/sets/manifest.ts';
import { counted, listed } from '../../shared/units.ts';
import type { Findings, Problem } from '../finding.ts';

const nameOf = ({ schema, name }: { schema: string; name: string }) => `${schema}.${name}`;
/** The first few names. */
export const some = (names: readonly string[]): string => listed(names, 5);

export function judgeTables(
  wanted: readonly TableCount[],
  found: readonly TableCount[],
  remedy: string,
): string | Problem {
  const [expected, present] = [new Set(wanted.map(nameOf)), new Set(found.map(nameOf))];
  const missing = [...expected].filter((name) => !present.has(name));
  const added = [...present].filter((name) => !expected.has(name));
  if (missing.length > 0) return { detail: `${some(missing)} was not restored`, remedy };
  if (added.length > 0) return { detail: `${some(added)} was restored but is not in the manifest`, remedy };
  // Not a fault, just as for a backup: the database may be new, or hold only functions.
  if (found.length === 0) return 'none: the database had no table when the dump was taken';
  return `all ${found.length} were restored`;
}

/** An estimated or missing count proves nothing. */
export function judgeRows(
  findings: Findings,
  wanted: readonly TableCount[],
  found: readonly TableCount[],
  remedy: string,
): void {
  const counts = new Map(found.map((table) => [nameOf(table), table.rows]));
  const exact = wanted.filter((table) => table.exact);
  if (exact.length < wanted.length) {
    findings.unable(
      'rows',
      'the backup has no exact counts to compare with',
      'In backup-action, set row-counts: exact',
    );
    return;
  }
  findings.check('rows', () => {
    const other = exact.filter((table) => counts.get(nameOf(table)) !== table.rows);
    if (wanted.length === 0 && found.length === 0) return 'none: there are no tables';
    if (other.length === 0)
      return `${exact.reduce((sum, { rows }) => sum + (rows ?? 0), 0)} in total; the count of every table matches exactly`;
    const named = other.map(
      (table) => `${nameOf(table)} has ${counts.get(nameOf(table)) ?? 'none'} instead of ${table.rows}`,
    );
    return { detail: some(named), remedy };
  });
}

export function judgeSequences(
  wanted: readonly SequenceRange[],
  found: Restored['sequences'],
  remedy: string,
): string | Problem {
  const values = new Map(found.map((sequence) => [nameOf(sequence), sequence.value]));
  const bad = wanted.filter((sequence) => !isWithin(sequence, values.get(nameOf(sequence))));
  if (wanted.length === 0) return 'none';
  if (bad.length === 0) return `${counted(wanted.length, 'sequence')}, each where it was when the dump was taken`;
  const named = bad.map(
    (sequence) =>
      `${nameOf(sequence)} is at ${values.get(nameOf(sequence)) ?? 'nothing'}, not between ${sequence.before ?? 'nothing'} and ${sequence.after ?? 'nothing'}`,
  );
  return { detail: some(named), remedy };
}

/** The sequence was read before and after the dump, and moves only in the direction of its increment. */
function isWithin({ before, after, increment }: SequenceRange, value: string | null | undefined): boolean {
  if (value === undefined) return false;
  if (value === null) return before === null;
  if (after === null) return false;
  const direction = BigInt(increment) < 0n ? -1n : 1n;
  const from = (bound: string) => (BigInt(value) - BigInt(bound)) * direction;
  return from(after) <= 0n && (before === null || from(before) >= 0n);
}

export function judgeExtensions({ extensions }: Manifest, restored: Restored, remedy: string): string | Problem {
  const present = new Map(restored.extensions.map(({ name, version }) => [name, version]));
  const missing = extensions.filter(({ name }) => !present.has(name)).map(({ name }) => name);
  if (missing.length > 0) return { detail: `${some(missing)} was not restored`, remedy };
  const newer = extensions
    .filter(({ name, version }) => present.get(name) !== version)
    .map(({ name, version }) => `${name} ${present.get(name)} instead of ${version}`);
  if (extensions.length === 0) return 'none';
  return newer.length === 0
    ? some(extensions.map(({ name, version }) => `${name} ${version}`))
    : `all were restored; the image has different versions of: ${some(newer)}`;
}
