import { detailOf, Findings } from '../../shared/drill/finding.ts';
import { isFailure } from '../../shared/failure.ts';
import type { Connection } from '../../shared/host/connection.ts';
import * as log from '../../shared/runner/log.ts';
import { type VerifiedSet, verifiedSetsOf } from '../../shared/sets/catalogue.ts';
import { readSets } from '../../shared/sets/read-sets.ts';
import type { VerifyInputs } from '../inputs.ts';
import { databaseOf, type SurveyedHost, type Verification } from '../surveyed-host.ts';
import { checkOffsite } from './check-offsite.ts';
import { ageOf, judgeBackups, setsToRead } from './judge-backups.ts';

/** Checks that the backups exist and still hold what was written. */
export async function checkBackups(
  connection: Connection,
  surveyed: SurveyedHost,
  run: Verification,
): Promise<Findings> {
  const { inputs, outputs, signal } = run;
  const { catalogue, now } = surveyed;
  const database = databaseOf(surveyed, inputs);
  if (database === null) {
    const findings = new Findings('backups');
    findings.unable(
      'newest',
      'cannot tell which database to check: the database does not answer, and there is no backup',
      'Set "db-name"',
    );
    return findings;
  }
  const verified = verifiedSetsOf(database, catalogue.sets);
  const [newest] = verified;
  outputs['newest-backup-id'] = newest?.id ?? null;
  outputs['newest-backup-age'] = newest === undefined ? null : Math.max(0, Math.round(ageOf(newest, now) / 1_000));
  const findings = judgeBackups({
    database,
    catalogue,
    files: surveyed.sets.files,
    othersUnnamed: surveyed.sets.othersUnnamed,
    readings: await readNewest(connection, verified, inputs, signal),
    backupDir: inputs.backupDir,
    maxAge: inputs.maxBackupAge,
    keep: inputs.keep,
    timezone: inputs.timezone,
    now,
  });
  await checkOffsite(findings, database, surveyed, run);
  return findings;
}

async function readNewest(
  connection: Connection,
  verified: readonly VerifiedSet[],
  { backupDir, timeout }: VerifyInputs,
  signal: AbortSignal,
): Promise<Parameters<typeof judgeBackups>[0]['readings']> {
  try {
    return await readSets(connection, {
      backupDir,
      sets: verified.slice(0, setsToRead),
      timeout,
      signal,
      onLog: log.host,
      onSet: (path) => log.progress(`Reading ${path}`),
    });
  } catch (error) {
    if (!isFailure(error) || signal.aborted) throw error;
    return { why: detailOf(error), remedy: error.hint ?? null };
  }
}
