import { randomBytes } from 'node:crypto';
import { drill } from '../../shared/drill/drill.ts';
import { enoughMemory, largestOf, memoryShortage } from '../../shared/drill/memory.ts';
import { addProof, type DrillProof } from '../../shared/sets/proof.ts';
import { Failure } from '../../shared/failure.ts';
import { runFacts } from '../../shared/history/observation.ts';
import { lockFile } from '../../shared/host/backup-folder.ts';
import type { Connection } from '../../shared/host/connection.ts';
import { holderText } from '../../shared/host/lock-holder.ts';
import * as log from '../../shared/runner/log.ts';
import { factsOf } from '../../shared/sets/last-good.ts';
import type { Manifest } from '../../shared/sets/manifest.ts';
import { wholeManifest } from '../../shared/sets/whole-manifest.ts';
import { formatBytes } from '../../shared/units.ts';
import { copyRecord } from '../add-record.ts';
import { type Findings, tallyOf } from '../finding.ts';
import type { VerifyInputs } from '../inputs.ts';
import { databaseOf, type SurveyedHost, type Verification } from '../surveyed-host.ts';
import { chooseSet, drillRecord, drillText, imageFor, judgeDrill, neededFor } from './judge-drill.ts';

/** Restores a backup for real, and stores the result beside the backup and in the history. */
export async function checkDrill(connection: Connection, surveyed: SurveyedHost, run: Verification): Promise<Findings> {
  const { inputs, outputs, signal, workflow } = run;
  const { seen, catalogue } = surveyed;
  const database = databaseOf(surveyed, inputs);
  const set = database === null ? null : chooseSet(inputs.drillBackup, database, catalogue.sets);
  if (set === null) throw noBackup(inputs, database);
  const facts = factsOf(seen);
  const container = seen.containers.find(({ id }) => id === seen.candidates[0]?.container);
  const image = imageFor(
    set.manifest,
    facts === null || container === undefined ? null : { imageId: container.imageId, facts },
  );
  const needed = neededFor(set.manifest, facts?.sizeBytes ?? null) + inputs.minFreeSpace;
  log.info(
    `Drilling ${set.id} (${formatBytes(set.manifest.sizeBytes)}). Docker's disk needs ${formatBytes(needed)} free, of which ${formatBytes(inputs.minFreeSpace)} must stay free`,
  );
  // The restored data are compared with the whole manifest, which the survey did not fetch.
  const manifest = await wholeManifest(connection, inputs.backupDir, set, { signal, onLog: log.host });
  refuseShortage(manifest, inputs.drillMemory);
  const outcome = await drill(connection, {
    backupDir: inputs.backupDir,
    set,
    tables: manifest.tables,
    image,
    token: randomBytes(4).toString('hex'),
    memory: inputs.drillMemory,
    largestValue: largestOf(manifest.tables),
    neededBytes: needed,
    leastBytes: inputs.minFreeSpace,
    timezone: facts?.timezone ?? '',
    statements: inputs.drillStatements,
    timeout: inputs.timeout,
    signal,
    onLog: log.host,
    onProgress: tellDrill,
  });
  outputs['drill-duration-ms'] = outcome.fault === null ? outcome.restoreMs : null;
  const findings = judgeDrill({
    manifest,
    outcome,
    statements: inputs.drillStatements,
  });
  findings.subject = drillText(manifest, outcome);
  const { status } = tallyOf(findings.list, 'error');
  const proof: DrillProof = {
    at: new Date().toISOString(),
    what: 'drill',
    result: status === 'verified' ? 'passed' : status === 'failed' ? 'failed' : 'could-not-check',
    checks: Object.fromEntries(findings.list.map(({ name, result }) => [name, result])),
    restoreMs: outputs['drill-duration-ms'],
    image,
    runUrl: workflow.runUrl,
  };
  const holder = holderText('verify-action', workflow.runUrl, new Date());
  await findings.attempt('proof', async () => {
    // A drill that could not be made proves nothing, so it is not recorded as failed.
    const record =
      proof.result === 'could-not-check'
        ? null
        : drillRecord(set.manifest, proof, runFacts(inputs.environment, workflow));
    await addProof(connection, set, proof, {
      records: record === null ? [] : [...surveyed.knownHistory.missing, record],
      backupDir: inputs.backupDir,
      lock: { path: lockFile(inputs.backupDir), wait: inputs.lockWait, holder },
      onLog: log.host,
    });
    if (record !== null) await copyRecord(record, surveyed, run);
    return `added to the proofs of ${set.id}`;
  });
  return findings;
}

function tellDrill(name: string, value: string): void {
  if (name === 'room') log.progress(`Docker's disk has ${formatBytes(Number(value))} free`);
  else if (name === 'restoring') log.progress(`Restoring ${formatBytes(Number(value))}`);
  else log.progress('Checking the restored data');
}

/** A restore that is sure to fail would only take long to say so. */
function refuseShortage({ id, tables }: Manifest, memory: number): void {
  const shortage = memoryShortage(tables, memory);
  if (shortage === null) return;
  throw new Failure(
    'drill-unfit',
    `${id} cannot be restored with ${formatBytes(memory)} of memory: the largest value in ${shortage.tables} has ${formatBytes(shortage.largestValue)}. This says nothing about the backup`,
    {
      hint: `Nothing was restored. Set "drill-memory" to ${enoughMemory(shortage.largestValue, memory)}, then drill it again`,
    },
  );
}

function noBackup({ drillBackup, backupDir }: VerifyInputs, database: string | null): Failure {
  const which = drillBackup === 'latest' ? 'verified backup' : `verified backup ${drillBackup}`;
  return new Failure(
    'no-backup',
    `No ${which} of ${database === null ? 'any database' : `"${database}"`} found in ${backupDir}`,
    {
      hint: 'Run backup-action, or set "drill-backup" to another backup',
    },
  );
}
