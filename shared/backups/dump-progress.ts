import type { StoryLog } from '../story-log.ts';
import { formatBytes, formatRate } from '../units.ts';

/** Milliseconds. Every line stays in the log for good, so write only a few. */
const betweenLines = 5_000;
/** Also in milliseconds: for a line that says the same as the one before, but for the time. */
const betweenWaits = 30_000;
/** The host looks every few seconds. Until it has not seen the lock for so long, the size of the dump says nothing. */
const longestUnseen = 15_000;

/** Writes the host's progress messages during a dump into the log. */
export class DumpProgress {
  readonly #estimate: number;
  readonly #log: StoryLog;
  readonly #begin = Date.now();
  #lastLine = 0;
  #wait = { text: '', toldAt: 0, seenAt: 0 };

  /** @param estimate expected size of the dump in bytes */
  constructor(estimate: number, log: StoryLog) {
    this.#estimate = estimate;
    this.#log = log;
  }

  tell(name: string, value: string): void {
    if (name === 'waiting-for') this.#log.progress(`Waiting for the lock, held by ${value}`);
    if (name === 'waiting-for-table') this.#waiting(value);
    if (name === 'dumped') this.#dumped(Number(value));
  }

  #dumped(bytes: number): void {
    const now = Date.now();
    if (now - this.#wait.seenAt < longestUnseen) return;
    if (!Number.isFinite(bytes) || now - this.#lastLine < betweenLines) return;
    this.#lastLine = now;
    const rate = formatRate(bytes / ((now - this.#begin) / 1_000));
    // The estimate may be too low: above it, a percentage would only confuse.
    const share = bytes < this.#estimate ? `, ${Math.round((100 * bytes) / this.#estimate)} % of the estimate` : '';
    this.#log.progress(`${formatBytes(bytes)} written, ${rate}${share}`);
  }

  #waiting(holder: string): void {
    const now = Date.now();
    const text = holder.replace(/ for \d[^),]*/, '');
    const isNews = text !== this.#wait.text || now - this.#wait.toldAt >= betweenWaits;
    if (isNews) this.#log.progress(`Waiting for the lock on ${holder}`);
    this.#wait = { text, toldAt: isNews ? now : this.#wait.toldAt, seenAt: now };
  }
}
