import { type Failure, isFailure } from '../failure.ts';
import type { Connection } from '../host/connection.ts';
import { incomingFolder } from '../host/pour.ts';
import type { Program } from '../host/program.ts';
import type { Records } from '../host/records.ts';
import { chosenTables } from '../postgres/chosen-tables.ts';
import { describeError, failedTable, firstError, firstRefusal, wordsFile } from '../postgres/printed-errors.ts';
import { drillScript, factsScripts } from '../postgres/scripts.ts';
import { createOptions, databaseArgument } from '../report/restore-command.ts';
import { pathOf } from '../sets/catalogue.ts';
import { namesOf, sidesOf } from '../sets/read-sets.ts';
import { containerOf, type DrillOutcome, type DrillRequest } from './drill-request.ts';
import { explain } from './explain.ts';
import { buildersIn } from './memory.ts';
import { type Restored, readRestored } from './restored.ts';
import { scratchServer } from './scratch-server.ts';
import type { Side } from './sent-dump.ts';
import { lacksIn, memoryRanOut, refuseUnfit } from './unfit.ts';

export const program: Program<
  Record<
    | 'name'
    | 'image'
    | 'memory'
    | 'lifetime'
    | 'needed'
    | 'least'
    | 'dump'
    | 'dump_bytes'
    | 'most_jobs'
    | 'incoming'
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
    | 'words_log'
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
    new URL('../postgres/postgres-messages.sh', import.meta.url),
    new URL('../postgres/postgres-words.sh', import.meta.url),
    new URL('../host/incoming.sh', import.meta.url),
    new URL('./told.sh', import.meta.url),
    new URL('../postgres/stable-schema.sh', import.meta.url),
    new URL('./compare-schema.sh', import.meta.url),
    new URL('./drill.sh', import.meta.url),
  ],
};

/** Restores a set into a scratch container and inspects the result. The container is removed afterwards. */
export async function drill(connection: Connection, request: DrillRequest): Promise<DrillOutcome> {
  const { backupDir, set, timeout, statements } = request;
  const { manifest } = set;
  const log = wordsFile(backupDir, `drill-${request.token}`);
  const folder = `${backupDir}/${pathOf(set)}`;
  const names = namesOf(set);
  const sides = sidesOf(set);
  const { sent } = request;
  const beside = (side: Side) => {
    if (sent !== null) return sent.beside(side);
    return sides.includes(side) ? `${folder}/${names[side]}` : '';
  };
  const incoming = sent === null ? '' : incomingFolder();
  const server = scratchServer(manifest);
  const run = connection.run(
    program,
    {
      name: containerOf(request.token),
      image: request.image,
      memory: String(request.memory),
      lifetime: String(Math.ceil(timeout / 1_000)),
      needed: String(request.neededBytes),
      least: String(request.leastBytes),
      dump: sent?.name ?? `${folder}/${names.dump}`,
      dump_bytes: String(manifest.sizeBytes),
      most_jobs: String(buildersIn(request.memory)),
      incoming,
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
      words_log: log,
      inside_script: drillScript(),
      ...factsScripts(),
      chosen: chosenTables(request.tables),
      createdb_options: createOptions(manifest),
      libraries: server.libraries,
      statements,
    },
    {
      deadline: timeout,
      atEnd: 'end',
      signal: request.signal,
      ...(sent === null ? {} : { input: { folder: incoming, open: () => sent.open() } }),
      onLog: request.onLog,
      onProgress: request.onProgress,
    },
  );
  try {
    const records = await run.result.catch((error) => {
      if (sent === null || !isFailure(error, 'ciphertext-damaged')) throw error;
      return error;
    });
    if (isFailure(records)) return undecrypted(records, await sent?.sha256());
    const ranOut = memoryRanOut(records, request);
    const outcome = readOutcome(records, run.lastLines(), log, ranOut);
    if (sent !== null) outcome.sha256 = await sent.sha256();
    refuseUnfit(outcome, run.lastLines().slice(-30).join('\n'), request, {
      ranOut,
      lacks: lacksIn(records),
      hasMoney: records.find('money')?.trim() !== 'f\n\nexit 0',
    });
    return outcome;
  } catch (error) {
    throw isFailure(error) ? explain(error, request) : error;
  } finally {
    sent?.close();
  }
}

/** What age has not written cannot be tried on a server. */
function undecrypted({ message }: Failure, sha256: string | null = null): DrillOutcome {
  const fault = { why: 'it cannot be decrypted', words: message, refusal: null };
  return { fault, sha256, restoreMs: 0, restored: null };
}

const faults: Record<number, string> = {
  41: 'it does not restore',
  42: 'it cannot be decompressed completely',
  43: 'its end is missing: it does not end the way pg_dump ends a dump',
};

function readOutcome(records: Records, lines: readonly string[], log: string, ranOut: Failure | null): DrillOutcome {
  const status = records.integer('restored');
  const why = faults[status] ?? `the restore was cut short (exit ${status})`;
  return {
    fault: status === 0 ? null : { why, words: describeFault(lines, log), refusal: firstRefusal(lines) },
    sha256: /^[0-9a-f]{64}$/.exec(records.get('sha256'))?.[0] ?? null,
    restoreMs: records.integer('restore-ms'),
    restored: status === 0 ? restoredOr(ranOut, records) : null,
  };
}

/** The error first, then in which table. */
function describeFault(lines: readonly string[], log: string): string {
  const error = firstError(lines);
  if (error === null) return lines.slice(-4).join(' ').trim();
  const table = failedTable(lines);
  const where = table === null ? '' : ` (in the rows of ${table})`;
  return `${describeError(error, log)}${where}. All that PostgreSQL said is in ${log} on the host`;
}

/** What is incomplete because memory ran out is not called anything else. */
function restoredOr(ranOut: Failure | null, records: Records): Restored {
  try {
    return readRestored(records);
  } catch (error) {
    throw ranOut ?? error;
  }
}
