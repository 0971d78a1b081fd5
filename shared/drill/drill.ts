import { Failure, isFailure } from '../failure.ts';
import type { Connection } from '../host/connection.ts';
import type { Program } from '../host/program.ts';
import type { Records } from '../host/records.ts';
import { drillScript, factsAfter, factsBefore, factsTables } from '../postgres/scripts.ts';
import { createOptions, databaseArgument } from '../report/restore-command.ts';
import { folderOf, type VerifiedSet } from '../sets/catalogue.ts';
import { namesOf, sidesOf } from '../sets/read-sets.ts';
import { formatBytes } from '../units.ts';
import { type Restored, readRestored } from './restored.ts';

export interface DrillRequest {
  backupDir: string;
  set: VerifiedSet;
  /** Name or id of an image with this server and its programs, which is on the host. */
  image: string;
  /** Eight hex digits: tells this drill's container from any other. */
  token: string;
  /** Bytes. */
  memory: number;
  /** Bytes that must be free on the disk of Docker before it begins: what it should need, and `leastBytes`. */
  neededBytes: number;
  /** Bytes that must stay free there: with fewer it is ended. */
  leastBytes: number;
  /** Of the sessions that took the dump; empty where it is not known. */
  timezone: string;
  /** Of the user's; each must return true. */
  statements: readonly string[];
  /** Milliseconds for all of it. */
  timeout: number;
  signal: AbortSignal;
  onLog: (line: string) => void;
  onProgress: (name: string, value: string) => void;
}

export interface DrillOutcome {
  /** Null where the dump restored; else why not, and what was said last. */
  fault: { why: string; words: string } | null;
  /** Of the file as it was read meanwhile; null where that failed. */
  sha256: string | null;
  /** Milliseconds from an empty server to restored data. */
  restoreMs: number;
  /** null where it did not restore. */
  restored: Restored | null;
}

const program: Program<
  Record<
    | 'name'
    | 'image'
    | 'memory'
    | 'lifetime'
    | 'needed'
    | 'least'
    | 'dump'
    | 'globals'
    | 'settings'
    | 'format'
    | 'compression'
    | 'database'
    | 'database_argument'
    | 'timezone'
    | 'inside_script'
    | 'facts_before'
    | 'facts_tables'
    | 'facts_after',
    string
  > &
    Record<'initdb_options' | 'statements', readonly string[]>
> = { name: 'drill', step: 'the drill', scripts: [new URL('./drill.sh', import.meta.url)] };

const nameOf = (token: string) => `atlasia-drill-${token}`;

/** Restores a set into a scratch container and looks at what came out. The container is gone afterwards. */
export async function drill(connection: Connection, request: DrillRequest): Promise<DrillOutcome> {
  const { backupDir, set, timeout, statements } = request;
  const { manifest } = set;
  const folder = `${backupDir}/${folderOf(set)}`;
  const names = namesOf(set);
  const sides = sidesOf(set);
  const beside = (side: 'globals' | 'settings') => (sides.includes(side) ? `${folder}/${names[side]}` : '');
  const options = createOptions(manifest);
  const run = connection.run(
    program,
    {
      name: nameOf(request.token),
      image: request.image,
      memory: String(request.memory),
      lifetime: String(Math.ceil(timeout / 1_000)),
      needed: String(request.neededBytes),
      least: String(request.leastBytes),
      dump: `${folder}/${names.dump}`,
      globals: beside('globals'),
      settings: beside('settings'),
      format: manifest.format,
      compression: manifest.compression,
      database: manifest.database,
      database_argument: databaseArgument(manifest.database),
      timezone: request.timezone,
      inside_script: drillScript(),
      facts_before: factsBefore(),
      facts_tables: factsTables(),
      facts_after: factsAfter(),
      initdb_options: options,
      statements,
    },
    {
      deadline: timeout,
      atEnd: 'end',
      signal: request.signal,
      onLog: request.onLog,
      onProgress: request.onProgress,
    },
  );
  try {
    const outcome = readOutcome(await run.result, run.lastLines());
    refuseUnfit(outcome, run.lastLines().slice(-30).join('\n'), set.manifest.sha256, request.image);
    return outcome;
  } catch (error) {
    throw isFailure(error) ? explain(error, request) : error;
  }
}

