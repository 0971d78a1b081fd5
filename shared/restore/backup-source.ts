import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { SentDump, type Side } from '../drill/sent-dump.ts';
import { Failure, isFailure } from '../failure.ts';
import type { Connection } from '../host/connection.ts';
import type { BucketPlace } from '../offsite/bucket-place.ts';
import { isOurs } from '../offsite/folder-id.ts';
import type { ObjectStore } from '../offsite/object-store.ts';
import { openS3Store } from '../offsite/s3-store.ts';
import { contentsOf, type StoredPart, type StoredSet } from '../offsite/stored-sets.ts';
import {
  type BackupSet,
  type Catalogue,
  newestFirst,
  pathOf,
  type VerifiedSet,
  verifiedSetsOf,
} from '../sets/catalogue.ts';
import { decryptStream } from '../sets/decrypt.ts';
import type { Manifest } from '../sets/manifest.ts';
import { readFiles } from '../sets/read-files.ts';
import { longestManifest, readManifest } from '../sets/read-manifest.ts';
import { listedSums, namesOf, sidesOf } from '../sets/read-sets.ts';
import { unsealManifest } from '../sets/sealed-manifest.ts';
import { wholeManifest } from '../sets/whole-manifest.ts';
import type { StoryLog } from '../story-log.ts';

/** Which backup is wanted, and where it is. */
export interface SourceRequest {
  /** An id, or `latest`; or what chooses an id from the sets that are known there, newest first. */
  wanted: string | ((sets: readonly BackupSet[]) => string);
  from: 'host' | 's3';
  /** null: none was given, so `from` is the host. */
  bucket: BucketPlace | null;
  /** Of the backup folder whose copies `latest` means; empty: any. */
  folderIds: readonly string[];
  environment: string;
  backupDir: string;
  /** null: any, where an id is wanted; nothing, for `latest`. */
  database: string | null;
  /** Private keys of age or SSH; null if none was given. */
  decryptKey: string | null;
  /** The input that names the backup, for hints. */
  input: 'drill-backup' | 'restore-database';
  /** Milliseconds. */
  timeout: number;
  signal: AbortSignal;
  log: StoryLog;
}

/** The same, once it is clear which one. */
type ClearRequest = SourceRequest & { wanted: string };

/** A backup to restore, on the host or in the bucket. */
export interface BackupSource {
  /** Its folders are those on the host: none if it is only in the bucket. */
  set: VerifiedSet;
  /** URI of the dump in the bucket; null if it is the host's own. */
  copy: string | null;
  /** Whether the dump goes through the runner. */
  isSent: boolean;
  manifest(): Promise<Manifest>;
  /** The dump and what lies beside it, if they go through the runner; else null. */
  sent(): Promise<SentDump | null>;
  /** A file beside the dump, decrypted and decompressed; null if the backup has none. */
  beside(side: Side): Promise<string | null>;
  close(): Promise<void>;
}

/** Compressed bytes of one file beside the dump; the schema of 30,000 tables has some 4 MiB. */
const longestSide = 32 * 1024 * 1024;
/** Bytes of it, decompressed. */
const longestText = 8 * longestSide;

/** Bytes of the list of checksums. */
const longestList = 64 * 1024;

/** Milliseconds. A restore that builds a large index takes nothing from the store meanwhile. */
const longestPause = 30 * 60_000;

/**
 * Finds the backup that is wanted.
 * @throws Failure `no-backup`
 */
export async function sourceOf(
  connection: Connection,
  catalogue: Catalogue,
  request: SourceRequest,
): Promise<BackupSource> {
  const { from, bucket, signal } = request;
  if (from === 'host' || bucket === null) return onHost(connection, catalogue, chosen(request, catalogue.sets));
  const store = await openS3Store(bucket, signal, { silence: longestPause });
  try {
    return await inBucket(store, catalogue, request);
  } catch (error) {
    store.close();
    throw error;
  }
}

function chosen(request: SourceRequest, sets: readonly BackupSet[]): ClearRequest {
  const { wanted } = request;
  return { ...request, wanted: typeof wanted === 'string' ? wanted : wanted(sets) };
}

