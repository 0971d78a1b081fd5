import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calendarIn, withWeekday } from '../../shared/sets/calendar.ts';

const moments: [timezone: string, moment: string, day: string, week: string, month: string][] = [
  ['UTC', '2026-11-22T00:00:00Z', '2026-11-22', '2026-11-22', '2026-11'],
  ['UTC', '2026-11-28T23:59:59Z', '2026-11-28', '2026-11-22', '2026-11'],
  ['UTC', '2027-01-01T00:00:00Z', '2027-01-01', '2026-12-27', '2027-01'],
  ['UTC', '2028-02-29T12:00:00Z', '2028-02-29', '2028-02-27', '2028-02'],
  ['Europe/Berlin', '2026-06-30T23:30:00Z', '2026-07-01', '2026-06-28', '2026-07'],
  ['Europe/Berlin', '2026-12-31T23:30:00Z', '2027-01-01', '2026-12-27', '2027-01'],
  ['Europe/Berlin', '2026-03-29T21:59:59Z', '2026-03-29', '2026-03-29', '2026-03'],
  ['America/New_York', '2026-11-01T03:59:59Z', '2026-10-31', '2026-10-25', '2026-10'],
  ['America/New_York', '2026-11-02T04:59:59Z', '2026-11-01', '2026-11-01', '2026-11'],
  ['Asia/Kathmandu', '2026-11-21T18:15:00Z', '2026-11-22', '2026-11-22', '2026-11'],
  // Samoa skipped 30 December 2011.
  ['Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-31', '2011-12-25', '2011-12'],
];
for (const [timezone, moment, day, week, month] of moments) {
  test(`${moment} in ${timezone} is on ${withWeekday(day)}`, () => {
    const calendar = calendarIn(timezone);
    const at = new Date(moment);
    assert.deepEqual([calendar.day(at), calendar.week(at), calendar.month(at)], [day, week, month]);
  });
}

test('an unknown time zone is an input that cannot be used', () => {
  assert.throws(() => calendarIn('Mars/Olympus'), { name: 'InputError', field: 'timezone' });
});
