import type { TableCount } from '../postgres/facts.ts';
import { identifier, relationName } from '../postgres/relation-name.ts';
import { hashedText, isHashed, leftOut, leftOutText, whyLeftOut } from '../postgres/table-facts.ts';
import type { Manifest, SequenceRange } from '../sets/manifest.ts';
import { allOf, counted, listed } from '../units.ts';
import type { Findings, Problem } from './finding.ts';
import type { RestoredData } from './restored.ts';

/** The first few names. */
export const some = (names: readonly string[]): string => listed(names, 5);

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
  `CREATE EXTENSION puts rows of its own into ${namesOf(trees)}, and the database no longer has them; a new backup fails alike. After a restore, delete them again`;

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
  return `. A restore leaves materialized views empty that were empty, or read one that was: ${some(emptyViews.map(relationName))}`;
}

/** Whether the content of a table, or of all partitions of one, can be compared; a partition of whose rows the sample has none, too. */
function isTreeHashed(tables: readonly TableCount[]): boolean {
  return tables.some(({ content }) => (content?.rows ?? 0) > 0)
    ? tables.every(({ content, rows }) => rows === 0 || content !== null)
    : tables.every(isHashed);
}

const namesOf = (trees: readonly Tree[]) => some(trees.map(({ name }) => name));

const hashingRemedy =
  'Take a backup with this version of the action and with row-counts: exact. Tables that belong to another role than "db-user", or have an index on a function in SQL or PL/pgSQL, are not hashed, because that could run code of somebody else';

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

/** Logs and the like of which their authors say that a dump need not have them. */
const ownLogs = new Set(['pg_cron job_run_details']);

/** Tells of rows that pg_dump leaves out because of where their table belongs, where a restore does not bring them. */
function judgeLeftOut(findings: Findings, manifest: Manifest, restored: RestoredData): void {
  const present = new Map(restored.tables.map((table) => [relationName(table), table]));
  const changed = changedExtensions(manifest, restored);
  const lost = leftOut(manifest.tables).filter((table) => {
    const { rows, content } = present.get(relationName(table)) ?? {};
    return rows !== table.rows || (isHashed(table) && content?.hash !== table.content?.hash);
  });
  const others = manifest.tables.filter(({ unnamed, ...table }) => {
    const after = present.get(relationName(table))?.unnamed;
    return unnamed !== null && (after?.rows !== unnamed.rows || after.hash !== unnamed.hash);
  });
  if (others.length > 0) {
    findings.check('left out', () => otherThanNamed(others), 'warning');
  }
  if (lost.length === 0) return;
  const isKnown = ({ extension, name, rows }: TableCount) =>
    rows === null || changed.has(extension ?? '') || ownLogs.has(`${extension} ${name}`);
  findings.check(
    'left out',
    () => ({
      detail: `not in the dump, and not in a restore: ${leftOutText(lost)}`,
      remedy: `pg_dump leaves out the rows of such tables. If you need them, take the table out: ${lost.slice(0, 1).map(takeOut)}. Or save them in another way, such as COPY`,
    }),
    lost.every(isKnown) ? 'warning' : 'error',
  );
}

/** An extension names rows by a condition, and makes the others itself: that is its own choice, so it is told and not condemned. */
function otherThanNamed(tables: readonly TableCount[]): Problem {
  const told = tables.map(
    (table) =>
      `${relationName(table)} (${counted(table.unnamed?.rows ?? 0, 'row')} that the extension ${table.extension} does not name)`,
  );
  return {
    detail: `not in the dump, and others in a restore: ${some(told)}`,
    remedy:
      'A restore has these rows as CREATE EXTENSION creates them. If you changed or added some, save them in another way, such as COPY',
  };
}

const takeOut = ({ extension, schema, name }: TableCount) => {
  const table = `${identifier(schema)}.${identifier(name)}`;
  return extension === null
    ? `ALTER TABLE ${table} SET SCHEMA …`
    : `ALTER EXTENSION ${identifier(extension)} DROP TABLE ${table}`;
};

