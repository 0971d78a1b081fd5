import { isFailure } from '../failure.ts';
import { folderIdDamaged, offsiteLock } from '../host/backup-folder.ts';
import type { Connection } from '../host/connection.ts';
import { type HeldLock, type HeldLockRequest, holdLockBy } from '../host/held-lock.ts';
import type { Program } from '../host/program.ts';
import type { FolderIds } from './folder-id.ts';

export interface HoldOffsiteRequest extends Omit<HeldLockRequest, 'lock'> {
  backupDir: string;
  /** Milliseconds to wait for another run that copies. */
  wait: number;
  /** As `holderText` makes it. */
  holder: string;
}

export const program: Program<{ backup_dir: string }> = {
  name: 'hold-offsite',
  step: 'taking the lock for off-site copies',
  scripts: [new URL('../survey/folder-id.sh', import.meta.url), new URL('./hold-offsite.sh', import.meta.url)],
};

/**
 * Takes the lock for copies off the host, and tells the ids of the backup folder, which gets one if it has none.
 * @throws Failure `folder-id-damaged`; as `holdLock`
 */
export async function holdOffsite(
  connection: Connection,
  { backupDir, wait, holder, ...request }: HoldOffsiteRequest,
): Promise<Pick<HeldLock, 'release'> & { folderIds: FolderIds }> {
  const lock = { path: offsiteLock(backupDir), wait, holder };
  try {
    const { records, release } = await holdLockBy(connection, program, { backup_dir: backupDir }, { ...request, lock });
    const [own = '', ...takenOver] = records.get('folder-ids').split('\n');
    return { folderIds: [own, ...takenOver], release };
  } catch (error) {
    throw isFailure(error, 'folder-id-damaged') ? folderIdDamaged(backupDir) : error;
  }
}
