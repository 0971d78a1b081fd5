import { Failure } from '../failure.ts';
import { nameOf } from '../releases/image-name.ts';
import { referenceOf } from '../releases/image-reference.ts';
import type { ComposeProject, ComposeService } from '../releases/project.ts';
import { mixedServices, type RunningImage } from '../releases/release.ts';
import type { FoundContainer } from '../survey/survey.ts';
import type { LocalImage } from '../survey/survey-compose.ts';
import { anonymousVolumes, isAtWork } from './container.ts';
import { hashOf } from './hash.ts';
import { howSwapped } from './how-swapped.ts';
import { isJob } from './jobs.ts';
import { notesOn } from './notes.ts';
import { cannotSwap, lostSettings, type Obstacle, obstacleOf } from './obstacles.ts';
import { movableReference, tagVariable } from './persist.ts';
import type { Plan, PlanNote, ServiceStep } from './plan.ts';
import type { PlanRequest } from './plan-request.ts';
import type { RestoreStep } from './restore-step.ts';
import type { SchemaVerdict } from './schema-guard.ts';
import { hasHealthTest, lookedUpOnceBy, proxiesIn } from './strategy.ts';
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
    return [step(request, service, own, from ?? noImage, image, reference.repository, found, proxyServices)];
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
  { databases, stores, jobs, project }: PlanRequest,
): string | null {
  if (databases.has(service)) return 'it is the database';
  if (image === undefined) return 'the target does not include it';
  if (stores.has(service))
    return 'it is a store, and an older version may not read its data; to roll it back as well, name it in "services"';
  // A job that has ended may have been cleaned away, but what awaits it needs it as before.
  if (from === undefined && (jobs === 'skip' || !isJob(service, project))) return 'it has no container';
  if (image.tag === null && image.digest === null && image.imageId === null)
    return 'the target does not name its image';
  return null;
}

/** A container of the target may exist already without running. */
function whyUnchanged(own: readonly FoundContainer[]): string {
  const stopped = own.find((container) => !isAtWork(container));
  return stopped === undefined ? 'it already runs the target' : `it already has the target, but is ${stopped.state}`;
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

function step(
  request: PlanRequest,
  service: ComposeService,
  own: readonly FoundContainer[],
  fromImage: RunningImage,
  wanted: WantedImage,
  repository: string,
  found: LocalImage | undefined,
  proxyServices: readonly string[],
): ServiceStep {
  // An image that the host knows under no digest can only be named by its id.
  const digest = found === undefined ? wanted.digest : digestOf(found, repository, wanted.digest);
  const tag = wanted.tag;
  const name = `${repository}${tag === null ? '' : `:${tag}`}`;
  const pull = digest === null ? name : `${repository}@${digest}`;
  if (found === undefined && digest === null && !isTagEnough(wanted, request)) throw lostImage(service.name);
  const { strategy, why } = howSwapped(request, service, own, proxyServices);
  const variable = tagVariable(service);
  const isAtEase = strategy === 'job' || strategy === 'create-only';
  const proven = isAtEase || (own.length > 0 && own.every(hasHealthTest));
  return {
    service: service.name,
    strategy,
    why,
    fromImage,
    mixed: mixedServices(own).length > 0,
    fromName: nameOf(fromImage, service.image, request.images),
    toName: nameOf({ image: name, tag, imageId: found?.id ?? null }, service.image, request.images),
    toImage: {
      image: digest === null ? name : `${name}@${digest}`,
      tag,
      digest,
      imageId: found?.id ?? null,
    },
    pull: found === undefined ? pull : null,
    localImage: found?.id ?? null,
    onlyHere: digest === null && found !== undefined,
    fixedName: service.containerName,
    anonymousVolumes: ownVolumes(service, own, request),
    retag: request.persist === 'retag' ? movableReference(service.image) : null,
    variable,
    envLine: envLine(variable, tag, request.envNames),
    proven,
  };
}

/** The anonymous volumes that a single container takes over. Those of another service it gets from there, as it is set up. */
function ownVolumes(
  { volumesFrom }: ComposeService,
  own: readonly FoundContainer[],
  { containers }: PlanRequest,
): Record<string, string> {
  if (own.length !== 1) return {};
  const others = containers.filter(({ service }) => volumesFrom.includes(service)).flatMap(({ volumes }) => volumes);
  const isForeign = (name: string) => others.some((volume) => volume.name === name);
  return Object.fromEntries(Object.entries(anonymousVolumes(own)).filter(([, name]) => !isForeign(name)));
}

/** Whether pulling by tag gives the right image. If a record gives an id, today's tag may point to another image. */
function isTagEnough({ tag, imageId }: WantedImage, { wanted: { record } }: PlanRequest): boolean {
  return tag !== null && (record === null || imageId === null);
}

function lostImage(service: string): Failure {
  return new Failure(
    'image-missing',
    `The target image of ${service} is gone: the host no longer has it, and the history gives no digest to pull it by`,
    {
      hint: 'Set "target" to another release',
    },
  );
}

/** A digest that the image has in this repository: the wanted one, or else the first. */
function digestOf(image: LocalImage, repository: string, wanted: string | null): string | null {
  const digests = image.repoDigests
    .map(referenceOf)
    .filter((name) => name?.repository === repository)
    .flatMap((name) => name?.digest ?? []);
  return digests.find((digest) => digest === wanted) ?? digests.toSorted()[0] ?? null;
}

/** The line of the env file to change; known only if the whole tag is one variable. */
function envLine(variable: string | null, tag: string | null, names: readonly string[] | null): ServiceStep['envLine'] {
  if (variable === null || tag === null || !(names ?? []).includes(variable)) return null;
  return { variable, value: tag };
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
