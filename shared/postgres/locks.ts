import { isFailure } from '../failure.ts';
import { formatDuration } from '../units.ts';
import { bool, count, orNull, shape, text } from '../untrusted.ts';

/** Who holds an exclusive lock on a table, or waits for one, as the verb `waits` of inside.sh tells. */
export interface TableLock {
  schema: string;
  table: string;
  granted: boolean;
  /** null for a prepared transaction. */
  pid: number | null;
  application: string | null;
  /** null if it may not be seen. */
  state: string | null;
  /** Of a prepared transaction. */
  gid: string | null;
  database: string;
  /** How long it has been in its state; null if that may not be seen. */
  seconds: number | null;
}

const read = shape<TableLock>({
  schema: text(300),
  table: text(300),
  granted: bool,
  pid: orNull(count),
  application: orNull(text(300)),
  state: orNull(text(100)),
  gid: orNull(text(300)),
  database: text(300),
  seconds: orNull(count),
});

/** null if a line makes no sense: a lock is only shown. */
export function readLock(line: string): TableLock | null {
  try {
    return read(JSON.parse(line), 'lock');
  } catch (error) {
    if (error instanceof SyntaxError || isFailure(error, 'bad-value')) return null;
    throw error;
  }
}

/** `public.orders, held by pid 123 (psql, idle in transaction for 2 m)` */
export function describeLock(lock: TableLock): string {
  const { schema, table, granted, pid, application, state, gid, seconds } = lock;
  const time = seconds === null ? '' : ` for ${formatDuration(Math.max(0, seconds) * 1_000)}`;
  const place = `${schema}.${table}`;
  if (gid !== null) return `${place}, held by the prepared transaction "${gid}"${time}`;
  if (pid === null) return `${place}, held by a prepared transaction: see pg_prepared_xacts`;
  const facts = [application || null, state === null ? null : `${state}${time}`].filter((fact) => fact !== null);
  const who = `pid ${pid}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`;
  return granted ? `${place}, held by ${who}` : `${place}, behind ${who}, which waits for an exclusive lock itself`;
}

/** How to end whoever holds it: a statement for psql, behind where to type it. */
export function endLock({ pid, gid, database }: TableLock): string {
  if (gid !== null)
    return `in psql, in the database ${database} (COMMIT PREPARED instead keeps its work): ROLLBACK PREPARED '${gid.replaceAll("'", "''")}';`;
  return `in psql: ${pid === null ? 'SELECT gid, prepared FROM pg_prepared_xacts;' : `SELECT pg_terminate_backend(${pid});`}`;
}
