import type { DrillOutcome } from '../../shared/drill/drill-request.ts';
import { hidden } from '../../shared/postgres/printed-errors.ts';
import type { ManifestSummary } from '../../shared/sets/manifest.ts';

/** What to mend in the source, by what the server refused. Names no reason that it did not give. */
const mending: [said: RegExp, mend: (match: RegExpExecArray) => string][] = [
  [
    /^could not create unique index (".+")/,
    ([, index]) =>
      `it has duplicate rows that ${index} does not allow. Find them without that index (SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; then GROUP BY … HAVING count(*) > 1), remove the duplicates, then REINDEX INDEX ${index}`,
  ],
  [
    // A table of the database's own has no indexes yet when its rows come.
    /^duplicate key value violates unique constraint (".+")/,
    ([, constraint]) =>
      `${constraint} belongs to a table of an extension, and some of its rows come twice: CREATE EXTENSION makes them, and the dump has them as well. If the image has another version of the extension, ALTER EXTENSION … UPDATE in the database. Otherwise delete there the rows that the extension makes by itself`,
  ],
  [
    /^insert or update on table (".+") violates foreign key constraint (".+")/,
    ([, table, constraint]) =>
      `${table} has rows whose partner is missing. Find and fix them (LEFT JOIN … WHERE partner IS NULL). To prove it: drop ${constraint}, add it again with NOT VALID, then ALTER TABLE ${table} VALIDATE CONSTRAINT ${constraint}`,
  ],
  [
    /^(?:new row for relation (".+") violates check constraint (".+")|check constraint (".+") of relation (".+") is violated by some row|check constraint (".+") is violated by some row)/,
    ([, table, constraint, later, of, alone]) =>
      `rows of ${table ?? of ?? 'a table'} do not pass the CHECK ${constraint ?? later ?? alone} in an empty database. If it calls a function that reads another table or a setting, make it a trigger instead: a restore fills tables one after the other. Otherwise fix the rows, then ALTER TABLE … VALIDATE CONSTRAINT`,
  ],
  [
    /^value for domain (.+) violates check constraint (".+")/,
    ([, domain, constraint]) =>
      `rows do not pass the CHECK ${constraint} of the domain ${domain} in an empty database. If it calls a function that reads a table or a setting, let it look at the value alone. Otherwise fix the rows, then ALTER DOMAIN … VALIDATE CONSTRAINT`,
  ],
  [
    /^(null value in column|column .+ contains null values|domain .+ does not allow null values)/,
    () =>
      'a column has NULL where it must not, or where a table that it inherits from must not: a restore gives a child what its parent has. Fix the rows, then ALTER TABLE … ALTER COLUMN … SET NOT NULL again, or ALTER TABLE ONLY … DROP NOT NULL of the parent',
  ],
  [
    /^(?:could not create exclusion constraint|conflicting key value violates exclusion constraint) (".+")/,
    ([, constraint]) => `it has rows that ${constraint} excludes: fix them, then REINDEX INDEX ${constraint}`,
  ],
  [
    /^(?:no partition of relation|new row for relation .+ violates partition constraint|partition constraint of)/,
    () =>
      'a partition has rows that belong elsewhere: move them, with ALTER TABLE … DETACH PARTITION and ATTACH PARTITION. If it is partitioned by HASH of an array or a row with values of an enum, every server has them in other partitions: partition by their text instead',
  ],
  [
    /^((function|relation|type|column|table|view|operator|aggregate|cast) .+ (does not exist|is not unique|is ambiguous)|(operator|function) (does not exist|is not unique): .+|(schema .+|role …) does not exist|missing FROM-clause entry|no schema has been selected)/,
    () =>
      'a function, an index, a CHECK, a default or a regclass in a row uses a name that a restore does not find, or not yet. A restore has an empty search_path: write the schema before the names that the function uses, or ALTER FUNCTION … SET search_path = …. Indexes come last. A name that belongs to an extension needs that extension in the database. What was added to an extension by hand is not in a dump: ALTER EXTENSION … DROP takes it out again',
  ],
  [
    /^materialized view (".+") has not been populated/,
    ([, view]) =>
      `a materialized view reads ${view} in a function. pg_dump does not see that there, and a restore has not filled ${view} yet. Let the view read it in its own query, or give it a name that sorts after ${view}`,
  ],
  [
    /^query would be affected by row-level security policy for table (".+")/,
    ([, table]) =>
      `a materialized view reads ${table}, whose policies hide rows from the owner of the view, and a restore refuses to fill a view with only some of the rows. ALTER ROLE … BYPASSRLS for that owner, or ALTER MATERIALIZED VIEW … OWNER TO a role that has it`,
  ],
  [
    /^(functions in |generation expression is not immutable)/,
    () =>
      'an index or a generated column calls a function that is not IMMUTABLE, or not in a restore: what ALTER FUNCTION has changed of an extension, such as unaccent, is in no dump. Let a function of your own, which is IMMUTABLE, call it, and use that one instead. Otherwise fix the function or the column',
  ],
  [
    /^(.+) already exists/,
    ([, what]) =>
      `a restore creates ${what} twice: an extension creates it, and the dump has it as well, since somebody took it out of the extension (ALTER EXTENSION … DROP) or created it before the extension. ALTER EXTENSION … ADD makes it a part of the extension again; or give yours another name`,
  ],
  [
    /^unrecognized configuration parameter/,
    () =>
      'a CHECK, an index or a generated column reads a setting that ALTER DATABASE … SET or ALTER ROLE … SET makes. A restore has none of these before its rows. Let it read the setting by current_setting(name, true) and do without, or set it in postgresql.conf',
  ],
  [
    /^(value too long|invalid input|malformed|date\/time|.*out of range|numeric field overflow|invalid byte sequence|character with byte sequence)/,
    () => 'it has values that their type no longer accepts: fix these rows, or the type',
  ],
];

