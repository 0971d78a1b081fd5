import type { Finding } from '../drill/finding.ts';
import { readRestoredData } from '../drill/restored.ts';
import { Failure, isFailure } from '../failure.ts';
import type { Connection } from '../host/connection.ts';
import { incomingFolder } from '../host/pour.ts';
import type { LockRequest, Program } from '../host/program.ts';
import { chosenTables } from '../postgres/chosen-tables.ts';
import { describeError, firstError, wordsFile } from '../postgres/printed-errors.ts';
import { factsScripts, replaceScript } from '../postgres/scripts.ts';
import { databaseArgument } from '../report/restore-command.ts';
import { pathOf } from '../sets/catalogue.ts';
import type { Manifest } from '../sets/manifest.ts';
import { namesOf } from '../sets/read-sets.ts';
import { formatBytes, listed } from '../units.ts';
import { listOf, text } from '../untrusted.ts';
import type { BackupSource } from './backup-source.ts';
import { judgeRestored } from './judge-restored.ts';
import { type Server, serverParameters } from './server.ts';

/** What is restored next to the live database. */
export interface LoadRequest {
  backupDir: string;
  server: Server;
  source: BackupSource;
  manifest: Manifest;
  /** The name of the new database. It ends with `_restore_` and eight hex digits, by which leftovers are known. */
  restored: string;
  /** How the new database is made, as clauses of CREATE DATABASE. */
  madeAs: string;
  /** Statements that create what is missing; empty if nothing is. */
  roles: string;
  /** Statements that give the new database its properties; null: those of the live one. */
  settings: string | null;
  /** The user's own statements, which run last; null if there are none. */
  afterSql: string | null;
  dataFolder: string;
  /** Bytes that must stay free there. */
  least: number;
  lock: LockRequest;
  /** Milliseconds. */
  timeout: number;
  signal: AbortSignal;
  onLog: (line: string) => void;
  onProgress: (name: string, value: string) => void;
}

/** A restored database that nobody uses yet. */
export interface Loaded {
  restoreMs: number;
  /** How it compares with the manifest. */
  findings: Finding[];
  /** What an operator must know although the data is there, one line each: for the log, the summary and notices. */
  problems: string[];
}

export const program: Program<
  Record<
    | 'container'
    | 'user'
    | 'live'
    | 'server_host'
    | 'server_port'
    | 'password_from'
    | 'restored'
    | 'restored_argument'
    | 'made_as'
    | 'roles'
    | 'settings'
    | 'after_sql'
    | 'dump'
    | 'dump_bytes'
    | 'sha256'
    | 'format'
    | 'compression'
    | 'most_jobs'
    | 'data_folder'
    | 'least'
    | 'words_log'
    | 'incoming'
    | 'inside_script'
    | 'facts_before'
    | 'facts_tables'
    | 'facts_after'
    | 'chosen',
    string
  >
> = {
  name: 'load',
  step: 'the restore',
  scripts: [
    new URL('../postgres/postgres-messages.sh', import.meta.url),
    new URL('../postgres/postgres-words.sh', import.meta.url),
    new URL('../host/incoming.sh', import.meta.url),
    new URL('../drill/told.sh', import.meta.url),
    new URL('./load.sh', import.meta.url),
  ],
};

export const discarding: Program<
  Record<
    'container' | 'user' | 'server_host' | 'server_port' | 'password_from' | 'inside_script' | 'restored' | 'live',
    string
  >
> = {
  name: 'discard',
  step: 'dropping the restored copy',
  scripts: [new URL('./discard.sh', import.meta.url)],
};

/** Each builds an index in memory of its own, beside a server that goes on serving. */
const mostJobs = 8;

/**
 * Restores a backup into a new database beside the live one, and compares it with its manifest. If it fails, the new database is
 * dropped.
 * @throws Failure `restore-failed`, `restore-differs`, `restore-no-room`, `database-silent`, `checksum-failed`, `after-sql-failed`, …
 */
