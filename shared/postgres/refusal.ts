import { Failure } from '../failure.ts';

/** What PostgreSQL's programs say, and what to do about it. */
const refusals: [said: RegExp, hint: string][] = [
  [/database ".*" does not exist/, 'Correct the input "db-name"'],
  [/role ".*" does not exist/, 'Correct the input "db-user"'],
  [/role ".*" is not permitted to log in/, 'Set "db-user" to a role that may log in'],
  [
    /password authentication failed/,
    'The password in the container\'s variables is not that of the role, or there is no such role. They set it only when the data folder is new: change it with ALTER ROLE, or correct them; or set "db-user"',
  ],
  [
    /no password supplied/,
    'The server wants a password: give it to the container as POSTGRES_PASSWORD, or in a file that POSTGRES_PASSWORD_FILE names and that the user of docker exec can read',
  ],
  [
    /no pg_hba\.conf entry|pg_hba\.conf rejects/,
    'Let the role connect to the database from within the container: a line in pg_hba.conf on the server, then SELECT pg_reload_conf()',
  ],
  [
    /(Peer|Ident|ident) authentication failed/,
    'pg_hba.conf lets a role connect only as the user of the same name: set "db-user" to that of docker exec, or change the line to scram-sha-256',
  ],
  [
    /too many clients|remaining connection slots|too many connections for/,
    'All its connections are taken. See who has them: SELECT usename, application_name, count(*) FROM pg_stat_activity GROUP BY 1, 2. Free some, or raise max_connections or the CONNECTION LIMIT',
  ],
  [/starting up|shutting down|in recovery|not yet accepting/, 'Wait until it is up, then run it again'],
  [/not currently accepting connections/, 'ALTER DATABASE … ALLOW_CONNECTIONS true, or correct the input "db-name"'],
  [
    /cannot connect to invalid database/,
    'A DROP DATABASE was interrupted: what is left cannot be used. Drop it, and restore it or correct the input "db-name"',
  ],
  [
    /unsupported startup parameter/,
    'A pooler answers, not PostgreSQL: set "db-service" to the service of the database itself, and let PGHOST in its container lead to no pooler',
  ],
  [
    /could not translate host name/,
    'PGHOST in the container, or the service that PGSERVICE names, has a host that is not known there: correct or remove it',
  ],
  [
    /definition of service .* not found/,
    'PGSERVICE in the container names a service that is in no service file there: correct or remove it',
  ],
  [
    /failed: Permission denied|could not connect to server: Permission denied/,
    'The user of docker exec may not use the socket: see unix_socket_permissions and unix_socket_group, and the rights of its folder; or set user: of the service to one that may',
  ],
  [/permission denied for database/, 'GRANT CONNECT ON DATABASE … TO the role, or set "db-user" to another one'],
  [
    /could not connect|connection to server .* failed: (No such file|Connection refused|Connection timed out|timeout)|timeout expired/,
    'No server answers where the container says that it listens. If "db-service" names another service than the database, correct it. Otherwise, on the host: docker ps; docker logs NAME',
  ],
];

/** What to tell of a session that was refused: the words after FATAL or ERROR, else those of psql itself; a hint only where these are known. */
export function refusal(answer: string): Failure {
  const said =
    /(?:FATAL|ERROR|PANIC): +(.*?)(?: +(?:DETAIL|HINT|LINE \d+|CONTEXT):| *$)/.exec(answer)?.[1] ??
    /psql: (?:error: )?(.*?)(?:\s+Is the server running|\s*$)/.exec(answer)?.[1];
  const hint = refusals.find(([pattern]) => said !== undefined && pattern.test(said))?.[1];
  return new Failure('database-refuses', `The database refused our session${said === undefined ? '' : `: ${said}`}`, {
    hint: hint ?? 'On the host: docker ps; docker logs NAME',
    cause: answer,
  });
}
