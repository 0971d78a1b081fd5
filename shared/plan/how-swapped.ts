import type { ComposeService } from '../releases/project.ts';
import type { FoundContainer } from '../survey/survey.ts';
import { restOf } from './at-rest.ts';
import { awaitedBy, isJob } from './jobs.ts';
import type { StepStrategy } from './plan.ts';
import type { PlanRequest } from './plan-request.ts';
import { decideStrategy } from './strategy.ts';

/**
 * How a service is swapped: jobs are run, what was stopped stays stopped, everything else is replaced by a running target.
 * @param own its containers
 */
export function howSwapped(
  request: PlanRequest,
  service: ComposeService,
  own: readonly FoundContainer[],
  proxyServices: readonly string[],
): { strategy: StepStrategy; why: string } {
  const { project, jobs, named, strategy, swapFacts } = request;
  if (isJob(service.name, project)) {
    return jobs === 'skip'
      ? { strategy: 'create-only', why: 'the input "jobs" says skip' }
      : {
          strategy: 'job',
          why: `${awaitedBy(service.name, project).join(', ')} must not start before it has completed`,
        };
  }
  const rest = restOf(service, own, swapFacts.endings, named.has(service.name));
  if (rest?.stays === true) return { strategy: 'create-only', why: rest.why };
  return decideStrategy(strategy, service, own, request, proxyServices);
}
