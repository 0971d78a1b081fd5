import { counted, listed } from '../units.ts';
import type { TableCount } from './facts.ts';
import { relationName } from './relation-name.ts';

// What the facts about tables come to, in words for people.

/** What of the content was hashed: `812 tables whole, 3 by one row in 32; 2 not hashed`. */
export function hashedText(tables: readonly TableCount[]): string {
  const whole = tables.filter(({ content }) => content?.oneIn === 1).length;
  const sampled = tables.flatMap(({ content }) => (content === null || content.oneIn === 1 ? [] : [content.oneIn]));
  const not = tables.filter(({ content }) => content === null).length;
  const parts = [
    ...(whole > 0 ? [`${counted(whole, 'table')} whole`] : []),
    ...[...new Set(sampled)].map(
      (oneIn) => `${sampled.filter((each) => each === oneIn).length} by one row in ${oneIn}`,
    ),
  ];
  return [parts.join(', '), ...(not > 0 ? [`${not} not hashed`] : [])].filter((part) => part !== '').join('; ');
}

/** Tables that belong to extensions and whose rows pg_dump leaves out; empty ones lose nothing. */
export function leftOut(tables: readonly TableCount[]): TableCount[] {
  return tables.filter(({ isDumped, rows }) => !isDumped && rows !== 0);
}

/** `1 row in public.q_mail, which belongs to the extension hstore`. */
export function leftOutText(tables: readonly TableCount[]): string {
  const told = leftOut(tables).map(
    (table) =>
      `${table.rows === null ? 'the rows' : counted(table.rows, 'row')} in ${relationName(table)}, which belongs to the extension ${table.extension}`,
  );
  return listed(told, 5);
}
