import { randomBytes } from 'node:crypto';
import { Failure } from '../failure.ts';
import { formatDuration } from '../units.ts';

// Who holds the lock on a backup folder, as one line of text: written to `.lock.holder`, shown in logs, and read back here.

/**
 * The text of a run that takes the lock, unlike that of any other run: nobody takes our lock for theirs.
 * @param action as people know it: `backup-action`
 */
export function holderText(action: string, runUrl: string | null, since: Date): string {
  return `${action} ${runUrl ?? 'without a workflow'} since ${since.toISOString()} (${randomBytes(4).toString('hex')})`;
}

/** What such a text says; each null where it is somebody else's. */
export interface LockHolder {
  /** `backup-action` */
  action: string | null;
  since: Date | null;
}

export function readHolder(text: string): LockHolder {
  const [, action, since] = /^(\w+-action) .* since (\d{4}-\d\d-\d\dT[\d:.]+Z)\b/.exec(text) ?? [];
  return { action: action ?? null, since: since === undefined ? null : new Date(since) };
}

/** What is said of a lock that somebody else has. */
export function lockHeld(holder: string, backupDir: string, waited: number): Failure {
  return new Failure('lock-held', `The lock on ${backupDir} is held by ${holder}`, {
    hint: `${waited === 0 ? 'It was not waited for' : `It was waited for ${formatDuration(waited)}`}. See what that run does; raise "lock-wait" if it is only slow`,
  });
}
