import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Failure } from '../failure.ts';
import type { IncomingFile } from '../host/incoming-files.ts';
import type { ManifestSummary } from '../sets/manifest.ts';
import { parseSetFileName } from '../sets/naming.ts';
import { listedSums } from '../sets/read-sets.ts';
import { compositeOf } from './checksums.ts';
import type { ObjectStore, ObjectTags, SentObject } from './object-store.ts';

/** Which set to copy, and to where. */
export interface CopyTarget {
  prefix: string;
  environment: string;
  manifest: ManifestSummary;
  /** For the lifecycle rules of the bucket. */
  tags?: ObjectTags;
}

/** How it was established that the bucket holds what was verified: the store reported its checksum, or it was read back. */
export type Confirmation = 'reported' | 'read-back';

export interface CopiedFile {
  name: string;
  key: string;
  bytes: number;
  sha256: string;
  confirmation: Confirmation;
}

export interface CopiedSet {
  id: string;
  /** Of the dump. */
  uri: string;
  bytes: number;
  files: CopiedFile[];
}

/** Is told how a copy gets on. */
export interface CopyListener {
  begins(name: string, bytes: number): void;
  /** So many bytes more have arrived in the store. */
  arrived(bytes: number): void;
  confirmed(name: string, how: Confirmation): void;
}

/** Where the objects of a set lie. */
export function folderOf(prefix: string, environment: string, id: string): string {
  return `${prefix}/${environment}/${id}/`;
}

/** Of a checksum list, which is kept in memory. */
const longestList = 65_536;

/**
 * Copies a set. Its `.sha256` list must come first, its manifest last: without that, the set does not exist in the bucket. An
 * earlier copy of the set is replaced. A file whose bytes differ from its checksum is never completed in the bucket.
 * @throws Failure `copy-differs`, `bucket-unusable`; what the files throw; the signal's reason
 */
export async function copySet(
  store: ObjectStore,
  target: CopyTarget,
  files: AsyncIterable<IncomingFile>,
  tell: CopyListener,
): Promise<CopiedSet> {
  const { manifest } = target;
  const folder = folderOf(target.prefix, target.environment, manifest.id);
  const copied: CopiedFile[] = [];
  let sums: ReadonlyMap<string, string> | null = null;
  for await (const file of files) {
    const parsed = parseSetFileName(file.name);
    const isExpected = parsed !== null && parsed.id === manifest.id && !copied.some(({ name }) => name === file.name);
    if (!isExpected)
      throw differs(`The host sent ${file.name}, which is no file of ${manifest.id}, or was sent before`);
    if (copied.some(({ name }) => parseSetFileName(name)?.part === 'manifest'))
      throw differs(`${file.name} came after the manifest`);
    let content = file.content;
    if (sums === null) {
      if (parsed.part !== 'sha256') throw differs(`The host sent ${file.name} before the list of checksums`);
      const list = await wholeList(file);
      sums = listedSums(list.toString('utf8'));
      if (sums.get(manifest.file) !== manifest.sha256)
        throw differs(`${file.name} and the manifest disagree on ${manifest.file}`);
      await makeRoom(store, folder, manifest);
      content = Readable.from([list], { objectMode: false });
    }
    const expected = file.name === manifest.file ? manifest.sha256 : sums.get(file.name);
    if (expected === undefined && !['sha256', 'md5'].includes(parsed.part))
      throw differs(`The list of checksums lacks ${file.name}`);
    if (file.name === manifest.file && file.bytes !== manifest.sizeBytes) {
      throw differs(`${file.name} has ${file.bytes} bytes, but the manifest says ${manifest.sizeBytes}`);
    }
    if (parsed.part === 'manifest') demandAll(sums, copied, file.name);
    tell.begins(file.name, file.bytes);
    const key = `${folder}${file.name}`;
    const hash = createHash('sha256');
    const hashed = Readable.from(hashing(content, hash, file.name, expected), { objectMode: false });
    const sent = await store.write(key, hashed, file.bytes, (bytes) => tell.arrived(bytes), target.tags);
    const known = expected ?? hash.digest('hex');
    const confirmation = await confirm(store, key, { bytes: file.bytes, sha256: known, sent });
    tell.confirmed(file.name, confirmation);
    copied.push({ name: file.name, key, bytes: file.bytes, sha256: known, confirmation });
  }
  if (!copied.some(({ name }) => parseSetFileName(name)?.part === 'manifest'))
    throw differs(`The host sent no manifest of ${manifest.id}`);
  const bytes = copied.reduce((sum, file) => sum + file.bytes, 0);
  return { id: manifest.id, uri: store.uri(`${folder}${manifest.file}`), bytes, files: copied };
}

