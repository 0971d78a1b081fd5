import type { IncomingFiles } from './incoming-files.ts';
import { Records } from './records.ts';

/** Limit for a whole answer, in bytes. */
export const largestAnswer = 64 * 1024 * 1024;
/** A database of 30,000 tables needs as many records; 1,000 sets of 8 files in 4 folders need 36,000. */
export const mostRecords = 200_000;

export type Verdict = 'done' | 'failed';
/** Which limit an answer exceeds. */
export type Excess = 'bytes' | 'records';

/** A line in front of the bytes of a file: how many there are, and its bare name. */
const fileHeader = /^(\d{1,15}) ([A-Za-z0-9_.-]{1,200})$/;
const longestHeader = 220;

/**
 * The answer of a program on standard output: records within a frame. Reads pieces of any size as they arrive, and keeps
 * them in one buffer, which never grows beyond the largest answer allowed. Files between the records are passed on as they come.
 */
export class Answer {
  /** How the program ended, as it says itself. Anything after that is only counted. */
  verdict: Verdict | undefined;
  readonly #begin: Buffer;
  readonly #ends: readonly (readonly [Verdict, Buffer])[];
  #bytes = Buffer.alloc(0);
  #length = 0;
  /** Where the records begin; the user's start files may have printed something before that. */
  #first: number | undefined;
  #last = 0;
  #fields = 0;
  readonly #file: Buffer;
  readonly #files: IncomingFiles | undefined;
  /** Where the header of a file begins that is not here in full. */
  #header: number | undefined;
  /** Bytes of the file that are still to come. */
  #fileBytes = 0;

  /** @param files gets the files of the answer; undefined if the program sends none */
  constructor(nonce: string, files?: IncomingFiles) {
    this.#files = files;
    this.#file = Buffer.from(`file ${nonce} `);
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
    if (this.verdict !== undefined) {
      this.#length += piece.length;
      return this.#length > largestAnswer ? 'bytes' : undefined;
    }
    if (this.#fileBytes > 0) return this.#addToFile(piece);
    if (this.#length + piece.length > largestAnswer) return 'bytes';
    const known = this.#length;
    this.#append(piece);
    if (this.#first === undefined) {
      const at = this.#find(this.#begin, known);
      if (at < 0) return undefined;
      this.#first = at + this.#begin.length;
    }
    if (this.#files !== undefined) {
      const rest = this.#beginFile(this.#files, known, this.#first);
      if (rest !== undefined) return rest.length > 0 ? this.add(rest) : undefined;
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

  /** Cuts a file's header off the end of the records. @returns what follows it; undefined if there is no whole header */
  #beginFile(files: IncomingFiles, known: number, first: number): Buffer | undefined {
    const at = this.#header ?? this.#find(this.#file, known, first);
    if (at < 0) return undefined;
    const from = at + this.#file.length;
    const end = this.#bytes.subarray(from, Math.min(this.#length, from + longestHeader)).indexOf('\n');
    this.#header = end < 0 && this.#length < from + longestHeader ? at : undefined;
    if (end < 0) return undefined;
    const [, bytes, name] = fileHeader.exec(this.#bytes.toString('latin1', from, from + end)) ?? [];
    if (bytes === undefined || name === undefined) return undefined;
    // A copy, since the buffer is used again.
    const rest = Buffer.from(this.#bytes.subarray(from + end + 1, this.#length));
    this.#length = at;
    this.#fileBytes = Number(bytes);
    files.begin(name, this.#fileBytes);
    if (this.#fileBytes === 0) files.end();
    return rest;
  }

  #addToFile(piece: Buffer): Excess | undefined {
    const part = piece.subarray(0, this.#fileBytes);
    this.#fileBytes -= part.length;
    this.#files?.add(part);
    if (this.#fileBytes > 0) return undefined;
    this.#files?.end();
    return part.length < piece.length ? this.add(piece.subarray(part.length)) : undefined;
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
