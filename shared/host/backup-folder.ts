import { quoteForShell } from '../shell-quote.ts';

// Paths in the backup folder on the host, and commands for them.

/** The lock. `.lock.holder`, beside it, says who holds it. */
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
