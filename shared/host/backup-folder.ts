import { Failure } from '../failure.ts';
import { quoteForShell } from '../shell-quote.ts';

// Paths in the backup folder on the host, and commands for them.

/** The lock. `.lock.holder`, beside it, says who holds it. */
export const lockFile = (backupDir: string) => `${backupDir}/.lock`;

/**
 * Copies off the host have a lock of their own: they may take hours, and no backup should wait for them. While it is held, nobody
 * else uploads, so an upload that nobody has finished is one that an earlier run left behind.
 */
export const offsiteLock = (backupDir: string) => `${backupDir}/.lock.offsite`;

/** By which copies off the host are told from those of other backup folders; made before the first copy. */
const folderIdFile = (backupDir: string) => `${backupDir}/.folder-id`;

/** Without a new id, and without the old one, nobody can tell which copies are this folder's. */
export function folderIdDamaged(backupDir: string): Failure {
  const file = folderIdFile(backupDir);
  return new Failure(
    'folder-id-damaged',
    `${file} does not hold the id of a backup folder, which is 32 digits of 0-9 and a-f in a line`,
    {
      hint: `No copy was made or deleted. If you know the id that its copies in the bucket have, write it into that file. Otherwise remove the file: the next run makes a new id, and leaves earlier copies alone. On the host: rm ${quoteForShell(file)}`,
    },
  );
}

/**
 * Held by a restore of a database that was dropped, from before it creates an empty one until that is replaced or dropped again.
 * Until its copy is there, nothing else tells other restores that the empty one is in use.
 */
export const createdLock = (backupDir: string) => `${backupDir}/.lock.created`;

export const holdFile = (backupDir: string) => `${backupDir}/rollback/HOLD`;

/** The folders of all transactions, by their ids. */
export const transactionsFolder = (backupDir: string) => `${backupDir}/rollback/transactions`;

export const transactionFolder = (backupDir: string, id: string) => `${transactionsFolder(backupDir)}/${id}`;

/** The command to type on the host to finish a transaction without an action. */
export const commandToEnd = (backupDir: string, id: string) =>
  `bash ${quoteForShell(`${transactionFolder(backupDir, id)}/engine.sh`)}`;

/** The command to type on the host to see how a transaction ended. */
export const commandToFollow = (backupDir: string, id: string) =>
  `tail ${quoteForShell(`${transactionFolder(backupDir, id)}/journal`)}`;
