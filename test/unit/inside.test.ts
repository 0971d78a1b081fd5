// How the script in the database's container finds the server: with a psql that is made up, as are the files of servers.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { insideScript } from '../../shared/postgres/scripts.ts';

const root = mkdtempSync(join(tmpdir(), 'inside-'));
let server: ChildProcess;
before(() => {
  mkdirSync(join(root, 'programs'));
  // Only a process of this name is taken for a server.
  symlinkSync('/bin/sleep', join(root, 'programs/postgres'));
  server = spawn(join(root, 'programs/postgres'), ['60']);
});
after(() => {
  server.kill();
  rmSync(root, { recursive: true });
});

interface Container {
  environment?: Record<string, string>;
  /** Lines of postmaster.pid from the port on, by folder below `root`; PID is that of a server that runs. */
  servers?: Record<string, string>;
  files?: Record<string, string>;
  /**
   * What psql comes to, by `HOST:PORT` and `HOST:PORT PASSWORD`, `-` where nothing is set: the server's number, or what it says.
   * PGSERVICE and PGHOSTADDR stand for host and port.
   */
  reaches?: Record<string, string>;
}

/** What a probe prints of the way, and what each psql was given. */
function probe({ environment = {}, servers = {}, files = {}, reaches = {} }: Container, verb = 'probe') {
  const here = mkdtempSync(join(root, 'container-'));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(here, path)), { recursive: true });
    writeFileSync(join(here, path), text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  for (const [folder, lines] of Object.entries(servers)) {
    const [pid = '', ...rest] = lines.replace('PID', String(server.pid)).split('\n');
    write(`${folder}/postmaster.pid`, [pid, `${folder}`, '1700000000', ...rest, 'ready', ''].join('\n'));
  }
  const cases = Object.entries(reaches).map(([way, said]) =>
    /^\d+/.test(said) ? `'${way}') answer '${said}' ;;` : `'${way}') echo '${said}' >&2; exit 2 ;;`,
  );
  write(
    'programs/psql',
    `#!/bin/sh
answer() {
  set -- $1 "$PGDATABASE"
  case "$last" in *pg_postmaster_start_time*) echo "$1 $2" ;; *jsonb*) echo "{\\"server\\": $1}" ;; esac
  exit 0
}
for last; do :; done
at=\${PGSERVICE:-\${PGHOSTADDR:-\${PGHOST:--}:\${PGPORT:--}}}
echo "$PGUSER $PGDATABASE $at \${PGPASSWORD:--}" >>'${here}/asked'
case "$at\${PGPASSWORD:+ $PGPASSWORD}" in
${cases.join('\n')}
esac
echo "connection to server at $at failed: No such file or directory" >&2
exit 2
`,
  );
  write('programs/pg_dump', '#!/bin/sh\necho pg_dump\n');
  for (const program of ['psql', 'pg_dump']) chmodSync(join(here, 'programs', program), 0o755);
  const script = insideScript().replaceAll(/ (?=\/var\/lib\/|\/bitnami\/)/g, ` ${here}`);
  const at = (text: string) => text.replaceAll('ROOT', here);
  const env = Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, at(value)]));
  const { stdout } = spawnSync('sh', ['-c', script, 'inside', verb], {
    encoding: 'utf8',
    env: { PATH: `${join(here, 'programs')}:/usr/bin:/bin`, ...env },
  });
  const asked = readFileSync(join(here, 'asked'), 'utf8').trim().replaceAll(here, 'ROOT').split('\n');
  const told = stdout.replaceAll(here, 'ROOT').split('\n');
  const way = told.filter((line) => /^(accepts|refuses|place|instead-of|password) ?/.test(line));
  return { way, asked, last: asked.at(-1) };
}

const own = (environment: Record<string, string> = {}) => ({ PGUSER: 'u', PGDATABASE: 'd', ...environment });
const wanted = 'fe_sendauth: no password supplied';
const refusedPassword = 'FATAL:  password authentication failed for user "u"';
const peer = 'FATAL:  Peer authentication failed for user "u"';
const usual = { 'var/lib/postgresql/data': 'PID\n5432\n/var/run/postgresql\n*' };
const moved = { 'var/lib/postgresql/data': 'PID\n5433\n/sockets here\n*' };

