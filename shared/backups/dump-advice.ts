import type { FailureCode } from '../failure-codes.ts';
import { identifier } from '../postgres/relation-name.ts';

/** What to do about an error that PostgreSQL named during a dump. */
export interface DumpAdvice {
  /** Where another code fits than that of the step that failed. */
  code?: FailureCode;
  hint: string;
}

const readAll = (user: string) =>
  `On PostgreSQL 14 and newer: GRANT pg_read_all_data TO ${identifier(user)}; before that: GRANT USAGE and SELECT on it. Or set "db-user" to a superuser`;
const damaged =
  "PostgreSQL found damaged data, which pg_dump cannot read. Copy the server's data folder before you do anything else. Then drill an earlier backup (verify-action, checks: drill), and see docs/restore.md";

const tooLong =
  'A row has more than 1 GB as text, where bytea takes twice its size, and pg_dump cannot write it. Find the table in the log, and in it the longest values with octet_length(); store these as large objects, or in several rows';

const advices: [said: RegExp, advise: (user: string) => string, code?: FailureCode][] = [
  [/^canceling statement due to (lock|statement) timeout|^could not obtain lock/, () => '', 'table-locked'],
  [
    /^permission denied for large object/,
    (user) =>
      `Only its owner, and whoever was granted it, may read a large object: GRANT SELECT ON LARGE OBJECT … TO ${identifier(user)}. Or set "db-user" to a superuser`,
  ],
  [/^permission denied/, readAll],
  [
    /row-level security policy/,
    (user) =>
      `Policies hide rows of that table from ${identifier(user)}, so it cannot dump all of them: ALTER ROLE ${identifier(user)} BYPASSRLS. Or set "db-user" to a superuser`,
  ],
  [
    /^out of shared memory/,
    () =>
      "The server's table of locks is full; each table that is dumped takes one. Raise max_locks_per_transaction: ALTER SYSTEM SET max_locks_per_transaction = 1024; then restart the database",
  ],
  [
    /^could not fork/,
    () => 'The database server ran out of memory. On the host: docker stats --no-stream; docker logs NAME',
  ],
  [
    /^out of memory/,
    () =>
      `The database server ran out of memory. On the host: docker stats --no-stream; docker logs NAME. If the DETAIL in the log is "Cannot enlarge string buffer": ${tooLong}`,
  ],
  [
    /^invalid memory alloc request size/,
    () => `${tooLong}. If no value is that long, it is damaged: see docs/restore.md`,
  ],
  [
    /No space left on device/,
    () =>
      'The disk that the database server itself writes to is full, temporary files included: docker system df; df -h',
  ],
  [
    /^(missing chunk number|unexpected chunk|invalid page in block|page verification failed|could not read block|compressed .* is corrupt|found xm|could not access status of transaction|MultiXactId)/,
    () => damaged,
  ],
  [
    /^invalid byte sequence for encoding/,
    () =>
      'A table, a column or something else has a name that is not in UTF-8, which SQL_ASCII allows: in a session with client_encoding = SQL_ASCII, give it another one with ALTER … RENAME',
  ],
  [
    /^invalid value for parameter "client_encoding"/,
    () =>
      'PostgreSQL cannot convert the encoding of this database to UTF-8, in which a backup tells names (MULE_INTERNAL). Dump it by hand, or move it into a database of another encoding',
  ],
  [
    /^cache lookup failed|^relation with OID|^could not open relation with OID/,
    () =>
      'Something was dropped or changed while it was dumped: run it again when no migration runs. If it says the same again, the catalogue of the database is damaged',
  ],
  [
    /^(server closed the connection|connection to server was lost|terminating connection|the database system is)/,
    () => 'The server ended the session. To see why, on the host: docker ps --all; docker logs NAME',
  ],
  [
    /^(sorry, too many clients|remaining connection slots|too many connections)/,
    () =>
      'A backup takes up to seven connections at a time: raise max_connections, or the limit of the role or the database',
  ],
  [
    /^(could not access file|could not load library|could not open extension)/,
    () => "The database's image lacks a library that the database uses",
  ],
];

/** null if it is not known what helps. @param error as `firstError` finds it */
export function adviseDump(error: string, user: string): DumpAdvice | null {
  const found = advices.find(([said]) => said.test(error));
  if (found === undefined) return null;
  const [, advise, code] = found;
  return { hint: advise(user), ...(code === undefined ? {} : { code }) };
}
