import { readFileSync, statSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import type { JumpHost } from '../host/ssh-settings.ts';
import { formatBytes, parseDuration, parseSize } from '../units.ts';

/** The values that an input may have. */
export interface Grammar<T> {
  /** What to give, as a full sentence for the operator. */
  hint: string;
  /**
   * The value of `text` (trimmed, not empty).
   * @throws RangeError whose message continues "Input x …" and does not repeat the text
   */
  parse(text: string): T;
}

export interface Bounds {
  min: number;
  max: number;
}

/** With more than 2^31 - 1 milliseconds (24.8 days), setTimeout fires at once, so a deadline must be shorter. */
const longestDuration = 24 * 24 * 3_600_000;

/** Free text: names of databases and users may contain quotes, spaces, `$()`, `=` and line breaks. */
export const text: Grammar<string> = {
  hint: 'Give it without NUL bytes.',
  parse: (value) => matching(value, /^[^\0]*$/, 'contains a NUL byte'),
};

/** Free text on one line, without control characters. */
export const line: Grammar<string> = {
  hint: 'Give one line of text without control characters.',
  parse: (value) => matching(value, /^\P{Cc}*$/u, 'must be one line without control characters'),
};

/** The name of an environment: it is part of the names of artifacts and of commands that are printed. */
export const environmentName: Grammar<string> = {
  hint: 'Give at most 64 letters, digits, ".", "_" and "-", such as prod or staging-2; the first is a letter, a digit or "_".',
  parse: (value) =>
    matching(
      value,
      /^(?![.-])[A-Za-z0-9._-]{1,64}$/,
      'is not made of at most 64 letters, digits, ".", "_" and "-", or begins with "." or "-"',
    ),
};

/** Booleans as GitHub defines them: `true`, `True`, `TRUE`, `false`, `False`, `FALSE`. */
export const boolean: Grammar<boolean> = {
  hint: 'Give true or false.',
  parse(value) {
    if (['true', 'True', 'TRUE'].includes(value)) return true;
    if (['false', 'False', 'FALSE'].includes(value)) return false;
    throw new RangeError('is neither true nor false');
  },
};

/** One of these words. */
export function choice<const Word extends string>(...words: readonly Word[]): Grammar<Word> {
  return {
    hint: `Give one of: ${words.join(', ')}.`,
    parse(value) {
      const word = words.find((each) => each === value);
      if (word === undefined) throw new RangeError(`must be one of ${words.join(', ')}`);
      return word;
    },
  };
}

/** A whole number within bounds, both included. */
export function integer({ min, max }: Bounds): Grammar<number> {
  return {
    hint: `Give a whole number from ${min} to ${max}.`,
    parse: (value) =>
      within(Number(matching(value, /^-?\d+$/, 'is not a whole number')), { min, max }, `is not from ${min} to ${max}`),
  };
}

/** A decimal number within bounds, both included: `0.5`. */
export function decimal({ min, max }: Bounds): Grammar<number> {
  return {
    hint: `Give a number from ${min} to ${max}.`,
    parse: (value) =>
      within(Number(matching(value, /^\d+(\.\d+)?$/, 'is not a number')), { min, max }, `is not from ${min} to ${max}`),
  };
}

/** How many to keep: `all`, or a whole number from 0 up. */
export const allOrNumber: Grammar<'all' | number> = {
  hint: 'Give all, or a whole number from 0 up.',
  parse(value) {
    if (value === 'all') return value;
    return within(
      Number(matching(value, /^\d+$/, 'is neither all nor a whole number')),
      { min: 0, max: Number.MAX_SAFE_INTEGER },
      'is too large',
    );
  },
};

/** `90s`, `5m`, `2h` in milliseconds, up to 24 days. */
export const duration: Grammar<number> = {
  hint: 'Give a duration such as 90s, 5m or 2h.',
  parse: (value) => within(parseDuration(value), { min: 0, max: longestDuration }, 'is longer than 24 days'),
};

/** `1GiB`, `512MiB`, `10GB`, plain bytes; in bytes. */
export const size: Grammar<number> = {
  hint: 'Give a size such as 1GiB, 512MiB, 10GB or a number of bytes.',
  parse: parseSize,
};

/** One value per line; empty lines are ignored. */
export function lines<T>(each: Grammar<T>): Grammar<T[]> {
  return {
    hint: `${each.hint} One per line.`,
    parse: (value) =>
      value
        .split(/\r?\n/)
        .map((entry) => entry.trim())
        .filter((entry) => entry !== '')
        .map((entry) => each.parse(entry)),
  };
}

/** A path on the host that begins with `/`. */
export const absolutePath: Grammar<string> = {
  hint: 'Give an absolute path without "..", such as /opt/app.',
  parse: (value) => path(matching(value, /^\//, 'is not an absolute path')),
};

/** A path relative to the folder that the description of the input names. */
export const relativePath: Grammar<string> = {
  hint: 'Give a relative path without "..".',
  parse: (value) => path(matching(value, /^(?!\/)/, 'is not a relative path')),
};

/** A path, absolute or relative. */
export const anyPath: Grammar<string> = {
  hint: 'Give a path without "..".',
  parse: path,
};

/** A host name or an address; IPv6 without brackets. */
export const hostName: Grammar<string> = {
  hint: 'Give a host name such as db.example.com, or an address such as 192.0.2.7 or 2001:db8::7.',
  parse(value) {
    // No zone (fe80::1%eth0): ssh would expand the %.
    if (isIPv6(value) && !value.includes('%')) return value;
    return matching(value, /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/, 'is not a host name or address');
  },
};

export const port: Grammar<number> = integer({ min: 1, max: 65_535 });

/** A web address without a login in it. */
export const httpUrl: Grammar<URL> = {
  hint: 'Give an address such as https://example.com/health or http://127.0.0.1:8080/health.',
  parse(value) {
    const url = URL.canParse(value) ? new URL(value) : null;
    if (url === null || !/^https?:$/.test(url.protocol)) throw new RangeError('is not an http or https address');
    if (url.username !== '' || url.password !== '') throw new RangeError('contains a login');
    // The host writes it into a line of curl's configuration.
    if (/["\\\s]/.test(url.href)) throw new RangeError('contains a quote, a backslash or a space');
    return url;
  },
};

/** Of a service that is given secrets: https, or http to the runner itself. */
export const safeUrl: Grammar<URL> = {
  hint: 'Give an address such as https://s3.example.com.',
  parse(value) {
    const url = httpUrl.parse(value);
    if (url.protocol === 'https:' || isLoopback(url)) return url;
    throw new RangeError('is not an https address: over http, others can read and change what is sent');
  },
};

/** Whether an address is the runner itself. */
export function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}

/** Bytes. Statements for a database that are longer are likely to be another file, such as a dump. */
const longestSql = 8 * 1024 * 1024;

/** The path of a file with SQL in the workspace; its text, without the byte order mark that some editors put in front. */
export const sqlFile: Grammar<string> = {
  hint: 'Give the path of an SQL file in the workspace, and run actions/checkout before this step.',
  parse(value) {
    const path = resolve(process.env['GITHUB_WORKSPACE'] ?? '.', value);
    let text: string | null;
    try {
      text = statSync(path).size > longestSql ? null : readFileSync(path, 'utf8');
    } catch {
      throw new RangeError('is not a readable file');
    }
    if (text === null) throw new RangeError(`is larger than ${formatBytes(longestSql)}`);
    if (text.includes('\0')) throw new RangeError('is not a text file');
    return text.replace(/^\ufeff/, '');
  },
};

/** A login name on the host. */
export const userName: Grammar<string> = {
  hint: 'Give a login name of letters, digits, "_", "." and "-".',
  parse: (value) => matching(value, /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/, 'is not a login name'),
};

/** A service of the compose project. */
export const serviceName: Grammar<string> = {
  hint: 'Give the name of a service as in the compose file.',
  parse: (value) => matching(value, /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, 'is not the name of a service'),
};

/** A compose project, by compose's own rule. */
export const projectName: Grammar<string> = {
  hint: 'Give the name of the project as `docker compose ls` shows it.',
  parse: (value) => matching(value, /^[a-z0-9][a-z0-9_-]{0,127}$/, 'is not the name of a compose project'),
};

/** `user@bastion:port`; user and port are optional; IPv6 in brackets. */
export const jumpHost: Grammar<JumpHost> = {
  hint: 'Give user@bastion:port, with an IPv6 address in brackets.',
  parse(value) {
    const [, user, bracketed, bare, portText] =
      /^(?:([^@]*)@)?(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s.exec(value) ?? [];
    const host = bracketed ?? bare;
    if (host === undefined) throw new RangeError('does not have the form user@bastion:port');
    return {
      user: user === undefined ? null : userName.parse(user),
      host: hostName.parse(host),
      port: portText === undefined ? null : port.parse(portText),
    };
  },
};

/** A time zone that this Node knows, such as `UTC` or `Europe/Berlin`. */
export const timeZone: Grammar<string> = {
  hint: 'Give a name from the tz database such as UTC or Europe/Berlin.',
  parse(value) {
    try {
      new Intl.DateTimeFormat('en', { timeZone: value });
    } catch {
      throw new RangeError('is not a time zone');
    }
    return value;
  },
};

function path(value: string): string {
  matching(value, /^\P{Cc}*$/u, 'contains a control character, such as a line break');
  if (value.split('/').includes('..')) throw new RangeError('contains ".."');
  return value;
}

/** The value. @throws RangeError with the reason if the pattern does not match */
export function matching(value: string, pattern: RegExp, reason: string): string {
  if (!pattern.test(value)) throw new RangeError(reason);
  return value;
}

function within(value: number, { min, max }: Bounds, reason: string): number {
  if (value < min || value > max) throw new RangeError(reason);
  return value;
}

export const registry: Grammar<string> = {
  hint: 'Give the name of a registry such as ghcr.io or localhost:5000.',
  parse(value) {
    if (/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?$/.test(value)) return value;
    throw new RangeError('is not the name of a registry');
  },
};
