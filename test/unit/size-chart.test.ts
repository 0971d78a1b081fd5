import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type SizePoint, sizeChart } from '../../shared/report/size-chart.ts';

const night = (day: number, bytes: number, kind: SizePoint['kind'] = 'scheduled'): SizePoint => ({
  id: `202611${String(day).padStart(2, '0')}_021700`,
  bytes,
  kind,
});

test('bars are in proportion, the newest last, and a shrunken newest is flagged', () => {
  const points = [night(23, 400 * 1024), night(21, 1024 * 1024), night(22, 2048 * 1024, 'predeployment'), night(20, 0)];
  assert.deepEqual(sizeChart(points, 0.5), [
    '2026-11-20 02:17                                      0 B',
    '2026-11-21 02:17  ██████████████                  1.0 MiB',
    '2026-11-22 02:17  ████████████████████████████    2.0 MiB  predeployment',
    '2026-11-23 02:17  █████▌                        400.0 KiB  ! 19 % of the previous',
  ]);
});

test('the ratio decides, and 0 switches the flag off', () => {
  const points = [night(21, 1000), night(22, 500)];
  assert.doesNotMatch(sizeChart(points, 0.5).at(-1) ?? '', /!/);
  assert.match(sizeChart(points, 0.51).at(-1) ?? '', /! 50 % of the previous$/);
  assert.doesNotMatch(sizeChart([night(21, 1000), night(22, 0)], 0).at(-1) ?? '', /!/);
});

test('nothing, one backup and an empty one are drawn too', () => {
  assert.deepEqual(sizeChart([], 0.5), []);
  assert.equal(sizeChart([night(1, 5)], 0.5).length, 1);
  assert.equal(sizeChart([night(1, 0)], 0.5).length, 1);
});

test('the last 14 are shown, each on a line that fits', () => {
  const points = fc.uniqueArray(
    fc.record({
      day: fc.integer({ min: 1, max: 30 }),
      bytes: fc.nat(),
      kind: fc.constantFrom('scheduled', 'predeployment'),
    }),
    { selector: ({ day }) => day, size: 'max', maxLength: 30 },
  );
  fc.assert(
    fc.property(points, (days) => {
      const lines = sizeChart(
        days.map(({ day, bytes, kind }) => night(day, bytes, kind as SizePoint['kind'])),
        0.9,
      );
      assert.equal(lines.length, Math.min(14, days.length));
      assert.deepEqual(lines, lines.toSorted());
      for (const line of lines) assert.ok(line.length <= 98, line);
    }),
  );
});
