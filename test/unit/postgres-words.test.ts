// What PostgreSQL's programs say: what of it leaves the host, which line is the error, and what is advised.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { adviseDump } from '../../shared/backups/dump-advice.ts';
import { DumpProgress } from '../../shared/backups/dump-progress.ts';
import { detailOf } from '../../shared/drill/finding.ts';
import { Failure } from '../../shared/failure.ts';
import { describeLock, endLock, readLock } from '../../shared/postgres/locks.ts';
import { firstError, firstRefusal } from '../../shared/postgres/printed-errors.ts';
import { remedyOf } from '../../verify-action/drill/remedy.ts';

const scripts = ['messages', 'words'].map((name) =>
  fileURLToPath(new URL(`../../shared/postgres/postgres-${name}.sh`, import.meta.url)),
);

const ownLog = 'postgres-20261127_061500.log';

/** What is passed on, what the log has, and the exit. */
function passed(words: string, how: 'drain' | 'cut' = 'drain', part = 'dump', earlier: string[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'postgres-words-'));
  earlier.forEach((name, at) => {
    writeFileSync(join(folder, name), '');
    utimesSync(join(folder, name), at, at);
  });
  const main =
    'set -euo pipefail; umask 077; export LC_ALL=C; . "$1"; . "$2"; keep_words "$3/postgres-20261127_061500.log"; s=0; postgres_words "$5" "$4" || s=$?; drop_words "$3/x"; exit "$s"';
  const { stdout, stderr, status } = spawnSync('bash', ['-c', main, 'bash', ...scripts, folder, how, part], {
    input: words,
    encoding: 'utf8',
  });
  const files = readdirSync(folder);
  const log = files.includes(ownLog) ? readFileSync(join(folder, ownLog), 'utf8') : null;
  const mode = log === null ? null : statSync(join(folder, ownLog)).mode & 0o777;
  rmSync(folder, { recursive: true });
  return { lines: stdout.split('\n').filter((line) => line !== ''), note: stderr, status, log, mode, files };
}

