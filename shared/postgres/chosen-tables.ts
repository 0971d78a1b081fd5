import type { TableCount } from './facts.ts';

/**
 * What a restored database is asked for: the same hashes as the source.
 * @returns a value for psql's `\set chosen`, as facts-tables.sql takes it
 */
export function chosenTables(tables: readonly TableCount[]): string {
  const hashed = tables.flatMap(({ schema, name, content }) =>
    content === null ? [] : [{ schema, name, oneIn: content.oneIn }],
  );
  return `'${JSON.stringify(hashed).replaceAll(/[\\']/g, '\\$&')}'`;
}
