import type { TableCount } from '../postgres/facts.ts';
import { relationName } from '../postgres/relation-name.ts';
import { hashedText, isHashed } from '../postgres/table-facts.ts';
import type { Manifest } from '../sets/manifest.ts';
import { allOf, counted } from '../units.ts';
import { type Findings, type Problem, some } from './finding.ts';
import { changedExtensions, judgeExtensions } from './judge-extensions.ts';
import { judgeLeftOut } from './judge-left-out.ts';
import { judgeSequences } from './judge-sequences.ts';
import type { RestoredData } from './restored.ts';

/** Compares restored data with what the manifest says was dumped. */
export function judgeData(findings: Findings, manifest: Manifest, restored: RestoredData, remedy: string): void {
  findings.check('tables', () => judgeTables(manifest.tables, restored.tables, remedy));
  judgeRows(findings, manifest, restored, remedy);
  judgeContent(findings, manifest, restored);
  judgeLeftOut(findings, manifest, restored);
  findings.check('sequences', () => judgeSequences(manifest.sequences, restored.sequences, remedy));
  findings.check('large objects', () =>
    restored.largeObjects === manifest.largeObjects
      ? `${restored.largeObjects}`
      : { detail: `${restored.largeObjects} instead of ${manifest.largeObjects}`, remedy },
  );
  findings.check('extensions', () => judgeExtensions(manifest, restored, remedy));
}

/** Checks that every dumped table came back. */
function judgeTables(wanted: readonly TableCount[], found: readonly TableCount[], remedy: string): string | Problem {
  const [known, present] = [new Set(wanted.map(relationName)), new Set(found.map(relationName))];
  const missing = dumped(wanted)
    .map(relationName)
    .filter((name) => !present.has(name));
  // Another version of an extension may bring other tables.
  const added = found
    .filter(({ extension }) => extension === null)
    .map(relationName)
    .filter((name) => !known.has(name));
  if (missing.length > 0) return { detail: `${some(missing)} was not restored`, remedy };
  if (added.length > 0) return { detail: `${some(added)} was restored but is not in the manifest`, remedy };
  // Not a fault, just as for a backup: the database may be new, or hold only functions.
  if (dumped(wanted).length === 0) return 'none: the database had no table when the dump was taken';
  return `${allOf(dumped(wanted).length, 'table', ['was', 'were'])} restored`;
}

/** Compares the row counts. An estimated or missing count proves nothing. */
function judgeRows(findings: Findings, manifest: Manifest, restored: RestoredData, remedy: string): void {
  const wanted = comparable(manifest, restored);
  if (wanted.some(({ exact }) => !exact)) {
    findings.unable(
      'rows',
      'the backup has no exact counts to compare with',
      'In backup-action, set row-counts: exact. If that is set, let "db-user" be a superuser or the owner of the tables',
    );
    return;
  }
  findings.check('rows', () => {
    const trees = treesOf(wanted, restored.tables);
    const other = trees.filter(({ before, after }) => before.rows !== after?.rows);
    if (trees.length === 0) return 'none: there are no tables';
    if (other.length === 0)
      return `${counted(
        trees.reduce((sum, { before }) => sum + before.rows, 0),
        'row',
      )} in total; the count of every table matches exactly`;
    const named = other.map(
      ({ name, before, after }) => `${name} has ${after?.rows ?? 'none'} instead of ${before.rows}`,
    );
    const isMadeAgain = other.every(
      ({ tables, before, after }) =>
        tables.every(({ extension }) => extension !== null) && (after?.rows ?? 0) > before.rows,
    );
    return { detail: some(named), remedy: isMadeAgain ? madeAgain(other) : remedy };
  });
}

const madeAgain = (trees: readonly Tree[]) =>
  `CREATE EXTENSION puts rows of its own into ${namesOf(trees)}, and the database no longer has them; a new backup fails the same way. After a restore, delete them again`;

/**
 * Compares the hashes of the content. Where the number of rows differs already, that says enough. What was not hashed is a
 * warning: its rows were only counted. Of a partitioned table, all is hashed or nothing is: its rows may come back in any partition.
 */
