import { readFileSync } from 'node:fs';
import { cleanLine, cleanLines } from '../clean.ts';
import { Failure, isFailure } from '../failure.ts';
import { commandToEnd, commandToFollow } from '../host/backup-folder.ts';
import type { Connection } from '../host/connection.ts';
import type { Program } from '../host/program.ts';
import { type JournalLine, parseJournal, parseJournalLine } from './journal.ts';
import { type TransactionRequest, transactionFiles } from './transaction-files.ts';

/** What was seen of a transaction until it finished or was abandoned. */
export interface Followed {
  lines: JournalLine[];
  /** The line that it added to the history; null if it added none. */
  recorded: string | null;
  /** The output of its commands. */
  log: string;
  /** What the target's containers printed last, if the host has kept that. */
  lastWords: LastWords[];
  /** It is unfinished, and nobody is working on it. */
  abandoned: boolean;
}

/** The scripts that make up the engine on the host, in order. */
const engine = [
  new URL('../host/lock.sh', import.meta.url),
  new URL('../host/project-state.sh', import.meta.url),
  new URL('../host/sharers.sh', import.meta.url),
  new URL('../host/transactions.sh', import.meta.url),
  new URL('../host/left-behind.sh', import.meta.url),
  new URL('../host/compose-words.sh', import.meta.url),
  new URL('../host/ports.sh', import.meta.url),
  new URL('../history/history.sh', import.meta.url),
  new URL('./journal.sh', import.meta.url),
  new URL('./containers.sh', import.meta.url),
  new URL('./before-swap.sh', import.meta.url),
  new URL('./health-test.sh', import.meta.url),
  new URL('./answers.sh', import.meta.url),
  new URL('./prober.sh', import.meta.url),
  new URL('./gates.sh', import.meta.url),
  new URL('./edges.sh', import.meta.url),
  new URL('./proxies.sh', import.meta.url),
  new URL('./swap.sh', import.meta.url),
  new URL('./jobs.sh', import.meta.url),
  new URL('./database.sh', import.meta.url),
  new URL('./prune.sh', import.meta.url),
  new URL('./engine.sh', import.meta.url),
];

const starting: Program<{
  backup_dir: string;
  second: string;
  file_names: readonly string[];
  file_texts: readonly string[];
}> = {
  name: 'start',
  step: 'the start of the rollback',
  scripts: [new URL('./launch.sh', import.meta.url), new URL('./start.sh', import.meta.url)],
};
/** A transaction by its id, in the folder of the backups. */
type Place = { backup_dir: string; id: string };
const resuming: Program<Place> = {
  name: 'resume',
  step: 'the restart of the rollback',
  scripts: [new URL('./launch.sh', import.meta.url), new URL('./resume.sh', import.meta.url)],
};
const aborting: Program<Place> = {
  name: 'abort',
  step: 'cancelling the rollback',
  scripts: [new URL('./abort.sh', import.meta.url)],
};
const searching: Program<{ backup_dir: string; history_id: string }> = {
  name: 'find',
  step: 'the search for the rollback',
  scripts: [new URL('./find.sh', import.meta.url)],
};
const following: Program<Place & { told: string }> = {
  name: 'follow',
  step: 'following the rollback',
  scripts: [new URL('./follow.sh', import.meta.url)],
};

/** These programs only write some files. The engine runs in a session of its own. */
const short = { deadline: 60_000, atEnd: 'finish' as const };

/**
 * Starts a transaction, which from then on runs by itself.
 * @returns its id
 */
export async function startTransaction(
  connection: Connection,
  request: TransactionRequest,
  onLog: (line: string) => void,
): Promise<string> {
  const second = String(Math.floor(request.startedAt.getTime() / 1_000));
  const script = `${engine.map((url) => readFileSync(url, 'utf8')).join('\n')}\nmain "$@"\n`;
  const files = new Map([['engine.sh', script], ...transactionFiles(request)]);
  const parameters = {
    backup_dir: request.backupDir,
    second,
    file_names: [...files.keys()],
    file_texts: [...files.values()],
  };
  try {
    return (await connection.run(starting, parameters, { ...short, onLog }).result).get('transaction');
  } catch (error) {
    throw isFailure(error, 'disk-full', 'write-failed') ? notWritten(request.backupDir, error) : error;
  }
}

