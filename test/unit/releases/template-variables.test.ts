// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose, not ours

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { valueIfUnset, valuesBehind, variablesIn, wholeVariable } from '../../../shared/releases/template-variables.ts';

describe('the variables in a value', () => {
  const cases: [template: string, names: string[]][] = [
    ['plain', []],
    ['$TAG', ['TAG']],
    ['${TAG}', ['TAG']],
    ['${REGISTRY:-ghcr.io}/app:${TAG:?give one}', ['REGISTRY', 'TAG']],
    ['${A-b}${C+d}${E:+f}${G?h}', ['A', 'C', 'E', 'G']],
    ['${A:-${B:-c}}', ['A']],
    ['$$TAG $${TAG}', []],
    ['$$$TAG', ['TAG']],
    ['a$1b$', []],
    ['abc$ecret!', ['ecret']],
  ];
  for (const [template, names] of cases)
    test(JSON.stringify(template), () =>
      assert.deepEqual(
        variablesIn(template).map(({ name }) => name),
        names,
      ),
    );

  test('a value that is one variable in braces is clearly meant as one', () => {
    assert.equal(wholeVariable('${SECRET_KEY}'), 'SECRET_KEY');
    assert.equal(wholeVariable('${SECRET_KEY:-x}'), 'SECRET_KEY');
    for (const other of ['$SECRET_KEY', 'x${SECRET_KEY}', '${A}${B}', 'plain'])
      assert.equal(wholeVariable(other), null, other);
  });
});

test('what comes of a value if nothing is set', () => {
  const cases = [
    ['${A}', ''],
    ['x$A-${B:-c}', 'x-c'],
    ['${A-d}${B:+e}', 'd'],
    ['$$A', '$A'],
    ['plain', 'plain'],
  ];
  for (const [template = '', value] of cases) assert.equal(valueIfUnset(template), value, template);
});

describe('what a tag must have been', () => {
  const cases: [template: string, reference: string, values: Record<string, string> | null][] = [
    ['ghcr.io/acme/app:${TAG}', 'ghcr.io/acme/app:v2', { TAG: 'v2' }],
    ['ghcr.io/acme/app:${TAG:?give one}', 'ghcr.io/acme/app:v2', { TAG: 'v2' }],
    ['ghcr.io/acme/app:${TAG:-latest}', 'ghcr.io/acme/app:v2', { TAG: 'v2' }],
    ['ghcr.io/acme/app:v$MAJOR.$MINOR', 'ghcr.io/acme/app:v1.2', { MAJOR: '1', MINOR: '2' }],
    [
      '${REGISTRY}/${REPO}/app:${TAG}',
      'localhost:5000/acme/app:v2',
      { REGISTRY: 'localhost:5000', REPO: 'acme', TAG: 'v2' },
    ],
    ['${IMAGE}', 'ghcr.io/acme/app:v2', { IMAGE: 'ghcr.io/acme/app:v2' }],
    ['acme/${NAME}:${NAME}', 'acme/app:app', { NAME: 'app' }],
    ['acme/${NAME}:${NAME}', 'acme/app:web', null],
    ['ghcr.io/acme/app:${TAG}', 'ghcr.io/acme/other:v2', null],
    ['ghcr.io/acme/app:v2', 'ghcr.io/acme/app:v2', {}],
    ['ghcr.io/acme/app:${TAG}', 'ghcr.io/acme/app:v2; id', null],
  ];
  for (const [template, reference, values] of cases)
    test(`${template} that became ${reference}`, () => {
      const found = valuesBehind(template, reference);
      assert.deepEqual(found === null ? null : Object.fromEntries(found), values);
    });
});