/** What the container is like; the lines of the probe after what is accepted. */
const ways: [what: string, container: Container, server: number, way: string[]][] = [
  ['the usual image', { servers: usual, reaches: { '-:-': '1' } }, 1, []],
  [
    'PGHOST leads to the address, and the socket is for another user',
    {
      environment: { PGHOST: '127.0.0.1' },
      servers: usual,
      reaches: { '127.0.0.1:-': '1', '/var/run/postgresql:5432': peer },
    },
    1,
    [],
  ],
  [
    'PGHOST leads to a remote server, and an empty one runs here',
    { environment: { PGHOST: 'far' }, servers: usual, reaches: { 'far:-': '2', '/var/run/postgresql:5432': '1' } },
    2,
    [],
  ],
  [
    'PGHOST leads to a remote server that wants a password of the container, and an empty one runs here',
    {
      environment: { PGHOST: 'far', POSTGRES_PASSWORD: 'p' },
      servers: usual,
      reaches: { 'far:-': wanted, 'far:- p': '2', '/var/run/postgresql:5432': '1' },
    },
    2,
    ['password POSTGRES_PASSWORD'],
  ],
  [
    'PGHOST leads nowhere',
    { environment: { PGHOST: 'far', PGPORT: '1' }, servers: moved, reaches: { '/sockets here:5433': '1' } },
    1,
    ['place 5433 /sockets here', 'instead-of'],
  ],
  [
    'variables that go before PGHOST lead nowhere',
    {
      environment: { PGHOSTADDR: '192.0.2.1', PGSERVICE: 'far' },
      servers: moved,
      reaches: { '/sockets here:5433': '1' },
    },
    1,
    ['place 5433 /sockets here', 'instead-of PGHOSTADDR PGSERVICE'],
  ],
  [
    'another port',
    { servers: moved, reaches: { '/sockets here:5433': '1' } },
    1,
    ['place 5433 /sockets here', 'instead-of'],
  ],
  [
    'another port, and another server at the usual one',
    { servers: moved, reaches: { '-:-': '2', '/sockets here:5433': '1' } },
    1,
    ['place 5433 /sockets here', 'instead-of'],
  ],
  [
    'another port that wants a password, and another server at the usual one',
    {
      environment: { POSTGRES_PASSWORD: 'p' },
      servers: moved,
      reaches: { '-:-': '2', '/sockets here:5433': wanted, '/sockets here:5433 p': '1' },
    },
    1,
    ['place 5433 /sockets here', 'instead-of', 'password POSTGRES_PASSWORD'],
  ],
  [
    'another port that wants a password',
    {
      environment: { POSTGRES_PASSWORD: 'p' },
      servers: moved,
      reaches: { '/sockets here:5433': wanted, '/sockets here:5433 p': '1' },
    },
    1,
    ['place 5433 /sockets here', 'instead-of', 'password POSTGRES_PASSWORD'],
  ],
  [
    'PGHOST leads to a server whose password nobody has, and another port is open',
    { environment: { PGHOST: 'far' }, servers: moved, reaches: { 'far:-': wanted, '/sockets here:5433': '1' } },
    1,
    ['place 5433 /sockets here', 'instead-of'],
  ],
  [
    'at the usual port another server refuses the user, and another port is open',
    { servers: moved, reaches: { '-:-': peer, '/sockets here:5433': '1' } },
    1,
    ['place 5433 /sockets here', 'instead-of'],
  ],
  [
    'the socket by its name is the usual one',
    { servers: moved, reaches: { '-:-': '1', '/sockets here:5433': '1' } },
    1,
    [],
  ],
  [
    'a password file has what the variable has not',
    {
      environment: { POSTGRESQL_PASSWORD: 'of another' },
      servers: usual,
      reaches: { '-:-': '1', '-:- of another': refusedPassword },
    },
    1,
    [],
  ],
  [
    'the socket wants a password',
    { environment: { POSTGRES_PASSWORD: 'p' }, servers: usual, reaches: { '-:-': wanted, '-:- p': '1' } },
    1,
    ['password POSTGRES_PASSWORD'],
  ],
  [
    'the password in PGPASSWORD is an old one',
    {
      environment: { PGPASSWORD: 'old', POSTGRES_PASSWORD: 'p' },
      servers: usual,
      reaches: { '-:- old': refusedPassword, '-:- p': '1' },
    },
    1,
    ['password POSTGRES_PASSWORD'],
  ],
];
for (const [what, container, number, way] of ways) {
  test(`the way to the server: ${what}`, () => {
    const { environment, ...rest } = container;
    assert.deepEqual(probe({ ...rest, environment: own(environment) }).way, [`accepts {"server": ${number}}`, ...way]);
  });
}

test('where no database is named, that of the service file is taken', () => {
  const environment = { PGUSER: 'u', PGSERVICE: 'svc' };
  assert.deepEqual(probe({ environment, reaches: { svc: '1' } }).way, ['accepts {"server": 1}']);
});

test('in the usual image, a probe asks no more than it needs to', () => {
  assert.equal(
    probe({ environment: own({ POSTGRES_PASSWORD: 'p' }), servers: usual, reaches: { '-:-': '1' } }).asked.length,
    3,
  );
});

