import { referenceOf } from '../releases/image-reference.ts';
import type { ComposeProject, ComposeService } from '../releases/project.ts';
import type { FoundContainer } from '../survey/survey.ts';
import type { FoundProxy } from '../survey/survey-compose.ts';
import type { ContainerEnding } from '../survey/survey-swap.ts';
import type { PlanRequest, Strategy } from './plan-request.ts';

export interface StrategyDecision {
  strategy: Strategy;
  /** A printed line. */
  why: string;
}

/** Reverse proxies that can look up a service's containers again, and skip one that does not answer. */
const proxies = /(^|[/_-])(nginx|openresty|caddy|traefik|haproxy)([_-][^/]*)?$/;
/** Tools that only monitor a proxy, and bear its name. */
const watchers = /exporter|metrics/;

function looksLikeProxy({ image }: ComposeService): boolean {
  const path = referenceOf(image)?.path ?? '';
  return proxies.test(path) && !watchers.test(path);
}

/** The services that look like reverse proxies, or the one that is named. */
export function proxiesIn({ services }: ComposeProject, named: string | null): string[] {
  return [...services.values()]
    .filter((service) => (named === null ? looksLikeProxy(service) : service.name === named))
    .map(({ name }) => name);
}

/**
 * Without downtime if possible: new containers beside the old, behind a proxy. Otherwise one after the other, and why.
 * `auto` swaps without downtime only if that can be measured as users see it, and the proxy finds the new containers by itself.
 * @param containers those of the service
 */
export function decideStrategy(
  wanted: Strategy | 'auto',
  service: ComposeService,
  containers: readonly FoundContainer[],
  { project, proxies, healthUrl, swapFacts }: Pick<PlanRequest, 'project' | 'proxies' | 'healthUrl' | 'swapFacts'>,
  proxyServices: readonly string[],
): StrategyDecision {
  if (wanted === 'recreate') return { strategy: 'recreate', why: 'the input "strategy" asks for it' };
  const reasons = reasonsAgainst(service, containers, project, proxyServices);
  if (reasons.length === 0 && wanted === 'auto')
    reasons.push(
      ...doubts(service, containers, project, proxyServices, proxies, healthUrl),
      ...sharedFiles(containers, swapFacts.endings),
    );
  if (reasons.length > 0) return { strategy: 'recreate', why: reasons.join('; ') };
  const proxy = proxyServices.find((name) => sharesNetwork(service, project.services.get(name)));
  return { strategy: 'blue-green', why: `${proxy} is on its network, and two copies can run side by side` };
}

function reasonsAgainst(
  service: ComposeService,
  containers: readonly FoundContainer[],
  project: ComposeProject,
  proxyServices: readonly string[],
): string[] {
  const isTested = containers.length > 0 && containers.every(hasHealthTest);
  const reasons: [boolean, string][] = [
    [proxyServices.includes(service.name), 'it is the proxy'],
    [service.containerName !== null, `it has a fixed name (${service.containerName})`],
    [service.publishes, 'it publishes a port of the host'],
    [service.networkMode !== null, `its network mode is ${service.networkMode}`],
    [service.fixedAddress, 'it has a fixed address'],
    [!isTested, 'it has no health check, so nothing tells when the new container is ready'],
    [!containers.some(({ exposedPorts }) => exposedPorts.length > 0), 'it exposes no port for a proxy'],
    [
      !proxyServices.some((name) => sharesNetwork(service, project.services.get(name))),
      'no known proxy is on its network',
    ],
  ];
  return reasons.filter(([holds]) => holds).map(([, reason]) => reason);
}

/** Why it cannot be known that users would get answers throughout. */
function doubts(
  service: ComposeService,
  containers: readonly FoundContainer[],
  project: ComposeProject,
  proxyServices: readonly string[],
  proxies: readonly FoundProxy[],
  healthUrl: URL | null,
): string[] {
  const near = proxyServices.filter((name) => sharesNetwork(service, project.services.get(name)));
  const found = proxies.filter((proxy) => near.includes(proxy.service));
  // A web server that is no proxy by its name may pass requests on as well.
  const once = lookedUpOnceBy(service, containers, proxies);
  const unread = found.filter(({ looksUpOnce }) => looksUpOnce === null).map((proxy) => proxy.service);
  const isAsked = healthUrl !== null || found.some(({ answers }) => answers.length > 0);
  return [
    ...once.map((proxy) => `${proxy} looks ${service.name} up only when it starts, or rarely`),
    ...unread.map(
      (proxy) => `the configuration of ${proxy} does not tell whether it looks ${service.name} up only when it starts`,
    ),
    ...(isAsked ? [] : [`${near.join(', ')} answers on no published port, and no health-url is given to ask`]),
  ];
}

/** What is no data of an application: sockets, such as Docker's, and files with settings, which few mount read-only. */
const noData =
  /\.(sock|ya?ml|json|toml|conf|cfg|ini|properties|env|xml|sh|html?|css|m?js|crt|cert|pem|key)$|^\/etc\/[^/]+$/;

/**
 * Two copies of an application that keeps files may not work side by side: SQLite, a lock, a socket that the one that ends removes.
 * Several that run already have shown that they do.
 */
function sharedFiles(containers: readonly FoundContainer[], endings: readonly ContainerEnding[]): string[] {
  if (containers.filter(({ state }) => state === 'running').length > 1) return [];
  const ids = new Set(containers.map(({ id }) => id));
  const written = endings.filter(({ id }) => ids.has(id)).flatMap(({ writes }) => writes);
  const [folder] = written.filter((path) => !noData.test(path));
  return folder === undefined ? [] : [`it may write to ${folder}, which two copies at a time may not be able to share`];
}

/** The proxies that resolve one of the service's names only when they start. */
export function lookedUpOnceBy(
  { name, containerName, aliases }: ComposeService,
  containers: readonly FoundContainer[],
  proxies: readonly FoundProxy[],
): string[] {
  const own = containers.map((container) => container.name.replace(/^\//, ''));
  const names = [name, containerName, ...aliases, ...own].map((each) => each?.toLowerCase());
  const found = proxies.filter(({ looksUpOnce }) => looksUpOnce?.some((host) => names.includes(host)));
  return [...new Set(found.map(({ service }) => service))].filter((proxy) => proxy !== name);
}

/** Whether Docker runs a health check for the container. */
export function hasHealthTest({ healthTest }: FoundContainer): boolean {
  return healthTest !== null && healthTest !== 'NONE';
}

function sharesNetwork(one: ComposeService, other: ComposeService | undefined): boolean {
  return other?.networks.some((network) => one.networks.includes(network)) ?? false;
}
