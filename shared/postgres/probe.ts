import { Failure } from '../failure.ts';
import { refusal } from './refusal.ts';

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
  /** Settings that decide what a restore makes of a dump, by name: preloaded libraries and their settings, `TimeZone`, `lc_monetary`. */
  serverSettings: Record<string, string>;
  /** The time zone of our sessions: it affects how values of some types are written. */
  timezone: string;
  /** Size of the database on the server's disk, including indexes and dead rows. */
  sizeBytes: number;
  /** A restore has created it and was cut off; there is nothing in it. */
  isLeftover: boolean;
  /** The programs in the container that a backup can use. */
  tools: ReadonlySet<string>;
  access: ServerAccess;
  /** Databases on the same server that accept connections: at most 1,000 names, and how many there are. */
  otherDatabases: { count: number; names: string[] };
  /** null if the server could not tell. */
  outdatedCollations: OutdatedCollations | null;
}

/** What a command in the container must be given to reach the server; all null where its own environment is enough. */
export interface ServerAccess {
  place: ServerPlace | null;
  /** The container's variable that holds the password, or tells the file that does. */
  password: PasswordVariable | null;
}

/** Where the server listens, if not where the container's own variables lead. */
export interface ServerPlace {
  /** The folder of its socket, or an address. */
  host: string;
  port: string;
  /** The container's variables that would go before these two. */
  insteadOf: ('PGHOSTADDR' | 'PGSERVICE')[];
}

/** As reach-server.sh looks for them. */
const passwordVariables = [
  'POSTGRES_PASSWORD',
  'POSTGRES_PASSWORD_FILE',
  'POSTGRESQL_PASSWORD',
  'POSTGRESQL_PASSWORD_FILE',
  'POSTGRESQL_POSTGRES_PASSWORD',
  'POSTGRESQL_POSTGRES_PASSWORD_FILE',
  'POSTGRESQL_ADMIN_PASSWORD',
  'POSTGRESQL_ADMIN_PASSWORD_FILE',
] as const;
export type PasswordVariable = (typeof passwordVariables)[number];

/** Collations of another version than that by which something in the database was sorted. */
export interface OutdatedCollations {
  /** The database's own. */
  default: CollationVersions | null;
  /** Those of indexes and partitions. */
  others: ({ schema: string; name: string } & CollationVersions)[];
  /** Tables that are partitioned by ranges of such an order: their rows may be in the wrong partition. */
  partitioned: { schema: string; name: string }[];
}

interface CollationVersions {
  recorded: string;
  actual: string;
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
    ...readAnswer(answer),
    pgDumpVersion: (value('pg-dump') ?? '').replace(/^pg_dump \([^)]*\) /, ''),
    tools,
    access: {
      place: readPlace(value('place') ?? '', value('instead-of') ?? ''),
      password: passwordVariables.find((variable) => variable === value('password')) ?? null,
    },
    outdatedCollations: readCollations(value('collations') ?? ''),
  };
}

function readPlace(found: string, instead: string): ServerPlace | null {
  const [, port, host] = /^(\d+) (.+)$/.exec(found) ?? [];
  if (port === undefined || host === undefined) return null;
  const insteadOf = (['PGHOSTADDR', 'PGSERVICE'] as const).filter((name) => instead.split(' ').includes(name));
  return { host, port, insteadOf };
}

function readCollations(json: string): OutdatedCollations | null {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
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

type Answer = Omit<DatabaseFacts, 'tools' | 'pgDumpVersion' | 'access' | 'outdatedCollations'>;

function readAnswer(answer: string): Answer {
  try {
    return JSON.parse(answer);
  } catch {
    throw refusal(answer);
  }
}