function onHost(connection: Connection, catalogue: Catalogue, request: ClearRequest): BackupSource {
  const { backupDir, timeout, signal, log } = request;
  const onLog = (line: string) => log.host(line);
  const set = chooseSet(request, catalogue);
  if (set === null) throw noBackup('verified backup', request, request.database, backupDir);
  const names = namesOf(set);
  const isSent = set.manifest.encryption === 'age';
  const opened: AsyncGenerator<{ content: Readable }>[] = [];
  const read = async (name: string) => {
    const files = readFiles(connection, { backupDir, set, names: [name], timeout, signal, onLog });
    opened.push(files);
    const { value } = await files.next();
    return (value as { content: Readable }).content;
  };
  const close = async () => {
    for (const files of opened.splice(0)) await files.return(undefined).catch(() => {});
  };
  return {
    set,
    copy: null,
    isSent,
    manifest: () => wholeManifest(connection, backupDir, set, { signal, onLog }),
    sent: async () => (isSent ? sentDump(`${backupDir}/${pathOf(set)}/${names.dump}`, set, read, request) : null),
    beside: async (side) => {
      const text = await besideDump(set, side, read, request);
      await close();
      return text;
    },
    close,
  };
}

/** The set on the host that is wanted; null if there is none. */
function chooseSet({ wanted, database }: ClearRequest, { sets }: Catalogue): VerifiedSet | null {
  if (wanted === 'latest') return database === null ? null : (verifiedSetsOf(database, sets)[0] ?? null);
  const named = sets.find((set) => set.state === 'verified' && set.id === wanted);
  return named?.state === 'verified' && (database === null || named.database === database) ? named : null;
}

async function inBucket(store: ObjectStore, catalogue: Catalogue, open: SourceRequest): Promise<BackupSource> {
  const { bucket, environment, log } = open;
  const prefix = bucket?.prefix ?? '';
  const { sets: all, parts } = await contentsOf(store, prefix, environment);
  const request = chosen(open, knownSets(catalogue, all));
  const { wanted } = request;
  const place = store.uri(`${prefix}/${environment}`);
  const isLatest = wanted === 'latest';
  const stored = isLatest ? all.filter((set) => isOurs(set.folderId, request.folderIds)) : all;
  const database = request.database ?? (isLatest ? onlyOne(stored.map((set) => set.database)) : null);
  const own = stored.filter((set) => (database === null && !isLatest) || set.database === database);
  const [newest] = own;
  const named = isLatest ? undefined : own.find(({ id }) => id === wanted);
  const found = isLatest ? own.find(({ isComplete }) => isComplete) : named;
  // It may be of another database: only its manifest would tell.
  const unread = parts.find(
    ({ id, state }) => state === 'unread' && (isLatest ? id > (found?.id ?? '') : id === wanted),
  );
  if (unread !== undefined && (!isLatest || found === undefined)) throw unreadCopy(place, unread);
  if (found === undefined || !found.isComplete)
    throw noBackup('complete copy', request, database, place, (named ?? (isLatest ? newest : undefined))?.faults);
  if (isLatest && newest !== found)
    log.warning(`The newest copy, ${newest?.id}, is not complete: ${newest?.faults.join(', ')}. Taking ${found.id}`);
  if (unread !== undefined)
    log.warning(`A newer copy, ${unread.id}, is passed over: ${unread.why}. Taking ${found.id}`);
  const { id, manifest } = found;
  // The proof of a copy is no proof of another set with the same id.
  const here = catalogue.sets.find(
    (set) => set.state === 'verified' && set.id === id && set.manifest.sha256 === unsealManifest(manifest).sha256,
  );
  const set: VerifiedSet = { state: 'verified', id, database: found.database, manifest, folders: here?.folders ?? [] };
  const names = namesOf(set);
  const read = (name: string) => readObject(store, found, name);
  const copy = store.uri(keyOf(found, names.dump));
  return {
    set,
    copy,
    isSent: true,
    manifest: async () => {
      const text = await bufferOf(await read(names.manifest), names.manifest, longestManifest);
      try {
        return readManifest(text.toString('utf8'));
      } catch (error) {
        if (!isFailure(error, 'bad-manifest')) throw error;
        throw new Failure('manifest-unreadable', `${store.uri(keyOf(found, names.manifest))} ${error.message}`, {
          hint: 'Do not rely on this copy: take another one, or the one on the host',
          cause: error,
        });
      }
    },
    sent: () => sentDump(copy, set, read, request),
    beside: (side) => besideDump(set, side, read, request),
    close: async () => store.close(),
  };
}

/**
 * What the host knows counts as well: one that never came into the bucket must not make an older one look like the one that is
 * wanted.
 */
function knownSets({ sets }: Catalogue, stored: readonly StoredSet[]): BackupSet[] {
  const here = new Set(sets.map(({ id }) => id));
  const others = stored
    .filter(({ id }) => !here.has(id))
    .map(({ id, database, manifest }): BackupSet => ({ state: 'verified', id, database, manifest, folders: [] }));
  return [...sets, ...others].toSorted((a, b) => newestFirst(a.id, b.id));
}

