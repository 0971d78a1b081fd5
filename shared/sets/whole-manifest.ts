import { Failure, isFailure } from '../failure.ts';
import type { Connection } from '../host/connection.ts';
import type { Program } from '../host/program.ts';
import { unpack } from '../packed.ts';
import { longestHead, longestTail } from '../survey/survey-sets.ts';
import { pathOf, type VerifiedSet } from './catalogue.ts';
import type { Manifest } from './manifest.ts';
import { longestManifest, readManifest } from './read-manifest.ts';
import { namesOf } from './read-sets.ts';

export const program: Program<{ file: string; longest: string }> = {
  name: 'whole-manifest',
  step: 'reading a manifest',
  scripts: [new URL('./whole-manifest.sh', import.meta.url)],
};

/** One manifest with its lists of tables and sequences; a survey leaves them out. @throws Failure `manifest-unreadable` */
export async function wholeManifest(
  connection: Connection,
  backupDir: string,
  set: VerifiedSet,
  { signal, onLog }: { signal: AbortSignal; onLog: (line: string) => void },
): Promise<Manifest> {
  const file = `${backupDir}/${pathOf(set)}/${namesOf(set).manifest}`;
  const { result } = connection.run(
    program,
    { file, longest: String(longestManifest) },
    {
      deadline: 120_000,
      atEnd: 'end',
      signal,
      onLog,
    },
  );
  try {
    return readManifest(unpack((await result).get('manifest'), longestManifest) ?? '');
  } catch (error) {
    if (!isFailure(error, 'bad-manifest', 'manifest-unreadable')) throw error;
    throw new Failure('manifest-unreadable', `The manifest of ${set.id} cannot be read in full: ${error.message}`, {
      hint: `Do not rely on ${set.id}. Take a backup now, and look at ${file} on the host`,
      cause: error,
    });
  }
}

/**
 * Refuses to publish a manifest that later runs could not read: its set would lie there and never count.
 * @param text the manifest as it will be written
 * @throws Failure `manifest-unreadable`
 */
export function demandReadable(text: string): void {
  const refuse = (why: string, cause?: unknown) =>
    new Failure('manifest-unreadable', `The manifest of this backup could not be read back: it ${why}`, {
      hint: 'Nothing was published; earlier backups are unchanged. Report this: the database or the project is larger than the action supports',
      cause,
    });
  try {
    readManifest(text);
  } catch (error) {
    throw isFailure(error) ? refuse(error.message, error) : error;
  }
  const before = Buffer.byteLength(text.slice(0, text.indexOf('\n  "tables": ')));
  if (before > longestHead) throw refuse(`has ${before} bytes before its tables and sequences`);
  const behind = Buffer.byteLength(text.slice(text.indexOf('\n  "largeObjects": ')));
  if (behind > longestTail) throw refuse(`has ${behind} bytes besides its tables and sequences`);
}
