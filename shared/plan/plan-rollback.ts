import { Failure } from '../failure.ts';
import type { FoundContainer, LocalImage } from '../host/survey.ts';
import { nameOf } from '../releases/image-name.ts';
import { parseImageReference, referenceOf } from '../releases/image-reference.ts';
import type { ComposeProject, ComposeService } from '../releases/project.ts';
import { mixedServices, type RunningImage } from '../releases/release.ts';
import { anonymousVolumes, isAtWork } from './container.ts';
import { hashOf } from './hash.ts';
import { notesOn } from './notes.ts';
import { cannotSwap, type Obstacle, obstacleOf } from './obstacles.ts';
import type { Plan, PlanRequest, ServiceStep } from './plan.ts';
import { decideStrategy, hasHealthTest, lookedUpOnceBy, proxiesIn } from './strategy.ts';
import type { WantedImage } from './target.ts';

/**
 * Decides what to swap, how, and in which order. Reads nothing and changes nothing.
 * @throws Failure `cannot-swap` that lists every obstacle
 */
export function planRollback(request: PlanRequest): Plan {
  const { project, wanted, running, databases, containers, projectState } = request;
  const leftAlone: Plan['leftAlone'] = [];
  const obstacles: Obstacle[] = [];
  const proxyServices = proxiesIn(project, request.proxyService);

  const steps = [...project.services.values()].flatMap((service): ServiceStep[] => {
    const image = wanted.images.get(service.name);
    // A service may be called `constructor` or the like, which every object has.
    const from = Object.hasOwn(running, service.name) ? running[service.name] : undefined;
    const why = whyLeftAlone(service.name, image, from, databases);
    if (why !== null || image === undefined || from === undefined) {
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
    const obstacle = obstacleOf(service, request);
    if (obstacle !== null) obstacles.push(obstacle);
    if (obstacle !== null || reference === null) return [];
    return [step(request, service, own, from, image, reference.repository, found, proxyServices)];
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
    schemaCrossed: schemaCrossed(request),
    proxies: proxyServices,
    lookedUpOnce: lookedUpOnce(services, request),
    projectState,
  };
  return { ...plan, notes: notesOn(plan, request), hash: hashOf(plan) };
}

function whyLeftAlone(
  service: string,
  image: WantedImage | undefined,
  from: RunningImage | undefined,
  databases: ReadonlySet<string>,
): string | null {
  if (databases.has(service)) return 'it is the database';
  if (image === undefined) return 'the target does not include it';
  if (from === undefined) return 'it has no container';
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
  const { strategy, why } = decideStrategy(request.strategy, service, own, request, proxyServices);
  const proven = own.length > 0 && own.every(hasHealthTest);
  return {
    service: service.name,
    strategy,
    why,
    fromImage,
    mixed: mixedServices(own).length > 0,
    fromName: nameOf(fromImage.imageId, service.image, request.images) ?? fromImage.tag,
    toName: nameOf(found?.id ?? null, service.image, request.images) ?? tag,
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
    anonymousVolumes: own.length === 1 ? anonymousVolumes(own) : {},
    retag: request.persist === 'retag' ? taggable(service.image) : null,
    envLine: envLine(service, tag, request.envNames),
    proven,
  };
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

/** The reference if it has a tag and no digest, so that retagging on the host changes what it stands for. */
function taggable(image: string | null): string | null {
  if (image === null) return null;
  const reference = parseImageReference(image);
  return reference.digest === null && reference.tag !== null ? image : null;
}

/** The line of the env file to change; known only if the whole tag is one variable. */
function envLine(
  { imageTemplate }: ComposeService,
  tag: string | null,
  names: readonly string[] | null,
): ServiceStep['envLine'] {
  const [, braced, bare] = /:\$(?:\{([A-Za-z_]\w*)[^}]*\}|([A-Za-z_]\w*))$/.exec(imageTemplate ?? '') ?? [];
  const variable = braced ?? bare;
  if (variable === undefined || tag === null || !(names ?? []).includes(variable)) return null;
  return { variable, value: tag };
}

/** Dependencies first, otherwise by name. Compose refuses circles; one would simply be cut here. */
function inOrder(steps: readonly ServiceStep[], { services }: ComposeProject): ServiceStep[] {
  const byName = new Map(steps.map((each) => [each.service, each]));
  const ordered = new Set<string>();
  const met = new Set<string>();
  const visit = (name: string): void => {
    if (met.has(name)) return;
    met.add(name);
    for (const other of (services.get(name)?.dependsOn ?? []).map(({ service }) => service).toSorted()) visit(other);
    ordered.add(name);
  };
  for (const name of [...services.keys()].toSorted()) visit(name);
  return [...ordered].flatMap((name) => byName.get(name) ?? []);
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
