import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { SentDump, type Side } from '../../shared/drill/sent-dump.ts';
import { Failure, isFailure } from '../../shared/failure.ts';
import type { Connection } from '../../shared/host/connection.ts';
import type { ObjectStore } from '../../shared/offsite/object-store.ts';
import { openS3Store } from '../../shared/offsite/s3-store.ts';
import { type StoredSet, storedSets } from '../../shared/offsite/stored-sets.ts';
import * as log from '../../shared/runner/log.ts';
import { type Catalogue, pathOf, type VerifiedSet } from '../../shared/sets/catalogue.ts';
import { decryptStream } from '../../shared/sets/decrypt.ts';
import type { Manifest } from '../../shared/sets/manifest.ts';
import { readFiles } from '../../shared/sets/read-files.ts';
import { longestManifest, readManifest } from '../../shared/sets/read-manifest.ts';
import { listedSums, namesOf, sidesOf } from '../../shared/sets/read-sets.ts';
import { unsealManifest } from '../../shared/sets/sealed-manifest.ts';
import { wholeManifest } from '../../shared/sets/whole-manifest.ts';
import type { VerifyInputs } from '../inputs.ts';
import type { Verification } from '../surveyed-host.ts';
import { chooseSet } from './judge-drill.ts';

/** A backup to drill, on the host or in the bucket. */
export interface DrillSource {
  /** Its folders are those on the host: none if it is only in the bucket. */
  set: VerifiedSet;
  /** URI of the dump in the bucket; null if it is the host's own. */
  copy: string | null;
  /** Whether the dump goes through the runner. */
  isSent: boolean;
  manifest(): Promise<Manifest>;
  sent(): Promise<SentDump | null>;
  close(): Promise<void>;
}

/** Compressed bytes of one file beside the dump; the schema of 30,000 tables has some 4 MiB. */
const longestSide = 32 * 1024 * 1024;

/** Bytes of the list of checksums. */
const longestList = 64 * 1024;

/** Milliseconds. A restore that builds a large index takes nothing from the store meanwhile. */
const longestPause = 30 * 60_000;

/**
 * Finds the backup that the inputs name.
 * @param database null if neither the host nor the inputs tell it
 * @throws Failure `no-backup`
 */
export async function sourceOf(
  connection: Connection,
  database: string | null,
  catalogue: Catalogue,
  run: Verification,
): Promise<DrillSource> {
  const { inputs, signal } = run;
  const { bucket } = inputs;
  if (inputs.drillFrom === 'host' || bucket === null) return onHost(connection, database, catalogue, run);
  const store = await openS3Store(bucket, signal, { silence: longestPause });
  try {
    return await inBucket(store, database, catalogue, inputs);
  } catch (error) {
    store.close();
    throw error;
  }
}

function onHost(
  connection: Connection,
  database: string | null,
  catalogue: Catalogue,
  { inputs, signal }: Verification,
): DrillSource {
  const { backupDir, timeout, drillBackup } = inputs;
  const set = database === null ? null : chooseSet(drillBackup, database, catalogue.sets);
  if (set === null) throw noBackup('verified backup', drillBackup, database, backupDir);
  const names = namesOf(set);
  const isSent = set.manifest.encryption === 'age';
  const opened: AsyncGenerator<{ content: Readable }>[] = [];
  const read = async (name: string) => {
    const files = readFiles(connection, { backupDir, set, names: [name], timeout, signal, onLog: log.host });
    opened.push(files);
    const { value } = await files.next();
    return (value as { content: Readable }).content;
  };
  return {
    set,
    copy: null,
    isSent,
    manifest: () => wholeManifest(connection, backupDir, set, { signal, onLog: log.host }),
    sent: async () => (isSent ? sentDump(`${backupDir}/${pathOf(set)}/${names.dump}`, set, read, inputs) : null),
    close: async () => {
      for (const files of opened) await files.return(undefined).catch(() => {});
    },
  };
}

