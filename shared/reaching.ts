import { once } from 'node:events';
import { formatDuration } from './units.ts';

/**
 * Waits for an answer from elsewhere, at most `patience` milliseconds, and no longer than until a cancel.
 * @throws Error `no answer within 10 s`; what the work throws; the signal's reason
 */
export async function inTime<T>(patience: number, signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const waiting = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
  const givenUp = once(waiting, 'abort').then(() => {
    signal.throwIfAborted();
    throw new Error(`no answer within ${formatDuration(patience)}`);
  });
  return Promise.race([work, givenUp]);
}

/**
 * Why something could not be reached, in one line that is never empty. If several addresses of a name were tried: why the first
 * failed.
 */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error) || 'no reason was given';
  const [line = ''] = error.message.split('\n');
  if (line.trim() === '') return error.cause === undefined ? error.name : reasonOf(error.cause);
  return error.name === 'Error' ? line : `${error.name}: ${line}`;
}
