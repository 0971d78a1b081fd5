import { type Calendar, calendarIn, withWeekday } from './calendar.ts';
import { type BackupSet, verifiedSetsOf } from './catalogue.ts';
import { folderOfTier, type Tier } from './layout.ts';
import type { BackupId, BackupKind } from './manifest.ts';
import { startOf } from './naming.ts';

/** For how many days, weeks, months or deployments a tier keeps a set; 0 switches the tier off. */
export type Keep = number | 'all';

export type RetentionPolicy = Record<Tier, Keep>;

/** A day, a week, a month: a tier keeps one set for each. */
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
  /**
   * A line to print, `<tier>: <reason>` or `<tier>: no, <reason>`: "weekly: first verified backup of the week of Sun
   * 2026-11-22".
   */
  reason: string;
}

/** A verified set that is about to enter its tiers. */
export interface NewSet {
  id: BackupId;
  database: string;
  kind: BackupKind;
}

/** The period to which a set belongs in a tier. Each deployment and each rollback is a period of its own. */
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
 * Which tiers a new verified set enters, in the order of allTiers. A set taken before a rollback enters no other tier.
 * The decision depends on the sets in the folders, never on the day of the week: after a missed Sunday, the next night's
 * backup becomes the weekly one.
 *
 * @param sets all sets on the host; only verified ones of the same database matter.
 * @param timezone IANA name; days begin and end there.
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
    if (policy[tier] === 0) return { tier, enters: false, reason: `${tier}: no, keep-${tier} is 0` };
    const period = periodOf(tier, added.id, calendar);
    const holder = earlier.findLast(
      (set) => set.folders.includes(folderOfTier(tier)) && periodOf(tier, set.id, calendar).key === period.key,
    );
    return holder === undefined
      ? { tier, enters: true, reason: `${tier}: first verified backup of ${period.name}` }
      : { tier, enters: false, reason: `${tier}: no, ${holder.id} is already kept for ${period.name}` };
  };

  return [
    { tier: 'daily', enters: true, reason: 'daily: holds every verified backup' },
    firstOfPeriod('weekly'),
    firstOfPeriod('monthly'),
    beforeDeployment(added, policy),
  ];
}

function beforeDeployment(added: NewSet, policy: RetentionPolicy): TierDecision {
  const tier = 'predeployment';
  if (added.kind !== 'predeployment')
    return { tier, enters: false, reason: `${tier}: no, this backup was not taken before a deployment` };
  if (policy[tier] === 0) return { tier, enters: false, reason: `${tier}: no, keep-${tier} is 0` };
  return { tier, enters: true, reason: `${tier}: taken before a deployment` };
}
