import { StringDecoder } from 'node:string_decoder';
import { lineBreaks, longestLine } from '../clean.ts';
import { formatBytes } from '../units.ts';

/**
 * How much of a program's output is passed on; the rest is only counted. Warnings of pg_dump and pg_restore and the output
 * of a pull can be hundreds of lines. Nobody reads thousands, and GitHub does not show a log of many MiB.
 */
export const mostLines = 2_000;
export const mostBytes = 1024 * 1024;
/** Limit for all that a program prints, in bytes. An honest one never comes near it; a flood would keep the runner busy. */
export const largestLog = 64 * 1024 * 1024;
/** Limit for the text of a step, in UTF-16 units. A line of a rollback's journal may be long. */
const longestStep = 16_384;
/** How many bytes of progress steps are passed on, and how many more for each second that a program runs. */
const mostStepBytes = mostBytes;
const stepBytesPerSecond = 1_000;
/** How many of the last lines to keep: failures show them, and callers search them for a reason. */
const mostLast = 50;
/** Limit for a line that does not end, in UTF-16 units: a longer one is cut down to its last part. */
const longestOpenLine = 100_000;
const keptOfOpenLine = 10_000;

export interface HostLogReaders {
  /** Gets each line that the program or its children print: hostile until cleaned. */
  onLog?: ((line: string) => void) | undefined;
  /** Gets the progress of a long step, as the program reports it. */
  onProgress?: ((name: string, value: string) => void) | undefined;
}

/**
 * The output of a program on standard error: its log, and in between the supervisor's own lines, which begin with the
 * nonce. Keeps little of it, however much there is.
 */
export class HostLog {
  /** Why the host ended the program, as the supervisor says: `deadline`, `silence`, `end-of-input`. */
  endedFor: string | undefined;
  /** Whether the supervisor has said that `main` is over: everything that it printed has been read. */
  isTold = false;
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
  /** Bytes of the lines that were shown, before cleaning, and of the supervisor's lines. */
  #bytesRead = 0;
  #linesLeftOut = 0;
  #steps = 0;
  #stepBytes = 0;
  #stepsLeftOut = 0;
  #over = false;

  /** @param now milliseconds */
  constructor(nonce: string, readers: HostLogReaders, now: () => number = Date.now) {
    this.#nonce = `${nonce} `;
    this.#readers = readers;
    this.#now = now;
    this.#begin = now();
  }

  /** @returns whether this is more than any program may print */
  add(piece: Buffer): boolean {
    this.#bytes += piece.length;
    const lines = (this.#open + this.#decoder.write(piece)).split('\n');
    this.#open = lines.pop() ?? '';
    if (this.#open.length > longestOpenLine) this.#open = this.#open.slice(-keptOfOpenLine);
    for (const line of lines) this.#read(line);
    return this.#bytes > largestLog;
  }

  /** Call when there is no more output; may be called again. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    const rest = this.#open + this.#decoder.end();
    if (rest !== '') this.#read(rest);
    if (this.#linesLeftOut > 0) {
      this.#readers.onLog?.(
        `${this.#linesLeftOut} more lines (${formatBytes(this.#bytes - this.#bytesRead)}) were left out: the log shows at most ${mostLines} lines and ${formatBytes(mostBytes)} of one program`,
      );
    }
    if (this.#stepsLeftOut > 0) {
      this.#readers.onLog?.(
        `${this.#stepsLeftOut} more progress reports were left out: the log shows at most ${mostLines} of them and ${formatBytes(mostStepBytes)} of one program, and then one each second`,
      );
    }
  }

  #read(line: string): void {
    // The supervisor may write in the middle of an unfinished line of the program.
    const own = line.indexOf(this.#nonce);
    if (own !== 0) this.#passAll(own < 0 ? line : line.slice(0, own));
    if (own < 0) return;
    this.#bytesRead += line.length - own + 1;
    const [what, name = '', ...value] = line.slice(own + this.#nonce.length).split(' ');
    if (what === 'ended') this.endedFor = name;
    if (what === 'told') this.isTold = true;
    if (what === 'progress') this.#tellStep(name, value.join(' '));
  }

  /** What a terminal would show as several lines counts as so many: a carriage return each makes thousands out of one. */
  #passAll(text: string): void {
    const lines = text.split(lineBreaks);
    if (lines.length > 1 && lines.at(-1) === '') lines.pop();
    // Once nothing more is shown, only the last ones matter.
    const passedOver = this.#linesLeftOut > 0 ? Math.max(0, lines.length - mostLast) : 0;
    this.#linesLeftOut += passedOver;
    for (const line of lines.slice(passedOver)) this.#pass(line);
  }

  #pass(whole: string): void {
    const line = shortened(whole, longestLine);
    this.last.push(line);
    if (this.last.length > mostLast) this.last.shift();
    if (this.#isFull(line)) {
      this.#linesLeftOut += 1;
      return;
    }
    this.#linesShown += 1;
    this.#bytesShown += Buffer.byteLength(line) + 1;
    this.#bytesRead += Buffer.byteLength(whole) + 1;
    this.#readers.onLog?.(line);
  }

  /** Whether there is no room for this line. From then on no line is shown. */
  #isFull(line: string): boolean {
    if (this.#linesLeftOut > 0 || this.#linesShown === mostLines) return true;
    return this.#bytesShown + Buffer.byteLength(line) + 1 > mostBytes;
  }

  /** Even a program that runs for days reports at most one step per second; anything beyond that is not from us. */
  #tellStep(name: string, value: string): void {
    const seconds = (this.#now() - this.#begin) / 1_000;
    const text = shortened(value, longestStep).split(lineBreaks).join(' ');
    const bytes = Buffer.byteLength(text);
    if (this.#steps >= mostLines + seconds || this.#stepBytes + bytes > mostStepBytes + seconds * stepBytesPerSecond) {
      this.#stepsLeftOut += 1;
      return;
    }
    this.#steps += 1;
    this.#stepBytes += bytes;
    this.#readers.onProgress?.(shortened(name, longestLine), text);
  }
}

/** The text without what is beyond the limit. What is cut is copied: a part would keep the whole in memory. */
function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return Buffer.from(`${text.slice(0, limit - 1)}…`, 'utf16le').toString('utf16le');
}
