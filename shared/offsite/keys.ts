import type { BackupId, ManifestSummary } from '../sets/manifest.ts';
import { parseSetFileName, type SetFileNames } from '../sets/naming.ts';
import { namesOf } from '../sets/read-sets.ts';
import { sealManifest } from '../sets/sealed-manifest.ts';

/** Where the objects of a set lie. */
export function folderOf(prefix: string, environment: string, id: string): string {
  return `${prefix}/${environment}/${id}/`;
}

/** Which file of which set an object is, or becomes; null if it is none of ours: others may keep theirs beside them. */
export function setFileAt(prefix: string, environment: string, key: string): { id: BackupId; name: string } | null {
  const [id = '', name = '', ...deeper] = key.slice(`${prefix}/${environment}/`.length).split('/');
  const parsed = parseSetFileName(name);
  return deeper.length > 0 || parsed === null || parsed.id !== id || parsed.prefix === 'failed' ? null : { id, name };
}

/** Where the dump of a set lies, or will. @param sealTo as in `CopyTarget` */
export function keyOfDump(
  { prefix, environment, sealTo }: { prefix: string; environment: string; sealTo: readonly string[] },
  manifest: ManifestSummary,
): string {
  const file = isSealedOnTheWay(manifest, sealTo) ? sealedNames(manifest).dump : manifest.file;
  return `${folderOf(prefix, environment, manifest.id)}${file}`;
}

/** What the host has encrypted stays as it is. */
export const isSealedOnTheWay = ({ encryption }: ManifestSummary, sealTo: readonly string[]) =>
  encryption === 'none' && sealTo.length > 0;

/** The names of the files of an encrypted copy. */
export function sealedNames(manifest: ManifestSummary): SetFileNames {
  return namesOf({ manifest: sealManifest(manifest, manifest) });
}
