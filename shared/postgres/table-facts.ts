import { counted, listed } from '../units.ts';
import type { TableCount } from './facts.ts';
import { relationName } from './relation-name.ts';

// What the facts about tables come to, in words for people.

/** Whether its content can be compared. Of an empty table there is none; a sample that holds no row of a table says nothing. */
export function isHashed({ content, rows }: TableCount): boolean {
  return rows === 0 || (content !== null && content.rows > 0);
}

/** What of the content was hashed: `812 tables whole, 3 by a sample of 81,203 rows in all; 2 not hashed`. */
export function hashedText(tables: readonly TableCount[]): string {
  const hashed = tables.filter(isHashed);
  const whole = hashed.filter(({ content }) => content === null || content.oneIn === 1).length;
  const sampled = hashed.length - whole;
  const rows = hashed.reduce(
    (sum, { content }) => sum + (content === null || content.oneIn === 1 ? 0 : content.rows),
    0,
  );
  const not = tables.length - hashed.length;
  const parts = [
    ...(whole > 0 ? [`${counted(whole, 'table')} whole`] : []),
    ...(sampled > 0 ? [`${sampled} by a sample of ${counted(rows, 'row')} in all`] : []),
  ];
  return [parts.join(', '), ...(not > 0 ? [`${not} not hashed`] : [])].filter((part) => part !== '').join('; ');
}

/** Tables whose rows pg_dump leaves out, as they belong to extensions or stand in a schema of PostgreSQL's own; empty ones lose nothing. */
export function leftOut(tables: readonly TableCount[]): TableCount[] {
  return tables.filter(({ isDumped, rows }) => !isDumped && rows !== 0);
}

/** Why pg_dump leaves something out. @param extension that it belongs to; null or empty if it only stands where nobody else's things are */
export const whyLeftOut = (extension: string | null): string =>
  extension === null || extension === ''
    ? "which stands in a schema of PostgreSQL's own"
    : `which belongs to the extension ${extension}`;

/** `1 row in public.q_mail, which belongs to the extension hstore`. */
export function leftOutText(tables: readonly TableCount[]): string {
  const told = leftOut(tables).map(
    (table) =>
      `${table.rows === null ? 'the rows' : counted(table.rows, 'row')} in ${relationName(table)}, ${whyLeftOut(table.extension)}`,
  );
  return listed(told, 5);
}