/** In the host's own words. */
function notWritten(backupDir: string, failure: Failure): Failure {
  const isFull = failure.code === 'disk-full';
  const look = isFull ? `df -h ${backupDir}. Make room` : `ls -ld ${backupDir}/rollback; dmesg | tail. Mend that`;
  return new Failure(
    failure.code,
    `Could not write the transaction to ${backupDir}: ${isFull ? 'its disk is full' : failure.message}`,
    { hint: `Nothing was stopped. On the host: ${look}, then run it again`, cause: failure },
  );
}

/** Restarts the engine of an unfinished transaction that has lost it. */
export async function resumeTransaction(
  connection: Connection,
  backupDir: string,
  id: string,
  onLog: (line: string) => void,
): Promise<void> {
  await connection.run(resuming, { backup_dir: backupDir, id }, { ...short, onLog }).result;
}

/** Asks a transaction not to begin its swap. If the swap has already begun, the host finishes it. */
export async function abortTransaction(
  connection: Connection,
  backupDir: string,
  id: string,
  onLog: (line: string) => void,
): Promise<void> {
  await connection.run(aborting, { backup_dir: backupDir, id }, { ...short, onLog }).result;
}

/** Finds the transaction of a run that lost its connection while starting it. @returns its id; null if there is none */
export async function findTransaction(
  connection: Connection,
  backupDir: string,
  historyId: string,
  onLog: (line: string) => void,
): Promise<string | null> {
  const records = await connection.run(searching, { backup_dir: backupDir, history_id: historyId }, { ...short, onLog })
    .result;
  return records.find('transaction') ?? null;
}

/**
 * Follows a transaction until it has finished or is abandoned.
 * @param told how many lines of the journal are already known
 * @param onLine called for each further line as it is written
 * @throws Failure if the connection is lost; the transaction carries on
 */
export async function followTransaction(
  connection: Connection,
  backupDir: string,
  id: string,
  told: number,
  { onLine, onLog, signal, deadline }: FollowOptions,
): Promise<Followed> {
  const { result } = connection.run(
    following,
    { backup_dir: backupDir, id, told: String(told) },
    {
      deadline,
      atEnd: 'end',
      onLog,
      ...(signal && { signal }),
      onProgress: (name, value) => {
        const line = name === 'journal' ? parseJournalLine(value) : null;
        if (line !== null) onLine(line);
      },
    },
  );
  const records = await result;
  return {
    lines: parseJournal(records.find('journal') ?? ''),
    recorded: records.find('recorded') ?? null,
    log: records.find('log') ?? '',
    lastWords: records.all('last-words').map(readLastWords),
    abandoned: records.find('abandoned') !== undefined,
  };
}

/** The end of a container's log: the application's own text, cleaned and cut. */
export interface LastWords {
  service: string;
  lines: string[];
}

const mostLines = 15;
const longestLine = 200;

function readLastWords(value: string): LastWords {
  const [service = '', ...lines] = cleanLines(value);
  return { service, lines: lines.slice(-mostLines).map((line) => cleanLine(line, longestLine)) };
}

export interface FollowOptions {
  onLine: (line: JournalLine) => void;
  onLog: (line: string) => void;
  signal?: AbortSignal;
  /** Milliseconds. */
  deadline: number;
}

/** The failure for a transaction whose outcome is unknown because contact to it was lost. */
export function stillOpen(backupDir: string, id: string, cause: unknown): Failure {
  return new Failure('outcome-unknown', `Lost contact while the transaction ${id} was running`, {
    hint: `The host finishes it by itself. To see how it ended: ${commandToFollow(backupDir, id)}. If its last line is not "ended": ${commandToEnd(backupDir, id)}`,
    cause,
  });
}