describe('what is known to hold no data passes as it is', () => {
  const lines = [
    'ERROR:  invalid XML content',
    'ERROR:  stack depth limit exceeded',
    'pg_restore: error: could not execute query: ERROR:  function "tconvert" already exists with same argument types',
    'ERROR:  domain public.email does not allow null values',
    'ERROR:  permission denied for table my table',
    'psql:<stdin>:12: ERROR:  relation "public.x" does not exist',
    'pg_dump: error: query failed: ERROR:  permission denied for table secrets',
    'pg_dump: [archiver (db)] query failed: ERROR:  permission denied for relation secrets',
    'pg_dump: error: query failed: server closed the connection unexpectedly',
    'pg_dump: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: FATAL:  password authentication failed for user "x"',
    'pg_restore: error: could not execute query: ERROR:  could not create unique index "a_key"',
    'pg_restore: error: could not execute query: ERROR:  insert or update on table "a" violates foreign key constraint "b"',
    'pg_restore: error: COPY failed for table "t": ERROR:  new row for relation "t" violates check constraint "c"',
    'pg_restore: error: could not read from input file: end of file',
    'ERROR:  check constraint "c" of relation "t" is violated by some row',
    'ERROR:  null value in column "a" of relation "b" violates not-null constraint',
    'ERROR:  query would be affected by row-level security policy for table "secrets"',
    'ERROR:  canceling statement due to lock timeout',
    'ERROR:  out of shared memory',
    'ERROR:  missing chunk number 0 for toast value 16402 in pg_toast_16396',
    'ERROR:  invalid page in block 0 of relation base/16384/16396',
    'ERROR:  could not write to file "base/pgsql_tmp/pgsql_tmp123.0": No space left on device',
    'ERROR:  could not access file "$libdir/postgis-3": No such file or directory',
    'ERROR:  function public.f(text, integer) does not exist',
    'ERROR:  operator does not exist: public.citext = text',
    'ERROR:  type "citext" does not exist',
    'ERROR:  value too long for type character varying(3)',
    'ERROR:  item order invariant violated for index "t_pkey"',
    'ERROR:  cannot execute UPDATE in a read-only transaction',
    'FATAL:  terminating connection due to administrator command',
    'pg_dump: warning: there are circular foreign-key constraints on this table:',
    'FATAL:  database "a" is not currently accepting connections',
    'FATAL:  role "a" is not permitted to log in',
    'FATAL:  pg_hba.conf rejects connection for host "[local]", user "a", database "b", no encryption',
    'FATAL:  cannot connect to invalid database "a"',
    'FATAL:  unsupported startup parameter: options',
    'FATAL:  could not write init file',
    'FATAL:  "/data" is not a valid data directory',
    'ERROR:  cannot execute LOCK TABLE during recovery',
    'ERROR:  recovery is in progress',
    'ERROR:  cannot use serializable mode in a hot standby',
    'ERROR:  incompatible library "/usr/lib/x.so": version mismatch',
    'ERROR:  unrecognized parameter "a.b"',
    'ERROR:  multiple primary keys for table "t" are not allowed',
    'ERROR:  large object 16400 already exists',
    'ERROR:  invalid locale name: "de_DE.utf8"',
    'ERROR:  could not create locale "de_DE.utf8": No such file or directory',
    'ERROR:  could not open dictionary file "/usr/share/de.dict": No such file or directory',
    'ERROR:  security label provider "anon" is not loaded',
    'ERROR:  new encoding (UTF8) is incompatible with the encoding of the template database (SQL_ASCII)',
    'ERROR:  function public.f(integer) is not unique',
    'ERROR:  column "x" is a generated column',
    'ERROR:  must have CREATE privilege on database "a"',
    'psql:<stdin>:9: server closed the connection unexpectedly',
    'psql:<stdin>:9: error: COPY command failed',
    'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://x": dial unix',
    'Killed',
    'Segmentation fault (core dumped)',
    '/usr/lib/postgresql/15/bin/pg_dump: symbol lookup error: undefined symbol: PQx',
    'pg_dump: error while loading shared libraries: libpq.so.5: cannot open shared object file',
    'Error response from daemon: container x is not running',
    'zstd: /*stdin*: unsupported format',
    'sh: 1: Cannot fork',
  ];
  for (const line of lines) test(line, () => assert.deepEqual(passed(`${line}\n`).lines, [line]));
});

