// What is told of a rollback: planned, done, with something that went wrong behind it, or refused before the host was reached.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noStory, type RollbackStory } from '../../../rollback-action/failure-summary.ts';
import { rollbackReport } from '../../../rollback-action/notice.ts';
import { noOutputs, type RollbackOutputs } from '../../../rollback-action/outputs.ts';
import type { RunReport } from '../../../shared/notify/notice.ts';
import type { Manifest } from '../../../shared/sets/manifest.ts';

const backup = {
  id: '20261127_021700',
  sizeBytes: 1000,
  sha256: 'a'.repeat(64),
  file: '/opt/backups/rollback/prerollback_20261127_021700.dump.zst',
  schemaSha256: null,
  checks: [{ name: 'disk', result: 'passed' as const, detail: 'read again', ms: 1 }],
  manifest: {} as Manifest,
};
const plan = {
  restore: null,
  services: [
    { service: 'web', toName: 'acme/web:v1' },
    { service: 'worker', toName: 'acme/worker:v1' },
  ],
} as unknown as RollbackStory['plan'];
const carried = (problems: string[] = []) =>
  ({ id: 'x', outcome: { problems, downtimeMs: 2_000 } }) as unknown as RollbackStory['carried'];

const told = (status: RollbackOutputs['status'], story: Partial<RollbackStory> = {}): RunReport =>
  rollbackReport({ ...noStory(), ...story }, { ...noOutputs(), status });

describe('of a rollback', () => {
  const examples: [
    what: string,
    status: RollbackOutputs['status'],
    story: Partial<RollbackStory>,
    verdict: RunReport['verdict'],
    outcome: RegExp | null,
  ][] = [
    [
      'that is done',
      'rolled-back',
      { plan, carried: carried() },
      'success',
      /^Rolled back to web acme\/web:v1, worker acme\/worker:v1; longest downtime: 2\.0 s$/,
    ],
    [
      'after which a step failed',
      'rolled-back',
      { plan, carried: carried(['x']) },
      'incomplete',
      /^Rolled back to web/,
    ],
    ['that was only planned', 'planned', { plan }, 'success', /nothing was changed/],
    ['whose target runs already', 'unchanged', { plan }, 'success', /already running/],
    ['that was refused', 'refused', {}, 'success', null],
    ['that failed', 'failed', { plan, carried: carried(['x']) }, 'success', null],
    ['that was taken back', 'reverted', { plan, carried: carried() }, 'success', null],
  ];
  for (const [what, status, story, verdict, outcome] of examples) {
    test(`${what}`, () => {
      const notice = told(status, story);
      assert.equal(notice.verdict, verdict);
      if (outcome === null) assert.equal(notice.outcome, null);
      else assert.match(notice.outcome ?? '', outcome);
      assert.deepEqual(notice.remarks, story.carried?.outcome.problems ?? []);
    });
  }

  test('after which the restored database needs a look: not a mere success', () => {
    const loaded = {
      restoreMs: 1,
      findings: [],
      problems: ['Subscriptions were restored, and are disabled: upstream'],
    };
    const notice = told('rolled-back', { plan, carried: carried(['x']), loaded });
    assert.equal(notice.verdict, 'incomplete');
    assert.deepEqual(notice.remarks, [...loaded.problems, 'x']);
    // What is not live needs nobody's look.
    assert.deepEqual(told('reverted', { plan, carried: carried(), loaded }).remarks, []);
  });

  test('that restored a database: which backup, by its digest, and how it compared', () => {
    const restore = { backupId: '20261126_021700', sha256: 'b'.repeat(64), copy: 's3://acme/x' };
    const rows = {
      name: 'rows',
      result: 'passed',
      severity: 'error',
      detail: '25 tables',
      remedy: null,
      ms: 1,
    } as const;
    const loaded = { restoreMs: 900, findings: [{ ...rows, group: 'drill' } as const], problems: [] };
    const withRestore = { ...plan, restore } as unknown as RollbackStory['plan'];
    const { restored, checks, recoveryMs } = told('rolled-back', {
      plan: withRestore,
      carried: carried(),
      backup,
      loaded,
    });
    assert.deepEqual(restored, { id: restore.backupId, sha256: restore.sha256, copy: restore.copy });
    assert.equal(recoveryMs, 900);
    assert.deepEqual(
      checks.map(({ name, group }) => [name, group]),
      [
        ['disk', 'backup'],
        ['rows', 'restore'],
      ],
    );
    // Planned, or given up before its end.
    assert.equal(told('planned', { plan: withRestore }).restored, null);
  });

  test('its backup is the last good one, with its checks', () => {
    const { lastGood, checks, backup: taken, offsite } = told('rolled-back', { plan, carried: carried(), backup });
    assert.deepEqual(lastGood, { id: backup.id, takenAt: new Date('2026-11-27T02:17:00Z') });
    assert.deepEqual(
      checks.map(({ name, group }) => [name, group]),
      [['disk', 'backup']],
    );
    assert.deepEqual(taken, { id: backup.id, sizeBytes: 1000, sha256: backup.sha256, file: backup.file });
    assert.equal(offsite, null);
  });

  test('before the host was reached, nobody knows of a last good one', () => {
    const { lastGood, database, backup: taken } = told('refused');
    assert.deepEqual([lastGood, database, taken], ['unknown', null, null]);
  });
});
