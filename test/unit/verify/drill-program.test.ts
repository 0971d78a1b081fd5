// How a drill holds a dump that may be hostile, and passes on what it says: its own scripts in a real bash, with a docker that is made up
// and notes what it is told.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

const shared = join(import.meta.dirname, '../../../shared');
const folder = mkdtempSync(join(tmpdir(), 'drill-program-'));
after(() => rmSync(folder, { recursive: true }));
const noted = join(folder, 'noted');
const notes = () => readFileSync(noted, 'utf8').split('\n').filter(Boolean);
writeFileSync(
  join(folder, 'docker'),
  `#!/bin/bash\nprintf '%s\\n' "\${*@Q}" >>'${noted}'\ncase "$*" in\n  exec*) eval "$EXEC" ;;\n  rm*) eval "$RM" ;;\n  inspect*Running*) echo "$RUNNING" ;;\n  inspect*SizeRw*) echo 123 ;;\n  ps*) printf '%b' "$PS" ;;\nesac\n`,
  { mode: 0o755 },
);
beforeEach(() => writeFileSync(noted, ''));

/** Runs a piece of shell with the program around it. What fails ends with its code and message on stderr. */
function drill(piece: string, { files = [], ...environment }: Record<string, string | string[]> = {}) {
  const script = `
    set -euo pipefail
    takes() { :; }; takes_list() { :; }; takes_number() { :; }; takes_word() { :; }
    source "$1/postgres/stable-schema.sh"; source "$1/drill/told.sh"; source "$1/drill/drill.sh"; source "$1/drill/compare-schema.sh"
    name=drill_1 image=postgres:15 memory=512m lifetime=60 needed=10 least=5 dump=/d incoming= format=custom compression=none
    database=shop inside_script=script found= troubled= watch= words_log= schema= schema_sha256= timezone=UTC jobs=1
    database_argument=a bootstrap_role=r
    record() { printf '%s=%s\\n' "$1" "$2"; }; progress() { :; }; heard() { shift; "$@"; }; answered() { shift; "$@"; }
    exec {words}>/dev/null {words_told}>&2
    fail() { printf 'fail %s %s\\n' "$1" "$2" >&2; exit 1; }; drop_incoming() { :; }; drop_words() { :; }
    ${piece}`;
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', script, 'bash', shared, ...files], {
    encoding: 'utf8',
    timeout: 20_000,
    env: {
      EXEC: '',
      RM: 'echo drill_1',
      RUNNING: 'true',
      PS: '',
      ...(environment as Record<string, string>),
      PATH: `${folder}${delimiter}${process.env['PATH']}`,
    },
  });
  return { stdout, stderr, status };
}

