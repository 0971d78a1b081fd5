import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Failure } from '../failure.ts';
import type { IncomingFile } from '../host/incoming-files.ts';
import type { ManifestSummary } from '../sets/manifest.ts';
import { parseSetFileName, type SetFileName } from '../sets/naming.ts';
import { listedSums } from '../sets/read-sets.ts';

/** A file of a set on its way into the bucket. */
export interface SetFile {
  /** Bare. */
  name: string;
  part: SetFileName['part'];
  bytes: number;
  /** Fails at its end if these are not the bytes that they should be. */
  content: Readable;
  /** Of all of the content, once it was read to its end. */
  sha256(): string;
}

/** Of a checksum list, which is kept in memory. */
const longestList = 65_536;

/**
 * Compares the files that the host sends with the set's checksums, as they flow. The `.sha256` list must come first, the manifest
 * last.
 * @throws Failure `copy-differs`; what the files throw
 */
export async function* checkedFiles(
  manifest: ManifestSummary,
  files: AsyncIterable<IncomingFile>,
): AsyncGenerator<SetFile> {
  const seen = new Set<string>();
  let sums: ReadonlyMap<string, string> | null = null;
  let isOver = false;
  for await (const { name, bytes, content: sent } of files) {
    const parsed = parseSetFileName(name);
    if (parsed === null || parsed.id !== manifest.id || seen.has(name))
      throw differs(`The host sent ${name}, which is not a file of ${manifest.id}, or was sent before`);
    if (isOver) throw differs(`${name} came after the manifest`);
    const { part } = parsed;
    let content = sent;
    if (sums === null) {
      if (part !== 'sha256') throw differs(`The host sent ${name} before the list of checksums`);
      const list = await wholeContent({ name, bytes, content }, longestList);
      sums = listedSums(list.toString('utf8'));
      if (sums.get(manifest.file) !== manifest.sha256)
        throw differs(`${name} and the manifest disagree on ${manifest.file}`);
      content = Readable.from([list], { objectMode: false });
    }
    const expected = name === manifest.file ? manifest.sha256 : sums.get(name);
    if (expected === undefined && !['sha256', 'md5'].includes(part))
      throw differs(`The list of checksums lacks ${name}`);
    if (name === manifest.file && bytes !== manifest.sizeBytes)
      throw differs(`${name} has ${bytes} bytes, but the manifest says ${manifest.sizeBytes}`);
    isOver = part === 'manifest';
    if (isOver) demandAll(sums, seen, name);
    seen.add(name);
    const hash = createHash('sha256');
    yield {
      name,
      part,
      bytes,
      content: Readable.from(compared(content, hash, name, expected), { objectMode: false }),
      sha256: () => expected ?? hash.copy().digest('hex'),
    };
  }
  if (!isOver) throw differs(`The host sent no manifest of ${manifest.id}`);
}

function demandAll(sums: ReadonlyMap<string, string>, seen: ReadonlySet<string>, manifestName: string): void {
  const missing = [...sums.keys()].filter((name) => name !== manifestName && !seen.has(name));
  if (missing.length > 0) throw differs(`The host did not send ${missing.join(', ')}`);
}

async function* compared(
  content: Readable,
  hash: Hash,
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

/** @throws Failure `copy-differs` if it has more bytes than that */
export async function wholeContent({ name, content, bytes }: IncomingFile, most: number): Promise<Buffer> {
  const tooLarge = () => differs(`${name} is too large: more than ${most} bytes`);
  if (bytes > most) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of content) {
    length += (chunk as Buffer).length;
    if (length > most) throw tooLarge();
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

export function differs(what: string): Failure {
  return new Failure('copy-differs', what, {
    hint: 'Let verify-action check the backups on the host (checks: backups). If one is damaged there, move its files out of the backup folder; otherwise run the backup again',
  });
}
