import type { VerifiedSet } from '../sets/catalogue.ts';
import type { StoryLog } from '../story-log.ts';
import { formatBytes, formatDuration, formatRate } from '../units.ts';
import type { Confirmation, CopyListener } from './copy-set.ts';

/** Milliseconds. Every line stays in the log for good, so write only a few. */
const betweenLines = 10_000;

/** Writes into the log how the copy of one set gets on. */
export class CopyProgress implements CopyListener {
  readonly #log: StoryLog;
  #file = { name: '', bytes: 0, arrived: 0, beganAt: 0 };
  #lastLine = 0;

  constructor(log: StoryLog, { manifest: { id, sizeBytes } }: VerifiedSet) {
    this.#log = log;
    log.info(`${id}: its dump has ${formatBytes(sizeBytes)}`);
  }

  begins(name: string, bytes: number): void {
    this.#lastLine = Date.now();
    this.#file = { name, bytes, arrived: 0, beganAt: this.#lastLine };
  }

  arrived(bytes: number): void {
    const now = Date.now();
    this.#file.arrived += bytes;
    if (now - this.#lastLine < betweenLines) return;
    this.#lastLine = now;
    this.#log.progress(copyProgressLine({ ...this.#file, ms: now - this.#file.beganAt }));
  }

  confirmed(name: string, confirmation: Confirmation): void {
    const how = confirmation === 'reported' ? 'the store reports the same SHA-256' : 'read back, with the same SHA-256';
    this.#log.success(`${name}: ${formatBytes(this.#file.bytes)}, ${how}`);
  }
}

/** `backup_….dump.zst: 120 MiB of 1.0 GiB copied, 35 MiB/s, about 26 s left` */
export function copyProgressLine(file: { name: string; bytes: number; arrived: number; ms: number }): string {
  const { name, bytes, arrived, ms } = file;
  const rate = arrived / (Math.max(ms, 1) / 1_000);
  const left = rate === 0 ? '' : `, about ${formatDuration((1_000 * Math.max(bytes - arrived, 0)) / rate)} left`;
  return `${name}: ${formatBytes(arrived)} of ${formatBytes(bytes)} copied, ${formatRate(rate)}${left}`;
}
