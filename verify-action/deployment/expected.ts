import type { Target } from '../../shared/plan/target.ts';
import { referenceOf } from '../../shared/releases/image-reference.ts';
import type { ComposeProject } from '../../shared/releases/project.ts';
import type { Findings } from '../finding.ts';

/** What each service should run, where `expect` speaks of it: a tag, or a digest. */
export type ExpectedImages = ReadonlyMap<string, { tag: string | null; digest: string | null }>;

/** What `expect` is read against. */
export interface ExpectContext {
  project: ComposeProject;
  databases: ReadonlySet<string>;
  /** Whose images a tag alone is meant for. */
  registry: string;
}

/** What `expect` says, service by service. */
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

/** What is meant for no service would be looked at by nobody. */
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
        detail: `it names ${unknown.join(', ')}, which no service of the application is called`,
        remedy: `The compose file has: ${[...project.services.keys()].join(', ')}`,
      };
    }
    if (expect.kind !== 'tag') return 'every service that it names is in the compose file';
    if (names.length > 0) return `${expect.tag} is meant for ${names.join(', ')}`;
    return {
      detail: `no service has an image at ${registry}, which the tag ${expect.tag} is meant for`,
      remedy: 'Give the registry of your images as "registry", or service=tag lines as "expect"',
    };
  });
}
