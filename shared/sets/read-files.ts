import type { Connection } from '../host/connection.ts';
import { type IncomingFile, IncomingFiles } from '../host/incoming-files.ts';
import type { Program } from '../host/program.ts';
import { pathsOf, type VerifiedSet } from './catalogue.ts';

export interface FilesRequest {
  backupDir: string;
  set: VerifiedSet;
  /** Bare names of files of this set, in the order in which they are wanted. */
  names: readonly string[];
  /** Milliseconds. */
  timeout: number;
  signal: AbortSignal;
  onLog: (line: string) => void;
}

export const program: Program<{ backup_dir: string; folders: readonly string[]; names: readonly string[] }> = {
  name: 'read-files',
  step: 'reading the files of a backup',
  scripts: [new URL('./read-files.sh', import.meta.url)],
};

/**
 * Streams files of a set from the host. Nothing is kept on the way: the host reads as fast as they are read here. Ends the program
 * when the caller stops early.
 * @throws Failure `set-gone`; as any program's
 */
export async function* readFiles(connection: Connection, request: FilesRequest): AsyncGenerator<IncomingFile> {
  const { backupDir, set, names, timeout, signal, onLog } = request;
  const files = new IncomingFiles();
  const parameters = { backup_dir: backupDir, folders: pathsOf(set), names };
  const run = connection.run(program, parameters, { deadline: timeout, atEnd: 'end', signal, onLog, files });
  let isWhole = false;
  try {
    yield* files;
    await run.result;
    isWhole = true;
  } finally {
    if (!isWhole) {
      files.close(new Error('The rest is not wanted'));
      await run.release();
    }
  }
}
