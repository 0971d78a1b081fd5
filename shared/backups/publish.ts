import type { Connection } from '../host/connection.ts';
import type { ProgramOptions } from '../host/program.ts';
import type { PruneDecision } from './retention.ts';
import type { Tier } from './tiers.ts';

/** What every end of a run needs. */
export interface Conclusion {
  backupDir: string;
  /** Absolute. */
  logFile: string;
  logLine: string;
  onLog: (line: string) => void;
}

/** The set that a `Taking` has in its hands. */
export interface Publication extends Conclusion {
  /** As in the lock request of the taking. */
  holder: string;
  id: string;
  /** By bare name; the manifest among them. */
  sidecars: ReadonlyMap<string, string>;
  /** Where the set is linked into, besides daily. */
  tiers: readonly Tier[];
  deletions: readonly PruneDecision[];
}

export interface Rejection extends Conclusion {
  holder: string;
  id: string;
  dump: string;
  reason: string;
}

const program = {
  name: 'publish',
  scripts: [new URL('./folders.sh', import.meta.url), new URL('./publish.sh', import.meta.url)],
};

/** It is short and must not be cut: a runner that dies meanwhile leaves it at work. */
const options = ({ onLog }: Conclusion): ProgramOptions => ({ deadline: 300_000, atEnd: 'finish', onLog });

/**
 * Lets a verified set appear in its tiers, prunes, and writes the line into the log.
 * @returns what went wrong after the set was there, one line each
 * @throws Failure `lock-lost`, `dump-lost`: then nothing was published
 */
export async function publish(connection: Connection, publication: Publication): Promise<string[]> {
  const { sidecars, tiers, deletions } = publication;
  const parameters = [
    ...begin('publish', publication, publication.holder, publication.id),
    String(sidecars.size),
    ...[...sidecars].flat(),
    String(tiers.length),
    ...tiers,
    String(deletions.length),
    ...deletions.map(({ tier, id }) => `${tier}/${id}`),
  ];
  const records = await connection.run(program, parameters, options(publication)).result;
  records.get('published');
  return records.all('problem');
}

/**
 * Puts a dump that failed its verification aside, with the reason, in place of the last one.
 * @returns its absolute path
 */
export async function reject(connection: Connection, rejection: Rejection): Promise<string> {
  const { holder, id, dump, reason } = rejection;
  const parameters = [...begin('reject', rejection, holder, id), dump, reason];
  const records = await connection.run(program, parameters, options(rejection)).result;
  return records.get('rejected');
}

/** Writes only the line into the log: for a run that came to nothing. */
export async function conclude(connection: Connection, conclusion: Conclusion): Promise<void> {
  await connection.run(program, begin('conclude', conclusion, '', ''), options(conclusion)).result;
}

function begin(verb: string, { backupDir, logFile, logLine }: Conclusion, holder: string, id: string): string[] {
  return [verb, backupDir, holder, id, logFile, logLine];
}
