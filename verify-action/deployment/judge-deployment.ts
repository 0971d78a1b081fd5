import { newestKnown, observed, type RunFacts } from '../../shared/history/observation.ts';
import type { HistoryRecord } from '../../shared/history/record.ts';
import type { LocalImage } from '../../shared/host/survey.ts';
import type { Target } from '../../shared/plan/target.ts';
import { nameOf } from '../../shared/releases/image-name.ts';
import { type ImageReference, referenceOf } from '../../shared/releases/image-reference.ts';
import type { ComposeProject, ComposeService } from '../../shared/releases/project.ts';
import { type Release, type RunningImage, releaseOf, sameImage, sameRelease } from '../../shared/releases/release.ts';
import { quoteForShell } from '../../shared/shell-quote.ts';
import { formatDuration } from '../../shared/units.ts';
import { Findings, type Problem } from '../finding.ts';
import { type ExpectedImages, expectedImages, judgeExpected } from './expected.ts';
import type { Watched, WatchedContainer } from './watch.ts';

/** What a deployment is judged by. */
export interface DeploymentFacts {
  project: ComposeProject;
  /** How compose is called for it on the host, to be copied: `cd /opt/shop && docker compose`. */
  compose: string;
  watched: Watched;
  /** Of the host: what their names stand for there. */
  images: readonly LocalImage[];
  databases: ReadonlySet<string>;
  /** What should run; null: what the compose file names, or the last record. */
  expect: Target | null;
  /** The host's own history, in the order of its file. */
  history: readonly HistoryRecord[];
  environment: string;
  /** Whose images a tag alone is meant for. */
  registry: string;
  healthUrl: URL | null;
  /** Milliseconds. */
  healthTimeout: number;
  stableFor: number;
}

/** What was found, and what it says of the release that runs. */
export interface JudgedDeployment {
  findings: Findings;
  release: Release;
  /** On what runs: how well it is, not whether it is what was wanted. */
  verdict: HistoryRecord['verdict'];
}

/** Whether what runs is what was deployed, and well. */
export function judgeDeployment(facts: DeploymentFacts): JudgedDeployment {
  const findings = new Findings('deployment');
  const { project, watched, databases } = facts;
  const services = [...project.services.values()];
  const expected = facts.expect === null ? null : expectedImages(facts.expect, facts);
  if (facts.expect !== null && expected !== null) judgeExpected(findings, facts.expect, expected, facts);
  // Health speaks of the release; a wrong image does not make the one that runs a bad one, nor does an ill database.
  let isWell = true;
  let isDatabaseWell = true;
  for (const service of services) {
    const { name } = service;
    // It may have had one thing to do; nobody has said so.
    const severity = hasEnded(service, facts) ? 'warning' : 'error';
    if (findings.check(`running: ${name}`, () => judgeService(service, facts), severity) || severity === 'warning')
      continue;
    if (databases.has(name)) isDatabaseWell = false;
    else isWell = false;
  }
  for (const service of services.filter(({ name }) => !databases.has(name))) {
    findings.check(`image: ${service.name}`, () => judgeImage(service, expected, facts));
  }
  if (!findings.check('stable', () => judgeStable(facts))) isWell = false;
  if (watched.url === 'no-curl')
    findings.unable(
      'health-url',
      'the host has no curl to ask an https address',
      'On the host, as root: apt-get install curl',
    );
  else if (facts.healthUrl !== null && !findings.check('health-url', () => judgeUrl(facts))) isWell = false;
  const unproven = services.filter(({ name }) =>
    of(watched.after, name).some(({ health, state }) => health === null && state === 'running'),
  );
  findings.check('health tests', () => tellUnproven(unproven, facts), 'warning');
  const isSure = isDatabaseWell && !isReplaced(watched) && watched.url !== 'no-curl';
  const verdict = !isSure ? 'unknown' : isWell ? 'good' : 'bad';
  return { findings, release: releaseOf(watched.after, watched.images), verdict };
}

