// What pg_dump warns of, as it prints it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dumpWarnings } from '../../shared/postgres/dump-warnings.ts';

test('a warning comes with its details, and without hints', () => {
  assert.deepEqual(
    dumpWarnings([
      'pg_dump: warning: there are circular foreign-key constraints on this table:',
      'pg_dump: detail: nodes',
      'pg_dump: hint: You might not be able to restore the dump without using --disable-triggers',
      'pg_dump: warning: subscriptions not dumped because current user is not a superuser',
    ]),
    [
      'there are circular foreign-key constraints on this table: nodes',
      'subscriptions not dumped because current user is not a superuser',
    ],
  );
});

test('the same is told once', () => {
  const line = 'pg_dump: warning: something';
  assert.deepEqual(dumpWarnings([line, line, line]), ['something (3 times)']);
});

test('nothing else counts', () => {
  assert.deepEqual(dumpWarnings(['pg_dump: error: no', 'psql: warning: x', 'pg_dump: detail: y', '']), []);
});

test('a few are told, and how many more', () => {
  const many = dumpWarnings(Array.from({ length: 30 }, (_, n) => `pg_dump: warning: ${n} ${'x'.repeat(900)}`));
  assert.equal(many.at(-1), 'and 10 more');
  assert.ok(many.every((text) => text.length <= 500));
});