export async function load(connection: Connection, request: LoadRequest): Promise<Loaded> {
  const { backupDir, server, source, manifest, restored, timeout, signal, onLog, lock } = request;
  const { set } = source;
  const sent = await source.sent();
  const incoming = sent === null ? '' : incomingFolder();
  const log = wordsFile(backupDir, `restore-${restored.slice(-8)}`);
  const run = connection.run(
    program,
    {
      ...serverParameters(server),
      live: server.database,
      restored,
      restored_argument: databaseArgument(restored),
      made_as: request.madeAs,
      roles: request.roles,
      settings: request.settings ?? '',
      after_sql: request.afterSql ?? '',
      dump: sent?.name ?? `${backupDir}/${pathOf(set)}/${namesOf(set).dump}`,
      dump_bytes: String(manifest.sizeBytes),
      sha256: manifest.sha256,
      format: manifest.format,
      compression: manifest.compression,
      most_jobs: String(mostJobs),
      data_folder: request.dataFolder,
      least: String(request.least),
      words_log: log,
      incoming,
      inside_script: replaceScript(),
      ...factsScripts(),
      chosen: chosenTables(manifest.tables),
    },
    {
      deadline: timeout,
      atEnd: 'end',
      lock,
      signal,
      ...(sent === null ? {} : { input: { folder: incoming, open: () => sent.open() } }),
      onLog,
      onProgress: request.onProgress,
    },
  );
  try {
    const records = await run.result;
    const sha256 = sent === null ? manifest.sha256 : await sent.sha256();
    if (sha256 !== manifest.sha256) throw changed(source, manifest, sha256);
    const findings = judgeRestored(manifest, readRestoredData(records));
    return {
      restoreMs: records.integer('restore-ms'),
      findings,
      problems: [
        ...findings.filter(({ result }) => result !== 'passed').map(({ name, detail }) => `${name}: ${detail}`),
        ...records.all('unanalyzed'),
        ...tellSubscriptions(records.get('subscriptions')),
      ],
    };
  } catch (error) {
    const isDropped = await discard(connection, server, restored, onLog);
    const state = `The database is untouched, and nothing was stopped. ${isDropped ? 'The restored copy was dropped' : `The host drops the restored copy ${restored} by itself; if it cannot, the next restore does`}.`;
    throw isFailure(error) ? explained(error, manifest, run.lastLines(), log, state) : error;
  } finally {
    sent?.close();
  }
}

/**
 * Drops a restored database that will not become the live one. The next restore does so, if this does not succeed.
 * @returns whether it is gone
 */
export async function discard(
  connection: Connection,
  server: Server,
  restored: string,
  onLog: (line: string) => void,
): Promise<boolean> {
  const parameters = {
    ...serverParameters(server),
    inside_script: replaceScript(),
    restored,
    live: server.database,
  };
  try {
    await connection.run(discarding, parameters, { deadline: 60_000, atEnd: 'finish', onLog }).result;
    return true;
  } catch (error) {
    if (!isFailure(error)) throw error;
    onLog(
      `Could not drop ${restored}, the restored copy that nobody needs. The next restore drops it: ${error.message}`,
    );
    return false;
  }
}

/** @param json their names; whatever else it is, nobody could tell */
function tellSubscriptions(json: string): string[] {
  try {
    const names = listOf(text(1_024), 10_000)(JSON.parse(json), 'subscriptions');
    return names.length === 0
      ? []
      : [
          `Subscriptions were restored, and are disabled: ${listed(names, 5)}. If this database is to receive data again: ALTER SUBSCRIPTION … ENABLE; otherwise first ALTER SUBSCRIPTION … SET (slot_name = NONE), then DROP SUBSCRIPTION, or the slot of the source goes as well`,
        ];
  } catch {
    return ['Whether the restored database has subscriptions could not be told; they would be disabled'];
  }
}

function changed({ copy }: BackupSource, { id, file }: Manifest, sha256: string | null): Failure {
  const what = sha256 === null ? 'could not be read to its end' : `does not match the manifest of ${id}`;
  return new Failure('checksum-failed', `${copy ?? file} ${what}`);
}

/** The server's own error first, then what to do. */
function explained(
  failure: Failure,
  { format }: Manifest,
  lines: readonly string[],
  log: string,
  untouched: string,
): Failure {
  const { code, message } = failure;
  if (code === 'restore-no-room') {
    const [free = 0, least = 0] = message.split(' ').map(Number);
    return new Failure(
      code,
      `Stopped the restore: the disk of the server's data, of its write-ahead log (pg_wal)${format === 'plain' ? ', or of another of its tablespaces,' : ''} had only ${formatBytes(free)} left, less than "min-free-space" (${formatBytes(least)})`,
      { hint: `${untouched} Make room there, or lower "min-free-space"` },
    );
  }
  const error = firstError(lines);
  if (code === 'restore-failed' || code === 'after-sql-failed') {
    const why = error === null ? lines.slice(-2).join(' ').trim() : describeError(error, log);
    return new Failure(code, `${message}: ${why}`, {
      hint: `${untouched} All that PostgreSQL said is in ${log} on the host. ${code === 'restore-failed' ? 'Restore another backup, or drill this one: verify-action, checks: drill' : 'Correct the file, then run it again'}`,
      cause: failure.cause,
    });
  }
  if (code === 'restore-differs') return failure;
  if (code === 'database-silent')
    return new Failure(code, message, {
      hint: 'The database is as it was, and this run has stopped nothing. See why its container ended. On the host: docker ps --all; docker logs NAME; dmesg | tail. Once the database runs again, run this again: it drops what is left of the restored copy',
    });
  if (code === 'checksum-failed' || code === 'set-gone')
    return new Failure(code, message, { hint: `${untouched} Restore another backup, or the other copy of this one` });
  const hint = failure.hint === undefined ? untouched : `${failure.hint}. ${untouched}`;
  return new Failure(code, message, { hint, cause: failure.cause });
}
