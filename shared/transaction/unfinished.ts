import { Failure, isFailure } from '../failure.ts';
import { commandToEnd } from '../host/backup-folder.ts';
import type { Connection } from '../host/connection.ts';
import { usualGrace } from '../host/program.ts';
import type { StoryLog } from '../story-log.ts';
import { type JournalLine, type Outcome, outcomeOf } from './journal.ts';
import { type FollowOptions, followTransaction, resumeTransaction } from './transaction.ts';

/** How often an engine that dies is started anew by one run. */
const mostStarts = 3;
/**
 * Milliseconds of one session that follows. A transaction may take hours; a host that hangs meanwhile must be noticed, and
 * is at the end of the session.
 */
const longestSession = 10 * 60_000;

/** A transaction that has ended. */
export interface Ended {
  outcome: Outcome;
  lines: JournalLine[];
  /** The line that the host added to its history; null where it added none. */
  recorded: string | null;
  /** What its commands printed. */
  log: string;
}

/** Follows a transaction to its end, and starts its engine again where nobody carries it. @throws Failure `stuck` */
export async function followToTheEnd(
  connection: Connection,
  backupDir: string,
  id: string,
  told: number,
  options: FollowOptions,
): Promise<Ended> {
  let known = told;
  const onLine: FollowOptions['onLine'] = (line) => {
    known += 1;
    options.onLine(line);
  };
  const giveUp = Date.now() + options.deadline;
  const follow = async () => {
    for (;;) {
      const left = giveUp - Date.now();
      const deadline = Math.min(left, longestSession);
      try {
        return await followTransaction(connection, backupDir, id, known, { ...options, deadline, onLine });
      } catch (error) {
        // A session that is over may take its grace as well: then nothing would be left for the next.
        const isLast = left <= longestSession + usualGrace;
        if (isLast || !isFailure(error, 'deadline')) throw error;
      }
    }
  };
  for (let starts = 0; ; starts += 1) {
    const { lines, recorded, log } = await follow();
    const outcome = outcomeOf(lines);
    if (outcome.ending !== null) return { outcome, lines, recorded, log };
    if (starts === mostStarts) throw stuck(backupDir, id, log);
    await resumeTransaction(connection, backupDir, id, options.onLog);
  }
}

/**
 * Ends what an earlier run has begun and nobody carries any more.
 * @param unfinished as the survey found them; nobody holds the lock
 */
export async function endUnfinished(
  connection: Connection,
  backupDir: string,
  unfinished: readonly string[],
  options: Pick<FollowOptions, 'deadline' | 'signal'>,
  log: StoryLog,
): Promise<void> {
  log.warning(`An earlier rollback was not ended: ${unfinished.join(', ')}. It is ended first`);
  for (const id of unfinished) {
    await resumeTransaction(connection, backupDir, id, log.host);
    const following = { ...options, onLog: log.host, onLine: () => {} };
    const { outcome } = await followToTheEnd(connection, backupDir, id, 0, following);
    log.important(`The transaction ${id} has ended: ${outcome.ending}`);
  }
}

function stuck(backupDir: string, id: string, log: string): Failure {
  return new Failure('stuck', `The transaction ${id} does not come to its end`, {
    hint: `On the host: ${commandToEnd(backupDir, id)}. Its log stands beside it, in the file log`,
    cause: log,
  });
}
