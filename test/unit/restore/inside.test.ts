// What the scripts in the database's container do around a restore: in a real shell, with psql, pg_restore and df made up.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { drillScript, insideScript, replaceScript } from '../../../shared/postgres/scripts.ts';

const folder = mkdtempSync(join(tmpdir(), 'restore-inside-'));
after(() => rmSync(folder, { recursive: true }));
const put = (name: string, body: string) => writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });

const said = join(folder, 'said');
const facts = '{"isSuperuser": true}';
// The database is on a disk of its own, and so is the write-ahead log; other tablespaces are those of OTHERS.
put(
  'psql',
  `echo "psql $* [$(echo $PGOPTIONS)]" >>'${said}'
  case "$*" in
    *tablespace_folders=*) cat >>'${said}' && printf '%s\\n' '${facts}' /fast /data/pg_wal/. $OTHERS ;;
    *pg_tablespace_location*) [ -z "$OTHERS" ] || printf '%s\\n' $OTHERS ;;
    *getdatabaseencoding*) $ENCODING ;;
    *-c*data_directory*) echo /data/pg_wal/. ;;
    *) cat >>'${said}' ;;
  esac`,
);
put('initdb', 'echo "initdb (PostgreSQL) 17.2"');
put(
  'pg_restore',
  `case "$*" in *--list*) cat "$ARCHIVE"; exit ;; esac
  echo "pg_restore $* [$(echo $PGOPTIONS)]" >>'${said}'
  for word; do case $word in --use-list=*) cat "\${word#*=}" >>'${said}' ;; esac; done
  case "$*" in *--jobs*) ;; *) cat >/dev/null ;; esac`,
);
put('pg_dump', `echo "pg_dump $*" >>'${said}'`);
put('stdbuf', 'shift 2; exec "$@"');
put(
  'df',
  `for last; do :; done
  case $*,$last in
    *-i*) exit 1 ;;
    *,/fast) free=$FAST ;;
    *,/data/pg_wal/.) free=$WAL ;;
    *,/archive) free=$ARCHIVE_DISK ;;
    *) exit 1 ;;
  esac
  [ -n "$free" ] || exit 1
  printf 'Filesystem 1024-blocks Used Available Capacity Mounted on\\ndisk 9 9 %s 1%% /\\n' "$free"`,
);

/** What a script prints, and what the programs were given, a line each. */
function inside(script: string, words: readonly string[], { input = '', ...environment }: Record<string, string> = {}) {
  rmSync(said, { force: true });
  writeFileSync(said, '');
  const { stdout, status } = spawnSync('sh', ['-c', script, 'inside', ...words], {
    input,
    encoding: 'utf8',
    env: { PATH: `${folder}${delimiter}${process.env['PATH']}`, ...environment },
    timeout: 20_000,
  });
  const { stdout: given } = spawnSync('cat', [said], { encoding: 'utf8' });
  return { lines: stdout.trim().split('\n'), status, given: given.trim().split('\n') };
}

