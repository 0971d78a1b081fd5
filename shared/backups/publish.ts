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

/** What is needed to end a run, however it ends. */
export interface RunEnding {
  backupDir: string;
  kind: BackupKind;
  /** Absolute. */
  logFile: string;
  logLine: string;
  onLog: (line: string) => void;
}

/** A verified dump to publish, while its `HeldDump` holds the lock. */
export interface Publication extends RunEnding {
  /** The same as in the lock request of the held dump. */
  holder: string;
  id: string;
  /** Written instead of `logLine` if a step after the publication fails. */
  troubledLine: string;
  /** By bare name, including the manifest. */
  sidecars: ReadonlyMap<string, string>;
  /** The tiers into which the set is linked, besides daily. */
  tiers: readonly Tier[];
  deletions: readonly PruneDecision[];
  /** Records to add to the history on the host. */
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

export const publishing: Program<
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
    new URL('../survey/sets.sh', import.meta.url),
    new URL('../sets/folders.sh', import.meta.url),
    new URL('./claim.sh', import.meta.url),
    new URL('./publish.sh', import.meta.url),
  ],
};

export const rejecting: Program<ClaimParameters & { dump: string; reason: string }> = {
  name: 'reject',
  step: 'putting the bad dump aside',
  scripts: [
    new URL('../host/open-parent.sh', import.meta.url),
    new URL('./log-file.sh', import.meta.url),
    new URL('./claim.sh', import.meta.url),
    new URL('./reject.sh', import.meta.url),
  ],
};

export const logging: Program<LogParameters> = {
  name: 'log-run',
  step: 'the line in the log',
  scripts: [
    new URL('../host/open-parent.sh', import.meta.url),
    new URL('./log-file.sh', import.meta.url),
    new URL('./log-run.sh', import.meta.url),
  ],
};

/** The publication is short and must not be interrupted: it goes on even if the runner dies meanwhile. */
const options = ({ onLog }: RunEnding): ProgramOptions => ({ deadline: 300_000, atEnd: 'finish', onLog });

/** What was done after the set was published. */
export interface Published {
  /** Besides daily. */
  entered: string[];
  dropped: number;
  /** What went wrong, one line each. After the first problem nothing more was deleted. */
  problems: string[];
}

/**
 * Publishes a verified set into its tiers, prunes, and writes the line into the log.
 * @throws Failure `lock-lost`, `dump-lost`: nothing was published; `publication-unknown`: it may have been
 */
export async function publish(connection: Connection, publication: Publication): Promise<Published> {
  const { sidecars, tiers, deletions } = publication;
  const parameters = {
    ...claimOf(publication),
    troubled_line: publication.troubledLine,
    sidecar_names: [...sidecars.keys()],
    // A manifest may be long, and the host reads parameters byte by byte: pack it.
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
    'Nothing was published; earlier backups are unchanged. Only a backup may remove or replace .lock and .lock.holder in the backup folder: find out what else does, then run it again',
  'dump-lost':
    'Nothing was published; earlier backups are unchanged. Find out what else deletes files in the backup folder, then run it again',
};

function advised(error: unknown): unknown {
  if (!isFailure(error) || error.hint !== undefined) return error;
  return new Failure(error.code, error.message, {
    ...(hints[error.code] && { hint: hints[error.code] }),
    cause: error.cause,
  });
}

/** What the host does after the program was cut off, or the runner has lost touch with it, by the code of the failure. */
const cutOffs: Partial<Record<FailureCode, string>> = {
  'connection-lost': 'The host finishes on its own. ',
  'program-lost': 'The host finishes on its own. ',
  'host-silent': 'The host may still publish it. ',
  'result-too-large': 'The host finishes on its own. ',
  deadline: '',
  'program-failed': '',
};

function wasCutOff(error: unknown): error is Failure {
  return isFailure(error) && Object.hasOwn(cutOffs, error.code);
}

/** The line of this run's own failure names the id as well, in its message: only one of a publication has the field. */
function unknownOutcome({ id, logFile }: Publication, cause: Failure): Failure {
  return new Failure(
    'publication-unknown',
    `It is unknown whether the verified backup ${id} was published. ${cause.message}`,
    {
      hint: `${cutOffs[cause.code]}To see how it ended, run on the host: grep id=${id} ${logFile}. If that prints nothing, the backup was not kept: run it again`,
      cause,
    },
  );
}

/**
 * Moves a dump that failed its verification into the folder `failed`, with the reason. It replaces the one there.
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

/** Only writes the line into the log, for a run that took no backup. */
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