const ways = 'For what can still be restored: docs/restore.md#a-source-that-does-not-restore';

/** What is no fault of the source, or need not be one. The file is intact in all of these. */
const elsewhere: [said: RegExp, remedy: string][] = [
  [
    /^(out of|could not (fork|resize|write|extend|fsync|create file|(open|read) file "|read block)|invalid (page|memory alloc)|the database system|terminating|canceling|sorry|too many|remaining connection|page verification|missing chunk|unexpected chunk|compressed|deadlock|tuple|cache lookup|server closed)/,
    'The server of the drill refused it for a reason of its own, which says nothing about the backup or the source: drill it again. If it says the same, see the log of PostgreSQL that the finding names',
  ],
  [
    /^index row (size|requires)/,
    'A value is too long for its index as the server of the drill stores it. If default_toast_compression is set for the database alone (ALTER DATABASE … SET), a restore needs it in PGOPTIONS. Otherwise index a hash of the value',
  ],
  [
    /^stack depth limit exceeded/,
    'A value or an expression is nested more deeply than the server of the drill takes with the usual max_stack_depth. If that of the source is larger in its postgresql.conf, a restore there works. If only for one database (ALTER DATABASE … SET), a restore needs it in PGOPTIONS',
  ],
  [
    /^role ".+" does not exist/,
    'The dump names a role that the globals next to it did not create. If the backup could not save them, see its report; otherwise read globals.sql.gz of the set: it must create that role. By hand: CREATE ROLE, then restore',
  ],
  [
    /^permission denied for (?!parameter|database)/,
    'A restore builds an index as the owner of its table, and fills a materialized view as the owner of that, and this owner lacks the right. If REINDEX or REFRESH MATERIALIZED VIEW fails in the database, too, the source does not restore: GRANT the right to that owner. Otherwise see which roles and grants globals.sql.gz of the set has',
  ],
  [
    /^(must be|must have|permission denied)/,
    'The role that restores may not do this. See which roles and grants globals.sql.gz of the set has',
  ],
];

/**
 * What to do if a backup did not restore. If its bytes are those that were taken and the server refused a statement, the
 * backup is not at fault. That the source is, and that a new backup would be no better, is said only of errors that show it.
 */
export function remedyOf(
  { id, sha256 }: Pick<ManifestSummary, 'id' | 'sha256'>,
  outcome: Pick<DrillOutcome, 'fault' | 'sha256'>,
): string {
  const refusal = outcome.fault?.refusal ?? null;
  if (refusal === null || outcome.sha256 !== sha256) return `Do not rely on ${id}. Take a backup now and drill it`;
  for (const [said, mend] of mending) {
    const match = said.exec(refusal);
    if (match !== null)
      return `The file is intact; the source itself does not restore, and a new backup fails the same way until that is fixed there: ${mend(match)}. ${ways}`;
  }
  const known = elsewhere.find(([said]) => said.test(refusal));
  if (known !== undefined) return `The file is intact. ${known[1]}`;
  const read =
    refusal === hidden
      ? 'Why it does not restore is only in the log of PostgreSQL that the finding names: read it on the host'
      : 'This error does not tell whether the source or the server of the drill is at fault. The whole message is in the log of PostgreSQL that the finding names, on the host';
  return `The file is intact. ${read}. Fix what it names, and drill it again. ${ways}`;
}
