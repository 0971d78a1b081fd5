import type { Connection } from '../host/connection.ts';
import type { LockRequest, Program, Run } from '../host/program.ts';
import type { Records } from '../host/records.ts';
import { unpack } from '../packed.ts';
import { dumpWarnings } from '../postgres/dump-warnings.ts';
import { type ExtensionMembers, type FoundSequence, readFacts, type TableCount } from '../postgres/facts.ts';
import { describeLock, readLock, type TableLock } from '../postgres/locks.ts';
import { firstError, wordsFile } from '../postgres/printed-errors.ts';
import type { ServerAccess } from '../postgres/probe.ts';
import { factsScripts, insideScript } from '../postgres/scripts.ts';
import { homeOf, layoutLines } from '../sets/layout.ts';
import type { BackupKind, Check, SequenceRange } from '../sets/manifest.ts';
import { backupIdAt, type DumpEncoding, dumpExtension, setFileNames } from '../sets/naming.ts';
import { demandCounts, translate } from './take-failures.ts';
import { judgeDump, type RowCounts } from './verification.ts';

export interface TakeRequest {
  backupDir: string;
  kind: BackupKind;
  startedAt: Date;
  container: string;
  user: string;
  database: string;
  /** By PostgreSQL's name. */
  databaseEncoding: string;
  access: ServerAccess;
  encoding: DumpEncoding;
  where: 'container' | 'host';
  /** Public keys; empty if nothing is encrypted. */
  recipients: readonly string[];
  /** null for `usualLevel`. */
  level: number | null;
  rowCounts: RowCounts;
  /** Milliseconds to wait for the lock, and for a locked table. */
  lockWait: number;
  /** Milliseconds in total. */
  timeout: number;
  lock: LockRequest;
  /** Whether this run is next in the line for the lock; else it takes it only if nobody stands there. */
  isInTurn: boolean;
  /** Path of the previous backup's schema on the host; null if there is none. */
  previousSchema: string | null;
  /** As the survey saw it. If it has changed by now, no dump is taken. */
  setsState: string;
  signal: AbortSignal;
  onLog: (line: string) => void;
  onProgress: (name: string, value: string) => void;
}

/** Checksums of one file of the set, in hex. */
export interface Sums {
  sha256: string;
  md5: string;
}

/** A dump in the staging folder on the host, and what is known about it. */
export interface TakenDump {
  id: string;
  /** Bare name of the file. */
  file: string;
  sizeBytes: number;
  dumpBytes: number | null;
  sums: Sums;
  tables: TableCount[];
  sequences: SequenceRange[];
  largeObjects: number;
  extensions: { name: string; version: string }[];
  members: ExtensionMembers[];
  /** What pg_dump warned of, one each with its details. */
  warnings: string[];
  /** null if it could not be taken, or is too long to be read here. */
  schemaText: string | null;
  /** null if there is none, or it is too long to be compared. */
  previousSchemaText: string | null;
  /** null if it could not be taken. */
  schemaSums: Sums | null;
  globalsSums: Sums | null;
  settingsSums: Sums | null;
  /** In the order in which they were made. The dump is verified if all of these passed. */
  verification: Check[];
  /** Checks of the files beside the dump. */
  sides: Check[];
}

/** A dump under the lock. The lock is held until `release`, which returns whether the host confirmed that it let go. */
export interface HeldDump {
  dump: TakenDump;
  release: Run['release'];
}

/** Limits in bytes for a text that the host sends packed. Comparing a text takes many times its size in memory. */
const longestText = 256 * 1024 * 1024;
const longestCompared = 64 * 1024 * 1024;

export const program: Program<{
  backup_dir: string;
  words_log: string;
  home: string;
  started: string;
  container: string;
  user: string;
  database: string;
  server_host: string;
  server_port: string;
  password_from: string;
  format: string;
  compression: string;
  level: string;
  where: string;
  extension: string;
  table_wait: string;
  row_counts: string;
  encryption: string;
  recipients: readonly string[];
  inside_script: string;
  facts_before: string;
  facts_tables: string;
  facts_after: string;
  previous_schema: string;
  layout: readonly string[];
  expected_sets_state: string;
  in_turn: string;
  refuse_on_hold: string;
}> = {
  name: 'take',
  step: 'the dump',
  scripts: [
    new URL('../survey/sets.sh', import.meta.url),
    new URL('../sets/folders.sh', import.meta.url),
    new URL('../postgres/postgres-messages.sh', import.meta.url),
    new URL('../postgres/postgres-words.sh', import.meta.url),
    new URL('./take.sh', import.meta.url),
  ],
};

/** zstd: the fastest level, at which one core keeps up with pg_dump. gzip: the level that the former scripts used. */
const usualLevel = { zstd: 1, gzip: 6, none: 0 } as const;

/**
 * Takes a dump in one snapshot, parses it while it is written, and reads the file back from disk. Does not publish it yet.
 * @throws Failure `lock-held`, `disk-full`, `dump-failed`, `table-locked`, `compressor-failed`, `dump-interrupted`, …
 */
