import { Failure, isFailure } from '../failure.ts';
import type { FailureCode } from '../failure-codes.ts';
import { describeHold, onHold, parseHold } from '../history/hold.ts';
import { lockHeld } from '../host/lock-holder.ts';
import type { LockRequest } from '../host/program.ts';
import type { Records } from '../host/records.ts';
import { describeLock, endLock, type TableLock } from '../postgres/locks.ts';
import { describeError, firstError, wordsFile } from '../postgres/printed-errors.ts';
import { backupIdAt, type DumpEncoding } from '../sets/naming.ts';
import { formatDuration } from '../units.ts';
import { adviseDump } from './dump-advice.ts';

/** What the advice speaks of. */
export interface FailedTake {
  backupDir: string;
  startedAt: Date;
  user: string;
  encoding: DumpEncoding;
  /** Milliseconds. */
  lockWait: number;
  lock: LockRequest;
}

/** null if what PostgreSQL says is not kept. */
const logOf = ({ backupDir, startedAt, encoding }: FailedTake) =>
  encoding.encryption === 'age' ? null : wordsFile(backupDir, backupIdAt(startedAt));

/**
 * Fails the backup if the session that counts the rows ended with an error.
 * @throws Failure `dump-failed`, to which `translate` adds the error
 */
export function demandCounts(records: Records, lines: readonly string[]): void {
  if (records.find('facts-incomplete') === undefined || firstError(lines) === null) return;
  throw new Failure('dump-failed', 'The rows could not be counted');
}

/**
 * Turns a failure that the host named into advice for the operator.
 * @param lines what the programs said
 * @param lock who was last seen to hold a lock on a table
 */
export function translate(
  error: unknown,
  lines: readonly string[],
  lock: TableLock | null,
  request: FailedTake,
): unknown {
  if (!isFailure(error)) return error;
  const { backupDir, lockWait, user } = request;
  const log = lines.join('\n');
  if (error.code === 'on-hold') return onHold(describeHold(parseHold(error.message)), backupDir);
  if (error.code === 'lock-held') return lockHeld(error.message, backupDir, request.lock.wait);
  const serverError = ['dump-failed', 'no-snapshot'].includes(error.code) ? firstError(lines) : null;
  const known = serverError === null ? null : adviseDump(serverError, user);
  if (known?.code === 'table-locked') return tableLocked(lock, lockWait, log);
  const advice = error.hint ?? known?.hint ?? takeHints[error.code] ?? 'Run it again';
  const kept = logOf(request);
  const message = serverError === null ? error.message : `${error.message}: ${describeError(serverError, kept)}`;
  const more = serverError === null || kept === null ? '' : `. All that PostgreSQL said is in ${kept} on the host`;
  return new Failure(error.code, message, {
    hint: `${advice.startsWith('Earlier') || advice.startsWith('No backup') ? '' : 'Earlier backups are unchanged. '}${advice}${more}`,
    cause: error.cause ?? log,
  });
}

/** @param lock who was last seen to hold one, or to want one */
function tableLocked(lock: TableLock | null, lockWait: number, cause: string): Failure {
  const waited = `A table stayed locked for ${formatDuration(lockWait)}, so it could not be dumped`;
  const list =
    "SELECT l.pid, relation::regclass, application_name, state, state_change FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid WHERE mode = 'AccessExclusiveLock'; SELECT * FROM pg_prepared_xacts";
  return new Failure('table-locked', lock === null ? waited : `${waited}: ${describeLock(lock)}`, {
    hint:
      lock === null
        ? `Earlier backups are unchanged. Find out who holds it; a line without pid is a prepared transaction: ${list}. If that is only slow, raise "lock-wait"`
        : `Earlier backups are unchanged. If that is only slow, raise "lock-wait". If nobody will end it, ${endLock(lock)}`,
    cause,
  });
}

const takeHints: Partial<Record<FailureCode, string>> = {
  'disk-full': 'Earlier backups are unchanged, and the unfinished dump is removed. Make room: df -h; docker system df',
  'dump-failed': 'Earlier backups are unchanged. See the log',
  'dump-interrupted':
    'Earlier backups are unchanged. Check on the host whether the database was restarted: docker ps; docker logs NAME',
  'encryption-failed':
    'Earlier backups are unchanged. If age refuses a key, correct "encrypt-to". If it was ended, check whether memory ran out: dmesg | tail',
  'compressor-failed': 'Earlier backups are unchanged. Check whether memory ran out: dmesg | tail',
  'lock-unusable': 'Check who owns the backup folder',
  'facts-unreadable':
    'Earlier backups are unchanged. Something else, such as a wrapper around psql, prints into the session: see the log',
  'sets-changed': 'No backup was taken. Find out what else changes the backup folder, then run it again',
};
