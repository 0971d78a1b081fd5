/** The result of a program: keys and values in the order in which they were recorded. A key may occur several times. */
export class Records {
  readonly entries: readonly (readonly [key: string, value: string])[];
  readonly #values = new Map<string, string[]>();

  constructor(entries: readonly (readonly [string, string])[]) {
    this.entries = entries;
    for (const [key, value] of entries) {
      const values = this.#values.get(key);
      if (values === undefined) this.#values.set(key, [value]);
      else values.push(value);
    }
  }

  /** @param bytes key NUL value NUL, any number of times; text that is not UTF-8 is read with replacement characters */
  static parse(bytes: Buffer): Records {
    const entries: [string, string][] = [];
    for (let at = 0; ; ) {
      const keyEnd = bytes.indexOf(0, at);
      const end = keyEnd < 0 ? -1 : bytes.indexOf(0, keyEnd + 1);
      if (end < 0) return new Records(entries);
      entries.push([bytes.toString('utf8', at, keyEnd), bytes.toString('utf8', keyEnd + 1, end)]);
      at = end + 1;
    }
  }

  /** The first value, or undefined if there is none. */
  find(key: string): string | undefined {
    return this.#values.get(key)?.[0];
  }

  /** The first value. @throws Error if the program did not record it: a bug of ours */
  get(key: string): string {
    const value = this.find(key);
    if (value === undefined) throw new Error(`The host did not report "${key}"`);
    return value;
  }

  /** @throws Error if the value is not a whole number */
  integer(key: string): number {
    const value = this.get(key);
    if (!/^-?\d+$/.test(value))
      throw new Error(`The host reported "${value}" as "${key}", which is not a whole number`);
    return Number(value);
  }

  /** All values, in the order in which they were recorded. */
  all(key: string): string[] {
    return [...(this.#values.get(key) ?? [])];
  }

  /** The lines of the first value, without empty ones. */
  lines(key: string): string[] {
    return (this.find(key) ?? '').split('\n').filter((line) => line !== '');
  }
}
