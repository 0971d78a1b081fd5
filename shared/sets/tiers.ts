import { type Calendar, calendarIn, withWeekday } from './calendar.ts';
import { type BackupSet, verifiedSetsOf } from './catalogue.ts';
import { folderOfTier, type Tier } from './layout.ts';
import type { BackupId, BackupKind } from './manifest.ts';
import { startOf } from './naming.ts';

/** How many days, weeks, months or deployments a tier keeps; 0 switches it off. */
export type Keep = number | 'all';

export type RetentionPolicy = Record<Tier, Keep>;

/** The stretch of time from which a tier keeps one set. */
export interface Period {
  /** Equal for sets of the same period. */
  key: string;
  /** For people: `Mon 2026-11-23`, `the week of Sun 2026-11-22`, `2026-11`. */
  name: string;
}

/** Whether a new set enters a tier. */
export interface TierDecision {
  tier: Tier;
  enters: boolean;
  /** A printed line: "weekly: first verified backup of the week of Sun 2026-11-22". */
  reason: string;
}

/** The set that a decision is about, once it is verified. */
export interface NewSet {
  id: BackupId;
  database: string;
  kind: BackupKind;
}

/** The period of a set in a tier; a deployment or a rollback is a period of its own. */
export function periodOf(tier: Tier, id: BackupId, calendar: Calendar): Period {
  // Ids in a catalogue are valid; the epoch only satisfies the type.
  const start = startOf(id) ?? new Date(0);
  switch (tier) {
    case 'daily': {
      const day = calendar.day(start);
      return { key: day, name: withWeekday(day) };
    }
    case 'weekly': {
      const sunday = calendar.week(start);
      return { key: sunday, name: `the week of ${withWeekday(sunday)}` };
    }
    case 'monthly': {
      const month = calendar.month(start);
      return { key: month, name: month };
    }
    case 'predeployment':
    case 'prerollback':
      return { key: id, name: id };
  }
}

/**
 * Which tiers a new verified set enters, in the order of allTiers; one that is taken before a rollback stands alone. This is computed from what stands in the folders and
 * never from the day of the week: after a missed Sunday the next night is weekly.
 *
 * @param sets all sets on the host; only verified ones of the same database matter.
 * @param timezone IANA name; days are counted there.
 */
export function decideTiers(
  added: NewSet,
  sets: readonly BackupSet[],
  policy: RetentionPolicy,
  timezone: string,
): TierDecision[] {
  if (added.kind === 'prerollback') {
    return [{ tier: 'prerollback', enters: true, reason: 'prerollback: taken before a rollback' }];
  }
  const calendar = calendarIn(timezone);
  const earlier = verifiedSetsOf(added.database, sets).filter((set) => set.id !== added.id);

  const firstOfPeriod = (tier: Tier): TierDecision => {
    if (policy[tier] === 0) return { tier, enters: false, reason: `not ${tier}: keep-${tier} is 0` };
    const period = periodOf(tier, added.id, calendar);
    const holder = earlier.findLast(
      (set) => set.folders.includes(folderOfTier(tier)) && periodOf(tier, set.id, calendar).key === period.key,
    );
    return holder === undefined
      ? { tier, enters: true, reason: `${tier}: first verified backup of ${period.name}` }
      : { tier, enters: false, reason: `not ${tier}: ${period.name} has ${holder.id}` };
  };

  return [
    { tier: 'daily', enters: true, reason: 'daily: every verified backup is' },
    firstOfPeriod('weekly'),
    firstOfPeriod('monthly'),
    beforeDeployment(added, policy),
  ];
}

function beforeDeployment(added: NewSet, policy: RetentionPolicy): TierDecision {
  const tier = 'predeployment';
  if (added.kind !== 'predeployment') return { tier, enters: false, reason: `not ${tier}: no deployment follows` };
  if (policy[tier] === 0) return { tier, enters: false, reason: `not ${tier}: keep-${tier} is 0` };
  return { tier, enters: true, reason: `${tier}: taken before a deployment` };
}
