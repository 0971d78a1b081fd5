import { Failure } from '../shared/failure.ts';
import { type Candidate, candidateLines, candidates } from '../shared/history/candidates.ts';
import { lastGood } from '../shared/history/choice.ts';
import { entriesOf, gatherHistory, type KnownHistory } from '../shared/history/known-history.ts';
import { newestKnown, newestSchema } from '../shared/history/observation.ts';
import type { HistoryRecord } from '../shared/history/record.ts';
import type { Survey } from '../shared/host/survey.ts';
import { refuseKnownBad } from '../shared/plan/known-bad.ts';
import type { Plan } from '../shared/plan/plan.ts';
import { planRollback } from '../shared/plan/plan-rollback.ts';
import { wantedRelease } from '../shared/plan/target.ts';
import { planText } from '../shared/plan/text.ts';
import { demandCompose } from '../shared/releases/compose-version.ts';
import { databaseServices } from '../shared/releases/database-services.ts';
import { checkProjectName, readProject } from '../shared/releases/project.ts';
import { releaseOf } from '../shared/releases/release.ts';
import * as log from '../shared/runner/log.ts';
import type { RollbackInputs } from './inputs.ts';

/**
 * Decides what to do from what the survey found. Changes nothing.
 * @param onCandidates gets the releases that the operator can choose from, also if the target turns out to be none
 */
export async function decide(
  seen: Survey,
  mirrored: { texts: string[]; notices: string[] },
  inputs: RollbackInputs,
  onCandidates: (list: Candidate[]) => void,
): Promise<{ plan: Plan; knownHistory: KnownHistory }> {
  return log.group('Plan', async () => {
    const compose = demandCompose(seen);
    const project = readProject(compose.config, compose.template);
    checkProjectName(project.name, seen.containers);
    if (compose.projectState === null) throw projectStateUnknown();

    const knownHistory = gatherHistory(inputs.environment, seen.history, seen.auditTrail, mirrored.texts);
    for (const text of [...mirrored.notices, ...knownHistory.problems]) log.notice(text);
    const running = releaseOf(seen.containers, seen.images);
    const databases = databaseServices(seen, inputs.databaseService);
    const entries = entriesOf(knownHistory);
    const isOurs = ({ environment }: HistoryRecord) => environment === inputs.environment;
    const verdicts = [...knownHistory.missing, ...knownHistory.host].filter(isOurs);
    const { environment } = inputs;
    const others = candidates({ entries, verdicts, running, ignored: databases, images: compose.images, environment });
    onCandidates(others);
    const wanted = wantedRelease(inputs.target, {
      project,
      databases,
      history: knownHistory.host.filter(isOurs),
      entries,
      verdicts,
      images: compose.images,
      choice: lastGood({ records: knownHistory.host, environment: inputs.environment, running, ignored: databases }),
      services: inputs.services,
      registry: inputs.registry,
    });
    const plan = planRollback({
      project,
      composeVersion: compose.version,
      containers: seen.containers,
      images: compose.images,
      running,
      databases,
      wanted,
      strategy: inputs.strategy,
      proxyService: inputs.proxyService,
      persist: inputs.persist,
      envNames: compose.envNames,
      unset: compose.unset,
      updaters: seen.updaters,
      filesChangedAt: compose.changedAt,
      newestKnown: newestKnown(knownHistory.host, inputs.environment)?.release ?? null,
      schemaNow: newestSchema(knownHistory.host, inputs.environment),
      projectState: compose.projectState,
    });
    for (const line of [...planText(plan), ...tableOf(others)]) log.info(line);
    for (const { level, text } of plan.notes) {
      if (level === 'warning') log.warning(text);
      else log.info(text);
    }
    const beside = plan.services.filter(({ strategy }) => strategy === 'blue-green').map(({ service }) => service);
    if (beside.length > 0 && inputs.healthUrl === null)
      log.info(
        `Downtime of ${beside.join(', ')} is measured at the containers. To measure what users see, set "health-url"`,
      );
    if (seen.hold !== null) log.info('Deployments are already on hold because of an earlier rollback');
    if (!inputs.planOnly) refuseKnownBad(wanted, inputs.target, inputs.services);
    return { plan, knownHistory };
  });
}

/** The table of releases to choose from, with its title. */
export function tableOf(others: readonly Candidate[]): string[] {
  return others.length === 0 ? [] : ['Other releases in the history:', ...candidateLines(others)];
}

function projectStateUnknown(): Failure {
  return new Failure('bad-compose-config', 'Compose cannot read the project on the host', {
    hint: 'In deploy-dir on the host, run: docker compose config --quiet. Check "compose-file" and "env-file"',
  });
}
