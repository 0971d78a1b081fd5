import { connect } from '../host/connect.ts';
import type { Connection } from '../host/connection.ts';
import type { SshSettings } from '../host/ssh-settings.ts';
import { diagnoseKey } from './key-diagnosis.ts';
import { makePrivateFolder } from './private-folder.ts';
import type { ActionContext } from './run.ts';

/**
 * Connects to the host of the inputs. Keys and sockets stand in a private folder, which is removed however the step ends.
 * @param ssh null: the runner itself is the host
 */
export function reachHost(
  ssh: SshSettings | null,
  { signal, atEnd }: Pick<ActionContext<never>, 'signal' | 'atEnd'>,
): Promise<Connection> {
  return connect(ssh, () => {
    const folder = makePrivateFolder();
    atEnd(folder.remove);
    return { folder: folder.path, diagnoseKey, signal };
  });
}