describe('what may come from a row is cut out', () => {
  const cases: [said: string, passes: string[]][] = [
    ['ERROR:  invalid input syntax for type integer: "s3cr3t"', ['ERROR:  invalid input syntax for type integer: …']],
    ['ERROR:  invalid input syntax for type json', ['ERROR:  invalid input syntax for type json']],
    ['ERROR:  invalid input value for enum mood: "s3cr3t', ['ERROR:  invalid input value for enum mood: …']],
    ['ERROR:  date/time field value out of range: "s3cr3t"', ['ERROR:  date/time field value out of range: …']],
    ['ERROR:  value "s3cr3t" is out of range for type integer', ['ERROR:  value "…" is out of range for type integer']],
    [
      'ERROR:  "s3cr3t" is out of range for type double precision',
      ['ERROR:  "…" is out of range for type double precision'],
    ],
    ['ERROR:  malformed array literal: "s3cr3t"', ['ERROR:  malformed array literal: …']],
    ['ERROR:  time zone "s3cr3t" not recognized', ['ERROR:  time zone "…"']],
    ['ERROR:  syntax error at or near "s3cr3t"', ['ERROR:  syntax error at or near "…"']],
    ['ERROR:  unterminated quoted string at or near "\'s3cr3t', ['ERROR:  unterminated quoted string at or near "…"']],
    [
      'ERROR:  invalid byte sequence for encoding "UTF8": 0xe9 0x20',
      ['ERROR:  invalid byte sequence for encoding "UTF8": …'],
    ],
    [
      'ERROR:  character with byte sequence 0xe2 0x82 0xac in encoding "UTF8" has no equivalent in encoding "LATIN1"',
      ['ERROR:  character with byte sequence … in encoding "UTF8" has no equivalent in encoding "LATIN1"'],
    ],
    ['ERROR:  no such customer: s3cr3t', ['ERROR:  …']],
    ['ERROR:  user s3cr3t does not exist', ['ERROR:  …']],
    ['psql:<stdin>:4: error: invalid command \\s3cr3t', []],
    ['pg_dump: detail: Query was: SELECT s3cr3t', []],
    ['pg_dump: error: The command was: COPY s3cr3t', []],
    ['NOTICE:  s3cr3t', []],
    ['pg_restore: WARNING:  s3cr3t', []],
    ['WARNING:  s3cr3t\nERROR:  relation "s3cr3t" does not exist', ['ERROR:  …']],
    ['WARNING:  s3cr3t\npg_restore: error: s3cr3t', ['pg_restore: error: …']],
    ['WARNING:  x\nzstd: s3cr3t', []],
    ['s3cr3t', []],
    [
      'pg_restore: error: COPY failed for table "t": FEHLER:  ungültige Eingabesyntax: »s3cr3t«',
      ['pg_restore: error: COPY failed for table "t": FEHLER:  …'],
    ],
    ['pg_dump: error: query failed: FEHLER:  s3cr3t', ['pg_dump: error: query failed: FEHLER:  …']],
    ['FEHLER:  s3cr3t', []],
    [
      'ERROR:  duplicate key value violates unique constraint "k"\nDETAIL:  Key (a)=(s3cr3t\nERROR:  relation "s3cr3t" does not exist\npg_dump: warning: s3cr3t) exists.\nCONTEXT:  COPY t, line 1, column a: "s3cr3t"',
      ['ERROR:  duplicate key value violates unique constraint "k"'],
    ],
    ['ERROR:  relation "s3cr3t" does not exist\nCONTEXT:  PL/pgSQL function f() line 3 at RAISE', ['ERROR:  …']],
    [
      'pg_dump: error: Dumping the contents of table "t" failed: PQgetResult() failed.\npg_dump: detail: Error message from server: ERROR:  missing chunk number 0 for toast value 1 in pg_toast_2\npg_dump: detail: Command was: COPY s3cr3t',
      [
        'pg_dump: error: Dumping the contents of table "t" failed: PQgetResult() failed.',
        'pg_dump: detail: Error message from server: ERROR:  missing chunk number 0 for toast value 1 in pg_toast_2',
      ],
    ],
    [`ERROR:  ${'x'.repeat(9_000)}\ns3cr3t`, ['ERROR:  …']],
    [`WARNING:  ${'x'.repeat(8_192 - 10)}ERROR:  relation "s3cr3t" does not exist`, []],
    [
      'WARNING:  terminating connection because of crash of another server process\nDETAIL:  The postmaster has\nHINT:  In a moment\npg_restore: error: could not execute query: server closed the connection unexpectedly\n\tThis probably means',
      [
        'WARNING:  terminating connection because of crash of another server process',
        'pg_restore: error: could not execute query: server closed the connection unexpectedly',
      ],
    ],
  ];
  for (const [said, passes] of cases) {
    test(said.slice(0, 90), () => {
      const { lines, log } = passed(`${said}\n`);
      assert.deepEqual(lines, passes);
      assert.equal(
        log,
        said
          .split('\n')
          .flatMap((line) => line.match(/.{1,8192}/g) ?? [])
          .map((line) => `dump: ${line}\n`)
          .join(''),
      );
    });
  }
});

