/** What names a table or a sequence. */
export interface RelationName {
  schema: string;
  name: string;
}

/** As PostgreSQL shows it, quoted where necessary: two relations never have the same. */
export function relationName({ schema, name }: RelationName): string {
  const shown = (part: string) => (/^[a-z_][a-z0-9_$]*$/.test(part) ? part : identifier(part));
  return `${shown(schema)}.${shown(name)}`;
}

/** A name in SQL, whatever it holds. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
