import { Failure, isFailure } from '../failure.ts';

// Docker's grammar (distribution/reference), rule by rule.
const pathComponent = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const pathGrammar = new RegExp(`^${pathComponent}(?:/${pathComponent})*$`);
const domainComponent = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const registryGrammar = new RegExp(
  `^(?:${domainComponent}(?:\\.${domainComponent})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`,
);
const tagGrammar = /^\w[\w.-]{0,127}$/;
const digestGrammar = /^(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$/;
/** Every registry refuses longer paths. */
const longestPath = 255;

const defaultRegistry = 'docker.io';
const legacyDefaultRegistry = 'index.docker.io';
const officialImages = 'library/';

/** True for a content digest such as `sha256:` and 64 lower-case hex digits (sha384 and sha512 alike). */
export function isDigest(text: string): boolean {
  return digestGrammar.test(text);
}

/** True for a valid tag: at most 128 letters, digits, `_`, `.` or `-`, not starting with `.` or `-`. */
export function isTag(text: string): boolean {
  return tagGrammar.test(text);
}

/** An image reference with Docker's defaults filled in, so that two names of the same image are equal. */
export class ImageReference {
  /** Host and port; `docker.io` if none was given. */
  readonly registry: string;
  /** `library/postgres`, `acme/web`. */
  readonly path: string;
  /** `latest` if neither tag nor digest was given; null if only a digest was. */
  readonly tag: string | null;
  readonly digest: string | null;

  constructor(registry: string, path: string, tag: string | null, digest: string | null) {
    this.registry = registry;
    this.path = path;
    this.tag = tag;
    this.digest = digest;
  }

  /** Registry and path: what tags and digests belong to. */
  get repository(): string {
    return `${this.registry}/${this.path}`;
  }

  /** The full form, which parses to an equal reference. */
  toString(): string {
    const tag = this.tag === null ? '' : `:${this.tag}`;
    const digest = this.digest === null ? '' : `@${this.digest}`;
    return `${this.repository}${tag}${digest}`;
  }
}

/**
 * Reads a reference as `docker pull` does.
 *
 * @throws Failure `bad-image-reference`
 */
export function parseImageReference(text: string): ImageReference {
  const { name, tag, digest } = split(text);
  const { registry, path } = locate(name);

  if (!registryGrammar.test(registry)) refuse(text, 'its registry is not a host name with an optional port');
  if (!pathGrammar.test(path)) refuse(text, 'its repository is not lower-case words joined by "/", ".", "_" or "-"');
  if (path.length > longestPath) refuse(text, `its repository is longer than ${longestPath} characters`);
  if (tag !== null && !isTag(tag)) refuse(text, 'its tag is not 1 to 128 letters, digits, "_", "." or "-"');
  if (digest !== null && !isDigest(digest)) refuse(text, 'its digest is not "sha256:" and 64 lower-case hex digits');
  if (tag === null && digest === null) {
    // Docker refuses these, because an image id would otherwise be read as a repository.
    if (/^[a-f0-9]{64}$/.test(text)) refuse(text, 'it is an image id');
    return new ImageReference(registry, path, 'latest', null);
  }
  return new ImageReference(registry, path, tag, digest);
}

/** null if the text is not a reference, for example because a variable in it is not set. */
export function referenceOf(image: string | null): ImageReference | null {
  if (image === null) return null;
  try {
    return parseImageReference(image);
  } catch (error) {
    if (isFailure(error)) return null;
    throw error;
  }
}

/** Cuts off the digest, then the tag. A colon before the last slash belongs to the registry's port. */
function split(text: string): { name: string; tag: string | null; digest: string | null } {
  const at = text.indexOf('@');
  const digest = at === -1 ? null : text.slice(at + 1);
  const tagged = at === -1 ? text : text.slice(0, at);
  const colon = tagged.indexOf(':', tagged.lastIndexOf('/') + 1);
  return colon === -1
    ? { name: tagged, tag: null, digest }
    : { name: tagged.slice(0, colon), tag: tagged.slice(colon + 1), digest };
}

/** The first part is a registry only if it cannot be a user on Docker Hub. */
function locate(name: string): { registry: string; path: string } {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  const namesHost = first === 'localhost' || /[.:]/.test(first) || first !== first.toLowerCase();
  if (namesHost && first !== defaultRegistry && first !== legacyDefaultRegistry) {
    return { registry: first, path: name.slice(slash + 1) };
  }
  const path = namesHost ? name.slice(slash + 1) : name;
  return { registry: defaultRegistry, path: path.includes('/') ? path : officialImages + path };
}

function refuse(text: string, why: string): never {
  throw new Failure('bad-image-reference', `${JSON.stringify(text.slice(0, 300))} is not an image reference: ${why}`, {
    hint: 'Write it as registry/repository:tag, for example ghcr.io/acme/web:v1.4.2',
  });
}
