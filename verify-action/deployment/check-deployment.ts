import { checkNamedFiles, checkProject } from '../../shared/backups/host-checks.ts';
import type { Findings } from '../../shared/drill/finding.ts';
import { isFailure } from '../../shared/failure.ts';
import { runFacts } from '../../shared/history/observation.ts';
import type { Connection } from '../../shared/host/connection.ts';
import { isKeptStopped, isStoppedByHand, serves } from '../../shared/plan/at-rest.ts';
import { isJob } from '../../shared/plan/jobs.ts';
import { askRegistry, type RegistryAnswer } from '../../shared/releases/ask-registry.ts';
import { composeCommand } from '../../shared/releases/compose-command.ts';
import { demandCompose } from '../../shared/releases/compose-version.ts';
import { databaseServices } from '../../shared/releases/database-services.ts';
import { demandDeployedFiles } from '../../shared/releases/deployed-files.ts';
import { keepCompose } from '../../shared/releases/kept-compose.ts';
import type { ComposeProject, ComposeService } from '../../shared/releases/project.ts';
import { readableProject } from '../../shared/releases/readable-project.ts';
import { provenSettings } from '../../shared/releases/settings-hash.ts';
import * as log from '../../shared/runner/log.ts';
import { absolute, envFilesOf } from '../../shared/survey/compose-call.ts';
import { noSwapFacts } from '../../shared/survey/survey-swap.ts';
import { addRecord } from '../add-record.ts';
import type { SurveyedHost, Verification } from '../surveyed-host.ts';
import type { DeploymentFacts } from './deployment-facts.ts';
import { expectedImages, tagsToAskFor } from './expected.ts';
import { deploymentRecord, judgeDeployment } from './judge-deployment.ts';
import { releaseText } from './judge-images.ts';
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
  demandDeployedFiles(compose, inputs.composeFiles);
  const project = readableProject(seen, inputs);
  checkProject(seen, inputs);
  log.progress('Waiting until everything is healthy, then for "stable-for"');
  const databases = databaseServices(seen, inputs.databaseService);
  const [watched, meanings] = await Promise.all([
    watch(connection, {
      project: seen.containers[0]?.project ?? project.name,
      healthTimeout: inputs.healthTimeout,
      stableFor: inputs.stableFor,
      healthUrl: inputs.healthUrl,
      signal,
      onLog: log.host,
    }),
    meaningsOf(connection, project, databases, run),
  ]);
  const facts = {
    ...inputs,
    project,
    compose: composeCommand({ ...inputs, call: compose.call }, seen.user),
    watched,
    images: compose.images,
    databases,
    stopped: stoppedServices(seen, project),
    meanings,
    history: knownHistory.host,
  };
  const judged = judgeDeployment(facts);
  judged.findings.subject = releaseText(judged.release, facts);
  const settings = provenSettings(seen, compose, databases);
  const record = deploymentRecord(judged, runFacts(inputs.environment, run.workflow, { settings }), knownHistory.host);
  await judged.findings.attempt('history', async () => {
    await addRecord(connection, record, surveyed, run);
    return `recorded as ${record.event}, release ${record.verdict}: rollback-action chooses from these records`;
  });
  if (record.verdict === 'good' && settings !== null) {
    const files = compose.call.files.map((file) => absolute(file, inputs.deployDir));
    const envFiles = envFilesOf(compose.call, inputs.deployDir);
    const { backupDir } = inputs;
    await judged.findings.attempt('kept files', async () => {
      const { config } = compose;
      await keepCompose(connection, { backupDir, id: settings.kept, config, files, envFiles }, log.host);
      return 'kept beside the history, for a rollback with compose: kept';
    });
  }
  return judged.findings;
}

/**
 * The services that somebody has stopped, or that a rollback left stopped. A job ends anyway; whoever stops what publishes a
 * port is seen by users.
 */
function stoppedServices(
  { containers, swapFacts }: SurveyedHost['seen'],
  project: ComposeProject,
): DeploymentFacts['stopped'] {
  const { endings } = swapFacts ?? noSwapFacts;
  const ownOf = (name: string) => containers.filter(({ service }) => service === name);
  const isLeft = (own: ReturnType<typeof ownOf>) => own.length > 0 && own.every(isKeptStopped);
  const isStopped = ({ name, publishes }: ComposeService) =>
    isLeft(ownOf(name)) || (!publishes && isStoppedByHand(ownOf(name), endings));
  return new Map(
    [...project.services.values()]
      .filter((service) => !isJob(service.name, project) && isStopped(service))
      .map((service) => [service.name, { serves: serves(service, ownOf(service.name)) }]),
  );
}

/** Asks the registry what the tags of `expect` stand for. If it gives no answer, the history decides. */
async function meaningsOf(
  connection: Connection,
  project: ComposeProject,
  databases: ReadonlySet<string>,
  { inputs, signal }: Verification,
): Promise<RegistryAnswer['meanings']> {
  const { expect, registry, login } = inputs;
  const tags = expect === null ? [] : tagsToAskFor(expectedImages(expect, { project, databases, registry }), project);
  if (tags.length === 0) return new Map();
  try {
    const { meanings, away, refusal } = await askRegistry(connection, {
      registry,
      login,
      references: [],
      tags,
      signal,
      onLog: log.host,
    });
    if (refusal !== null)
      log.info(`${registry} refuses the login, so the history decides what "expect" means: ${refusal}`);
    for (const { reference, why } of away) log.info(`The registry did not say what ${reference} is: ${why}`);
    return meanings;
  } catch (error) {
    if (!isFailure(error) || signal.aborted) throw error;
    log.info(`Could not ask the registry, so the history decides what "expect" means: ${error.message}`);
    return new Map();
  }
}
