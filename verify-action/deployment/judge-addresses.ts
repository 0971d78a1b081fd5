import type { Findings, Problem } from '../../shared/drill/finding.ts';
import { quoteForShell } from '../../shared/shell-quote.ts';
import type { DeploymentFacts } from './deployment-facts.ts';
import type { WatchedAddress } from './watch.ts';

/**
 * Checks that `health-url` answers, if one is given.
 * @returns false if it was seen not to answer; a host that cannot ask has seen nothing
 */
export function judgeHealthUrl(findings: Findings, facts: DeploymentFacts): boolean {
  if (facts.watched.url === 'no-curl') {
    findings.unable(
      'health-url',
      'the host has no curl to ask an https address',
      'On the host, as root: apt-get install curl',
    );
    return true;
  }
  return facts.healthUrl === null || findings.check('health-url', () => judgeUrl(facts));
}

function judgeUrl({ watched, healthUrl }: DeploymentFacts): string | Problem {
  if (watched.url === 'answers') return `${healthUrl} answered three times in a row`;
  return {
    detail: `${healthUrl} did not return success three times in a row`,
    remedy: `On the host: curl --include ${quoteForShell(String(healthUrl))}`,
  };
}

/** Proxies say so if they cannot reach what is behind them. */
const cannotReach = ['502', '504'];
/** Some proxies also say this to requests for a name that they do not know, as ours may be. */
const mayNotReach = '503';
const isOfProxy = (answer: string) => answer === mayNotReach || cannotReach.includes(answer);
/** A server says that it fails itself. */
const isFailing = (answer: string) => /^5\d\d$/.test(answer) && !isOfProxy(answer);

/**
 * Judges what users get at the published ports. Only what proxies say is an error: another port may speak anything.
 * @returns false if users may get no good answer: a proxy cannot reach what is behind it, for which the release may well not be to
 * blame; or a service without a health check fails, or listens at none of its ports
 */
export function judgeAddresses(
  findings: Findings,
  { watched: { addresses, after }, compose }: DeploymentFacts,
): boolean {
  const asked = addresses.filter(({ answer }) => answer !== 'other');
  if (asked.length === 0) return true;
  const dead = asked.filter(({ answer }) => cannotReach.includes(answer));
  const doubtful = asked.filter(({ answer }) => isFailing(answer) || answer === mayNotReach || answer === 'closed');
  const isUntested = (name: string) => after.some(({ service, health }) => service === name && health === null);
  const isSilent = (name: string) =>
    addresses.every(({ service, answer }) => service !== name || answer === 'closed') ||
    asked.some(({ service, answer }) => service === name && isFailing(answer));
  const silent = doubtful.filter(({ service }) => isUntested(service) && isSilent(service));
  const shown = dead.length > 0 ? dead : doubtful;
  const names = [...new Set(shown.map(({ service }) => service))].join(' ');
  findings.check(
    'addresses',
    () => {
      if (shown.length === 0) return `users get an answer at ${asked.map(({ address }) => address).join(', ')}`;
      return {
        detail: shown.map(describeAddress).join('; '),
        remedy: `${compose} logs --tail 50 ${names}${shown.every(({ answer }) => isFailing(answer)) ? '' : `. A proxy that looks services up only when it starts must be restarted after a deployment: ${compose.slice(compose.indexOf(': ') + 2)} restart ${names}`}`,
      };
    },
    dead.length > 0 ? 'error' : 'warning',
  );
  return dead.length === 0 && silent.length === 0;
}

function describeAddress({ address, service, answer }: WatchedAddress): string {
  if (answer === 'closed') return `nobody listens at ${address}, which ${service} publishes`;
  if (isFailing(answer)) return `${address} answers ${answer}: ${service} fails`;
  return `${address} answers ${answer}: ${service} may not reach what is behind it`;
}
