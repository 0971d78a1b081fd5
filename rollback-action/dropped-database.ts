import { askedDatabase, findDatabase } from '../shared/backups/find-database.ts';
import { Failure, isFailure } from '../shared/failure.ts';
import { createdLock } from '../shared/host/backup-folder.ts';
import type { Connection } from '../shared/host/connection.ts';
import { holdLock } from '../shared/host/held-lock.ts';
import type { Run } from '../shared/host/program.ts';
import { inContainer, pastedLine } from '../shared/report/in-container.ts';
import { createMissing, dropCreated, type Fate, type Missing } from '../shared/restore/create-missing.ts';
import type { Server } from '../shared/restore/server.ts';
import * as log from '../shared/runner/log.ts';
import type { Survey } from '../shared/survey/survey.ts';
import type { RollbackInputs } from './inputs.ts';

/** An empty database that this run has created. */
export interface Created {
  server: Server;
  /** For commands that people type. */
  containerName: string;
}

/** A run that may have to create what it restores into. */
export interface CreatingRun {
  /** The empty database that it has created, or has taken over; null if there is none. */
  created: Created | null;
  /** Holds `createdLock`; null until it is needed. */
  held: Pick<Run, 'release'> | null;
  holder: string;
  signal: AbortSignal;
}

/**
 * A database that was dropped can be restored as well: an empty one is created for the backup to replace.
 * One that an earlier run has created, and was cut off, is taken for ours: it goes again as well if this comes to nothing. Unless
 * somebody works on the host: that may be the run which has created it. Before that one has a copy, or a lock on the folder, the lock
 * on what it has created tells that it lives.
 * @param look surveys the host again; asks this database, or null for the one of the inputs
 * @param run `created` is set before anything else can fail; if it was already, this changes nothing
 * @returns what was seen at last
 * @throws Failure `cannot-restore` if it is missing and cannot be created, or nothing may be changed; `lock-held`
 */
export async function createDropped(
  connection: Connection,
  seen: Survey,
  inputs: RollbackInputs,
  look: (database: string | null) => Promise<Survey>,
  run: CreatingRun,
): Promise<Survey> {
  if (run.created !== null) return seen;
  // What was seen without the lock may be over.
  const locked = async () => {
    run.held = await holdCreated(connection, inputs, run);
    return createDropped(connection, await look(null), inputs, look, run);
  };
  const { id, name } = findDatabase(seen, inputs);
  if (!isRefused(seen)) {
    const { isLeftover, database, user, access } = askedDatabase(seen);
    if (!isLeftover || inputs.planOnly || seen.lockHolder !== null) return seen;
    if (run.held === null) return locked();
    run.created = { server: { container: id, user, database, access }, containerName: name };
    log.notice(`The database "${database}" is empty: an earlier restore created it and was cut off`);
    return seen;
  }
  // How the server is reached, if it is there at all.
  const other = await look('template1');
  if (isRefused(other)) return seen;
  const { access, user } = askedDatabase(other);
  const server: Server = {
    container: id,
    user: inputs.databaseUser ?? '',
    database: inputs.databaseName ?? '',
    access,
  };
  const mayCreate = run.held !== null;
  const missing = await createMissing(connection, server, { mayCreate, signal: run.signal, onLog: log.host });
  if (missing === null) return seen;
  if (missing.state === 'missing' && !inputs.planOnly) return locked();
  if (missing.state !== 'created') throw notCreated(missing, user, name);
  run.created = { server: { ...server, database: missing.name }, containerName: name };
  log.notice(`The server had no database "${missing.name}": created an empty one, which the backup replaces`);
  return look(null);
}

function holdCreated(connection: Connection, inputs: RollbackInputs, { holder, signal }: CreatingRun) {
  const { backupDir, lockWait, timeout } = inputs;
  return holdLock(connection, {
    lock: { path: createdLock(backupDir), wait: lockWait, holder },
    // As long as the longest restore with all that comes before and after it.
    longest: 8 * timeout + lockWait,
    signal,
    onLog: log.host,
    onWait: (other) => log.progress(`Waiting for another restore of a database that was dropped: ${other}`),
  });
}

function notCreated({ state, name }: Missing, user: string, container: string): Failure {
  if (state === 'missing')
    return new Failure('cannot-restore', `The server has no database "${name}", so there is nothing to plan`, {
      hint: `Nothing was changed. If it was dropped, run this without "plan-only", which creates it; or create an empty one, on the host: ${pastedLine(['docker', 'exec', container, 'createdb', `--username=${user}`, '--', name])}. If you meant another database, correct "db-name"`,
    });
  const [why, remedy] =
    state === 'standby'
      ? ['the server is a standby', 'Restore on the primary: set "host", or "db-service"']
      : [`"${user}" is not a superuser`, 'Set "db-user" to one'];
  return new Failure('cannot-restore', `The server has no database "${name}", and ${why}: it cannot be created`, {
    hint: `Nothing was changed. ${remedy}. If you meant another database, correct "db-name"`,
  });
}

/**
 * After a restore that came to nothing, the database is missing as it was before: an empty one would look as if all were well. Unless
 * another restore has taken it over meanwhile: the lock is taken anew, as it was lost with the connection if that was.
 * @returns the failure, which says so if it is still there
 */
export async function withoutCreated(
  connection: Connection,
  created: Created,
  { backupDir, holder }: { backupDir: string; holder: string },
  failure: unknown,
): Promise<unknown> {
  const { database } = created.server;
  const lock = { path: createdLock(backupDir), wait: 10_000, holder };
  const fate = await dropCreated(connection, created.server, { lock, onLog: log.host });
  if (fate === 'dropped')
    log.notice(`Dropped the empty database "${database}" again, which was created for this restore`);
  if (fate === 'dropped' || fate === 'gone' || !isFailure(failure)) return failure;
  const left = describeLeftover(created, fate);
  return new Failure(failure.code, failure.message, {
    hint: failure.hint === undefined ? left : `${failure.hint}\n${left}`,
    cause: failure.cause,
  });
}

/** Gives the command that drops it only if it was seen to be empty, and nobody is about to fill it. */
function describeLeftover(
  { server, containerName: container }: Created,
  fate: Exclude<Fate, 'dropped' | 'gone'>,
): string {
  const { database, user, access } = server;
  const subject = `The database "${database}", created empty for this restore,`;
  switch (fate) {
    case 'not-empty':
      return `${subject} was kept: somebody has changed it since, or restored into it`;
    case 'restoring':
      return `${subject} was kept: another restore is about to replace it. Let that one finish. If there is none, start this one again: it drops what was left`;
    case 'unknown':
      return `${subject} may still be there: the server did not say. The next restore recognizes it, if it is still empty`;
    case 'in-use': {
      const words = ['dropdb', `--username=${user}`, '--maintenance-db=template1', '--', database];
      return `${subject} could not be dropped: it is in use. Once nobody is connected, and if it is still empty, on the host: ${pastedLine([...inContainer({ container, access }), ...words])}`;
    }
  }
}

/** Whether the server, or somebody on the way to it, refused a session. */
function isRefused(seen: Survey): boolean {
  try {
    askedDatabase(seen);
    return false;
  } catch (error) {
    return isFailure(error, 'database-refuses');
  }
}
