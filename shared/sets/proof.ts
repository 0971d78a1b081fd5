import { isFailure } from '../failure.ts';
import { type RecordParameters, recordParameters } from '../history/host-file.ts';
import type { HistoryRecord } from '../history/record.ts';
import type { Connection } from '../host/connection.ts';
import { lockHeld } from '../host/lock-holder.ts';
import type { LockRequest, Program } from '../host/program.ts';
import { pathsOf, type VerifiedSet } from './catalogue.ts';
import { namesOf } from './read-sets.ts';

/** What was proven of a set after it was taken: one line in its `proof.jsonl`. */
export type Proof = DrillProof | CopyProof;

/** The result of a drill. */
export interface DrillProof {
  /** ISO 8601, UTC. */
  at: string;
  what: 'drill';
  /** Which copy of the backup was restored. */
  from: 'host' | 's3';
  result: 'passed' | 'failed' | 'could-not-check';
  /** The result of each check, by name. */
  checks: Record<string, string>;
  /** Milliseconds from an empty server to restored data. */
  restoreMs: number | null;
  image: string;
  runUrl: string | null;
}

/** A copy off the host. */
export interface CopyProof {
  /** ISO 8601, UTC. */
  at: string;
  what: 'copy';
  result: 'passed';
  /** Of the dump. */
  uri: string;
  /** How it is known that these bytes lie there, by file: the store reported their checksum, or they were read back. */
  checks: Record<string, 'reported' | 'read-back'>;
  /** Of all files. */
  bytes: number;
  runUrl: string | null;
}

/** How to write a proof. */
export interface ProofNote {
  backupDir: string;
  lock: LockRequest;
  /** Records to add to the history with it. */
  records: readonly HistoryRecord[];
  onLog: (line: string) => void;
}

export const program: Program<
  RecordParameters & { backup_dir: string; name: string; line: string; folders: readonly string[] }
> = {
  name: 'prove',
  step: 'the update of the proof',
  scripts: [new URL('../history/history.sh', import.meta.url), new URL('./prove.sh', import.meta.url)],
};

/**
 * Adds a proof to a set, in every folder of the set, and to the history.
 * @throws Failure `lock-held`, `set-gone`, `proof-unwritable`, `history-unwritable`
 */
export async function addProof(
  connection: Connection,
  set: VerifiedSet,
  proof: Proof,
  { backupDir, lock, records, onLog }: ProofNote,
): Promise<void> {
  const name = namesOf(set).proof.replace(/\.proof\.jsonl$/, '');
  const parameters = {
    backup_dir: backupDir,
    name,
    line: JSON.stringify(proof),
    folders: pathsOf(set),
    ...recordParameters(records),
  };
  try {
    await connection.run(program, parameters, { deadline: 60_000 + lock.wait, atEnd: 'finish', lock, onLog }).result;
  } catch (error) {
    if (isFailure(error, 'lock-held')) throw lockHeld(error.message, backupDir, lock.wait);
    throw error;
  }
}
