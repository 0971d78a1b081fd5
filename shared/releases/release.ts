import { byText } from '../by-text.ts';
import { type ImageReference, isDigest, referenceOf } from './image-reference.ts';

/** What one service runs. Each value is null if the host did not give a usable one. */
export interface RunningImage {
  /** The reference as the compose file has it, after interpolation. */
  image: string | null;
  tag: string | null;
  /** From the RepoDigests entry of the reference's own repository; null if the image was never pulled or pushed. */
  digest: string | null;
  /** The id of the image's configuration on this host: `sha256:` and 64 hex digits. */
  imageId: string | null;
}

/** By service name. */
export type Release = Record<string, RunningImage>;

/** What `docker inspect` says about a container of the project. */
export interface ContainerFacts {
  /** The label com.docker.compose.service. */
  service: string;
  /** Config.Image: the reference that it was created from. */
  image: string;
  /** Image: the id that the reference stood for at that time. */
  imageId: string;
  /** Created, ISO 8601. */
  created: string;
}

/** What `docker image inspect` says about an image. */
export interface ImageFacts {
  /** Id. */
  id: string;
  /** RepoDigests: `repository@digest`, of every repository that it was pulled from or pushed to. */
  repoDigests: readonly string[];
}

const imageIdGrammar = /^sha256:[a-f0-9]{64}$/;
/** Compose's own grammar of service names. */
const serviceGrammar = /^[a-zA-Z0-9._-]{1,255}$/;

/** True for a name that compose accepts for a service. */
export function isServiceName(text: string): boolean {
  return serviceGrammar.test(text);
}

/** True for the id of an image: `sha256:` and 64 lower-case hex digits. */
export function isImageId(text: string): boolean {
  return imageIdGrammar.test(text);
}

/**
 * What the project runs. If the containers of a service differ (after an update that stopped half-way), the newest one
 * counts; `mixedServices` names such services. Containers without a valid service name are left out.
 */
export function releaseOf(containers: readonly ContainerFacts[], images: readonly ImageFacts[]): Release {
  const imagesById = new Map(images.map((image) => [image.id, image]));
  // fromEntries makes even a service called __proto__ an ordinary entry.
  return Object.fromEntries(
    [...byService(containers)].map(([service, [newest]]) => [
      service,
      runningImage(newest, imagesById.get(newest.imageId)),
    ]),
  );
}

/**
 * Compares by id or by digest, as either may be missing. An image has a digest only once it was pushed or pulled, and may
 * get a second one; its id may change with Docker, and copies of the history leave it out. Unknown values never match.
 */
export function sameImage(one: RunningImage, other: RunningImage): boolean {
  return (
    (one.imageId !== null && one.imageId === other.imageId) || (one.digest !== null && one.digest === other.digest)
  );
}

/** True if both run the same images in the same services. */
export function sameRelease(one: Release, other: Release): boolean {
  const counterparts = new Map(Object.entries(other));
  return (
    Object.keys(one).length === counterparts.size &&
    Object.entries(one).every(([service, image]) => {
      const counterpart = counterparts.get(service);
      return counterpart !== undefined && sameImage(image, counterpart);
    })
  );
}

/** Services, in order, whose containers run different images. */
export function mixedServices(containers: readonly ContainerFacts[]): string[] {
  return [...byService(containers)]
    .filter(([, [newest, ...others]]) => others.some((other) => other.imageId !== newest.imageId))
    .map(([service]) => service);
}

type OneOrMore<T> = [T, ...T[]];

/** Sorted by service; within a service the newest container first, and those of the same age by image id. */
function byService(containers: readonly ContainerFacts[]): Map<string, OneOrMore<ContainerFacts>> {
  const services = new Map<string, OneOrMore<ContainerFacts>>();
  const ordered = containers
    .filter((container) => isServiceName(container.service))
    .toSorted(
      (a, b) => byText(a.service, b.service) || byText(createdAt(b), createdAt(a)) || byText(a.imageId, b.imageId),
    );
  for (const container of ordered) {
    const others = services.get(container.service);
    if (others === undefined) services.set(container.service, [container]);
    else others.push(container);
  }
  return services;
}

/** Go omits trailing zeros of the fraction. Without the `Z`, times of different lengths still compare correctly as text. */
function createdAt(container: ContainerFacts): string {
  return container.created.replace(/Z$/, '');
}

function runningImage(container: ContainerFacts, image: ImageFacts | undefined): RunningImage {
  const imageId = isImageId(container.imageId) ? container.imageId : null;
  // A container may have been created from an image id, which would parse as a repository called "sha256".
  if (isImageId(container.image)) return { image: container.image, tag: null, digest: null, imageId };
  const reference = referenceOf(container.image);
  if (reference === null) return { image: null, tag: null, digest: null, imageId };
  return { image: container.image, tag: reference.tag, digest: digestOf(reference, image), imageId };
}

/** An image may have several digests in one repository: takes the one that the reference names, or else the first. */
function digestOf(reference: ImageReference, image: ImageFacts | undefined): string | null {
  const digests = (image?.repoDigests ?? [])
    .map(referenceOf)
    .filter((known) => known?.repository === reference.repository)
    .map((known) => known?.digest ?? '')
    .filter(isDigest)
    .toSorted();
  if (reference.digest !== null && digests.includes(reference.digest)) return reference.digest;
  return digests[0] ?? null;
}