describe('the scratch container', () => {
  test('reaches nothing: no network, no rights, no mounts, none of our variables', () => {
    drill('setsid() { :; }; start_scratch');
    const [run = ''] = notes().filter((line) => line.startsWith("'run'"));
    for (const option of [
      "'--network' 'none'",
      "'--cap-drop' 'ALL'",
      "'--security-opt' 'no-new-privileges'",
      "'--user' 'postgres'",
      "'--memory' '512m' '--memory-swap' '512m'",
      "'--pids-limit' '200'",
      "'--pull' 'never'",
      "'--log-driver' 'none'",
      "'--rm'",
    ])
      assert.ok(run.includes(option), `${option} is not in ${run}`);
    assert.doesNotMatch(run, /'(-v|--volume|--mount|--privileged|-e|--env|--volumes-from|--device|--cap-add)/);
  });

  test('is removed when we are gone, by a watchdog that does not hold the session open until it sees it', () => {
    const slow = mkdtempSync(join(folder, 'slow-'));
    writeFileSync(join(slow, 'sleep'), `#!/bin/sh\n: >'${slow}/asleep'\nexec /bin/sleep 15\n`, { mode: 0o755 });
    const begin = performance.now();
    drill(`PATH=${slow}:$PATH; start_scratch; until [[ -e ${slow}/asleep ]]; do :; done`);
    assert.ok(performance.now() - begin < 10_000, 'the session was held open');
  });

  test('ends by itself', () => {
    drill('setsid() { :; }; start_scratch');
    assert.match(notes()[0] ?? '', /'sleep "\$1"' 'sh' '60'$/);
  });

  test('is removed when its program has died', async () => {
    drill('start_scratch');
    for (let tries = 0; tries < 100 && !notes().some((line) => line.startsWith("'rm'")); tries += 1) await sleep(50);
    assert.deepEqual(notes().slice(1), ["'rm' '--force' '--volumes' 'drill_1'"]);
  });

  test('of an earlier drill is removed only if its program is gone', () => {
    drill('sweep_scratch', { PS: `aaa ${process.pid}\\nbbb 999999999\\n` });
    assert.deepEqual(
      notes().filter((line) => line.startsWith("'rm'")),
      ["'rm' '--force' '--volumes' 'bbb'"],
    );
    // One that never started is listed by no other word.
    assert.match(notes()[0] ?? '', /^'ps' '--all' /);
  });

  test('that cannot be removed is told of, with the command', () => {
    const { stderr } = drill('sleep() { :; }; ended', { RM: 'echo in use; exit 1', PS: 'abc\\n' });
    assert.match(
      stderr,
      /Could not remove the scratch container: in use\nOn the host: docker rm --force --volumes drill_1/,
    );
    assert.equal(drill('ended').stderr, '');
  });
});

describe('the disk of Docker', () => {
  const heeded = (lines: string) =>
    drill(`exec {watch}< <(printf '%b' "$LINES_"); sleep 0.2; check_room; heed_watch`, { LINES_: lines });

  test('without room, or unknown, nothing is restored', () => {
    assert.match(heeded('9\\n').stderr, /fail drill-no-room 9 10/);
    assert.match(heeded('\\n').stderr, /fail drill-not-started Cannot tell/);
    assert.match(heeded('x1\\n').stderr, /fail drill-not-started Cannot tell/);
    assert.equal(heeded('10\\n').status, 0);
  });

  test('is watched: the container is removed once it is too full, and the drill fails', () => {
    const { stdout } = drill('watch_room', { EXEC: 'echo 20; echo 4' });
    assert.deepEqual(stdout.split('\n').filter(Boolean), ['20', '4 123', 'gone']);
    assert.deepEqual(
      notes().map((line) => line.split(' ')[0]),
      ["'exec'", "'inspect'", "'pause'", "'inspect'", "'rm'"],
    );
    assert.match(heeded('20\\n4 123\\ngone\\n').stderr, /fail drill-room-gone 4 123 gone/);
    assert.match(heeded('20\\n4 123\\n').stderr, /fail drill-room-gone 4 123 kept/);
  });

  test('that can no longer be seen counts as full', () => {
    assert.deepEqual(drill('watch_room', { EXEC: 'echo 20; exit 1' }).stdout.split('\n').filter(Boolean), [
      '20',
      'unseen 123',
      'gone',
    ]);
  });

  test('does not matter any more once the container has ended by itself', () => {
    assert.deepEqual(drill('watch_room', { EXEC: 'echo 20; exit 1', RUNNING: 'false' }).stdout, '20\n');
    assert.ok(!notes().some((line) => line.startsWith("'rm'")));
  });

  test('is watched as a user whom nothing in the restored data can kill', () => {
    drill('watch_room', { EXEC: 'echo 20; echo 4' });
    assert.match(notes()[0] ?? '', /^'exec' '--user' '65534:65534' 'drill_1'/);
  });
});

describe('what the restored database answers', () => {
  const tell = (words: string) =>
    drill(`silence_all() { echo silenced >&2; }; heed_watch() { :; }; tell k ${words}; echo "troubled=$troubled"`);

  test('is told with how it ended', () => {
    assert.equal(tell('100 echo a').stdout, 'k\0a\n\nexit 0\0troubled=\n');
    assert.equal(tell("100 bash -c 'echo half; exit 3'").stdout, 'k\0half\n\nexit 3\0troubled=yes\n');
  });
  test('is cut off where it is longer than any honest answer, and the session ended', () => {
    const { stdout, stderr } = tell('3 echo abcdef');
    assert.match(stdout, /^k\0abc\ncut 3\0/);
    assert.equal(stderr, 'silenced\n');
  });
  test('cannot forge a further record', () => {
    assert.equal(tell(String.raw`100 printf 'a\0b'`).stdout, 'k\0ab\nexit 0\0troubled=\n');
  });
});

describe('a dump', () => {
  test('that is cut off within its compression is not restored in full, whatever the server says', () => {
    const piece = 'compression=gzip format=plain; status=0; restore <"$2" || status=$?; echo "status $status"';
    const whole = join(folder, 'whole.gz');
    const half = join(folder, 'half.gz');
    const packed = gzipSync('SELECT 1;\n'.repeat(1_000));
    writeFileSync(whole, packed);
    writeFileSync(half, packed.subarray(0, packed.length - 10));
    const EXEC = 'cat >/dev/null';
    assert.equal(drill(piece, { EXEC, files: [whole] }).stdout, 'status 0\n');
    assert.equal(drill(piece, { EXEC, files: [half] }).stdout, 'status 42\n');
    assert.equal(drill(piece, { EXEC: `${EXEC}; exit 41`, files: [whole] }).stdout, 'status 41\n');
  });

  test('whose tablespaces are folders of another machine puts them into the server itself', () => {
    const globals = gzipSync("CREATE TABLESPACE fast OWNER x LOCATION '/etc';\n").toString('base64');
    assert.equal(
      drill(`globals=${globals}; roles_and_tablespaces`).stdout,
      "SET allow_in_place_tablespaces = on;\nCREATE TABLESPACE fast OWNER x LOCATION '';\n",
    );
  });
});

describe('the schema of what was restored', () => {
  const files = 'open_file restored_text; open_file schema_text; silence_all() { :; }; ';
  const sum = 'a'.repeat(64);

  test('has no hash where its dump has failed, or was cut off', () => {
    assert.equal(drill(`${files}dump_restored`, { EXEC: 'echo "CREATE TABLE x ();"; exit 3' }).stdout, 'exit 3');
    const limit = 'limited() { head -c 3; return 1; }; ';
    assert.match(drill(`${files}${limit}dump_restored`, { EXEC: 'echo abcdef' }).stdout, /^cut \d+$/);
    assert.match(drill(`${files}dump_restored`, { EXEC: 'echo abcdef' }).stdout, /^[0-9a-f]{64}$/);
  });

  test('that is not that of the source is compared with that of the schema file, and the difference is told', () => {
    const compared = (restored: string) =>
      drill(
        `${files}schema=x schema_sha256=${sum}; restore_schema() { :; }; heed_watch() { :; }
         dump_schema "$restored_text" <<<'' >/dev/null; export FILE='of the file'; compare_schema ${'b'.repeat(64)} a r shop`,
        { EXEC: `echo "\${FILE:-${restored}}"` },
      ).stdout;
    assert.match(compared('of the dump'), /schema-of-file=[0-9a-f]{64}\nschema-lines=.*-of the dump\n\+of the file/s);
    assert.doesNotMatch(compared('of the file'), /schema-lines/);
  });

  test('that is that of the source needs no second look', () => {
    assert.equal(drill(`${files}schema=x schema_sha256=${sum}; compare_schema ${sum} a r shop`).stdout, '');
  });

  test('that could not be dumped, or of which the backup has no file, is not compared', () => {
    for (const [schema, hash] of [
      ['x', 'exit 3'],
      ['x', 'cut 5'],
      ['x', ''],
      ['', 'b'.repeat(64)],
    ])
      assert.equal(
        drill(`${files}schema='${schema}' schema_sha256=${sum}; compare_schema '${hash}' a r shop`).stdout,
        '',
      );
    assert.deepEqual(notes(), []);
  });

  test('is dumped in the time zone in which that of the source was', () => {
    const piece = `${files}timezone=Asia/Tokyo; dump_restored >/dev/null; cat "/proc/self/fd/$restored_text"`;
    assert.equal(drill(piece, { EXEC: 'echo "$PGTZ"' }).stdout, 'Asia/Tokyo');
  });

  test('that is longer than any honest one ends the session that goes on printing it', () => {
    const piece = `${files}silence_all() { echo silenced >&2; }; limited() { head -c 3; return 1; }; dump_restored`;
    assert.equal(drill(piece, { EXEC: 'echo abcdef' }).stderr, 'silenced\n');
  });

  test('is compared with that of a new database, into which the schema file is restored by the same role', () => {
    const schema = gzipSync('CREATE TABLE x ();').toString('base64');
    const restoring = (EXEC: string) =>
      drill(`schema=${schema}; restore_schema dbname=shop owner shop --locale=C || echo "exit $?"`, { EXEC });
    assert.equal(restoring('cat').stdout, 'CREATE TABLE x ();');
    assert.deepEqual(
      notes().map((line) => line.replace(/^.*'inside' /, '')),
      ["'renew' 'shop' '--locale=C'", "'restore' 'plain' 'none' 'dbname=shop' 'owner'"],
    );
    writeFileSync(noted, '');
    assert.equal(restoring('exit 1').stdout, 'exit 1\n');
    assert.equal(notes().length, 1, 'nothing is restored where no new database could be made');
  });

  test('is called neither equal nor another one once the container is gone', () => {
    const { stdout, stderr } = drill(
      `${files}schema=x schema_sha256=${sum}; tell() { :; }; heed_watch() { fail drill-room-gone '1 2 gone'; }
       compare_schema ${'b'.repeat(64)} a r shop`,
      { EXEC: 'exit 137' },
    );
    assert.match(stderr, /^fail drill-room-gone/);
    assert.doesNotMatch(stdout, /schema-lines/);
  });

  describe('and differs: of the lines', () => {
    const differing = (restored: string, file: string, change = '') =>
      drill(
        `${files}printf %s "$RESTORED" >"/proc/self/fd/$restored_text"; printf %s "$FILE" >"/proc/self/fd/$schema_text"
         ${change}differences`,
        { RESTORED: restored, FILE: file },
      );

    test('only these are told, and no names of files', () => {
      const { stdout } = differing('same\n-- of the dump\nsame too\n', 'same\n++ of the file\nsame too\n');
      assert.equal(stdout, '--- of the dump\n+++ of the file\n');
    });
    test('the first twelve are told, and of each the first 200 bytes', () => {
      const lines = Array.from({ length: 20 }, (_, n) => `${n} ${'x'.repeat(300)}\n`).join('');
      const told = differing(lines, '').stdout.split('\n').filter(Boolean);
      assert.deepEqual([told.length, ...new Set(told.map((line) => line.length))], [12, 200]);
    });
    test('none is told where the host has no diff', () => {
      const { stdout, status } = differing('a\n', 'b\n', 'timeout() { return 127; }; ');
      assert.deepEqual([stdout, status], ['', 0]);
    });
  });
});

describe('whether memory ran out is asked', () => {
  const dump = join(folder, 'dump');
  writeFileSync(dump, 'the rows');
  /** What is told of processes that the kernel killed, where nothing is amiss but for this change. */
  function kills(change: string): string | null {
    const { stdout, stderr, status } = drill(
      `keep_words() { :; }; sweep_scratch() { :; }; start_scratch() { :; }; watch_room() { :; }; check_room() { :; }; heed_watch() { :; }
      roles_and_tablespaces() { :; }; compare_schema() { :; }; restore() { cat >/dev/null; }; look() { :; }
      scratch() { [[ $1 != kills ]] || echo 1; }; look_meanwhile() { printf '%064d\\n\\n' 0; }
      dump=$2 dump_bytes=8 most_jobs=1 monetary= configuration= libraries=() createdb_options=() statements=()
      settings= chosen= facts_before= facts_tables= facts_after=
      ${change}
      main`,
      { files: [dump] },
    );
    assert.equal(status, 0, stderr);
    return stdout.match(/kills=.*$/m)?.[0] ?? null;
  }

  test('beside a sweep of what earlier drills have left', () => {
    const swept = join(folder, 'swept');
    kills(`sweep_scratch() { : >'${swept}'; }; compare_schema() { wait; }`);
    assert.ok(existsSync(swept));
  });

  for (const [what, change, told] of [
    ['where the restore ends early', 'restore() { return 137; }', 'kills=1'],
    ['where a command in the container fails', 'look() { [[ $1 != session ]]; }', 'kills=1'],
    ['where the schema is cut off', "look_meanwhile() { printf 'abc\\n\\n'; }", 'kills=1'],
    ['not where nothing is amiss', '', null],
  ] as const) {
    test(what, () => assert.equal(kills(change), told));
  }
});
