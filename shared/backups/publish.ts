import { Failure, isFailure } from '../failure.ts';
import type { FailureCode } from '../failure-codes.ts';
import { type RecordParameters, recordParameters } from '../history/host-file.ts';
import type { HistoryRecord } from '../history/record.ts';
import type { Connection } from '../host/connection.ts';
import type { Program, ProgramOptions } from '../host/program.ts';
import { pack } from '../packed.ts';
import { folderOfTier, homeOf, layoutLines, type Tier } from '../sets/layout.ts';
import type { BackupKind } from '../sets/manifest.ts';
import type { PruneDecision } from '../sets/retention.ts';

/** What every end of a run needs. */
export interface RunEnding {
  backupDir: string;
  kind: BackupKind;
  /** Absolute. */
  logFile: string;
  logLine: string;
  onLog: (line: string) => void;
}

/** The set that a `HeldDump` has in its hands. */
export interface Publication extends RunEnding {
  /** As in the lock request of the held dump. */
  holder: string;
  id: string;
  /** In place of `logLine` where a step after the publication failed. */
  troubledLine: string;
  /** By bare name; the manifest among them. */
  sidecars: ReadonlyMap<string, string>;
  /** Where the set is linked into, besides daily. */
  tiers: readonly Tier[];
  deletions: readonly PruneDecision[];
  /** What the history on the host gets. */
  records: readonly HistoryRecord[];
}

export interface Rejection extends RunEnding {
  holder: string;
  id: string;
  dump: string;
  reason: string;
}

type LogParameters = Record<'log_file' | 'log_line', string>;

type ClaimParameters = LogParameters & Record<'backup_dir' | 'id' | 'home' | 'taken_by', string>;

const publishing: Program<
  ClaimParameters &
    RecordParameters & {
      troubled_line: string;
      sidecar_names: readonly string[];
      sidecar_texts: readonly string[];
      layout: readonly string[];
      tiers: readonly string[];
      deletions: readonly string[];
    }
> = {
  name: 'publish',
  step: 'the publication',
  scripts: [
    new URL('../history/history.sh', import.meta.url),
    new URL('../host/open-parent.sh', import.meta.url),
    new URL('./log-file.sh', import.meta.url),
    new URL('../host/sets.sh', import.meta.url),
    new URL('../sets/folders.sh', import.meta.url),
    new URL('./claim.sh', import.meta.url),
    new URL('./publish.sh', import.meta.url),
  ],
};

const rejecting: Program<ClaimParameters & { dump: string; reason: string }> = {
  name: 'reject',
  step: 'putting the bad dump aside',
  scripts: [
    new URL('../host/open-parent.sh', import.meta.url),
    new URL('./log-file.sh', import.meta.url),
    new URL('./claim.sh', import.meta.url),
    new URL('./reject.sh', import.meta.url),
  ],
};

const logging: Program<LogParameters> = {
  name: 'log-run',
  step: 'the line in the log',
  scripts: [
    new URL('../host/open-parent.sh', import.meta.url),
    new URL('./log-file.sh', import.meta.url),
    new URL('./log-run.sh', import.meta.url),
  ],
};

/** It is short and must not be cut: a runner that dies meanwhile leaves it at work. */
const options = ({ onLog }: RunEnding): ProgramOptions => ({ deadline: 300_000, atEnd: 'finish', onLog });

/** What was done once the set was there. */
export interface Published {
  /** Besides daily. */
  entered: string[];
  dropped: number;
  /** What went wrong, one line each. Where there is any, nothing more was deleted. */
  problems: string[];
}

/**
 * Lets a verified set appear in its tiers, prunes, and writes the line into the log.
 * @throws Failure `lock-lost`, `dump-lost`: nothing was published; `publication-unknown`: it may have been
 */
export async function publish(connection: Connection, publication: Publication): Promise<Published> {
  const { sidecars, tiers, deletions } = publication;
  const parameters = {
    ...claimOf(publication),
    troubled_line: publication.troubledLine,
    sidecar_names: [...sidecars.keys()],
    // A manifest may be long, and the host reads parameters byte by byte.
    sidecar_texts: [...sidecars.values()].map(pack),
    layout: layoutLines,
    tiers: tiers.map(folderOfTier),
    deletions: deletions.map(({ tier, id }) => `${folderOfTier(tier)}/${id}`),
    ...recordParameters(publication.records),
  };
  try {
    const records = await connection.run(publishing, parameters, options(publication)).result;
    records.get('published');
    return {
      entered: records.all('entered'),
      dropped: records.all('dropped').length,
      problems: records.all('problem'),
    };
  } catch (error) {
    throw wasCutOff(error) ? unknownOutcome(publication, error) : advised(error);
  }
}

const hints: Partial<Record<FailureCode, string>> = {
  'lock-lost':
    'Nothing was published; earlier backups are as they were. Only a backup may remove or replace .lock and .lock.holder in the backup folder. Run it again',
  'dump-lost':
    'Nothing was published; earlier backups are as they were. See what cleans up in the backup folder. Run it again',
};

function advised(error: unknown): unknown {
  if (!isFailure(error) || error.hint !== undefined) return error;
  return new Failure(error.code, error.message, {
    ...(hints[error.code] && { hint: hints[error.code] }),
    cause: error.cause,
  });
}

/** What the host does where it was not heard to its end. */
const cutOffs: Partial<Record<FailureCode, string>> = {
  'connection-lost': 'The host goes on by itself. ',
  'program-lost': 'The host goes on by itself. ',
  'host-silent': 'The host may do it yet. ',
  deadline: '',
};

function wasCutOff(error: unknown): error is Failure {
  return isFailure(error) && Object.hasOwn(cutOffs, error.code);
}

function unknownOutcome({ id, logFile }: Publication, cause: Failure): Failure {
  return new Failure(
    'publication-unknown',
    `It is not known whether the verified backup ${id} was published. ${cause.message}`,
    {
      hint: `${cutOffs[cause.code]}See how it ended: grep ${id} ${logFile}. Without a line there, the backup was not kept; run it again`,
      cause,
    },
  );
}

/**
 * Puts a dump that failed its verification aside, with the reason, in place of the last one.
 * @returns its absolute path
 */
export async function reject(connection: Connection, rejection: Rejection): Promise<string> {
  const { dump, reason } = rejection;
  const parameters = { ...claimOf(rejection), dump, reason };
  try {
    return (await connection.run(rejecting, parameters, options(rejection)).result).get('rejected');
  } catch (error) {
    throw advised(error);
  }
}

/** Writes only the line into the log: for a run that came to nothing. */
export async function logRun(connection: Connection, ending: RunEnding): Promise<void> {
  await connection.run(logging, logOf(ending), options(ending)).result;
}

function claimOf(claim: Publication | Rejection): ClaimParameters {
  const { backupDir, id, kind, holder } = claim;
  return { backup_dir: backupDir, id, home: homeOf(kind).folder, taken_by: holder, ...logOf(claim) };
}

function logOf({ logFile, logLine }: RunEnding): LogParameters {
  return { log_file: logFile, log_line: logLine };
}
