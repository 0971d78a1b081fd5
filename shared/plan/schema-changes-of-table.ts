import { type SchemaChange, schemaChange } from './schema-change.ts';
import type { SchemaModel } from './schema-model.ts';
import type { Column, Table } from './schema-table.ts';
import { bare, listIn, namesIn, SqlReader } from './sql-parts.ts';

/** What has changed in a table that is there before and after, as code that was made for the table before notices it. */
export function tableChanges(before: Table, after: Table, model: SchemaModel): SchemaChange[] {
  const { breaking, harmless, rewritten } = schemaChange;
  const about = (change: SchemaChange) => ({ ...change, text: `${after.name}: ${change.text}` });
  const changes = [
    ...columnChanges(before, after, model),
    ...constraintChanges(before, after),
    ...uniqueChanges(before, after),
    ...[...before.indexes]
      .filter(([rule]) => !after.indexes.has(rule) && !after.unique.has(rule))
      .map(([, name]) => harmless(`index ${name} is gone`)),
    ...[...after.indexes].filter(([rule]) => !before.indexes.has(rule)).map(([, name]) => harmless(`index ${name}`)),
  ];
  if (before.shape !== after.shape || before.kind !== after.kind)
    changes.push(rewritten('it is a table of another kind, or partitioned in another way'));
  if (before.parents.join() !== after.parents.join()) changes.push(breaking('it inherits from other tables'));
  if (before.rowSecurity !== after.rowSecurity) changes.push(breaking('its row security has been switched'));
  return changes.map(about);
}

function columnChanges(before: Table, after: Table, model: SchemaModel): SchemaChange[] {
  const { breaking, harmless } = schemaChange;
  const added = [...after.columns].filter(([name]) => !before.columns.has(name));
  const changes = [...before.columns].flatMap(([name, column]): SchemaChange[] => {
    const now = after.columns.get(name);
    if (now !== undefined) return columnChange(name, column, now);
    const alike = added.find(([, { type }]) => type === column.type);
    return [breaking(`column ${name} is gone${alike === undefined ? '' : ` (${alike[0]}, of the same type, is new)`}`)];
  });
  for (const [name, column] of added) {
    const isGiven = column.fallback !== null || column.generated !== null || hasOwnDefault(column, model);
    changes.push(
      column.isRequired && !isGiven
        ? breaking(`column ${name} is new, and must be given, which older code does not do`)
        : harmless(`column ${name}`),
    );
  }
  if (!isInOrder(before, after)) changes.push(breaking('its columns stand in another order'));
  return changes;
}

/** New columns stand behind the others, so that code which gives values without names still finds their places. */
function isInOrder(before: Table, after: Table): boolean {
  const columns = [...after.columns.keys()];
  const kept = [...before.columns.keys()].filter((name) => after.columns.has(name));
  // A renamed column is reported as one that is gone and one that is new.
  const places = kept.length < before.columns.size ? columns.filter((name) => before.columns.has(name)) : columns;
  return kept.every((name, at) => name === places[at]);
}

/** A domain may have one. */
function hasOwnDefault({ type }: Column, { others }: SchemaModel): boolean {
  return / DEFAULT /.test(others.get(`DOMAIN ${type}`)?.definition ?? '');
}

function columnChange(name: string, before: Column, after: Column): SchemaChange[] {
  const { breaking, harmless, rewritten } = schemaChange;
  const changes: SchemaChange[] = [];
  const column = `column ${name}`;
  if (before.type !== after.type) {
    const text = `${column} was ${before.type} and is ${after.type}`;
    changes.push(isWider(before.type, after.type) ? harmless(text) : breaking(text));
  }
  if (!before.isRequired && after.isRequired) changes.push(breaking(`${column} must not be NULL any more`));
  if (before.isRequired && !after.isRequired) changes.push(breaking(`${column} may be NULL now`));
  if (before.generated !== after.generated) changes.push(rewritten(`${column} is generated in another way`));
  else if (before.fallback === null && after.fallback !== null) changes.push(harmless(`${column} has a default now`));
  else if (after.fallback === null && before.fallback !== null)
    changes.push(breaking(`${column} has no default any more`));
  else if (before.fallback !== after.fallback) changes.push(rewritten(`${column} has another default`));
  if (before.collation !== after.collation) changes.push(breaking(`${column} has another collation`));
  return changes;
}

