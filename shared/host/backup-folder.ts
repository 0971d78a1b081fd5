import { quoteForShell } from '../shell-quote.ts';

// Where things stand in the backup folder on the host, for what the runner asks for and tells of.

/** The lock; who holds it stands beside it, in `.lock.holder`. */
export const lockFile = (backupDir: string) => `${backupDir}/.lock`;

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
