import { PassThrough, type Readable } from 'node:stream';
import { tellPassed } from '../passing-memory.ts';

/** A file on its way from the host. Read its content to the end, or destroy it, before the next file. */
export interface IncomingFile {
  /** Bare. */
  name: string;
  bytes: number;
  /** Fails if the host does not send all of it. */
  content: Readable;
}

/** Bytes of a file that wait for their reader; then the host waits as well. */
const mostWaiting = 1024 * 1024;

/** The files in a program's answer, in the order in which the host sends them. As much is taken from the host as is read here. */
export class IncomingFiles implements AsyncIterable<IncomingFile> {
  readonly #waiting: IncomingFile[] = [];
  #current: PassThrough | null = null;
  #isOver = false;
  #error: Error | null = null;
  #wake: () => void = () => {};
  #drained: () => void = () => {};

  /** True while nothing more may be taken from the host; `onDrain` is called when that changes. */
  get isFull(): boolean {
    return this.#waiting.length > 1 || this.#current?.writableNeedDrain === true;
  }

  set onDrain(call: () => void) {
    this.#drained = call;
  }

  begin(name: string, bytes: number): void {
    const content = new PassThrough({ highWaterMark: mostWaiting });
    // Whoever reads it hears of its errors; a file that nobody reads must not end the process.
    content.on('error', () => {});
    for (const event of ['drain', 'close']) content.on(event, () => this.#tellDrained());
    this.#current = content;
    // What nobody reads any more must not hold the host up.
    if (this.#isOver) content.destroy();
    else this.#waiting.push({ name, bytes, content });
    this.#wake();
  }

  add(piece: Buffer): void {
    tellPassed(piece.length);
    if (this.#current?.destroyed === false) this.#current.write(piece);
  }

  end(): void {
    this.#current?.end();
    this.#current = null;
  }

  /** No more will come: because of the error, if there is one. What is half here fails with it. */
  close(error: Error | null): void {
    this.#isOver = true;
    this.#error ??= error;
    if (error !== null) for (const { content } of this.#waiting.splice(0)) content.destroy(error);
    this.#current?.destroy(error ?? new Error('The host sent only part of a file'));
    this.#current = null;
    this.#wake();
    this.#tellDrained();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<IncomingFile> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        this.#tellDrained();
        yield next;
      } else if (this.#isOver) {
        if (this.#error !== null) throw this.#error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #tellDrained(): void {
    if (!this.isFull) this.#drained();
  }
}