/** Checks that each sequence is where it was. */
export function judgeSequences(
  wanted: readonly SequenceRange[],
  found: RestoredData['sequences'],
  remedy: string,
): string | Problem {
  const values = new Map(found.map((sequence) => [relationName(sequence), sequence.value]));
  const bad = wanted.filter((sequence) => !isWithin(sequence, values.get(relationName(sequence))));
  const [fault, known] = [bad.filter(({ isDumped }) => isDumped), bad.filter(({ isDumped }) => !isDumped)];
  const told = (sequences: readonly SequenceRange[]) =>
    some(
      sequences.map(
        (sequence) =>
          `${relationName(sequence)} is at ${values.get(relationName(sequence)) ?? 'nothing'}, not between ${sequence.before ?? 'nothing'} and ${sequence.after ?? 'nothing'}`,
      ),
    );
  if (fault.length > 0) {
    const behind = fault.every((sequence) => isBehind(sequence, values.get(relationName(sequence))));
    return { detail: told(fault), remedy: behind ? `${setBack} ${remedy}` : remedy };
  }
  const [first] = known;
  if (first !== undefined) {
    return {
      detail: `${told(known)}: pg_dump leaves out sequences of the extension ${first.extension}`,
      remedy: `After a restore, set it: SELECT setval('${relationName(first).replaceAll("'", "''")}', ${first.after ?? 1})`,
      severity: 'warning',
    };
  }
  if (wanted.length === 0) return 'none';
  const unbound = wanted.filter((sequence) => !isBound(sequence)).length;
  const where = `${counted(wanted.length, 'sequence')}, each where it was when the dump was taken`;
  return unbound === 0 ? where : `${where}; ${unbound} of them started over or could have, so any value counts`;
}