describe('what has nothing to do with it hides no error', () => {
  const beside = [
    'WARNING:  page verification failed, calculated checksum 12 but expected 13',
    'WARNING:  collation "de" has version mismatch\nDETAIL:  x\nHINT:  y',
    'pg_restore: WARNING:  wal_level is insufficient to publish logical changes\nHINT:  Set wal_level',
    'pg_restore: WARNING:  subscription was created, but is not connected\nHINT:  To initiate replication',
    'WARNING:  there is already a transaction in progress',
    'WARNING: Error loading config file: /root/.docker/config.json: permission denied',
    'time="2026-01-01T00:00:00Z" level=warning msg="x"',
    'Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg.',
    "ERROR: ld.so: object 'libx.so' from LD_PRELOAD cannot be preloaded (cannot open shared object file): ignored.",
    "\nWhat's next:\n    Try Docker Debug for seamless, persistent debugging tools in any container or image → docker debug x\n    Learn more at https://docs.docker.com/go/debug-cli/",
    'perl: warning: Setting locale failed.\nperl: warning: Please check that your locale settings:\n\tLANGUAGE = (unset),\n\tLC_ALL = "x"\n    are supported and installed on your system.\nperl: warning: Falling back to the standard locale ("C").',
    'bash: warning: setlocale: LC_ALL: cannot change locale (x)',
  ];
  const error = 'pg_dump: error: query failed: ERROR:  invalid page in block 1 of relation base/1/2';
  for (const line of beside) {
    test(line.slice(0, 60), () => assert.equal(passed(`${line}\n${error}\n`).lines.at(-1), error));
  }
});

describe('of a restore, a name is shown only if no code of the database ran: a function may have been given a row for it', () => {
  const copy = 'pg_restore: error: COPY failed for table "t": ERROR:  ';
  const query = 'pg_restore: error: could not execute query: ERROR:  ';
  const inCopy = '\nCONTEXT:  COPY t, line 1: "s3cr3t"';
  const inFunction = '\nCONTEXT:  PL/pgSQL function public.ok(text) line 3 at EXECUTE\nCOPY t, line 1: "s3cr3t"';
  const entry = (kind: string) => `pg_restore: from TOC entry 3216; 0 16400 ${kind} x postgres`;
  const cases: [said: string, passes: string][] = [
    [
      `${copy}relation "public.s3cr3t" does not exist\nLINE 1: SELECT\n  ^\nQUERY:  SELECT s3cr3t${inFunction}`,
      `${copy}relation … does not exist`,
    ],
    [`${copy}relation "s3cr3t" does not exist${inFunction}`, `${copy}relation … does not exist`],
    [`${copy}schema "s3cr3t" does not exist${inCopy}`, `${copy}schema … does not exist`],
    [`${copy}role "s3cr3t" does not exist${inCopy}`, `${copy}role … does not exist`],
    [
      `${copy}unrecognized configuration parameter "app.s3cr3t"${inCopy}`,
      `${copy}unrecognized configuration parameter …`,
    ],
    [
      `${copy}could not open file "/home/s3cr3t": No such file or directory${inCopy}`,
      `${copy}could not open file …: No such file or directory`,
    ],
    [
      `${copy}column orders.s3cr3t does not exist\nCONTEXT:  SQL function "f" statement 1`,
      `${copy}column … does not exist`,
    ],
    [`${copy}permission denied for table s3cr3t${inFunction}`, `${copy}permission denied for table …`],
    [`${copy}function s3cr3t(integer) does not exist${inFunction}`, `${copy}function … does not exist`],
    [
      `${copy}relation "s3cr3t" does not exist\nCONTEXT:  PL/pgSQL function public.ok(text) line 3 at ASSERT`,
      `${copy}…`,
    ],
    [
      `${copy}relation "s3cr3t" does not exist\nCONTEXT:  Traceback (most recent call last):\nPL/Python function "f"`,
      `${copy}…`,
    ],
    [`${copy}relation "s3cr3t" does not exist\nCONTEXTO:  COPY t`, `${copy}…`],
    [
      `${copy}relation "s3cr3t" does not exist\nDETAIL:  x\nCONTEXT:  COPY t\nCONTEXT:  PL/pgSQL function f() line 3 at RAISE`,
      `${copy}…`,
    ],
    [
      `${copy}new row for relation "t" violates check constraint "c"\nDETAIL:  Failing row${inCopy}`,
      `${copy}new row for relation "t" violates check constraint "c"`,
    ],
    [
      `${entry('MATERIALIZED VIEW DATA')}\n${query}relation "s3cr3t" does not exist\nCommand was: REFRESH`,
      `${query}relation … does not exist`,
    ],
    [`${entry('INDEX')}\n${query}schema "s3cr3t" does not exist\nCommand was: x`, `${query}schema … does not exist`],
    [
      `${entry('INDEX')}\n${query}function f(text) does not exist\nLINE 1: CREATE INDEX`,
      `${query}function f(text) does not exist`,
    ],
    [`${entry('INDEX')}\n${query}could not create unique index "k"`, `${query}could not create unique index "k"`],
    [`${entry('VIEW')}\n${query}relation "gone" does not exist`, `${query}relation "gone" does not exist`],
    [
      `${entry('MATERIALIZED VIEW DATA')}\n${query}could not connect to server "s3cr3t"\nDETAIL:  s3cr3t\nCommand was: REFRESH`,
      `${query}could not connect to server …`,
    ],
    [
      `${entry('MATERIALIZED VIEW DATA')}\n${query}could not establish connection\nDETAIL:  s3cr3t\nCommand was: REFRESH`,
      `${query}could not establish connection`,
    ],
    [
      `${entry('MATERIALIZED VIEW DATA')}\n${query}could not open file "s3cr3t" for reading: No such file or directory\nHINT:  x`,
      `${query}could not open file … for reading: No such file or directory`,
    ],
    [
      `${entry('INDEX')}\n${query}could not open stop-word file "s3cr3t": No such file or directory\nCommand was: x`,
      `${query}could not open stop-word file …: No such file or directory`,
    ],
    ['psql:<stdin>:12: ERROR:  relation "s3cr3t" does not exist', 'psql:<stdin>:12: ERROR:  relation … does not exist'],
    [
      'psql:<stdin>:12: ERROR:  relation "gone" does not exist\nLINE 1: x',
      'psql:<stdin>:12: ERROR:  relation "gone" does not exist',
    ],
    [`${copy}relation "s3cr3t" does not exist\nDETAIL:  ${'x'.repeat(1_200_000)}${inFunction}`, `${copy}…`],
    ['WARNING:  x\npg_restore: error: s3cr3t 4111 ERROR:  boo', 'pg_restore: error: ERROR:  …'],
    ['WARNING:  x\npg_restore: error: s3cr3t: 4111-1111:  boo', 'pg_restore: error: …'],
  ];
  for (const [said, passes] of cases) {
    test(said.slice(0, 120), () => assert.equal(passed(`${said}\n`, 'drain', 'restore').lines.at(-1), passes));
  }
});

