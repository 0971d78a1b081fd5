import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProbe } from '../../shared/postgres/probe.ts';
import { refusal } from '../../shared/postgres/refusal.ts';

const socket = 'psql: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed:';

/** As psql of several versions says it, and what belongs into message and hint. */
const refused: [answer: string, message: RegExp, hint: RegExp][] = [
  [`${socket} FATAL:  database "shop" does not exist `, /: database "shop" does not exist$/, /"db-name"$/],
  [`psql: FATAL:  role "app" does not exist`, /: role "app" does not exist$/, /"db-user"$/],
  [`${socket} FATAL:  password authentication failed for user "app" `, /failed for user "app"$/, /ALTER ROLE/],
  [`${socket} fe_sendauth: no password supplied `, /no password supplied$/, /POSTGRES_PASSWORD_FILE/],
  [
    `${socket} FATAL:  no pg_hba.conf entry for host "[local]", user "app", database "app", no encryption `,
    /no pg_hba/,
    /a line in pg_hba\.conf/,
  ],
  [`${socket} FATAL:  Peer authentication failed for user "app" `, /Peer/, /docker exec/],
  [`${socket} FATAL:  sorry, too many clients already `, /too many clients already$/, /max_connections/],
  [
    `${socket} FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute `,
    /remaining/,
    /max_connections/,
  ],
  [`${socket} FATAL:  the database system is starting up `, /starting up$/, /Wait/],
  [
    `${socket} FATAL:  permission denied for database "app" DETAIL:  User does not have CONNECT privilege. `,
    /denied for database "app"$/,
    /GRANT CONNECT/,
  ],
  [
    `${socket} No such file or directory 	Is the server running locally and accepting connections on that socket? `,
    /failed: No such file or directory$/,
    /where the container says/,
  ],
  [`${socket} FATAL:  role "app" is not permitted to log in `, /not permitted to log in$/, /a role that may log in/],
  [
    `${socket} FATAL:  pg_hba.conf rejects connection for host "[local]", user "app", database "app", no encryption `,
    /pg_hba\.conf rejects/,
    /a line in pg_hba\.conf/,
  ],
  [`${socket} FATAL:  the database system is in recovery mode `, /in recovery mode$/, /Wait/],
  [`${socket} FATAL:  the database system is shutting down `, /shutting down$/, /Wait/],
  [
    `${socket} FATAL:  cannot connect to invalid database "app" HINT:  Use DROP DATABASE to drop invalid databases. `,
    /invalid database "app"$/,
    /DROP DATABASE was interrupted/,
  ],
  [
    'psql: error: connection to server at "pool" (10.0.0.2), port 6432 failed: FATAL:  unsupported startup parameter: options ',
    /: unsupported startup parameter: options$/,
    /pooler/,
  ],
  [
    'psql: error: could not translate host name "far" to address: Name or service not known ',
    /: could not translate host name "far" to address: Name or service not known$/,
    /PGHOST/,
  ],
  ['psql: error: definition of service "shop" not found ', /: definition of service "shop" not found$/, /PGSERVICE/],
  [
    `${socket} Permission denied 	Is the server running locally and accepting connections on that socket? `,
    /failed: Permission denied$/,
    /unix_socket_permissions/,
  ],
  [
    'psql: could not connect to server: Connection refused 	Is the server running on host "127.0.0.1"? ',
    /could not connect to server: Connection refused$/,
    /where the container says/,
  ],
];
for (const [answer, message, hint] of refused) {
  test(`a session that is refused by ${answer.replace(socket, '').trim()}`, () => {
    const failure = refusal(answer);
    assert.equal(failure.code, 'database-refuses');
    assert.match(failure.message, message);
    assert.match(failure.hint ?? '', hint);
  });
}

test('a refusal that nobody knows is told in its own words, and no cause is guessed', () => {
  for (const answer of [`${socket} FATAL:  the moon is full `, 'Segmentation fault ', '']) {
    assert.equal(refusal(answer).hint, 'On the host: docker ps; docker logs NAME');
  }
  assert.match(refusal(`${socket} FATAL:  the moon is full `).message, /: the moon is full$/);
});

const place = { host: '/run/my sockets', port: '5433', insteadOf: [] };
/** The lines of a probe, and what a command needs. */
const ways: [lines: string, access: unknown][] = [
  ['', { place: null, password: null }],
  ['place 5433 /run/my sockets\ninstead-of', { place, password: null }],
  [
    'place 5433 /run/my sockets\ninstead-of PGHOSTADDR PGSERVICE',
    { place: { ...place, insteadOf: ['PGHOSTADDR', 'PGSERVICE'] }, password: null },
  ],
  ['password POSTGRES_PASSWORD_FILE', { place: null, password: 'POSTGRES_PASSWORD_FILE' }],
  // Others than ours are not put into commands.
  ['place x; /run\npassword LD_PRELOAD', { place: null, password: null }],
];
for (const [lines, access] of ways) {
  test(`what commands need where ${lines.replaceAll('\n', ', ') || 'nothing is said'}`, () => {
    assert.deepEqual(readProbe(`tool psql\naccepts {}\n${lines}\ncollations \n`).access, access);
  });
}