describe('where nobody lets us in', () => {
  const cases: [what: string, container: Container, said: RegExp][] = [
    [
      'a server that starts where PGHOST leads is no reason to take another',
      {
        environment: { PGHOST: 'far' },
        servers: usual,
        reaches: { 'far:-': 'FATAL:  the database system is starting up', '/var/run/postgresql:5432': '1' },
      },
      /starting up/,
    ],
    [
      'that of a server is told rather than that of an address',
      { environment: { PGHOST: 'far' }, servers: usual, reaches: { '/var/run/postgresql:5432': peer } },
      /Peer/,
    ],
    [
      'what the server says to which PGHOST leads is told rather than what comes later',
      {
        environment: { PGHOST: 'far' },
        servers: usual,
        reaches: { 'far:-': 'FATAL:  database "d" does not exist', '/var/run/postgresql:5432': peer },
      },
      /database "d" does not exist/,
    ],
    [
      'a server here that wants a password is told of rather than an address that leads nowhere',
      { environment: { PGHOST: 'far' }, servers: usual, reaches: { '/var/run/postgresql:5432': wanted } },
      /no password supplied/,
    ],
    [
      'a service file that leads to another database',
      { environment: { PGSERVICE: 'svc' }, reaches: { svc: '1 other' } },
      /PGSERVICE leads to another database/,
    ],
  ];
  for (const [what, container, said] of cases) {
    test(what, () => {
      const { environment, ...rest } = container;
      const { way } = probe({ ...rest, environment: own(environment) });
      assert.match(way.join(), said);
      assert.match(way.join(), /^refuses/);
    });
  }
});

describe('where the server listens', () => {
  const folders = [
    'bitnami/postgresql/data',
    'var/lib/postgresql/17/docker',
    'var/lib/postgresql/16/main',
    'var/lib/pgsql/data/userdata',
    'var/lib/pgsql/data',
  ];
  const files: [lines: string, place: string | null][] = [
    ...folders.map((folder): [string, string] => [`PID\n5433\n/s\n*@${folder}`, '/s:5433']),
    ['PID\n5433\nsockets\n*@elsewhere', 'ROOT/elsewhere/sockets:5433'],
    ['PID\n5433\n@abstract\n*', '@abstract:5433'],
    ['PID\n5433\n\n*', '127.0.0.1:5433'],
    ['PID\n5433\n\n0.0.0.0', '127.0.0.1:5433'],
    ['PID\n5433\n\n::', '::1:5433'],
    ['PID\n5433\n\n10.1.2.3', '10.1.2.3:5433'],
    ['PID\n5433\n\n', null],
    ['PID\n54x3\n/s\n*', null],
    ['\n5433\n/s\n*', null],
    // That of a process which is no server: the file is left from a killed one.
    [`${process.pid}\n5433\n/s\n*`, null],
    ['999999999\n5433\n/s\n*', null],
  ];
  for (const [text, place] of files) {
    test(JSON.stringify(text), () => {
      const [lines = '', folder = 'elsewhere'] =
        text.split('@var').length > 1 || text.includes('@bitnami') || text.includes('@elsewhere')
          ? [text.slice(0, text.lastIndexOf('@')), text.slice(text.lastIndexOf('@') + 1)]
          : [text];
      const environment = own(folder === 'elsewhere' ? { POSTGRESQL_DATA_DIR: 'ROOT/elsewhere' } : {});
      const { asked } = probe({ environment, servers: { [folder]: lines } });
      assert.equal(
        asked.find((ask) => !ask.startsWith('u d -:- ')),
        place === null ? undefined : `u d ${place} -`,
      );
    });
  }
});

test('where the server listens: its data folder is in PGDATA', () => {
  const environment = own({ PGDATA: 'ROOT/mine' });
  assert.ok(probe({ environment, servers: { mine: 'PID\n5433\n/s\n*', ...usual } }).asked.includes('u d /s:5433 -'));
});

