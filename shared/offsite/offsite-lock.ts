import { isFailure } from '../failure.ts';
import type { Connection } from '../host/connection.ts';
import { lockHeld } from '../host/lock-holder.ts';
import type { LockRequest, Program, Run } from '../host/program.ts';

// Copies off the host have a lock of their own: they may take hours, and no backup should wait for them. While it is held, nobody
// else uploads, so an upload that nobody has finished is one that an earlier run left behind.

export interface OffsiteLockRequest {
  backupDir: string;
  /** Who takes it, as `holderText` makes it. */
  holder: string;
  /** Milliseconds to wait for another run. */
  wait: number;
  /** Milliseconds after which the host takes it back. */
  longest: number;
  signal: AbortSignal;
  onLog: (line: string) => void;
  /** Called with who holds it while this run waits. */
  onWait: (holder: string) => void;
}

export const program: Program<Record<never, string>> = {
  name: 'hold-lock',
  step: 'holding the lock for off-site copies',
  scripts: [new URL('./hold-lock.sh', import.meta.url)],
};

export const offsiteLock = (backupDir: string) => `${backupDir}/.lock.offsite`;

/**
 * Takes the lock for off-site copies, and holds it until `release`.
 * @throws Failure `lock-held`, `lock-unusable`, `lock-lost`; as any program's
 */
export async function holdOffsiteLock(
  connection: Connection,
  { backupDir, holder, wait, longest, signal, onLog, onWait }: OffsiteLockRequest,
): Promise<Pick<Run, 'release'>> {
  const lock: LockRequest = { path: offsiteLock(backupDir), wait, holder };
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
    if (isFailure(error, 'lock-held')) throw lockHeld(error.message, lock.path, wait);
    throw error;
  }
}
