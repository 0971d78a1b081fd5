import { checkProject } from '../../shared/backups/preflight.ts';
import type { Connection } from '../../shared/host/connection.ts';
import { checkComposeVersion, noCompose } from '../../shared/releases/compose-version.ts';
import { readProject } from '../../shared/releases/project.ts';
import * as log from '../../shared/runner/log.ts';
import { quoteForShell } from '../../shared/shell-quote.ts';
import { keep, runFactsOf } from '../add-record.ts';
import type { Findings } from '../finding.ts';
import type { VerifyInputs } from '../inputs.ts';
import type { SurveyedHost, Verification } from '../surveyed-host.ts';
import { deploymentRecord, judgeDeployment } from './judge-deployment.ts';
import { watch } from './watch.ts';

/** Checks that the deployed release is running and healthy, and records the result in the history. */
export async function checkDeployment(
  connection: Connection,
  surveyed: SurveyedHost,
  run: Verification,
): Promise<Findings> {
  const { inputs, signal } = run;
  const { seen, knownHistory } = surveyed;
  const { compose } = seen;
  if (compose === null || 'error' in compose) return noCompose(compose?.error ?? '');
  checkComposeVersion(compose.version);
  const project = readProject(compose.config, compose.template);
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
  const judged = judgeDeployment({
    ...inputs,
    project,
    compose: composeCommand(inputs),
    watched,
    images: compose.images,
    databases: new Set([...seen.candidates.map(({ service }) => service), inputs.databaseService ?? '']),
    history: knownHistory.host,
  });
  const record = deploymentRecord(judged, runFactsOf(run), knownHistory.host);
  await judged.findings.attempt('history', async () => {
    await keep(connection, record, surveyed, run);
    return `recorded as ${record.event}, release ${record.verdict}: rollback-action chooses from these records`;
  });
  return judged.findings;
}

/** The compose command as an operator would type it on the host. */
function composeCommand({ deployDir, composeFiles, envFile, projectName }: VerifyInputs): string {
  const files = composeFiles.length === 1 && composeFiles[0] === 'docker-compose.yml' ? [] : composeFiles;
  const words = [
    ...(projectName === null ? [] : ['--project-name', projectName]),
    ...(envFile === null ? [] : ['--env-file', envFile]),
    ...files.flatMap((file) => ['--file', file]),
  ];
  return ['On the host: cd', quoteForShell(deployDir), '&& docker compose', ...words.map(quoteForShell)].join(' ');
}
