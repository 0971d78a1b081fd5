import { createHash } from 'node:crypto';
import { Failure } from '../failure.ts';
import type { FoundContainer, LocalImage } from '../host/survey.ts';
import { parseImageReference } from './image-reference.ts';
import type { ComposeProject, ComposeService } from './project.ts';
import { mixedServices, type Release, type RunningImage, sameRelease } from './release.ts';
import { decideStrategy, hasHealthTest, proxiesIn, type Strategy } from './strategy.ts';
import { referenceOf, type Wanted, type WantedImage } from './target.ts';

/** What is to be done to one service. */
export interface ServiceStep {
  service: string;
  strategy: Strategy;
  /** A printed line. */
  why: string;
  fromImage: RunningImage;
  /** What people call the two images: a tag of the repository that is not the compose file's own, where there is one. */
  fromName: string | null;
  toName: string | null;
  /** `imageId` is null where it is known only once it is pulled. */
  toImage: RunningImage;
  /** What is to be pulled; null where it is on the host. */
  pull: string | null;
  /** The image's id, where it is on the host. */
  localImage: string | null;
  /** It has no digest in a registry: where the host loses it, it is gone. */
  onlyHere: boolean;
  fixedName: string | null;
  /** By destination in the container: volumes without a name, whose data would else be left behind. */
  anonymousVolumes: Record<string, string>;
  /** The compose file's own reference, where it is to point at the target from then on. */
  retag: string | null;
  /** The line of the env file that sets the tag; null where none does. */
  envLine: { variable: string; value: string } | null;
  /** It has a health test, so that it can be proven well. */
  proven: boolean;
  /** The test's interval in milliseconds; null where it has none. */
  healthIntervalMs: number | null;
}

export interface PlanNote {
  level: 'info' | 'warning';
  text: string;
}

/** A rollback that could be done now. */
export interface Plan {
  project: string;
  /** In the order of the swap: what others depend on comes first. */
  services: ServiceStep[];
  leftAlone: { service: string; why: string }[];
  from: Release;
  /** The whole release that will run. */
  to: Release;
  source: string;
  notes: PlanNote[];
  schemaCrossed: 'no' | 'yes' | 'unknown';
  /** The host's keyed hash over what the plan stands on. */
  world: string;
  /** Over all that decides: SHA-256 in hex. */
  hash: string;
}

export interface PlanRequest {
  project: ComposeProject;
  /** Of the project. */
  containers: readonly FoundContainer[];
  images: readonly LocalImage[];
  running: Release;
  databases: ReadonlySet<string>;
  wanted: Wanted;
  strategy: Strategy | 'auto';
  proxyService: string | null;
  persist: 'retag' | 'none';
  /** Names of the variables of the env file; null where there is none. */
  envNames: readonly string[] | null;
  /** What compose has to object to, a line each. */
  complaints: string;
  /** When a compose file or the env file was changed last, in milliseconds since 1970. */
  filesChangedAt: number;
  /** The newest release that the history on the host tells of. */
  newestKnown: Release | null;
  /** What the newest backup says of the schema that there is now. */
  schemaNow: string | null;
  world: string;
}

/** Docker's own, where the test gives none. */
const usualInterval = 30_000;

/**
 * Decides what is to be swapped, how, and in which order. Reads nothing and changes nothing.
 * @throws Failure `cannot-swap` that lists what is in the way
 */