/** The extensions that the image has in another version: their own tables may have other columns, and other rows of their own. */
function changedExtensions({ extensions }: Manifest, restored: RestoredData): Set<string> {
  const present = new Map(restored.extensions.map(({ name, version }) => [name, version]));
  return new Set(extensions.filter(({ name, version }) => present.get(name) !== version).map(({ name }) => name));
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

/** The sequence was read before and after the dump, and moves only in the direction of its increment. */
function isWithin(sequence: SequenceRange, value: string | null | undefined): boolean {
  const { before, after } = sequence;
  if (value === undefined) return false;
  if (!isBound(sequence)) return true;
  if (value === null) return before === null;
  if (after === null) return false;
  return ahead(value, after, sequence) <= 0n && (before === null || ahead(value, before, sequence) >= 0n);
}

/**
 * It moved while the dump was taken, and came back behind where it was before. One that was set back meanwhile and has since passed
 * its old value looks the same as one that a restore did not bring back: the values before and after do not tell.
 */
function isBehind(sequence: SequenceRange, value: string | null | undefined): boolean {
  const { before, after } = sequence;
  if (value === undefined || before === null || before === after) return false;
  return value === null || ahead(value, before, sequence) < 0n;
}

const setBack =
  'If something set it back while the dump was taken (setval, ALTER SEQUENCE … RESTART, TRUNCATE … RESTART IDENTITY), the backup is as good as the others. Otherwise:';

/** False for one that starts over at its end, or was set back meanwhile: it may have had any value. */
function isBound(sequence: SequenceRange): boolean {
  const { before, after, cycles } = sequence;
  if (cycles) return false;
  return before === null || (after !== null && ahead(after, before, sequence) >= 0n);
}

/** How far `value` is ahead of `bound`, in the direction of the increment. */
function ahead(value: string, bound: string, { increment }: SequenceRange): bigint {
  return (BigInt(value) - BigInt(bound)) * (BigInt(increment) < 0n ? -1n : 1n);
}

/**
 * Checks that each extension came back. What somebody has added to one by hand does not: that is told, and not condemned, as it
 * looks just like what an update of the extension has left behind.
 */
function judgeExtensions(manifest: Manifest, restored: RestoredData, remedy: string): string | Problem {
  const { extensions, members } = manifest;
  const present = new Map(restored.extensions.map(({ name, version }) => [name, version]));
  const missing = extensions.filter(({ name }) => !present.has(name)).map(({ name }) => name);
  if (missing.length > 0) return { detail: `${some(missing)} was not restored`, remedy };
  const changed = extensions.filter(({ name, version }) => present.get(name) !== version);
  const versions = changed.map(({ name, version }) => `${name} ${present.get(name)} instead of ${version}`);
  const seen = [
    changed.length === 0
      ? extensions.length === 0
        ? 'none'
        : some(extensions.map(({ name, version }) => `${name} ${version}`))
      : `all were restored; the image has different versions, whose own tables are not compared: ${some(versions)}`,
    ...(members === null ? ['what belongs to them was not compared: the backup is of an earlier version'] : []),
  ].join('; ');
  const lost = lostMembers(manifest, restored);
  return lost.length === 0 ? seen : notRestored(lost, changed, seen);
}

/** A kind of object as a command calls it. */
const typed = (object: string) =>
  object.replace(/^composite type /, 'type ').replace(/^foreign-data wrapper /, 'foreign data wrapper ');

interface Member {
  extension: string;
  object: string;
  /** `table`: it does not belong to the extension itself, but to one of its tables. `definition`: it is there, and another. */
  lacks: 'member' | 'table' | 'definition' | 'privilege';
}

/**
 * What CREATE EXTENSION does not bring back, except what other checks tell of: tables with rows, and sequences. Of a table that is
 * lost itself, nothing else is told.
 */
function lostMembers(manifest: Manifest, restored: RestoredData): Member[] {
  const { members, tables } = manifest;
  const versions = changedExtensions(manifest, restored);
  const present = new Map(restored.members.map(({ extension, objects }) => [extension, new Set(objects)]));
  const told = new Set(leftOut(tables).map((table) => `table ${relationName(table)}`));
  return (members ?? []).flatMap(({ extension, objects }) => {
    const isLost = (object: string) => !present.get(extension)?.has(object);
    const places = objects.filter((object) => object.startsWith('table '));
    const place = (object: string) =>
      madeOnTable.test(object)
        ? places.find((table) => object.endsWith(` on ${table.slice('table '.length)}`))
        : undefined;
    const defined = objects
      .filter((object) => isLost(object) && !versions.has(extension))
      .flatMap((object) => definitionOf.exec(object)?.[1] ?? [])
      .filter((object) => !isLost(object))
      .map((object): Member => ({ extension, object, lacks: 'definition' }));
    const lost = objects
      .filter(
        (object) =>
          isLost(object) && !told.has(object) && !object.startsWith('sequence ') && !definitionOf.test(object),
      )
      .map((object) => ({ extension, object, on: place(object) }))
      .filter(({ on }) => on === undefined || !isLost(on))
      .map(({ on, object }): Member => {
        const lacks = on !== undefined ? 'table' : publicPrivilege.test(object) ? 'privilege' : 'member';
        return { extension, object, lacks };
      });
    return [...lost, ...defined];
  });
}

const definitionOf = /^definition of (.*): [0-9a-f]+$/s;
const publicPrivilege = /^privilege (\w+) for PUBLIC on schema (.*)$/s;
const madeOnTable = /^(column|index|constraint|trigger|rule) /;

function notRestored(lost: readonly Member[], changed: readonly { name: string }[], seen: string): Problem {
  const that = (...kinds: Member['lacks'][]) => lost.filter(({ lacks }) => kinds.includes(lacks));
  const [gone, defined, privileges] = [that('member', 'table'), that('definition'), that('privilege')];
  const named = gone.map(({ extension, object }) => `${object}, ${whyLeftOut(extension)}`);
  const details = [
    ...(named.length === 0 ? [] : [`not in the dump, and not in a restore: ${some(named)}`]),
    ...(defined.length === 0
      ? []
      : [
          `restored as CREATE EXTENSION defines it, and changed in the database: ${some(defined.map(({ extension, object }) => `${object} of the extension ${extension}`))}`,
        ]),
    ...(privileges.length === 0 ? [] : [`lost in a restore: ${some(privileges.map(({ object }) => object))}`]),
  ];
  const example = that('member')
    .filter(({ extension }) => extension !== '')
    .slice(0, 1)
    .map(({ extension, object }) => `ALTER EXTENSION ${identifier(extension)} DROP ${typed(object)}`);
  const updates = changed
    .filter(({ name }) => gone.some(({ extension }) => extension === name))
    .map(({ name }) => `ALTER EXTENSION ${identifier(name)} UPDATE`);
  const first =
    updates.length === 0
      ? ''
      : `Another version may lack them by itself: update that of the database first (${some(updates)}) and take a backup. `;
  const grants = privileges.flatMap(({ object }) => {
    const [, privilege, schema] = publicPrivilege.exec(object) ?? [];
    return privilege === undefined ? [] : [`GRANT ${privilege} ON SCHEMA ${schema} TO PUBLIC`];
  });
  const remedies = [
    ...(example.length === 0
      ? []
      : [
          `pg_dump leaves out what belongs to an extension, and CREATE EXTENSION does not create what was added by hand, or is left over from an earlier version. If you need it, remove it from the extension: ${example}`,
        ]),
    ...(grants.length === 0
      ? []
      : [
          `pg_dump leaves out what everybody may do in a schema that was once called public, as every new database grants that. After a restore: ${grants.join('; ')}`,
        ]),
    ...(gone.some(({ extension }) => extension === '')
      ? ['pg_dump leaves out what stands in pg_catalog and information_schema. Make it in a schema of your own instead']
      : []),
    ...(that('table').length === 0
      ? []
      : [
          'pg_dump leaves out what somebody has created by hand on a table of an extension. Keep the statements that create it, and run them after a restore',
        ]),
    ...(defined.length === 0
      ? []
      : [
          'pg_dump leaves out what ALTER FUNCTION or CREATE OR REPLACE has changed of an extension, which an earlier version of it may also have left behind. Keep these statements, and run them after a restore; or call a function of your own that calls it',
        ]),
  ];
  return {
    detail: `${details.join('; ')}. The extensions: ${seen}`,
    // A command comes last.
    remedy: `${first}${remedies.toReversed().join('. ')}`,
    severity: 'warning',
  };
}
