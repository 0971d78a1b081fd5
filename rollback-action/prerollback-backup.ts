import {
  type BackupAttempt,
  type BackupOrder,
  demandVerified,
  prepareAndTake,
  prepareBackup,
  publishBackup,
  takeBackup,
} from '../shared/backups/backup.ts';
import { lockMayStay } from '../shared/backups/take.ts';
import { Failure } from '../shared/failure.ts';
import type { Connection } from '../shared/host/connection.ts';
import type { Survey } from '../shared/host/survey.ts';
import { DumpProgress } from '../shared/runner/dump-progress.ts';
import * as log from '../shared/runner/log.ts';
import { formatBytes } from '../shared/units.ts';
import type { RollbackInputs } from './inputs.ts';

/** The backup taken before a rollback. */
export interface PrerollbackBackup {
  id: string;
  sizeBytes: number;
  /** Absolute, on the host. */
  file: string;
  schemaSha256: string | null;
}

/** The order for the backup before a rollback. It has a tier of its own and leaves the other tiers alone. */
export function backupOrder(inputs: RollbackInputs): BackupOrder {
  return {
    ...inputs,
    kind: 'prerollback',
    keep: { daily: 'all', weekly: 'all', monthly: 'all', predeployment: 'all', prerollback: inputs.keepPrerollback },
    // A bad release may have deleted data: a small backup must not block the rollback.
    minSizeRatio: 0,
    logFile: `${inputs.backupDir}/backup.log`,
  };
}

/**
 * Takes the backup with the same code as backup-action, and reads it back before anything is stopped.
 * @param seen what the survey found; the host is surveyed again if other backups arrived in the meantime
 * @throws Failure with the remedy; nothing was stopped
 */
export async function takePrerollbackBackup(
  connection: Connection,
  seen: Survey,
  run: Omit<BackupAttempt, 'order'>,
  inputs: RollbackInputs,
  lookAgain: () => Promise<Survey>,
): Promise<PrerollbackBackup> {
  const order = backupOrder(inputs);
  let latest: Survey | undefined = seen;
  return log
    .group('Backup before the rollback', async () => {
      const { prepared, held, attempt } = await prepareAndTake(
        { ...run, order },
        async () => {
          const view = latest ?? (await lookAgain());
          latest = undefined;
          return prepareBackup(view, order);
        },
        (prepared, attempt) => {
          const progress = new DumpProgress(prepared.host.estimate);
          return takeBackup(connection, prepared, {
            ...attempt,
            onProgress: (name, value) => progress.tell(name, value),
          });
        },
        () => log.info('Other backups have changed since the survey: surveying again'),
      );
      try {
        await demandVerified(connection, held.dump, attempt);
        const { reportFacts, published } = await publishBackup(connection, prepared, held.dump, attempt, () => []);
        const { manifest, problems } = reportFacts.publicationPlan;
        const file = `${reportFacts.place.folder}/${manifest.file}`;
        log.success(`Backup ${manifest.id} is verified: ${formatBytes(manifest.sizeBytes)}, ${file}`);
        for (const problem of [...problems, ...published.problems]) log.warning(`Backup ${manifest.id}: ${problem}`);
        return { id: manifest.id, sizeBytes: manifest.sizeBytes, file, schemaSha256: manifest.schemaSha256 };
      } finally {
        if (!(await held.release())) log.warning(lockMayStay(inputs.backupDir));
      }
    })
    .catch((error) => {
      throw withoutBackup(error);
    });
}

/** The hint also names the way around; whether to take it is the operator's choice. */
function withoutBackup(error: unknown): unknown {
  if (!(error instanceof Failure) || error.code === 'cancelled') return error;
  return new Failure(error.code, `Could not take the backup before the rollback: ${error.message}`, {
    hint: `Nothing was stopped. ${error.hint ?? ''}\nIf the rollback cannot wait: skip-backup: true`,
    cause: error.cause,
  });
}
