import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkComposeVersion, noCompose } from '../../../shared/releases/compose-version.ts';

for (const version of [
  '2.20.0',
  'v2.20.3',
  '2.26.1-4',
  '2.100.0',
  '3.0.0-beta.1',
  '10.0.0',
  ' 5.0.1\n',
  '2.40.3+ds1-0ubuntu1',
]) {
  test(`${JSON.stringify(version)} is new enough`, () => assert.doesNotThrow(() => checkComposeVersion(version)));
}

for (const version of [
  '2.19.1',
  'v2.9.0',
  '1.29.2',
  '1.100.0',
  '0.40.0',
  '',
  'dev',
  'Docker Compose version v2.26.1',
  '2',
]) {
  test(`${JSON.stringify(version)} is refused, with what to install`, () => {
    assert.throws(() => checkComposeVersion(version), {
      name: 'Failure',
      code: 'compose-too-old',
      hint: /apt-get install docker-compose-plugin/,
    });
  });
}

test('a version that is none is shown in short', () => {
  assert.throws(
    () => checkComposeVersion('x'.repeat(1_000)),
    ({ message }: Error) => message.length < 150,
  );
  assert.throws(() => checkComposeVersion(''), /docker compose is unknown; 2\.20/);
});

test('without compose, the old one is named as what will not do', () => {
  assert.throws(() => noCompose("docker: 'compose' is not a docker command."), {
    code: 'no-compose',
    hint: /hyphen/,
    cause: "docker: 'compose' is not a docker command.",
  });
});
