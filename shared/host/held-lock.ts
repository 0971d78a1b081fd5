import { isFailure } from '../failure.ts';
import type { Connection } from './connection.ts';
import { lockHeld } from './lock-holder.ts';
import type { LockRequest, Parameters, Program, Run } from './program.ts';
import type { Records } from './records.ts';

export interface HeldLockRequest {
  lock: LockRequest;
  /** Milliseconds after which the host takes it back. */
  longest: number;
  signal: AbortSignal;
  onLog: (line: string) => void;
  /** Called with who holds it while this run waits. */
  onWait: (holder: string) => void;
}

/** A lock on the host, and what the program told that has taken it. */
export interface HeldLock extends Pick<Run, 'release'> {
  records: Records;
}

export const program: Program<Record<never, string>> = {
  name: 'hold-lock',
  step: 'holding a lock',
  scripts: [new URL('./hold-lock.sh', import.meta.url)],
};

/**
 * Takes a lock that outlasts a program, and holds it until `release`, or until the runner is gone.
 * @throws Failure `lock-held`, `lock-unusable`, `lock-lost`; as any program's
 */
export function holdLock(connection: Connection, request: HeldLockRequest): Promise<HeldLock> {
  return holdLockBy(connection, program, {}, request);
}

/** The same, by a program that does its own work first. */
export async function holdLockBy<P extends Parameters>(
  connection: Connection,
  taking: Program<P>,
  parameters: P,
  { lock, longest, signal, onLog, onWait }: HeldLockRequest,
): Promise<HeldLock> {
  const run = connection.run(taking, parameters, {
    deadline: longest,
    atEnd: 'linger',
    lock,
    signal,
    onLog,
    onProgress: (_, value) => onWait(value),
  });
  try {
    return { records: await run.result, release: (patience) => run.release(patience) };
  } catch (error) {
    await run.release();
    if (isFailure(error, 'lock-held')) throw lockHeld(error.message, lock.path, lock.wait);
    throw error;
  }
}
