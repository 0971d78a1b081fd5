import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../shared/failure.ts';
import { checkComposeVersion, noCompose, supportsReset } from '../../../shared/releases/compose-version.ts';

const versions: [printed: string, usable: boolean, resets: boolean][] = [
  ['2.26.1-4', true, true],
  ['v2.20.0', true, false],
  ['2.20.0', true, false],
  ['2.20', true, false],
  ['2.24.3', true, false],
  ['2.24.4', true, true],
  ['2.24.10\n', true, true],
  ['2.25.0', true, true],
  ['2.40.3-desktop.1', true, true],
  ['v5.0.1', true, true],
  ['3.0.0', true, true],
  ['2.19.9', false, false],
  ['v2.2.3', false, false],
  ['1.29.2', false, false],
  ['dev', false, false],
  ['', false, false],
];
for (const [printed, usable, resets] of versions) {
  test(`compose ${JSON.stringify(printed)} is ${usable ? 'used' : 'refused'} and ${resets ? 'lifts' : 'leaves'} a fixed name`, () => {
    assert.equal(supportsReset(printed), resets);
    if (usable) checkComposeVersion(printed);
    else {
      assert.throws(
        () => checkComposeVersion(printed),
        (error) =>
          error instanceof Failure && error.code === 'compose-too-old' && /apt-get install/.test(error.hint ?? ''),
      );
    }
  });
}

test('a host without compose is told how to get it, with what docker said behind it', () => {
  assert.throws(
    () => noCompose("docker: 'compose' is not a docker command"),
    (error) =>
      error instanceof Failure && error.code === 'no-compose' && /not a docker command/.test(String(error.cause)),
  );
});