test('of the session that reads the indexes, each error is passed on with its state: it tells damage from the rest', () => {
  const said = [
    'psql:<stdin>:30: ERROR:  XX002: item order invariant violated for index "a_pkey"',
    'DETAIL:  Lower index tid=(1,2) (points to heap tid=(0,2))',
    'LOCATION:  bt_target_page_check, verify_nbtree.c:1009',
    'psql:<stdin>:31: ERROR:  P0001: s3cr3t',
    'CONTEXT:  PL/pgSQL function compared(text,text) line 1 at RAISE',
    'LOCATION:  exec_stmt_raise, pl_exec.c:3911',
    'psql:<stdin>:32: ERROR:  58P01: could not access file "$libdir/amcheck": No such file or directory',
  ];
  assert.deepEqual(passed(`${said.join('\n')}\n`, 'cut', 'indexes').lines, [
    said[0],
    'psql:<stdin>:31: ERROR:  …',
    said[6],
  ]);
});

describe('the log', () => {
  test('is there only if something was said, and for its owner alone', () => {
    assert.deepEqual(passed('').files, []);
    const { mode, files, note } = passed('ERROR:  x\n');
    assert.equal(mode, 0o600);
    assert.deepEqual(files, [ownLog]);
    assert.match(note, /^What PostgreSQL says is kept on the host, in \S+\/postgres-20261127_061500\.log\./);
  });
  test('has an end, and shows no control characters', () => {
    const { log, status } = passed(`\x1b[2J\n${'x'.repeat(60)}\n`.repeat(20_000));
    assert.equal(status, 0);
    assert.ok((log?.length ?? 0) < 1_400_000 && log?.endsWith('dump: (the rest is left out)\n'));
    assert.ok(!log?.includes('\x1b'));
  });
  test('leaves those of the last runs, and whatever else is there', () => {
    const logs = [
      'postgres.log',
      ...Array.from(
        { length: 12 },
        (_, at) => `postgres-${at < 6 ? 'restore' : 'drill'}-0000000${at.toString(16)}.log`,
      ),
    ];
    const others = ['postgres-mine.log', 'postgres-20261127.log', 'backup.log'];
    const { files } = passed('ERROR:  x\n', 'drain', 'dump', [...others, ...logs]);
    assert.deepEqual(files.toSorted(), [...others, ...logs.slice(-9), ownLog].toSorted());
    assert.deepEqual(passed('', 'drain', 'dump', logs).files.toSorted(), logs.toSorted());
  });
  test('shows the error that was held when it was cut off, but not its words', () => {
    const { lines } = passed(`ERROR:  relation "x" does not exist\n${'x'.repeat(60)}\n`.padEnd(1_200_000, 'y\n'));
    assert.deepEqual(lines, ['ERROR:  …']);
  });
  test('of an answer ends earlier, and whoever says too much is cut off', () => {
    assert.equal(passed('NOTICE:  x\n'.repeat(20_000), 'cut').status, 77);
  });
});

