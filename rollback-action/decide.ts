import { Failure } from '../shared/failure.ts';
import { type Candidate, candidateLines, candidates } from '../shared/history/candidates.ts';
import { lastGood } from '../shared/history/choice.ts';
import { entriesOf, gatherHistory, type KnownHistory } from '../shared/history/known-history.ts';
import { newestKnown, newestSchema } from '../shared/history/observation.ts';
import type { HistoryRecord } from '../shared/history/record.ts';
import type { Connection } from '../shared/host/connection.ts';
import { refuseKnownBad } from '../shared/plan/known-bad.ts';
import type { Plan } from '../shared/plan/plan.ts';
import type { PlanRequest } from '../shared/plan/plan-request.ts';
import { planRollback } from '../shared/plan/plan-rollback.ts';
import { planText } from '../shared/plan/text.ts';
import { type Wanted, wantedRelease } from '../shared/plan/wanted-release.ts';
import { demandCompose } from '../shared/releases/compose-version.ts';
import { databaseServices } from '../shared/releases/database-services.ts';
import { demandDeployedFiles, tellMissingFiles } from '../shared/releases/deployed-files.ts';
import { inlineFiles, tarOf } from '../shared/releases/inline-files.ts';
import { type ComposeProject, type ComposeService, readProject } from '../shared/releases/project.ts';
import { readableProject } from '../shared/releases/readable-project.ts';
import { releaseOf } from '../shared/releases/release.ts';
import { settingsDrift } from '../shared/releases/service-settings.ts';
import { storeServices } from '../shared/releases/stores.ts';
import * as log from '../shared/runner/log.ts';
import { envFilesOf } from '../shared/survey/compose-call.ts';
import type { Survey } from '../shared/survey/survey.ts';
import { noSwapFacts } from '../shared/survey/survey-swap.ts';
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
    const missing = tellMissingFiles(compose);
    if (missing !== null) log.warning(missing);

    const knownHistory = gatherHistory(inputs.environment, seen.history, seen.auditTrail, mirrored.texts);
    for (const text of [...mirrored.notices, ...knownHistory.problems]) log.notice(text);
    const running = releaseOf(seen.containers, seen.images);
    const databases = databaseServices(seen, inputs.databaseService);
    const today = readableProject(seen, inputs);
    const stores = storesOf(seen, today, inputs, databases);
    const ignored = new Set([...databases, ...stores]);
    const entries = entriesOf(knownHistory);
    const isOurs = ({ environment }: HistoryRecord) => environment === inputs.environment;
    const verdicts = [...knownHistory.missing, ...knownHistory.host].filter(isOurs);
    const history = knownHistory.host.filter(isOurs);
    const { environment } = inputs;
    const others = candidates({ entries, verdicts, running, ignored, images: compose.images, environment });
    onCandidates(others);
    const choice = lastGood({ records: knownHistory.host, environment, running, ignored });
    const wantedIn = (project: ComposeProject) =>
      inputs.restore?.isAlone === true
        ? whatRuns
        : wantedRelease(inputs.target, {
            project,
            databases,
            history,
            entries,
            verdicts,
            images: compose.images,
            choice,
            services: inputs.services,
            registry: inputs.registry,
          });
    const current = currentSource(compose, inputs.deployDir);
    const isKept = inputs.compose === 'kept';
    const source = isKept
      ? await keptSource(
          connection,
          current,
          settingsWhenRan(history, wantedIn(today).images),
          today.name,
          inputs,
          signal,
        )
      : current;
    if (source.projectState === null) throw projectStateUnknown();
    const project = isKept ? keptProject(source, today) : today;
    const wanted = wantedIn(project);
    const request: PlanRequest = {
      project,
      composeVersion: compose.version,
      containers: seen.containers,
      images: compose.images,
      running,
      databases,
      stores,
      named: new Set(inputs.services ?? []),
      jobs: inputs.jobs,
      swapFacts: seen.swapFacts ?? noSwapFacts,
      wanted,
      // While databases exchange their names, nothing may write.
      strategy: inputs.restore === null ? inputs.strategy : 'recreate',
      proxyService: inputs.proxyService,
      proxies: compose.proxies,
      healthUrl: inputs.healthUrl,
      persist: inputs.persist,
      envNames: compose.envNames,
      unset: compose.unset,
      settings: isKept
        ? []
        : await settingsOfTarget(connection, { seen, current, wanted, history, project }, inputs, signal),
      drift: isKept ? new Map() : settingsDrift(seen, compose),
      envFilePath: envFilesOf(compose.call, inputs.deployDir).at(-1) ?? '.env',
      updaters: seen.updaters,
      filesChangedAt: compose.changedAt,
      newestKnown: newestKnown(knownHistory.host, inputs.environment)?.release ?? null,
      schemaNow: newestSchema(knownHistory.host, inputs.environment),
      projectState: source.projectState,
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
    for (const line of [...planText(plan), ...tableOf(others)]) log.info(line);
    for (const { level, text } of plan.notes) {
      if (level === 'warning') log.warning(text);
      else log.info(text);
    }
    if (seen.hold !== null) log.info('Deployments are already on hold because of an earlier rollback');
    if (!inputs.planOnly) refuseKnownBad(wanted, inputs.target, inputs.services);
    if (!inputs.planOnly && schema?.refusal) throw schema.refusal;
    const afterPull = (settled: Plan) => guardAfterPull(connection, schema, settled, ground, inputs, signal);
    return { plan, knownHistory, compose: source, restoring, afterPull };
  });
}

/** Only the database is restored. */
const whatRuns: Wanted = {
  images: new Map(),
  source: 'the release that runs: only the database is restored',
  record: null,
  unknown: [],
  knownBad: null,
};

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

/** The stores that nobody named, neither as a service nor with a tag of its own. */
function storesOf(
  { containers, swapFacts }: Survey,
  { services }: ComposeProject,
  inputs: RollbackInputs,
  databases: ReadonlySet<string>,
): ReadonlySet<string> {
  const images = new Map([...services.values()].map(({ name, image }) => [name, image]));
  const named = [...(inputs.services ?? []), ...(inputs.target.kind === 'services' ? inputs.target.images.keys() : [])];
  const found = storeServices(containers, swapFacts ?? noSwapFacts, images);
  return new Set([...found].filter((service) => !databases.has(service) && !named.includes(service)));
}

function projectStateUnknown(): Failure {
  return new Failure('survey-incomplete', "Docker did not describe all of the project's containers, or not itself", {
    hint: 'See what it says on the host: docker ps --all; docker info. Then run it again',
  });
}
