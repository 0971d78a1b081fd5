// What must be said before a rollback of production is even looked at.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { readRollbackInputs } from '../../rollback-action/inputs.ts';
import { backupOrder } from '../../rollback-action/prerollback-backup.ts';
import { InputError } from '../../shared/failure.ts';

afterEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('INPUT_')) delete process.env[name];
});

/** The input that is refused, or null. */
function refused(given: Record<string, string>): string | null {
  const inputs = { host: 'local', 'deploy-dir': '/opt/shop', ...given };
  for (const [name, value] of Object.entries(inputs)) process.env[`INPUT_${name.toUpperCase()}`] = value;
  try {
    readRollbackInputs();
    return null;
  } catch (error) {
    if (error instanceof InputError) return error.field;
    throw error;
  }
}

const table: [what: string, given: Record<string, string>, refused: string | null][] = [
  ['without the word', { environment: 'prod' }, 'confirm'],
  ['with the word in another case', { environment: 'production', confirm: 'rollback' }, 'confirm'],
  ['with the word', { environment: 'prod', confirm: 'ROLLBACK' }, null],
  ['with a plan only', { environment: 'prod', 'plan-only': 'true' }, null],
  ['where it is not production', { environment: 'staging' }, null],
];
for (const [what, given, expected] of table) test(what, () => assert.equal(refused(given), expected));

test('the backup before a rollback deletes none of another tier, and is not too small for it', () => {
  const inputs = { host: 'local', 'deploy-dir': '/opt/shop', environment: 'staging', 'keep-prerollback': '3' };
  for (const [name, value] of Object.entries(inputs)) process.env[`INPUT_${name.toUpperCase()}`] = value;
  const { keep, minSizeRatio } = backupOrder(readRollbackInputs(), null);
  assert.deepEqual(keep, { daily: 'all', weekly: 'all', monthly: 'all', predeployment: 'all', prerollback: 3 });
  assert.equal(minSizeRatio, 0);
});
