import type { Findings, Problem } from '../../shared/drill/finding.ts';
import { newestKnown } from '../../shared/history/observation.ts';
import { nameOf } from '../../shared/releases/image-name.ts';
import { type ImageReference, referenceOf } from '../../shared/releases/image-reference.ts';
import type { ComposeService } from '../../shared/releases/project.ts';
import { type Release, type RunningImage, releaseOf, sameImage } from '../../shared/releases/release.ts';
import type { LocalImage } from '../../shared/survey/survey-compose.ts';
import { listed } from '../../shared/units.ts';
import { containersOf, type DeploymentFacts } from './deployment-facts.ts';
import type { ExpectedImages } from './expected.ts';
import { type TagEvidence, tagEvidence } from './tag-evidence.ts';

/** Checks that each service runs the image it should. @param expected what `expect` names; null: nothing is expected */
export function judgeImages(findings: Findings, expected: ExpectedImages | null, facts: DeploymentFacts): void {
  for (const service of facts.project.services.values()) {
    if (facts.databases.has(service.name)) continue;
    const judged = judgeImage(service, expected, facts);
    if (typeof judged === 'string' || 'detail' in judged) findings.check(`image: ${service.name}`, () => judged);
    else findings.unable(`image: ${service.name}`, judged.unable, judged.remedy);
  }
}

function judgeImage(
  service: ComposeService,
  expected: ExpectedImages | null,
  facts: DeploymentFacts,
): string | Problem | { unable: string; remedy: string } {
  const own = containersOf(facts.watched.after, service.name);
  const runs = releaseOf(own, facts.watched.images)[service.name];
  if (runs === undefined && service.replicas === 0) return 'not meant to run (replicas: 0)';
  if (runs === undefined) return { detail: 'it has no container', remedy: `See the check "running: ${service.name}"` };
  const others = own.filter(({ imageId }) => imageId !== runs.imageId);
  if (others.length > 0) {
    return {
      detail: 'its containers run different images',
      remedy: `${facts.compose} up --detach ${service.name}`,
    };
  }
  if (expected?.has(service.name) && referenceOf(service.image) === null) {
    return {
      detail: 'its tag cannot be compared: the compose file gives it no image',
      remedy: `Give ${service.name} an "image" in the compose file, or leave it out of "expect"`,
    };
  }
  const wanted = wantedOf(service, expected, facts.images);
  const runsName = imageText(runs, service.image, facts.images);
  if (wanted === null) return `runs ${runsName}; "expect" does not include it`;
  const isNamed = wanted.imageIds.includes(runs.imageId ?? '');
  if (wanted.expectedTag !== null) {
    const evidence = evidenceOf(service, runs, wanted.expectedTag, facts);
    if (evidence.is === 'same') return `runs ${runsName}, as ${wanted.source} says`;
    if (evidence.is === 'other' && isNamed) {
      return {
        detail: `runs ${runsName}, which is called ${wanted.name} on this host, but is not ${wanted.name}, which ${wanted.source} asks for: ${evidence.source} has another image for it`,
        remedy: `On the host: docker pull ${wanted.repository}:${wanted.name}. Then deploy again`,
      };
    }
    // To pass, more is needed than a name that this host gives.
    if (evidence.is === 'unknown' && isNamed) {
      return {
        unable: `runs ${runsName}, and whether that is ${wanted.name} cannot be told: ${evidence.why}`,
        remedy: `Set "registry-username" and "registry-password" if the registry wants them. For images that no registry has, verify once without "expect" after the deployment`,
      };
    }
  } else if (isNamed) return `runs ${runsName}, as ${wanted.source} says`;
  // A record that merely observed a release does not say that anybody wanted it.
  const newest = newestKnown(facts.history, facts.environment);
  const record = newest?.event === 'rollback' || newest?.verdict === 'good' ? newest.release[service.name] : undefined;
  if (expected === null && record !== undefined && sameImage(record, runs)) {
    return `runs ${runsName}, as the last record in the history says`;
  }
  return {
    detail:
      wanted.imageIds.length === 0
        ? `runs ${runsName}; the host does not have ${wanted.name}, which ${wanted.source} asks for`
        : `runs ${runsName}, not ${wanted.name}, which ${wanted.source} asks for`,
    remedy: 'The deployment did not pull that release, or did not start it: see its log. Then deploy again',
  };
}

/** The images that a service may run; null if `expect` does not include it. */
function wantedOf(
  { name, image }: ComposeService,
  expected: ExpectedImages | null,
  images: readonly LocalImage[],
): { name: string; repository: string; expectedTag: string | null; imageIds: string[]; source: string } | null {
  const own = referenceOf(image);
  const wanted = expected === null ? own : expected.get(name);
  if (own === null || wanted === null || wanted === undefined) return null;
  const { tag, digest } = wanted;
  const isMeant = (known: ImageReference | null) =>
    known?.repository === own.repository && (digest === null ? known.tag === tag : known.digest === digest);
  return {
    name: digest ?? tag ?? '',
    repository: own.repository,
    expectedTag: expected === null || digest !== null ? null : tag,
    imageIds: images
      .filter(({ repoTags, repoDigests }) => (digest === null ? repoTags : repoDigests).map(referenceOf).some(isMeant))
      .map(({ id }) => id),
    source: expected === null ? 'the compose file' : '"expect"',
  };
}

function evidenceOf(service: ComposeService, runs: RunningImage, tag: string, facts: DeploymentFacts): TagEvidence {
  const repository = referenceOf(service.image)?.repository ?? '';
  const known = [...facts.watched.images, ...facts.images].filter(({ id }) => id === runs.imageId);
  const digests = known.flatMap(({ repoDigests }) =>
    repoDigests.map(referenceOf).flatMap((name) => (name?.repository === repository ? (name.digest ?? []) : [])),
  );
  const history = facts.history.filter(({ environment }) => environment === facts.environment);
  const meaning = facts.meanings.get(`${repository}:${tag}`);
  return tagEvidence({ service: service.name, tag, repository, runs, digests, meaning, history });
}

/** An image for people: `v2 (0123456789ab)`. */
function imageText(runs: RunningImage, image: string | null, images: readonly LocalImage[]): string {
  const tag = nameOf(runs, image, images);
  const id = (runs.imageId ?? runs.digest ?? 'an unknown image').replace('sha256:', '').slice(0, 12);
  return tag === null ? id : `${tag} (${id})`;
}

/** How many services are named with the ids of their images; with more, those of the same tag are named together. */
const mostNamed = 3;

/** What runs, without databases: `app v2 (0123456789ab), worker v2 (…)`, or, of many, `v2: app, worker, web and 4 more`. */
export function releaseText(
  release: Release,
  { databases, images }: Pick<DeploymentFacts, 'databases' | 'images'>,
): string | null {
  const own = Object.entries(release).filter(([service]) => !databases.has(service));
  if (own.length === 0) return null;
  if (own.length <= mostNamed)
    return own.map(([service, image]) => `${service} ${imageText(image, image.image, images)}`).join(', ');
  const tags = Map.groupBy(own, ([, image]) => imageText(image, image.image, images).replace(/ \(.*\)$/, ''));
  const groups = [...tags].map(
    ([tag, ones]) =>
      `${tag}: ${listed(
        ones.map(([service]) => service),
        mostNamed,
      )}`,
  );
  return listed(groups, mostNamed, { separator: '; ' });
}
