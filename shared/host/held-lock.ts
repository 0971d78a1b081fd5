import { isFailure } from '../failure.ts';
import type { Connection } from './connection.ts';
import { lockHeld } from './lock-holder.ts';
import type { LockRequest, Program, Run } from './program.ts';

export interface HeldLockRequest {
  lock: LockRequest;
  /** Milliseconds after which the host takes it back. */
  longest: number;
  signal: AbortSignal;
  onLog: (line: string) => void;
  /** Called with who holds it while this run waits. */
  onWait: (holder: string) => void;
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
export async function holdLock(
  connection: Connection,
  { lock, longest, signal, onLog, onWait }: HeldLockRequest,
): Promise<Pick<Run, 'release'>> {
  const run = connection.run(
    program,
    {},
    { deadline: longest, atEnd: 'linger', lock, signal, onLog, onProgress: (_, value) => onWait(value) },
  );
  try {
    await run.result;
    return run;
  } catch (error) {
    await run.release();
    if (isFailure(error, 'lock-held')) throw lockHeld(error.message, lock.path, lock.wait);
    throw error;
  }
}
