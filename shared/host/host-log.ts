import { StringDecoder } from 'node:string_decoder';
import { longestLine } from '../clean.ts';
import { formatBytes } from '../units.ts';

/**
 * How much of what a program prints is passed on; the rest is counted. Warnings of pg_dump and pg_restore, and what Docker
 * says of a pull, come in hundreds of lines; more than thousands nobody reads, and GitHub shows a log of many MiB no more.
 */
export const mostLines = 2_000;
export const mostBytes = 1024 * 1024;
/** What a failure tells of, and what a caller looks through for the reason of one. */
const mostLast = 50;
/** Of a line without an end, in UTF-16 units: it is cut down to its last part where it gets longer than that. */
const longestOpenLine = 100_000;
const keptOfOpenLine = 10_000;

export interface HostLogReaders {
  /** A line that the program or its children printed: hostile until cleaned. */
  onLog?: ((line: string) => void) | undefined;
  /** How far a long step is, as the program told. */
  onProgress?: ((name: string, value: string) => void) | undefined;
}

/**
 * What a program prints on standard error: its log, with the supervisor's own lines in between, which begin with the nonce.
 * However much that is, little of it is kept.
 */
export class HostLog {
  /** Why the host has ended the program, as the supervisor told: `deadline`, `silence`, `end-of-input`. */
  endedFor: string | undefined;
  /** The newest lines, passed on or not. */
  readonly last: string[] = [];
  readonly #nonce: string;
  readonly #readers: HostLogReaders;
  readonly #now: () => number;
  readonly #begin: number;
  readonly #decoder = new StringDecoder('utf8');
  #open = '';
  #bytes = 0;
  #linesShown = 0;
  #bytesShown = 0;
  /** Of the lines that were shown, as they came, and of the supervisor's. */
  #bytesRead = 0;
  #linesLeftOut = 0;
  #steps = 0;
  #over = false;

  /** @param now milliseconds */
  constructor(nonce: string, readers: HostLogReaders, now: () => number = Date.now) {
    this.#nonce = `${nonce} `;
    this.#readers = readers;
    this.#now = now;
    this.#begin = now();
  }

  add(piece: Buffer): void {
    this.#bytes += piece.length;
    const lines = (this.#open + this.#decoder.write(piece)).split('\n');
    this.#open = lines.pop() ?? '';
    if (this.#open.length > longestOpenLine) this.#open = this.#open.slice(-keptOfOpenLine);
    for (const line of lines) this.#read(line);
  }

  /** There is no more of it; may be called again. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    const rest = this.#open + this.#decoder.end();
    if (rest !== '') this.#read(rest);
    if (this.#linesLeftOut === 0) return;
    this.#readers.onLog?.(
      `${this.#linesLeftOut} more lines (${formatBytes(this.#bytes - this.#bytesRead)}) were left out: of one program, ${mostLines} lines and ${formatBytes(mostBytes)} are shown`,
    );
  }

  #read(line: string): void {
    // The supervisor's word may come in the middle of a line that the program has not ended.
    const own = line.indexOf(this.#nonce);
    if (own !== 0) this.#pass(own < 0 ? line : line.slice(0, own));
    if (own < 0) return;
    this.#bytesRead += line.length - own + 1;
    const [what, name = '', ...value] = line.slice(own + this.#nonce.length).split(' ');
    if (what === 'ended') this.endedFor = name;
    if (what === 'progress') this.#tellStep(name, value.join(' '));
  }

  #pass(line: string): void {
    this.last.push(line);
    if (this.last.length > mostLast) this.last.shift();
    if (this.#isFull(line)) {
      this.#linesLeftOut += 1;
      return;
    }
    const bytes = Buffer.byteLength(line) + 1;
    this.#linesShown += 1;
    this.#bytesShown += Math.min(bytes, longestLine);
    this.#bytesRead += bytes;
    this.#readers.onLog?.(line);
  }

  /** Whether there is no room for this line; nor is there for one behind it then. */
  #isFull(line: string): boolean {
    if (this.#linesLeftOut > 0 || this.#linesShown === mostLines) return true;
    return this.#bytesShown + Math.min(Buffer.byteLength(line) + 1, longestLine) > mostBytes;
  }

  /** A program that works for days may tell of a step every second; whoever tells more is not ours. */
  #tellStep(name: string, value: string): void {
    if (this.#steps >= mostLines + (this.#now() - this.#begin) / 1_000) return;
    this.#steps += 1;
    this.#readers.onProgress?.(name, value);
  }
}
