import { Failure, isFailure } from '../shared/failure.ts';
import { type Candidate, candidateLines } from '../shared/history/candidates.ts';
import { gatherHistory, type KnownHistory } from '../shared/history/known-history.ts';
import { newestKnown, newestSchema } from '../shared/history/observation.ts';
import type { Connection } from '../shared/host/connection.ts';
import { mountedVolumes } from '../shared/plan/container.ts';
import { refuseKnownBad } from '../shared/plan/known-bad.ts';
import type { Plan } from '../shared/plan/plan.ts';
import type { PlanRequest } from '../shared/plan/plan-request.ts';
import { planRollback } from '../shared/plan/plan-rollback.ts';
import { planText } from '../shared/plan/text.ts';
import { compareVolumes, type VolumeContents } from '../shared/releases/compare-volumes.ts';
import { demandCompose } from '../shared/releases/compose-version.ts';
import { demandDeployedFiles, describeMissingFiles } from '../shared/releases/deployed-files.ts';
import { inlineFiles, tarOf } from '../shared/releases/inline-files.ts';
import { type ComposeProject, type ComposeService, readProject } from '../shared/releases/project.ts';
import { settingsDrift } from '../shared/releases/service-settings.ts';
import * as log from '../shared/runner/log.ts';
import { envFilesOf } from '../shared/survey/compose-call.ts';
import type { Survey } from '../shared/survey/survey.ts';
import type { ComposeSurvey } from '../shared/survey/survey-compose.ts';
import { noSwapFacts } from '../shared/survey/survey-swap.ts';
import { choicesFrom } from './choices.ts';
import { type ComposeSource, currentSource, keptSource, settingsOfTarget, settingsWhenRan } from './compose-source.ts';
import type { RollbackInputs } from './inputs.ts';
import type { Restoring } from './restoring.ts';

/** What was decided. */
export interface Decision {
  plan: Plan;
  knownHistory: KnownHistory;
  compose: ComposeSource;
  /** null: the database is left alone. */
  restoring: Restoring | null;
  /** What could be judged only once the images are known. @throws Failure `schema-changed` */
  afterPull: (settled: Plan) => Promise<Plan>;
}

/**
 * Decides what to do from what the survey found. Changes nothing.
 * @param connection to read what the host has kept
 * @param onCandidates gets the releases that the operator can choose from, also if the target turns out to be none
 */
export async function decide(
  connection: Connection,
  seen: Survey,
  mirrored: { texts: string[]; notices: string[] },
  inputs: RollbackInputs,
  signal: AbortSignal,
  onCandidates: (list: Candidate[]) => void,
): Promise<Decision> {
  return log.group('Plan', async () => {
    const compose = demandCompose(seen);
    demandDeployedFiles(compose, inputs.composeFiles);
    const missing = describeMissingFiles(compose);
    if (missing !== null) log.warning(missing);

    const knownHistory = gatherHistory(inputs.environment, seen.history, seen.auditTrail, mirrored.texts);
    for (const text of [...mirrored.notices, ...knownHistory.problems]) log.notice(text);
    const choices = choicesFrom(seen, compose, knownHistory, inputs);
    const { databases, ignored, history, today } = choices;
    onCandidates(choices.candidates);

    const current = currentSource(compose, inputs.deployDir);
    const isKept = inputs.compose === 'kept';
    const source = isKept
      ? await keptSource(
          connection,
          current,
          settingsWhenRan(history, choices.wantedIn(today).images),
          today.name,
          inputs,
          signal,
        )
      : current;
    if (source.projectState === null) throw projectStateUnknown();
    const project = isKept ? keptProject(source, today) : today;
    const wanted = choices.wantedIn(project);
    const draft: PlanRequest = {
      ...factsForPlan(seen, compose, inputs),
      project,
      running: choices.running,
      databases,
      stores: choices.stores,
      wanted,
      settings: isKept
        ? []
        : await settingsOfTarget(connection, { seen, current, wanted, history, project }, inputs, signal),
      drift: isKept ? new Map() : settingsDrift(seen, compose),
      newestKnown: newestKnown(knownHistory.host, inputs.environment)?.release ?? null,
      schemaNow: newestSchema(knownHistory.host, inputs.environment),
      projectState: source.projectState,
      dropped: new Set([...project.services.keys()].filter((service) => !today.services.has(service))),
      volumeContents: new Map(),
    };
    const request = {
      ...draft,
      volumeContents: await contentsOfVolumes(connection, planRollback(draft), seen, signal),
    };
    const ground = { seen, wanted, ignored, records: history };
    // Its reading of schemas is a bundle of its own.
    const { guardAfterPull, guardSchema } = await import('./schema-guard.ts');
    const schema = await guardSchema(connection, planRollback(request), ground, inputs, signal);
    const swap = planRollback(request, schema);
    const restoring =
      inputs.restore === null
        ? null
        : await (await import('./restoring.ts')).planRestore(
            connection,
            { seen, plan: swap, wanted, ignored, project, databases, records: knownHistory.host },
            { ...inputs, restore: inputs.restore },
            signal,
          );
    const plan = restoring?.plan ?? swap;
    // Throws now rather than later.
    for (const { service } of plan.services) tarOf(inlineFiles(source.config, source.values, service));
    tellPlan(plan, choices.candidates);
    if (seen.hold !== null) log.info('Deployments are already on hold because of an earlier rollback');
    if (!inputs.planOnly) refuseKnownBad(wanted, inputs.target, inputs.services);
    if (!inputs.planOnly && schema?.refusal) throw schema.refusal;
    const afterPull = (settled: Plan) => guardAfterPull(connection, schema, settled, ground, inputs, signal);
    return { plan, knownHistory, compose: source, restoring, afterPull };
  });
}

