import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { outputText } from '../../shared/runner/set-outputs.ts';

describe('an output', () => {
  const table: [Parameters<typeof outputText>[0], string][] = [
    [null, ''],
    [undefined, ''],
    ['', ''],
    ['a\nb', 'a\nb'],
    [true, 'true'],
    [false, 'false'],
    [0, '0'],
    [-0.2, '0'],
    [12.6, '13'],
    [1e21, '1000000000000000000000'],
  ];
  for (const [value, text] of table) {
    test(`${JSON.stringify(value)} reads "${text}"`, () => assert.equal(outputText(value), text));
  }
  test('is never NaN or infinite', () => {
    assert.throws(() => outputText(Number.NaN), RangeError);
    assert.throws(() => outputText(Number.POSITIVE_INFINITY), RangeError);
  });
});
