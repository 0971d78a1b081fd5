import { InputError } from '../failure.ts';

/** Days, weeks and months as people in one time zone see them. */
export interface Calendar {
  /** `2026-11-23`. */
  day(at: Date): string;
  /** The date of the Sunday that began the week: `2026-11-22`. */
  week(at: Date): string;
  /** `2026-11`. */
  month(at: Date): string;
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

/**
 * The calendar of an IANA time zone such as `Europe/Berlin`.
 *
 * @throws InputError if the zone is unknown
 */
export function calendarIn(timezone: string): Calendar {
  const format = formatIn(timezone);
  const day = (at: Date): string => {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
    return `${parts['year']?.padStart(4, '0')}-${parts['month']}-${parts['day']}`;
  };
  return {
    day,
    week: (at) => sundayBefore(day(at)),
    month: (at) => day(at).slice(0, 7),
  };
}

/** `Mon 2026-11-23` for `2026-11-23`. */
export function withWeekday(day: string): string {
  return `${weekdays[weekday(day)]} ${day}`;
}

function formatIn(timezone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    });
  } catch {
    throw new InputError('timezone', 'is not a time zone', 'Write it as UTC, Europe/Berlin or America/New_York');
  }
}

/** From here on these are plain dates, computed in UTC, where every day has 24 hours. */
function sundayBefore(day: string): string {
  const sunday = new Date(`${day}T00:00:00Z`);
  sunday.setUTCDate(sunday.getUTCDate() - weekday(day));
  return sunday.toISOString().slice(0, 10);
}

function weekday(day: string): number {
  return new Date(`${day}T00:00:00Z`).getUTCDay();
}
