import { Failure } from '../failure.ts';
import type { Connection } from '../host/connection.ts';
import type { Program } from '../host/program.ts';
import { replaceScript } from '../postgres/scripts.ts';
import { bool, count, listOf, orNull, shape, text } from '../untrusted.ts';
import { type Server, serverParameters } from './server.ts';

/** What a restore must know of the server and of the database that it replaces. */
export interface Standing extends ServerStanding {
  /** Free bytes on the disk of the database, and on that of the server's write-ahead log; null if unknown. */
  freeBytes: number | null;
  walFreeBytes: number | null;
  /** The same of the tablespace with the least, without that of the database; Infinity if there is no other. */
  otherFreeBytes: number | null;
  /** The services of the project, by the addresses of their containers. */
  services: ReadonlyMap<string, string>;
}

interface ServerStanding {
  isSuperuser: boolean;
  /** Names of subscriptions of the database; null if only a superuser may know. */
  subscriptions: string[] | null;
  /** Where the database lies: its tablespace may be on a disk of its own. */
  dataFolder: string;
  /** -1: none. */
  connectionLimit: number;
  /** It follows another server, and cannot be written to. */
  isStandby: boolean;
  /** Who has given the database security labels. */
  labels: string[];
  tablespace: string;
  /** Tablespaces in which tables or indexes of the database lie, apart from that. */
  elsewhere: string[];
  /** The only database in which pg_cron can live; null if there is none. */
  cronDatabase: string | null;
  /** There is nothing in the database. */
  isEmpty: boolean;
  /** Transactions of the database that are prepared, by their ids; its logical replication slots. */
  prepared: string[];
  slots: string[];
  roles: string[];
  /** Those that could be created. */
  extensions: string[];
  /** Who is connected to the database; `address` is null for the container's own socket. */
  sessions: { address: string | null; application: string; count: number }[];
}

const name = text(1_024);
const names = listOf(name, 100_000);
const standing = shape<ServerStanding>({
  isSuperuser: bool,
  subscriptions: orNull(names),
  dataFolder: text(4_096),
  connectionLimit: (value, place) => (value === -1 ? -1 : count(value, place)),
  isStandby: bool,
  labels: names,
  tablespace: name,
  elsewhere: names,
  cronDatabase: orNull(name),
  isEmpty: bool,
  prepared: names,
  slots: names,
  roles: names,
  extensions: names,
  sessions: listOf(shape({ address: orNull(name), application: name, count }), 1_000),
});

export const program: Program<
  Record<
    'container' | 'user' | 'database' | 'server_host' | 'server_port' | 'password_from' | 'inside_script',
    string
  > & { containers: readonly string[] }
> = {
  name: 'standing',
  step: 'looking at the database server',
  scripts: [new URL('./standing.sh', import.meta.url)],
};

/**
 * Looks at the server. Changes nothing.
 * @param containers ids of the project's containers
 * @throws Failure `database-silent`, `facts-unreadable`
 */
export async function lookAtServer(
  connection: Connection,
  server: Server,
  containers: readonly string[],
  { signal, onLog }: { signal: AbortSignal; onLog: (line: string) => void },
): Promise<Standing> {
  const parameters = {
    ...serverParameters(server),
    database: server.database,
    inside_script: replaceScript(),
    containers,
  };
  const records = await connection.run(program, parameters, { deadline: 120_000, atEnd: 'end', signal, onLog }).result;
  const [free = '', walFree = '', otherFree = ''] = records.get('free').trim().split('\n');
  return {
    ...readStanding(records.get('standing')),
    freeBytes: bytesIn(free),
    walFreeBytes: bytesIn(walFree),
    otherFreeBytes: otherFree === 'none' ? Number.POSITIVE_INFINITY : bytesIn(otherFree),
    services: addressesIn(records.get('addresses')),
  };
}

const bytesIn = (line: string): number | null => (/^\d{1,18}$/.test(line) ? Number(line) : null);

function readStanding(json: string): ServerStanding {
  try {
    return standing(JSON.parse(json), '');
  } catch (cause) {
    throw new Failure('facts-unreadable', "The server's reply about the restore cannot be understood", { cause });
  }
}

/** Lines of a service and the addresses that it has in one network. */
function addressesIn(lines: string): Map<string, string> {
  return new Map(
    lines.split('\n').flatMap((line): [string, string][] => {
      const [service = '', ...addresses] = line.trim().split(/\s+/);
      return addresses.map((address) => [address, service]);
    }),
  );
}
