import { Readable } from 'node:stream';
import type { HeadObjectCommandOutput, ListMultipartUploadsOutput, S3Client } from '@aws-sdk/client-s3';
import { isFailure } from '../failure.ts';
import { tellPassed } from '../passing-memory.ts';
import { bucketFailure, codeOf, type RequestFacts } from './bucket-failure.ts';
import { type BucketPlace, nameOf } from './bucket-place.ts';
import { reportedChecksum } from './checksums.ts';
import type {
  ListedObject,
  ObjectFacts,
  ObjectProperties,
  ObjectStore,
  Removal,
  SentObject,
  StoredObject,
  UnfinishedUpload,
} from './object-store.ts';
import { planParts } from './part-size.ts';
import { makeClient } from './s3-client.ts';
import { S3Upload, type UploadSettings } from './s3-upload.ts';

export interface StoreOptions {
  /** How often to try a request that failed for a reason that may pass. */
  attempts?: number;
  /** Milliseconds without a byte in either direction, until a request counts as failed. */
  silence?: number;
}

/** Enough to sit out about a minute, see `Retries`. */
const usualAttempts = 9;
/** A store may think so long before it has put many parts together. */
const usualSilence = 120_000;
/** How many deletions run at one time. */
const removalsAtOnce = 8;
/** In versioned buckets with locks, or with rules of the provider's own, a store says so in one of these ways. */
const lockedWords = /object.?lock|retention|legal.?hold|\bWORM\b|immutab|protected/i;

/** Opens a bucket. Connects at the first request. Everything that is asked of it ends with the signal. */
export async function openS3Store(
  place: BucketPlace & Partial<UploadSettings>,
  signal: AbortSignal,
  { attempts = usualAttempts, silence = usualSilence }: StoreOptions = {},
): Promise<ObjectStore> {
  const client = await makeClient(place, { attempts, silence });
  return new S3Store(client, await import('@aws-sdk/client-s3'), place, signal);
}

/** Where a list of unfinished uploads goes on. */
interface UploadMarker {
  KeyMarker?: string | undefined;
  UploadIdMarker?: string | undefined;
}

type Commands = typeof import('@aws-sdk/client-s3');

class S3Store implements ObjectStore {
  readonly name: string;
  readonly #client: S3Client;
  readonly #s3: Commands;
  readonly #place: BucketPlace & Partial<UploadSettings>;
  readonly #signal: AbortSignal;
  readonly #Bucket: { Bucket: string };
  /** Whether the store takes the headers for checksums, as far as is known. */
  #checksums = { sends: true, asks: true };

  constructor(client: S3Client, s3: Commands, place: BucketPlace & Partial<UploadSettings>, signal: AbortSignal) {
    this.name = nameOf(place);
    this.#client = client;
    this.#s3 = s3;
    this.#place = place;
    this.#signal = signal;
    this.#Bucket = { Bucket: place.bucket };
  }

  uri(key: string): string {
    return `s3://${this.#place.bucket}/${key}`;
  }