describe('the error', () => {
  const cases: [lines: string[], error: string | null, refusal: string | null][] = [
    [['pg_dump: warning: x'], null, null],
    [
      ['pg_dump: error: query failed: ERROR:  permission denied for table t'],
      'permission denied for table t',
      'permission denied for table t',
    ],
    [['pg_dump: error: x', 'ERROR:  out of shared memory'], 'out of shared memory', 'out of shared memory'],
    [
      ['ERROR:  invalid snapshot identifier: …', 'ERROR:  permission denied for table t'],
      'permission denied for table t',
      'invalid snapshot identifier: …',
    ],
    [['FATAL:  the database system is shutting down', 'ERROR:  x'], 'x', 'x'],
    [
      [
        'psql:<stdin>:4: ERROR:  …',
        'pg_dump: error: query failed: ERROR:  invalid page in block 1 of relation base/1/2',
      ],
      'invalid page in block 1 of relation base/1/2',
      '…',
    ],
    [['pg_dump: error: …', 'pg_dump: error: x'], 'x', null],
    [['ERROR:  …', 'pg_dump: error: x'], '…', '…'],
    [['pg_dump: error: …'], '…', null],
    [['FATAL:  the database system is shutting down'], 'the database system is shutting down', null],
    [
      ['pg_restore: error: could not read from input file: end of file'],
      'could not read from input file: end of file',
      null,
    ],
    [
      ['pg_restore: error: could not execute query: server closed the connection unexpectedly'],
      'server closed the connection unexpectedly',
      null,
    ],
  ];
  for (const [lines, error, refusal] of cases) {
    test(lines.join(' / ').slice(0, 80), () => {
      assert.equal(firstError(lines), error);
      assert.equal(firstRefusal(lines), refusal);
    });
  }
});

describe('advice for a dump says only what is known', () => {
  const cases: [error: string, hint: RegExp | null, code?: string][] = [
    ['permission denied for table t', /GRANT pg_read_all_data TO "a""b"/],
    ['permission denied for schema s', /pg_read_all_data/],
    ['permission denied for large object 16400', /GRANT SELECT ON LARGE OBJECT/],
    ['query would be affected by row-level security policy for table "t"', /ALTER ROLE "a""b" BYPASSRLS/],
    ['out of shared memory', /max_locks_per_transaction/],
    ['missing chunk number 0 for toast value 1 in pg_toast_2', /damaged/],
    ['invalid page in block 0 of relation base/1/2', /damaged/],
    ['invalid memory alloc request size 1258291203', /^A row has more than 1 GB as text.*octet_length/],
    ['out of memory', /docker logs NAME\. If the DETAIL/],
    ['cache lookup failed for function 1', /Something was dropped or changed.*If it says the same again/],
    [
      'could not write to file "base/pgsql_tmp/x": No space left on device',
      /disk that the database server itself writes to/,
    ],
    ['server closed the connection unexpectedly', /docker logs/],
    ['terminating connection due to administrator command', /ended the session/],
    ['could not fork new process for connection: Cannot allocate memory', /ran out of memory/],
    ['could not load library "/usr/lib/x.so": undefined symbol', /lacks a library/],
    ['could not access file "$libdir/x": No such file or directory', /lacks a library/],
    ['canceling statement due to statement timeout', /^$/, 'table-locked'],
    ['canceling statement due to lock timeout', /^$/, 'table-locked'],
    ['invalid byte sequence for encoding "UTF8": …', /name that is not in UTF-8.*ALTER … RENAME/],
    ['invalid value for parameter "client_encoding": …', /cannot convert the encoding .*MULE_INTERNAL/],
    ['something else', null],
  ];
  for (const [error, hint, code] of cases) {
    test(error, () => {
      const advice = adviseDump(error, 'a"b');
      if (hint === null) assert.equal(advice, null);
      else assert.match(advice?.hint ?? 'none', hint);
      assert.equal(advice?.code, code);
    });
  }
});

