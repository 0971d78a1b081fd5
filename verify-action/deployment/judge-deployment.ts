import { Findings, type Problem } from '../../shared/drill/finding.ts';
import { newestKnown, observed, type RunFacts } from '../../shared/history/observation.ts';
import type { HistoryRecord } from '../../shared/history/record.ts';
import type { Target } from '../../shared/plan/target.ts';
import type { TagMeaning } from '../../shared/releases/ask-registry.ts';
import { nameOf } from '../../shared/releases/image-name.ts';
import { type ImageReference, referenceOf } from '../../shared/releases/image-reference.ts';
import type { ComposeProject, ComposeService } from '../../shared/releases/project.ts';
import { type Release, type RunningImage, releaseOf, sameImage, sameRelease } from '../../shared/releases/release.ts';
import { quoteForShell } from '../../shared/shell-quote.ts';
import type { LocalImage } from '../../shared/survey/survey-compose.ts';
import { formatDuration, listed } from '../../shared/units.ts';
import { type ExpectedImages, expectedImages, judgeExpected } from './expected.ts';
import { type TagEvidence, tagEvidence } from './tag-evidence.ts';
import type { Watched, WatchedAddress, WatchedContainer } from './watch.ts';

/** The facts by which a deployment is judged. */
export interface DeploymentFacts {
  project: ComposeProject;
  /** The compose command to copy and paste on the host: `cd /opt/shop && docker compose`. */
  compose: string;
  watched: Watched;
  /** The host's images, to resolve names to ids. */
  images: readonly LocalImage[];
  databases: ReadonlySet<string>;
  /** Services that somebody has stopped, or that a rollback left stopped, and whether others are likely to ask them for something. */
  stopped: ReadonlyMap<string, { serves: boolean }>;
  /** What should be running; null: what the compose file names, or the last record. */
  expect: Target | null;
  /** What the registry says of the tags that `expect` names, by `repository:tag`. */
  meanings: ReadonlyMap<string, TagMeaning>;
  /** The host's own history, in the order of its file. */
  history: readonly HistoryRecord[];
  environment: string;
  /** A tag on its own is meant for images from this registry. */
  registry: string;
  healthUrl: URL | null;
  /** Milliseconds. */
  healthTimeout: number;
  stableFor: number;
}

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
  const { project, watched, databases } = facts;
  const services = [...project.services.values()];
  const expected = facts.expect === null ? null : expectedImages(facts.expect, facts);
  if (facts.expect !== null && expected !== null) judgeExpected(findings, facts.expect, expected, facts);
  // Only health counts for the verdict: neither a wrong image nor an unhealthy database makes the running release bad.
  let isWell = true;
  let isDatabaseWell = true;
  let isUndecided = false;
  // What somebody has stopped says nothing against the release, nor does whatever fails for want of it.
  const halted = services.filter(({ name }) => isHalted(name, facts));
  if (services.some(({ name }) => !databases.has(name) && facts.stopped.get(name)?.serves)) isUndecided = true;
  for (const service of services) {
    const { name } = service;
    // It may be a one-off task that is not marked as such, or stopped on purpose.
    const isStopped = halted.includes(service) || isKeptStopped(of(watched.settled, name));
    const isIdle = isStopped && facts.stopped.get(name)?.serves !== true;
    const severity = hasEnded(service, facts) || isIdle ? 'warning' : 'error';
    if (findings.check(`running: ${name}`, () => judgeService(service, facts), severity) || severity === 'warning')
      continue;
    if (isStopped) continue;
    if (databases.has(name)) isDatabaseWell = false;
    else if (isStillStarting(of(watched.settled, name), watched)) isUndecided = true;
    else isWell = false;
  }
  for (const name of new Set(watched.settled.map(({ service }) => service))) {
    if (!project.services.has(name) && !databases.has(name))
      findings.check(`running: ${name}`, () => judgeStray(name, facts), 'warning');
  }
  for (const service of services.filter(({ name }) => !databases.has(name))) {
    const judged = judgeImage(service, expected, facts);
    if (typeof judged === 'string' || 'detail' in judged) findings.check(`image: ${service.name}`, () => judged);
    else findings.unable(`image: ${service.name}`, judged.unable, judged.remedy);
  }
  if (!findings.check('stable', () => judgeStable(facts))) isWell = false;
  if (watched.url === 'no-curl')
    findings.unable(
      'health-url',
      'the host has no curl to ask an https address',
      'On the host, as root: apt-get install curl',
    );
  else if (facts.healthUrl !== null && !findings.check('health-url', () => judgeUrl(facts))) isWell = false;
  const reach = judgeAddresses(findings, facts);
  const unproven = services.filter(({ name }) =>
    of(watched.after, name).some(({ health, state }) => health === null && state === 'running'),
  );
  findings.check('health tests', () => tellUnproven(unproven, facts), 'warning');
  const isSure = isDatabaseWell && reach && !isReplaced(watched) && watched.url !== 'no-curl';
  const isSilent = isWell ? isUndecided : halted.length > 0;
  const verdict = !isSure || isSilent ? 'unknown' : isWell ? 'good' : 'bad';
  return { findings, release: releaseOf(watched.after, watched.images), verdict };
}

