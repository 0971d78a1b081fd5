/**
 * Splits an SQL text into statements, without semicolons and without pure comments. Reads quotes, dollar quotes and
 * comments as PostgreSQL's lexer does (documentation 4.1), with standard_conforming_strings on.
 * @throws RangeError whose message continues "it …": for an unclosed quote or comment, or a psql command
 */
export function statementsIn(sql: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let isEmpty = true;
  let at = 0;
  while (at < sql.length) {
    const rest = sql.slice(at, at + longestOpening);
    if (sql[at] === ';') {
      if (!isEmpty) statements.push(sql.slice(start, at).trim());
      at += 1;
      [start, isEmpty] = [at, true];
    } else if (rest.startsWith('--')) at = endOfLine(sql, at);
    else if (rest.startsWith('/*')) at = endOfComment(sql, at);
    else if (/^\s/.test(rest)) at += 1;
    else {
      if (isEmpty && sql[at] === '\\') throw new RangeError('has a command of psql, such as \\copy');
      isEmpty = false;
      at = endOfToken(sql, at, rest);
    }
  }
  if (!isEmpty) statements.push(sql.slice(start).trim());
  return statements;
}

/** The tag of a dollar quote is an identifier: at most 63 bytes. */
const longestOpening = 70;

function endOfToken(sql: string, at: number, rest: string): number {
  const dollar = /^\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/.exec(rest)?.[0];
  if (dollar !== undefined) return after(sql, dollar, at + dollar.length);
  const word = /^[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/.exec(rest)?.[0];
  if (/^[eE]'/.test(rest)) return endOfEscaped(sql, at + 2);
  if (word !== undefined) return at + word.length;
  if (rest.startsWith("'")) return after(sql, "'", at + 1);
  if (rest.startsWith('"')) return after(sql, '"', at + 1);
  return at + 1;
}

/** A doubled quote is read as the end of one string and the begin of another; the result is the same. */
function after(sql: string, closing: string, from: number): number {
  const end = sql.indexOf(closing, from);
  if (end < 0) throw new RangeError(`has a quote (${closing}) that does not end`);
  return end + closing.length;
}

function endOfEscaped(sql: string, from: number): number {
  for (let at = from; at < sql.length; at += 1) {
    if (sql[at] === '\\') at += 1;
    else if (sql[at] === "'") return at + 1;
  }
  throw new RangeError("has a quote (E') that does not end");
}

function endOfLine(sql: string, from: number): number {
  const end = sql.indexOf('\n', from);
  return end < 0 ? sql.length : end + 1;
}

/** They nest. */
function endOfComment(sql: string, from: number): number {
  let depth = 0;
  for (let at = from; at < sql.length; at += 1) {
    if (sql.startsWith('/*', at)) [depth, at] = [depth + 1, at + 1];
    else if (sql.startsWith('*/', at)) {
      [depth, at] = [depth - 1, at + 1];
      if (depth === 0) return at + 1;
    }
  }
  throw new RangeError('has a comment (/*) that does not end');
}
