import { Failure } from '../failure.ts';
import type { Choice } from '../history/choice.ts';
import type { HistoryRecord } from '../history/record.ts';
import { type HistoryEntry, withoutIds } from '../history/union.ts';
import { referenceOf } from '../releases/image-reference.ts';
import type { ComposeProject } from '../releases/project.ts';
import type { RunningImage } from '../releases/release.ts';
import type { LocalImage } from '../survey/survey-compose.ts';
import { type KnownBad, knownBad } from './known-bad.ts';
import type { Target } from './target.ts';
import type { WantedImage } from './target-image.ts';

/** What the target means in this project. */
export interface Wanted {
  images: Map<string, WantedImage>;
  /** Where the target comes from, as a printed line. */
  source: string;
  /** The record in the history; null if the target names tags or digests. */
  record: HistoryRecord | null;
  /** Services that the target includes but the compose file does not. */
  unknown: string[];
  /** The latest word of the history on it is bad; null if it is not. */
  knownBad: KnownBad | null;
}

/** What is needed to resolve a target. */
export interface TargetContext {
  project: ComposeProject;
  /** Database services, which are never touched. */
  databases: ReadonlySet<string>;
  /** The host's own records, in the order of their file. */
  history: readonly HistoryRecord[];
  /** Also the records from copies, for a target that names a record. */
  entries: readonly HistoryEntry[];
  /** The records whose verdicts count: the host's own, and those that it is about to get back from copies. */
  verdicts: readonly HistoryRecord[];
  /** The host's images: what a tag names here that never ran under that tag. */
  images: readonly LocalImage[];
  /** The last good release in the host's history. */
  choice: Choice;
  /** The input "services"; null if it is empty. */
  services: readonly string[] | null;
  registry: string;
}

/**
 * Resolves the target for this project.
 * @throws Failure `no-target`, `unknown-service`, `database-service`, `record-unknown`
 */
export function wantedRelease(target: Target, context: TargetContext): Wanted {
  const wanted = resolveTarget(target, context);
  const repositoryOf = (service: string) =>
    referenceOf(context.project.services.get(service)?.image ?? null)?.repository;
  // What is chosen from the history is chosen by its verdicts.
  if (target.kind === 'last-good') return { ...wanted, knownBad: null };
  // A record that only a copy has counts too, as it can only warn.
  const copied = context.entries.filter(({ record, source }) => source === 'mirror' && record.id === wanted.record?.id);
  const verdicts = [...copied.map(({ record }) => record), ...context.verdicts];
  const identified = new Map(
    [...wanted.images].map(([service, image]) => [service, identify(service, image, context)]),
  );
  return { ...wanted, knownBad: knownBad(identified, verdicts, context.databases, repositoryOf) };
}

/** A tag that the history does not know may name an image that it knows by another, such as `latest`. */
function identify(service: string, wanted: WantedImage, { project, images }: TargetContext): WantedImage {
  const { tag, digest, imageId } = wanted;
  const repository = referenceOf(project.services.get(service)?.image ?? null)?.repository;
  if (tag === null || digest !== null || imageId !== null || repository === undefined) return wanted;
  const isOwn = (name: string) => referenceOf(name)?.repository === repository;
  const local = images.find(({ repoTags }) => repoTags.some((name) => isOwn(name) && referenceOf(name)?.tag === tag));
  const own = local?.repoDigests.find(isOwn) ?? null;
  return { tag, digest: referenceOf(own)?.digest ?? null, imageId: local?.id ?? null };
}

function resolveTarget(target: Target, context: TargetContext): Omit<Wanted, 'knownBad'> {
  const named = context.services === null ? null : new Set(context.services);
  for (const service of named ?? []) checkService(service, context);
  switch (target.kind) {
    case 'last-good':
      return ofRecord(context.choice.record ?? noTarget(context), context.choice.why, context, named);
    case 'record': {
      const entry = context.entries.find(({ record }) => record.id === target.id);
      if (entry === undefined) throw unknownRecord(target.id, context);
      const whose =
        entry.source === 'host' ? 'in the history on the host' : 'in a copy of the history (the host does not have it)';
      const { record } = entry;
      return ofRecord(
        entry.source === 'host' ? record : { ...record, release: withoutIds(record.release) },
        `the record ${target.id} ${whose}`,
        context,
        named,
      );
    }
    case 'services': {
      for (const service of target.images.keys()) checkService(service, context);
      const images = [...target.images].filter(([service]) => named === null || named.has(service));
      if (images.length === 0) throw speaksOfNone('The input "target"', context);
      return { ...resolve(images, context), record: null, unknown: [] };
    }
    default: {
      const services = servicesAt(context, named);
      return {
        ...resolve(
          services.map((service) => [service, target]),
          context,
        ),
        record: null,
        unknown: [],
      };
    }
  }
}

