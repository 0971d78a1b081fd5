import type { Findings } from '../../shared/drill/finding.ts';
import type { Target } from '../../shared/plan/target.ts';
import { referenceOf } from '../../shared/releases/image-reference.ts';
import type { ComposeProject } from '../../shared/releases/project.ts';

/** By service that `expect` includes: the tag or digest it should run. */
export type ExpectedImages = ReadonlyMap<string, { tag: string | null; digest: string | null }>;

/** What is needed to resolve `expect`. */
export interface ExpectContext {
  project: ComposeProject;
  databases: ReadonlySet<string>;
  /** A tag on its own is meant for images from this registry. */
  registry: string;
}

/** Resolves `expect` to one image per service. */
export function expectedImages(expect: Target, { project, databases, registry }: ExpectContext): ExpectedImages {
  switch (expect.kind) {
    case 'tag': {
      const meant = [...project.services.values()].filter(
        ({ name, image }) => !databases.has(name) && referenceOf(image)?.registry === registry,
      );
      return new Map(meant.map(({ name }) => [name, { tag: expect.tag, digest: null }]));
    }
    case 'services':
      return new Map([...expect.images].map(([name, image]) => [name, { tag: null, digest: null, ...image }]));
    default:
      throw new RangeError(`"expect" cannot be a ${expect.kind}`);
  }
}

/** The tags that the registry is asked for: `repository:tag`. */
export function tagsToAskFor(expected: ExpectedImages, { services }: ComposeProject): string[] {
  const tags = [...expected].flatMap(([service, { tag, digest }]) => {
    const repository = referenceOf(services.get(service)?.image ?? null)?.repository;
    return repository === undefined || tag === null || digest !== null ? [] : [`${repository}:${tag}`];
  });
  return [...new Set(tags)];
}

/** Checks that `expect` matches existing services: an entry without a service would silently check nothing. */
export function judgeExpected(
  findings: Findings,
  expect: Target,
  expected: ExpectedImages,
  { project, databases, registry }: ExpectContext,
): void {
  const names = [...expected.keys()];
  const unknown = names.filter((name) => !project.services.has(name) || databases.has(name));
  findings.check('expect', () => {
    if (unknown.length > 0) {
      return {
        detail: `it names ${unknown.join(', ')}, but the application has no such service`,
        remedy: `The compose file has: ${[...project.services.keys()].join(', ')}`,
      };
    }
    if (expect.kind !== 'tag') return 'every service it names is in the compose file';
    if (names.length > 0) return `${expect.tag} applies to ${names.join(', ')}`;
    return {
      detail: `the tag ${expect.tag} applies to no service: none has an image from ${registry}`,
      remedy: 'Set "registry" to the registry of your images, or "expect" to service=tag lines',
    };
  });
}
