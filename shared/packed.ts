import { gunzipSync, gzipSync } from 'node:zlib';

/** Packs a text that may be long for the way to or from the host: gzip in base64, for which every host has programs. */
export function pack(text: string): string {
  return gzipSync(text, { level: 1 }).toString('base64');
}

/**
 * Unpacks a text from the host, which may have sent anything.
 * @param longest limit for the text, in bytes
 * @returns null if it is not a packed text, or is longer
 */
export function unpack(packed: string, longest: number): string | null {
  try {
    return gunzipSync(Buffer.from(packed, 'base64'), { maxOutputLength: longest }).toString('utf8');
  } catch {
    return null;
  }
}
