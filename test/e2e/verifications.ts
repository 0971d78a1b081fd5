// What every test of a verification expects, said once.
import assert from 'node:assert/strict';
import type { Finding } from '../../shared/drill/finding.ts';
import type { Host } from '../lab/host.ts';
import { type ActionOptions, type ActionResult, runAction } from '../lab/runner.ts';
import { adviceIn, bashIsContent, commandsAreOurs, errorsOf, hostIsClean, runnerIsClean } from './expectations.ts';
import { backupInputs, type Inputs } from './sets.ts';

export const verify = (host: Host, backupDir: string, inputs: Inputs = {}, options: ActionOptions = {}) =>
  runAction('verify', backupInputs(host, backupDir, inputs), options);

export function findingsOf(result: ActionResult): Finding[] {
  return JSON.parse(result.outputs['results'] || '[]');
}

/** The one of that name. */
export function findingOf(result: ActionResult, name: string): Finding {
  const finding = findingsOf(result).find((each) => each.name === name);
  assert.ok(finding !== undefined, `there is no check "${name}":\n${result.stdout}${result.stderr}`);
  return finding;
}

/** What has not passed, by its name, as `failed`, `warning` or `could-not-check`. */
export function notPassed(result: ActionResult): Record<string, string> {
  return Object.fromEntries(
    findingsOf(result)
      .filter(({ result }) => result !== 'passed')
      .map(({ name, result, severity }) => [name, result === 'failed' && severity === 'warning' ? 'warning' : result]),
  );
}

/**
 * The action says that all is well, but for these: counts, exit, log and summary agree, and nothing of it is left.
 * @param expected by name: `failed`, `warning`, `could-not-check`
 */
export async function verified(
  host: Host,
  result: ActionResult,
  status: 'verified' | 'failed' | 'could-not-verify',
  expected: Record<string, string> = {},
): Promise<void> {
  const log = result.stdout + result.stderr;
  const findings = findingsOf(result);
  assert.deepEqual(notPassed(result), expected, log);
  assert.equal(result.outputs['status'], status, log);
  assert.equal(result.exitCode, status === 'verified' ? 0 : 1, log);
  if (status === 'verified') bashIsContent(result);
  const count = (word: string) => Object.values(expected).filter((each) => each === word).length;
  assert.deepEqual(
    ['passed', 'warnings', 'failed', 'could-not-check'].map((name) => Number(result.outputs[name])),
    [findings.length - Object.keys(expected).length, count('warning'), count('failed'), count('could-not-check')],
  );
  for (const { name, result: how, remedy } of findings) {
    assert.ok(log.includes(name), `the log does not tell of ${name}`);
    if (how === 'failed') assert.ok(remedy !== null && remedy !== '', `nothing is said of what to do about ${name}`);
  }
  const [error, ...others] = errorsOf(result);
  assert.deepEqual(others, [], log);
  assert.equal(error === undefined, status === 'verified', log);
  if (error !== undefined) assert.notEqual(adviceIn(result), '');
  assert.match(result.summary, status === 'verified' ? /^## (✅|⚠️) .* is verified/ : /^## ❌ /);
  commandsAreOurs(result);
  runnerIsClean(result);
  await hostIsClean(host);
}
