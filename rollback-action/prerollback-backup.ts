import type { BackupOrder, BackupRun } from '../shared/backups/backup-order.ts';
import { takeVerifiedBackup } from '../shared/backups/verified-backup.ts';
import { Failure, isFailure } from '../shared/failure.ts';
import type { Connection } from '../shared/host/connection.ts';
import * as log from '../shared/runner/log.ts';
import type { BackupId, Check, Manifest } from '../shared/sets/manifest.ts';
import type { StoryLog } from '../shared/story-log.ts';
import type { Survey } from '../shared/survey/survey.ts';
import { formatBytes } from '../shared/units.ts';
import type { RollbackInputs } from './inputs.ts';

/** The backup taken before a rollback. */
export interface PrerollbackBackup {
  id: string;
  sizeBytes: number;
  sha256: string;
  /** Absolute, on the host. */
  file: string;
  schemaSha256: string | null;
  checks: Check[];
  /** What it holds. */
  manifest: Manifest;
}

/**
 * The order for the backup before a rollback. It has a tier of its own and leaves the other tiers alone.
 * @param spared the backup that is restored then, if one is: it may be the oldest of that tier
 */
export function backupOrder(inputs: RollbackInputs, spared: BackupId | null): BackupOrder {
  return {
    ...inputs,
    kind: 'prerollback',
    keep: { daily: 'all', weekly: 'all', monthly: 'all', predeployment: 'all', prerollback: inputs.keepPrerollback },
    // A bad release may have deleted data: a small backup must not block the rollback.
    minSizeRatio: 0,
    spared,
    logFile: `${inputs.backupDir}/backup.log`,
  };
}

/** The whole backup is one step of a rollback: one group, and of what it finds only what matters there. */
const asOneStep: StoryLog = { ...log, group: (_title, work) => work(), success: () => {}, info: () => {} };

/**
 * Takes the backup as backup-action does, and reads it back before anything is stopped.
 * @param seen what the survey found; the host is surveyed again if other backups arrived in the meantime
 * @param order as `backupOrder` makes it
 * @throws Failure with the remedy; nothing was stopped
 */
export async function takePrerollbackBackup(
  connection: Connection,
  seen: Survey,
  run: BackupRun,
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
      run,
      { look, onReady: () => {}, recordsOf: () => [], onPublished: () => {} },
      asOneStep,
    ).catch((error) => {
      throw withoutBackup(error);
    });
    const { publicationPlan, place } = kept.facts;
    const { manifest } = publicationPlan;
    const { id, sizeBytes, sha256, schemaSha256, file, checks } = manifest;
    const path = `${place.folder}/${file}`;
    log.success(`Backup ${id} is verified: ${formatBytes(sizeBytes)}, ${path}`);
    for (const problem of kept.problems) log.warning(`Backup ${id}: ${problem}`);
    return { id, sizeBytes, sha256, file: path, schemaSha256, checks, manifest };
  });
}

/** The hint also names the way around; whether to take it is the operator's choice. */
function withoutBackup(error: unknown): unknown {
  if (!isFailure(error) || error.code === 'cancelled') return error;
  return new Failure(error.code, `Could not take the backup before the rollback: ${error.message}`, {
    hint: `Nothing was stopped. ${error.hint ?? ''}\nIf the rollback cannot wait, tick the box "skip-backup" of the form. In a workflow file: skip-backup: true`,
    cause: error.cause,
  });
}
