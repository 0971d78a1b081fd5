import { Failure } from '../failure.ts';
import type { Connection } from '../host/connection.ts';
import { auditLine } from './audit-line.ts';
import { type HistoryRecord, historyLine } from './record.ts';

export interface HistoryAddition {
  backupDir: string;
  records: readonly HistoryRecord[];
  onLog: (line: string) => void;
}

const program = {
  name: 'record',
  step: 'the update of the history',
  scripts: [new URL('./history.sh', import.meta.url), new URL('./record.sh', import.meta.url)],
};

/** Adds records to the history on the host. @throws Failure `history-unwritable` */
export async function appendHistory(connection: Connection, addition: HistoryAddition): Promise<void> {
  await run(connection, 'append', addition);
}

/** Releases the hold on deployments, and records who did so. @throws Failure `history-unwritable` */
export async function releaseHold(connection: Connection, addition: HistoryAddition): Promise<void> {
  await run(connection, 'release-hold', addition);
}

/** A record as parameters for the programs on the host: id, line of the history, line for people. */
export function recordParameters(record: HistoryRecord): [id: string, line: string, audit: string] {
  return [record.id, historyLine(record), auditLine(record)];
}

async function run(
  connection: Connection,
  verb: string,
  { backupDir, records, onLog }: HistoryAddition,
): Promise<void> {
  const parameters = [verb, backupDir, ...records.flatMap(recordParameters)];
  try {
    await connection.run(program, parameters, { deadline: 60_000, atEnd: 'finish', onLog }).result;
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'history-unwritable') throw error;
    throw new Failure(error.code, error.message, {
      hint: `Check its owner and the free space: ls -l ${backupDir}/rollback; df -h ${backupDir}`,
      cause: error.cause,
    });
  }
}