async function inBucket(
  store: ObjectStore,
  given: string | null,
  catalogue: Catalogue,
  inputs: VerifyInputs,
): Promise<DrillSource> {
  const { bucket, environment, drillBackup } = inputs;
  const prefix = bucket?.prefix ?? '';
  const stored = await storedSets(store, prefix, environment);
  const place = store.uri(`${prefix}/${environment}`);
  const database = given ?? onlyOne(stored.map((set) => set.database));
  const own = stored.filter((set) => set.database === database);
  const [newest] = own;
  const wanted = drillBackup === 'latest' ? undefined : own.find(({ id }) => id === drillBackup);
  const chosen = drillBackup === 'latest' ? own.find(({ isComplete }) => isComplete) : wanted;
  if (chosen === undefined || !chosen.isComplete)
    throw noBackup('complete copy', drillBackup, database, place, (wanted ?? newest)?.faults);
  if (drillBackup === 'latest' && newest !== chosen)
    log.warning(`The newest copy, ${newest?.id}, is not complete: ${newest?.faults.join(', ')}. Drilling ${chosen.id}`);
  const { id, manifest } = chosen;
  // The proof of a copy is no proof of another set with the same id.
  const here = catalogue.sets.find(
    (set) => set.state === 'verified' && set.id === id && set.manifest.sha256 === unsealManifest(manifest).sha256,
  );
  const set: VerifiedSet = { state: 'verified', id, database: chosen.database, manifest, folders: here?.folders ?? [] };
  const names = namesOf(set);
  const read = (name: string) => readObject(store, chosen, name);
  const copy = store.uri(keyOf(chosen, names.dump));
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
        throw new Failure('manifest-unreadable', `${store.uri(keyOf(chosen, names.manifest))} ${error.message}`, {
          hint: 'Do not rely on this copy: drill another one, or the one on the host',
          cause: error,
        });
      }
    },
    sent: () => sentDump(copy, set, read, inputs),
    close: async () => store.close(),
  };
}

/** The one that all are; null if there is none, or another. */
function onlyOne(databases: readonly string[]): string | null {
  const [first = null, ...others] = new Set(databases);
  return others.length === 0 ? first : null;
}

function noBackup(
  kind: string,
  drillBackup: string,
  database: string | null,
  place: string,
  faults: readonly string[] = [],
): Failure {
  const which = drillBackup === 'latest' ? kind : `${kind} ${drillBackup}`;
  const what = database === null ? 'any database, or not of one alone' : `"${database}"`;
  const why = faults.length === 0 ? '' : `: ${faults.join(', ')}`;
  return new Failure('no-backup', `No ${which} of ${what} found in ${place}${why}`, {
    hint: `Run backup-action, or set "drill-backup" to another backup${database === null ? ', or "db-name"' : ''}`,
  });
}

const keyOf = ({ files }: StoredSet, name: string) => files.find((file) => file.name === name)?.key ?? name;

async function readObject(store: ObjectStore, set: StoredSet, name: string): Promise<Readable> {
  const key = keyOf(set, name);
  const content = await store.read(key);
  if (content !== null) return content;
  throw new Failure('set-gone', `${store.uri(key)} no longer exists`, { hint: 'Drill the newest copy' });
}

/** What is encrypted is decrypted here. @throws Failure `decrypt-key-missing`; `copy-differs` if a file beside the dump is another */
async function sentDump(
  name: string,
  set: VerifiedSet,
  read: (name: string) => Promise<Readable>,
  { decryptKey }: VerifyInputs,
): Promise<SentDump> {
  const isEncrypted = set.manifest.encryption === 'age';
  if (isEncrypted && decryptKey === null) {
    throw new Failure('decrypt-key-missing', `${set.id} is encrypted, and can be restored only with a private key`, {
      hint: 'Give "decrypt-key", as a secret: it stays on this runner. Nothing was restored',
    });
  }
  const names = namesOf(set);
  const list = await bufferOf(await read(names.sha256), names.sha256, longestList);
  const sums = listedSums(list.toString('utf8'));
  const sides = new Map<Side, Buffer>();
  for (const side of sidesOf(set)) {
    const stored = await bufferOf(await read(names[side]), names[side], longestSide);
    // The dump is compared at its end; these would be restored before that.
    if (createHash('sha256').update(stored).digest('hex') !== sums.get(names[side])) {
      throw new Failure('copy-differs', `${names[side]} beside ${name} does not match ${names.sha256}`, {
        hint: 'Nothing was restored. Do not rely on this copy of the backup: drill another one, and find out what changed the file',
      });
    }
    sides.set(side, names[side].endsWith('.age') ? await decrypted(stored, decryptKey ?? '') : stored);
  }
  return new SentDump(name, () => read(names.dump), sides, isEncrypted ? decryptKey : null);
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
