// What a run deletes: nothing, if anything is doubtful about the backup that it has taken.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PublicationPlan, planPublication } from '../../shared/backups/publication-plan.ts';
import type { TakenDump } from '../../shared/backups/take.ts';
import type { DatabaseFacts } from '../../shared/postgres/probe.ts';
import type { Check } from '../../shared/sets/manifest.ts';
import { exampleManifest, verifiedSet } from './retention/host-folder.ts';

const encoding = { format: 'custom', compression: 'zstd', encryption: 'none' } as const;
const earlier = [verifiedSet('20261123_021700', ['daily']), verifiedSet('20261122_021700', ['daily'])];

/** The plan for a dump of so many bytes, where the one before had 1000. */
function planFor(sizeBytes: number, sides: Check[] = []): PublicationPlan {
  const dump = {
    id: '20261124_021700',
    file: 'backup_20261124_021700.dump.zst',
    sizeBytes,
    sums: { sha256: 'a'.repeat(64), md5: 'b'.repeat(32) },
    schemaText: null,
    verification: [],
    sides,
  } as unknown as TakenDump;
  const at = new Date('2026-11-24T02:17:00Z');
  return planPublication(
    dump,
    {
      kind: 'scheduled',
      environment: 'prod',
      database: { database: 'app', serverSettings: {} } as unknown as DatabaseFacts,
      encoding,
      startedAt: at,
      finishedAt: at,
      release: {},
      runUrl: null,
      commit: null,
      actor: null,
      previous: exampleManifest('20261123_021700', { sizeBytes: 1_000 }),
    },
    earlier,
    {
      keep: { daily: 1, weekly: 0, monthly: 0, predeployment: 0, prerollback: 0 },
      timezone: 'UTC',
      minSizeRatio: 0.5,
    },
  );
}

const deleted = (plan: PublicationPlan) => plan.deletions.map(({ id }) => id);

test('what the policy does not keep is deleted after a backup that is as it should be', () => {
  const plan = planFor(500);
  assert.deepEqual(plan.problems, []);
  assert.deepEqual(deleted(plan), ['20261123_021700', '20261122_021700']);
});

test('a backup that is much smaller than the one before deletes nothing', () => {
  const plan = planFor(499);
  assert.match(plan.problems.join('; '), /^size: 499 B, 50 % of 20261123_021700: smaller than min-size-ratio 0\.5/);
  assert.deepEqual(deleted(plan), []);
});

test('a backup that lacks a file beside the dump deletes nothing', () => {
  const lacking: Check = { name: 'globals', result: 'failed', detail: 'it could not be written', ms: 0 };
  const plan = planFor(1_000, [lacking]);
  assert.deepEqual(plan.problems, ['globals: it could not be written']);
  assert.deepEqual(deleted(plan), []);
});
