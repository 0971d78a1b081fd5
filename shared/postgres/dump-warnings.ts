import { cleanLine } from '../clean.ts';

const mostWarnings = 20;
const longestWarning = 500;

/**
 * The warnings among the lines that pg_dump printed, each once, with its details and without hints: `there are circular foreign-key
 * constraints on this table: nodes`. Before version 14 pg_dump puts details into lines without a name.
 */
export function dumpWarnings(lines: readonly string[]): string[] {
  const warnings: string[] = [];
  for (const line of lines) {
    const [, kind, text = ''] = /^pg_dump: (warning|detail|hint|error): (.*)$/.exec(line) ?? [];
    if (kind === 'warning') warnings.push(text);
    else if (kind === 'detail' && warnings.length > 0) warnings.push(`${warnings.pop()} ${text}`);
  }
  const times = new Map<string, number>();
  for (const warning of warnings) times.set(warning, (times.get(warning) ?? 0) + 1);
  const shown = [...times]
    .slice(0, mostWarnings)
    .map(([warning, count]) => cleanLine(count === 1 ? warning : `${warning} (${count} times)`, longestWarning));
  const rest = times.size - shown.length;
  return rest > 0 ? [...shown, `and ${rest} more`] : shown;
}
