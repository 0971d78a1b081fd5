import { lexemeAt } from './lexemes.ts';

/**
 * Splits an SQL text into statements, without semicolons and without pure comments.
 * @throws RangeError whose message continues "it …": for an unclosed quote or comment, or a psql command
 */
export function statementsIn(sql: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let isEmpty = true;
  /** Within parentheses, a semicolon separates the actions of a rule. */
  let depth = 0;
  let at = 0;
  while (at < sql.length) {
    if (sql[at] === ';' && depth === 0) {
      if (!isEmpty) statements.push(sql.slice(start, at).trim());
      at += 1;
      [start, isEmpty] = [at, true];
      continue;
    }
    const { kind, end } = lexemeAt(sql, at);
    if (kind !== 'blank' && kind !== 'comment') {
      if (isEmpty && sql[at] === '\\') throw new RangeError('has a command of psql, such as \\copy');
      isEmpty = false;
    }
    if (sql[at] === '(') depth += 1;
    if (sql[at] === ')' && depth > 0) depth -= 1;
    at = end;
  }
  if (!isEmpty) statements.push(sql.slice(start).trim());
  return statements;
}