  async *list(prefix: string): AsyncIterable<ListedObject> {
    const facts = { rights: ['s3:ListBucket'] };
    let token: string | undefined;
    do {
      const page = await this.#ask('cannot be listed', facts, (abortSignal) =>
        this.#client.send(
          new this.#s3.ListObjectsV2Command({
            ...this.#Bucket,
            Prefix: prefix,
            ContinuationToken: token,
            // Names of others may hold characters that XML cannot.
            EncodingType: 'url',
          }),
          { abortSignal },
        ),
      );
      if (page.Name !== this.#place.bucket) {
        throw bucketFailure(`${this.name} cannot be listed`, new Error('the server there is not an S3 store'), facts);
      }
      for (const { Key, Size } of page.Contents ?? []) {
        const key = page.EncodingType === 'url' ? decoded(Key ?? '') : (Key ?? '');
        if (key.startsWith(prefix)) yield { key, bytes: Size ?? 0 };
      }
      const next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      if (page.IsTruncated === true && (next === undefined || next === token)) {
        throw bucketFailure(
          `${this.name} cannot be listed`,
          new Error('the store does not say how its list goes on'),
          facts,
        );
      }
      token = next;
    } while (token !== undefined);
  }

  async facts(key: string): Promise<ObjectFacts | null> {
    const answer = await this.#unlessMissing(`cannot be asked about ${key}`, (abortSignal) =>
      this.#head(key, abortSignal).catch(async (refusal) => {
        throw await this.#inWords(refusal, key, abortSignal);
      }),
    );
    if (answer === null) return null;
    const until = answer.ObjectLockRetainUntilDate ?? null;
    return {
      bytes: answer.ContentLength ?? 0,
      ...reportedChecksum(answer.ChecksumSHA256, answer.ChecksumType),
      lockedUntil:
        answer.ObjectLockLegalHoldStatus === 'ON' ? farAway : until !== null && until > new Date() ? until : null,
      metadata: answer.Metadata ?? {},
    };
  }

  async #head(key: string, abortSignal: AbortSignal): Promise<HeadObjectCommandOutput> {
    const look = (ChecksumMode: 'ENABLED' | undefined) =>
      this.#client.send(new this.#s3.HeadObjectCommand({ ...this.#Bucket, Key: key, ChecksumMode }), { abortSignal });
    try {
      return await look(this.#checksums.asks ? 'ENABLED' : undefined);
    } catch (error) {
      // Some stores refuse the question for a checksum as a whole.
      if (!this.#checksums.asks || ![400, 501].includes(codeOf(error).status ?? 0)) throw error;
      const plain = await look(undefined);
      this.#checksums.asks = false;
      return plain;
    }
  }

  /**
   * The answer to a HEAD has no body, and status 400 can mean anything, such as an expired login. A GET of one byte is refused with the
   * store's own error.
   */
  async #inWords(refusal: unknown, key: string, abortSignal: AbortSignal): Promise<unknown> {
    if (codeOf(refusal).status !== 400) return refusal;
    try {
      const command = new this.#s3.GetObjectCommand({ ...this.#Bucket, Key: key, Range: 'bytes=0-0' });
      ((await this.#client.send(command, { abortSignal })).Body as Readable).destroy();
      return refusal;
    } catch (error) {
      return error;
    }
  }

  async read(key: string, most?: number): Promise<StoredObject | null> {
    const range = most === undefined ? {} : { Range: `bytes=0-${Math.max(most, 1) - 1}` };
    const what = `does not give ${key}`;
    const answer = await this.#unlessMissing(what, async (abortSignal) => {
      try {
        return await this.#client.send(new this.#s3.GetObjectCommand({ ...this.#Bucket, Key: key, ...range }), {
          abortSignal,
        });
      } catch (error) {
        // An empty object has no first byte.
        if (codeOf(error).status === 416) return { Body: Readable.from([]), Metadata: {} };
        throw error;
      }
    });
    if (answer === null) return null;
    const content = Readable.from(this.#readingOf(answer.Body as Readable, what), { objectMode: false });
    return { content, metadata: answer.Metadata ?? {} };
  }

  async *#readingOf(body: Readable, what: string): AsyncIterable<Buffer> {
    const stop = () => body.destroy();
    this.#signal.addEventListener('abort', stop, { once: true });
    try {
      for await (const piece of body as AsyncIterable<Buffer>) {
        tellPassed(piece.length);
        yield piece;
      }
      this.#signal.throwIfAborted();
    } catch (error) {
      this.#signal.throwIfAborted();
      throw bucketFailure(`${this.name} ${what} to its end`, error, { rights: ['s3:GetObject'] });
    } finally {
      this.#signal.removeEventListener('abort', stop);
      body.destroy();
    }
  }

  async write(
    key: string,
    content: Readable,
    bytes: number,
    onBytes: (bytes: number) => void = () => {},
    properties: ObjectProperties = {},
  ): Promise<SentObject> {
    const stop = () => content.destroy();
    this.#signal.addEventListener('abort', stop, { once: true });
    try {
      this.#signal.throwIfAborted();
      const plan = planParts(key, bytes, this.#place.maxParts ?? undefined);
      const upload = new S3Upload(this.#client, this.#s3, {
        place: this.#place,
        key,
        properties,
        signal: this.#signal,
      });
      return await upload.send(content, bytes, plan, onBytes, this.#checksums);
    } catch (error) {
      this.#signal.throwIfAborted();
      throw error;
    } finally {
      this.#signal.removeEventListener('abort', stop);
      content.destroy();
    }
  }

  async remove(keys: readonly string[]): Promise<Removal[]> {
    const removals: Removal[] = [];
    for (let at = 0; at < keys.length; at += removalsAtOnce) {
      removals.push(...(await Promise.all(keys.slice(at, at + removalsAtOnce).map((key) => this.#remove(key)))));
    }
    return removals;
  }

  async #remove(key: string): Promise<Removal> {
    // In a versioned bucket, a deletion only hides what is locked: it would go on costing money, seen by nobody.
    try {
      const facts = await this.facts(key);
      if (facts === null) return { key, outcome: 'deleted', reason: null, hint: null };
      if (facts.lockedUntil !== null)
        return { key, outcome: 'retained', reason: lockOf(facts.lockedUntil), hint: null };
      await this.#ask(`does not delete ${key}`, { rights: ['s3:DeleteObject'] }, (abortSignal) =>
        this.#client.send(new this.#s3.DeleteObjectCommand({ ...this.#Bucket, Key: key }), { abortSignal }),
      );
      return { key, outcome: 'deleted', reason: null, hint: null };
    } catch (error) {
      this.#signal.throwIfAborted();
      const reason = (error as Error).message;
      const hint = (isFailure(error) && error.hint) || null;
      return { key, outcome: this.#tellsLock(reason, key) ? 'retained' : 'failed', reason, hint };
    }
  }

  /** Buckets, folders and users may be called after locks: their names say nothing of why it was refused. */
  #tellsLock(reason: string, key: string): boolean {
    const names = [this.name, key, this.#place.bucket];
    return lockedWords.test(
      names.reduce((words, name) => words.replaceAll(name, ''), reason.replaceAll(/arn:\S+/g, '')),
    );
  }

  async *unfinished(prefix: string): AsyncIterable<UnfinishedUpload> {
    let from: UploadMarker | null = {};
    while (from !== null) {
      const page: ListMultipartUploadsOutput = await this.#uploadsFrom(prefix, from);
      for (const { Key: key = '', UploadId: uploadId } of page.Uploads ?? []) {
        if (uploadId !== undefined && key.startsWith(prefix)) yield { key, uploadId };
      }
      const next: UploadMarker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
      const moves: boolean = next.KeyMarker !== from.KeyMarker || next.UploadIdMarker !== from.UploadIdMarker;
      from = page.IsTruncated === true && moves ? next : null;
    }
  }

  #uploadsFrom(prefix: string, from: UploadMarker): Promise<ListMultipartUploadsOutput> {
    const facts = { rights: ['s3:ListBucketMultipartUploads'] };
    const command = new this.#s3.ListMultipartUploadsCommand({ ...this.#Bucket, Prefix: prefix, ...from });
    return this.#ask('does not list unfinished uploads', facts, (abortSignal) =>
      this.#client.send(command, { abortSignal }),
    );
  }

  async abort({ key, uploadId }: UnfinishedUpload): Promise<void> {
    const facts = { rights: ['s3:AbortMultipartUpload'] };
    await this.#ask(`did not abort the upload of ${key}`, facts, async (abortSignal) => {
      try {
        const command = new this.#s3.AbortMultipartUploadCommand({ ...this.#Bucket, Key: key, UploadId: uploadId });
        await this.#client.send(command, { abortSignal });
      } catch (error) {
        if (codeOf(error).code !== 'NoSuchUpload') throw error;
      }
    });
  }

  close(): void {
    this.#client.destroy();
  }

  /** null if the store says that there is no such object; a missing bucket is a failure. */
  async #unlessMissing<T>(what: string, ask: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
    return this.#ask(what, { rights: ['s3:GetObject'] }, async (abortSignal) => {
      try {
        return await ask(abortSignal);
      } catch (error) {
        const { status, code } = codeOf(error);
        if (status === 404 && code !== 'NoSuchBucket') return null;
        throw error;
      }
    });
  }

  async #ask<T>(what: string, facts: RequestFacts, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#signal.throwIfAborted();
    try {
      return await ask(this.#signal);
    } catch (error) {
      this.#signal.throwIfAborted();
      throw bucketFailure(`${this.name} ${what}`, error, facts);
    }
  }
}

/** A legal hold has no end. */
const farAway = new Date(8.64e15);

function lockOf(until: Date): string {
  return until === farAway ? 'it is under a legal hold' : `it is locked until ${until.toISOString()}`;
}

/** As S3 encodes names in listings. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}
