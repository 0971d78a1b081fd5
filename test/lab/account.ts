import { userInfo } from 'node:os';
import { asRoot, attempt, isRoot, run } from './command.ts';
import { alone } from './folder.ts';

/** The ordinary user that a host is deployed to with. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

const deployer = 'atlasia-deploy';

/** Root makes a user for it, which stays; everybody else is that user themselves. */
export async function hostAccount(): Promise<Account> {
  if (isRoot()) {
    await alone('account', makeDeployer);
    return accountOf(deployer);
  }
  const { username, uid, gid, homedir } = userInfo();
  return { name: username, uid, gid, home: homedir };
}

/** Another user of the machine, who has no part in any host: what such a one can do, anybody can. */
export async function strangerAccount(): Promise<Account> {
  return accountOf('nobody');
}

/** Whether it is not the user that runs the tests. */
export function isAnother(account: Account): boolean {
  return process.getuid?.() !== account.uid;
}

/** The command as the account runs it, with all the groups of its own. */
export function as(account: Account, command: readonly string[]): string[] {
  if (!isAnother(account)) return [...command];
  const identity = [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--init-groups'];
  return asRoot(['setpriv', ...identity, '--', ...command]);
}

/** Gives a folder and all in it to the account. */
export async function giveTo(account: Account, path: string): Promise<void> {
  if (isRoot()) await run(['chown', '-R', `${account.uid}:${account.gid}`, path]);
}

async function makeDeployer(): Promise<void> {
  if ((await attempt(['id', deployer])).code === 0) return;
  await run(['useradd', '--create-home', '--shell', '/bin/bash', '--groups', 'docker', deployer]);
  // A locked account ("!") may not log in by key either; "*" only means that no password fits.
  await run(['usermod', '--password', '*', deployer]);
}

async function accountOf(name: string): Promise<Account> {
  const [, , uid, gid, , home = ''] = (await run(['getent', 'passwd', name])).trim().split(':');
  return { name, uid: Number(uid), gid: Number(gid), home };
}
