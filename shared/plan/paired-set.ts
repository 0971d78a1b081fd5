import { referenceOf } from '../releases/image-reference.ts';
import { moves } from '../releases/moving-tag.ts';
import type { Release, RunningImage } from '../releases/release.ts';
import type { BackupSet, VerifiedSet } from '../sets/catalogue.ts';
import { startOf } from '../sets/naming.ts';
import { counted, formatDuration, listed } from '../units.ts';
import type { Plan } from './plan.ts';
import { isThatImage } from './target-image.ts';
import type { Wanted } from './wanted-release.ts';

// Which backup belongs to a release: one that was taken while the release ran.

export interface PairingRequest {
  /** Of the catalogue, newest first. */
  sets: readonly BackupSet[];
  database: string;
  environment: string;
  /** What the target runs, by service; see `targetImages`. */
  target: ReadonlyMap<string, RunningImage>;
}

/** The set that is paired with the target, or why there is none. */
export type Pairing =
  | {
      set: VerifiedSet;
      /** Sets of other kinds that were taken later while the target ran: to restore one of those gives up less. Newest first. */
      later: VerifiedSet[];
      /** Services of the target that the set does not know. */
      unknown: string[];
    }
  | {
      set: null;
      /** Continues a sentence: "No backup belongs to the target: …". */
      why: string;
      nearly: NearlyPaired[];
    };

/** A set that an operator could still choose by its id, and why it was not chosen, as in "20261127_021700, 3 h old: …". */
export interface NearlyPaired {
  id: string;
  what: string;
}

/** How many of the sets that nearly match are listed, of each sort. */
const mostNearly = 3;
const mostServices = 4;

/**
 * What the target runs in the services that it covers. Not what the other services run: they stay as they are, whatever they ran
 * when a backup was taken.
 * @param ignored databases and stores, which a rollback does not touch unless they are named
 */
export function targetImages(
  { to }: Pick<Plan, 'to'>,
  { images }: Pick<Wanted, 'images'>,
  ignored: ReadonlySet<string>,
): Map<string, RunningImage> {
  return new Map(Object.entries(to).filter(([service]) => images.has(service) && !ignored.has(service)));
}

/**
 * The set that was taken while the target ran, just before the release that replaced it: the newest one of the kind
 * `predeployment` with the target's images. Its kind counts, not its folder: retention may have left it in daily only.
 */
export function pairedSet(request: PairingRequest): Pairing {
  const known = setsOfTarget(request);
  const set = known.find(({ manifest }) => manifest.kind === 'predeployment');
  if (set === undefined) return { set: null, ...whyNone(request, known) };
  const unknown = [...request.target.keys()].filter((service) => !Object.hasOwn(set.manifest.release, service));
  return { set, later: known.slice(0, known.indexOf(set)), unknown };
}

/** The verified sets of any kind that were taken while the target ran, newest first. */
export function setsOfTarget({ sets, database, environment, target }: PairingRequest): VerifiedSet[] {
  return sets.filter(
    (set): set is VerifiedSet =>
      set.state === 'verified' &&
      set.database === database &&
      set.manifest.environment === environment &&
      ranAs(set.manifest.release, target),
  );
}

/** Whether what ran is what the target runs. */
export function ranAs(release: Release, target: ReadonlyMap<string, RunningImage>): boolean {
  return compare(release, target).isSame;
}

/** The sets that nearly match, a line each. */
export function describeNearly(nearly: readonly NearlyPaired[], now: Date): string[] {
  return nearly.map(({ id, what }) => `${id}${age(id, now)}: ${what}`);
}

interface Comparison {
  /** At least one service is the same, and no service is known to be another, or cannot be told. */
  isSame: boolean;
  same: string[];
  /** `web ran v2` */
  others: string[];
}

/**
 * A service that only one side knows does not count: a job's container may have been cleaned away, a service may have been
 * switched off, or added to the compose file later. One that both know but that cannot be compared does count: data that a newer
 * release wrote must not pass for those of an older one.
 */
function compare(release: Release, target: ReadonlyMap<string, RunningImage>): Comparison {
  const same: string[] = [];
  const others: string[] = [];
  for (const [service, image] of target) {
    const then = Object.hasOwn(release, service) ? release[service] : undefined;
    if (then === undefined) continue;
    if (isThatImage(image, then, referenceOf(image.image)?.repository)) same.push(service);
    else others.push(otherwise(service, image, then));
  }
  return { isSame: same.length > 0 && others.length === 0, same, others };
}

function otherwise(service: string, image: RunningImage, then: RunningImage): string {
  if (then.tag !== null && then.tag === image.tag) {
    const isIdentified = (image.digest ?? image.imageId) !== null;
    return !isIdentified && moves(then.tag)
      ? `${service} ran ${then.tag}, a tag that moves, so which image that was cannot be told`
      : `${service} ran another image with the tag ${then.tag}`;
  }
  return `${service} ran ${then.tag ?? (then.digest ?? then.imageId)?.slice(7, 19) ?? 'an image that is not known'}`;
}

/** @param known of the target, but none before a deployment */
function whyNone(
  { sets, database, environment, target }: PairingRequest,
  known: readonly VerifiedSet[],
): { why: string; nearly: NearlyPaired[] } {
  const nearly: NearlyPaired[] = known.slice(0, mostNearly).map(({ id, manifest }) => ({
    id,
    what: `${manifest.kind}, taken while the target ran, but not before a deployment`,
  }));
  const before = sets.filter(({ manifest, database: of }) => manifest?.kind === 'predeployment' && of === database);
  const compared = before.flatMap((set): NearlyPaired[] => {
    const { isSame, same, others } = compare(set.manifest?.release ?? {}, target);
    if (set.state === 'broken')
      return isSame ? [{ id: set.id, what: `taken before a deployment, but it is broken: ${set.reason}` }] : [];
    if (isSame) return [{ id: set.id, what: `of the environment ${set.manifest.environment}` }];
    if (same.length === 0 || set.manifest.environment !== environment) return [];
    return [
      { id: set.id, what: `of ${listed(same, mostServices)} the target's image, but ${listed(others, mostServices)}` },
    ];
  });
  nearly.push(...compared.slice(0, mostNearly));
  return { why: reason(target, before.length), nearly };
}

function reason(target: ReadonlyMap<string, RunningImage>, before: number): string {
  if (target.size === 0) return 'the target covers no service whose image could be compared';
  if (before === 0) return 'there is no backup that was taken before a deployment';
  return before === 1
    ? 'the only backup that was taken before a deployment was not taken while the target ran'
    : `none of the ${before} backups that were taken before a deployment was taken while the target ran`;
}

/** `, 3 h 20 min old`; empty if the id is no time. */
function age(id: string, now: Date): string {
  const start = startOf(id);
  if (start === null) return '';
  const days = Math.floor((now.getTime() - start.getTime()) / 86_400_000);
  return `, ${days < 2 ? formatDuration(Math.max(0, now.getTime() - start.getTime())) : counted(days, 'day')} old`;
}
