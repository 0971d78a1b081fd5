import { cleanLine } from '../clean.ts';

const mostWarnings = 20;
const longestWarning = 500;

/**
 * The warnings among the lines that pg_dump printed, each with its details, without hints: `there are circular foreign-key
 * constraints on this table: nodes`. Before version 14 pg_dump puts details into lines without a name.
 */
export function dumpWarnings(lines: readonly string[]): string[] {
  const warnings: string[] = [];
  for (const line of lines) {
    const [, kind, text = ''] = /^pg_dump: (warning|detail|hint|error): (.*)$/.exec(line) ?? [];
    if (kind === 'warning') warnings.push(text);
    else if (kind === 'detail' && warnings.length > 0) warnings.push(`${warnings.pop()} ${text}`);
  }
  const shown = warnings.slice(0, mostWarnings).map((warning) => cleanLine(warning, longestWarning));
  const rest = warnings.length - shown.length;
  return rest > 0 ? [...shown, `and ${rest} more`] : shown;
}
