import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BackupSet } from '../../../shared/sets/catalogue.ts';
import { allTiers, folderOfTier, type Tier } from '../../../shared/sets/layout.ts';
import type { BackupKind } from '../../../shared/sets/manifest.ts';
import { backupIdAt } from '../../../shared/sets/naming.ts';
import { decidePruning, type PruneDecision } from '../../../shared/sets/retention.ts';
import { decideTiers, type RetentionPolicy } from '../../../shared/sets/tiers.ts';
import { afterPruning, exampleManifest, verifiedSet } from './host-folder.ts';

const hour = 3_600_000;
const now = new Date('2026-11-23T02:17:00Z');

const keep = fc.oneof(fc.nat(5), fc.constant('all' as const));
const policies: fc.Arbitrary<RetentionPolicy> = fc.record({
  daily: keep,
  weekly: keep,
  monthly: keep,
  predeployment: keep,
  prerollback: keep,
});
const timezones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Pacific/Apia', 'Asia/Kathmandu');

/** Sets of two months, some of the future, some broken, of two databases whose names share a prefix. */
const histories: fc.Arbitrary<BackupSet[]> = fc
  .uniqueArray(
    fc.record({
      hoursAgo: fc.integer({ min: -200, max: 1500 }),
      tiers: fc.subarray([...allTiers], { minLength: 1 }),
      database: fc.constantFrom('app', 'app', 'app', 'app-staging'),
      isBroken: fc.boolean().chain((maybe) => (maybe ? fc.boolean() : fc.constant(false))),
    }),
    { selector: ({ hoursAgo }) => hoursAgo, maxLength: 40 },
  )
  .map((sets) =>
    sets.map(({ hoursAgo, tiers, database, isBroken }) => {
      const id = backupIdAt(new Date(now.getTime() - hoursAgo * hour));
      if (!isBroken) return verifiedSet(id, tiers, database);
      const manifest = exampleManifest(id, { database });
      return {
        state: 'broken',
        id,
        database,
        manifest,
        folders: tiers.map(folderOfTier),
        reason: 'its dump is missing',
      };
    }),
  );

/** @param check gets the sets, the decisions and what is left. */
function holdsForEveryHistory(
  check: (sets: BackupSet[], decisions: PruneDecision[], left: BackupSet[], again: PruneDecision[]) => void,
): void {
  fc.assert(
    fc.property(histories, policies, timezones, (sets, policy, timezone) => {
      const options = { database: 'app', policy, timezone, now: now };
      const decisions = decidePruning(sets, options);
      const left = afterPruning(sets, decisions);
      check(sets, decisions, left, decidePruning(left, options));
    }),
    { numRuns: 500 },
  );
}

const newestOf = (sets: readonly BackupSet[]): string | undefined =>
  sets
    .map(({ id }) => id)
    .toSorted()
    .at(-1);
const isOurs = (set: BackupSet): boolean => set.state === 'verified' && set.database === 'app';
const isPast = ({ id }: BackupSet): boolean => id <= backupIdAt(now);

test('the newest verified set survives in daily, whatever the history and the policy', () => {
  holdsForEveryHistory((sets, _decisions, left) => {
    const inDaily = (set: BackupSet) => isOurs(set) && set.folders.includes('daily');
    for (const isCandidate of [inDaily, (set: BackupSet) => inDaily(set) && isPast(set)]) {
      assert.equal(newestOf(left.filter(isCandidate)), newestOf(sets.filter(isCandidate)));
    }
  });
});

test('the newest verified set of all folders survives somewhere', () => {
  holdsForEveryHistory((sets, _decisions, left) => {
    const pick = (from: BackupSet[]) => newestOf(from.filter((set) => isOurs(set) && isPast(set)));
    assert.equal(pick(left), pick(sets));
  });
});

test('a set that is about to be restored survives in every tier, and nothing else is decided otherwise', () => {
  fc.assert(
    fc.property(histories, policies, timezones, fc.nat(), (sets, policy, timezone, at) => {
      const options = { database: 'app', policy, timezone, now: now };
      const spared = sets[at % Math.max(1, sets.length)]?.id ?? null;
      const decisions = decidePruning(sets, { ...options, spared });
      assert.ok(!decisions.some(({ id, action }) => id === spared && action === 'delete'));
      const others = (list: readonly PruneDecision[]) => list.filter(({ id }) => id !== spared);
      assert.deepEqual(others(decisions), others(decidePruning(sets, options)));
    }),
    { numRuns: 500 },
  );
});

test('pruning twice deletes nothing more', () => {
  holdsForEveryHistory((_sets, _decisions, _left, again) => {
    assert.deepEqual(
      again.filter(({ action }) => action === 'delete'),
      [],
    );
  });
});

test('only verified sets of the past and of this database are deleted', () => {
  holdsForEveryHistory((sets, _decisions, left) => {
    const isUntouchable = (set: BackupSet) => !isOurs(set) || !isPast(set);
    assert.deepEqual(left.filter(isUntouchable), sets.filter(isUntouchable));
  });
});

