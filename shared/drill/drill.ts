import { Failure, isFailure } from '../failure.ts';
import type { Connection } from '../host/connection.ts';
import type { Program } from '../host/program.ts';
import type { Records } from '../host/records.ts';
import type { TableCount } from '../postgres/facts.ts';
import { failedTable, firstError, firstRefusal, tellError, wordsFile } from '../postgres/said.ts';
import { drillScript, factsScripts } from '../postgres/scripts.ts';
import { createOptions, databaseArgument } from '../report/restore-command.ts';
import { pathOf, type VerifiedSet } from '../sets/catalogue.ts';
import { namesOf, sidesOf } from '../sets/read-sets.ts';
import { formatBytes } from '../units.ts';
import { type Restored, readRestored } from './restored.ts';

export interface DrillRequest {
  backupDir: string;
  set: VerifiedSet;
  /** As in the whole manifest. */
  tables: readonly TableCount[];
  /** Name or id of an image on the host with the right PostgreSQL server and its programs. */
  image: string;
  /** Eight hex digits that make the name of this drill's container unique. */
  token: string;
  /** Bytes. */
  memory: number;
  /** Bytes that must be free on Docker's disk before the drill starts: what it should need, plus `leastBytes`. */
  neededBytes: number;
  /** Bytes that must stay free there: below that the drill is stopped. */
  leastBytes: number;
  /** Time zone of the sessions that took the dump; empty if unknown. */
  timezone: string;
  /** The user's SQL statements; each must return true. */
  statements: readonly string[];
  /** Milliseconds in total. */
  timeout: number;
  signal: AbortSignal;
  onLog: (line: string) => void;
  onProgress: (name: string, value: string) => void;
}

export interface DrillOutcome {
  /** null if the dump restored; otherwise why not, what was said of it, and the statement's error if the server refused one. */
  fault: { why: string; words: string; refusal: string | null } | null;
  /** Hash of the file, read during the restore; null if that failed. */
  sha256: string | null;
  /** Milliseconds from an empty server to restored data. */
  restoreMs: number;
  /** null if it did not restore. */
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
    | 'backup_dir'
    | 'inside_script'
    | 'facts_before'
    | 'facts_tables'
    | 'facts_after'
    | 'chosen',
    string
  > &
    Record<'initdb_options' | 'statements', readonly string[]>
> = {
  name: 'drill',
  step: 'the drill',
  scripts: [new URL('../postgres/postgres-words.sh', import.meta.url), new URL('./drill.sh', import.meta.url)],
};

const nameOf = (token: string) => `atlasia-drill-${token}`;

/** What the restored database is asked for: the same hashes as the source. */
function hashedIn(tables: readonly TableCount[]): { schema: string; name: string; oneIn: number }[] {
  return tables.flatMap(({ schema, name, content }) =>
    content === null ? [] : [{ schema, name, oneIn: content.oneIn }],
  );
}

/** A value for psql's \set. */
const psqlValue = (text: string) => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;

/** Restores a set into a scratch container and inspects the result. The container is removed afterwards. */
export async function drill(connection: Connection, request: DrillRequest): Promise<DrillOutcome> {
  const { backupDir, set, timeout, statements } = request;
  const { manifest } = set;
  const folder = `${backupDir}/${pathOf(set)}`;
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
      backup_dir: backupDir,
      inside_script: drillScript(),
      ...factsScripts(),
      chosen: psqlValue(JSON.stringify(hashedIn(request.tables))),
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
    const outcome = readOutcome(await run.result, run.lastLines(), backupDir);
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
      `Not enough space on Docker's disk: a drill needs ${formatBytes(needed)}, and ${formatBytes(free)} are free`,
      {
        hint: 'Nothing was restored. Make room: docker system df on the host. Or drill on another machine: docs/restore.md',
      },
    );
  }
  if (failure.code !== 'drill-not-started') return failure;
  return new Failure(failure.code, failure.message, {
    hint: `Check that ${image} is an official PostgreSQL image with a user "postgres", or raise "drill-memory"`,
    cause: failure.cause,
  });
}

