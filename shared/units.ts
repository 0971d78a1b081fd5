const durationUnits: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000 };

const sizeUnits: Record<string, number> = {
  '': 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/**
 * `90s`, `5m` or `2h` in milliseconds.
 * @throws RangeError whose message continues "it …"
 */
export function parseDuration(text: string): number {
  return parseQuantity(text, durationUnits, 'is not a duration such as 90s, 5m or 2h');
}

/**
 * `1GiB`, `512MiB`, `10GB` or plain bytes, in bytes.
 * @throws RangeError whose message continues "it …"
 */
export function parseSize(text: string): number {
  return parseQuantity(text, sizeUnits, 'is not a size such as 512MiB, 10GB or 1048576');
}

function parseQuantity(text: string, units: Record<string, number>, reason: string): number {
  const [, digits, unit] = /^(\d+)([A-Za-z]*)$/.exec(text) ?? [];
  const factor = unit === undefined || !Object.hasOwn(units, unit) ? undefined : units[unit];
  if (digits === undefined || factor === undefined) throw new RangeError(reason);

  const quantity = Number(digits) * factor;
  if (!Number.isSafeInteger(quantity)) throw new RangeError('is too large');
  return quantity;
}

/** Bytes for people: `812 B`, `1.2 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  if (Math.abs(bytes) < 1024) return `${Math.round(bytes)} B`;

  let amount = bytes / 1024;
  let unit = 0;
  // Round before comparing: otherwise 1023.97 KiB would print as "1024.0 KiB".
  while (Math.abs(Number(amount.toFixed(1))) >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${amount.toFixed(1)} ${units[unit]}`;
}

/** Milliseconds for people: `340 ms`, `12.4 s`, `2 min 13 s`, `1 h 02 min`. */
export function formatDuration(ms: number): string {
  if (Math.round(ms) < 1_000) return `${Math.round(ms)} ms`;
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${twoDigits(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

/** A rate for people: `84.0 MiB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

function twoDigits(n: number): string {
  return String(n).padStart(2, '0');
}

/** With the verb: `no table is`, `the only table is`, `all 25 tables are`. */
export function allOf(count: number, thing: string, [one, many]: readonly [one: string, many: string]): string {
  if (count === 0) return `no ${thing} ${one}`;
  return count === 1 ? `the only ${thing} ${one}` : `all ${counted(count, thing)} ${many}`;
}

/** `1 set`, `3 sets`, `12,000 sets`. */
export function counted(count: number, thing: string): string {
  return `${count.toLocaleString('en-US')} ${thing}${count === 1 ? '' : 's'}`;
}

/** The first items in one line, and how many more there are: `a, b, and 3 more`. @param total if `items` is only a part */
export function listed(
  items: readonly string[],
  most: number,
  { separator = ', ', total = items.length }: { separator?: string; total?: number } = {},
): string {
  const rest = total - Math.min(most, items.length);
  const shown = items.slice(0, most).join(separator);
  return rest > 0 ? `${shown}${separator}and ${rest} more` : shown;
}
