import { createHash } from 'node:crypto';
import { Failure } from '../failure.ts';
import type { IncomingFile } from '../host/incoming-files.ts';
import type { ManifestSummary } from '../sets/manifest.ts';
import { namesOf } from '../sets/read-sets.ts';
import { compositeOf } from './checksums.ts';
import { type FolderIds, folderIdIn, isOurs, metadataOf } from './folder-id.ts';
import { folderOf, isSealedOnTheWay, keyOfDump } from './keys.ts';
import type { ObjectStore, ObjectTags, SentObject } from './object-store.ts';
import { sealedFiles } from './seal-files.ts';
import { checkedFiles, differs } from './set-files.ts';

/** Which set to copy, and to where. */
export interface CopyTarget {
  prefix: string;
  environment: string;
  /** Those of the backup folder that the set is from. */
  folderIds: FolderIds;
  manifest: ManifestSummary;
  /** Public keys to encrypt a plain set to on its way; empty: it is copied as it is. */
  sealTo: readonly string[];
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

/**
 * Copies a set. Its `.sha256` list must come first, its manifest last: without that, the set does not exist in the bucket. An
 * earlier copy of the set is replaced, unless another backup folder made it. A file whose bytes differ from its checksum is never
 * completed in the bucket; what was copied of a set that fails is removed again, as far as the store still answers.
 * @throws Failure `copy-differs`, `copy-not-ours`, `bucket-unusable`; what the files throw; the signal's reason
 */
export async function copySet(
  store: ObjectStore,
  target: CopyTarget,
  files: AsyncIterable<IncomingFile>,
  tell: CopyListener,
): Promise<CopiedSet> {
  const { manifest, sealTo } = target;
  const folder = folderOf(target.prefix, target.environment, manifest.id);
  const copied: CopiedFile[] = [];
  const checked = checkedFiles(manifest, files);
  const outgoing = isSealedOnTheWay(manifest, sealTo) ? sealedFiles(manifest, checked, sealTo) : checked;
  const written: string[] = [];
  try {
    for await (const { name, part, bytes, content, sha256 } of outgoing) {
      if (copied.length === 0) await makeRoom(store, target);
      tell.begins(name, bytes);
      const key = `${folder}${name}`;
      const properties = {
        ...(target.tags && { tags: target.tags }),
        ...(part === 'manifest' && { metadata: metadataOf(target.folderIds), isIndex: true }),
      };
      const { parts } = await store.write(key, content, bytes, (arrived) => tell.arrived(arrived), properties);
      written.push(key);
      const known = sha256();
      const confirmation = await confirm(store, key, { bytes, sha256: known, parts });
      tell.confirmed(name, confirmation);
      copied.push({ name, key, bytes, sha256: known, confirmation });
    }
  } catch (error) {
    // If this fails as well, the next run may do it: see `keepOffsite`.
    await store.remove(written).catch(() => {});
    throw error;
  }
  const bytes = copied.reduce((sum, file) => sum + file.bytes, 0);
  return { id: manifest.id, uri: store.uri(keyOfDump(target, manifest)), bytes, files: copied };
}

/** Compares what lies in the bucket with what was sent; removes it if it is something else. */
async function confirm(
  store: ObjectStore,
  key: string,
  { bytes, sha256, parts }: { bytes: number; sha256: string } & SentObject,
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
    (facts.compositeSha256 !== null && facts.compositeSha256 !== compositeOf(parts));
  if (isOther) throw await wrong('has another checksum than what was sent');
  if (facts.sha256 !== null || facts.compositeSha256 !== null) return 'reported';
  const stored = await store.read(key);
  if (stored === null) throw differs(`${store.uri(key)} is not there, although the store took it`);
  const hash = createHash('sha256');
  for await (const chunk of stored.content) hash.update(chunk as Buffer);
  if (hash.digest('hex') !== sha256) throw await wrong('holds other bytes than were sent');
  return 'read-back';
}

/** While the files are replaced, the set must not look complete. Nothing plain may stay beside what is encrypted. */
async function makeRoom(
  store: ObjectStore,
  { prefix, environment, folderIds, manifest, sealTo }: CopyTarget,
): Promise<void> {
  const folder = folderOf(prefix, environment, manifest.id);
  const { dump, schema, globals, settings, report, manifest: first } = namesOf({ manifest });
  await demandOurs(store, `${folder}${first}`, folderIds);
  const plain = isSealedOnTheWay(manifest, sealTo) ? [dump, schema, globals, settings, report] : [];
  const keys = [first, ...plain].map((name) => `${folder}${name}`);
  const failed = (await store.remove(keys)).find(({ outcome }) => outcome === 'failed');
  if (failed === undefined) return;
  throw new Failure('bucket-unusable', `An earlier copy cannot be replaced: ${failed.reason}`, {
    ...(failed.hint !== null && { hint: failed.hint }),
  });
}

/** Two hosts may take a backup in the same second. @throws Failure `copy-not-ours` */
async function demandOurs(store: ObjectStore, key: string, folderIds: FolderIds): Promise<void> {
  const noted = folderIdIn((await store.facts(key))?.metadata ?? {});
  if (isOurs(noted, folderIds)) return;
  throw new Failure(
    'copy-not-ours',
    `${store.uri(key)} is of another backup folder (${noted}): its copy was left as it is`,
    { hint: 'Give this host an "s3-prefix" of its own' },
  );
}
