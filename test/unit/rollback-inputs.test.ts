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
const name = { 'registry-username': 'octocat' };
const password = { 'registry-password': 'a password' };
const logins: [what: string, given: Record<string, string>, refused: string | null][] = [
  ['with a name and a password', { ...name, ...password }, null],
  ['without either', {}, null],
  ['with a name alone', { ...name, 'registry-password': ' ' }, 'registry-password'],
  ['with a password alone', password, 'registry-username'],
];
for (const [what, given, expected] of logins)
  test(`a login of the registry ${what}`, () => assert.equal(refused({ environment: 'staging', ...given }), expected));

for (const [what, given, expected] of table) test(what, () => assert.equal(refused(given), expected));

const restore = { 'restore-database': '20261127_021700', 'confirm-restore': 'RESTORE' };
const paired = { ...restore, 'restore-database': 'paired' };
const restores: [what: string, given: Record<string, string>, refused: string | null][] = [
  ['without the word', { ...restore, 'confirm-restore': '' }, 'confirm-restore'],
  ['with the word of a rollback', { ...restore, 'confirm-restore': 'ROLLBACK' }, 'confirm-restore'],
  ['with the word', restore, null],
  ['without the word, as a plan only', { ...restore, 'confirm-restore': '', 'plan-only': 'true' }, null],
  ['while the old release serves on', { ...restore, strategy: 'blue-green' }, 'strategy'],
  ['from a bucket that nobody named', { ...restore, 'restore-from': 's3' }, 'restore-from'],
  ['from a bucket, and it is the host', { ...restore, 's3-bucket': 'copies' }, 's3-bucket'],
  ['of another environment, from this host', { ...restore, 'restore-environment': 'prod' }, 'restore-environment'],
  [
    'that belongs to the target, of another environment',
    { ...paired, 'restore-from': 's3', 's3-bucket': 'copies', 'restore-environment': 'prod' },
    'restore-environment',
  ],
  ['with other compose files, and only the database goes back', { ...restore, compose: 'kept' }, 'compose'],
  ['with the compose files of the target, to which the backup belongs', { ...paired, compose: 'kept' }, null],
  ['with no statements in their file', { ...restore, 'after-restore-sql': '/dev/null' }, 'after-restore-sql'],
  ['that was confirmed and not asked for', { 'confirm-restore': 'RESTORE' }, 'confirm-restore'],
  ['not asked for, from a bucket', { 'restore-from': 's3' }, 'restore-from'],
];
for (const [what, given, expected] of restores)
  test(`a restore ${what}`, () => assert.equal(refused({ environment: 'staging', ...given }), expected));

test('a backup that belongs to the target is restored with it, and one that was named without a target alone', () => {
  const isAlone = (given: Record<string, string>) => {
    const inputs = { host: 'local', 'deploy-dir': '/opt/shop', environment: 'staging', target: '', ...given };
    for (const [name, value] of Object.entries(inputs)) process.env[`INPUT_${name.toUpperCase()}`] = value;
    return readRollbackInputs().restore?.isAlone;
  };
  assert.equal(isAlone(restore), true);
  assert.equal(isAlone(paired), false);
  assert.equal(isAlone({ ...restore, target: 'v2' }), false);
});

test('the backup before a rollback deletes none of another tier, and is not too small for it', () => {
  const inputs = { host: 'local', 'deploy-dir': '/opt/shop', environment: 'staging', 'keep-prerollback': '3' };
  for (const [name, value] of Object.entries(inputs)) process.env[`INPUT_${name.toUpperCase()}`] = value;
  const { keep, minSizeRatio } = backupOrder(readRollbackInputs(), null);
  assert.deepEqual(keep, { daily: 'all', weekly: 'all', monthly: 'all', predeployment: 'all', prerollback: 3 });
  assert.equal(minSizeRatio, 0);
});
