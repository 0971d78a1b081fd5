import type { ManifestSummary, SealedFrom } from './manifest.ts';

// A set that is plain on the host may lie encrypted in a bucket. Its manifest there is that of the host, but for the dump.

/**
 * The manifest of the encrypted copy. Its fields stay in their order, and those that this version does not know stay in it.
 * @param manifest as it was read from JSON
 * @param dump of the encrypted dump
 */
export function sealManifest<M extends ManifestSummary>(manifest: M, dump: SealedFrom): M {
  const plain = sumsOf(manifest);
  const sealed = { ...manifest, encryption: 'age', file: `${manifest.file}.age`, ...sumsOf(dump) };
  const fields = Object.entries(sealed).filter(([name]) => name !== 'sealedFrom');
  // Beside its like: a survey reads only the beginning and the end.
  fields.splice(fields.findIndex(([name]) => name === 'md5') + 1, 0, ['sealedFrom', plain]);
  return Object.fromEntries(fields) as unknown as M;
}

/** The manifest on the host, of which this is that of an encrypted copy; itself if it is none. */
export function unsealManifest<M extends ManifestSummary>(manifest: M): M {
  const { sealedFrom, file } = manifest;
  if (sealedFrom === null) return manifest;
  return { ...manifest, encryption: 'none', file: file.replace(/\.age$/, ''), ...sealedFrom, sealedFrom: null };
}

const sumsOf = ({ sizeBytes, sha256, md5 }: SealedFrom): SealedFrom => ({ sizeBytes, sha256, md5 });
