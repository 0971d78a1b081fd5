import { Failure } from '../failure.ts';
import { bool, count, listOf, orNull, type Reader, shape, text, textThat } from '../untrusted.ts';

/** The number of rows found in a table. */
export interface TableCount {
  schema: string;
  name: string;
  /** null if rows were not counted. */
  rows: number | null;
  /** True if rows were counted in the dump's own snapshot; false for the planner's estimate. */
  exact: boolean;
  /** The partitioned table at the top, for a partition: rows may come back in another partition. null for others. */
  root: { schema: string; name: string } | null;
  /** The extension that it belongs to; null if none. */
  extension: string | null;
  /** pg_dump takes its rows. Of a table of an extension it takes those that the extension names, or none; of one in pg_catalog, none. */
  isDumped: boolean;
  /** The rows that its extension does not name for a dump, if it names others by a condition; null for any other table. */
  unnamed: { rows: number; hash: string | null } | null;
  /** It has stored generated columns, whose values a restore computes anew. */
  generates: boolean;
  /** null if the content was not hashed. */
  content: TableContent | null;
  /** Bytes of the largest value, uncompressed; null if it was not measured, or is small. */
  largestValue: number | null;
}

/** A hash of the rows that does not depend on their order. */
export interface TableContent {
  /** Of all rows, or of about one in so many. */
  oneIn: number;
  /** How many that were. */
  rows: number;
  /** The sum of the hashes of these rows, and of the generated columns of all of them, modulo 2^64. */
  hash: string;
}

/** A sequence at one moment; `value` is null if it was never used. */
export interface FoundSequence {
  schema: string;
  name: string;
  value: string | null;
  increment: string;
  cycles: boolean;
  /** The extension that it belongs to; null if none. */
  extension: string | null;
  /** pg_dump takes its value. Of a sequence of an extension it does only if the extension says so. */
  isDumped: boolean;
}

/**
 * What belongs to an extension, as PostgreSQL names it, `function public.f(integer)`; to its tables: `index i on public.t`; and how
 * its functions are defined: `definition of function public.f(integer): 0a1b`. pg_dump leaves it out.
 */
export interface ExtensionMembers {
  /** Empty for what somebody has put into pg_catalog or information_schema, and for `privilege USAGE for PUBLIC on schema app`. */
  extension: string;
  objects: string[];
}

/** The facts about a database from the statements in `shared/postgres/facts-*.sql`. */
export interface Facts {
  tables: TableCount[];
  sequencesBefore: FoundSequence[];
  /** null if the session ended too early: then tables are missing too. */
  sequencesAfter: FoundSequence[] | null;
  largeObjects: number;
  extensions: { name: string; version: string }[];
  members: ExtensionMembers[];
  /** Materialized views that cannot be read until they are refreshed. A restore refreshes none of these, and none that reads one. */
  emptyViews: { schema: string; name: string }[];
}

/** UTF-16 units; the same limit as in a manifest. */
const name = text(1024);
const mostOfAll = 1_000_000;
const bigInteger = textThat((value) => /^-?\d{1,20}$/.test(value), 'a whole number as text');
const rowsHash = textThat((value) => /^\d{1,20}$/.test(value), 'a hash');
const content = shape<TableContent>({
  oneIn: count,
  rows: count,
  hash: rowsHash,
});
/** Manifests of earlier versions have only the first four fields. */
export const tableCount: Reader<TableCount> = shape<TableCount>({
  schema: name,
  name,
  rows: orNull(count),
  exact: bool,
  root: orNull(shape({ schema: name, name })),
  extension: orNull(name),
  isDumped: (value, place) => value === undefined || bool(value, place),
  unnamed: orNull(shape({ rows: count, hash: orNull(rowsHash) })),
  generates: (value, place) => value !== undefined && bool(value, place),
  content: orNull(content),
  largestValue: orNull(count),
});
const sequences = listOf(
  shape<FoundSequence>({
    schema: name,
    name,
    value: orNull(bigInteger),
    increment: bigInteger,
    cycles: bool,
    extension: orNull(name),
    isDumped: bool,
  }),
  mostOfAll,
);
const relations = listOf(shape({ schema: name, name }), mostOfAll);
const extensions = listOf(shape({ name, version: name }), mostOfAll);
/** PostgreSQL is asked for no more than 2,000 characters of an object. */
export const extensionMembers: Reader<ExtensionMembers[]> = listOf(
  shape<ExtensionMembers>({ extension: name, objects: listOf(text(4096), mostOfAll) }),
  10_000,
);

/**
 * Reads the lines of such a session: a name, a space, and a value or JSON. A table counted with COPY has two lines,
 * `copied {…}` and `COPY rows`. Lines with other names are ignored.
 * @throws Failure `facts-unreadable` if a line is missing or malformed: something else has printed into the session
 */
export function readFacts(lines: readonly string[]): Facts {
  const pairs = lines.map((line): [string, string] => {
    const space = line.indexOf(' ');
    return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)];
  });
  const only = <T>(key: string, read: Reader<T>): T =>
    readFact(key, pairs.find(([each]) => each === key)?.[1] ?? '', read);
  return {
    tables: pairs.flatMap(([key, json], at) => {
      if (key === 'table') return [readFact(key, json, tableCount)];
      return key === 'copied' ? [{ ...readFact(key, json, tableCount), ...copiedRows(pairs[at + 1]) }] : [];
    }),
    sequencesBefore: only('sequences-before', sequences),
    sequencesAfter: pairs.some(([key]) => key === 'sequences-after') ? only('sequences-after', sequences) : null,
    largeObjects: only('large-objects', count),
    extensions: only('extensions', extensions),
    members: only('members', extensionMembers),
    emptyViews: only('empty-views', relations),
  };
}

function readFact<T>(key: string, json: string, read: Reader<T>): T {
  try {
    return read(JSON.parse(json), key);
  } catch (cause) {
    throw new Failure('facts-unreadable', `The database's reply about "${key}" cannot be understood`, { cause });
  }
}

function copiedRows(next: readonly [string, string] | undefined): Pick<TableCount, 'rows' | 'exact'> {
  const isCounted = next?.[0] === 'COPY' && /^\d+$/.test(next[1]);
  return isCounted ? { rows: Number(next[1]), exact: true } : { rows: null, exact: false };
}
