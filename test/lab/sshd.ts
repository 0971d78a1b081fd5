import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Account, as, giveTo } from './account.ts';
import { asRoot, attempt, run, whereIs } from './command.ts';
import { type KeyPair, makeKey } from './keys.ts';
import { needPrograms } from './packages.ts';
import { freePort, listening } from './port.ts';
import { type Process, processes, withDescendants } from './processes.ts';

/** An SSH server of an ordinary user, on loopback. */
export interface SshServer {
  port: number;
  pid: number;
  /** What a user pastes as `known-hosts`. */
  knownHosts: string;
  /** Everything the server said. */
  log(): string;
  /** The server's own processes for connections, without the sessions' programs. */
  connections(): Process[];
  stop(): Promise<void>;
}

export interface SshServerOptions {
  /** Its files are kept here. */
  folder: string;
  account: Account;
  /** Those who may log in. */
  authorized: readonly KeyPair[];
  /** What stands in front of each of their keys in authorized_keys. */
  keyOptions?: string;
  /** What every session finds in its environment. */
  environment: Readonly<Record<string, string>>;
  /** Of its host key; by default Ed25519. */
  hostKey?: 'rsa';
  /** Further lines of sshd_config, in front of the usual ones. */
  settings?: readonly string[];
}

/** Starts an SSH server that ends with this process at the latest. */
export async function startSshServer(options: SshServerOptions): Promise<SshServer> {
  await needPrograms({ sshd: 'openssh-server', ssh: 'openssh-client', setpriv: 'util-linux' });
  // sshd wants to see the folder that it would drop root's rights in; a boot empties /run.
  if (!existsSync('/run/sshd')) await run(asRoot(['mkdir', '/run/sshd']));

  const { folder, account } = options;
  const hostKey = await makeKey({ comment: 'host', ...(options.hostKey && { type: options.hostKey }) });
  writeFileSync(join(folder, 'host_key'), hostKey.privateKey, { mode: 0o600 });
  const keyOptions = options.keyOptions === undefined ? '' : `${options.keyOptions} `;
  const lines = options.authorized.map(({ publicKey }) => `${keyOptions}${publicKey}\n`);
  writeFileSync(join(folder, 'authorized_keys'), lines.join(''));

  const port = await freePort();
  const config = join(folder, 'sshd_config');
  writeFileSync(config, configuration(options, port));
  await giveTo(account, folder);

  // Should this process be killed, the kernel ends the server.
  const command = [whereIs('sshd') ?? 'sshd', '-D', '-f', config, '-E', join(folder, 'sshd.log')];
  const [program = '', ...programArguments] = as(account, ['setpriv', '--pdeathsig', 'KILL', ...command]);
  const server = spawn(program, programArguments, { stdio: 'ignore' });
  const ended = once(server, 'exit');
  server.unref();
  const log = () => readFileSync(join(folder, 'sshd.log'), 'utf8');
  await listening(port, () => server.exitCode !== null, log);

  const pid = server.pid ?? 0;
  const [type, key] = hostKey.publicKey.split(' ');
  return {
    port,
    pid,
    knownHosts: `[127.0.0.1]:${port} ${type} ${key}\n`,
    log,
    connections: () => connectionsOf(pid),
    async stop() {
      server.ref();
      const all = withDescendants(pid).map((found) => found.pid);
      await attempt(['kill', '-KILL', ...all.map(String)]);
      await ended;
    },
  };
}

function configuration({ folder, environment, settings = [] }: SshServerOptions, port: number): string {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  // The first of two settings counts.
  return `${settings.map((line) => `${line}\n`).join('')}ListenAddress 127.0.0.1
Port ${port}
HostKey ${join(folder, 'host_key')}
PidFile ${join(folder, 'sshd.pid')}
AuthorizedKeysFile ${join(folder, 'authorized_keys')}
SetEnv ${variables.join(' ')}
# The folders above the keys may be writable by all, as those for temporary files are.
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
UseDNS no
LogLevel VERBOSE
`;
}

/** sshd keeps one process for each connection, and each of those one for its sessions. */
function connectionsOf(server: number): Process[] {
  const all = processes();
  return withDescendants(server, all).filter(({ pid, command }) => pid !== server && command[0]?.startsWith('sshd'));
}
