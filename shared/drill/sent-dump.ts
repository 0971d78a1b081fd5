import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { decryptStream } from '../sets/decrypt.ts';

/** What a backup takes beside the dump, and a drill needs. */
export type Side = 'globals' | 'settings' | 'schema';

/**
 * A dump that the runner sends into the container: from a bucket, or from the host if it is encrypted there. It is hashed as it is
 * stored, and decrypted, as it flows; none of it is kept.
 */
export class SentDump {
  /** Of the dump, for people: its URI, or its path on the host. */
  readonly name: string;
  readonly #stored: () => Promise<Readable>;
  readonly #sides: ReadonlyMap<Side, Buffer>;
  readonly #key: string | null;
  readonly #hash = createHash('sha256');
  #source: Readable | null = null;
  #pieces: AsyncIterator<Buffer> | null = null;
  #isWhole = false;

  /**
   * @param stored opens the dump as it is stored
   * @param sides the files beside it, compressed and not encrypted
   * @param key private keys, as `decryptStream` takes them; null if it is not encrypted
   */
  constructor(name: string, stored: () => Promise<Readable>, sides: ReadonlyMap<Side, Buffer>, key: string | null) {
    this.name = name;
    this.#stored = stored;
    this.#sides = sides;
    this.#key = key;
  }

  /** Base64 of a file beside the dump, as drill.sh takes it; empty if the backup has none. */
  beside(side: Side): string {
    return this.#sides.get(side)?.toString('base64') ?? '';
  }

  /** The dump as pg_restore takes it, once decompressed. Call it once. */
  async open(): Promise<Readable> {
    this.#source = await this.#stored();
    this.#pieces = this.#source.iterator({ destroyOnReturn: false });
    const hashed = Readable.from(this.#hashed(), { objectMode: false });
    if (this.#key === null) return hashed;
    const decrypted = decryptStream(this.#key);
    hashed.once('error', (error) => decrypted.destroy(error));
    decrypted.once('error', () => hashed.unpipe(decrypted));
    return hashed.pipe(decrypted);
  }

  /** Of all of it as it is stored, read to its end if that has not happened yet; null if it could not be. */
  async sha256(): Promise<string | null> {
    try {
      for await (const _ of this.#hashed());
    } catch {
      return null;
    }
    return this.#isWhole ? this.#hash.copy().digest('hex') : null;
  }

  /** Gives up what was not read: the connection that it comes over is not held any longer. */
  close(): void {
    this.#source?.on('error', () => {}).destroy();
  }

  /** Once it has failed there is nothing more to read; an iterator would say that it has come to its end. */
  async #next(pieces: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
    try {
      return await pieces.next();
    } catch (error) {
      this.#pieces = null;
      throw error;
    }
  }

  async *#hashed(): AsyncGenerator<Buffer> {
    while (this.#pieces !== null && !this.#isWhole) {
      const { done, value } = await this.#next(this.#pieces);
      if (done === true) this.#isWhole = true;
      else {
        this.#hash.update(value);
        yield value;
      }
    }
  }
}
