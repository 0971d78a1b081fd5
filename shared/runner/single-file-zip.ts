import { crc32 } from 'node:zlib';

/** Why an archive is not read: it is none, or holds something else. */
export class UnusableArchive extends Error {}

/**
 * The content of a zip archive that holds one plain file and nothing else. No more than `limit` bytes are ever unpacked,
 * whatever the archive says of itself.
 * @throws UnusableArchive
 */
export async function readSingleFileZip(archive: Buffer, limit: number): Promise<Buffer> {
  const { fromBufferPromise } = await import('yauzl');
  try {
    const zip = await fromBufferPromise(archive);
    const { value: entry } = await zip.eachEntry().next();
    if (entry === undefined || zip.entryCount !== 1 || !isPlainFile(entry))
      throw new UnusableArchive('holds something else than one file');
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of await zip.openReadStreamPromise(entry)) {
      bytes += piece.length;
      if (bytes > limit) throw new UnusableArchive(`is larger than ${limit / 1024 / 1024} MiB`);
      pieces.push(piece);
    }
    const content = Buffer.concat(pieces);
    // The library leaves that to whoever reads.
    if (crc32(content) !== entry.crc32) throw new Error('The content is not what its sum says');
    return content;
  } catch (error) {
    throw error instanceof UnusableArchive
      ? error
      : new UnusableArchive('is no archive that can be read', { cause: error });
  }
}

function isPlainFile({
  fileName,
  externalFileAttributes,
}: {
  fileName: string;
  externalFileAttributes: number;
}): boolean {
  // Of Unix; 0 where it is not told.
  const type = (externalFileAttributes >>> 16) & 0o170000;
  return !fileName.includes('/') && (type === 0 || type === 0o100000);
}
