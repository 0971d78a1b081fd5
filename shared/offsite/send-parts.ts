import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Failure } from '../failure.ts';
import type { PartPlan } from './part-size.ts';

/** One part of an object, in memory until it has been sent. */
export interface Part {
  /** From 1. */
  number: number;
  body: Buffer;
  /** In hex. */
  sha256: string;
}

/**
 * Cuts a stream into parts and sends several at one time. Each may be sent again, because it stays in memory until `send` has
 * ended. Reads no further than the parts in memory allow.
 * @param send given up by its signal as soon as anything fails
 * @returns SHA-256 of each part, in order, once all have been sent
 * @throws what the stream or the first failed `send` threw, after all others have ended
 */
export async function sendParts(
  content: Readable,
  bytes: number,
  plan: PartPlan,
  send: (part: Part, signal: AbortSignal) => Promise<void>,
): Promise<string[]> {
  const sums: string[] = [];
  const free: Buffer[] = [];
  const sending = new Set<Promise<void>>();
  const giveUp = new AbortController();
  let made = 0;
  let failure: { error: unknown } | null = null;
  const fail = (error: unknown) => {
    failure ??= { error };
    giveUp.abort();
    // Ends the wait for the next bytes, which may never come.
    content.destroy();
  };

  const buffer = async (): Promise<Buffer> => {
    while (failure === null && free.length === 0 && made >= plan.inMemory) await Promise.race(sending);
    if (free.length === 0) made += 1;
    return free.pop() ?? Buffer.allocUnsafeSlow(Math.min(plan.partBytes, Math.max(bytes, 1)));
  };
  const begin = (whole: Buffer, length: number) => {
    const body = whole.subarray(0, length);
    const sha256 = createHash('sha256').update(body).digest('hex');
    const part = { number: sums.push(sha256), body, sha256 };
    const transfer = send(part, giveUp.signal)
      .then(() => void free.push(whole), fail)
      .finally(() => sending.delete(transfer));
    sending.add(transfer);
  };

  try {
    let filling: Buffer | null = null;
    let filled = 0;
    let arrived = 0;
    for await (const chunk of content as AsyncIterable<Buffer>) {
      arrived += chunk.length;
      if (arrived > bytes) throw wrongLength(bytes, 'more came');
      for (let at = 0; at < chunk.length; ) {
        filling ??= await buffer();
        if (failure !== null) break;
        const copied = chunk.copy(filling, filled, at);
        at += copied;
        filled += copied;
        if (filled < filling.length) continue;
        begin(filling, filled);
        [filling, filled] = [null, 0];
      }
      if (failure !== null) break;
    }
    if (failure === null && arrived < bytes) throw wrongLength(bytes, `it ended after ${arrived}`);
    if (failure === null && (filled > 0 || sums.length === 0)) begin(filling ?? Buffer.alloc(0), filled);
  } catch (error) {
    fail(error);
  }
  await Promise.all(sending);
  if (failure !== null) throw (failure as { error: unknown }).error;
  return sums;
}

function wrongLength(bytes: number, what: string): Failure {
  return new Failure('copy-differs', `The host announced ${bytes} bytes, but ${what}`, {
    hint: 'Nothing of it is kept in the bucket. Run it again; if it happens again, verify the backups on the host',
  });
}
