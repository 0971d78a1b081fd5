import { crc32 } from 'node:zlib';

/** Why an archive cannot be used: it is not an archive, or contains something unexpected. */
export class UnusableArchive extends Error {}

/**
 * The content of a zip archive that contains one regular file and nothing else. Unpacks at most `limit` bytes, whatever the
 * archive says about itself.
 * @throws UnusableArchive
 */
export async function readSingleFileZip(archive: Buffer, limit: number): Promise<Buffer> {
  const { fromBufferPromise } = await import('yauzl');
  try {
    const zip = await fromBufferPromise(archive);
    const { value: entry } = await zip.eachEntry().next();
    if (entry === undefined || zip.entryCount !== 1 || !isPlainFile(entry))
      throw new UnusableArchive('does not contain exactly one regular file');
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of await zip.openReadStreamPromise(entry)) {
      bytes += piece.length;
      if (bytes > limit) throw new UnusableArchive(`is larger than ${limit / 1024 / 1024} MiB`);
      pieces.push(piece);
    }
    const content = Buffer.concat(pieces);
    // The library does not check this.
    if (crc32(content) !== entry.crc32) throw new Error('The content does not match its checksum');
    return content;
  } catch (error) {
    throw error instanceof UnusableArchive ? error : new UnusableArchive('is not a readable archive', { cause: error });
  }
}

function isPlainFile({
  fileName,
  externalFileAttributes,
}: {
  fileName: string;
  externalFileAttributes: number;
}): boolean {
  // The Unix file type; 0 if unknown.
  const type = (externalFileAttributes >>> 16) & 0o170000;
  return !fileName.includes('/') && (type === 0 || type === 0o100000);
}
