import type { Readable } from 'node:stream';

/** An object as a listing shows it. */
export interface ListedObject {
  key: string;
  bytes: number;
}

/** What a store says of one object. */
export interface ObjectFacts {
  bytes: number;
  /** SHA-256 of the content, in hex, if the store itself has computed it over all of it; null if it reports none. */
  sha256: string | null;
  /** The composite checksum of an object that was sent in parts, see `compositeOf`; null if the store reports none. */
  compositeSha256: string | null;
  /** Until when the store refuses to delete it; null if it may be deleted, or if the store does not tell. */
  lockedUntil: Date | null;
  metadata: ObjectMetadata;
}

/** The content of an object, and what was stored with it. */
export interface StoredObject {
  content: Readable;
  metadata: ObjectMetadata;
}

/** What was sent of an object that is now stored whole. */
export interface SentObject {
  /** SHA-256 of each part in hex, in order; of an object that was sent at once, that of all of it. */
  parts: readonly string[];
}

/** What became of an object that was to be deleted. */
export interface Removal {
  key: string;
  /** `retained`: the store refuses while a lock on it holds, which is no error. */
  outcome: 'deleted' | 'retained' | 'failed';
  /** The store's own words if it was not deleted; cleaned. */
  reason: string | null;
  /** What to do where it failed. */
  hint: string | null;
}

/** An upload that was begun and neither completed nor aborted: its parts cost money and are not seen in listings. */
export interface UnfinishedUpload {
  key: string;
  uploadId: string;
}

/** By name; for the lifecycle rules of the bucket. */
export type ObjectTags = Readonly<Record<string, string>>;

/** By name, in lower case; what the store keeps with an object and returns with it. Of objects of others: any text. */
export type ObjectMetadata = Readonly<Record<string, string>>;

/** What an object gets besides its content. */
export interface ObjectProperties {
  /** Added to those of the store's settings, unless these say that none are sent. */
  tags?: ObjectTags;
  metadata?: ObjectMetadata;
  /** Is read by every run: it does not go into a storage class from which nothing can be read at once. */
  isIndex?: boolean;
}

/**
 * A store of objects off the host. Keys are complete, with the prefix. Every method rejects with a Failure `bucket-unusable`
 * that has the store's own code and the one thing to do; with the signal's reason once it is aborted.
 */
export interface ObjectStore {
  /** For people: `"bucket" at s3.example.com`. */
  readonly name: string;
  /** `s3://bucket/key`. */
  uri(key: string): string;
  /** Every object whose key begins with exactly this, however many pages that takes, in the order of keys. */
  list(prefix: string): AsyncIterable<ListedObject>;
  /** null if there is no such object. */
  facts(key: string): Promise<ObjectFacts | null>;
  /** The content, or its first `most` bytes; null if there is no such object. Fails if the content ends early. */
  read(key: string, most?: number): Promise<StoredObject | null>;
  /**
   * Stores an object whole or not at all: parts of the stream that were sent are removed again if the stream fails (then it
   * rejects with the stream's error), is shorter or longer than `bytes`, or the store fails. Holds at most 64 MiB of it in
   * memory. An object of the same key is replaced.
   * @param onBytes called with how many bytes have arrived in the store
   */
  write(
    key: string,
    content: Readable,
    bytes: number,
    onBytes?: (bytes: number) => void,
    properties?: ObjectProperties,
  ): Promise<SentObject>;
  /** One result for each key. A key that is not there counts as deleted. */
  remove(keys: readonly string[]): Promise<Removal[]>;
  /** Uploads under this prefix that nobody has finished. */
  unfinished(prefix: string): AsyncIterable<UnfinishedUpload>;
  abort(upload: UnfinishedUpload): Promise<void>;
  /** Frees its connections. */
  close(): void;
}
