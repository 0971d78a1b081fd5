import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { CompletedPart, S3Client } from '@aws-sdk/client-s3';
import { inTime } from '../reaching.ts';
import { bucketFailure, codeOf, type RequestFacts, wordsOf } from './bucket-failure.ts';
import { type BucketPlace, nameOf } from './bucket-place.ts';
import { compositeEtag, compositeOf, reportedChecksum } from './checksums.ts';
import type { ObjectMetadata, ObjectProperties, ObjectTags, SentObject } from './object-store.ts';
import type { PartPlan } from './part-size.ts';
import { type Part, sendParts } from './send-parts.ts';

/** How objects are to be stored. */
export interface UploadSettings {
  /** null: the one of the bucket. */
  storageClass: string | null;
  /** Encryption by the store; null: as the bucket is set up. */
  sse: 'AES256' | 'aws:kms' | 'aws:kms:dsse' | null;
  /** For `aws:kms`: the key's id or ARN; null for AWS's own key. */
  kmsKey: string | null;
  /** For every object, besides those that `write` is given; null: no object is tagged, whatever `write` is given. */
  tags: ObjectTags | null;
  /** How many parts the store allows for one object; null: 10,000. */
  maxParts: number | null;
}

interface Destination {
  place: BucketPlace & Partial<UploadSettings>;
  key: string;
  properties: ObjectProperties;
  signal: AbortSignal;
}

type Commands = typeof import('@aws-sdk/client-s3');

/** Storage classes from which an object has to be brought back before it can be read. */
const archives: ReadonlySet<string> = new Set(['GLACIER', 'DEEP_ARCHIVE']);

/** For what has to be tidied away although the run was cancelled: milliseconds. */
const tidyingTime = 20_000;

/** Sends one object. An object of one part is sent at once, any other in parts. */
export class S3Upload {
  readonly #client: S3Client;
  readonly #s3: Commands;
  readonly #to: Destination;
  readonly #object: { Bucket: string; Key: string };
  readonly #facts: RequestFacts;
  /** Of the new object; sent once, when it is made. */
  readonly #properties: Record<string, string | ObjectMetadata>;

