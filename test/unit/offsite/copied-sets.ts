// Sets of a host with contents, as they are sent on their way into a bucket.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { IncomingFile } from '../../../shared/host/incoming-files.ts';
import type { VerifiedSet } from '../../../shared/sets/catalogue.ts';
import type { Manifest } from '../../../shared/sets/manifest.ts';
import { setFileNames } from '../../../shared/sets/naming.ts';
import { exampleManifest } from '../retention/host-folder.ts';

/** Of the backup folder that the sets are from. */
export const folderIds = ['0'.repeat(32)] as const;

const sum = (content: string) => createHash('sha256').update(content).digest('hex');

/** A set and its files, in the order in which they are sent. */
export function wholeSet(
  id: string,
  changes: Partial<Manifest> = {},
): { set: VerifiedSet; files: Map<string, string> } {
  const dump = `dump of ${id}`;
  const manifest = exampleManifest(id, { sha256: sum(dump), sizeBytes: dump.length, ...changes });
  const prefix = manifest.kind === 'prerollback' ? 'prerollback' : 'backup';
  const names = setFileNames(prefix, id, manifest);
  const listed = new Map([
    [names.dump, dump],
    ...[names.schema, names.globals, names.settings, names.report].map((name) => [name, `content of ${name}`] as const),
    [names.manifest, JSON.stringify(manifest, null, 2)],
  ]);
  const list = [...listed].map(([name, content]) => `${sum(content)}  ${name}\n`).join('');
  const manifestText = listed.get(names.manifest) ?? '';
  listed.delete(names.manifest);
  const files = new Map([[names.sha256, list], ...listed, [names.md5, 'sums'], [names.manifest, manifestText]]);
  return { set: { state: 'verified', id, database: manifest.database, manifest, folders: ['daily'] }, files };
}

/** On their way from the host. */
export async function* sent(files: ReadonlyMap<string, string>): AsyncGenerator<IncomingFile> {
  for (const [name, content] of files) {
    const bytes = Buffer.from(content);
    yield { name, bytes: bytes.length, content: Readable.from([bytes], { objectMode: false }) };
  }
}