/** The one that all are; null if there is none, or another. */
function onlyOne(databases: readonly string[]): string | null {
  const [first = null, ...others] = new Set(databases);
  return others.length === 0 ? first : null;
}

function noBackup(
  kind: string,
  { wanted, input }: ClearRequest,
  database: string | null,
  place: string,
  faults: readonly string[] = [],
): Failure {
  const which = wanted === 'latest' ? kind : `${kind} ${wanted}`;
  const unknown = wanted === 'latest' ? ' of any database, or not of one alone' : '';
  const what = database === null ? unknown : ` of "${database}"`;
  const why = faults.length === 0 ? '' : `: ${faults.join(', ')}`;
  return new Failure('no-backup', `No ${which}${what} found in ${place}${why}`, {
    hint: `Run backup-action, or set "${input}" to another backup${database === null && wanted === 'latest' ? ', or "db-name"' : ''}`,
  });
}

function unreadCopy(place: string, { id, why }: StoredPart): Failure {
  return new Failure('manifest-unreadable', `${place}/${id}: ${why}`, {
    hint: 'Bring it back in the store first (aws s3api restore-object, if it is archived), or name another backup',
  });
}

const keyOf = ({ files }: StoredSet, name: string) => files.find((file) => file.name === name)?.key ?? name;

async function readObject(store: ObjectStore, set: StoredSet, name: string): Promise<Readable> {
  const key = keyOf(set, name);
  const stored = await store.read(key);
  if (stored !== null) return stored.content;
  throw new Failure('set-gone', `${store.uri(key)} no longer exists`, { hint: 'Take the newest copy' });
}

/** What is encrypted is decrypted here. @throws Failure `decrypt-key-missing` */
async function sentDump(
  name: string,
  set: VerifiedSet,
  read: (name: string) => Promise<Readable>,
  request: SourceRequest,
): Promise<SentDump> {
  const key = keyFor(set, request);
  const names = namesOf(set);
  const sides = new Map<Side, Buffer>();
  for (const side of sidesOf(set)) sides.set(side, await readSide(set, side, read, key));
  return new SentDump(name, () => read(names.dump), sides, key);
}

async function besideDump(
  set: VerifiedSet,
  side: Side,
  read: (name: string) => Promise<Readable>,
  request: SourceRequest,
): Promise<string | null> {
  if (!sidesOf(set).includes(side)) return null;
  const packed = await readSide(set, side, read, keyFor(set, request));
  try {
    return gunzipSync(packed, { maxOutputLength: longestText }).toString('utf8');
  } catch {
    throw new Failure('checksum-failed', `${namesOf(set)[side]} of ${set.id} cannot be decompressed`, {
      hint: 'Nothing was restored. Take another backup',
    });
  }
}

/** @throws Failure `decrypt-key-missing` */
function keyFor(set: VerifiedSet, { decryptKey }: SourceRequest): string | null {
  if (set.manifest.encryption !== 'age') return null;
  if (decryptKey !== null) return decryptKey;
  throw new Failure('decrypt-key-missing', `${set.id} is encrypted, and can be restored only with a private key`, {
    hint: 'Give "decrypt-key", as a secret: it stays on this runner. Nothing was restored',
  });
}

/**
 * A file beside the dump, compressed. The dump is compared at its end; this is used before that.
 * @throws Failure `copy-differs` if it is not the one in the list of checksums
 */
async function readSide(
  set: VerifiedSet,
  side: Side,
  read: (name: string) => Promise<Readable>,
  key: string | null,
): Promise<Buffer> {
  const names = namesOf(set);
  const name = names[side];
  const list = await bufferOf(await read(names.sha256), names.sha256, longestList);
  const stored = await bufferOf(await read(name), name, longestSide);
  if (createHash('sha256').update(stored).digest('hex') !== listedSums(list.toString('utf8')).get(name)) {
    throw new Failure('copy-differs', `${name} of ${set.id} does not match ${names.sha256}`, {
      hint: 'Nothing was restored. Do not rely on this copy of the backup: take another one, and find out what changed the file',
    });
  }
  return name.endsWith('.age') ? decrypted(stored, key ?? '') : stored;
}

async function bufferOf(content: Readable, name: string, most: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of content as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > most) throw new Failure('result-too-large', `${name} is too large: more than ${most} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

async function decrypted(stored: Buffer, key: string): Promise<Buffer> {
  const stream = decryptStream(key);
  stream.end(stored);
  return buffer(stream);
}
