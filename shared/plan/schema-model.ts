import { type SchemaObject, schemaObjects } from './schema-objects.ts';
import { SchemaRights } from './schema-rights.ts';
import { addConstraint, readIndex, readTable, type Table } from './schema-table.ts';
import { bare, SqlReader } from './sql-parts.ts';

/** A schema as far as an application notices it. */
export interface SchemaModel {
  /** By name as pg_dump writes it. */
  tables: Map<string, Table>;
  /** The values of enums, in their order, by name. */
  enums: Map<string, string[]>;
  /** Everything else. */
  others: Map<string, OtherObject>;
  rights: SchemaRights;
}

export interface OtherObject {
  type: string;
  /** `public.total(integer)`; of a trigger, rule or policy also its table. */
  name: string;
  definition: string;
  /** Of a trigger, rule or policy; null for what stands alone. */
  table: string | null;
}

/** Nothing that code notices: for people, the planner, copies, or objects that do not exist yet. */
const unnoticed: ReadonlySet<string> = new Set([
  'COMMENT',
  'SECURITY LABEL',
  'STATISTICS',
  'DEFAULT ACL',
  'SEQUENCE OWNED BY',
  'INDEX ATTACH',
  'PUBLICATION',
  'PUBLICATION TABLE',
  'PUBLICATION TABLES IN SCHEMA',
  'SUBSCRIPTION',
]);

/** Reads a schema dump. @throws RangeError whose message continues "it …" */
export function schemaModel(dump: string): SchemaModel {
  const model: SchemaModel = { tables: new Map(), enums: new Map(), others: new Map(), rights: new SchemaRights() };
  for (const object of schemaObjects(dump)) if (!unnoticed.has(object.type)) add(model, object);
  return model;
}

function add(model: SchemaModel, object: SchemaObject): void {
  // A statement that only sets the owner or grants, or how rows are stored, defines nothing.
  const statements = object.statements.filter((statement) => !model.rights.read(statement) && !isPhysical(statement));
  const [first] = statements;
  if (first === undefined) {
    if (object.type === 'SCHEMA' || object.type === 'EXTENSION') addOther(model, object, '', null);
    return;
  }
  switch (object.type) {
    case 'TABLE':
    case 'FOREIGN TABLE': {
      const table = readTable(first);
      if (table === null) break;
      model.tables.set(table.name, table);
      for (const statement of statements.slice(1)) alterTable(model, statement);
      return;
    }
    case 'TABLE ATTACH':
    case 'DEFAULT':
    case 'CONSTRAINT':
    case 'CHECK CONSTRAINT':
    case 'FK CONSTRAINT':
    case 'SEQUENCE':
    case 'ROW SECURITY':
      if (statements.every((statement) => alterTable(model, statement))) return;
      break;
    case 'INDEX': {
      const index = readIndex(first);
      const table = model.tables.get(index?.table ?? '');
      if (index !== null && table !== undefined) {
        index.addTo(table);
        return;
      }
      break;
    }
    case 'TYPE': {
      const values = enumValues(first);
      if (values === null) break;
      model.enums.set(nameOf(object), values);
      return;
    }
  }
  addOther(model, object, statements.join(';\n'), tableOf(object, first));
}

function addOther(model: SchemaModel, object: SchemaObject, definition: string, table: string | null): void {
  const { type } = object;
  const name = nameOf(object);
  model.others.set(`${type} ${name}`, { type, name, definition: steady(type, definition), table });
}

function nameOf({ schema, name }: SchemaObject): string {
  return schema === '-' ? name : `${schema}.${name}`;
}

/** Where a sequence starts anew says nothing of the numbers that it gives, nor does how many a session takes at a time. */
function steady(type: string, definition: string): string {
  if (type !== 'SEQUENCE') return definition;
  return definition
    .replace(/^CREATE UNLOGGED /, 'CREATE ')
    .replace(/^ *(START WITH|CACHE) .*\n?/gm, '')
    .trim();
}

function isPhysical(statement: string): boolean {
  return (
    /^ALTER TABLE ONLY .* (REPLICA IDENTITY|ALTER COLUMN .* SET (STORAGE|STATISTICS|COMPRESSION|\())/s.test(
      statement,
    ) || /^ALTER (TABLE|INDEX|MATERIALIZED VIEW) .* (CLUSTER ON |ALTER COLUMN \d+ SET STATISTICS )/s.test(statement)
  );
}

/** Takes what ALTER TABLE does into the table. False if it is another statement, or about no table. */
function alterTable({ tables }: SchemaModel, statement: string): boolean {
  const reader = new SqlReader(statement);
  if (!reader.skip('ALTER') || !(reader.skip('FOREIGN', 'TABLE') || reader.skip('TABLE'))) return false;
  reader.skip('ONLY');
  const name = reader.name();
  const table = tables.get(name);
  if (table === undefined) return false;
  if (reader.skip('ADD', 'CONSTRAINT')) addConstraint(table, bare(reader.name()), reader.until());
  else if (reader.skip('ATTACH', 'PARTITION')) {
    const partition = tables.get(reader.name());
    partition?.parents.push(name);
    if (partition !== undefined) partition.isPartition = true;
  } else if (reader.skip('ALTER', 'COLUMN')) alterColumn(table, reader);
  else if (/ ROW LEVEL SECURITY$/.test(statement)) table.rowSecurity = `${table.rowSecurity} ${reader.until()}`.trim();
  else table.shape = `${table.shape} ${reader.until()}`.trim();
  return true;
}

function alterColumn({ columns }: Table, reader: SqlReader): void {
  const column = columns.get(bare(reader.name()));
  if (column === undefined) return;
  if (reader.skip('SET', 'DEFAULT')) column.fallback = reader.until();
  else if (reader.skip('SET', 'NOT', 'NULL')) column.isRequired = true;
  else if (reader.skip('ADD', 'GENERATED')) {
    const when = reader.until('AS');
    const sequence = steady('SEQUENCE', reader.group()?.slice(1, -1) ?? '');
    column.generated = `${when} AS IDENTITY (${sequence})`;
  }
}

function enumValues(statement: string): string[] | null {
  const reader = new SqlReader(statement);
  reader.skip('CREATE', 'TYPE');
  reader.name();
  if (!reader.skip('AS', 'ENUM')) return null;
  const values = reader.group() ?? '()';
  return Array.from(values.matchAll(/'((?:[^']|'')*)'/g), ([, value = '']) => value.replaceAll("''", "'"));
}

/**
 * Whether a table is one part of another: a partition, or one that inherits all of its columns. Such parts come and go with time, and
 * code speaks of the whole.
 */
export function isPart({ tables }: SchemaModel, { parents, isPartition, columns }: Table): boolean {
  const wholes = parents.flatMap((name) => tables.get(name) ?? []);
  return (
    wholes.length > 0 &&
    (isPartition || [...columns.keys()].every((column) => wholes.some((whole) => whole.columns.has(column))))
  );
}

/** The table of a trigger, a rule or a policy. */
function tableOf({ type }: SchemaObject, statement: string): string | null {
  if (!['TRIGGER', 'RULE', 'POLICY', 'INDEX'].includes(type)) return null;
  const reader = new SqlReader(statement);
  if (!reader.skipTo(type === 'RULE' ? 'TO' : 'ON')) return null;
  return reader.name();
}
