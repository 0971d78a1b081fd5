import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import os, { userInfo } from 'node:os';
import { describe, test } from 'node:test';
import { Failure, isFailure } from '../../shared/failure.ts';
import { failureTypedAs, typedAs } from '../../shared/typed-as.ts';

describe('advice says as which user it is typed', () => {
  const cases: [advice: string, said: string][] = [
    ['On the host: docker start db1', 'On the host, as deploy: docker start db1'],
    ['By hand on the host: docker ps', 'By hand on the host, as deploy: docker ps'],
    ['To see how it ended, run on the host: grep 1 /b', 'To see how it ended, run on the host, as deploy: grep 1 /b'],
    ['On the host, run: docker ps', 'On the host, as deploy, run: docker ps'],
    ['On the host, as root: docker ps', 'On the host, as root: docker ps'],
    ['On the host. This creates: a database', 'On the host. This creates: a database'],
  ];
  for (const [advice, said] of cases) test(advice, () => assert.equal(typedAs('deploy', advice), said));

  test('whatever the user is called', () => assert.equal(typedAs('$&', 'On the host: ls'), 'On the host, as $&: ls'));
});

test('a failure says so too, and stays otherwise what it was', () => {
  const cause = new Error('exit 1');
  const failure = new Failure('database-silent', 'No command could be run', { hint: 'On the host: docker ps', cause });
  const told = failureTypedAs({ user: 'deploy' }, failure);
  assert.ok(isFailure(told, 'database-silent'));
  assert.deepEqual(
    [told.message, told.hint, told.cause],
    ['No command could be run', 'On the host, as deploy: docker ps', cause],
  );
  const local = failureTypedAs(null, failure);
  assert.ok(isFailure(local, 'database-silent'));
  assert.equal(local.hint, `On the host, as ${userInfo().username}: docker ps`);
  const silent = new Failure('cancelled', 'Cancelled');
  assert.deepEqual(
    [failureTypedAs({ user: 'deploy' }, silent), failureTypedAs({ user: 'deploy' }, cause)],
    [silent, cause],
  );
});

test('where the runner is the host and its user has no name, the failure stays what it was', (t) => {
  const failure = new Failure('database-silent', 'No command could be run', { hint: 'On the host: docker ps' });
  t.mock.method(os, 'userInfo', () => {
    throw new Error('uv_os_get_passwd returned ENOENT');
  });
  syncBuiltinESMExports();
  try {
    assert.equal(failureTypedAs(null, failure), failure);
  } finally {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  }
});
