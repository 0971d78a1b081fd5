// An object store in memory, with faults on request.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Failure } from '../../../shared/failure.ts';
import { compositeOf } from '../../../shared/offsite/checksums.ts';
import type {
  ListedObject,
  ObjectFacts,
  ObjectProperties,
  ObjectStore,
  Removal,
  SentObject,
  StoredObject,
  UnfinishedUpload,
} from '../../../shared/offsite/object-store.ts';

export class MemoryStore implements ObjectStore {
  readonly name = '"memory"';
  readonly objects = new Map<string, { content: Buffer } & ObjectProperties>();
  readonly uploads: UnfinishedUpload[] = [];
  /** What was done, a line each. */
  readonly done: string[] = [];
  /** Until when a key is locked. */
  readonly locks = new Map<string, Date>();
  /** Whether it tells checksums. */
  reports = true;
  /** Whether what it tells is a checksum of the parts' checksums, as of an object that came in parts. */
  isComposite = false;
  /** Changes what is stored. */
  spoil: (key: string, content: Buffer) => Buffer = (_, content) => content;
  /** Thrown where it returns one. */
  fault: (line: string) => Failure | null = () => null;

  uri(key: string): string {
    return `s3://memory/${key}`;
  }

  #do(line: string): void {
    const failure = this.fault(line);
    if (failure !== null) throw failure;
    this.done.push(line);
  }

  async *list(prefix: string): AsyncIterable<ListedObject> {
    this.#do(`list ${prefix}`);
    for (const key of [...this.objects.keys()].toSorted())
      if (key.startsWith(prefix)) yield { key, bytes: this.contentOf(key).length };
  }

  contentOf(key: string): Buffer {
    return this.objects.get(key)?.content ?? Buffer.alloc(0);
  }

  async facts(key: string): Promise<ObjectFacts | null> {
    const object = this.objects.get(key);
    if (object === undefined) return null;
    const sum = this.reports ? sumOf(object.content) : null;
    const composite = sum === null ? null : compositeOf([sum]);
    return {
      bytes: object.content.length,
      sha256: this.isComposite ? null : sum,
      compositeSha256: this.isComposite ? composite : null,
      lockedUntil: this.locks.get(key) ?? null,
      metadata: object.metadata ?? {},
    };
  }

  async read(key: string, most?: number): Promise<StoredObject | null> {
    this.#do(`read ${key}`);
    const object = this.objects.get(key);
    if (object === undefined) return null;
    const content = Readable.from([object.content.subarray(0, most)], { objectMode: false });
    return { content, metadata: object.metadata ?? {} };
  }

  async write(
    key: string,
    content: Readable,
    bytes: number,
    onBytes: (bytes: number) => void = () => {},
    properties: ObjectProperties = {},
  ): Promise<SentObject> {
    this.#do(`write ${key}`);
    const whole = Buffer.concat(await content.toArray());
    if (whole.length !== bytes) throw new Failure('copy-differs', `${key} has another length`);
    onBytes(bytes);
    this.objects.set(key, { content: this.spoil(key, whole), ...properties });
    return { parts: [sumOf(whole)] };
  }

  async remove(keys: readonly string[]): Promise<Removal[]> {
    return keys.map((key) => {
      const failure = this.fault(`remove ${key}`);
      if (failure !== null) return { key, outcome: 'failed', reason: failure.message, hint: failure.hint ?? null };
      if (this.locks.has(key)) return { key, outcome: 'retained', reason: 'it is locked', hint: null };
      this.objects.delete(key);
      this.done.push(`remove ${key}`);
      return { key, outcome: 'deleted', reason: null, hint: null };
    });
  }

  async *unfinished(prefix: string): AsyncIterable<UnfinishedUpload> {
    yield* [...this.uploads].filter(({ key }) => key.startsWith(prefix));
  }

  async abort({ uploadId }: UnfinishedUpload): Promise<void> {
    this.uploads.splice(
      this.uploads.findIndex((upload) => upload.uploadId === uploadId),
      1,
    );
  }

  close(): void {}
}

const sumOf = (content: Buffer) => createHash('sha256').update(content).digest('hex');
