import type { Connection } from '../host/connection.ts';
import type { Program } from '../host/program.ts';
import { unpack } from '../packed.ts';
import type { SchemaFinding } from '../plan/schema-guard.ts';
import type { TargetSchema } from '../plan/target-schema.ts';
import { firstError, hidden } from '../postgres/printed-errors.ts';
import { insideScript } from '../postgres/scripts.ts';
import { stableSchemaHash } from '../report/schema-changes.ts';
import { pathsOf } from '../sets/catalogue.ts';
import { namesOf } from '../sets/read-sets.ts';
import { formatBytes, formatDuration } from '../units.ts';
import { type Server, serverParameters } from './server.ts';

/** Milliseconds. Whoever holds a table for longer than that is not waited for: a rollback is in a hurry. */
const tableWait = 10_000;
const deadline = 10 * 60_000;
/** Bytes of a schema: what the host sends at most. */
const longestSchema = 40 * 1024 * 1024;

export const program: Program<
  Record<
    | 'container'
    | 'user'
    | 'database'
    | 'server_host'
    | 'server_port'
    | 'password_from'
    | 'inside_script'
    | 'table_wait'
    | 'backup_dir'
    | 'schema_sha256'
    | 'schema_file',
    string
  > & { folders: readonly string[] }
> = {
  name: 'two-schemas',
  step: 'reading the schema of the database',
  scripts: [
    new URL('../postgres/postgres-messages.sh', import.meta.url),
    new URL('../postgres/postgres-words.sh', import.meta.url),
    new URL('../postgres/stable-schema.sh', import.meta.url),
    new URL('../drill/told.sh', import.meta.url),
    new URL('./two-schemas.sh', import.meta.url),
  ],
};

/** Reads both schemas, in one go; only a hash if they are the same. */
export async function readTwoSchemas(
  connection: Connection,
  server: Server,
  target: TargetSchema,
  { backupDir, signal, onLog }: { backupDir: string; signal: AbortSignal; onLog: (line: string) => void },
): Promise<SchemaFinding> {
  const { file, sha256 } = target;
  const run = connection.run(
    program,
    {
      ...serverParameters(server),
      database: server.database,
      inside_script: insideScript(),
      table_wait: String(tableWait),
      backup_dir: backupDir,
      schema_sha256: sha256 ?? '',
      schema_file: file === null ? '' : namesOf(file).schema,
      folders: file === null ? [] : pathsOf(file),
    },
    { deadline, atEnd: 'end', signal, onLog },
  );
  const records = await run.result;
  if (records.find('same') !== undefined) return { kind: 'same' };
  const trouble = records.find('trouble');
  if (trouble !== undefined) return unknown(`that of the database could not be read: ${why(trouble, run.lastLines())}`);
  const after = unpack(records.get('live'), longestSchema);
  if (after === null) return unknown('that of the database could not be read: the host did not send it in full');
  if (file === null) return { kind: 'changed', why: target.whyNoFile };
  const sent = records.find('file');
  if (sent === undefined) return unknown(`the schema file of ${file.id} is missing, or cannot be read`);
  const before = unpack(sent, longestSchema);
  if (before === null)
    return unknown(`the schema file of ${file.id} is damaged, or longer than ${formatBytes(longestSchema)}`);
  if (sha256 !== null && stableSchemaHash(before) !== sha256)
    return unknown(`the schema file of ${file.id} does not match its manifest`);
  return { kind: 'different', before, after };
}

const unknown = (reason: string): SchemaFinding => ({ kind: 'unknown', why: reason });

function why(trouble: string, lines: readonly string[]): string {
  if (trouble !== 'pg_dump failed') return trouble;
  const said = firstError(lines);
  if (said === null || said === hidden) return 'pg_dump failed';
  // pg_dump limits its waiting for tables by the time of a statement.
  return /canceling statement due to (statement|lock) timeout|could not obtain lock/.test(said)
    ? `somebody has held a table locked for ${formatDuration(tableWait)}`
    : said;
}
