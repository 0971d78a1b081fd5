import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatBytes, formatDuration, formatRate, parseDuration, parseSize } from '../../shared/units.ts';

describe('durations', () => {
  const good: [string, number][] = [
    ['90s', 90_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['0s', 0],
    ['007s', 7_000],
  ];
  for (const [text, ms] of good) test(`${text} is ${ms} ms`, () => assert.equal(parseDuration(text), ms));

  for (const text of [
    '',
    '5',
    'm',
    '5 m',
    ' 5m',
    '5m\n',
    '-5m',
    '+5m',
    '1.5h',
    '1h30m',
    '5M',
    '5min',
    '1d',
    '0x5s',
    '٣s',
  ]) {
    test(`${JSON.stringify(text)} is none`, () => assert.throws(() => parseDuration(text), RangeError));
  }

  test('one beyond exact numbers is refused', () => {
    assert.throws(() => parseDuration('99999999999999999h'), { name: 'RangeError', message: 'is too large' });
  });

  const formats: [number, string][] = [
    [0, '0 ms'],
    [340, '340 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [12_440, '12.4 s'],
    [59_940, '59.9 s'],
    [59_960, '1 min 00 s'],
    [133_000, '2 min 13 s'],
    [3_599_600, '1 h 00 min'],
    [3_720_000, '1 h 02 min'],
    [93_600_000, '26 h 00 min'],
  ];
  for (const [ms, text] of formats) test(`${ms} ms reads ${text}`, () => assert.equal(formatDuration(ms), text));
});

describe('sizes', () => {
  const good: [string, number][] = [
    ['0', 0],
    ['1048576', 1_048_576],
    ['7B', 7],
    ['3kB', 3_000],
    ['10GB', 10_000_000_000],
    ['512MiB', 536_870_912],
    ['1GiB', 1_073_741_824],
    ['2TiB', 2_199_023_255_552],
  ];
  for (const [text, bytes] of good) test(`${text} is ${bytes} bytes`, () => assert.equal(parseSize(text), bytes));

  for (const text of [
    '',
    'GiB',
    '1 GiB',
    '1gib',
    '1G',
    '1.5GiB',
    '-1',
    '1e9',
    '1constructor',
    '1__proto__',
    '99999TiB1',
  ]) {
    test(`${JSON.stringify(text)} is none`, () => assert.throws(() => parseSize(text), RangeError));
  }

  const formats: [number, string][] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1024 ** 2 - 1, '1.0 MiB'],
    [1.2 * 1024 ** 3, '1.2 GiB'],
    [5000 * 1024 ** 4, '5000.0 TiB'],
    [-2048, '-2.0 KiB'],
  ];
  for (const [bytes, text] of formats)
    test(`${bytes} bytes read ${text}`, () => assert.equal(formatBytes(bytes), text));

  test('a rate is bytes each second', () => assert.equal(formatRate(84 * 1024 ** 2), '84.0 MiB/s'));
});