  constructor(client: S3Client, s3: Commands, to: Destination) {
    this.#client = client;
    this.#s3 = s3;
    this.#to = to;
    this.#object = { Bucket: to.place.bucket, Key: to.key };
    const { storageClass, sse, kmsKey, tags } = to.place;
    const { tags: more, metadata, isIndex } = to.properties;
    const tagging = tags == null ? '' : new URLSearchParams({ ...tags, ...more }).toString();
    const settings: [input: string, property: string, value: string | null | undefined][] = [
      ['s3-storage-class', 'StorageClass', isIndex && archives.has(storageClass ?? '') ? null : storageClass],
      ['s3-sse', 'ServerSideEncryption', sse],
      ['s3-kms-key', 'SSEKMSKeyId', kmsKey],
      ['s3-tags', 'Tagging', tagging === '' ? null : tagging],
    ];
    const set = settings.flatMap(([input, property, value]) => (value == null ? [] : [{ input, property, value }]));
    this.#properties = {
      ...Object.fromEntries(set.map(({ property, value }) => [property, value])),
      ...(metadata && { Metadata: metadata }),
    };
    this.#facts = {
      rights: ['s3:PutObject', ...(tagging === '' ? [] : ['s3:PutObjectTagging'])],
      inputs: set.map(({ input }) => input),
    };
  }

  /** @param checksums whether the store takes the headers for them; set to false when it is found that it does not */
  async send(
    content: Readable,
    bytes: number,
    plan: PartPlan,
    onBytes: (bytes: number) => void,
    checksums: { sends: boolean },
  ): Promise<SentObject> {
    try {
      if (bytes > plan.partBytes) return await this.#inParts(content, bytes, plan, onBytes, checksums);
      const atOnce = { partBytes: plan.partBytes, inMemory: 1 };
      // A full buffer is sent before the stream is known to end there: the object may only be made once it has ended well.
      let whole: Part | null = null;
      const parts = await sendParts(content, bytes, atOnce, async (part) => {
        whole = part;
      });
      if (whole !== null) await this.#atOnce(whole, checksums);
      onBytes(bytes);
      return { parts };
    } catch (error) {
      this.#to.signal.throwIfAborted();
      throw error;
    }
  }

  async #atOnce(part: Part, checksums: { sends: boolean }): Promise<void> {
    await this.#asking(checksums, async (checksum) => {
      const command = new this.#s3.PutObjectCommand({
        ...this.#object,
        ...this.#properties,
        Body: part.body,
        // A bucket whose rule locks every object demands it, where the store knows no other checksum.
        ContentMD5: createHash('md5').update(part.body).digest('base64'),
        ...(checksum ? checksumOf(part) : {}),
      });
      signWith(command, part);
      sendInSlices(command, part);
      await this.#client.send(command, { abortSignal: this.#to.signal });
    });
  }

  async #inParts(
    content: Readable,
    bytes: number,
    plan: PartPlan,
    onBytes: (bytes: number) => void,
    checksums: { sends: boolean },
  ): Promise<SentObject> {
    const UploadId = await this.#asking(checksums, (checksum) => this.#begin(checksum));
    try {
      const done: CompletedPart[] = [];
      const parts = await sendParts(content, bytes, plan, async (part, giveUp) => {
        done[part.number - 1] = await this.#sendPart(
          part,
          UploadId,
          AbortSignal.any([giveUp, this.#to.signal]),
          checksums,
        );
        onBytes(part.body.length);
      });
      this.#to.signal.throwIfAborted();
      await this.#complete(UploadId, done, { bytes, parts });
      return { parts };
    } catch (error) {
      const left = await this.#giveUp(UploadId);
      if (left !== null && error instanceof Error) error.message += `. Its parts could not be removed: ${left}`;
      throw error;
    }
  }

  async #begin(checksum: boolean): Promise<string> {
    const { UploadId } = await this.#client.send(
      new this.#s3.CreateMultipartUploadCommand({
        ...this.#object,
        ...this.#properties,
        ...(checksum ? { ChecksumAlgorithm: 'SHA256' } : {}),
      }),
      { abortSignal: this.#to.signal },
    );
    if (UploadId === undefined) throw new Error('the store did not name the upload that it began');
    return UploadId;
  }

  async #sendPart(
    part: Part,
    UploadId: string,
    abortSignal: AbortSignal,
    checksums: { sends: boolean },
  ): Promise<CompletedPart> {
    const PartNumber = part.number;
    const checksum = checksums.sends ? checksumOf(part) : {};
    const command = new this.#s3.UploadPartCommand({
      ...this.#object,
      UploadId,
      PartNumber,
      Body: part.body,
      ...checksum,
    });
    signWith(command, part);
    sendInSlices(command, part);
    try {
      const { ETag } = await this.#client.send(command, { abortSignal });
      return { PartNumber, ETag, ...(checksums.sends ? { ChecksumSHA256: checksumOf(part).ChecksumSHA256 } : {}) };
    } catch (error) {
      throw this.#failure(error);
    }
  }

  async #complete(UploadId: string, Parts: CompletedPart[], whole: SentObject & { bytes: number }): Promise<void> {
    const ask = (parts: CompletedPart[]) =>
      this.#client.send(
        new this.#s3.CompleteMultipartUploadCommand({
          ...this.#object,
          UploadId,
          MultipartUpload: { Parts: parts },
        }),
        { abortSignal: this.#to.signal },
      );
    try {
      try {
        await ask(Parts);
      } catch (error) {
        // Swift passes over the headers for checksums, and refuses their names in this list.
        if (codeOf(error).code !== 'MalformedXML') throw error;
        await ask(Parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })));
      }
    } catch (error) {
      // The answer to an earlier try may have been lost on its way, and then there is no such upload any more.
      if (codeOf(error).code === 'NoSuchUpload' && (await this.#isThere(Parts, whole))) return;
      throw this.#failure(error);
    }
  }

  /** Known by its checksum where the store reports one, else by its ETag, which with KMS is no MD5. */
  async #isThere(sent: readonly CompletedPart[], { bytes, parts }: SentObject & { bytes: number }): Promise<boolean> {
    const look = (checksum: { ChecksumMode?: 'ENABLED' }) =>
      this.#client.send(new this.#s3.HeadObjectCommand({ ...this.#object, ...checksum }), {
        abortSignal: this.#to.signal,
      });
    const found = await look({ ChecksumMode: 'ENABLED' })
      .catch(() => look({}))
      .catch(() => null);
    if (found?.ContentLength !== bytes) return false;
    const { compositeSha256 } = reportedChecksum(found.ChecksumSHA256, found.ChecksumType);
    if (compositeSha256 !== null) return compositeSha256 === compositeOf(parts);
    const etag = compositeEtag(sent.map(({ ETag = '' }) => ETag));
    return etag !== null && found.ETag?.replaceAll('"', '') === etag;
  }

  /** Also when the run was cancelled: the parts cost money until somebody removes them. @returns why it did not work */
  async #giveUp(UploadId: string): Promise<string | null> {
    try {
      const abort = this.#client.send(new this.#s3.AbortMultipartUploadCommand({ ...this.#object, UploadId }));
      await inTime(tidyingTime, new AbortController().signal, abort);
      return null;
    } catch (error) {
      return codeOf(error).code === 'NoSuchUpload' ? null : wordsOf(error);
    }
  }

  /** Asks with the header for a checksum; without it if the store does not take it, and from then on. */
  async #asking<T>(checksums: { sends: boolean }, ask: (checksum: boolean) => Promise<T>): Promise<T> {
    try {
      return await ask(checksums.sends);
    } catch (error) {
      if (!checksums.sends || !refusesChecksums(error)) throw this.#failure(error);
    }
    try {
      const answer = await ask(false);
      checksums.sends = false;
      return answer;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #failure(error: unknown): unknown {
    if (this.#to.signal.aborted) return this.#to.signal.reason;
    return bucketFailure(`${nameOf(this.#to.place)} does not take ${this.#to.key}`, error, this.#facts);
  }
}

/** What stores say that know no such header; a wrong checksum is another thing, and is not among it. */
function refusesChecksums(error: unknown): boolean {
  const { status, code } = codeOf(error);
  if (status === 501) return true;
  return (
    status === 400 && /^(InvalidArgument|InvalidRequest|NotImplemented)$/.test(code) && /checksum/i.test(wordsOf(error))
  );
}

const checksumOf = ({ sha256 }: Part) =>
  ({ ChecksumAlgorithm: 'SHA256', ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64') }) as const;

/** A command of the library, with the steps that make its request. */
interface Adjustable {
  middlewareStack: {
    add(middleware: never, options: { step: 'build'; name: string }): void;
    add(middleware: never, options: { step: 'deserialize'; name: string }): void;
  };
}

interface Building {
  request: { headers: Record<string, string> };
}

/** As each try sends it. */
interface Sending {
  request: { body?: unknown };
}

/** The signature covers the content, so that any store notices other bytes; the library would hash them once more. */
function signWith(command: Adjustable, { sha256 }: Part): void {
  const middleware = (next: (args: Building) => Promise<unknown>) => (args: Building) => {
    args.request.headers['x-amz-content-sha256'] = sha256;
    return next(args);
  };
  command.middlewareStack.add(middleware as never, { step: 'build', name: 'contentSha256' });
}

/** Bytes that are handed to the socket at one time. */
const sliceBytes = 256 * 1024;

/** Handed over whole, all of a part would be encrypted for TLS at once, into as much memory again. */
function sendInSlices(command: Adjustable, { body }: Part): void {
  const slices = function* () {
    for (let at = 0; at < body.length; at += sliceBytes) yield body.subarray(at, at + sliceBytes);
  };
  const middleware = (next: (args: Sending) => Promise<unknown>) => (args: Sending) => {
    const request = Object.assign(Object.create(Object.getPrototypeOf(args.request)), args.request);
    request.body = Readable.from(slices(), { objectMode: false });
    return next({ ...args, request });
  };
  command.middlewareStack.add(middleware as never, { step: 'deserialize', name: 'sendInSlices' });
}