describe('the disks of the database and of its write-ahead log', () => {
  const names = ['shop_restore_0123abcd', 'shop'];
  test('are both told, each by itself', () => {
    const { lines } = inside(replaceScript(), ['standing'], { FAST: '9000', WAL: '7' });
    assert.deepEqual(lines, [facts, String(9000 * 1024), String(7 * 1024), 'none']);
  });
  for (const [what, disks, told] of [
    ['the first', { WAL: '7' }, ['unknown', String(7 * 1024)]],
    ['the second', { FAST: '9' }, [String(9 * 1024), 'unknown']],
  ] as const)
    test(`one that cannot be seen is not taken for the other: ${what}`, () => {
      assert.deepEqual(inside(replaceScript(), ['standing'], disks).lines, [facts, ...told, 'none']);
    });
  test('of other tablespaces, that of the fullest is told', () => {
    const disks = { FAST: '9000', WAL: '9000', OTHERS: '/fast /archive' };
    for (const [free, told] of [
      ['5', '5120'],
      ['', 'unknown'],
    ] as const) {
      const { lines } = inside(replaceScript(), ['standing'], { ...disks, ARCHIVE_DISK: free });
      assert.deepEqual(lines.slice(3), [told]);
    }
  });
  for (const [what, disks] of [
    ['the database', { FAST: '8', WAL: '9000' }],
    ['the log', { FAST: '9000', WAL: '8' }],
  ] as const)
    test(`are both watched: that of ${what} becomes too full`, () => {
      // Whoever asked stays until then.
      const asked = `watched() { sleep 2 | watch_disk "$@"; }\n${replaceScript()}`;
      assert.deepEqual(inside(asked, ['watched', '/fast', '100000', 'custom', ...names], disks).lines, [
        '8192',
        '8192',
      ]);
    });
  test('and once whoever asked hangs up, what is still incomplete is dropped', () => {
    const asked = `drop_copy() { printf 'dropped %s\\n' "$*"; }
      is_incomplete() { [ "$1 $2" = 'shop_restore_0123abcd shop' ] && printf '%s' "$INCOMPLETE"; }`;
    const disks = { FAST: '9000', WAL: '9000' };
    for (const [incomplete, told] of [
      ['yes', ['dropped shop_restore_0123abcd shop']],
      ['', []],
    ] as const) {
      // Ours replace those of the script, which itself runs the verb at its end.
      const script = replaceScript().replace(/\n(?=[^\n]+\n*$)/, `\n${asked}\n`);
      const { lines } = inside(script, ['watch_disk', '/fast', '1', 'custom', ...names], {
        ...disks,
        INCOMPLETE: incomplete,
      });
      assert.deepEqual(
        lines.filter((line) => line.startsWith('dropped')),
        told,
      );
    }
  });
  test('and those of all tablespaces, if SQL text is restored, which may name them', () => {
    const asked = `watched() { sleep 2 | watch_disk "$@"; }\n${replaceScript()}`;
    const disks = { FAST: '9000', WAL: '9000', OTHERS: '/fast /archive', ARCHIVE_DISK: '8' };
    assert.deepEqual(inside(asked, ['watched', '/fast', '100000', 'plain', ...names], disks).lines, ['8192', '8192']);
    assert.deepEqual(inside(asked, ['watched', '/fast', '100000', 'custom', ...names], disks).lines, [
      String(9000 * 1024),
    ]);
  });
});

test('what shapes a dump and is set by a server, a database or a role is the same in a backup and in a drill', () => {
  const pinned = (script: string) => {
    const [session = ''] = inside(script, ['session'], { input: 'SELECT 1;', PGDATABASE: 'shop' }).given;
    return Array.from(session.matchAll(/-c (\w+=\S+?)(?=[ \]])/g), ([, setting]) => setting);
  };
  const wanted = [
    'standard_conforming_strings=on',
    'quote_all_identifiers=off',
    'bytea_output=hex',
    'search_path=pg_catalog',
  ];
  for (const script of [insideScript(), drillScript()])
    assert.deepEqual(
      wanted.filter((setting) => !pinned(script).includes(setting)),
      [],
    );
});

test('the schema is dumped in the encoding of the database; whoever writes into that answer without an end is not waited for', () => {
  const dumped = (ENCODING: string) => inside(drillScript(), ['schema'], { ENCODING }).given.join(' ');
  assert.match(dumped('echo LATIN1'), /pg_dump --schema-only .* --encoding=LATIN1 /);
  for (const flood of ['cat /dev/zero', 'yes UTF8']) assert.match(dumped(flood), /pg_dump /, flood);
});

