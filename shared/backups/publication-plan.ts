import type { BackupSet, VerifiedSet } from '../sets/catalogue.ts';
import { folderOfTier, type Tier } from '../sets/layout.ts';
import type { BackupId, Check, Manifest } from '../sets/manifest.ts';
import { decidePruning, type PruneDecision, pruneNothing } from '../sets/retention.ts';
import { decideTiers, type RetentionPolicy, type TierDecision } from '../sets/tiers.ts';
import { formatBytes } from '../units.ts';
import { type ManifestFacts, manifestOf } from './assemble.ts';
import type { TakenDump } from './take.ts';

/** How many backups the workflow wants to keep. */
export interface Policy {
  keep: RetentionPolicy;
  timezone: string;
  /** 0 to 1; 0 switches the check off. */
  minSizeRatio: number;
  /** A backup that is about to be restored, and must outlast this one; none where it is left out. */
  spared?: BackupId | null;
}

/** What will happen to a verified dump, and to earlier sets. */
export interface PublicationPlan {
  manifest: Manifest;
  /** Every tier, and why the set enters it or not. */
  tiers: TierDecision[];
  entered: Tier[];
  pruning: PruneDecision[];
  deletions: PruneDecision[];
  /** Why the run is incomplete, one line each. If there is any, nothing is deleted. */
  problems: string[];
  /** The verified sets of this database including the new one, newest first. */
  sets: VerifiedSet[];
}

/** Makes the plan, without touching anything. */
export function planPublication(
  dump: TakenDump,
  facts: Omit<ManifestFacts, 'checks'>,
  earlier: readonly BackupSet[],
  policy: Policy,
): PublicationPlan {
  const size = judgeSize(dump, facts, policy.minSizeRatio);
  const manifest = manifestOf(dump, { ...facts, checks: [size] });
  const problems = [...dump.sides, size]
    .filter(({ result }) => result !== 'passed')
    .map(({ name, detail }) => `${name}: ${detail}`);

  const { id, database, kind } = manifest;
  const tiers = decideTiers({ id, database, kind }, earlier, policy.keep, policy.timezone);
  const entered = tiers.filter(({ enters }) => enters).map(({ tier }) => tier);
  const folders = entered.map(folderOfTier);
  const sets: BackupSet[] = [{ state: 'verified', id, database, manifest, folders }, ...earlier];
  const pruning =
    problems.length > 0
      ? pruneNothing(sets, database, problems.join('; '))
      : decidePruning(sets, {
          database,
          policy: policy.keep,
          timezone: policy.timezone,
          now: facts.finishedAt,
          spared: policy.spared ?? null,
        });
  return {
    manifest,
    tiers,
    entered,
    pruning,
    deletions: pruning.filter(({ action }) => action === 'delete'),
    problems,
    sets: sets.filter((set) => set.state === 'verified').filter((set) => set.database === database),
  };
}

/** The verified sets of this database once the plan is carried out, newest first, each with the folders that it is still in. */
export function setsAfter({ sets, deletions }: PublicationPlan): VerifiedSet[] {
  const isLeft = (id: string, folder: string) =>
    !deletions.some((deletion) => deletion.id === id && folderOfTier(deletion.tier) === folder);
  return sets
    .map((set) => ({ ...set, folders: set.folders.filter((folder) => isLeft(set.id, folder)) }))
    .filter(({ folders }) => folders.length > 0);
}

/** Compares only backups of the same format and compression: others differ in size anyway. */
function judgeSize(dump: TakenDump, { previous, encoding }: Omit<ManifestFacts, 'checks'>, ratio: number): Check {
  const check = (result: Check['result'], detail: string): Check => ({ name: 'size', result, detail, ms: 0 });
  if (previous === null) return check('passed', 'the first backup of this database');
  if (previous.format !== encoding.format || previous.compression !== encoding.compression) {
    return check('passed', `not compared: ${previous.id} has another format or compression`);
  }
  const share = previous.sizeBytes === 0 ? 1 : dump.sizeBytes / previous.sizeBytes;
  const comparison = `${formatBytes(dump.sizeBytes)}, ${Math.round(share * 100)} % of ${previous.id}`;
  if (share >= ratio) return check('passed', comparison);
  return check('failed', `${comparison}: smaller than min-size-ratio ${ratio} allows. Was something deleted?`);
}
