import type { Connection } from './connection.ts';
import { connectLocally } from './local.ts';
import { connectBySsh, type SshSurroundings } from './ssh.ts';
import type { SshSettings } from './ssh-settings.ts';

/**
 * Connects to the host that the inputs name.
 * @param ssh null: the runner itself is the host
 * @param surroundings called only for SSH
 */
export async function connect(ssh: SshSettings | null, surroundings: () => SshSurroundings): Promise<Connection> {
  return ssh === null ? connectLocally() : connectBySsh(ssh, surroundings());
}
