import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { attempt, type Outcome, run } from './command.ts';

const sql = (name: string) => readFileSync(fileURLToPath(new URL(`./sql/${name}`, import.meta.url)), 'utf8');

/** The name of the lab's own sessions, by which they are told from those of the actions. */
const labSession = 'lab';

/** A session of PostgreSQL. */
export interface DatabaseSession {
  pid: number;
  database: string;
  application: string;
  state: string;
  query: string;
}

/** What a database holds: equal for two databases exactly where one is a true copy of the other. */
export type Content = Readonly<Record<string, string>>;

/** The PostgreSQL server in a container, for a test that looks at it or changes it. */
export class DatabaseServer {
  readonly #container: () => Promise<string>;
  readonly #env: NodeJS.ProcessEnv;
  readonly user: string;
  readonly database: string;

  constructor(container: () => Promise<string>, env: NodeJS.ProcessEnv, user: string, database: string) {
    this.#container = container;
    this.#env = env;
    this.user = user;
    this.database = database;
  }

  /** The command that runs psql in the container; it reads SQL from standard input, and ends at the first error. */
  async psqlCommand(database = this.database): Promise<string[]> {
    // Names travel in the environment: psql takes an argument for a connection string where it looks like one.
    const names = {
      PGDATABASE: database,
      PGUSER: this.user,
      PGAPPNAME: labSession,
      PGOPTIONS: '-c client_min_messages=warning',
    };
    const variables = Object.entries(names).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const psql = ['psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-v', `session=${labSession}`];
    return ['docker', 'exec', '--interactive', ...variables, await this.#container(), ...psql];
  }

  /** Runs SQL; gives what psql prints: rows a line, fields with `|` between them. */
  async psql(statements: string, database?: string): Promise<string> {
    return (await run(await this.psqlCommand(database), { input: statements, env: this.#env })).trimEnd();
  }

  /** Runs SQL that may fail. */
  async tryPsql(statements: string, database?: string): Promise<Outcome> {
    return attempt(await this.psqlCommand(database), { input: statements, env: this.#env });
  }

  /** Rows as objects. */
  async rows<Row>(query: string, database?: string): Promise<Row[]> {
    return JSON.parse(await this.psql(`SELECT coalesce(json_agg(row), '[]') FROM (${query}) row;`, database));
  }

  /** Makes an empty database, whatever its name. */
  async create(name: string): Promise<void> {
    await this.psql(`CREATE DATABASE ${identifier(name)} TEMPLATE template0;`, 'postgres');
  }

  async drop(name: string): Promise<void> {
    await this.psql(`DROP DATABASE IF EXISTS ${identifier(name)} WITH (FORCE);`, 'postgres');
  }

  /** Fills a database with one of everything that a dump has to carry. */
  async seed(database?: string): Promise<void> {
    await this.psql(sql('seed.sql'), database);
  }

  /** Makes tables of about so many bytes: text, numbers and JSON, as compressible as a web shop's. */
  async fillTo(bytes: number, database?: string): Promise<void> {
    const [schema, ...statements] = fillStatements(bytes);
    await this.psql(schema ?? '', database);
    // One core each.
    await Promise.all(statements.map((statement) => this.psql(statement, database)));
    await this.psql('ANALYZE;', database);
  }

  /** Table by table, sequence by sequence, object by object. */
  async contentOf(database?: string): Promise<Content> {
    const printed = await this.psql(sql('content.sql'), database);
    const facts = printed.split('\n').filter((line) => line !== '');
    return Object.fromEntries(facts.map((line) => JSON.parse(line) as [string, string]));
  }

  /** Every session but the lab's own. */
  async sessions(): Promise<DatabaseSession[]> {
    return this.rows(`
      SELECT pid, datname AS database, application_name AS application, state, query
      FROM pg_stat_activity
      WHERE backend_type = 'client backend' AND application_name <> '${labSession}'
      ORDER BY pid`);
  }
}

/** A name as SQL takes it, whatever it holds. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A value as SQL takes it, whatever it holds. */
export function literal(value: string): string {
  return `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** The tables first; then a statement for each of two halves. */
function fillStatements(bytes: number): string[] {
  const rowsOf = (share: number, rowBytes: number) => Math.ceil((bytes * share) / rowBytes);
  return [
    sql('fill-tables.sql'),
    sql('fill-events.sql').replace(':rows', String(rowsOf(0.5, 355))),
    sql('fill-orders.sql').replace(':rows', String(rowsOf(0.5, 330))),
  ];
}
