// SQL as PostgreSQL's lexer reads it (documentation 4.1), with standard_conforming_strings on.

/** `name` is one in double quotes, `text` a literal. */
export interface Lexeme {
  kind: 'blank' | 'comment' | 'word' | 'name' | 'text' | 'sign';
  end: number;
}

const blank = /[ \t\n\r\f\v]+/y;
const word = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
/** The tag of a dollar quote is an identifier: at most 63 bytes. */
const dollar = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]{0,62})?\$/y;

/**
 * What begins at this place, and where it ends.
 * @throws RangeError whose message continues "it …": for an unclosed quote or comment
 */
export function lexemeAt(sql: string, at: number): Lexeme {
  const begin = sql[at] ?? '';
  switch (begin) {
    case "'":
      return { kind: 'text', end: endOfQuote(sql, at) };
    case '"':
      return { kind: 'name', end: endOfQuote(sql, at) };
    case '-':
      if (sql[at + 1] === '-') return { kind: 'comment', end: endOfLine(sql, at) };
      break;
    case '/':
      if (sql[at + 1] === '*') return { kind: 'comment', end: endOfComment(sql, at) };
      break;
    case '$': {
      const tag = matched(dollar, sql, at);
      if (tag !== null) return { kind: 'text', end: after(sql, tag, at + tag.length) };
      break;
    }
    case 'e':
    case 'E':
      if (sql[at + 1] === "'") return { kind: 'text', end: endOfEscaped(sql, at + 2) };
      break;
  }
  const letters = begin > ' ' ? matched(word, sql, at) : null;
  if (letters !== null) return { kind: 'word', end: at + letters.length };
  const spaces = matched(blank, sql, at);
  if (spaces !== null) return { kind: 'blank', end: at + spaces.length };
  return { kind: 'sign', end: at + 1 };
}

function matched(pattern: RegExp, sql: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0] ?? null;
}

/** Two quotes within are one of the text. */
function endOfQuote(sql: string, at: number): number {
  const quote = sql[at] ?? '';
  let end = after(sql, quote, at + 1);
  while (sql[end] === quote) end = after(sql, quote, end + 1);
  return end;
}

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
