import type { DrillOutcome } from '../../shared/drill/drill-request.ts';
import type { ManifestSummary } from '../../shared/sets/manifest.ts';

/** What to mend in the source, by what the server refused. Names no reason that it did not give. */
const mending: [said: RegExp, mend: (match: RegExpExecArray) => string][] = [
  [
    /^could not create unique index (".+")|^duplicate key value violates unique constraint (".+")/,
    ([, index, constraint]) =>
      `it has rows that are equal where ${index ?? constraint} allows one. Find them without that index (SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; then GROUP BY … HAVING count(*) > 1), remove what is too much, then REINDEX INDEX ${index ?? constraint}`,
  ],
  [
    /^insert or update on table (".+") violates foreign key constraint (".+")/,
    ([, table, constraint]) =>
      `${table} has rows whose partner is missing. Find and mend them (LEFT JOIN … WHERE partner IS NULL). To prove it: drop ${constraint}, add it again with NOT VALID, then ALTER TABLE ${table} VALIDATE CONSTRAINT ${constraint}`,
  ],
  [
    /^(?:new row for relation (".+") violates check constraint (".+")|check constraint (".+") of relation (".+") is violated by some row|check constraint (".+") is violated by some row)/,
    ([, table, constraint, later, of, alone]) =>
      `rows of ${table ?? of ?? 'a table'} do not pass the CHECK ${constraint ?? later ?? alone} in an empty database. If it calls a function that reads another table or a setting, make it a trigger instead: a restore fills tables one after the other. Otherwise mend the rows, then ALTER TABLE … VALIDATE CONSTRAINT`,
  ],
  [
    /^(null value in column|column .+ contains null values)/,
    () => 'a column has NULL where it must not: mend the rows, then ALTER TABLE … ALTER COLUMN … SET NOT NULL again',
  ],
  [
    /^(?:could not create exclusion constraint|conflicting key value violates exclusion constraint) (".+")/,
    ([, constraint]) => `it has rows that ${constraint} excludes: mend them, then REINDEX INDEX ${constraint}`,
  ],
  [
    /^(?:no partition of relation|new row for relation .+ violates partition constraint|partition constraint of)/,
    () =>
      'a partition has rows that belong elsewhere: move them, with ALTER TABLE … DETACH PARTITION and ATTACH PARTITION',
  ],
  [
    /^((function|relation|type|column|table|view|operator|aggregate|cast) .+ (does not exist|is not unique|is ambiguous)|operator (does not exist|is not unique): .+|schema ".+" does not exist)/,
    () =>
      'a function, an index, a CHECK or a default uses a name that a restore does not find. A restore has an empty search_path: write the schema before the names that the function uses, or ALTER FUNCTION … SET search_path = …. A name that belongs to an extension needs that extension in the database',
  ],
  [
    /^(functions in |generation expression is not immutable)/,
    () =>
      'an index or a generated column calls a function that is no longer IMMUTABLE: mend the function or the column',
  ],
  [
    /^(value too long|invalid input|malformed|date\/time|.*out of range|numeric field overflow|invalid byte sequence|character with byte sequence)/,
    () => 'it has values that their type no longer takes: mend these rows, or the type',
  ],
];

const ways = 'For what can still be restored: docs/restore.md#a-source-that-does-not-restore';

/**
 * What to do if a backup did not restore. If its bytes are those that were taken and the server refused a statement, the
 * backup is not at fault, and a new one would be no better.
 */
export function remedyOf(
  { id, sha256 }: Pick<ManifestSummary, 'id' | 'sha256'>,
  outcome: Pick<DrillOutcome, 'fault' | 'sha256'>,
): string {
  const refusal = outcome.fault?.refusal ?? null;
  if (refusal === null || outcome.sha256 !== sha256) return `Do not rely on ${id}. Take a backup now and drill it`;
  const intact =
    'The file is intact; the source itself does not restore, and a new backup fails alike until that is mended there';
  for (const [said, mend] of mending) {
    const match = said.exec(refusal);
    if (match !== null) return `${intact}: ${mend(match)}. ${ways}`;
  }
  return `${intact}: mend what the error names, then take a backup and drill it. ${ways}`;
}