describe('names and passwords by the variables of each image', () => {
  const cases: [environment: Record<string, string>, files: Record<string, string>, asked: string][] = [
    [{}, {}, 'postgres postgres -:- -'],
    [{ POSTGRES_USER: 'clerk' }, {}, 'clerk clerk -:- -'],
    [{ POSTGRES_USER: 'clerk', POSTGRES_DB: 'shop', POSTGRES_PASSWORD: 'p' }, {}, 'clerk shop -:- p'],
    [{ POSTGRESQL_USERNAME: 'clerk', POSTGRESQL_PASSWORD: 'p' }, {}, 'clerk postgres -:- p'],
    [{ POSTGRESQL_USER: 'clerk', POSTGRESQL_DATABASE: 'shop', POSTGRESQL_PASSWORD: 'p' }, {}, 'clerk shop -:- p'],
    [{ POSTGRESQL_ADMIN_PASSWORD: 'a', POSTGRESQL_PASSWORD: 'p' }, {}, 'postgres postgres -:- a'],
    [{ POSTGRESQL_POSTGRES_PASSWORD: 'b', POSTGRESQL_PASSWORD: 'p' }, {}, 'postgres postgres -:- b'],
    [{ POSTGRES_PASSWORD_FILE: 'ROOT/absent', POSTGRES_PASSWORD: 'p' }, {}, 'postgres postgres -:- p'],
    [{ PGUSER: 'clerk', POSTGRESQL_ADMIN_PASSWORD: 'a', POSTGRESQL_PASSWORD: 'p' }, {}, 'clerk clerk -:- p'],
    [
      { POSTGRES_USER_FILE: 'ROOT/user', POSTGRES_PASSWORD_FILE: 'ROOT/pass' },
      { user: 'clerk\n', pass: 'p q\n' },
      'clerk clerk -:- p q',
    ],
    // A file that is not there, or not for us.
    [{ POSTGRES_PASSWORD_FILE: 'ROOT/absent', POSTGRESQL_PASSWORD: 'p' }, {}, 'postgres postgres -:- p'],
  ];
  for (const [environment, files, asked] of cases) {
    test(JSON.stringify(environment), () => {
      assert.ok(probe({ environment, files, reaches: { '-:-': wanted } }).asked.includes(asked));
    });
  }
});

test('a backup takes the way that was found, and no other', () => {
  const environment = own({ PGHOST: 'far', PGSERVICE: 'far', PGHOSTADDR: '192.0.2.1', POSTGRES_PASSWORD: 'p' });
  const placed = { ...environment, SERVER_HOST: '/s', SERVER_PORT: '5433', PASSWORD_FROM: 'POSTGRES_PASSWORD' };
  assert.deepEqual(probe({ environment: placed }, 'session').asked, ['u d /s:5433 p']);
  assert.deepEqual(
    probe({ environment: own({ PGHOST: 'far', POSTGRES_PASSWORD: 'p' }), servers: usual }, 'session').asked,
    ['u d far:- -'],
  );
});

describe('a dump is parsed as it comes', () => {
  /** Names in an archive may be anything. */
  const list = `${'; \n'.repeat(20_000)}1; 2 3 TABLE DATA public x\nlist 0\nread 0\n`;

  /** What the container says of `bytes`, with a pg_restore that is made up. */
  function parse(
    shell: readonly string[],
    { format = 'custom', compression = 'none', lines = 80_000, restores = 'wc -c >&2' },
  ): string {
    const programs = mkdtempSync(join(root, 'programs-'));
    writeFileSync(join(programs, 'contents'), list);
    // It lists what stands at the beginning, and reads no further.
    const pgRestore = `#!/bin/sh\nif [ "$1" = --list ]; then head -c 100 >/dev/null; sleep 0.2; cat '${programs}/contents'; else ${restores}; fi\n`;
    writeFileSync(join(programs, 'pg_restore'), pgRestore);
    chmodSync(join(programs, 'pg_restore'), 0o755);
    const [command = '', ...words] = shell;
    const input = '-- PostgreSQL database dump complete\n'.repeat(lines);
    const env = { PATH: `${programs}:${process.env['PATH']}` };
    const script = [...words, '-c', insideScript(), 'inside', 'parse', format, compression];
    const { stdout, stderr } = spawnSync(command, script, { input, env, encoding: 'utf8', timeout: 30_000 });
    return `${stdout.replace(list, 'CONTENTS ')}${stderr}`.slice(-200);
  }

  const shells = [['sh'], ['bash', '--norc', '--posix'], ['busybox', 'sh']].filter(
    ([command = '']) => spawnSync(command, { input: '' }).error === undefined,
  );
  for (const shell of shells) {
    test(`${shell[0]}: all of an archive, and the ends of the stages follow its contents`, () => {
      assert.equal(parse(shell, {}), 'CONTENTS list 0\ndecompress 0\nread 0\n2960000\n');
    });

    test(`${shell[0]}: one that cannot be read ends no differently, and is told of`, () => {
      assert.match(parse(shell, { restores: 'exit 1' }), /^CONTENTS list 0\n(decompress \d+\n|read 1\n){2}$/);
      const notCompressed = parse(shell, { compression: 'zstd', restores: 'exit 1' });
      assert.match(notCompressed, /^CONTENTS list 0\n(decompress [1-9]\d*\n|read 1\n){2}/);
      assert.match(parse(shell, { lines: 0, restores: 'kill -KILL $$' }), /\nread 137\n/);
    });

    test(`${shell[0]}: plain SQL`, () => {
      assert.match(parse(shell, { format: 'plain' }), /^(decompress 0\n|bytes \d+\n|read 0\n){3}$/);
    });
  }
});
