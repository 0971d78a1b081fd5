import { checkNamedFiles, checkProject } from '../../shared/backups/preflight.ts';
import { runFacts } from '../../shared/history/observation.ts';
import type { Connection } from '../../shared/host/connection.ts';
import { composeCommand } from '../../shared/releases/compose-command.ts';
import { demandCompose } from '../../shared/releases/compose-version.ts';
import { databaseServices } from '../../shared/releases/database-services.ts';
import { readableProject } from '../../shared/releases/readable-project.ts';
import * as log from '../../shared/runner/log.ts';
import { addRecord } from '../add-record.ts';
import type { Findings } from '../finding.ts';
import type { SurveyedHost, Verification } from '../surveyed-host.ts';
import { deploymentRecord, judgeDeployment, releaseText } from './judge-deployment.ts';
import { watch } from './watch.ts';

/** Checks that the deployed release is running and healthy, and records the result in the history. */
export async function checkDeployment(
  connection: Connection,
  surveyed: SurveyedHost,
  run: Verification,
): Promise<Findings> {
  const { inputs, signal } = run;
  const { seen, knownHistory } = surveyed;
  checkNamedFiles(seen, inputs);
  const compose = demandCompose(seen);
  const project = readableProject(seen, inputs);
  checkProject(seen, inputs);
  log.progress('Waiting until everything is healthy, then for "stable-for"');
  const watched = await watch(connection, {
    project: seen.containers[0]?.project ?? project.name,
    healthTimeout: inputs.healthTimeout,
    stableFor: inputs.stableFor,
    healthUrl: inputs.healthUrl,
    signal,
    onLog: log.host,
  });
  const facts = {
    ...inputs,
    project,
    compose: composeCommand(inputs, seen.user),
    watched,
    images: compose.images,
    databases: databaseServices(seen, inputs.databaseService),
    history: knownHistory.host,
  };
  const judged = judgeDeployment(facts);
  judged.findings.subject = releaseText(judged.release, facts);
  const record = deploymentRecord(judged, runFacts(inputs.environment, run.workflow), knownHistory.host);
  await judged.findings.attempt('history', async () => {
    await addRecord(connection, record, surveyed, run);
    return `recorded as ${record.event}, release ${record.verdict}: rollback-action chooses from these records`;
  });
  return judged.findings;
}
