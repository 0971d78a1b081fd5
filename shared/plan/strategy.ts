import type { FoundContainer } from '../host/survey.ts';
import { referenceOf } from '../releases/image-reference.ts';
import type { ComposeProject, ComposeService } from '../releases/project.ts';

export type Strategy = 'recreate' | 'blue-green';

export interface StrategyDecision {
  strategy: Strategy;
  /** A printed line. */
  why: string;
}

/** Programs that look a service's containers up anew, and go on to the next where one does not answer. */
const proxies = /(^|[/_-])(nginx|openresty|caddy|traefik|haproxy)([_-][^/]*)?$/;
/** What only watches a proxy is called after it. */
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
 * Without a gap where that can be: new containers beside the old, behind a proxy. Else one after the other, with the reasons.
 * @param containers those of the service
 */
export function decideStrategy(
  wanted: Strategy | 'auto',
  service: ComposeService,
  containers: readonly FoundContainer[],
  project: ComposeProject,
  proxyServices: readonly string[],
): StrategyDecision {
  if (wanted === 'recreate') return { strategy: 'recreate', why: 'as the input "strategy" asks' };
  const reasons = reasonsAgainst(service, containers, project, proxyServices);
  if (reasons.length > 0) return { strategy: 'recreate', why: reasons.join('; ') };
  const proxy = proxyServices.find((name) => sharesNetwork(service, project.services.get(name)));
  return { strategy: 'blue-green', why: `${proxy} leads to it, and two of it can run side by side` };
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
    [service.containerName !== null, `its name is fixed (${service.containerName})`],
    [service.publishes, 'it has a port of the host'],
    [service.networkMode !== null, `its network is ${service.networkMode}`],
    [service.fixedAddress, 'its address is fixed'],
    [!isTested, 'it has no health test, so nobody could tell when the new one is ready'],
    [!containers.some(({ exposedPorts }) => exposedPorts.length > 0), 'it has no port, so no proxy leads to it'],
    [
      !proxyServices.some((name) => sharesNetwork(service, project.services.get(name))),
      'no proxy was found on its network',
    ],
  ];
  return reasons.filter(([holds]) => holds).map(([, reason]) => reason);
}

/** Whether Docker asks after its health. */
export function hasHealthTest({ healthTest }: FoundContainer): boolean {
  return healthTest !== null && healthTest !== 'NONE';
}

function sharesNetwork(one: ComposeService, other: ComposeService | undefined): boolean {
  return other?.networks.some((network) => one.networks.includes(network)) ?? false;
}
