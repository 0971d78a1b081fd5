import { type Calendar, calendarIn } from './calendar.ts';
import { type BackupSet, newestFirst, type VerifiedSet, verifiedSetsOf } from './catalogue.ts';
import { allTiers, folderOfTier, type Tier } from './layout.ts';
import type { BackupId } from './manifest.ts';
import { startOf } from './naming.ts';
import { type Keep, type Period, periodOf, type RetentionPolicy } from './tiers.ts';

/** What happens to a set in one tier. Hard links put a set into several tiers: deleting it from one leaves the others. */
export interface PruneDecision {
  tier: Tier;
  id: BackupId;
  /** `ignore`: neither counted nor ever deleted. */
  action: 'keep' | 'delete' | 'ignore';
  /** A line to print: "kept: newest of Mon 2026-11-23, day 1 of 7". */
  reason: string;
}

/** Which database's sets to prune, by what rules, and what time it is. */
export interface PruneOptions {
  database: string;
  policy: RetentionPolicy;
  /** IANA name; days begin and end there. */
  timezone: string;
  /** The host's clock. */
  now: Date;
  /** A set that is about to be restored: it stays for now, whatever its rank. */
  spared?: BackupId | null;
}

/** A set may be this far ahead of the clock: of two backups that start in one second, the later one gets a later id. */
const clockSlackMs = 5 * 60 * 1000;

const periodWord = {
  daily: 'day',
  weekly: 'week',
  monthly: 'month',
  predeployment: 'deployment',
  prerollback: 'rollback',
} as const;

/**
 * Decides what to keep. Each tier keeps the newest verified set of each of its last N periods that have one; the newest
 * verified set of all is always kept. Broken sets, sets dated in the future and other databases' sets are neither counted
 * nor deleted.
 *
 * @param sets all sets on the host, including the new one.
 * @returns one decision for each set in each tier, by tier, newest first.
 */
export function decidePruning(sets: readonly BackupSet[], options: PruneOptions): PruneDecision[] {
  const { database, policy, spared = null } = options;
  const calendar = calendarIn(options.timezone);
  const horizon = options.now.getTime() + clockSlackMs;
  const counted = verifiedSetsOf(database, sets)
    .filter((set) => (startOf(set.id)?.getTime() ?? Number.POSITIVE_INFINITY) <= horizon)
    .toSorted((a, b) => newestFirst(a.id, b.id));

  return allTiers.flatMap((tier) => {
    const standing = counted.filter((set) => set.folders.includes(folderOfTier(tier)));
    const protectedId = protectedIn(tier, counted, standing);
    const decisions = new Map(decideTier(tier, standing, policy[tier], protectedId, calendar));
    return standingIn(tier, sets).map((set) => {
      const decision = isOf(database, set) ? decisions.get(set) : ignored(tier, set);
      if (decision?.action === 'delete' && set.id === spared)
        return { tier, id: set.id, action: 'keep', reason: 'kept: it is about to be restored' };
      return (
        decision ?? {
          tier,
          id: set.id,
          action: 'keep',
          reason: 'kept: dated in the future (was the clock set back?); not counted',
        }
      );
    });
  });
}

/**
 * The decisions when nothing may be deleted: after a failed run, or when the new backup is suspiciously small.
 *
 * @param why ends the sentence "pruning was skipped: …".
 */
export function pruneNothing(sets: readonly BackupSet[], database: string, why: string): PruneDecision[] {
  return allTiers.flatMap((tier) =>
    standingIn(tier, sets).map(
      (set): PruneDecision =>
        isOf(database, set)
          ? { tier, id: set.id, action: 'keep', reason: `kept: pruning was skipped: ${why}` }
          : ignored(tier, set),
    ),
  );
}

function standingIn(tier: Tier, sets: readonly BackupSet[]): BackupSet[] {
  return sets.filter((set) => set.folders.includes(folderOfTier(tier))).toSorted((a, b) => newestFirst(a.id, b.id));
}

function isOf(database: string, set: BackupSet): set is VerifiedSet {
  return set.state === 'verified' && set.database === database;
}

function ignored(tier: Tier, set: BackupSet): PruneDecision {
  const why = set.state === 'broken' ? `broken, ${set.reason}` : 'belongs to another database';
  return { tier, id: set.id, action: 'ignore', reason: `not counted: ${why}` };
}

/**
 * The set that must stay in a tier whatever the policy says: in daily the newest one there; in another tier the newest
 * verified set of all, if this is the first tier that holds it (its daily copy may be lost).
 */
function protectedIn(tier: Tier, counted: readonly VerifiedSet[], standing: readonly VerifiedSet[]): BackupId | null {
  if (tier === 'daily') return standing[0]?.id ?? null;
  const newest = counted[0];
  const home = allTiers.find((candidate) => newest?.folders.includes(folderOfTier(candidate)));
  return newest !== undefined && home === tier ? newest.id : null;
}

/** @param standing the counted sets of the tier, newest first. */
function decideTier(
  tier: Tier,
  standing: readonly VerifiedSet[],
  keep: Keep,
  protectedId: BackupId | null,
  calendar: Calendar,
): [VerifiedSet, PruneDecision][] {
  const newestOf = new Map<string, BackupId>();
  return standing.map((set) => {
    const period = periodOf(tier, set.id, calendar);
    const newest = newestOf.get(period.key) ?? set.id;
    newestOf.set(period.key, newest);
    // Periods come newest first, so the number seen so far is the rank of this one.
    const position = { tier, period, newest, rank: newestOf.size, keep };
    return [set, { tier, id: set.id, ...judge(set.id, position, set.id === protectedId) }];
  });
}

/** The position of a set in its tier. */
interface TierPosition {
  tier: Tier;
  period: Period;
  /** The newest set of the period. */
  newest: BackupId;
  /** Rank of the period: 1 is the newest that has a set. */
  rank: number;
  keep: Keep;
}

function judge(id: BackupId, position: TierPosition, isProtected: boolean): Pick<PruneDecision, 'action' | 'reason'> {
  const within = position.keep === 'all' || position.rank <= position.keep;
  if (within && position.newest === id) return { action: 'keep', reason: `kept: ${rankAmong(position)}` };
  if (isProtected) return { action: 'keep', reason: 'kept: the newest verified backup is never deleted' };
  if (within)
    return { action: 'delete', reason: `deleted: ${position.newest} is a newer backup from ${position.period.name}` };
  if (position.keep === 0) return { action: 'delete', reason: `deleted: keep-${position.tier} is 0` };
  return {
    action: 'delete',
    reason: `deleted: ${ordinal(position.rank)} newest ${periodWord[position.tier]}, keep-${position.tier} is ${position.keep}`,
  };
}

const takenBefore: Partial<Record<Tier, string>> = {
  predeployment: 'taken before a deployment',
  prerollback: 'taken before a rollback',
};

function rankAmong({ tier, period, rank, keep }: TierPosition): string {
  const what = takenBefore[tier] ?? `newest of ${period.name}`;
  const word = periodWord[tier];
  return keep === 'all' ? `${what}, every ${word} is kept` : `${what}, ${word} ${rank} of ${keep}`;
}

function ordinal(n: number): string {
  const suffix = { one: 'st', two: 'nd', few: 'rd', other: 'th' } as Record<string, string>;
  return `${n}${suffix[new Intl.PluralRules('en', { type: 'ordinal' }).select(n)]}`;
}
