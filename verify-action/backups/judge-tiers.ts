import { byText } from '../../shared/by-text.ts';
import type { Problem } from '../../shared/drill/finding.ts';
import { calendarIn } from '../../shared/sets/calendar.ts';
import { type Catalogue, type VerifiedSet, verifiedSetsOf } from '../../shared/sets/catalogue.ts';
import { allTiers, folderOfTier, type Tier } from '../../shared/sets/layout.ts';
import { decidePruning } from '../../shared/sets/retention.ts';
import { type Keep, periodOf, type RetentionPolicy } from '../../shared/sets/tiers.ts';
import { listed } from '../../shared/units.ts';

/** The facts by which the tiers of one database are judged. */
export interface TierFacts {
  database: string;
  catalogue: Catalogue;
  /** The same policy as in backup-action. */
  keep: RetentionPolicy;
  timezone: string;
  /** On the host's clock. */
  now: Date;
}

/** Checks that each tier holds what the policy keeps: no week or month is missing, and nothing overdue is left. */
export function judgeTiers(facts: TierFacts): string | Problem {
  const { database, catalogue, keep: policy } = facts;
  const verified = verifiedSetsOf(database, catalogue.sets);
  const inTier = (tier: Tier) => verified.filter(({ folders }) => folders.includes(folderOfTier(tier)));
  const counts = allTiers.map((tier) => `${inTier(tier).length} ${tier}${limitOf(policy[tier])}`).join(', ');

  const lacking = (['weekly', 'monthly'] as const).flatMap((tier) =>
    lackingIn(tier, inTier(tier), inTier('daily'), policy[tier], facts.timezone).map(
      (name) => `no ${tier} for ${name}`,
    ),
  );
  if (lacking.length > 0) {
    return {
      detail: `${counts}; there is ${lacking.join(', ')}`,
      remedy:
        'Give "keep-weekly", "keep-monthly" and "timezone" as in backup-action. If they agree, somebody has deleted the backup; the next period gets its own',
    };
  }
  const surplus = decidePruning(catalogue.sets, { ...facts, policy }).filter(({ action }) => action === 'delete');
  const [first] = surplus;
  if (first === undefined) return counts;
  const named = listed(
    surplus.map(({ id, tier }) => `${id} in ${tier}`),
    1,
  );
  return {
    detail: `${counts}; the policy does not keep ${named}`,
    remedy: `Give "keep-${first.tier}" and "timezone" as in backup-action. If they agree, the last backup did not prune: see its log`,
  };
}

/** Among the newest periods, as many as are kept: those that have a backup, but no longer one in this tier. */
function lackingIn(
  tier: Tier,
  own: readonly VerifiedSet[],
  daily: readonly VerifiedSet[],
  keep: Keep,
  timezone: string,
): string[] {
  const calendar = calendarIn(timezone);
  const held = new Set(own.map(({ id }) => periodOf(tier, id, calendar).key));
  const periods = new Map(
    [...own, ...daily].map(({ id }) => periodOf(tier, id, calendar)).map(({ key, name }) => [key, name]),
  );
  return [...periods]
    .toSorted(([a], [b]) => byText(b, a))
    .slice(0, keep === 'all' ? undefined : keep)
    .filter(([key]) => !held.has(key))
    .map(([, name]) => name);
}

const limitOf = (keep: Keep) => (keep === 'all' ? '' : ` of ${keep}`);
