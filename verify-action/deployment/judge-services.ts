import type { Findings, Problem } from '../../shared/drill/finding.ts';
import type { ComposeProject, ComposeService } from '../../shared/releases/project.ts';
import { formatDuration } from '../../shared/units.ts';
import { containersOf, type DeploymentFacts } from './deployment-facts.ts';
import type { Watched, WatchedContainer } from './watch.ts';

/** What the services say of the release. A database that is down is no fault of the release, and neither is what was stopped. */
export interface ServiceHealth {
  /** Nothing that the release runs was seen to fail. */
  isWell: boolean;
  isDatabaseWell: boolean;
  /** Something is still starting, or was stopped although others are likely to ask it for something. */
  isUndecided: boolean;
  /** Somebody has stopped a service: whatever fails may fail for want of it. */
  isHalted: boolean;
}

/** Checks that each service runs and is healthy, and that there are no others. */
export function judgeServices(findings: Findings, facts: DeploymentFacts): ServiceHealth {
  const { project, watched, databases, stopped } = facts;
  const services = [...project.services.values()];
  const health: ServiceHealth = {
    isWell: true,
    isDatabaseWell: true,
    isUndecided: services.some(({ name }) => !databases.has(name) && stopped.get(name)?.serves),
    isHalted: services.some(({ name }) => isHalted(name, facts)),
  };
  for (const service of services) {
    const { name } = service;
    // It may be a one-off task that is not marked as such, or stopped on purpose.
    const isStopped = isHalted(name, facts) || isKeptStopped(containersOf(watched.settled, name));
    const isIdle = isStopped && stopped.get(name)?.serves !== true;
    const severity = hasEnded(service, facts) || isIdle ? 'warning' : 'error';
    const isFine = findings.check(`running: ${name}`, () => judgeService(service, facts), severity);
    if (isFine || severity === 'warning' || isStopped) continue;
    if (databases.has(name)) health.isDatabaseWell = false;
    else if (isStillStarting(containersOf(watched.settled, name), watched)) health.isUndecided = true;
    else health.isWell = false;
  }
  for (const name of new Set(watched.settled.map(({ service }) => service))) {
    if (!project.services.has(name) && !databases.has(name))
      findings.check(`running: ${name}`, () => judgeStray(name, facts), 'warning');
  }
  return health;
}

/** Health tests that have neither passed nor failed yet: only what was seen to fail is bad. */
function isStillStarting(own: readonly WatchedContainer[], { fails }: Watched): boolean {
  const isOne = ({ id, state, health, restarts }: WatchedContainer) =>
    state === 'running' && health === 'starting' && restarts === 0 && !fails.has(id);
  return own.length > 0 && own.every(isOne);
}

/** Whether somebody has stopped it, and nobody has started it since. A database that is stopped is no choice. */
function isHalted(name: string, { stopped, databases, watched }: DeploymentFacts): boolean {
  return (
    stopped.has(name) &&
    !databases.has(name) &&
    containersOf(watched.settled, name).every(({ state }) => state === 'exited')
  );
}

/** Whether the service merely exited with 0, although it publishes no port and no other service waits for it to finish. */
function hasEnded({ name, publishes, replicas }: ComposeService, { watched, project }: DeploymentFacts): boolean {
  const own = containersOf(watched.settled, name);
  return own.length >= Math.max(1, replicas ?? 1) && own.every(isDone) && !publishes && !isAwaited(name, project);
}

/** Another service waits for it to complete, so it is a one-off task. */
function isAwaited(name: string, { services }: ComposeProject): boolean {
  return [...services.values()].some(({ dependsOn }) => dependsOn.some((on) => on.service === name && on.awaitsEnd));
}

