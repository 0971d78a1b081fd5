// The expressions of workflows, as far as our examples use them. What is not known here fails, as a typing error should.

export type Value = string | number | boolean | null | { [name: string]: Value };

/** What the job has come to so far: for `success()` and the like. */
export interface JobState {
  failed: boolean;
  cancelled: boolean;
}

export interface Scope {
  contexts: { [name: string]: Value };
  state: JobState;
}

const token =
  /\s*(?:(?<text>'(?:[^']|'')*')|(?<number>\d+)|(?<name>[A-Za-z_][\w-]*)|(?<mark>\|\||&&|==|!=|[!()[\].]))/y;

/** The text with every `${{ … }}` in it evaluated. */
export function filled(text: string, scope: Scope): string {
  return text.replace(/\$\{\{([\s\S]*?)\}\}/g, (_, expression: string) => asText(evaluate(expression, scope)));
}

/** What an `if` comes to: with or without braces; `success()` holds where no other function of the state is named. */
export function holds(condition: unknown, scope: Scope): boolean {
  if (condition === undefined) return !scope.state.failed && !scope.state.cancelled;
  const [, inner] = /^\s*\$\{\{([\s\S]*)\}\}\s*$/.exec(String(condition)) ?? [];
  const expression = inner ?? String(condition);
  if (expression.includes('${{')) throw new Error(`An "if" in parts is always true: ${expression}`);
  const asksState = /\b(?:success|failure|always|cancelled)\(\)/.test(expression);
  const value = isTrue(evaluate(expression, scope));
  return asksState ? value : value && !scope.state.failed && !scope.state.cancelled;
}

export function evaluate(expression: string, scope: Scope): Value {
  const parser = new Parser(expression, scope);
  return parser.whole();
}

class Parser {
  readonly #text: string;
  readonly #scope: Scope;
  #at = 0;

  constructor(text: string, scope: Scope) {
    this.#text = text;
    this.#scope = scope;
  }

  whole(): Value {
    const value = this.#or();
    if (this.#text.slice(this.#at).trim() !== '') this.#fail();
    return value;
  }

  #or(): Value {
    let value = this.#and();
    while (this.#takes('||')) {
      const other = this.#and();
      value = isTrue(value) ? value : other;
    }
    return value;
  }

  #and(): Value {
    let value = this.#comparison();
    while (this.#takes('&&')) {
      const other = this.#comparison();
      value = isTrue(value) ? other : value;
    }
    return value;
  }

  #comparison(): Value {
    const value = this.#not();
    if (this.#takes('==')) return isSame(value, this.#not());
    if (this.#takes('!=')) return !isSame(value, this.#not());
    return value;
  }

  #not(): Value {
    if (this.#takes('!')) return !isTrue(this.#not());
    return this.#access();
  }

  #access(): Value {
    const [value, path] = this.#primary();
    let [seen, where] = [value, path];
    for (;;) {
      let key: string;
      if (this.#takes('.')) key = this.#next('name');
      else if (this.#takes('[')) {
        key = asText(this.#or());
        this.#demand(']');
      } else return seen;
      [seen, where] = [this.#property(seen, key, where), `${where}.${key}`];
    }
  }

  /** On GitHub, what is not there is empty; here, it is a mistake of the workflow. */
  #property(value: Value, key: string, where: string): Value {
    if (value === null || typeof value !== 'object') throw new Error(`${where} has no "${key}": ${this.#text}`);
    // Outputs of a step may be missing where the step was skipped.
    const found = value[key];
    if (found === undefined) throw new Error(`There is no ${where}.${key}: ${this.#text}`);
    return found;
  }

  #primary(): [Value, string] {
    if (this.#takes('(')) {
      const value = this.#or();
      this.#demand(')');
      return [value, '()'];
    }
    const { text, number, name } = this.#peek();
    if (text !== undefined) return [this.#advance(text.slice(1, -1).replaceAll("''", "'")), text];
    if (number !== undefined) return [this.#advance(Number(number)), number];
    if (name === undefined) return this.#fail();
    this.#advance(null);
    const literals: Record<string, Value> = { true: true, false: false, null: null };
    if (name in literals) return [literals[name] ?? null, name];
    if (this.#takes('(')) {
      this.#demand(')');
      return [this.#call(name), name];
    }
    const context = this.#scope.contexts[name];
    if (context === undefined) throw new Error(`There is no context "${name}": ${this.#text}`);
    return [context, name];
  }

  #call(name: string): boolean {
    const { failed, cancelled } = this.#scope.state;
    const functions: Record<string, boolean> = {
      success: !failed && !cancelled,
      failure: failed && !cancelled,
      always: true,
      cancelled,
    };
    return functions[name] ?? this.#fail();
  }

  #peek(): Record<string, string | undefined> {
    token.lastIndex = this.#at;
    return token.exec(this.#text)?.groups ?? {};
  }

  #advance<T>(value: T): T {
    token.lastIndex = this.#at;
    token.exec(this.#text);
    this.#at = token.lastIndex;
    return value;
  }

  #takes(mark: string): boolean {
    if (this.#peek()['mark'] !== mark) return false;
    return this.#advance(true);
  }

  #demand(mark: string): void {
    if (!this.#takes(mark)) this.#fail();
  }

  #next(kind: string): string {
    const value = this.#peek()[kind];
    return value === undefined ? this.#fail() : this.#advance(value);
  }

  #fail(): never {
    throw new Error(`Cannot read the expression at "${this.#text.slice(this.#at)}": ${this.#text}`);
  }
}

function asText(value: Value): string {
  if (value !== null && typeof value === 'object') throw new Error('A context is no text');
  return value === null ? '' : String(value);
}

function isTrue(value: Value): boolean {
  return value !== null && value !== false && value !== 0 && value !== '';
}

/** GitHub compares texts without regard to case. */
function isSame(one: Value, other: Value): boolean {
  if (typeof one === 'string' && typeof other === 'string') return one.toLowerCase() === other.toLowerCase();
  if (typeof one === typeof other) return one === other;
  throw new Error(`GitHub would turn ${JSON.stringify(one)} and ${JSON.stringify(other)} into numbers to compare them`);
}
