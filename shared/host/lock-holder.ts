import { randomBytes } from 'node:crypto';
import { Failure } from '../failure.ts';
import { formatDuration } from '../units.ts';

// The holder of the lock on a backup folder, as one line of text: written to `.lock.holder`, shown in logs, read back here.

/**
 * The text for a run that takes the lock. It is unique, so that no other run takes our lock for its own.
 * @param action as people know it: `backup-action`
 */
export function holderText(action: string, runUrl: string | null, since: Date): string {
  return `${action} ${runUrl ?? 'without a workflow'} since ${since.toISOString()} (${randomBytes(4).toString('hex')})`;
}

/** What such a text says; each field is null if the text is not one of ours. */
export interface LockHolder {
  /** `backup-action` */
  action: string | null;
  since: Date | null;
}

export function readHolder(text: string): LockHolder {
  const [, action, since] = /^(\w+-action) .* since (\d{4}-\d\d-\d\dT[\d:.]+Z)\b/.exec(text) ?? [];
  return { action: action ?? null, since: since === undefined ? null : new Date(since) };
}

/** The failure when another process holds the lock. */
export function lockHeld(holder: string, backupDir: string, waited: number): Failure {
  return new Failure('lock-held', `The lock on ${backupDir} is held by ${holder}`, {
    hint: `${waited === 0 ? '"lock-wait" is 0, so this run did not wait' : `Gave up after waiting ${formatDuration(waited)}`}. Check what that run is doing; if it is only slow, raise "lock-wait"`,
  });
}
