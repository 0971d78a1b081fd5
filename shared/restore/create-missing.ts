import { isFailure } from '../failure.ts';
import type { Connection } from '../host/connection.ts';
import type { LockRequest, Program } from '../host/program.ts';
import { replaceScript } from '../postgres/scripts.ts';
import { type Server, serverParameters } from './server.ts';

export const program: Program<
  Record<
    'container' | 'user' | 'database' | 'server_host' | 'server_port' | 'password_from' | 'inside_script' | 'verb',
    string
  >
> = {
  name: 'create-missing',
  step: 'looking for the database',
  scripts: [new URL('./create-missing.sh', import.meta.url)],
};

/** A database that the server lacked. `plain-user`, `standby`: so it could not be created. */
export interface Missing {
  state: 'missing' | 'created' | 'plain-user' | 'standby';
  name: string;
}

/**
 * Looks whether the server lacks a database, and creates an empty one in its place if it may.
 * @param server its database is the one that was asked for; empty: the one that the container's variables name
 * @returns null if it is there
 * @throws Failure `database-silent`
 */
export async function createMissing(
  connection: Connection,
  server: Server,
  { mayCreate, signal, onLog }: { mayCreate: boolean; signal: AbortSignal; onLog: (line: string) => void },
): Promise<Missing | null> {
  const parameters = parametersFor(server, mayCreate ? 'create_missing' : 'missing');
  const records = await connection.run(program, parameters, { deadline: 120_000, atEnd: 'finish', signal, onLog })
    .result;
  const [, state, name = ''] = /^(\S+) (.*)$/s.exec(records.get('answer')) ?? [];
  return state === undefined ? null : { state: state as Missing['state'], name };
}

/** What became of a database that was created for a restore. `unknown`: the server did not tell. */
export type Fate = 'dropped' | 'gone' | 'not-empty' | 'restoring' | 'in-use' | 'unknown';

/**
 * Drops what `createMissing` has created, unless it is in use, or no longer as it was created.
 * @param lock who holds it may have taken it over
 */
export async function dropCreated(
  connection: Connection,
  server: Server,
  { lock, onLog }: { lock: LockRequest; onLog: (line: string) => void },
): Promise<Fate> {
  try {
    const run = connection.run(program, parametersFor(server, 'drop_created'), {
      deadline: 60_000,
      atEnd: 'finish',
      lock,
      onLog,
    });
    return (await run.result).get('answer') as Fate;
  } catch (error) {
    if (!isFailure(error)) throw error;
    if (error.code === 'lock-held') return 'restoring';
    onLog(`Could not drop ${server.database}: ${error.message}`);
    return 'unknown';
  }
}

const parametersFor = (server: Server, verb: string) => ({
  ...serverParameters(server),
  database: server.database,
  inside_script: replaceScript(),
  verb,
});
