import { Failure, isFailure } from '../failure.ts';
import { commandToEnd, transactionsFolder } from '../host/backup-folder.ts';
import type { Connection } from '../host/connection.ts';
import { usualGrace } from '../host/run-program.ts';
import { quoteForShell } from '../shell-quote.ts';
import type { StoryLog } from '../story-log.ts';
import type { Survey } from '../survey/survey.ts';
import { type JournalLine, type Outcome, outcomeOf } from './journal.ts';
import { type FollowOptions, followTransaction, type LastWords, resumeTransaction } from './transaction.ts';

/** How often one run restarts an engine that dies. */
const mostStarts = 3;
/**
 * Milliseconds: the longest session that follows a transaction. A transaction may take hours; ending the session now and then
 * reveals a host that hangs.
 */
const longestSession = 10 * 60_000;

/** A finished transaction. */
export interface Ended {
  outcome: Outcome;
  lines: JournalLine[];
  /** The line that the host added to its history; null if it added none. */
  recorded: string | null;
  /** The output of its commands. */
  log: string;
  lastWords: LastWords[];
}

/** Follows a transaction until it has finished, and restarts its engine if nobody carries it. @throws Failure `stuck` */
export async function followToTheEnd(
  connection: Connection,
  backupDir: string,
  id: string,
  linesSeen: number,
  options: FollowOptions,
): Promise<Ended> {
  let known = linesSeen;
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
        // A session may overrun by its grace period. If that would leave no time for another one, this one is the last.
        const isLast = left <= longestSession + usualGrace;
        if (isLast || !isFailure(error, 'deadline')) throw error;
      }
    }
  };
  for (let starts = 0; ; starts += 1) {
    const { lines, recorded, log, lastWords } = await follow();
    const outcome = outcomeOf(lines);
    if (outcome.ending !== null) return { outcome, lines, recorded, log, lastWords };
    if (starts === mostStarts) throw stuck(backupDir, id, log);
    await resumeTransaction(connection, backupDir, id, options.onLog);
  }
}

/**
 * Finishes the transactions that earlier runs have left unfinished.
 * @param unfinished their ids, from a survey that found nobody holding the lock
 */
export async function endUnfinished(
  connection: Connection,
  backupDir: string,
  unfinished: readonly string[],
  options: Pick<FollowOptions, 'deadline' | 'signal'>,
  log: StoryLog,
): Promise<void> {
  log.warning(`An earlier rollback is unfinished: ${unfinished.join(', ')}. Finishing it first`);
  for (const id of unfinished) {
    await resumeTransaction(connection, backupDir, id, log.host);
    const following = { ...options, onLog: log.host, onLine: () => {} };
    const { outcome } = await followToTheEnd(connection, backupDir, id, 0, following);
    log.important(`Finished the transaction ${id}: ${outcome.ending}`);
  }
}

/** @throws Failure `survey-incomplete` if a journal cannot be read: its transaction may be unfinished */
export function demandJournals({ journalsUnreadable }: Pick<Survey, 'journalsUnreadable'>, backupDir: string): void {
  if (!journalsUnreadable) return;
  const folder = quoteForShell(transactionsFolder(backupDir));
  throw new Failure('survey-incomplete', `Cannot read every journal in ${transactionsFolder(backupDir)}`, {
    hint: `A rollback may be unfinished. See which journal that is: ls -l ${folder}/*/journal; dmesg | tail`,
  });
}

function stuck(backupDir: string, id: string, log: string): Failure {
  return new Failure('stuck', `The transaction ${id} did not finish`, {
    hint: `On the host: ${commandToEnd(backupDir, id)}. Its log is in the same folder, in the file log`,
    cause: log,
  });
}
