import { bare, listIn, SqlReader } from './sql-parts.ts';

export interface Column {
  type: string;
  isRequired: boolean;
  /** The expression; null if there is none. */
  fallback: string | null;
  /** `GENERATED ALWAYS AS (…) STORED`, or the kind of identity; null if it is an ordinary column. */
  generated: string | null;
  collation: string | null;
}

export interface Table {
  name: string;
  /** `FOREIGN`, or empty. */
  kind: string;
  /** By name without quotes, in their order. */
  columns: Map<string, Column>;
  /** Definitions of CHECK, EXCLUDE and foreign keys, by name. */
  constraints: Map<string, string>;
  /** What must be unique, whether by a primary key, a constraint or an index; the name by the rule. */
  unique: Map<string, string>;
  /** Other indexes: the name by the definition. */
  indexes: Map<string, string>;
  /** From which it inherits, or of which it is a partition. */
  parents: string[];
  isPartition: boolean;
  /** `PARTITION BY …`, or what a foreign table is of. */
  shape: string;
  /** `ENABLE ROW LEVEL SECURITY`; empty if it is off. */
  rowSecurity: string;
}

/** Reads CREATE TABLE; null if it is another statement. */
export function readTable(statement: string): Table | null {
  const reader = new SqlReader(statement);
  if (!reader.skip('CREATE')) return null;
  reader.skip('UNLOGGED');
  const kind = reader.skip('FOREIGN') ? 'FOREIGN' : '';
  if (!reader.skip('TABLE')) return null;
  const table: Table = {
    name: reader.name(),
    kind,
    columns: new Map(),
    constraints: new Map(),
    unique: new Map(),
    indexes: new Map(),
    parents: [],
    isPartition: false,
    shape: '',
    rowSecurity: '',
  };
  if (reader.skip('PARTITION', 'OF')) {
    table.parents.push(reader.name());
    table.isPartition = true;
  } else if (reader.skip('OF')) table.shape = `OF ${reader.name()}`;
  for (const item of listIn(reader.group() ?? '()')) readItem(table, item);
  if (reader.skip('INHERITS')) table.parents.push(...listIn(reader.group() ?? '()'));
  if (reader.skip('PARTITION', 'BY')) table.shape = `PARTITION BY ${reader.until('USING', 'WITH', 'TABLESPACE')}`;
  else if (kind !== '' && reader.skip('SERVER')) table.shape = `SERVER ${reader.until()}`;
  return table;
}

function readItem(table: Table, item: string): void {
  const reader = new SqlReader(item);
  if (reader.skip('CONSTRAINT')) {
    const name = bare(reader.name());
    addConstraint(table, name, reader.until());
  } else if (reader.peek() === 'CHECK') {
    addConstraint(table, item, item);
  } else {
    const name = bare(reader.name());
    table.columns.set(name, readColumn(reader));
  }
}

const columnWords = ['DEFAULT', 'NOT', 'NULL', 'COLLATE', 'GENERATED', 'CONSTRAINT', 'OPTIONS', 'WITH'];

function readColumn(reader: SqlReader): Column {
  // `timestamp with time zone` has its words in small letters.
  const column: Column = {
    type: reader.until(...columnWords),
    isRequired: false,
    fallback: null,
    generated: null,
    collation: null,
  };
  for (let part = reader.next(); part !== null; part = reader.next()) {
    if (part.text === 'DEFAULT') column.fallback = reader.until(...columnWords);
    else if (part.text === 'COLLATE') column.collation = reader.until(...columnWords);
    else if (part.text === 'GENERATED') column.generated = reader.until('NOT', 'COLLATE', 'CONSTRAINT');
    else if (part.text === 'NOT' && reader.peek() === 'NULL') column.isRequired = true;
    // From version 18 on, NOT NULL has a name.
    else if (part.text === 'CONSTRAINT') reader.name();
  }
  return column;
}

/** A constraint as pg_dump writes it behind its name. */
export function addConstraint(table: Table, name: string, definition: string): void {
  const reader = new SqlReader(definition);
  const isPrimary = reader.skip('PRIMARY', 'KEY');
  if (isPrimary || reader.skip('UNIQUE')) {
    const isStrict = reader.skip('NULLS', 'NOT', 'DISTINCT');
    const columns = reader.group() ?? '';
    table.unique.set(uniqueRule(columns, isStrict, reader.skipTo('DEFERRABLE') ? 'DEFERRABLE' : ''), name);
    return;
  }
  // Whether old rows were looked at says nothing of new ones.
  table.constraints.set(name, definition.replace(/ NOT VALID$/, ''));
}

/** CREATE INDEX, with the name of its table; null if it is another statement. */
export function readIndex(statement: string): { table: string; addTo: (table: Table) => void } | null {
  const reader = new SqlReader(statement);
  if (!reader.skip('CREATE')) return null;
  const isUnique = reader.skip('UNIQUE');
  if (!reader.skip('INDEX')) return null;
  const name = bare(reader.name());
  reader.skip('ON');
  reader.skip('ONLY');
  const table = reader.name();
  reader.skip('USING');
  const method = reader.name();
  const columns = reader.group() ?? '';
  if (reader.skip('INCLUDE')) reader.group();
  const isStrict = reader.skip('NULLS', 'NOT', 'DISTINCT');
  const condition = reader.skipTo('WHERE') ? `WHERE ${reader.until()}` : '';
  return {
    table,
    addTo({ unique, indexes }) {
      if (isUnique) unique.set(uniqueRule(columns, isStrict, condition), name);
      else indexes.set(`${method} ${columns} ${condition}`, name);
    },
  };
}

function uniqueRule(columns: string, isStrict: boolean, rest: string): string {
  return `${columns}${isStrict ? ' NULLS NOT DISTINCT' : ''}${rest === '' ? '' : ` ${rest}`}`;
}
