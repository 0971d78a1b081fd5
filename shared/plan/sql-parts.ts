import { type Lexeme, lexemeAt } from '../postgres/lexemes.ts';

/** A piece of a statement; what stands in parentheses is one. */
export interface SqlPart {
  kind: Lexeme['kind'] | 'group';
  text: string;
  start: number;
  end: number;
}

/** The pieces of a statement, without blanks and comments. @throws RangeError as `lexemeAt` */
export function partsOf(sql: string): SqlPart[] {
  const parts: SqlPart[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < sql.length; ) {
    const { kind, end } = lexemeAt(sql, at);
    const sign = kind === 'sign' ? sql[at] : '';
    if (sign === '(' && depth++ === 0) start = at;
    if (depth === 0 && kind !== 'blank' && kind !== 'comment')
      parts.push({ kind, text: sql.slice(at, end), start: at, end });
    if (sign === ')' && depth > 0 && --depth === 0)
      parts.push({ kind: 'group', text: sql.slice(start, end), start, end });
    at = end;
  }
  if (depth > 0) throw new RangeError('has a parenthesis that does not end');
  return parts;
}

/** What stands between the commas in a group. */
export function listIn(group: string): string[] {
  const inner = group.slice(1, -1);
  const items: string[] = [];
  let start = 0;
  for (const { kind, text, end } of partsOf(inner)) {
    if (kind !== 'sign' || text !== ',') continue;
    items.push(inner.slice(start, end - 1).trim());
    start = end;
  }
  const last = inner.slice(start).trim();
  return last === '' ? items : [...items, last];
}

/** Every name that a text mentions, without its quotes, also within parentheses. */
export function namesIn(sql: string): Set<string> {
  const names = new Set<string>();
  for (let at = 0; at < sql.length; ) {
    const { kind, end } = lexemeAt(sql, at);
    if (kind === 'word' || kind === 'name') names.add(bare(sql.slice(at, end)));
    at = end;
  }
  return names;
}

/** A name without its quotes. */
export function bare(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

/** Reads a statement from its beginning to its end. */
export class SqlReader {
  readonly #sql: string;
  readonly #parts: SqlPart[];
  #at = 0;

  constructor(sql: string) {
    this.#sql = sql;
    this.#parts = partsOf(sql);
  }

  /** Goes on behind these words if they come next. */
  skip(...words: string[]): boolean {
    if (!words.every((word, index) => this.#parts[this.#at + index]?.text === word)) return false;
    this.#at += words.length;
    return true;
  }

  /** Goes on behind the first of these words. */
  skipTo(...words: string[]): boolean {
    const found = this.#parts.findIndex(({ text }, index) => index >= this.#at && words.includes(text));
    if (found < 0) return false;
    this.#at = found + 1;
    return true;
  }

  /** The next piece; null at the end. */
  next(): SqlPart | null {
    return this.#parts[this.#at++] ?? null;
  }

  peek(): string {
    return this.#parts[this.#at]?.text ?? '';
  }

  /** A name as it is written, with its schema: `public."Order"`. Empty if none comes next. */
  name(): string {
    const first = this.#parts[this.#at];
    if (first === undefined || (first.kind !== 'word' && first.kind !== 'name')) return '';
    this.#at += 1;
    return this.peek() === '.' ? `${first.text}${this.next()?.text}${this.name()}` : first.text;
  }

  /** The next group, wherever it stands; null if there is none. */
  group(): string | null {
    const found = this.#parts.findIndex(({ kind }, index) => index >= this.#at && kind === 'group');
    if (found < 0) return null;
    this.#at = found + 1;
    return this.#parts[found]?.text ?? null;
  }

  /** The text from here up to the first of these words, or to the end. */
  until(...words: string[]): string {
    const from = this.#parts[this.#at]?.start ?? this.#sql.length;
    while (this.#at < this.#parts.length && !words.includes(this.peek())) this.#at += 1;
    const to = this.#parts[this.#at]?.start ?? this.#sql.length;
    return this.#sql.slice(from, to).trim();
  }
}