test('every set has one decision, with a reason, in each tier that it stands in', () => {
  holdsForEveryHistory((sets, decisions) => {
    const expected = sets.flatMap(({ id, folders }) => folders.map((folder) => `${folder}/${id}`));
    assert.deepEqual(decisions.map(({ tier, id }) => `${folderOfTier(tier)}/${id}`).toSorted(), expected.toSorted());
    const words = { keep: /^kept: ./, delete: /^deleted: ./, ignore: /^not counted: ./ };
    for (const { action, reason } of decisions) assert.match(reason, words[action]);
  });
});

test('no tier keeps more than its number of counted sets, nor fewer than it could', () => {
  fc.assert(
    fc.property(histories, policies, (sets, policy) => {
      const decisions = decidePruning(sets, { database: 'app', policy, timezone: 'UTC', now: now });
      for (const tier of allTiers) {
        const counted = sets.filter((set) => isOurs(set) && isPast(set) && set.folders.includes(folderOfTier(tier)));
        const periods = new Set(counted.map(({ id }) => utcPeriod(tier, id))).size;
        const ranked = decisions.filter(
          (one) => one.tier === tier && /^kept: (newest of|taken before)/.test(one.reason),
        );
        const limit = policy[tier] === 'all' ? periods : Math.min(periods, policy[tier]);
        assert.equal(ranked.length, limit);
      }
    }),
    { numRuns: 300 },
  );
});

test('a year of nights, misses and deployments ends with what the design promises', () => {
  const nights = fc.array(
    fc.record({
      isMissed: fc.nat(9).map((n) => n === 0),
      deploysAt: fc.integer({ min: -40, max: 23 }),
      rollsBack: fc.nat(9).map((n) => n === 0),
    }),
    {
      minLength: 365,
      maxLength: 365,
    },
  );
  fc.assert(
    fc.property(nights, (days) => {
      const policy: RetentionPolicy = { daily: 7, weekly: 4, monthly: 'all', predeployment: 30, prerollback: 10 };
      const taken: { id: string; kind: BackupKind }[] = [];
      let sets: BackupSet[] = [];
      const run = (now: Date, kind: BackupKind): void => {
        const id = backupIdAt(now);
        const tiers = decideTiers({ id, kind, database: 'app' }, sets, policy, 'UTC');
        const entered = tiers.filter(({ enters }) => enters).map(({ tier }) => tier);
        sets.push(verifiedSet(id, entered, 'app', kind));
        sets = afterPruning(sets, decidePruning(sets, { database: 'app', policy, timezone: 'UTC', now }));
        taken.push({ id, kind });
      };
      days.forEach(({ isMissed, deploysAt, rollsBack }, day) => {
        const midnight = Date.UTC(2026, 0, 1) + day * 24 * hour;
        if (!isMissed) run(new Date(midnight + 17 * 60_000), 'scheduled');
        if (deploysAt >= 1) run(new Date(midnight + deploysAt * hour), 'predeployment');
        if (rollsBack) run(new Date(midnight + 23.5 * hour), 'prerollback');
      });

      const ids = taken.filter(({ kind }) => kind !== 'prerollback').map(({ id }) => id);
      const ofKind = (wanted: BackupKind) => taken.filter(({ kind }) => kind === wanted).map(({ id }) => id);
      const expected: Record<Tier, string[]> = {
        daily: [...lastOfEach('daily', ids).values()].slice(-7),
        weekly: [...firstOfEach('weekly', ids).values()].slice(-4),
        monthly: [...firstOfEach('monthly', ids).values()],
        predeployment: ofKind('predeployment').slice(-30),
        prerollback: ofKind('prerollback').slice(-10),
      };
      for (const tier of allTiers) {
        const standing = sets.filter(({ folders }) => folders.includes(folderOfTier(tier))).map(({ id }) => id);
        assert.deepEqual(standing.toSorted(), expected[tier].toSorted(), tier);
      }
    }),
    { numRuns: 6 },
  );
});

/** Told from the id alone, and so independently of the calendar under test. */
function utcPeriod(tier: Tier, id: string): string {
  if (tier === 'daily') return id.slice(0, 8);
  if (tier === 'monthly') return id.slice(0, 6);
  if (tier === 'predeployment' || tier === 'prerollback') return id;
  const day = Date.UTC(Number(id.slice(0, 4)), Number(id.slice(4, 6)) - 1, Number(id.slice(6, 8))) / (24 * hour);
  // 1 January 1970 was a Thursday: four days after a Sunday.
  return String(Math.floor((day + 4) / 7));
}

function lastOfEach(tier: Tier, ids: readonly string[]): Map<string, string> {
  return new Map(ids.map((id) => [utcPeriod(tier, id), id]));
}

function firstOfEach(tier: Tier, ids: readonly string[]): Map<string, string> {
  return new Map([...lastOfEach(tier, ids.toReversed())].toReversed());
}
