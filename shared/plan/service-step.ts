import { Failure } from '../failure.ts';
import { nameOf } from '../releases/image-name.ts';
import { referenceOf } from '../releases/image-reference.ts';
import type { ComposeService } from '../releases/project.ts';
import { mixedServices, type RunningImage } from '../releases/release.ts';
import type { FoundContainer } from '../survey/survey.ts';
import type { LocalImage } from '../survey/survey-compose.ts';
import { anonymousVolumes, volumesOverFiles } from './container.ts';
import { howSwapped } from './how-swapped.ts';
import { movableReference, tagVariable } from './persist.ts';
import type { ServiceStep } from './plan.ts';
import type { PlanRequest } from './plan-request.ts';
import { hasHealthTest } from './strategy.ts';
import type { WantedImage } from './target-image.ts';

/** A service that gets another image. */
interface Swap {
  service: ComposeService;
  /** Its containers. */
  own: readonly FoundContainer[];
  fromImage: RunningImage;
  wanted: WantedImage;
  /** Of both images. */
  repository: string;
  /** The wanted image, if the host has it. */
  found: LocalImage | undefined;
}

/** What the plan does to one service. @throws Failure `image-missing` if the wanted image can be had no more */
export function stepFor(
  { service, own, fromImage, wanted, repository, found }: Swap,
  request: PlanRequest,
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

/**
 * The anonymous volumes that a single container takes over. Those of another service it gets from there, as it is set up. One that holds
 * only what its image has put there is no data: the target gets a new one, with its own files.
 */
function ownVolumes(
  service: ComposeService,
  own: readonly FoundContainer[],
  request: PlanRequest,
): Record<string, string> {
  if (own.length !== 1) return {};
  const { volumesFrom } = service;
  const others = request.containers
    .filter((each) => volumesFrom.includes(each.service))
    .flatMap((each) => each.volumes);
  const isForeign = (name: string) => others.some((volume) => volume.name === name);
  const renewed = renewedVolumes(service, own, request);
  return Object.fromEntries(
    Object.entries(anonymousVolumes(own)).filter(([path, name]) => !isForeign(name) && !renewed.includes(path)),
  );
}

/** Where the target gets a new anonymous volume. One that others mount as well stays: they would go on with the old one. */
export function renewedVolumes(
  { name, volumesFrom }: ComposeService,
  own: readonly FoundContainer[],
  { project, volumeContents }: PlanRequest,
): string[] {
  const isShared =
    volumesFrom.length > 0 || [...project.services.values()].some((other) => other.volumesFrom.includes(name));
  if (own.length !== 1 || isShared) return [];
  return volumesOverFiles(own, volumeContents).flatMap(({ destination, content }) =>
    content === 'only' ? [destination] : [],
  );
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
