import { gunzipSync, gzipSync } from 'node:zlib';

/** A text as it travels where it may be long: gzip, in base64, which the host makes and takes by programs that it has. */
export function pack(text: string): string {
  return gzipSync(text, { level: 1 }).toString('base64');
}

/**
 * Reads what the host packed, which may be anything.
 * @param longest bytes of the text
 * @returns null where it is none, or longer
 */
export function unpack(packed: string, longest: number): string | null {
  try {
    return gunzipSync(Buffer.from(packed, 'base64'), { maxOutputLength: longest }).toString('utf8');
  } catch {
    return null;
  }
}