/** Health tests that have neither passed nor failed yet: only what was seen to fail is bad. */
function isStillStarting(own: readonly WatchedContainer[], { fails }: Watched): boolean {
  const isOne = ({ id, state, health, restarts }: WatchedContainer) =>
    state === 'running' && health === 'starting' && restarts === 0 && !fails.has(id);
  return own.length > 0 && own.every(isOne);
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

const of = (containers: readonly WatchedContainer[], service: string) =>
  containers.filter((container) => container.service === service);

/** Whether somebody has stopped it, and nobody has started it since. A database that is stopped is no choice. */
function isHalted(name: string, { stopped, databases, watched }: DeploymentFacts): boolean {
  return (
    stopped.has(name) && !databases.has(name) && of(watched.settled, name).every(({ state }) => state === 'exited')
  );
}

/** Whether the service merely exited with 0, although it publishes no port and no other service waits for it to finish. */
function hasEnded({ name, publishes, replicas }: ComposeService, { watched, project }: DeploymentFacts): boolean {
  const own = of(watched.settled, name);
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
  const own = of(watched.settled, service);
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
  const fault = of(watched.settled, service)
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
  if (state !== 'running') return `it is not running: ${state} (exit ${exit})${said}`;
  // A container that crashed long ago and has been running since is fine; one that crashed just now is not.
  if (restarts > 0 && watched.clock - Date.parse(started) < healthTimeout)
    return `it has been up for only ${formatDuration(watched.clock - Date.parse(started))} (restart count ${restarts})${said}`;
  if (health === 'unhealthy') return `its health check fails${said}`;
  if (health === 'starting' && watched.passes.has(container.id)) return null;
  if (health !== null && health !== 'healthy')
    return `it is still ${health} after ${formatDuration(healthTimeout)}${said}`;
  return null;
}

function judgeImage(
  service: ComposeService,
  expected: ExpectedImages | null,
  facts: DeploymentFacts,
): string | Problem | { unable: string; remedy: string } {
  const own = of(facts.watched.after, service.name);
  const runs = releaseOf(own, facts.watched.images)[service.name];
  if (runs === undefined && service.replicas === 0) return 'not meant to run (replicas: 0)';
  if (runs === undefined) return { detail: 'it has no container', remedy: `See the check "running: ${service.name}"` };
  const others = own.filter(({ imageId }) => imageId !== runs.imageId);
  if (others.length > 0) {
    return {
      detail: 'its containers run different images',
      remedy: `${facts.compose} up --detach ${service.name}`,
    };
  }
  if (expected?.has(service.name) && referenceOf(service.image) === null) {
    return {
      detail: 'its tag cannot be compared: the compose file gives it no image',
      remedy: `Give ${service.name} an "image" in the compose file, or leave it out of "expect"`,
    };
  }
  const wanted = wantedOf(service, expected, facts.images);
  const runsName = told(runs, service.image, facts.images);
  if (wanted === null) return `runs ${runsName}; "expect" does not include it`;
  const isNamed = wanted.imageIds.includes(runs.imageId ?? '');
  if (wanted.expectedTag !== null) {
    const evidence = evidenceOf(service, runs, wanted.expectedTag, facts);
    if (evidence.is === 'same') return `runs ${runsName}, as ${wanted.source} says`;
    if (evidence.is === 'other' && isNamed) {
      return {
        detail: `runs ${runsName}, which is called ${wanted.name} on this host, but is not ${wanted.name}, which ${wanted.source} asks for: ${evidence.source} has another image for it`,
        remedy: `On the host: docker pull ${wanted.repository}:${wanted.name}. Then deploy again`,
      };
    }
    // To pass, more is needed than a name that this host gives.
    if (evidence.is === 'unknown' && isNamed) {
      return {
        unable: `runs ${runsName}, and whether that is ${wanted.name} cannot be told: ${evidence.why}`,
        remedy: `Set "registry-username" and "registry-password" if the registry wants them. For images that no registry has, verify once without "expect" after the deployment`,
      };
    }
  } else if (isNamed) return `runs ${runsName}, as ${wanted.source} says`;
  // A record that merely observed a release does not say that anybody wanted it.
  const newest = newestKnown(facts.history, facts.environment);
  const record = newest?.event === 'rollback' || newest?.verdict === 'good' ? newest.release[service.name] : undefined;
  if (expected === null && record !== undefined && sameImage(record, runs)) {
    return `runs ${runsName}, as the last record in the history says`;
  }
  return {
    detail:
      wanted.imageIds.length === 0
        ? `runs ${runsName}; the host does not have ${wanted.name}, which ${wanted.source} asks for`
        : `runs ${runsName}, not ${wanted.name}, which ${wanted.source} asks for`,
    remedy: 'The deployment did not pull that release, or did not start it: see its log. Then deploy again',
  };
}

/** The images that a service may run; null if `expect` does not include it. */
function wantedOf(
  { name, image }: ComposeService,
  expected: ExpectedImages | null,
  images: readonly LocalImage[],
): { name: string; repository: string; expectedTag: string | null; imageIds: string[]; source: string } | null {
  const own = referenceOf(image);
  const wanted = expected === null ? own : expected.get(name);
  if (own === null || wanted === null || wanted === undefined) return null;
  const { tag, digest } = wanted;
  const isMeant = (known: ImageReference | null) =>
    known?.repository === own.repository && (digest === null ? known.tag === tag : known.digest === digest);
  return {
    name: digest ?? tag ?? '',
    repository: own.repository,
    expectedTag: expected === null || digest !== null ? null : tag,
    imageIds: images
      .filter(({ repoTags, repoDigests }) => (digest === null ? repoTags : repoDigests).map(referenceOf).some(isMeant))
      .map(({ id }) => id),
    source: expected === null ? 'the compose file' : '"expect"',
  };
}

function evidenceOf(service: ComposeService, runs: RunningImage, tag: string, facts: DeploymentFacts): TagEvidence {
  const repository = referenceOf(service.image)?.repository ?? '';
  const known = [...facts.watched.images, ...facts.images].filter(({ id }) => id === runs.imageId);
  const digests = known.flatMap(({ repoDigests }) =>
    repoDigests.map(referenceOf).flatMap((name) => (name?.repository === repository ? (name.digest ?? []) : [])),
  );
  const history = facts.history.filter(({ environment }) => environment === facts.environment);
  const meaning = facts.meanings.get(`${repository}:${tag}`);
  return tagEvidence({ service: service.name, tag, repository, runs, digests, meaning, history });
}

function told(runs: RunningImage, image: string | null, images: readonly LocalImage[]): string {
  const tag = nameOf(runs, image, images);
  const id = (runs.imageId ?? runs.digest ?? 'an unknown image').replace('sha256:', '').slice(0, 12);
  return tag === null ? id : `${tag} (${id})`;
}

/** How many services are named with the ids of their images; with more, those of the same tag are named together. */
const mostNamed = 3;

/** What runs, without databases: `app v2 (0123456789ab), worker v2 (…)`, or, of many, `v2: app, worker, web and 4 more`. */
export function releaseText(
  release: Release,
  { databases, images }: Pick<DeploymentFacts, 'databases' | 'images'>,
): string | null {
  const own = Object.entries(release).filter(([service]) => !databases.has(service));
  if (own.length === 0) return null;
  if (own.length <= mostNamed)
    return own.map(([service, image]) => `${service} ${told(image, image.image, images)}`).join(', ');
  const tags = Map.groupBy(own, ([, image]) => told(image, image.image, images).replace(/ \(.*\)$/, ''));
  const groups = [...tags].map(
    ([tag, ones]) =>
      `${tag}: ${listed(
        ones.map(([service]) => service),
        mostNamed,
      )}`,
  );
  return listed(groups, mostNamed, { separator: '; ' });
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

/**
 * Judges what users get at the published ports. Only what proxies say is an error: another port may speak anything.
 * @returns false if a proxy cannot reach what is behind it. The release may well not be to blame for that
 */
function judgeAddresses(findings: Findings, { watched: { addresses }, compose }: DeploymentFacts): boolean {
  const asked = addresses.filter(({ answer }) => answer !== 'other');
  if (asked.length === 0) return true;
  const dead = asked.filter(({ answer }) => cannotReach.includes(answer));
  const doubtful = asked.filter(({ answer }) => answer === mayNotReach || answer === 'closed');
  const shown = dead.length > 0 ? dead : doubtful;
  const names = [...new Set(shown.map(({ service }) => service))].join(' ');
  findings.check(
    'addresses',
    () => {
      if (shown.length === 0) return `users get an answer at ${asked.map(({ address }) => address).join(', ')}`;
      return {
        detail: shown.map(tellAddress).join('; '),
        remedy: `${compose} logs --tail 50 ${names}. A proxy that looks services up only when it starts must be restarted after a deployment: ${compose.replace('On the host: ', '')} restart ${names}`,
      };
    },
    dead.length > 0 ? 'error' : 'warning',
  );
  return dead.length === 0;
}

function tellAddress({ address, service, answer }: WatchedAddress): string {
  if (answer === 'closed') return `nobody listens at ${address}, which ${service} publishes`;
  return `${address} answers ${answer}: ${service} cannot reach what is behind it`;
}

function tellUnproven(unproven: readonly ComposeService[], { databases }: DeploymentFacts): string | Problem {
  const names = unproven.map(({ name }) => name).filter((name) => !databases.has(name));
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