/** The services that are named, or else those with an image from the registry. */
function servicesAt({ project, databases, registry }: TargetContext, named: ReadonlySet<string> | null): string[] {
  if (named !== null) return [...named];
  const services = [...project.services.values()]
    .filter(({ name, image }) => !databases.has(name) && referenceOf(image)?.registry === registry)
    .map(({ name }) => name);
  if (services.length > 0) return services;
  throw new Failure('no-target', `No service of the project has an image from ${registry}`, {
    hint: 'Name the services in "target", as in web=v41, or set "registry" to where their images come from',
  });
}

/** A tag means the image that last ran here under it, even if the tag has moved since. */
function resolve(
  images: readonly (readonly [string, { tag: string } | { digest: string }])[],
  context: TargetContext,
): Pick<Wanted, 'images' | 'source'> {
  const known: string[] = [];
  const resolved = images.map(([service, image]): [string, WantedImage] => {
    if ('digest' in image) return [service, { tag: null, digest: image.digest, imageId: null }];
    const earlier = ranAs(service, image.tag, context);
    if (earlier === null) return [service, { tag: image.tag, digest: null, imageId: null }];
    known.push(service);
    return [service, { tag: image.tag, digest: earlier.digest, imageId: earlier.imageId }];
  });
  const source = `set by the input "target"${known.length === 0 ? '' : `; for ${known.join(', ')} the image that last ran here under that tag`}`;
  return { images: new Map(resolved), source };
}

function ranAs(service: string, tag: string, { history, project }: TargetContext): RunningImage | null {
  const repository = referenceOf(project.services.get(service)?.image ?? null)?.repository;
  const earlier = history
    .filter(({ status, event }) => status === 'succeeded' && event !== 'drill')
    .map(({ release }) => release[service])
    .findLast(
      (image) =>
        image !== undefined &&
        image.tag === tag &&
        (image.digest !== null || image.imageId !== null) &&
        referenceOf(image.image)?.repository === repository,
    );
  return earlier ?? null;
}

function ofRecord(
  record: HistoryRecord,
  source: string,
  context: TargetContext,
  named: ReadonlySet<string> | null,
): Omit<Wanted, 'knownBad'> {
  const { project, databases } = context;
  const wanted = Object.entries(record.release).filter(
    ([service]) => !databases.has(service) && (named === null || named.has(service)),
  );
  const known = wanted.filter(([service]) => project.services.has(service));
  if (known.length === 0) throw speaksOfNone(`The record ${record.id}`, context);
  return {
    images: new Map(known.map(([service, { tag, digest, imageId }]) => [service, { tag, digest, imageId }])),
    source: `${source}: ${record.event} of ${record.at}`,
    record,
    unknown: wanted.filter(([service]) => !project.services.has(service)).map(([service]) => service),
  };
}

function checkService(service: string, { project, databases }: TargetContext): void {
  if (databases.has(service)) {
    throw new Failure('database-service', `The service "${service}" is the database, which is never rolled back`, {
      hint: 'Leave it out. To go back to earlier data, restore a backup: each has a report with the commands',
    });
  }
  if (!project.services.has(service)) {
    throw new Failure('unknown-service', `The compose file has no service "${service}"`, {
      hint: `It has: ${[...project.services.keys()].join(', ')}`,
    });
  }
}

/** Without this failure, the run would do nothing and report success. */
function speaksOfNone(what: string, { project, databases, services }: TargetContext): Failure {
  const asked = services ?? [...project.services.keys()].filter((service) => !databases.has(service));
  return new Failure('no-target', `${what} includes none of the services ${asked.join(', ')}`, {
    hint: 'Set "target" to another release, or correct "services"',
  });
}

function noTarget({ choice, entries }: TargetContext): never {
  const releases = entries.filter(({ record }) => record.event !== 'drill');
  const newest = releases.slice(-5).map(({ record: { id, at, event, verdict }, source }) => {
    const words = [event, source === 'host' ? verdict : 'from a copy', at];
    return `${id} (${words.join(', ')})`;
  });
  throw new Failure('no-target', `There is nothing to roll back to: ${choice.why}`, {
    hint: `Set "target" to a tag, or to the id of a record${newest.length === 0 ? '' : `. The newest are: ${newest.join('; ')}`}`,
  });
}

function unknownRecord(id: string, { entries }: TargetContext): Failure {
  const newest = entries.slice(-5).map(({ record }) => record.id);
  return new Failure('record-unknown', `The history has no record ${id}`, {
    hint: newest.length === 0 ? 'The history is empty: set "target" to a tag' : `The newest are: ${newest.join(', ')}`,
  });
}