function judgeService(
  { name: service, replicas, publishes }: ComposeService,
  facts: DeploymentFacts,
): string | Problem {
  const { watched, healthTimeout } = facts;
  const own = containersOf(watched.settled, service);
  const wanted = replicas ?? 1;
  if (wanted === 0 && own.length === 0) return 'not meant to run (replicas: 0)';
  if (own.length === 0) return { detail: 'it has no container', remedy: `${facts.compose} up --detach ${service}` };
  if (isKeptStopped(own)) {
    return {
      detail:
        'it is stopped: a rollback has made its container and not started it, because it was stopped before or is a job that was skipped',
      remedy: `To start it: ${facts.compose} start ${service}`,
    };
  }
  if (isHalted(service, facts)) {
    return { detail: 'it was stopped by hand', remedy: `To start it: ${facts.compose} start ${service}` };
  }
  const bad = own.map((container) => faultOf(container, watched, healthTimeout)).find((fault) => fault !== null);
  if (bad !== undefined && bad !== null) return { detail: bad, remedy: `${facts.compose} logs --tail 50 ${service}` };
  if (own.length < wanted) {
    return {
      detail: `only ${own.length} of ${wanted} containers exist`,
      remedy: `${facts.compose} up --detach ${service}`,
    };
  }
  if (own.some(isDone) && !isAwaited(service, facts.project)) {
    const why = publishes ? 'but it publishes a port of the host' : 'but no other service waits for it to complete';
    return {
      detail: `it exited with 0, ${why}`,
      remedy: `${facts.compose} up --detach ${service}. If it is a one-off task, let another service wait for it: depends_on, condition: service_completed_successfully`,
    };
  }
  const [first] = own;
  const health = first?.health === 'starting' ? 'passes its health check, which Docker has not run yet' : first?.health;
  const state = first?.state === 'exited' ? 'completed' : (health ?? 'running, no health check');
  return own.length === 1 ? state : `${own.length} containers, each ${state}`;
}

/** A container of the project whose service is not in the compose file: another release may have left it behind. */
function judgeStray(service: string, { watched, healthTimeout, compose }: DeploymentFacts): string | Problem {
  const fault = containersOf(watched.settled, service)
    .map((container) => faultOf(container, watched, healthTimeout))
    .find((each) => each !== null);
  return {
    detail: `it is not in the compose file, but has a container${fault === undefined ? '' : `: ${fault}`}`,
    remedy: `If it is left over: ${compose} up --detach --remove-orphans`,
  };
}

/** It completed successfully and Docker will not restart it. Compose may write the policy `no` as an empty string. */
function isDone({ state, exit, policy, health }: WatchedContainer): boolean {
  return state === 'exited' && exit === 0 && ['no', '', 'on-failure'].includes(policy) && health === null;
}

/** A rollback leaves stopped what was stopped, and the jobs that it skips. Nobody has started these since. */
function isKeptStopped(own: readonly WatchedContainer[]): boolean {
  return own.length > 0 && own.every(({ state, rollback }) => state === 'created' && (rollback ?? '') !== '');
}

/** null if the container is fine. */
function faultOf(container: WatchedContainer, watched: Watched, healthTimeout: number): string | null {
  const { state, exit, health, restarts, started } = container;
  const words = watched.words.get(container.id);
  const said = words === undefined || words === '' ? '' : `. Its last output: ${words}`;
  if (isDone(container)) return null;
  if (state === 'restarting') return `it keeps restarting (exit ${exit}, restart count ${restarts})${said}`;
  // Docker gives it an exit code only if it tried: a port may have been taken.
  if (state === 'created') return `it was created, but never started${exit === 0 ? '' : ` (exit ${exit})`}${said}`;
  if (state !== 'running') return `it is not running: ${state} (exit ${exit})${said}`;
  // A container that crashed long ago and has been running since is fine; one that crashed just now is not.
  if (restarts > 0 && watched.clock - Date.parse(started) < healthTimeout)
    return `it has been up for only ${formatDuration(watched.clock - Date.parse(started))} (restart count ${restarts})${said}`;
  if (health === 'unhealthy') return `its health check fails${said}`;
  if (health === 'starting' && watched.passes.has(container.id)) return null;
  if (health !== null && health !== 'healthy')
    return `it is still ${health} ${formatDuration(Math.max(0, watched.clock - Date.parse(started)))} after its start${said}`;
  return null;
}