/** What the survey and the inputs say for the plan, whatever the target is. */
function factsForPlan(seen: Survey, compose: ComposeSurvey, inputs: RollbackInputs) {
  return {
    composeVersion: compose.version,
    containers: seen.containers,
    images: compose.images,
    named: new Set(inputs.services ?? []),
    jobs: inputs.jobs,
    swapFacts: seen.swapFacts ?? noSwapFacts,
    // While databases exchange their names, nothing may write.
    strategy: inputs.restore === null ? inputs.strategy : 'recreate',
    proxyService: inputs.proxyService,
    proxies: compose.proxies,
    healthUrl: inputs.healthUrl,
    persist: inputs.persist,
    envNames: compose.envNames,
    unset: compose.unset,
    envFilePath: envFilesOf(compose.call, inputs.deployDir).at(-1) ?? '.env',
    updaters: seen.updaters,
    filesChangedAt: compose.changedAt,
  } satisfies Partial<PlanRequest>;
}

/** Of the containers that are swapped. Where nobody can look, volumes are taken over as they are. */
async function contentsOfVolumes(
  connection: Connection,
  { services }: Plan,
  { containers }: Survey,
  signal: AbortSignal,
): Promise<VolumeContents> {
  const swapped = new Set(services.map(({ service }) => service));
  const volumes = containers.filter(({ service }) => swapped.has(service)).flatMap(mountedVolumes);
  return compareVolumes(connection, volumes, signal, log.host).catch((error) => {
    if (!isFailure(error) || signal.aborted) throw error;
    return new Map();
  });
}

function tellPlan(plan: Plan, candidates: readonly Candidate[]): void {
  for (const line of [...planText(plan), ...tableOf(candidates)]) log.info(line);
  for (const { level, text } of plan.notes) {
    if (level === 'warning') log.warning(text);
    else log.info(text);
  }
}

/** The project as it was, with the variables for tags as they are written today: those are to be changed. */
function keptProject({ config }: ComposeSource, today: ComposeProject): ComposeProject {
  const { name, services } = readProject(config, '', 'docker compose config --quiet');
  const written = [...services].map(([service, facts]): [string, ComposeService] => [
    service,
    { ...facts, imageTemplate: today.services.get(service)?.imageTemplate ?? null },
  ]);
  return { name, services: new Map(written) };
}

/** The table of releases to choose from, with its title. */
export function tableOf(others: readonly Candidate[]): string[] {
  return others.length === 0 ? [] : ['Other releases in the history:', ...candidateLines(others)];
}

function projectStateUnknown(): Failure {
  return new Failure('survey-incomplete', "Docker could not describe itself, or some of the project's containers", {
    hint: 'See what it says on the host: docker ps --all; docker info. Then run it again',
  });
}