export function planRollback(request: PlanRequest): Plan {
  const { project, wanted, running, databases, containers, world } = request;
  const leftAlone: Plan['leftAlone'] = [];
  const obstacles: string[] = [];
  const proxyServices = proxiesIn(project, request.proxyService);

  const steps = [...project.services.values()].flatMap((service): ServiceStep[] => {
    const image = wanted.images.get(service.name);
    // A service may have the name of what every object has.
    const from = Object.hasOwn(running, service.name) ? running[service.name] : undefined;
    const why = whyLeftAlone(service.name, image, from, databases);
    if (why !== null || image === undefined || from === undefined) {
      leftAlone.push({ service: service.name, why: why ?? 'the target does not speak of it' });
      return [];
    }
    const reference = referenceOf(service.image);
    const obstacle = obstacleOf(service, reference !== null, project);
    const found = reference === null ? undefined : localImage(reference.repository, image, request.images);
    if (found !== undefined && runsEverywhere(service.name, found, containers)) {
      leftAlone.push({ service: service.name, why: 'it runs the target already' });
      return [];
    }
    if (obstacle !== null || reference === null) {
      obstacles.push(obstacle ?? '');
      return [];
    }
    const own = containers.filter((container) => container.service === service.name);
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
    world,
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
  if (image === undefined) return 'the target does not speak of it';
  if (from === undefined) return 'it has no container: it is not running';
  if (image.tag === null && image.digest === null && image.imageId === null)
    return 'the target does not say which image';
  return null;
}

/** What makes a swap impossible; null where nothing does. */
function obstacleOf(service: ComposeService, hasReference: boolean, { services }: ComposeProject): string | null {
  if (!hasReference) return `${service.name} has no image reference in the compose file that can be used`;
  const [shared] = service.sharesWith;
  if (shared !== undefined) return `${service.name} shares the network, processes or volumes of ${shared}`;
  const sharer = [...services.values()].find(({ sharesWith }) => sharesWith.includes(service.name));
  return sharer === undefined ? null : `${sharer.name} shares the network, processes or volumes of ${service.name}`;
}

function cannotSwap(obstacles: readonly string[]): Failure {
  return new Failure('cannot-swap', `It cannot be rolled back by itself: ${obstacles.join('; ')}`, {
    hint: 'Name the other services as "services", and roll these back by hand: docker compose up -d with the earlier tag',
  });
}

/** By digest, else by id; a tag alone says nothing of what is meant, as it may point elsewhere here. */
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

function runsEverywhere(service: string, image: LocalImage, containers: readonly FoundContainer[]): boolean {
  const own = containers.filter((container) => container.service === service);
  return own.length > 0 && own.every(({ imageId }) => imageId === image.id);
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
  const digest = wanted.digest ?? digestOf(found, repository);
  const tag = wanted.tag;
  const name = `${repository}${tag === null ? '' : `:${tag}`}`;
  const pull = digest === null ? name : `${repository}@${digest}`;
  if (found === undefined && digest === null && tag === null) throw lostImage(service.name);
  const { strategy, why } = decideStrategy(request.strategy, service, own, request.project, proxyServices);
  const proven = own.length > 0 && own.every(hasHealthTest);
  const intervals = own.map(({ healthInterval }) => healthInterval / 1e6 || usualInterval);
  return {
    service: service.name,
    strategy,
    why,
    fromImage,
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
    healthIntervalMs: proven ? Math.max(...intervals) : null,
  };
}

/** `latest` says nothing of what it stands for; what it was tagged as before does. */
function nameOf(id: string | null, composeImage: string | null, images: readonly LocalImage[]): string | null {
  const own = referenceOf(composeImage);
  const names = (images.find((image) => image.id === id)?.repoTags ?? [])
    .map(referenceOf)
    .filter((name) => name !== null && name.repository === own?.repository && name.tag !== own.tag)
    .map((name) => name?.tag ?? '');
  return names.toSorted()[0] ?? null;
}

function lostImage(service: string): Failure {
  return new Failure('image-missing', `The image that ${service} is to go back to was only on this host, and is gone`, {
    hint: 'Name another release as "target"',
  });
}

function digestOf(image: LocalImage | undefined, repository: string): string | null {
  const digests = (image?.repoDigests ?? [])
    .map(referenceOf)
    .filter((name) => name?.repository === repository)
    .map((name) => name?.digest ?? null);
  return digests.toSorted()[0] ?? null;
}

/** The reference, where a tag of this host decides what it stands for. */
function taggable(image: string | null): string | null {
  if (image === null) return null;
  const reference = parseImageReference(image);
  return reference.digest === null && reference.tag !== null ? image : null;
}

/** Where the whole tag is one variable, the line to change is known. */
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

function anonymousVolumes(own: readonly FoundContainer[]): Record<string, string> {
  const volumes = own.flatMap((container) => container.volumes).filter(({ name }) => /^[0-9a-f]{64}$/.test(name));
  return Object.fromEntries(volumes.map(({ name, destination }) => [destination, name]));
}

/** What others depend on comes first; equals by name. A circle, which compose would refuse, is cut where it is met. */
function inOrder(steps: readonly ServiceStep[], { services }: ComposeProject): ServiceStep[] {
  const byName = new Map(steps.map((each) => [each.service, each]));
  const ordered = new Set<string>();
  const met = new Set<string>();
  const visit = (name: string): void => {
    if (met.has(name)) return;
    met.add(name);
    const needed = services.get(name)?.dependsOn ?? [];
    for (const each of needed.map(({ service }) => service).toSorted()) visit(each);
    ordered.add(name);
  };
  for (const name of [...services.keys()].toSorted()) visit(name);
  return [...ordered].flatMap((name) => byName.get(name) ?? []);
}

function schemaCrossed({ wanted, schemaNow }: PlanRequest): Plan['schemaCrossed'] {
  const then = wanted.record?.schemaSha256 ?? null;
  if (then === null || schemaNow === null) return 'unknown';
  return then === schemaNow ? 'no' : 'yes';
}

function notesOn(plan: Omit<Plan, 'notes' | 'hash'>, request: PlanRequest): PlanNote[] {
  const { project, containers, wanted, running, newestKnown } = request;
  const swapped = new Set(plan.services.map(({ service }) => service));
  const notes: PlanNote[] = [];
  const warn = (text: string) => notes.push({ level: 'warning', text });
  const tell = (text: string) => notes.push({ level: 'info', text });

  for (const { service, proven, onlyHere, strategy, fixedName } of plan.services) {
    if (!proven) warn(`${service} has no health test: that it runs is all that can be proven of it`);
    if (onlyHere) warn(`The target of ${service} is in no registry as far as this host knows: it exists only here`);
    if (strategy === 'blue-green' && fixedName === null) tell(`${service} is swapped without a gap`);
  }
  const outdated = containers.filter(
    ({ service, created }) => swapped.has(service) && Date.parse(created) < request.filesChangedAt,
  );
  if (outdated.length > 0) {
    const names = [...new Set(outdated.map(({ service }) => service))].join(', ');
    warn(
      `The compose file or its variables were changed since ${names} was started: the target starts with what they say today`,
    );
  }
  if (newestKnown !== null && !sameRelease(newestKnown, running)) {
    tell('What runs is another release than the newest that the history knows');
  }
  for (const line of request.complaints.split('\n')) {
    const [, variable] = /The \\?"(\w+)\\?" variable is not set/.exec(line) ?? [];
    if (variable !== undefined)
      warn(`The variable ${variable} of the compose file is not set on the host, and counts as empty`);
  }
  for (const service of wanted.unknown) tell(`${service} was part of that release, and is in the compose file no more`);
  for (const service of mixedServices(containers)) warn(`Containers of ${service} run different images`);
  for (const { name, dependsOn } of project.services.values()) {
    const on = dependsOn
      .filter(({ service, restart }) => restart && swapped.has(service))
      .map(({ service }) => service);
    if (on.length > 0) warn(`${name} asks to be restarted with ${on.join(', ')}; that is not done`);
  }
  for (const service of swapped) {
    const own = containers.filter((container) => container.service === service);
    if (own.length > 1 && Object.keys(anonymousVolumes(own)).length > 0) {
      warn(`${service} has ${own.length} containers with volumes without a name: those of the target begin empty`);
    }
  }
  if (swapped.size > 0 && plan.schemaCrossed === 'yes') {
    warn(
      'The database schema has changed since that release ran: older code meets a newer schema. The data stay as they are',
    );
  } else if (swapped.size > 0 && plan.schemaCrossed === 'unknown') {
    tell('Whether the database schema has changed since that release ran is not known');
  }
  const latest = wanted.record;
  if (latest !== null) {
    const added = Object.keys(running).filter(
      (service) => !(service in latest.release) && !request.databases.has(service),
    );
    if (added.length > 0) tell(`${added.join(', ')} came after that release, and stays as it is`);
  }
  return notes;
}

/**
 * Neither ids of containers nor their health: they change while a plan is looked at. Nor whether an image was pulled
 * meanwhile, as a run that was refused afterwards has done it: its digest says which it is.
 */
function hashOf({ project, services, from, to, world }: Omit<Plan, 'notes' | 'hash'>): string {
  const decided = services.map(({ service, strategy, toImage, fixedName, anonymousVolumes: volumes, retag }) => ({
    service,
    strategy,
    toImage: imageOf(toImage),
    fixedName,
    volumes,
    retag,
  }));
  const target = Object.fromEntries(Object.entries(to).map(([service, image]) => [service, imageOf(image)]));
  return createHash('sha256')
    .update(canonical({ project, decided, from, to: target, world }))
    .digest('hex');
}

function imageOf(image: RunningImage): RunningImage {
  return image.digest === null ? image : { ...image, imageId: null };
}

/** JSON with its keys in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
