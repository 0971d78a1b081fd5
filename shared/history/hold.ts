import { cleanLine } from '../clean.ts';
import { Failure } from '../failure.ts';
import { holdFile } from '../host/backup-folder.ts';
import { quoteForShell } from '../shell-quote.ts';

/** Why deployments should pause. Values are null if the file does not give them. */
export interface Hold {
  reason: string | null;
  /** ISO 8601, UTC. */
  since: string | null;
  run: string | null;
  by: string | null;
  /** Releases, as `service=tag` words. */
  from: string | null;
  to: string | null;
  /** The id of the record in the history. */
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

/** Reads the file. Any file named HOLD is a hold, even one made by hand, whatever it contains. */
export function parseHold(text: string): Hold {
  const values = new Map(
    text.split('\n').map((line): [string, string] => {
      const at = line.indexOf('=');
      return at < 0 ? ['', ''] : [line.slice(0, at).trim(), cleanLine(line.slice(at + 1), 1_000)];
    }),
  );
  return Object.fromEntries(keys.map((key) => [key, values.get(key) || null])) as unknown as Hold;
}

/** The hold in one sentence. */
export function describeHold({ reason, since, run }: Hold): string {
  return [
    since === null ? 'deployments are on hold' : `deployments have been on hold since ${since}`,
    ...(reason === null ? [] : [`reason: ${reason}`]),
    ...(run === null ? [] : [`see ${run}`]),
  ].join('; ');
}

/** The failure of a backup for a deployment while deployments are on hold. */
export function onHold(why: string, backupDir: string): Failure {
  return new Failure('on-hold', `Refusing the backup for a deployment: ${why}`, {
    hint: `A deployment would undo the rollback. Once its cause is fixed, tick the box "release-hold" when you start the deployment (release-hold: true in a workflow file), or on the host: rm ${quoteForShell(holdFile(backupDir))}`,
  });
}
