import { cleanLine } from '../clean.ts';

/** Why deployments should pause. Values are null where the file does not tell. */
export interface Hold {
  reason: string | null;
  /** ISO 8601, UTC. */
  since: string | null;
  run: string | null;
  by: string | null;
  /** Releases, as `service=tag` words. */
  from: string | null;
  to: string | null;
  /** Of the record in the history. */
  id: string | null;
}

const keys = ['reason', 'since', 'run', 'by', 'from', 'to', 'id'] as const;

/** The text of the file HOLD: `key=value` lines. */
export function holdText(hold: Hold): string {
  return keys
    .filter((key) => hold[key] !== null)
    .map((key) => `${key}=${cleanLine(hold[key] ?? '', 1_000)}\n`)
    .join('');
}

/** Reads it. A file that somebody made by hand holds as well, whatever stands in it. */
export function parseHold(text: string): Hold {
  const values = new Map(
    text.split('\n').map((line): [string, string] => {
      const at = line.indexOf('=');
      return at < 0 ? ['', ''] : [line.slice(0, at).trim(), cleanLine(line.slice(at + 1), 1_000)];
    }),
  );
  return Object.fromEntries(keys.map((key) => [key, values.get(key) || null])) as unknown as Hold;
}

/** In one sentence. */
export function tellHold({ reason, since, run }: Hold): string {
  return [
    `deployments are on hold${since === null ? '' : ` since ${since}`}`,
    ...(reason === null ? [] : [`because of: ${reason}`]),
    ...(run === null ? [] : [`see ${run}`]),
  ].join('; ');
}
