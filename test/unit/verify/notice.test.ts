import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../../shared/drill/finding.ts';
import { noStory, verificationReport } from '../../../verify-action/notice.ts';
import { noOutputs } from '../../../verify-action/outputs.ts';

const finding = (changes: Partial<Finding>): Finding => ({
  name: 'rows',
  group: 'drill',
  result: 'failed',
  severity: 'error',
  detail: 'orders has 11 rows instead of 12',
  remedy: 'Take a backup now',
  ms: 1,
  ...changes,
});
const well = { action: 'verify-action', exitCode: 0, error: undefined, cancelledBy: null } as const;
const tell = (findings: Finding[], warnings = 0) =>
  verificationReport({ ...noStory(), findings, verdict: 'prod is verified' }, { ...noOutputs(), warnings }, well);

test('the answer of a statement of "drill-sql", which may be data of customers, is told to nobody', () => {
  const told = tell([finding({ name: 'drill-sql', detail: 'ada@example.com has 3 orders' })]);
  assert.doesNotMatch(JSON.stringify(told), /ada@example/);
  assert.match(told.remarks.join(), /a statement is not true/);
});

test('what has not passed is told with what to do; what has passed is evidence alone', () => {
  const told = tell([finding({}), finding({ name: 'tables', result: 'passed', detail: 'all 25 were restored' })]);
  assert.deepEqual(told.remarks, ['drill, rows: orders has 11 rows instead of 12. Take a backup now']);
  assert.deepEqual(
    told.checks.map(({ name }) => name),
    ['rows', 'tables'],
  );
});

test('what was drilled is told by its digest', () => {
  const drilled = { id: '20261127_021700', sha256: 'a'.repeat(64), copy: null };
  const told = verificationReport({ ...noStory(), drilled }, { ...noOutputs(), 'drill-duration-ms': 900 }, well);
  assert.deepEqual([told.restored, told.recoveryMs], [drilled, 900]);
});

test('warnings make a warning', () => {
  assert.deepEqual([tell([]).verdict, tell([], 1).verdict], ['success', 'warning']);
});