/** A text that may only be longer than before: what older code writes fits, and what it reads is of the same kind. */
function isWider(before: string, after: string): boolean {
  const length = (type: string) => {
    if (type === 'text' || type === 'character varying') return Number.POSITIVE_INFINITY;
    const [, digits] = /^character varying\((\d+)\)$/.exec(type) ?? [];
    return digits === undefined ? null : Number(digits);
  };
  const [from, to] = [length(before), length(after)];
  return from !== null && to !== null && to >= from;
}

function constraintChanges(before: Table, after: Table): SchemaChange[] {
  const { breaking, harmless, rewritten } = schemaChange;
  const definitionsBefore = new Set(before.constraints.values());
  const definitionsAfter = new Set(after.constraints.values());
  const changes: SchemaChange[] = [];
  for (const [name, definition] of before.constraints) {
    if (definitionsAfter.has(definition)) continue;
    const now = after.constraints.get(name);
    if (now === undefined) changes.push(breaking(`constraint ${name} is gone`));
    else if (takesMore(definition, now)) changes.push(harmless(`constraint ${name} allows more values`));
    else changes.push(rewritten(`constraint ${name} has changed`));
  }
  for (const [name, definition] of after.constraints) {
    if (definitionsBefore.has(definition) || before.constraints.has(name)) continue;
    changes.push(
      columnsOf(definition).some((column) => before.columns.has(column))
        ? breaking(`constraint ${name} is new, and what older code writes may violate it`)
        : harmless(`constraint ${name}`),
    );
  }
  return changes;
}

/** The names in a constraint, of which some are columns of its own table; those of the other table do not count. */
function columnsOf(definition: string): string[] {
  const reader = new SqlReader(definition);
  return [...namesIn(reader.skip('FOREIGN', 'KEY') ? (reader.group() ?? '') : definition)];
}

/** `IN ('a', 'b')` with a longer list, as pg_dump writes it. */
function takesMore(before: string, after: string): boolean {
  const list = /ARRAY\[(.*?)\]/s;
  const [values, more] = [list.exec(before)?.[1], list.exec(after)?.[1]];
  if (values === undefined || more === undefined) return false;
  const allowed = new Set(listIn(`(${more})`));
  return (
    before.replace(list, '') === after.replace(list, '') && listIn(`(${values})`).every((each) => allowed.has(each))
  );
}

function uniqueChanges(before: Table, after: Table): SchemaChange[] {
  const { breaking, harmless } = schemaChange;
  const gone = [...before.unique.keys()].filter((rule) => !after.unique.has(rule));
  const added = [...after.unique].filter(([rule]) => !before.unique.has(rule));
  return [
    ...gone.map((rule) => breaking(`${rule} need not be unique any more`)),
    ...added.map(([rule, name]) =>
      isKept(rule, before, after)
        ? harmless(`unique index ${name}`)
        : breaking(`${rule} must be unique now, and what older code writes may violate that`),
    ),
  ];
}

/** Whether rows that older code writes cannot violate a new rule. */
function isKept(rule: string, before: Table, after: Table): boolean {
  const columns = namesIn(rule);
  const isStrict = rule.includes(' NULLS NOT DISTINCT');
  const isImplied =
    !isStrict &&
    [...before.unique.keys()].some(
      (earlier) =>
        earlier.endsWith(')') &&
        !/ WHERE /.test(earlier) &&
        keyOf(earlier).every((column) => keyOf(rule).includes(column)),
    );
  if (isImplied) return true;
  if ([...columns].some((name) => before.columns.has(name))) return false;
  // NULLs are all different, and so are numbers of a sequence.
  return [...columns]
    .flatMap((name) => after.columns.get(name) ?? [])
    .some(
      ({ isRequired, fallback, generated }) =>
        generated !== null || /nextval\(|uuid/.test(fallback ?? '') || (fallback === null && !isRequired && !isStrict),
    );
}

function keyOf(rule: string): string[] {
  return listIn(new SqlReader(rule).group() ?? '()').map(bare);
}
