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
import { enoughMemory } from './memory.ts';
import { type Restored, readRestored } from './restored.ts';
import { scratchServer } from './scratch-server.ts';

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
  /** Bytes of the largest value in the dump; null if unknown. */
  largestValue: number | null;
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
    | 'schema'
    | 'schema_sha256'
    | 'bootstrap_role'
    | 'monetary'
    | 'configuration'
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
    Record<'createdb_options' | 'libraries' | 'statements', readonly string[]>
> = {
  name: 'drill',
  step: 'the drill',
  scripts: [
    new URL('../postgres/postgres-words.sh', import.meta.url),
    new URL('./compare-schema.sh', import.meta.url),
    new URL('./drill.sh', import.meta.url),
  ],
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
  const beside = (side: 'globals' | 'settings' | 'schema') => (sides.includes(side) ? `${folder}/${names[side]}` : '');
  const server = scratchServer(manifest);
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
      schema: beside('schema'),
      schema_sha256: manifest.schemaSha256 ?? '',
      bootstrap_role: server.bootstrapRole,
      monetary: server.monetary,
      configuration: server.configuration,
      format: manifest.format,
      compression: manifest.compression,
      database: manifest.database,
      database_argument: databaseArgument(manifest.database),
      timezone: request.timezone,
      backup_dir: backupDir,
      inside_script: drillScript(),
      ...factsScripts(),
      chosen: psqlValue(JSON.stringify(hashedIn(request.tables))),
      createdb_options: createOptions(manifest),
      libraries: server.libraries,
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
    const records = await run.result;
    const ranOut = memoryRanOut(records, request);
    const outcome = readOutcome(records, run.lastLines(), backupDir, ranOut);
    refuseUnfit(outcome, run.lastLines().slice(-30).join('\n'), request, {
      ranOut,
      lacks: lacksIn(records),
      hasMoney: records.find('money')?.trim() !== 'f\n\nexit 0',
    });
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
    'Raise "drill-memory" to MEMORY',
  ],
  [
    /extension .* is not available|could not access file|could not open extension control file|shared_preload_libraries|must be (pre)?loaded/,
    'The image lacks an extension or library that the source had',
    "Give the database's service the image of the source",
  ],
];

/** What the scratch container could not offer. */
interface Limits {
  /** The failure if the kernel has killed something because memory ran out; else null. */
  ranOut: Failure | null;
  /** What of the source's server the image lacks: `library NAME`, `lc_monetary`. */
  lacks: string[];
  /** Something of type money was restored, or nobody knows. */
  hasMoney: boolean;
}

/** If the file matches its manifest but the scratch server failed, nothing is proven about the backup. */
function refuseUnfit({ fault, sha256 }: DrillOutcome, words: string, request: DrillRequest, limits: Limits): void {
  const { set, image, memory, largestValue } = request;
  const { ranOut, lacks, hasMoney } = limits;
  const locale = set.manifest.serverSettings?.['lc_monetary'];
  const unfitFor = (what: string, hint: string) =>
    new Failure('drill-unfit', `${what}, so the drill proved nothing about the backup`, {
      hint: `${hint}, then drill it again. The image was ${image}`,
      cause: words,
    });
  const lacksLocale = unfitFor(
    `The image lacks the locale ${locale} (lc_monetary), without which columns of type money do not restore as they were`,
    "Give the database's service an image that has it",
  );
  if (fault === null) {
    if (lacks.includes('lc_monetary') && hasMoney) throw lacksLocale;
    return;
  }
  if (sha256 !== set.manifest.sha256) return;
  if (ranOut !== null) throw ranOut;
  if (lacks.includes('lc_monetary') && /type money/.test(words)) throw lacksLocale;
  const libraries = lacks.flatMap((each) => /^library (.*)$/.exec(each)?.[1] ?? []);
  if (libraries.length > 0) {
    throw unfitFor(
      `The image lacks ${libraries.join(', ')}, which the source loads at its start (shared_preload_libraries), and the dump does not restore without`,
      "Give the database's service the image of the source",
    );
  }
  if (scratchServer(set.manifest).libraries.some((library) => /^(\$libdir\/)?timescaledb/.test(library))) {
    throw unfitFor(
      'TimescaleDB needs more than pg_restore for a restore, and a drill does not do that',
      'Restore it by hand as its documentation says: a drill cannot',
    );
  }
  const found = unfit.find(([said]) => said.test(`${fault.why}\n${words}`));
  if (found !== undefined) throw unfitFor(found[1], found[2].replace('MEMORY', enoughMemory(largestValue, memory)));
}

function memoryRanOut(records: Records, { memory, largestValue }: DrillRequest): Failure | null {
  if (!/^[1-9]/m.test(records.find('kills') ?? '')) return null;
  return new Failure(
    'drill-unfit',
    `Memory ran out in the scratch container, which may use ${formatBytes(memory)}, so the drill proved nothing about the backup`,
    { hint: `Set "drill-memory" to ${enoughMemory(largestValue, memory)}, then drill it again` },
  );
}

const lacksIn = (records: Records) =>
  records
    .get('found')
    .split('\n')
    .flatMap((line) => /^lacks (.*)$/.exec(line)?.[1] ?? []);

const faults: Record<number, string> = {
  41: 'it does not restore',
  42: 'it cannot be decompressed completely',
  43: 'its end is missing: it does not end the way pg_dump ends a dump',
};

function readOutcome(
  records: Records,
  lines: readonly string[],
  backupDir: string,
  ranOut: Failure | null,
): DrillOutcome {
  const status = records.integer('restored');
  const why = faults[status] ?? `the restore was cut short (exit ${status})`;
  return {
    fault: status === 0 ? null : { why, words: tellFault(lines, backupDir), refusal: firstRefusal(lines) },
    sha256: /^[0-9a-f]{64}$/.exec(records.get('sha256'))?.[0] ?? null,
    restoreMs: records.integer('restore-ms'),
    restored: status === 0 ? restoredOr(ranOut, records) : null,
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

/** What is incomplete because memory ran out is not called anything else. */
function restoredOr(ranOut: Failure | null, records: Records): Restored {
  try {
    return readRestored(records);
  } catch (error) {
    throw ranOut ?? error;
  }
}
