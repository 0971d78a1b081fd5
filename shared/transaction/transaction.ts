import { cleanLine, cleanLines } from '../clean.ts';
import { Failure } from '../failure.ts';
import { commandToEnd, commandToFollow } from '../host/backup-folder.ts';
import type { Connection } from '../host/connection.ts';
import type { Program } from '../host/program.ts';
import { type JournalLine, parseJournal, parseJournalLine } from './journal.ts';

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

/** A transaction by its id, in the folder of the backups. */
export type Place = { backup_dir: string; id: string };
export const resuming: Program<Place> = {
  name: 'resume',
  step: 'the restart of the rollback',
  scripts: [new URL('./launch.sh', import.meta.url), new URL('./resume.sh', import.meta.url)],
};
export const following: Program<Place & { lines_seen: string }> = {
  name: 'follow',
  step: 'following the rollback',
  scripts: [new URL('./follow.sh', import.meta.url)],
};

/** These programs only write some files. The engine runs in a session of its own. */
export const short = { deadline: 60_000, atEnd: 'finish' as const };

/** Restarts the engine of an unfinished transaction that has lost it. */
export async function resumeTransaction(
  connection: Connection,
  backupDir: string,
  id: string,
  onLog: (line: string) => void,
): Promise<void> {
  await connection.run(resuming, { backup_dir: backupDir, id }, { ...short, onLog }).result;
}

/**
 * Follows a transaction until it has finished or is abandoned.
 * @param linesSeen how many lines of the journal are already known
 * @param onLine called for each further line as it is written
 * @throws Failure if the connection is lost; the transaction carries on
 */
export async function followTransaction(
  connection: Connection,
  backupDir: string,
  id: string,
  linesSeen: number,
  { onLine, onLog, signal, deadline }: FollowOptions,
): Promise<Followed> {
  const { result } = connection.run(
    following,
    { backup_dir: backupDir, id, lines_seen: String(linesSeen) },
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
    hint: `The host finishes it by itself. To see how it ended, run on the host: ${commandToFollow(backupDir, id)}. If its last line does not say "ended", finish it there: ${commandToEnd(backupDir, id)}`,
    cause,
  });
}