/** States only what is known: the free space, and what the container itself used. Not who used the rest. */
function roomGone({ code, message }: Failure, { token, neededBytes, leastBytes }: DrillRequest): Failure {
  const [free = NaN, filled = NaN] = message.split(' ').map(Number);
  const expected = neededBytes - leastBytes;
  const writes = 'Check what the functions, triggers and indexes of the backup write when it is restored';
  let why = `Docker's disk had only ${formatBytes(free)} left, less than "min-free-space" (${formatBytes(leastBytes)})`;
  let next = filled > expected ? writes : 'Make room, or lower "min-free-space", then drill it again';
  if (Number.isNaN(free)) {
    why = "could no longer tell how much space is free on Docker's disk";
    next = 'Check that Docker answers, and what the functions of the backup start when it is restored';
  } else if (free >= leastBytes) {
    why = "Docker's disk is almost out of inodes";
    next = `To see which disk: df -i. ${writes}`;
  }
  const share = Number.isNaN(filled)
    ? ''
    : `. Its container had used ${formatBytes(filled)}; at most ${formatBytes(expected)} was expected`;
  const removed = message.endsWith(' gone')
    ? 'The container was removed and its space freed'
    : `The container could not be removed: docker rm --force --volumes ${nameOf(token)}`;
  return new Failure(code, `Stopped the drill: ${why}${share}`, {
    hint: `${removed}; nothing else was touched. On the host: docker system df. ${next}`,
  });
}

/** Output that shows that the scratch server is at fault and not the backup, and what to do about it. */
const unfit: [said: RegExp, what: string, hint: string][] = [
  [/No space left on device/, "Docker's disk is full", 'Make room: docker system df on the host'],
  [
    /Cannot fork|Resource temporarily unavailable/i,
    'The scratch container could not start another process (its limit is 200)',
    'Check what the functions of the backup start',
  ],
  [
    /out of memory|Cannot allocate memory|terminated by signal 9|server closed the connection|terminated abnormally|could not fork|exit 137/i,
    'The scratch server was killed or ran out of memory',
    'Raise "drill-memory"',
  ],
  [
    /extension .* is not available|could not access file|could not open extension control file|shared_preload_libraries/,
    'The image lacks an extension or library that the source had',
    "Give the database's service the image of the source",
  ],
];

/** If the file matches its manifest but the scratch server failed, nothing is proven about the backup. */
function refuseUnfit({ fault, sha256 }: DrillOutcome, words: string, wanted: string, image: string): void {
  if (fault === null || sha256 !== wanted) return;
  const found = unfit.find(([said]) => said.test(`${fault.why}\n${words}`));
  if (found === undefined) return;
  throw new Failure('drill-unfit', `${found[1]}, so the drill proved nothing about the backup`, {
    hint: `${found[2]}, then drill it again. The image was ${image}`,
    cause: words,
  });
}

const faults: Record<number, string> = {
  41: 'it does not restore',
  42: 'it cannot be decompressed completely',
  43: 'its end is missing: it does not end the way pg_dump ends a dump',
};

function readOutcome(records: Records, lines: readonly string[], backupDir: string): DrillOutcome {
  const status = records.integer('restored');
  const why = faults[status] ?? `the restore was cut short (exit ${status})`;
  return {
    fault: status === 0 ? null : { why, words: tellFault(lines, backupDir), refusal: firstRefusal(lines) },
    sha256: /^[0-9a-f]{64}$/.exec(records.get('sha256'))?.[0] ?? null,
    restoreMs: records.integer('restore-ms'),
    restored: status === 0 ? readRestored(records) : null,
  };
}

/** The error first, then in which table. */
function tellFault(lines: readonly string[], backupDir: string): string {
  const error = firstError(lines);
  if (error === null) return lines.slice(-4).join(' ').trim();
  const table = failedTable(lines);
  const where = table === null ? '' : ` (in the rows of ${table})`;
  return `${tellError(error, backupDir)}${where}. All that PostgreSQL said is in ${wordsFile(backupDir)} on the host`;
}