/** Somebody else is at work: what falls over then may be the one that goes. */
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

/** Whether all that is wrong with a service is that it has ended well, where no port leads to it and no other awaits that. */
function hasEnded({ name, publishes, replicas }: ComposeService, { watched, project }: DeploymentFacts): boolean {
  const own = of(watched.settled, name);
  return own.length >= Math.max(1, replicas ?? 1) && own.every(isDone) && !publishes && !isAwaited(name, project);
}

/** Its end is what another service waits for: it has one task. */
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
  if (wanted === 0 && own.length === 0) return 'none are wanted (replicas: 0)';
  if (own.length === 0) return { detail: 'it has no container', remedy: `${facts.compose} up --detach ${service}` };
  const bad = own.map((container) => faultOf(container, watched, healthTimeout)).find((fault) => fault !== null);
  if (bad !== undefined && bad !== null) return { detail: bad, remedy: `${facts.compose} logs --tail 50 ${service}` };
  if (own.length < wanted) {
    return {
      detail: `${own.length} of ${wanted} containers are there`,
      remedy: `${facts.compose} up --detach ${service}`,
    };
  }
  if (own.some(isDone) && !isAwaited(service, facts.project)) {
    const why = publishes ? 'and a port of the host leads to it' : 'and no other service waits for its end';
    return {
      detail: `it has ended with 0, ${why}`,
      remedy: `${facts.compose} up --detach ${service}. One with a single task: depends_on, condition: service_completed_successfully`,
    };
  }
  const [first] = own;
  const state = first?.state === 'exited' ? 'has done its work' : (first?.health ?? 'runs; it has no health test');
  return own.length === 1 ? state : `${own.length} containers, each ${state}`;
}

/** It had one thing to do, and Docker does not start it again. Compose writes the policy `no` as nothing, too. */
function isDone({ state, exit, policy, health }: WatchedContainer): boolean {
  return state === 'exited' && exit === 0 && ['no', '', 'on-failure'].includes(policy) && health === null;
}

/** null where all is well. */
function faultOf(container: WatchedContainer, watched: Watched, healthTimeout: number): string | null {
  const { state, exit, health, restarts, started } = container;
  const words = watched.words.get(container.id);
  const said = words === undefined || words === '' ? '' : `. Its last words: ${words}`;
  if (isDone(container)) return null;
  if (state === 'restarting') return `it falls over and is restarted (exit ${exit}, ${restarts} times so far)${said}`;
  if (state !== 'running') return `it is ${state} (exit ${exit})${said}`;
  // One that fell over long ago and runs since is another matter than one that does so now.
  if (restarts > 0 && watched.clock - Date.parse(started) < healthTimeout)
    return `it has fallen over ${restarts} times, and runs for ${formatDuration(watched.clock - Date.parse(started))}${said}`;
  if (health === 'unhealthy') return `Docker finds it unhealthy${said}`;
  if (health !== null && health !== 'healthy') return `it is ${health} after ${formatDuration(healthTimeout)}${said}`;
  return null;
}