function explain(failure: Failure, request: DrillRequest): Failure {
  const { image } = request;
  if (failure.code === 'drill-room-gone') return roomGone(failure, request);
  if (failure.code === 'drill-no-room') {
    const [free = 0, needed = 0] = failure.message.split(' ').map(Number);
    return new Failure(
      failure.code,
      `A drill needs ${formatBytes(needed)} on the disk of Docker, and ${formatBytes(free)} are free`,
      { hint: 'Nothing was restored. On the host: docker system df. Or drill on another machine: docs/restore.md' },
    );
  }
  if (failure.code !== 'drill-not-started') return failure;
  return new Failure(failure.code, failure.message, {
    hint: `See whether the image ${image} is PostgreSQL's official one, and has a user "postgres"; raise "drill-memory"`,
    cause: failure.cause,
  });
}

/** What is known: what was free, and what the container itself had filled; not who filled the rest. */
function roomGone({ code, message }: Failure, { token, neededBytes, leastBytes }: DrillRequest): Failure {
  const [free = NaN, filled = NaN] = message.split(' ').map(Number);
  const expected = neededBytes - leastBytes;
  const writes = 'See what the functions, triggers and indexes of the backup write when it is restored';
  let why = `only ${formatBytes(free)} were left on the disk of Docker, less than the ${formatBytes(leastBytes)} of "min-free-space"`;
  let next = filled > expected ? writes : 'Make room, or lower "min-free-space", and drill it again';
  if (Number.isNaN(free)) {
    why = 'how much room is free on the disk of Docker could not be seen any more';
    next = 'See whether Docker answers, and what the functions of the backup start when it is restored';
  } else if (free >= leastBytes) {
    why = 'the disk of Docker is almost out of inodes';
    next = `See which disk that is: df -i. ${writes}`;
  }
  const share = Number.isNaN(filled)
    ? ''
    : `. Its container had filled ${formatBytes(filled)}; at most ${formatBytes(expected)} had been expected`;
  const removed = message.endsWith(' gone')
    ? 'The container is removed, with all that it had filled'
    : `The container could not be removed: docker rm --force --volumes ${nameOf(token)}`;
  return new Failure(code, `The drill was ended: ${why}${share}`, {
    hint: `${removed}; nothing else was touched. On the host: docker system df. ${next}`,
  });
}

/** What is said where the scratch server is at fault, and what to do about it. */
const unfit: [said: RegExp, what: string, hint: string][] = [
  [/No space left on device/, 'The disk of Docker is full', 'On the host: docker system df'],
  [
    /Cannot fork|Resource temporarily unavailable/i,
    'The scratch container could start no more processes, of which it may have 200',
    'See what the functions of the backup start',
  ],
  [
    /out of memory|Cannot allocate memory|terminated by signal 9|server closed the connection|terminated abnormally|could not fork|exit 137/i,
    'The scratch server was killed, or had too little memory',
    'Raise "drill-memory"',
  ],
  [
    /extension .* is not available|could not access file|could not open extension control file|shared_preload_libraries/,
    'The image has not all that the source had',
    "Name the image of the source as that of the database's service",
  ],
];

/** Bytes that are those of the manifest, and a server that could not take them: that proves nothing of the backup. */
function refuseUnfit({ fault, sha256 }: DrillOutcome, words: string, wanted: string, image: string): void {
  if (fault === null || sha256 !== wanted) return;
  const found = unfit.find(([said]) => said.test(`${fault.why}\n${words}`));
  if (found === undefined) return;
  throw new Failure('drill-unfit', `${found[1]}: whether the backup restores is not known`, {
    hint: `${found[2]}, and drill it again. The image was ${image}`,
    cause: words,
  });
}

const faults: Record<number, string> = {
  41: 'it does not restore',
  42: 'it does not unpack to its end',
  43: 'it does not end as pg_dump ends a dump: its end is missing',
};

function readOutcome(records: Records, words: readonly string[]): DrillOutcome {
  const status = records.integer('restored');
  const why = faults[status] ?? `the restore was ended from outside (exit ${status})`;
  return {
    fault: status === 0 ? null : { why, words: words.slice(-4).join(' ').trim() },
    sha256: /^[0-9a-f]{64}$/.exec(records.get('sha256'))?.[0] ?? null,
    restoreMs: records.integer('restore-ms'),
    restored: status === 0 ? readRestored(records) : null,
  };
}
