import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { ObjectStore } from '../../shared/offsite/object-store.ts';
import type { StoredSet } from '../../shared/offsite/stored-sets.ts';
import { filesOf, judgeReading, namesOf, type Reading } from '../../shared/sets/read-sets.ts';
import type { CopyReading } from './judge-offsite.ts';

/** Bytes of a checksum list; no honest one is longer. */
const longestList = 64 * 1024;

/**
 * Compares every file of a copy with its checksums and its manifest. What the store has computed over all of the dump itself is
 * taken as its checksum; else the dump is read in full, unless it has more bytes than `mostRead`: then only its size is known.
 * @param onReading called before the dump is read
 */
export async function readCopy(
  store: ObjectStore,
  { id, database, files, manifest }: StoredSet,
  mostRead: number,
  onReading: (uri: string) => void,
): Promise<CopyReading> {
  const set = { state: 'verified' as const, id, database, manifest, folders: ['daily' as const] };
  const names = namesOf(set);
  const keyOf = (name: string) => files.find((file) => file.name === name)?.key;
  const open = async (name: string) => {
    const key = keyOf(name);
    return key === undefined ? null : ((await store.read(key))?.content ?? null);
  };
  const reading: Reading & { sums: Map<string, string | null>; lists: Map<string, string> } = {
    sums: new Map(),
    lists: new Map(),
  };
  for (const name of [names.sha256, names.md5]) {
    const key = keyOf(name);
    const list = key === undefined ? null : await store.read(key, longestList);
    if (list !== null) reading.lists.set(`daily/${name}`, (await buffer(list.content)).toString('utf8'));
  }
  let bytes = 0;
  const hashed = async (name: string) => {
    const content = await open(name);
    if (content === null) return null;
    const hash = createHash('sha256');
    for await (const piece of content as AsyncIterable<Buffer>) {
      hash.update(piece);
      bytes += piece.length;
    }
    return hash.digest('hex');
  };
  for (const name of filesOf(names).filter((name) => name !== names.dump))
    reading.sums.set(`daily/${name}`, await hashed(name));

  const facts = await store.facts(keyOf(names.dump) ?? '');
  let how: CopyReading['how'] = 'reported';
  let sha256 = facts?.sha256 ?? null;
  if (facts !== null && sha256 === null) {
    how = facts.bytes > mostRead ? 'size' : 'read';
    if (how === 'read') {
      onReading(store.uri(keyOf(names.dump) ?? ''));
      sha256 = await hashed(names.dump);
    }
  }
  // Of a dump that is not read nothing more is known, so it gives no fault here: its judge says so.
  reading.sums.set(`daily/${names.dump}`, how === 'size' ? manifest.sha256 : sha256);
  return { id, how, bytes, ...judged(judgeReading(set, reading)) };
}

const judged = ({ files, faults }: { files: number; faults: string[] }) => ({ files, faults });
