/** What names a table or a sequence. */
export interface RelationName {
  schema: string;
  name: string;
}

/** As PostgreSQL writes it, quoted where necessary: two relations never have the same. */
export function relationName({ schema, name }: RelationName): string {
  return `${identifier(schema)}.${identifier(name)}`;
}

/** A name as SQL takes it, quoted where necessary. */
export function identifier(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
