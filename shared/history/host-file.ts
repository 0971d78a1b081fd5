import { Failure, isFailure } from '../failure.ts';
import type { Connection } from '../host/connection.ts';
import type { Program } from '../host/program.ts';
import { auditLine } from './audit-line.ts';
import { type HistoryRecord, historyLine } from './record.ts';

export interface HistoryAddition {
  backupDir: string;
  records: readonly HistoryRecord[];
  onLog: (line: string) => void;
}

/** Records as parameters for the programs on the host: ids, lines of the history, lines for people. */
export type RecordParameters = Record<'record_ids' | 'records' | 'audit_lines', readonly string[]>;

export const program: Program<RecordParameters & { backup_dir: string; release_hold: string }> = {
  name: 'record',
  step: 'the update of the history',
  scripts: [new URL('./history.sh', import.meta.url), new URL('./record.sh', import.meta.url)],
};

/** Adds records to the history on the host. @throws Failure `history-unwritable` */
export async function appendHistory(connection: Connection, addition: HistoryAddition): Promise<void> {
  await run(connection, '', addition);
}

/** Releases the hold on deployments, and records who did so. @throws Failure `history-unwritable` */
export async function releaseHold(connection: Connection, addition: HistoryAddition): Promise<void> {
  await run(connection, 'yes', addition);
}

export function recordParameters(records: readonly HistoryRecord[]): RecordParameters {
  return {
    record_ids: records.map(({ id }) => id),
    records: records.map(historyLine),
    audit_lines: records.map(auditLine),
  };
}

async function run(
  connection: Connection,
  releaseFirst: '' | 'yes',
  { backupDir, records, onLog }: HistoryAddition,
): Promise<void> {
  const parameters = { backup_dir: backupDir, release_hold: releaseFirst, ...recordParameters(records) };
  try {
    await connection.run(program, parameters, { deadline: 60_000, atEnd: 'finish', onLog }).result;
  } catch (error) {
    if (!isFailure(error, 'history-unwritable')) throw error;
    throw new Failure(error.code, error.message, {
      hint: `Check its owner and the free space: ls -l ${backupDir}/rollback; df -h ${backupDir}`,
      cause: error.cause,
    });
  }
}