describe('what to do about a backup that does not restore', () => {
  const set = { id: '20261125_021700', sha256: 'a' };
  const of = (refusal: string | null, sha256 = 'a') =>
    remedyOf(set, { fault: { why: 'it does not restore', words: '', refusal }, sha256 });
  const cases: [refusal: string, remedy: RegExp][] = [
    ['could not create unique index "a_key"', /HAVING count\(\*\) > 1.*REINDEX INDEX "a_key"/],
    ['duplicate key value violates unique constraint "a_key"', /"a_key" .*rows come twice.*CREATE EXTENSION/],
    ['insert or update on table "a" violates foreign key constraint "b"', /ALTER TABLE "a" VALIDATE CONSTRAINT "b"/],
    ['new row for relation "t" violates check constraint "c"', /"t" do not pass the CHECK "c"/],
    ['check constraint "c" of relation "t" is violated by some row', /"t" do not pass the CHECK "c"/],
    ['function helper(text) does not exist', /SET search_path/],
    ['operator does not exist: public.citext = text', /SET search_path/],
    ['no partition of relation "p" found for row', /DETACH PARTITION/],
    ['relation … does not exist', /SET search_path/],
    ['schema … does not exist', /SET search_path/],
    ['role … does not exist', /SET search_path/],
    ['relation "audit.log_pkey" does not exist', /a regclass in a row.*Indexes come last/],
    ['schema "s" does not exist', /What was added to an extension by hand is not in a dump: ALTER EXTENSION … DROP/],
    ['value for domain good.email violates check constraint "email_check"', /"email_check" of the domain good\.email/],
    ['domain good.email does not allow null values', /NULL where it must not/],
    ['null value in column "a" of relation "child" violates not-null constraint', /ALTER TABLE ONLY … DROP NOT NULL/],
    ['function "tconvert" already exists with same argument types', /twice: an extension.*ALTER EXTENSION … ADD/],
    ['schema "topology" already exists', /creates schema "topology" twice/],
    ['unrecognized configuration parameter …', /ALTER DATABASE … SET.*none of these before its rows/],
    ['functions in index expression must be marked IMMUTABLE', /ALTER FUNCTION has changed of an extension.*unaccent/],
    ['materialized view "b" has not been populated', /a name that sorts after "b"/],
    [
      'query would be affected by row-level security policy for table "t"',
      /materialized view reads "t".*BYPASSRLS for that owner/,
    ],
  ];
  for (const [refusal, remedy] of cases) {
    test(refusal, () => {
      assert.match(
        of(refusal),
        /^The file is intact; the source itself does not restore, and a new backup fails the same way/,
      );
      assert.match(of(refusal), remedy);
      assert.match(of(refusal), /docs\/restore\.md#a-source-that-does-not-restore$/);
    });
  }
  const others: [refusal: string, remedy: RegExp][] = [
    ['…', /is only in the log of PostgreSQL/],
    ['…', /docs\/restore\.md#a-source-that-does-not-restore$/],
    ['could not obtain lock on relation "x"', /This error does not tell.*log of PostgreSQL/],
    ['invalid page in block 3 of relation base/1/2', /server of the drill/],
    ['out of memory', /server of the drill/],
    ['the database system is shutting down', /server of the drill/],
    ['canceling statement due to user request', /server of the drill/],
    ['role "clerk" does not exist', /globals\.sql\.gz/],
    ['permission denied for schema x', /globals\.sql\.gz/],
    ['index row size 4616 exceeds btree version 4 maximum 2704 for index "i"', /default_toast_compression/],
    ['stack depth limit exceeded', /If that of the source is larger .* a restore there works/],
    ['permission denied for table base', /REFRESH MATERIALIZED VIEW fails in the database, too/],
  ];
  for (const [refusal, remedy] of others) {
    test(`nothing is known of the source: ${refusal}`, () => {
      assert.match(of(refusal), remedy);
      assert.match(of(refusal), /^The file is intact\./);
      assert.doesNotMatch(of(refusal), /source itself does not restore|[Tt]ake a (new )?backup/);
    });
  }
  test('the file is at fault, or nobody knows', () => {
    const again = `Do not rely on ${set.id}. Take a backup now and drill it`;
    assert.equal(of('could not create unique index "a_key"', 'b'), again);
    assert.equal(of(null), again);
  });
});

describe('who holds a lock', () => {
  const lock = {
    schema: 'public',
    table: 'orders',
    granted: true,
    pid: 123,
    application: 'psql',
    state: 'idle in transaction',
    seconds: 120,
    gid: null,
    database: 'shop',
  };
  const cases: [changes: object, told: string, end: string][] = [
    [
      {},
      'public.orders, held by pid 123 (psql, idle in transaction for 2 min 00 s)',
      'in psql: SELECT pg_terminate_backend(123);',
    ],
    [
      { granted: false, application: '', state: 'active' },
      'public.orders, behind pid 123 (active for 2 min 00 s), which waits for an exclusive lock itself',
      'in psql: SELECT pg_terminate_backend(123);',
    ],
    [
      { state: null, seconds: null, application: null },
      'public.orders, held by pid 123',
      'in psql: SELECT pg_terminate_backend(123);',
    ],
    [
      { pid: null, gid: "a'b" },
      `public.orders, held by the prepared transaction "a'b" for 2 min 00 s`,
      "in psql, in the database shop (COMMIT PREPARED instead keeps its work): ROLLBACK PREPARED 'a''b';",
    ],
  ];
  for (const [changes, told, end] of cases) {
    test(told, () => {
      const read = readLock(JSON.stringify({ ...lock, ...changes }));
      assert.ok(read !== null);
      assert.equal(describeLock(read), told);
      assert.equal(endLock(read), end);
    });
  }
  test('nonsense is nobody', () => {
    for (const line of ['', '[]', '{"pid":"1"}', 'ERROR']) assert.equal(readLock(line), null);
  });
});

test('a dump that waits for a lock says so, and not how little it writes', (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
  const told: string[] = [];
  const ignored = () => {};
  const log = {
    group: (_title: string, work: () => unknown) => work(),
    info: ignored,
    success: ignored,
    important: ignored,
    warning: ignored,
    host: ignored,
    progress: (text: string) => told.push(text),
  };
  const progress = new DumpProgress(1_000, log as never);
  for (let seconds = 2; seconds <= 40; seconds += 2) {
    context.mock.timers.setTime(1_000_000 + seconds * 1_000);
    progress.tell('waiting-for-table', `public.orders, held by pid 1 (psql, idle in transaction for ${seconds}.0 s)`);
    progress.tell('dumped', '0');
  }
  assert.deepEqual(told, [
    'Waiting for the lock on public.orders, held by pid 1 (psql, idle in transaction for 2.0 s)',
    'Waiting for the lock on public.orders, held by pid 1 (psql, idle in transaction for 32.0 s)',
  ]);
  context.mock.timers.setTime(1_100_000);
  progress.tell('dumped', '500');
  assert.match(told.at(-1) ?? '', /^500 B written/);
});

test('a finding shows the error of a cause, wherever it stands in it', () => {
  const cause = `pg_restore: error: could not execute query: ERROR:  out of shared memory\n${'x '.repeat(500)}`;
  assert.equal(detailOf(new Failure('drill-unfit', 'It failed', { cause })), 'It failed: out of shared memory');
});
