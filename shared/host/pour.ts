import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { isFailure } from '../failure.ts';
import type { Parameters, Program, ProgramInput, ProgramOptions, Run } from './program.ts';
import { type Access, runProgram } from './run-program.ts';

export const program: Program<{ folder: string }> = {
  name: 'pour',
  step: 'sending to the host',
  scripts: [new URL('./pour.sh', import.meta.url)],
};

/** Bytes of a frame. The host starts a process for each, and holds one in memory; so do we. */
const frameBytes = 1024 * 1024;

/** A new value for the parameter `incoming` of a program. */
export const incomingFolder = (): string => `/tmp/atlasia-incoming-${randomBytes(16).toString('hex')}`;

/**
 * Runs a program to which bytes are sent, in a second session: while it does not read, they must not hold up its heartbeats. If
 * they fail, the program is ended and `result` rejects with that error; if the program fails, they are destroyed.
 */
export function runWithInput<P extends Parameters>(
  access: Access,
  receiver: Program<P>,
  parameters: NoInfer<P>,
  options: ProgramOptions,
  input: ProgramInput,
): Run {
  const stopping = new AbortController();
  const over = new AbortController();
  let cause: unknown;
  let pouring: Promise<void> | undefined;
  const fail = (error: unknown) => {
    // The program that reads says itself why it has stopped.
    if (over.signal.aborted || isFailure(error, 'transfer-unread')) return;
    cause ??= error;
    stopping.abort();
  };
  const run = runProgram(access, receiver, parameters, {
    ...options,
    signal: AbortSignal.any([stopping.signal, ...(options.signal === undefined ? [] : [options.signal])]),
    onProgress: (name, value) => {
      if (name === 'incoming') pouring ??= pour(access, input, { ...options, signal: over.signal }, fail).catch(fail);
      else options.onProgress?.(name, value);
    },
  });
  const result = run.result
    .finally(async () => {
      over.abort();
      await pouring;
    })
    .catch((error) => {
      throw cause ?? error;
    });
  return { ...run, result };
}

/** @param onTrouble hears at once what is wrong with the bytes */
async function pour(
  access: Access,
  { folder, open }: ProgramInput,
  { deadline, onLog, signal }: ProgramOptions & { signal: AbortSignal },
  onTrouble: (error: unknown) => void,
): Promise<void> {
  const content = await open();
  let isWanted = !signal.aborted;
  const stop = () => {
    isWanted = false;
    content.destroy();
  };
  signal.addEventListener('abort', stop, { once: true });
  const begin = (stdin: Writable) => {
    sendFrames(content, stdin).catch((error) => {
      if (isWanted) onTrouble(error);
      // Without its end, so that the host knows.
      stdin.end();
    });
  };
  try {
    const options = { deadline, atEnd: 'end', signal, ...(onLog === undefined ? {} : { onLog }) } as const;
    await runProgram(access, program, { folder }, options, { heartbeat: '0\n', begin }).result;
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

/** Sends all of it, and the end; stops without a word if the host no longer listens. @throws whatever the content fails with */
async function sendFrames(content: Readable, stdin: Writable): Promise<void> {
  let pieces: Buffer[] = [];
  let length = 0;
  const send = async () => {
    const frame = Buffer.concat([Buffer.from(`${length}\n`), ...pieces]);
    pieces = [];
    length = 0;
    if (!stdin.write(frame)) await drained(stdin);
  };
  for await (const chunk of content as AsyncIterable<Buffer>) {
    for (let piece = chunk; piece.length > 0; ) {
      const part = piece.subarray(0, frameBytes - length);
      piece = piece.subarray(part.length);
      pieces.push(part);
      length += part.length;
      if (length === frameBytes) await send();
      if (stdin.destroyed) return;
    }
  }
  if (length > 0) await send();
  stdin.write('end\n');
}

function drained(stdin: Writable): Promise<void> {
  if (stdin.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      stdin.off('drain', done);
      stdin.off('close', done);
      resolve();
    };
    stdin.on('drain', done);
    stdin.on('close', done);
  });
}
