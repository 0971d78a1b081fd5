import { isFailure } from '../failure.ts';
import { lockFile } from '../host/backup-folder.ts';
import type { Connection } from '../host/connection.ts';
import { lockHeld } from '../host/lock-holder.ts';
import type { Program } from '../host/program.ts';
import type { BackupRun } from './backup-order.ts';

// What a run decides about a backup folder holds only as long as no other run changes it. So a run that finds the lock taken
// stands in line; when it is next it looks at the folder again, and takes the lock before anybody else in the line can.

export const program: Program<Record<never, string>> = {
  name: 'await-turn',
  step: 'waiting for the lock',
  scripts: [new URL('./await-turn.sh', import.meta.url)],
};

/** A place at the head of the line: nobody else in it takes the lock until `giveUp`. */
export interface Turn {
  giveUp(): Promise<void>;
}

/** Milliseconds that the survey may take once the lock is free. */
const longestLook = 150_000;
/** Milliseconds to wait for the host's word that the turn is free. */
const longestGivingUp = 5_000;

/**
 * Stands in line for the lock of the backup folder, until it is free and this run is next.
 * @param onWait called with who holds the lock, while there is one
 * @throws Failure `lock-held`, `lock-unusable`, `lock-lost`; as any program's
 */
export async function awaitTurn(
  connection: Connection,
  { order, holder, signal }: BackupRun,
  onWait: (holder: string) => void,
  onLog: (line: string) => void,
): Promise<Turn> {
  const { backupDir, lockWait, timeout } = order;
  const run = connection.run(
    program,
    {},
    {
      // It has to last until the dump is there; the lock itself is held by then.
      deadline: lockWait + longestLook + lockWait + timeout,
      atEnd: 'linger',
      lock: { path: `${lockFile(backupDir)}.turn`, wait: lockWait, holder },
      signal,
      onLog,
      onProgress: (name, value) => {
        if (name === 'waiting-for') onWait(value);
      },
    },
  );
  const giveUp = async () => {
    await run.release(longestGivingUp);
  };
  try {
    await run.result;
    return { giveUp };
  } catch (error) {
    await giveUp();
    if (isFailure(error, 'lock-held')) throw lockHeld(error.message, backupDir, lockWait);
    throw error;
  }
}