/** Compares what lies in the bucket with what was sent; removes it if it is something else. */
async function confirm(
  store: ObjectStore,
  key: string,
  { bytes, sha256, sent }: { bytes: number; sha256: string; sent: SentObject },
): Promise<Confirmation> {
  const facts = await store.facts(key);
  const wrong = async (what: string) => {
    const [removal] = await store.remove([key]);
    const left = removal?.outcome === 'deleted' ? '' : `, and could not be deleted: ${removal?.reason}`;
    return differs(`${store.uri(key)} ${what}${left}`);
  };
  if (facts === null) throw differs(`${store.uri(key)} is not there, although the store took it`);
  if (facts.bytes !== bytes) throw await wrong(`has ${facts.bytes} bytes instead of ${bytes}`);
  const isOther =
    (facts.sha256 !== null && facts.sha256 !== sha256) ||
    (facts.compositeSha256 !== null && facts.compositeSha256 !== compositeOf(sent.parts));
  if (isOther) throw await wrong('has another checksum than what was sent');
  if (facts.sha256 !== null || facts.compositeSha256 !== null) return 'reported';
  const content = await store.read(key);
  if (content === null) throw differs(`${store.uri(key)} is not there, although the store took it`);
  const hash = createHash('sha256');
  for await (const chunk of content) hash.update(chunk as Buffer);
  if (hash.digest('hex') !== sha256) throw await wrong('holds other bytes than were sent');
  return 'read-back';
}

/** While the files are replaced, the set must not look complete. */
async function makeRoom(store: ObjectStore, folder: string, { file }: ManifestSummary): Promise<void> {
  const key = `${folder}${file.slice(0, file.indexOf('.'))}.manifest.json`;
  const [removal] = await store.remove([key]);
  if (removal?.outcome !== 'failed') return;
  throw new Failure('bucket-unusable', `An earlier copy cannot be replaced: ${removal.reason}`, {
    hint: 'Grant that login s3:DeleteObject on the bucket',
  });
}

function demandAll(sums: ReadonlyMap<string, string>, copied: readonly CopiedFile[], manifestName: string): void {
  const missing = [...sums.keys()].filter(
    (name) => name !== manifestName && !copied.some((file) => file.name === name),
  );
  if (missing.length > 0) throw differs(`The host did not send ${missing.join(', ')}`);
}

/** Passes the bytes on, and fails at their end if they are not those that were expected. */
async function* hashing(
  content: Readable,
  hash: ReturnType<typeof createHash>,
  name: string,
  expected: string | undefined,
): AsyncIterable<Buffer> {
  for await (const chunk of content) {
    hash.update(chunk as Buffer);
    yield chunk as Buffer;
  }
  if (expected !== undefined && hash.copy().digest('hex') !== expected)
    throw differs(`${name} does not match its checksum`);
}

async function wholeList({ name, content, bytes }: IncomingFile): Promise<Buffer> {
  if (bytes > longestList) throw differs(`${name} is too large for a list of checksums`);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of content) {
    length += (chunk as Buffer).length;
    if (length > longestList) throw differs(`${name} is too large for a list of checksums`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function differs(what: string): Failure {
  return new Failure('copy-differs', what, {
    hint: 'Have verify-action read the backups on the host. If one is damaged there, move its files out of the backup folder; otherwise run the backup again',
  });
}
