import { lockFile } from '../shared/host/backup-folder.ts';
import type { Connection } from '../shared/host/connection.ts';
import { type Loaded, load } from '../shared/restore/load.ts';
import * as log from '../shared/runner/log.ts';
import { formatBytes, formatDuration } from '../shared/units.ts';
import type { RollbackInputs } from './inputs.ts';
import type { Restorable } from './restorable.ts';

/** Restores the backup beside the live database, and tells the log how far it is. */
export async function loadBackup(
  connection: Connection,
  restoring: Restorable,
  inputs: RollbackInputs,
  { holder, signal }: { holder: string; signal: AbortSignal },
): Promise<Loaded> {
  const { manifest, exchange, source } = restoring;
  return log.group(`Restore ${manifest.id} beside the live database`, async () => {
    if (source.isSent) log.info('The dump flows through this runner: nothing of it is kept here');
    const loaded = await load(connection, {
      backupDir: inputs.backupDir,
      server: restoring.server,
      source,
      manifest,
      restored: exchange.restored,
      madeAs: restoring.madeAs,
      roles: restoring.roles.statements,
      settings: restoring.settings,
      afterSql: restoring.afterSql,
      dataFolder: restoring.dataFolder,
      least: inputs.minFreeSpace,
      lock: { path: lockFile(inputs.backupDir), wait: inputs.lockWait, holder },
      timeout: inputs.timeout,
      signal,
      onLog: log.host,
      onProgress: tellLoad,
    });
    for (const { name, result, detail } of loaded.findings) if (result === 'passed') log.info(`✔ ${name}: ${detail}`);
    for (const problem of loaded.problems) log.warning(problem);
    log.success(`Restored as ${exchange.restored} in ${formatDuration(loaded.restoreMs)}; nobody uses it yet`);
    return loaded;
  });
}

const steps: Record<string, string> = {
  checking: 'Comparing what was restored with the manifest',
  'after-sql': 'Running after-restore-sql',
  analyzing: 'Running ANALYZE on the restored database',
};

function tellLoad(name: string, value: string): void {
  if (name === 'restoring') log.progress(`Restoring ${formatBytes(Number(value))}`);
  else if (name === 'waiting-for') log.progress(`Waiting for the lock, held by ${value}`);
  else log.progress(steps[name] ?? name);
}
