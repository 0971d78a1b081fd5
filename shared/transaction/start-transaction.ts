import { readFileSync } from 'node:fs';
import { Failure, isFailure } from '../failure.ts';
import type { Connection } from '../host/connection.ts';
import type { Program } from '../host/program.ts';
import { replaceScript } from '../postgres/scripts.ts';
import { type Place, short } from './transaction.ts';
import { type TransactionRequest, transactionFiles } from './transaction-files.ts';

// What only rollback-action does with transactions. The other actions finish and follow them: a host may let their key do no more.

/** The scripts that make up the engine on the host, in order. */
const engine = [
  new URL('../host/lock.sh', import.meta.url),
  new URL('../survey/project-state.sh', import.meta.url),
  new URL('../survey/sharers.sh', import.meta.url),
  new URL('../survey/transactions.sh', import.meta.url),
  new URL('../survey/left-behind.sh', import.meta.url),
  new URL('../survey/compose-words.sh', import.meta.url),
  new URL('../survey/ports.sh', import.meta.url),
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

export const starting: Program<{
  backup_dir: string;
  second: string;
  file_names: readonly string[];
  file_texts: readonly string[];
}> = {
  name: 'start',
  step: 'the start of the rollback',
  scripts: [new URL('./launch.sh', import.meta.url), new URL('./start.sh', import.meta.url)],
};
export const aborting: Program<Place> = {
  name: 'abort',
  step: 'cancelling the rollback',
  scripts: [new URL('./abort.sh', import.meta.url)],
};
export const searching: Program<{ backup_dir: string; history_id: string }> = {
  name: 'find',
  step: 'the search for the rollback',
  scripts: [new URL('./find.sh', import.meta.url)],
};

/** The engine as it stands in the folder of a transaction, to the byte. */
export const engineScript = () => {
  const parts = engine.map((url) => readFileSync(url, 'utf8'));
  // What it runs in the database's container, so that one hash tells all that an engine can do.
  const inside = `inside_script() {\n  cat <<'INSIDE'\n${replaceScript()}INSIDE\n}`;
  return `${[...parts, inside].join('\n')}\nmain "$@"\n`;
};

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
  const files = new Map([['engine.sh', engineScript()], ...transactionFiles(request)]);
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
