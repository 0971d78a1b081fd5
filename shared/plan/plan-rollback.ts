import { Failure } from '../failure.ts';
import { referenceOf } from '../releases/image-reference.ts';
import type { ComposeProject } from '../releases/project.ts';
import type { RunningImage } from '../releases/release.ts';
import type { FoundContainer } from '../survey/survey.ts';
import type { LocalImage } from '../survey/survey-compose.ts';
import { isAtWork } from './container.ts';
import { hashOf } from './hash.ts';
import { isJob } from './jobs.ts';
import { notesOn } from './notes.ts';
import { cannotSwap, lostSettings, type Obstacle, obstacleOf } from './obstacles.ts';
import type { Plan, PlanNote, ServiceStep } from './plan.ts';
import type { PlanRequest } from './plan-request.ts';
import type { RestoreStep } from './restore-step.ts';
import type { SchemaVerdict } from './schema-guard.ts';
import { stepFor } from './service-step.ts';
import { lookedUpOnceBy, proxiesIn } from './strategy.ts';
import type { WantedImage } from './target-image.ts';

/**
 * Decides what to swap, how, and in which order. Reads nothing and changes nothing.
 * @param schema what the schema guard saw of the schema itself; null if it was not asked, so that only the history tells
 * @throws Failure `cannot-swap` that lists every obstacle; `no-target` if it would leave alone all that the target covers
 */
export function planRollback(request: PlanRequest, schema: SchemaVerdict | null = null): Plan {
  const { project, wanted, running, containers, projectState } = request;
  const covered = [...wanted.images.keys()];
  if (covered.length > 0 && covered.every((service) => request.stores.has(service))) throw onlyStores(covered);
  const leftAlone: Plan['leftAlone'] = [];
  const obstacles: Obstacle[] = [];
  const proxyServices = proxiesIn(project, request.proxyService);

  const steps = [...project.services.values()].flatMap((service): ServiceStep[] => {
    const image = wanted.images.get(service.name);
    // A service may be called `constructor` or the like, which every object has.
    const from = Object.hasOwn(running, service.name) ? running[service.name] : undefined;
    const why = whyLeftAlone(service.name, image, from, request);
    if (why !== null || image === undefined) {
      leftAlone.push({ service: service.name, why: why ?? 'the target does not include it' });
      return [];
    }
    const reference = referenceOf(service.image);
    const found = reference === null ? undefined : localImage(reference.repository, image, request.images);
    const own = containers.filter((container) => container.service === service.name);
    if (found !== undefined && own.length > 0 && own.every(({ imageId }) => imageId === found.id)) {
      leftAlone.push({ service: service.name, why: whyUnchanged(own) });
      return [];
    }
    const drift = request.drift.get(service.name);
    const each = [obstacleOf(service, request), drift === undefined ? null : lostSettings(drift, request.envFilePath)];
    const inTheWay = each.filter((obstacle) => obstacle !== null);
    obstacles.push(...inTheWay);
    if (inTheWay.length > 0 || reference === null) return [];
    const swap = { service, own, fromImage: from ?? noImage, wanted: image, found, repository: reference.repository };
    return [stepFor(swap, request, proxyServices)];
  });
  if (obstacles.length > 0) throw cannotSwap(obstacles);

  const services = inOrder(steps, project);
  const plan = {
    project: project.name,
    services,
    leftAlone,
    from: running,
    to: { ...running, ...Object.fromEntries(services.map(({ service, toImage }) => [service, toImage])) },
    source: wanted.source,
    schemaCrossed: schema === null || schema.crossed === 'unknown' ? schemaCrossed(request) : schema.crossed,
    otherSettings: request.settings.some(
      ({ service, change }) => change === 'yes' && services.some((each) => each.service === service),
    ),
    proxies: proxyServices,
    lookedUpOnce: lookedUpOnce(services, request),
    restore: null,
    projectState,
  };
  return { ...plan, notes: notesOn(plan, request, schema), hash: hashOf(plan) };
}

