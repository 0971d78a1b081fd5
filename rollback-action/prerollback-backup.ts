import type { BackupOrder, BackupRun } from '../shared/backups/order.ts';
import { takeVerifiedBackup } from '../shared/backups/verified-backup.ts';
import { Failure, isFailure } from '../shared/failure.ts';
import type { Connection } from '../shared/host/connection.ts';
import type { Survey } from '../shared/host/survey.ts';
import * as log from '../shared/runner/log.ts';
import type { StoryLog } from '../shared/story-log.ts';
import { formatBytes } from '../shared/units.ts';
import type { RollbackInputs } from './inputs.ts';

/** The backup that a rollback has taken. */
export interface PrerollbackBackup {
  id: string;
  sizeBytes: number;
  /** Absolute, on the host. */
  file: string;
  schemaSha256: string | null;
}

/** What is asked of the backup before a rollback: its tier is its own, and the others are left alone. */
export function backupOrder(inputs: RollbackInputs): BackupOrder {
  return {
    ...inputs,
    kind: 'prerollback',
    keep: { daily: 'all', weekly: 'all', monthly: 'all', predeployment: 'all', prerollback: inputs.keepPrerollback },
    // What a bad release has deleted is no reason to stay with it.
    minSizeRatio: 0,
    logFile: `${inputs.backupDir}/backup.log`,
  };
}

/** The whole backup is one step of a rollback: one group, and of what it finds only what matters there. */
const asOneStep: StoryLog = { ...log, group: (_title, work) => work(), success: () => {}, info: () => {} };

/**
 * Takes it as backup-action does, and reads it back before anything is stopped.
 * @param seen what the survey saw; the host is looked at again where other backups came meanwhile
 * @throws Failure with the remedy; nothing was stopped
 */
export async function takePrerollbackBackup(
  connection: Connection,
  seen: Survey,
  run: Omit<BackupRun, 'order'>,
  inputs: RollbackInputs,
  lookAgain: () => Promise<Survey>,
): Promise<PrerollbackBackup> {
  let latest: Survey | undefined = seen;
  const look = async () => {
    const view = latest ?? (await lookAgain());
    latest = undefined;
    return view;
  };
  return log.group('Backup before the rollback', async () => {
    const kept = await takeVerifiedBackup(
      connection,
      { ...run, order: backupOrder(inputs) },
      { look, recordsOf: () => [] },
      asOneStep,
    ).catch((error) => {
      throw withoutBackup(error);
    });
    const { publicationPlan, place } = kept.facts;
    const { id, sizeBytes, schemaSha256, file } = publicationPlan.manifest;
    const path = `${place.folder}/${file}`;
    log.success(`Backup ${id} is verified: ${formatBytes(sizeBytes)}, ${path}`);
    for (const problem of kept.problems) log.warning(`Beside the dump: ${problem}`);
    return { id, sizeBytes, file: path, schemaSha256 };
  });
}

/** The remedy names the way around, which is for the operator to choose. */
function withoutBackup(error: unknown): unknown {
  if (!isFailure(error) || error.code === 'cancelled') return error;
  return new Failure(error.code, `No backup could be taken before the rollback: ${error.message}`, {
    hint: `Nothing was stopped. ${error.hint ?? ''}\nWhere the release cannot wait for that: skip-backup: true`,
    cause: error.cause,
  });
}
