import { randomBytes } from 'node:crypto';
import { drill } from '../../shared/drill/drill.ts';
import { type Findings, tallyOf } from '../../shared/drill/finding.ts';
import { enoughMemory, largestOf, memoryShortage } from '../../shared/drill/memory.ts';
import { neededFor } from '../../shared/drill/needed.ts';
import { Failure } from '../../shared/failure.ts';
import { runFacts } from '../../shared/history/observation.ts';
import { lockFile } from '../../shared/host/backup-folder.ts';
import type { Connection } from '../../shared/host/connection.ts';
import { holderText } from '../../shared/host/lock-holder.ts';
import { type BackupSource, sourceOf } from '../../shared/restore/backup-source.ts';
import * as log from '../../shared/runner/log.ts';
import type { VerifiedSet } from '../../shared/sets/catalogue.ts';
import { factsOf } from '../../shared/sets/last-good.ts';
import type { Manifest } from '../../shared/sets/manifest.ts';
import { addProof, type DrillProof } from '../../shared/sets/proof.ts';
import { demandFolderIds } from '../../shared/survey/survey-sets.ts';
import { formatBytes } from '../../shared/units.ts';
import { addRecord, copyRecord } from '../add-record.ts';
import type { VerifyStory } from '../notice.ts';
import { databaseOf, type SurveyedHost, type Verification } from '../surveyed-host.ts';
import { drillRecord, drillText, imageFor, judgeDrill } from './judge-drill.ts';

/** Restores a backup for real, and stores the result beside the backup and in the history. */
export async function checkDrill(
  connection: Connection,
  surveyed: SurveyedHost,
  run: Verification,
  story: VerifyStory,
): Promise<Findings> {
  const { inputs, signal } = run;
  const source = await sourceOf(connection, surveyed.catalogue, {
    ...inputs,
    wanted: inputs.drillBackup,
    from: inputs.drillFrom,
    folderIds: inputs.drillFrom === 's3' ? demandFolderIds(surveyed.sets, inputs.backupDir) : [],
    database: databaseOf(surveyed, inputs),
    input: 'drill-backup',
    signal,
    log,
  });
  try {
    return await drillFrom(connection, source, surveyed, run, story);
  } finally {
    await source.close();
  }
}

async function drillFrom(
  connection: Connection,
  source: BackupSource,
  surveyed: SurveyedHost,
  run: Verification,
  story: VerifyStory,
): Promise<Findings> {
  const { inputs, outputs, signal } = run;
  const { seen } = surveyed;
  const { set, copy } = source;
  const facts = factsOf(seen);
  const container = seen.containers.find(({ id }) => id === seen.candidates[0]?.container);
  const image = imageFor(
    set.manifest,
    facts === null || container === undefined ? null : { imageId: container.imageId, facts },
  );
  const needed = neededFor(set.manifest, facts?.sizeBytes ?? null) + inputs.minFreeSpace;
  log.info(
    `Drilling ${copy ?? set.id} (${formatBytes(set.manifest.sizeBytes)}). Docker's disk needs ${formatBytes(needed)} free, of which ${formatBytes(inputs.minFreeSpace)} must stay free`,
  );
  // The restored data are compared with the whole manifest, which the survey did not fetch.
  const manifest = await source.manifest();
  refuseShortage(manifest, inputs.drillMemory);
  if (source.isSent) log.info('The dump streams through this runner, which stores none of it');
  const outcome = await drill(connection, {
    backupDir: inputs.backupDir,
    set,
    sent: await source.sent(),
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
  story.drilled = { id: set.id, sha256: outcome.sha256, copy };
  outputs['drill-duration-ms'] = outcome.fault === null ? outcome.restoreMs : null;
  const findings = judgeDrill({
    manifest,
    outcome,
    statements: inputs.drillStatements,
    copy,
  });
  findings.subject = drillText(manifest, outcome, copy);
  const proof = proofOf(findings, source, image, run);
  await findings.attempt('proof', () => recordDrill(connection, set, proof, surveyed, run));
  return findings;
}

/** What is kept of a drill, beside the backup. */
function proofOf(
  { list }: Findings,
  { copy }: BackupSource,
  image: string,
  { outputs, workflow }: Verification,
): DrillProof {
  const { status } = tallyOf(list, 'error');
  return {
    at: new Date().toISOString(),
    what: 'drill',
    from: copy === null ? 'host' : 's3',
    result: status === 'verified' ? 'passed' : status === 'failed' ? 'failed' : 'could-not-check',
    checks: Object.fromEntries(list.map(({ name, result }) => [name, result])),
    restoreMs: outputs['drill-duration-ms'],
    image,
    runUrl: workflow.runUrl,
  };
}

/** Adds the proof to the backup, and a record to the history. @returns what was done */
async function recordDrill(
  connection: Connection,
  set: VerifiedSet,
  proof: DrillProof,
  surveyed: SurveyedHost,
  run: Verification,
): Promise<string> {
  const { inputs, workflow } = run;
  const { backupDir, lockWait, environment } = inputs;
  // A drill that could not be made proves nothing, so it is not recorded as failed.
  const record =
    proof.result === 'could-not-check' ? null : drillRecord(set.manifest, proof, runFacts(environment, workflow));
  if (set.folders.length === 0) {
    if (record !== null) await addRecord(connection, record, surveyed, run);
    return `${set.id} is not on the host, or differs from the one there, so only the history records the drill`;
  }
  const holder = holderText('verify-action', workflow.runUrl, new Date());
  await addProof(connection, set, proof, {
    records: record === null ? [] : [...surveyed.knownHistory.missing, record],
    backupDir,
    lock: { path: lockFile(backupDir), wait: lockWait, holder },
    onLog: log.host,
  });
  if (record !== null) await copyRecord(record, surveyed, run);
  return `added to the proofs of ${set.id}`;
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
