// What is said where a backup fails because PostgreSQL refused: its first error, what helps, and where the rest stands.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { demandCounts, type FailedTake, translate } from '../../shared/backups/take-failures.ts';
import { Failure } from '../../shared/failure.ts';
import { Records } from '../../shared/host/records.ts';

const request: FailedTake = {
  backupDir: '/backups',
  startedAt: new Date('2026-11-28T02:17:00Z'),
  user: 'clerk',
  encoding: { format: 'custom', compression: 'zstd', encryption: 'none' },
  lockWait: 60_000,
  lock: { path: '/backups/.lock', wait: 0 } as unknown as FailedTake['lock'],
};
const refused = 'psql:<stdin>:12: ERROR:  permission denied for table secrets';
const consequence = 'pg_dump: error: query failed: ERROR:  invalid snapshot identifier: "00000003-1"';

/** What becomes of a failure, in words. */
function told(code: 'dump-failed', message: string, lines: readonly string[], changes: Partial<FailedTake> = {}) {
  const failure = translate(new Failure(code, message), lines, null, { ...request, ...changes });
  assert.ok(failure instanceof Failure);
  return failure;
}

describe('the session that counts was ended', () => {
  const records = (incomplete: boolean) => new Records(incomplete ? [['facts-incomplete', '3']] : []);
  test('by an error: no backup', () => {
    assert.throws(() => demandCounts(records(true), [refused]), { code: 'dump-failed' });
  });
  test('and no error is known, or it went well: nothing is said here', () => {
    demandCounts(records(true), []);
    demandCounts(records(false), [refused]);
  });
});

describe('the error is the message', () => {
  for (const lines of [
    [refused, consequence],
    [consequence, refused],
  ]) {
    test(`in whichever order it is told: ${lines[0]?.slice(0, 20)}`, () => {
      const { code, message, hint } = told('dump-failed', 'pg_dump failed', lines);
      assert.equal(code, 'dump-failed');
      assert.equal(message, 'pg_dump failed: permission denied for table secrets');
      assert.match(hint ?? '', /^Earlier backups are unchanged\. .*GRANT pg_read_all_data TO "clerk"/);
      assert.match(hint ?? '', /\. All that PostgreSQL said is in \/backups\/postgres-\d{8}_\d{6}\.log on the host$/);
    });
  }
  test('also where the rows could not be counted', () => {
    const said = 'ERROR:  query would be affected by row-level security policy for table "people"';
    const { message, hint } = told('dump-failed', 'The rows could not be counted', [said]);
    assert.match(message, /^The rows could not be counted: query would be affected by row-level security policy/);
    assert.match(hint ?? '', /ALTER ROLE "clerk" BYPASSRLS/);
  });
  test('an encrypted backup keeps no words on the host, and names no file', () => {
    const encoding = { ...request.encoding, encryption: 'age' } as const;
    const { message, hint } = told('dump-failed', 'pg_dump failed', ['ERROR:  …'], { encoding });
    assert.match(message, /they are not kept, since the backup is encrypted/);
    assert.doesNotMatch(hint ?? '', /All that PostgreSQL said/);
  });
});
