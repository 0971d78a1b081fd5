import { byText } from '../by-text.ts';
import type { BackupId, BackupKind } from '../sets/manifest.ts';
import { startOf } from '../sets/naming.ts';
import { formatBytes } from '../units.ts';

/** One bar of the chart. */
export interface SizePoint {
  id: BackupId;
  bytes: number;
  kind: BackupKind;
}

const mostBars = 14;
const barWidth = 28;
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/**
 * Sizes over time as lines of text, the newest last: date (UTC), bar, size, notes. Shows at most the 14 newest.
 *
 * @param minRatio flags the newest if it is smaller than this share of the one before it (0 to 1; 0: never).
 */
export function sizeChart(points: readonly SizePoint[], minRatio: number): string[] {
  const shown = points.toSorted((a, b) => byText(a.id, b.id)).slice(-mostBars);
  const largest = Math.max(1, ...shown.map(({ bytes }) => bytes));
  const sizes = shown.map(({ bytes }) => formatBytes(bytes));
  const sizeWidth = Math.max(0, ...sizes.map((size) => size.length));

  return shown.map((point, index) => {
    const previous = index === shown.length - 1 ? shown[index - 1] : undefined;
    const notes = [point.kind === 'scheduled' ? '' : point.kind, shrinkage(point, previous, minRatio)];
    const bar = barOf(point.bytes / largest).padEnd(barWidth);
    const line = `${dateOf(point.id)}  ${bar}  ${sizes[index]?.padStart(sizeWidth)}`;
    return [line, ...notes.filter((note) => note !== '')].join('  ');
  });
}

/** "12 % of the previous" if a size is below the limit, else empty. */
function shrinkage(point: SizePoint, previous: SizePoint | undefined, minRatio: number): string {
  if (previous === undefined || point.bytes >= previous.bytes * minRatio) return '';
  return `! ${Math.floor((100 * point.bytes) / previous.bytes)} % of the previous`;
}

/** A size above 0 always shows at least a sliver. */
function barOf(share: number): string {
  const parts = share === 0 ? 0 : Math.max(1, Math.round(share * barWidth * eighths.length));
  return '█'.repeat(Math.floor(parts / eighths.length)) + eighths[parts % eighths.length];
}

function dateOf(id: BackupId): string {
  return startOf(id)?.toISOString().slice(0, 16).replace('T', ' ') ?? id;
}
