import { Failure } from '../failure.ts';

/** What the database container says about itself. */
export interface DatabaseFacts {
  database: string;
  user: string;
  serverVersion: string;
  /** The output of `pg_dump --version`, without the program's name. */
  pgDumpVersion: string;
  encoding: string;
  /** LC_COLLATE. */
  locale: string;
  /** LC_CTYPE. */
  ctype: string;
  localeProvider: 'libc' | 'icu' | 'builtin';
  /** The provider's own name for the locale; null for libc. */
  providerLocale: string | null;
  /** Tailoring rules of an ICU collation; null if there are none. */
  icuRules: string | null;
  /** The server's first superuser. Grants on system objects are dumped as they differ from what this role had at first. */
  bootstrapRole: string;
  /** Settings that decide what a restore makes of a dump, by name: preloaded libraries, their own settings, `lc_monetary`. */
  serverSettings: Record<string, string>;
  /** The time zone of our sessions: it affects how values of some types are written. */
  timezone: string;
  /** Size of the database on the server's disk, including indexes and dead rows. */
  sizeBytes: number;
  /** The programs in the container that a backup can use. */
  tools: ReadonlySet<string>;
}

/**
 * Reads the output of the probe. Its values come from the server: hostile until cleaned.
 * @throws Failure `database-refuses`; `no-pg-dump` if not even psql is there
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
 * Checks that the container can dump, and can read a dump. A program that exists may be a wrapper for one that does not,
 * and an older pg_dump refuses a newer server.
 * @throws Failure `no-pg-dump`
 */
export function checkDumpTools({ tools, pgDumpVersion, serverVersion }: DatabaseFacts): void {
  requireTools(tools, ['pg_dump', 'pg_restore']);
  const [ofProgram, ofServer] = [pgDumpVersion, serverVersion].map((version) => Number.parseInt(version, 10));
  if (ofProgram !== undefined && ofServer !== undefined && ofProgram >= ofServer) return;
  throw new Failure(
    'no-pg-dump',
    `pg_dump in the container cannot dump a server of version ${serverVersion}: ${pgDumpVersion}`,
    {
      hint: 'Run the database in the official image of its version, whose pg_dump matches the server',
    },
  );
}

function requireTools(tools: ReadonlySet<string>, wanted: readonly string[]): void {
  const missing = wanted.filter((tool) => !tools.has(tool));
  if (missing.length === 0) return;
  throw new Failure('no-pg-dump', `The database container has no ${missing.join(' and no ')}`, {
    hint: 'Set "db-service" to the service that runs the official PostgreSQL image',
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
  return new Failure('database-refuses', `The database refused our session${because}`, {
    hint:
      refusals.find(([pattern]) => fatal !== undefined && pattern.test(fatal))?.[1] ??
      'Check docker logs of its container. If it complains about a database or a role, set "db-name" and "db-user"',
    cause: answer,
  });
}
