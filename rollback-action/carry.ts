import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, isFailure } from '../shared/failure.ts';
import type { FailureCode } from '../shared/failure-codes.ts';
import { commandToFollow, transactionsFolder } from '../shared/host/backup-folder.ts';
import type { Connection } from '../shared/host/connection.ts';
import * as log from '../shared/runner/log.ts';
import { quoteForShell } from '../shared/shell-quote.ts';
import { abortTransaction, findTransaction, startTransaction } from '../shared/transaction/start-transaction.ts';
import { stillOpen } from '../shared/transaction/transaction.ts';
import type { TransactionRequest } from '../shared/transaction/transaction-files.ts';
import { type Ended, followToTheEnd } from '../shared/transaction/unfinished.ts';
import { TransactionProgress } from './progress.ts';

/** A finished transaction. */
export interface Carried extends Ended {
  id: string;
}

export interface Carrying {
  request: TransactionRequest;
  signal: AbortSignal;
  /** Opens a new connection to the host after one was lost. */
  reconnect: () => Promise<Connection>;
  /** Called as soon as the id is known. */
  onId: (id: string) => void;
}

/** Keep trying to reconnect for this many milliseconds; the host carries on in the meantime. */
const reconnectingFor = 3 * 60_000;
const betweenTries = 3_000;
const mostLosses = 100;
/** The runner gives a cancelled step 7.5 s; our wrapper ends it after 6.5 s. */
const patienceAfterCancel = 4_500;

/**
 * Starts the transaction and follows it until it has finished, over several connections if necessary.
 * @throws Failure `cancelled`, `outcome-unknown`, `stuck`: the host carries on by itself; another one before `onId`: nothing was started
 */
export async function carry(connection: Connection, carrying: Carrying): Promise<Carried> {
  const { request, signal } = carrying;
  const { backupDir } = request;
  const steady = new SteadyConnection(connection, carrying);
  const id = await start(steady, carrying);
  carrying.onId(id);

  const progress = new TransactionProgress();
  let linesSeen = 0;
  const following = steady.use(id, (current) =>
    followToTheEnd(current, backupDir, id, linesSeen, {
      deadline: 24 * 3_600_000,
      onLog: log.host,
      onLine: (line) => {
        linesSeen += 1;
        progress.tell(line);
      },
    }),
  );
  const ended = await Promise.race([following, cancelled(signal).then(() => null)]);
  const followed = ended ?? (await cancel(steady, id, following, carrying));
  return { id, ...followed };
}

async function start(steady: SteadyConnection, { request }: Carrying): Promise<string> {
  const { connection } = steady;
  try {
    return await startTransaction(connection, request, log.host);
  } catch (error) {
    if (!wasLost(error) && !wasSilent(error)) throw error;
    // The host may have started it before the connection broke.
    const found = await steady
      .use(null, (current) => findTransaction(current, request.backupDir, request.historyId, log.host))
      .catch((lost) => {
        throw isFailure(lost) ? perhapsStarted(request, lost) : lost;
      });
    if (found === null) throw error;
    return found;
  }
}

function perhapsStarted({ backupDir, historyId }: TransactionRequest, cause: Failure): Failure {
  const plans = `${quoteForShell(transactionsFolder(backupDir))}/*/plan.tsv`;
  return new Failure('outcome-unknown', 'Lost contact while the rollback was being started', {
    hint: `The host may have started it; if it has, it will finish it by itself. If the following command names no file, nothing was started: run it again. On the host: grep -l ${historyId} ${plans}`,
    cause,
  });
}

/** Before the swap this ends the transaction. After that the host finishes it: nothing may stay half-swapped. */
async function cancel<T>(
  steady: SteadyConnection,
  id: string,
  following: Promise<T>,
  { request }: Carrying,
): Promise<T> {
  const { backupDir } = request;
  await Promise.race([
    abortTransaction(steady.connection, backupDir, id, log.host).catch(() => {}),
    sleep(patienceAfterCancel / 2, undefined, { ref: false }),
  ]);
  const unlessLost = following.catch((error) => {
    if (isFailure(error, 'outcome-unknown')) return null;
    throw error;
  });
  const ended = await Promise.race([unlessLost, sleep(patienceAfterCancel / 2, null, { ref: false })]);
  if (ended !== null) return ended;
  throw new Failure('cancelled', `Cancelled, but the host is still working on transaction ${id} and will finish it`, {
    hint: `To see how it ended, run on the host: ${commandToFollow(backupDir, id)}`,
  });
}

function cancelled(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

const lossCodes: readonly FailureCode[] = [
  'connection-lost',
  'program-lost',
  'host-unreachable',
  'connection-timed-out',
  'connection-refused',
  'connection-closed',
];

function wasLost(error: unknown): boolean {
  return isFailure(error, ...lossCodes);
}

/** The host hangs although the connection is up: another connection would not help. */
function wasSilent(error: unknown): boolean {
  return isFailure(error, 'host-silent');
}

/** The connection to the host, reopened when it is lost. */
class SteadyConnection {
  connection: Connection;
  readonly #carrying: Carrying;

  constructor(connection: Connection, carrying: Carrying) {
    this.connection = connection;
    this.#carrying = carrying;
  }

  /** @param id for the error message if the connection stays lost; null: it is not known whether anything was started */
  async use<T>(id: string | null, work: (connection: Connection) => Promise<T>): Promise<T> {
    const { request, signal, reconnect } = this.#carrying;
    const outOfReach = (error: unknown) => (id === null ? error : stillOpen(request.backupDir, id, error));
    let lostSince: number | undefined;
    for (let losses = 0; ; losses += 1) {
      try {
        return await work(this.connection);
      } catch (error) {
        if (wasSilent(error) || (wasLost(error) && signal.aborted)) throw outOfReach(error);
        if (!wasLost(error)) throw error;
        lostSince ??= Date.now();
        if (losses === mostLosses || Date.now() - lostSince > reconnectingFor) throw outOfReach(error);
        log.progress('Lost the connection; the host carries on. Reconnecting');
      }
      await sleep(betweenTries, undefined, { signal }).catch(() => {});
      try {
        this.connection = await reconnect();
        lostSince = undefined;
      } catch (error) {
        if (!wasLost(error)) throw outOfReach(error);
      }
    }
  }
}