function judgeContent(findings: Findings, manifest: Manifest, restored: RestoredData): void {
  const trees = treesOf(comparable(manifest, restored), restored.tables);
  const hashed = trees.filter(({ tables }) => isTreeHashed(tables));
  const unhashed = trees.filter((tree) => !hashed.includes(tree));
  const computed = unhashed.filter(({ before }) => before.generates);
  const other = hashed.filter(({ before, after }) => after?.rows === before.rows && after.hash !== before.hash);
  if (other.length === 0 && computed.length > 0) {
    findings.unable(
      'content',
      `${namesOf(computed)} has generated columns, which a restore computes again, and was not hashed`,
      hashingRemedy,
    );
    return;
  }
  findings.check('content', () => {
    const unfilled = emptyViewsText(restored);
    if (trees.length === 0) return `none: there are no tables${unfilled}`;
    if (other.length > 0) return otherValues(other);
    const equal = `hashed, with equal results: ${hashedText(hashed.flatMap(({ tables }) => tables))}`;
    if (unhashed.length === 0) return `${equal}${unfilled}`;
    return {
      detail: `only the rows were counted of ${namesOf(unhashed)}, as the backup has no hash of them${hashed.length === 0 ? '' : `; ${equal}`}${unfilled}`,
      remedy: hashingRemedy,
      severity: 'warning',
    };
  });
}

/** Views that were empty in the source as well are told, too: a backup does not say which these are. */
function emptyViewsText({ emptyViews }: RestoredData): string {
  if (emptyViews.length === 0) return '';
  return `. A restore leaves materialized views empty if they were empty before, or read one that was: ${some(emptyViews.map(relationName))}`;
}

/** Whether the content of a table, or of all partitions of one, can be compared; a partition of whose rows the sample has none, too. */
function isTreeHashed(tables: readonly TableCount[]): boolean {
  return tables.some(({ content }) => (content?.rows ?? 0) > 0)
    ? tables.every(({ content, rows }) => rows === 0 || content !== null)
    : tables.every(isHashed);
}

const namesOf = (trees: readonly Tree[]) => some(trees.map(({ name }) => name));

const hashingRemedy =
  'Take a backup with this version of the action and with row-counts: exact. Tables that belong to another role than "db-user", or have an index on a function in SQL or PL/pgSQL, are not hashed, because that could run code that others wrote';

function otherValues(other: readonly Tree[]): Problem {
  const computed = other.filter(({ before }) => before.generates);
  return {
    detail: `the values in ${namesOf(other)} are not those of the database: the number of rows is the same, but not their hash`,
    remedy:
      computed.length > 0
        ? `A restore computes generated columns again, and those of ${namesOf(computed)} then come out differently; a new backup fails the same way. Let their expressions use only the row itself: a restore fills tables one after the other, and applies the settings of a database (ALTER DATABASE … SET) at the end`
        : 'A new backup may fail the same way. Restore this one into a database of its own (docs/restore.md) and compare these tables',
  };
}

/** The dumped tables whose rows must be the same. */
function comparable(manifest: Manifest, restored: RestoredData): TableCount[] {
  const changed = changedExtensions(manifest, restored);
  return dumped(manifest.tables).filter(({ extension }) => extension === null || !changed.has(extension));
}

const dumped = (tables: readonly TableCount[]) => tables.filter(({ isDumped }) => isDumped);

/** A table, or all partitions of a partitioned one: a restore may put rows into other partitions. */
interface Tree {
  name: string;
  /** As in the manifest. */
  tables: readonly TableCount[];
  before: Sum;
  /** What came back; undefined if nothing of it did. */
  after: Sum | undefined;
}

interface Sum {
  rows: number;
  /** Modulo 2^64. */
  hash: bigint;
  generates: boolean;
}

function treesOf(wanted: readonly TableCount[], found: readonly TableCount[]): Tree[] {
  // By the manifest, which knows the partitions; only tables that are in it count.
  const treeOf = new Map(wanted.map((table) => [relationName(table), relationName(table.root ?? table)]));
  const sums = (tables: readonly TableCount[]) => {
    const of = new Map<string, Sum>();
    for (const table of tables) {
      const tree = treeOf.get(relationName(table));
      if (tree === undefined) continue;
      const { rows, hash, generates } = of.get(tree) ?? { rows: 0, hash: 0n, generates: false };
      of.set(tree, {
        rows: rows + (table.rows ?? 0),
        hash: BigInt.asUintN(64, hash + BigInt(table.content?.hash ?? 0)),
        generates: generates || table.generates,
      });
    }
    return of;
  };
  const after = sums(found);
  const tables = Map.groupBy(wanted, (table) => relationName(table.root ?? table));
  return [...sums(wanted)].map(([name, before]) => ({
    name,
    tables: tables.get(name) ?? [],
    before,
    after: after.get(name),
  }));
}