export async function take(connection: Connection, request: TakeRequest): Promise<HeldDump> {
  const { encoding } = request;
  const said: string[] = [];
  const locks = new LockWatch(request.onProgress);
  const run = connection.run(
    program,
    {
      backup_dir: request.backupDir,
      // What PostgreSQL says may quote rows, and the log would not be encrypted.
      words_log: encoding.encryption === 'age' ? '' : wordsFile(request.backupDir, backupIdAt(request.startedAt)),
      home: homeOf(request.kind).folder,
      started: String(Math.floor(request.startedAt.getTime() / 1_000)),
      container: request.container,
      user: request.user,
      database: request.database,
      server_host: request.access.place?.host ?? '',
      server_port: request.access.place?.port ?? '',
      password_from: request.access.password ?? '',
      format: encoding.format,
      compression: encoding.compression,
      level: String(request.level ?? usualLevel[encoding.compression]),
      where: request.where,
      extension: dumpExtension(encoding),
      table_wait: String(request.lockWait),
      row_counts: request.rowCounts,
      encryption: encoding.encryption,
      recipients: request.recipients,
      inside_script: insideScript(),
      ...factsScripts(),
      previous_schema: request.previousSchema ?? '',
      expected_sets_state: request.setsState,
      in_turn: request.isInTurn ? 'yes' : '',
      refuse_on_hold: request.kind === 'predeployment' ? 'yes' : '',
      layout: layoutLines,
    },
    {
      deadline: request.timeout,
      atEnd: 'linger',
      lock: request.lock,
      signal: request.signal,
      onLog: (line) => {
        if (line.startsWith('pg_dump: ')) said.push(line);
        request.onLog(line);
      },
      onProgress: (name, value) => locks.tell(name, value),
    },
  );
  try {
    const records = await run.result;
    demandCounts(records, run.lastLines());
    return { dump: readDump(records, request, dumpWarnings(said)), release: run.release };
  } catch (error) {
    await run.release();
    throw translate(error, run.lastLines(), locks.last, request);
  }
}

/** Passes progress on, and remembers who held locks on tables. */
class LockWatch {
  last: TableLock | null = null;
  readonly #onProgress: TakeRequest['onProgress'];

  constructor(onProgress: TakeRequest['onProgress']) {
    this.#onProgress = onProgress;
  }

  tell(name: string, value: string): void {
    if (name !== 'waits-during' && name !== 'waits-after') {
      this.#onProgress(name, value);
      return;
    }
    const lock = readLock(value);
    if (lock === null) return;
    if (name === 'waits-during') {
      this.last = lock;
      this.#onProgress('waiting-for-table', describeLock(lock));
    } else {
      this.last ??= lock;
    }
  }
}

/** The warning when a held dump was released but the host did not confirm it. */
export function lockMayStay(backupDir: string): string {
  return `The host did not confirm in time that it released the lock; the next run may find it taken. To see who holds it, run on the host: cat ${backupDir}/.lock.holder`;
}

function readDump(
  records: Records,
  { kind, encoding, databaseEncoding, rowCounts }: TakeRequest,
  warnings: string[],
): TakenDump {
  const text = (name: string, longest = longestText) => unpack(records.find(name) ?? '', longest);
  const facts = readFacts([...records.all('fact'), ...(text('facts') ?? '').split('\n')]);
  const sizeBytes = records.integer('size');
  const id = records.get('id');
  const bytes = /^bytes (\d+)$/m.exec(records.get('verify'))?.[1];
  return {
    id,
    file: setFileNames(homeOf(kind).prefix, id, encoding).dump,
    sizeBytes,
    dumpBytes: encoding.compression === 'none' ? sizeBytes : bytes === undefined ? null : Number(bytes),
    sums: { sha256: records.get('sha256'), md5: records.get('md5') },
    tables: facts.tables,
    sequences: sequenceRanges(facts.sequencesBefore, facts.sequencesAfter ?? []),
    largeObjects: facts.largeObjects,
    extensions: facts.extensions,
    members: facts.members,
    warnings,
    schemaText: text('schema-text'),
    previousSchemaText: text('previous-schema-text', longestCompared),
    schemaSums: readSums(records, 'schema'),
    globalsSums: readSums(records, 'globals'),
    settingsSums: readSums(records, 'settings'),
    verification: judgeDump({
      encoding,
      databaseEncoding,
      sizeBytes,
      magic: records.get('magic'),
      streamSha256: records.get('stream-sha256'),
      diskSha256: records.get('sha256'),
      stages: records.get('verify'),
      contents: text('contents') ?? '',
      tables: facts.tables,
      factsComplete: records.find('facts-incomplete') === undefined && facts.sequencesAfter !== null,
      rowCounts,
      dumpMs: records.integer('dump-ms'),
      readMs: records.integer('read-ms'),
    }),
    sides: [
      sideCheck(records, 'schema', 'pg_dump --schema-only, in the same snapshot'),
      sideCheck(records, 'globals', 'roles and their settings, without passwords'),
      sideCheck(records, 'settings', 'owner, grants and settings of the database'),
    ],
  };
}

function sideCheck(records: Records, name: string, what: string): Check {
  const outcome = records.get(name);
  return outcome === 'taken'
    ? { name, result: 'passed', detail: what, ms: 0 }
    : {
        name,
        result: 'failed',
        detail:
          firstError(outcome.split('\n')) ??
          (outcome.slice(0, 1_000) || 'it failed without a message, or its output is empty'),
        ms: 0,
      };
}

function readSums(records: Records, name: string): Sums | null {
  const [sha256, md5] = records.find(`${name}-sums`)?.split(' ') ?? [];
  return sha256 === undefined || md5 === undefined ? null : { sha256, md5 };
}

/** Only sequences that existed before and after the dump: others may not be in the snapshot. */
function sequenceRanges(before: readonly FoundSequence[], after: readonly FoundSequence[]): SequenceRange[] {
  const key = ({ schema, name }: FoundSequence) => JSON.stringify([schema, name]);
  const later = new Map(after.map((sequence) => [key(sequence), sequence]));
  return before.flatMap((sequence) => {
    const end = later.get(key(sequence));
    if (end === undefined) return [];
    const { value, ...rest } = sequence;
    return [{ ...rest, before: value, after: end.value }];
  });
}
