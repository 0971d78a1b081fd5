import { codeOf } from './bucket-failure.ts';

/** What the library says of a try that failed. */
interface FailedTry {
  /** Its own judgement: `TRANSIENT`, `THROTTLING`, or what will not pass. */
  errorType: string;
  error?: unknown;
  /** When the store wants to be asked again. */
  retryAfterHint?: Date;
}

/** As the library counts the tries of one request. */
interface Tries {
  getRetryCount(): number;
  /** Milliseconds, which the library waits, or until the request is aborted. */
  getRetryDelay(): number;
}

/** Milliseconds before the second try, twice as many before each further one. */
const firstPause = 1_000;
/** The same where nothing has answered yet: the address is more likely wrong than the store away. */
const firstPauseUnanswered = 50;
const longestPause = 20_000;

/**
 * When the library sends a request again. Its own way gives a store that fails with 500 up after some six seconds, and after some
 * dozens of failures in all: a store that restarts would cost a copy of hours.
 */
export class Retries {
  readonly #attempts: number;
  #hasAnswered = false;

  /** @param attempts how often one request is sent at most */
  constructor(attempts: number) {
    this.#attempts = attempts;
  }

  async acquireInitialRetryToken(): Promise<Tries> {
    return tries(0, 0);
  }

  async refreshRetryTokenForRetry(before: Tries, { errorType, error, retryAfterHint }: FailedTry): Promise<Tries> {
    if (codeOf(error).status !== null) this.#hasAnswered = true;
    const count = before.getRetryCount();
    const passes = errorType === 'TRANSIENT' || errorType === 'THROTTLING';
    // The library then throws what the request failed with.
    if (!passes || count + 1 >= this.#attempts) throw new Error('It is not tried again');
    const first = this.#hasAnswered ? firstPause : firstPauseUnanswered;
    const pause = Math.min(first * 2 ** count, longestPause);
    const asked = Math.min((retryAfterHint?.getTime() ?? 0) - Date.now(), longestPause);
    // Not all parts at the same moment.
    return tries(count + 1, Math.max(asked, (pause * (1 + Math.random())) / 2));
  }

  recordSuccess(): void {
    this.#hasAnswered = true;
  }
}

const tries = (count: number, delay: number): Tries => ({ getRetryCount: () => count, getRetryDelay: () => delay });