/** The same plan, which also restores the database. If it swaps nothing, there is nothing to say of what it leaves alone. */
export function withRestore(plan: Plan, restore: RestoreStep, notes: readonly PlanNote[]): Plan {
  const leftAlone = plan.services.length === 0 ? [] : plan.leftAlone;
  const whole = { ...plan, leftAlone, restore };
  return { ...whole, notes: [...plan.notes, ...notes], hash: hashOf(whole) };
}

/** Names of services, dependencies first, then jobs; otherwise in the order of names. */
export function startOrder(project: ComposeProject): string[] {
  const { services } = project;
  const ordered = new Set<string>();
  const met = new Set<string>();
  const visit = (name: string): void => {
    if (met.has(name)) return;
    met.add(name);
    for (const other of (services.get(name)?.dependsOn ?? []).map(({ service }) => service).toSorted()) visit(other);
    ordered.add(name);
  };
  const names = [...services.keys()].toSorted();
  const jobs = names.filter((name) => isJob(name, project));
  for (const name of [...jobs, ...names]) visit(name);
  return [...ordered];
}

/** Of a service without a container. */
const noImage: RunningImage = { image: null, tag: null, digest: null, imageId: null };

/** Without this failure, the run would do nothing and report success. */
function onlyStores(services: readonly string[]): Failure {
  return new Failure('no-target', `The target covers only stores, which are left alone: ${services.join(', ')}`, {
    hint: 'To roll them back, name them in "services". An older version may not read their data',
  });
}

function whyLeftAlone(
  service: string,
  image: WantedImage | undefined,
  from: RunningImage | undefined,
  { databases, stores, jobs, project, named, dropped }: PlanRequest,
): string | null {
  if (databases.has(service)) return 'it is the database';
  if (image === undefined) return 'the target does not include it';
  if (stores.has(service))
    return 'it is a store, and an older version may not read its data; to roll it back as well, name it in "services"';
  // A job that has ended may have been cleaned away, but what awaits it needs it as before.
  const isWanted = named.has(service) || dropped.has(service) || (jobs === 'run' && isJob(service, project));
  if (from === undefined && !isWanted) return 'it has no container; to start it as well, name it in "services"';
  if (image.tag === null && image.digest === null && image.imageId === null)
    return 'the target does not name its image';
  return null;
}

/** A container of the target may exist already without running. */
function whyUnchanged(own: readonly FoundContainer[]): string {
  const stopped = own.find((container) => !isAtWork(container));
  return stopped === undefined
    ? 'it already runs the target'
    : `it already has the target, but is not running: ${stopped.state}`;
}

/** Finds the image by digest, or else by id. Not by tag: on this host it may point to another image. */
function localImage(
  repository: string,
  { digest, imageId }: WantedImage,
  images: readonly LocalImage[],
): LocalImage | undefined {
  const names = (image: LocalImage) => image.repoDigests.map(referenceOf);
  const byDigest = images.find((image) =>
    names(image).some((name) => name?.repository === repository && name.digest === digest && digest !== null),
  );
  return byDigest ?? images.find(({ id }) => imageId !== null && id === imageId);
}

/** Dependencies first, then jobs, so that one that fails has cost nothing; otherwise by name. Compose refuses circles; one would simply be cut here. */
function inOrder(steps: readonly ServiceStep[], project: ComposeProject): ServiceStep[] {
  const byName = new Map(steps.map((each) => [each.service, each]));
  return startOrder(project).flatMap((name) => byName.get(name) ?? []);
}

/** The proxies that must be reloaded, since they do not notice that a service has new containers. */
function lookedUpOnce(steps: readonly ServiceStep[], request: PlanRequest): Plan['lookedUpOnce'] {
  return steps.flatMap(({ service: name }) => {
    const service = request.project.services.get(name);
    const own = request.containers.filter((container) => container.service === name);
    const proxies = service === undefined ? [] : lookedUpOnceBy(service, own, request.proxies);
    return proxies.map((proxy) => ({ service: name, proxy }));
  });
}

function schemaCrossed({ wanted, schemaNow }: PlanRequest): Plan['schemaCrossed'] {
  const then = wanted.record?.schemaSha256 ?? null;
  if (then === null || schemaNow === null) return 'unknown';
  return then === schemaNow ? 'no' : 'yes';
}
