import { createHash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { encryptionFor } from '../sets/encrypt.ts';
import type { Manifest, ManifestSummary, SealedFrom } from '../sets/manifest.ts';
import { manifestText } from '../sets/manifest-text.ts';
import type { SetFileNames } from '../sets/naming.ts';
import { longestManifest, readManifest } from '../sets/read-manifest.ts';
import { sealManifest } from '../sets/sealed-manifest.ts';
import { sealedNames } from './keys.ts';
import { type SetFile, wholeContent } from './set-files.ts';

/**
 * Encrypts the files of a plain set on their way into the bucket. Its manifest and its lists of checksums are made anew, for what
 * lies there, and come last; the manifest last of all.
 * @param files as `checkedFiles` gives them
 * @param recipients public keys, as `recipientsIn` gives them
 */
export async function* sealedFiles(
  manifest: ManifestSummary,
  files: AsyncIterable<SetFile>,
  recipients: readonly string[],
): AsyncGenerator<SetFile> {
  const names = sealedNames(manifest);
  const sums = new Map<string, Tally>();
  for await (const file of files) {
    if (file.part === 'sha256' || file.part === 'md5') {
      // They are those of plain files.
      for await (const _ of file.content);
    } else if (file.part === 'manifest') {
      const dump = sums.get(names.dump);
      if (dump === undefined) throw new Error(`${file.name} came without a dump`);
      const text = (await wholeContent(file, longestManifest)).toString('utf8');
      const own = textFile(names, 'manifest', textOf(text, dump));
      sums.set(names.manifest, own.tally);
      yield textFile(names, 'sha256', listOf(sums, 'sha256')).file;
      yield textFile(names, 'md5', listOf(sums, 'md5')).file;
      yield own.file;
    } else {
      const { stream, sizeOf } = await encryptionFor(recipients);
      // Each failure ends both: whoever reads the second hears of it.
      pipeline(file.content, stream, () => {});
      const name = names[file.part];
      const tally = new Tally();
      sums.set(name, tally);
      const content = Readable.from(tally.counting(stream), { objectMode: false });
      yield { name, part: file.part, bytes: sizeOf(file.bytes), content, sha256: () => tally.sums().sha256 };
    }
  }
}

function textOf(text: string, dump: Tally): string {
  readManifest(text);
  return manifestText(sealManifest(JSON.parse(text) as Manifest, dump.sums()));
}

/** In the format that `sha256sum --check` reads. */
function listOf(sums: ReadonlyMap<string, Tally>, kind: 'sha256' | 'md5'): string {
  return [...sums].map(([name, tally]) => `${tally.sums()[kind]}  ${name}\n`).join('');
}

function textFile(
  names: SetFileNames,
  part: 'manifest' | 'sha256' | 'md5',
  text: string,
): { file: SetFile; tally: Tally } {
  const bytes = Buffer.from(text);
  const tally = new Tally().add(bytes);
  const content = Readable.from([bytes], { objectMode: false });
  return { file: { name: names[part], part, bytes: bytes.length, content, sha256: () => tally.sums().sha256 }, tally };
}

/** Size and checksums of a file, taken while it flows. */
class Tally {
  readonly #sha256 = createHash('sha256');
  readonly #md5 = createHash('md5');
  #bytes = 0;

  add(chunk: Buffer): this {
    this.#sha256.update(chunk);
    this.#md5.update(chunk);
    this.#bytes += chunk.length;
    return this;
  }

  async *counting(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of content) {
      this.add(chunk);
      yield chunk;
    }
  }

  sums(): SealedFrom {
    const hex = (hash: ReturnType<typeof createHash>) => hash.copy().digest('hex');
    return { sizeBytes: this.#bytes, sha256: hex(this.#sha256), md5: hex(this.#md5) };
  }
}