describe('event triggers of the restored database', () => {
  /** The list of what an archive has. */
  const archive = (entry: string) => {
    const path = join(folder, 'archive');
    writeFileSync(path, `; Archive created at 2026-11-28 02:17:00 UTC\n3466; 3466 16999 ${entry}\n`);
    return { ARCHIVE: path, input: 'PGDMP', TMPDIR: folder };
  };
  const fill = (script: string, entry: string) =>
    inside(script, ['fill', 'custom', 'none', 'dbname=x', '4'], archive(entry)).given.filter((line) =>
      line.startsWith('pg_restore'),
    );

  test('are on while a drill restores, as they are with the commands that are printed', () => {
    for (const line of fill(drillScript(), 'EVENT TRIGGER - watch shop')) assert.doesNotMatch(line, /event_triggers/);
  });
  test('are off in a drill once it compares', () => {
    const [session] = inside(drillScript(), ['session'], { input: 'SELECT 1;' }).given;
    assert.match(session ?? '', /event_triggers=off/);
  });
  test('come when all indexes are built, and after the last session is in', () => {
    const [before, last] = fill(drillScript(), 'EVENT TRIGGER - watch shop').slice(-2);
    assert.match(before ?? '', / --section=post-data --jobs=4 /);
    assert.match(last ?? '', /\/last .* --jobs=1 /);
  });
  test('that are not there need no session of their own', () => {
    assert.match(fill(drillScript(), 'INDEX public event_trigger shop').at(-1) ?? '', /--section=post-data --jobs=4 /);
  });
});

test('grants, event triggers and materialized views come last, in the order of the archive, as by the commands that are printed', () => {
  const archive = join(folder, 'archive-with-all');
  const first = [
    'TABLE public ACL shop',
    'COMMENT - SCHEMA public shop',
    'TABLE DATA public "MATERIALIZED VIEW DATA" shop',
    'INDEX public EVENT TRIGGER shop',
  ];
  const last = [
    'ACL public TABLE orders shop',
    'ACL - LARGE OBJECT 7 shop',
    'DEFAULT ACL public DEFAULT PRIVILEGES FOR TABLES shop',
    'EVENT TRIGGER - watch shop',
    'COMMENT - EVENT TRIGGER watch shop',
    'MATERIALIZED VIEW DATA public b shop',
    'MATERIALIZED VIEW DATA public a shop',
  ];
  const entries = (from: number, texts: readonly string[]) =>
    texts.map((text, at) => `${from + at}; ${at} 1700${at} ${text}`);
  const [early, late] = [entries(10, first), entries(30, last)];
  // As the archive has them: grants right behind what they are about.
  writeFileSync(archive, `; Archive\n${[...late.slice(0, 2), ...early, ...late.slice(2)].join('\n')}\n`);
  const words = ['fill', 'custom', 'none', 'dbname=x', '4'];
  const { given } = inside(drillScript(), words, { ARCHIVE: archive, input: 'PGDMP', TMPDIR: folder });
  const shown = given.flatMap((line) =>
    /^\d/.test(line)
      ? [line]
      : (/--section=\S+ --section=\S+|--section=post-data --jobs=\d|--jobs=\d/.exec(line) ?? []),
  );
  assert.deepEqual(shown, [
    '--section=pre-data --section=data',
    ...early,
    '--section=post-data --jobs=4',
    ...early,
    '--jobs=1',
    ...late,
  ]);
});

test('the login that is tried may write, on a server that somebody has made read-only as well', () => {
  const [login] = inside(replaceScript(), ['login']).given;
  assert.match(login ?? '', /\[-c default_transaction_read_only=off\]$/);
});

test('the schema is dumped without tablespaces in a backup and in a drill: they are folders of one machine', () => {
  put('pg_dump', `echo "pg_dump $*" >>'${said}'`);
  for (const script of [insideScript(), drillScript()]) {
    const { given } = inside(script, ['schema', '1000'], { PGDATABASE: 'shop' });
    assert.match(given.at(-1) ?? '', /^pg_dump --schema-only --no-tablespaces /);
  }
});