function judgeImage(
  service: ComposeService,
  expected: ExpectedImages | null,
  facts: DeploymentFacts,
): string | Problem {
  const own = of(facts.watched.after, service.name);
  const runs = releaseOf(own, facts.watched.images)[service.name];
  if (runs === undefined && service.replicas === 0) return 'none are wanted (replicas: 0)';
  if (runs === undefined) return { detail: 'it has no container', remedy: 'See what is said of it as running' };
  const others = own.filter(({ imageId }) => imageId !== runs.imageId);
  if (others.length > 0) {
    return {
      detail: 'its containers run different images',
      remedy: `${facts.compose} up --detach ${service.name}`,
    };
  }
  if (expected?.has(service.name) && referenceOf(service.image) === null) {
    return {
      detail: 'the compose file names no image for it, so that no tag can be compared',
      remedy: `Give ${service.name} an "image" in the compose file, or leave it out of "expect"`,
    };
  }
  const wanted = wantedOf(service, expected, facts.images);
  if (wanted === null) return `runs ${told(runs, facts.images)}; "expect" does not speak of it`;
  if (wanted.imageIds.includes(runs.imageId ?? '')) return `runs ${told(runs, facts.images)}, as ${wanted.source} says`;
  // What was only seen to run was wanted by nobody.
  const newest = newestKnown(facts.history, facts.environment);
  const record = newest?.event === 'rollback' || newest?.verdict === 'good' ? newest.release[service.name] : undefined;
  if (expected === null && record !== undefined && sameImage(record, runs)) {
    return `runs ${told(runs, facts.images)}, as the last record of the history says`;
  }
  return {
    detail:
      wanted.imageIds.length === 0
        ? `the host has no image ${wanted.name}, which ${wanted.source} says; ${told(runs, facts.images)} runs`
        : `runs ${told(runs, facts.images)}, not ${wanted.name}, which ${wanted.source} says`,
    remedy: 'See the log of the deployment: it did not pull that release, or did not start it. Deploy it again',
  };
}

/** The images that a service may run; null where `expect` does not speak of it. */
function wantedOf(
  { name, image }: ComposeService,
  expected: ExpectedImages | null,
  images: readonly LocalImage[],
): { name: string; imageIds: string[]; source: string } | null {
  const own = referenceOf(image);
  const wanted = expected === null ? own : expected.get(name);
  if (own === null || wanted === null || wanted === undefined) return null;
  const { tag, digest } = wanted;
  const isMeant = (known: ImageReference | null) =>
    known?.repository === own.repository && (digest === null ? known.tag === tag : known.digest === digest);
  return {
    name: digest ?? tag ?? '',
    imageIds: images
      .filter(({ repoTags, repoDigests }) => (digest === null ? repoTags : repoDigests).map(referenceOf).some(isMeant))
      .map(({ id }) => id),
    source: expected === null ? 'the compose file' : '"expect"',
  };
}

function told({ image, tag: ownTag, digest, imageId }: RunningImage, images: readonly LocalImage[]): string {
  const tag = nameOf(imageId, image, images) ?? ownTag;
  const id = (imageId ?? digest ?? 'an unknown image').replace('sha256:', '').slice(0, 12);
  return tag === null ? id : `${tag} (${id})`;
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
  if (names.length === 0) return `nothing has changed for ${formatDuration(stableFor)}`;
  return {
    detail: `within ${formatDuration(stableFor)} ${names.join(', ')} fell over, or ${names.length === 1 ? 'was' : 'were'} replaced`,
    remedy: `${facts.compose} logs --tail 50 ${names.join(' ')}`,
  };
}

function worse(before: WatchedContainer, now: WatchedContainer): boolean {
  return before.state !== now.state || (now.health === 'unhealthy' && before.health !== 'unhealthy');
}

function judgeUrl({ watched, healthUrl }: DeploymentFacts): string | Problem {
  if (watched.url === 'answers') return `${healthUrl} answers, three times in a row`;
  return {
    detail: `${healthUrl} does not answer as it should`,
    remedy: `On the host: curl --include ${quoteForShell(String(healthUrl))}`,
  };
}

function tellUnproven(unproven: readonly ComposeService[], { databases }: DeploymentFacts): string | Problem {
  const names = unproven.map(({ name }) => name).filter((name) => !databases.has(name));
  if (names.length === 0) return 'every service tells whether it is well';
  return {
    detail: `${names.join(', ')}: that it runs is seen, that it serves is not`,
    remedy: 'Give it a healthcheck in the compose file',
  };
}

/**
 * What the history is told: a deployment where another release runs than it knows of, else a check. Where the wrong image
 * runs, and is well, nothing is said of it: it may be the good release that a deployment did not replace.
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
