/** The result of a program: keys and values in the order in which they were recorded; a key may come again. */
export class Records {
  readonly entries: readonly (readonly [key: string, value: string])[];

  constructor(entries: readonly (readonly [string, string])[]) {
    this.entries = entries;
  }

  /** @param bytes key NUL value NUL, any number of times; text that is not UTF-8 is read with replacement characters */
  static parse(bytes: Buffer): Records {
    const fields = bytes.toString('utf8').split('\0');
    const entries: [string, string][] = [];
    for (let at = 0; at + 1 < fields.length; at += 2) entries.push([fields[at] ?? '', fields[at + 1] ?? '']);
    return new Records(entries);
  }

  /** The first value, or undefined where there is none. */
  find(key: string): string | undefined {
    return this.entries.find(([name]) => name === key)?.[1];
  }

  /** The first value. @throws Error where the program did not record it: a defect of ours */
  get(key: string): string {
    const value = this.find(key);
    if (value === undefined) throw new Error(`The host did not report "${key}"`);
    return value;
  }

  /** @throws Error where the value is no whole number */
  integer(key: string): number {
    const value = this.get(key);
    if (!/^-?\d+$/.test(value)) throw new Error(`The host reported "${value}" as "${key}", which is no whole number`);
    return Number(value);
  }

  all(key: string): string[] {
    return this.entries.filter(([name]) => name === key).map(([, value]) => value);
  }
}
