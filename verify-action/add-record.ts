import { appendHistory } from '../shared/history/host-file.ts';
import { storeCopies } from '../shared/history/known-history.ts';
import type { HistoryRecord } from '../shared/history/record.ts';
import type { Connection } from '../shared/host/connection.ts';
import * as log from '../shared/runner/log.ts';
import type { SurveyedHost, Verification } from './surveyed-host.ts';

/** Adds a record to the history on the host and to its copies. */
export async function addRecord(
  connection: Connection,
  record: HistoryRecord,
  surveyed: SurveyedHost,
  run: Verification,
): Promise<void> {
  const { backupDir } = run.inputs;
  await appendHistory(connection, { backupDir, records: [...surveyed.knownHistory.missing, record], onLog: log.host });
  await copyRecord(record, surveyed, run);
}

/** Copies a record that the host already has off the host. Problems with the copies are reported but fail nothing. */
export async function copyRecord(
  record: HistoryRecord,
  surveyed: SurveyedHost,
  { inputs, outputs, mirror }: Verification,
): Promise<void> {
  const { knownHistory } = surveyed;
  outputs['history-id'] = record.id;
  surveyed.knownHistory = {
    ...knownHistory,
    host: [...knownHistory.missing, ...knownHistory.host, record],
    missing: [],
  };
  log.info(`Added to the history: ${record.event} ${record.status}, release ${record.verdict} (${record.id})`);
  if (inputs.history.length === 0) return;
  for (const notice of await storeCopies(surveyed.knownHistory, [], mirror)) log.notice(notice);
}
