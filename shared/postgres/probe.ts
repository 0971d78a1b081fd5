import { Failure } from '../failure.ts';

/** What the database container tells of itself. */
export interface DatabaseFacts {
  database: string;
  user: string;
  serverVersion: string;
  /** As `pg_dump --version` prints it, without the program's name. */
  pgDumpVersion: string;
  encoding: string;
  /** LC_COLLATE. */
  locale: string;
  /** LC_CTYPE. */
  ctype: string;
  localeProvider: 'libc' | 'icu' | 'builtin';
  /** The provider's own name of the locale; null for libc. */
  providerLocale: string | null;
  /** Of our sessions: values of some types are written in it. */
  timezone: string;
  /** Of the database on the server's disk: indexes and dead rows included. */
  sizeBytes: number;
  /** Which of the programs that a backup can use are in the container. */
  tools: ReadonlySet<string>;
}

/**
 * Reads what the probe printed. Values are the server's: hostile until cleaned.
 * @throws Failure `database-refuses`; `no-pg-dump` where there is not even psql
 */
export function readProbe(output: string): DatabaseFacts {
  const lines = output.split('\n').map((line) => {
    const space = line.indexOf(' ');
    return [line.slice(0, space), line.slice(space + 1)] as const;
  });
  const value = (name: string) => lines.find(([key]) => key === name)?.[1];

  const tools = new Set(lines.filter(([name]) => name === 'tool').map(([, tool]) => tool));
  requireTools(tools, ['psql']);
  const answer = value('accepts');
  if (answer === undefined) throw refusal(value('refuses') ?? 'no answer');
  return {
    ...readFacts(answer),
    pgDumpVersion: (value('pg-dump') ?? '').replace(/^pg_dump \([^)]*\) /, ''),
    tools,
  };
}

/**
 * Whether the container can dump, and read what it has dumped. A name that is there may be a wrapper with nothing behind it,
 * and an older pg_dump refuses a newer server.
 * @throws Failure `no-pg-dump`
 */
export function checkDumpTools({ tools, pgDumpVersion, serverVersion }: DatabaseFacts): void {
  requireTools(tools, ['pg_dump', 'pg_restore']);
  const [ofProgram, ofServer] = [pgDumpVersion, serverVersion].map((version) => Number.parseInt(version, 10));
  if (ofProgram !== undefined && ofServer !== undefined && ofProgram >= ofServer) return;
  throw new Failure(
    'no-pg-dump',
    `The pg_dump of the container cannot dump a server ${serverVersion}: ${pgDumpVersion}`,
    {
      hint: "Run the database in the official image of its version, whose programs are the server's",
    },
  );
}

function requireTools(tools: ReadonlySet<string>, wanted: readonly string[]): void {
  const missing = wanted.filter((tool) => !tools.has(tool));
  if (missing.length === 0) return;
  throw new Failure('no-pg-dump', `The database container has no ${missing.join(' and no ')}`, {
    hint: 'Name the service that runs the official PostgreSQL image as "db-service"',
  });
}

const refusals: [fatal: RegExp, hint: string][] = [
  [/database ".*" does not exist$/, 'Correct the input "db-name"'],
  [/role ".*" does not exist$/, 'Correct the input "db-user"'],
  [/starting up|shutting down|in recovery/, 'Wait until it is up, then run it again'],
];

function readFacts(answer: string): Omit<DatabaseFacts, 'tools' | 'pgDumpVersion'> {
  try {
    return JSON.parse(answer);
  } catch {
    throw refusal(answer);
  }
}

function refusal(answer: string): Failure {
  const [, fatal] = /FATAL: +(.*?) *$/.exec(answer) ?? [];
  const because = fatal === undefined ? '' : `: ${fatal}`;
  return new Failure('database-refuses', `The database does not accept our session${because}`, {
    hint:
      refusals.find(([pattern]) => fatal !== undefined && pattern.test(fatal))?.[1] ??
      'See what it says: docker logs of its container. Where it names a database or a role, set "db-name" and "db-user"',
    cause: answer,
  });
}
