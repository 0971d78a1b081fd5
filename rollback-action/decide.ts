import { Failure } from '../shared/failure.ts';
import { lastGood } from '../shared/history/choice.ts';
import { entriesOf, gatherHistory, type KnownHistory } from '../shared/history/known-history.ts';
import { newestKnown, newestSchema } from '../shared/history/observation.ts';
import type { Survey } from '../shared/host/survey.ts';
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

/** Decides what to do from what the survey found. Changes nothing. */
export async function decide(
  seen: Survey,
  mirrored: { texts: string[]; notices: string[] },
  inputs: RollbackInputs,
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
    const wanted = wantedRelease(inputs.target, {
      project,
      databases,
      history: knownHistory.host.filter(({ environment }) => environment === inputs.environment),
      entries: entriesOf(knownHistory),
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
      proxies: compose.proxies,
      healthUrl: inputs.healthUrl,
      persist: inputs.persist,
      envNames: compose.envNames,
      unset: compose.unset,
      filesChangedAt: compose.changedAt,
      newestKnown: newestKnown(knownHistory.host, inputs.environment)?.release ?? null,
      schemaNow: newestSchema(knownHistory.host, inputs.environment),
      projectState: compose.projectState,
    });
    for (const line of planText(plan)) log.info(line);
    for (const { level, text } of plan.notes) {
      if (level === 'warning') log.warning(text);
      else log.info(text);
    }
    if (seen.hold !== null) log.info('Deployments are already on hold because of an earlier rollback');
    return { plan, knownHistory };
  });
}

function projectStateUnknown(): Failure {
  return new Failure('bad-compose-config', 'Compose cannot read the project on the host', {
    hint: 'In deploy-dir on the host, run: docker compose config --quiet. Check "compose-file" and "env-file"',
  });
}
