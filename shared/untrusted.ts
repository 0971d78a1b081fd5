import { Failure } from './failure.ts';

/**
 * Reads one value of untrusted JSON, or throws a Failure `bad-value` that names the place. Readers are combined: the
 * reader of a type looks like the type. Fields that a reader does not name are dropped.
 */
export type Reader<T> = (value: unknown, place: string) => T;

/** A string of at most `longest` UTF-16 units, without NUL (PostgreSQL, bash and C strings cannot contain it). */
export function text(longest: number): Reader<string> {
  return (value, place) => {
    if (typeof value !== 'string') return refuse(place, 'is not text');
    if (value.length > longest) return refuse(place, `is longer than ${longest} characters`);
    return value.includes('\0') ? refuse(place, 'contains a NUL byte') : value;
  };
}

/** A string that `accepts` accepts. */
export function textThat(accepts: (value: string) => boolean, what: string): Reader<string> {
  return (value, place) => (typeof value === 'string' && accepts(value) ? value : refuse(place, `is not ${what}`));
}

/** A whole number from 0 to 2^53 - 1. */
export const count: Reader<number> = (value, place) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : refuse(place, 'is not a count');

/** A number of milliseconds, not negative, whole or not. */
export const milliseconds: Reader<number> = (value, place) =>
  typeof value === 'number' && value >= 0 && Number.isFinite(value) ? value : refuse(place, 'is not a duration');

export const bool: Reader<boolean> = (value, place) =>
  typeof value === 'boolean' ? value : refuse(place, 'is not true or false');

/** Exactly one of the values. */
export function oneOf<const T extends string | number>(...values: readonly T[]): Reader<T> {
  return (value, place) =>
    values.find((known) => known === value) ?? refuse(place, `is not one of ${values.map(String).join(', ')}`);
}

/** The value, or null; a missing field counts as null. */
export function orNull<T>(read: Reader<T>): Reader<T | null> {
  return (value, place) => (value === null || value === undefined ? null : read(value, place));
}

/** An array of at most `most` items. */
export function listOf<T>(read: Reader<T>, most: number): Reader<T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) return refuse(place, 'is not a list');
    if (value.length > most) return refuse(place, `has more than ${most} items`);
    return value.map((item, index) => read(item, `${place}[${index}]`));
  };
}

/** An object of at most `most` entries with any keys that `isKey` accepts, even `__proto__`. */
export function mapOf<T>(isKey: (key: string) => boolean, read: Reader<T>, most: number): Reader<Record<string, T>> {
  return (value, place) => {
    const entries = Object.entries(objectAt(value, place));
    if (entries.length > most) return refuse(place, `has more than ${most} entries`);
    return Object.fromEntries(
      entries.map(([key, item]) => {
        if (!isKey(key)) return refuse(place, 'has a name that is not allowed');
        return [key, read(item, `${place}.${key}`)];
      }),
    );
  };
}

/** An object with these fields; others are dropped. */
export function shape<T extends object>(fields: { [Field in keyof T]: Reader<T[Field]> }): Reader<T> {
  return (value, place) => {
    const object = objectAt(value, place);
    const own = Object.entries<Reader<unknown>>(fields).map(([field, read]) => [
      field,
      read(object[field], place === '' ? field : `${place}.${field}`),
    ]);
    return Object.fromEntries(own) as T;
  };
}

function objectAt(value: unknown, place: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(place, 'is not an object');
  return value as Record<string, unknown>;
}

function refuse(place: string, why: string): never {
  throw new Failure('bad-value', place === '' ? `it ${why}` : `"${place}" ${why}`);
}
