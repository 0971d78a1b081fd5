import { byText } from '../by-text.ts';
import { newestFirst, type VerifiedSet } from '../sets/catalogue.ts';
import { folderOfTier } from '../sets/layout.ts';
import type { BackupId } from '../sets/manifest.ts';
import { decidePruning } from '../sets/retention.ts';
import { decideTiers, type Keep, type RetentionPolicy } from '../sets/tiers.ts';
import { isOurs } from './folder-id.ts';
import type { StoredSet } from './stored-sets.ts';

/** What to keep off-site. */
export interface OffsitePolicy {
  daily: Keep;
  weekly: Keep;
  monthly: Keep;
}

export interface OffsiteRules {
  database: string;
  /** Of the backup folder: what another one has copied does not count. Empty: it has none, and all counts. */
  folderIds: readonly string[];
  policy: OffsitePolicy;
  /** IANA name. */
  timezone: string;
  /** The host's clock. */
  now: Date;
}

/** As long as the bucket keeps a set at most. */
export type OffsiteTier = 'monthly' | 'weekly' | 'daily';

/** What to do with a set in the bucket, and why. */
export interface OffsiteDecision {
  id: BackupId;
  keep: boolean;
  /** In which it is kept for longest. */
  tier: OffsiteTier;
  /** One line to print for each tier that it would be in. */
  reasons: string[];
}

type Known = Pick<VerifiedSet, 'id' | 'database' | 'manifest'>;

/**
 * Which sets of the host to copy: the new one, then those that the bucket lacks and would keep, newest first.
 * @param most how many at most
 */
export function planCopies(
  onHost: readonly VerifiedSet[],
  stored: readonly StoredSet[],
  newest: BackupId,
  most: number,
  rules: OffsiteRules,
): VerifiedSet[] {
  const { complete, missing } = compared(onHost, stored, rules);
  const kept = new Set(
    decide([...complete, ...missing], rules)
      .filter(({ keep }) => keep)
      .map(({ id }) => id),
  );
  return missing
    .filter(({ id }) => id === newest || kept.has(id))
    .toSorted((a, b) => Number(b.id === newest) - Number(a.id === newest) || newestFirst(a.id, b.id))
    .slice(0, most);
}

/** In which tier the bucket will keep this set of the host for longest: not the host's own, which has another policy. */
export function offsiteTierOf(
  set: VerifiedSet,
  onHost: readonly VerifiedSet[],
  stored: readonly StoredSet[],
  rules: OffsiteRules,
): OffsiteTier {
  const { complete, missing } = compared(onHost, stored, rules);
  return decide([...complete, ...missing], rules).find(({ id }) => id === set.id)?.tier ?? 'daily';
}

/** What the bucket has in full, and what it lacks. */
function compared(
  onHost: readonly VerifiedSet[],
  stored: readonly StoredSet[],
  rules: OffsiteRules,
): { complete: StoredSet[]; missing: VerifiedSet[] } {
  const complete = ofOurs(stored, rules).filter(({ isComplete }) => isComplete);
  const there = new Set(complete.map(({ id }) => id));
  const ours = onHost.filter(({ database, manifest }) => database === rules.database && isCopied(manifest));
  const missing = ours.filter(({ id }, index) => !there.has(id) && ours.findIndex((set) => set.id === id) === index);
  return { complete, missing };
}

/**
 * What to keep of the bucket's sets of this database and backup folder. The newest complete one is always kept. A set of which
 * something is missing keeps no other from its place; what a deletion has left of it goes when the policy says so.
 */
export function planOffsitePruning(stored: readonly StoredSet[], rules: OffsiteRules): OffsiteDecision[] {
  const ours = ofOurs(stored, rules);
  const complete = ours.filter(({ isComplete }) => isComplete);
  const remains = ours.filter(({ isComplete }) => !isComplete);
  return [
    ...decide(complete, rules),
    ...remains.flatMap((set) => decide([...complete, set], rules).filter(({ id }) => id === set.id)),
  ];
}

const longest: readonly OffsiteTier[] = ['monthly', 'weekly', 'daily'];

/** What was taken before a rollback is needed on the host, and soon; in the bucket it would take the place of a nightly one. */
const isCopied = ({ kind }: VerifiedSet['manifest']) => kind !== 'prerollback';

/** Of two databases or two backup folders, none may take a place of the other's copies, nor delete them. */
function ofOurs(stored: readonly StoredSet[], { database, folderIds }: OffsiteRules): StoredSet[] {
  return stored.filter((set) => set.database === database && isOurs(set.folderId, folderIds));
}

/**
 * As on the host: the sets enter their tiers in the order in which they were taken, and each tier keeps what it keeps there. The
 * bucket has no folders for tiers, so this is computed anew each time. As on the host, a set taken before a deployment counts as a
 * daily one.
 */
function decide(sets: readonly Known[], { database, policy, timezone, now }: OffsiteRules): OffsiteDecision[] {
  const keep: RetentionPolicy = { ...policy, predeployment: 0, prerollback: 0 };
  const entered: VerifiedSet[] = [];
  for (const { id, manifest } of sets.toSorted((a, b) => byText(a.id, b.id))) {
    // decideTiers wants the newest first, as a catalogue has them.
    const tiers = decideTiers({ id, database, kind: 'scheduled' }, entered, keep, timezone);
    const folders = tiers.filter(({ enters }) => enters).map(({ tier }) => folderOfTier(tier));
    entered.unshift({ state: 'verified', id, database, manifest, folders });
  }
  const decisions = decidePruning(entered, { database, policy: keep, timezone, now });
  return entered.map(({ id }) => {
    const own = decisions.filter((decision) => decision.id === id);
    return {
      id,
      keep: own.some(({ action }) => action !== 'delete'),
      tier: longest.find((each) => own.some(({ tier, action }) => tier === each && action !== 'delete')) ?? 'daily',
      reasons: own.map(({ tier, reason }) => `${tier}: ${reason}`),
    };
  });
}
