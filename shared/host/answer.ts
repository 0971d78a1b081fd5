import { Records } from './records.ts';

/** Limit for a whole answer, in bytes. */
export const largestAnswer = 64 * 1024 * 1024;
/** A database of 30,000 tables needs as many records; 1,000 sets of 8 files in 4 folders need 36,000. */
export const mostRecords = 200_000;

export type Verdict = 'done' | 'failed';
/** Which limit an answer exceeds. */
export type Excess = 'bytes' | 'records';

/**
 * The answer of a program on standard output: records within a frame. Reads pieces of any size as they arrive, and keeps
 * them in one buffer, which never grows beyond the largest answer allowed.
 */
export class Answer {
  /** How the program ended, as it says itself. Anything after that is ignored. */
  verdict: Verdict | undefined;
  readonly #begin: Buffer;
  readonly #ends: readonly (readonly [Verdict, Buffer])[];
  #bytes = Buffer.alloc(0);
  #length = 0;
  /** Where the records begin; the user's start files may have printed something before that. */
  #first: number | undefined;
  #last = 0;
  #fields = 0;

  constructor(nonce: string) {
    this.#begin = Buffer.from(`begin ${nonce}\n`);
    this.#ends = [
      ['done', Buffer.from(`done ${nonce}\n`)],
      ['failed', Buffer.from(`failed ${nonce}\n`)],
    ];
  }

  get begun(): boolean {
    return this.#first !== undefined;
  }

  /** @returns the limit that is exceeded now, if any; then nothing more may be added */
  add(piece: Buffer): Excess | undefined {
    if (this.verdict !== undefined) return undefined;
    if (this.#length + piece.length > largestAnswer) return 'bytes';
    const known = this.#length;
    this.#append(piece);
    if (this.#first === undefined) {
      const at = this.#find(this.#begin, known);
      if (at < 0) return undefined;
      this.#first = at + this.#begin.length;
    }
    const from = Math.max(known, this.#first);
    this.#countFields(from);
    if (this.#fields > 2 * mostRecords) return 'records';
    for (const [verdict, end] of this.#ends) {
      const at = this.#find(end, known, this.#first);
      if (at < 0) continue;
      this.verdict = verdict;
      this.#last = at;
      break;
    }
    return undefined;
  }

  /** Only after there is a verdict. */
  records(): Records {
    return Records.parse(this.#bytes.subarray(this.#first, this.#last));
  }

  #append(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.min(largestAnswer, Math.max(2 * this.#bytes.length, length)));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    piece.copy(this.#bytes, this.#length);
    this.#length = length;
  }

  /** Looks for a mark that ends after `known`; it may begin before. */
  #find(mark: Buffer, known: number, first = 0): number {
    const from = Math.max(first, known - mark.length + 1);
    const at = this.#bytes.subarray(from, this.#length).indexOf(mark);
    return at < 0 ? -1 : from + at;
  }

  #countFields(from: number): void {
    const news = this.#bytes.subarray(from, this.#length);
    for (let at = news.indexOf(0); at >= 0; at = news.indexOf(0, at + 1)) this.#fields += 1;
  }
}
