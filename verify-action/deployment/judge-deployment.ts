import { Findings, type Problem } from '../../shared/drill/finding.ts';
import { newestKnown, observed, type RunFacts } from '../../shared/history/observation.ts';
import type { HistoryRecord } from '../../shared/history/record.ts';
import { type Release, releaseOf, sameRelease } from '../../shared/releases/release.ts';
import { formatDuration } from '../../shared/units.ts';
import { containersOf, type DeploymentFacts } from './deployment-facts.ts';
import { expectedImages, judgeExpected } from './expected.ts';
import { judgeAddresses, judgeHealthUrl } from './judge-addresses.ts';
import { judgeImages } from './judge-images.ts';
import { judgeServices, type ServiceHealth } from './judge-services.ts';
import type { Watched, WatchedContainer } from './watch.ts';

/** The findings, and the verdict on the running release. */
export interface JudgedDeployment {
  findings: Findings;
  release: Release;
  /** Whether the running release works, no matter whether it is the expected one. */
  verdict: HistoryRecord['verdict'];
}

/** Checks that the deployed release is running and healthy. */
export function judgeDeployment(facts: DeploymentFacts): JudgedDeployment {
  const findings = new Findings('deployment');
  const { watched, expect } = facts;
  const expected = expect === null ? null : expectedImages(expect, facts);
  if (expect !== null && expected !== null) judgeExpected(findings, expect, expected, facts);
  const services = judgeServices(findings, facts);
  judgeImages(findings, expected, facts);
  const isStable = findings.check('stable', () => judgeStable(facts));
  const isAnswering = judgeHealthUrl(findings, facts);
  const isReached = judgeAddresses(findings, facts);
  findings.check('health tests', () => judgeHealthTests(facts), 'warning');
  const isWell = services.isWell && isStable && isAnswering;
  const verdict = verdictOn(services, isWell, isReached, watched);
  return { findings, release: releaseOf(watched.after, watched.images), verdict };
}

/** Only health counts: neither a wrong image nor an unhealthy database makes the running release bad. */
function verdictOn(
  { isDatabaseWell, isUndecided, isHalted }: ServiceHealth,
  isWell: boolean,
  isReached: boolean,
  watched: Watched,
): HistoryRecord['verdict'] {
  const isSure = isDatabaseWell && isReached && !isReplaced(watched) && watched.url !== 'no-curl';
  const isSilent = isWell ? isUndecided : isHalted;
  if (!isSure || isSilent) return 'unknown';
  return isWell ? 'good' : 'bad';
}

/** Containers are being replaced, so one that stops may just be an old one on its way out. */
function isReplaced({ settled, after }: Watched): boolean {
  const [before, now] = [settled, after].map((containers) =>
    containers
      .map(({ id }) => id)
      .toSorted()
      .join(),
  );
  return before !== now;
}

function judgeStable(facts: DeploymentFacts): string | Problem {
  const { watched, stableFor } = facts;
  const after = new Map(watched.after.map((container) => [container.id, container]));
  const fallen = watched.settled.filter((before) => {
    const now = after.get(before.id);
    return (
      now === undefined || now.started !== before.started || now.restarts !== before.restarts || worse(before, now)
    );
  });
  const known = new Set(watched.settled.map(({ id }) => id));
  const added = watched.after.filter(({ id }) => !known.has(id));
  const names = [...new Set([...fallen, ...added].map(({ service }) => service))];
  if (names.length === 0) return `everything stayed up for ${formatDuration(stableFor)}`;
  return {
    detail: `${names.join(', ')} fell over or ${names.length === 1 ? 'was' : 'were'} replaced within ${formatDuration(stableFor)}`,
    remedy: `${facts.compose} logs --tail 50 ${names.join(' ')}`,
  };
}

function worse(before: WatchedContainer, now: WatchedContainer): boolean {
  return before.state !== now.state || (now.health === 'unhealthy' && before.health !== 'unhealthy');
}

/** Whether whatever runs can be seen to serve. */
function judgeHealthTests({ project, watched, databases }: DeploymentFacts): string | Problem {
  const isUntested = ({ health, state }: WatchedContainer) => health === null && state === 'running';
  const names = [...project.services.keys()].filter(
    (name) => !databases.has(name) && containersOf(watched.after, name).some(isUntested),
  );
  if (names.length === 0) return 'every running service has a health check';
  return {
    detail:
      names.length === 1
        ? `${names[0]} is running but has no health check, so it may not be serving`
        : `${names.join(', ')} are running but have no health check, so they may not be serving`,
    remedy: 'Add a healthcheck in the compose file',
  };
}

/**
 * The record for the history: a deployment if the release is new to it, otherwise a check. A wrong image that works gets
 * the verdict unknown, not good: it may be an earlier release that the deployment failed to replace.
 */
export function deploymentRecord(
  { findings, release, verdict }: JudgedDeployment,
  run: RunFacts,
  history: readonly HistoryRecord[],
): HistoryRecord {
  const newest = newestKnown(history, run.environment);
  const isNew = newest === null || !sameRelease(newest.release, release);
  const isOther = findings.list.some(({ name, result }) => /^(image: |expect$)/.test(name) && result !== 'passed');
  return {
    ...observed(release, run, newest?.release ?? null),
    event: isNew ? 'deploy' : 'check',
    verdict: isOther && verdict === 'good' ? 'unknown' : verdict,
  };
}
