import { createHash } from 'node:crypto';

/**
 * The checksum that S3 reports of an object sent in parts: SHA-256 over the SHA-256 of each part, then `-` and their number.
 * @param parts SHA-256 of each part in hex
 */
export function compositeOf(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part, 'hex');
  return `${hash.digest('hex')}-${parts.length}`;
}

/** Reads `x-amz-checksum-sha256`: Base64, and `-N` behind it for a composite one. Anything else counts as not reported. */
export function reportedChecksum(header: string | undefined, type: string | undefined): Reported {
  const [, base64, parts] = /^([A-Za-z0-9+/]{43}=)(?:-(\d+))?$/.exec(header ?? '') ?? [];
  if (base64 === undefined) return { sha256: null, compositeSha256: null };
  const hex = Buffer.from(base64, 'base64').toString('hex');
  if (parts === undefined && type !== 'COMPOSITE') return { sha256: hex, compositeSha256: null };
  return { sha256: null, compositeSha256: `${hex}-${parts ?? 1}` };
}

interface Reported {
  sha256: string | null;
  compositeSha256: string | null;
}

/** The ETag of an object sent in parts, from those of the parts; null if they are not MD5, as with KMS. */
export function compositeEtag(etags: readonly string[]): string | null {
  const hash = createHash('md5');
  for (const etag of etags) {
    const [, hex] = /^"?([0-9a-f]{32})"?$/.exec(etag) ?? [];
    if (hex === undefined) return null;
    hash.update(hex, 'hex');
  }
  return `${hash.digest('hex')}-${etags.length}`;
}
