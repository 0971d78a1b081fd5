import { Failure } from '../failure.ts';
import type { Connection } from '../host/connection.ts';
import type { Records } from '../host/records.ts';
import { drillScript, factsAfter, factsBefore, factsTables } from '../postgres/scripts.ts';
import { formatBytes } from '../units.ts';
import { folderOf, type VerifiedSet } from './catalogue.ts';
import { readFacts } from './facts.ts';
import type { TableCount } from './manifest.ts';
import { namesOf, sidesOf } from './read-sets.ts';
import { createOptions, databaseArgument } from './restore-command.ts';
import { stableSchemaHash } from './schema-changes.ts';

export interface DrillRequest {
  backupDir: string;
  set: VerifiedSet;
  /** Name or id of an image with this server and its programs, which is on the host. */
  image: string;
  /** Eight hex digits: tells this drill's container from any other. */
  token: string;
  /** Bytes. */
  memory: number;
  /** Bytes that must be free on the disk of Docker. */
  neededBytes: number;
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

/** What came out of the archive. */
export interface Restored {
  tables: TableCount[];
  /** The value that each is at; null: never used. */
  sequences: { schema: string; name: string; value: string | null }[];
  largeObjects: number;
  extensions: { name: string; version: string }[];
  /** As the manifest has it. */
  schemaSha256: string;
  /** Of btree indexes that amcheck has read; null where the image has none. */
  checkedIndexes: number | null;
  /** Names of invalid ones, or what amcheck said. */
  indexFaults: string[];
  /** Of the statements, in order: whether true, and what came else; null where nobody who only reads could be made to ask. */
  assertions: { isTrue: boolean; answer: string }[] | null;
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

const program = { name: 'drill', step: 'the drill', scripts: [new URL('./drill.sh', import.meta.url)] };

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
    [
      `atlasia-drill-${request.token}`,
      request.image,
      `${folder}/${names.dump}`,
      beside('globals'),
      beside('settings'),
      manifest.format,
      manifest.compression,
      manifest.database,
      databaseArgument(manifest.database),
      String(request.memory),
      String(request.neededBytes),
      String(Math.ceil(timeout / 1_000)),
      request.timezone,
      drillScript(),
      factsBefore(),
      factsTables(),
      factsAfter(),
      String(options.length),
      ...options,
      String(statements.length),
      ...statements,
    ],
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
    throw error instanceof Failure ? explain(error, request.image) : error;
  }
}

function explain(failure: Failure, image: string): Failure {
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

/** What is said where the scratch server is at fault, and what to do about it. */
const unfit: [said: RegExp, what: string, hint: string][] = [
  [/No space left on device/, 'The disk of Docker is full', 'On the host: docker system df'],
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

/** @throws Failure `drill-incomplete` where the session that counted broke off */
function readRestored(records: Records): Restored {
  const lines = records.all('fact');
  if (!lines.includes('end')) {
    throw new Failure('drill-incomplete', 'What the backup holds could not be counted to the end', {
      hint: 'Raise "drill-memory", or see the log',
      cause: lines.slice(-3).join('\n'),
    });
  }
  const facts = readFacts(lines);
  const [indexExit, indexText] = readSaid(records.get('indexes'));
  const said = indexText.split('\n').filter((line) => line !== '');
  const checked = said.map((line) => /^checked (\d+)$/.exec(line)?.[1]).find((count) => count !== undefined);
  return {
    tables: facts.tables,
    sequences: facts.sequencesAfter ?? [],
    largeObjects: facts.largeObjects,
    extensions: facts.extensions,
    schemaSha256: stableSchemaHash(readSchema(records.get('schema-text'))),
    checkedIndexes: checked === undefined ? null : Number(checked),
    indexFaults: [
      ...said.filter((line) => line.startsWith('invalid ')),
      ...(indexExit === 0 ? [] : [said.find((line) => line.includes('ERROR')) ?? 'the indexes could not be read']),
    ],
    assertions: readAssertions(records),
  };
}

/** @throws Failure `drill-incomplete` where pg_dump did not come to its end */
function readSchema(text: string): string {
  const [, schema, exit] = /^(.*?)\n?exit (\d+)$/s.exec(text.trimEnd()) ?? [];
  if (schema !== undefined && exit === '0') return `${schema}\n`;
  throw new Failure(
    'drill-incomplete',
    `The schema of what came back could not be dumped (exit ${exit ?? 'unknown'})`,
    {
      hint: 'See the log; raise "drill-memory"',
    },
  );
}

function readAssertions(records: Records): Restored['assertions'] {
  const [readerExit] = readSaid(records.find('reader') ?? '0 ');
  if (readerExit !== 0) return null;
  return records.all('assertion').map((value) => {
    const [exit, answer] = readSaid(value);
    return { isTrue: exit === 0 && answer.trim() === 't', answer: answer.trim() };
  });
}

function readSaid(value: string): [exit: number, text: string] {
  const space = value.indexOf(' ');
  return [Number(value.slice(0, space)), value.slice(space + 1)];
}
