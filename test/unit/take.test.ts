// What a backup looks at under the lock, before it writes anything: shared/backups/take.sh in a real bash.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { layoutLines } from '../../shared/sets/layout.ts';

const shared = join(import.meta.dirname, '../../shared');
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'take-'));
  mkdirSync(join(folder, 'daily'));
  mkdirSync(join(folder, 'rollback'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Begins a backup that was decided on when the folder was as it is now; `meanwhile`, something happens to it. */
function take(meanwhile: string, refuseOnHold: '' | 'yes', encryption = 'none'): string {
  const layout = layoutLines.map((line) => `'${line}'`).join(' ');
  const { stdout, stderr } = spawnSync(
    'bash',
    [
      '-c',
      `set -euo pipefail
      takes() { :; }; takes_list() { :; }; takes_number() { :; }; takes_word() { :; }
      source "$1/host/lock.sh"; source "$1/survey/sets.sh"; source "$1/sets/folders.sh"; source "$1/backups/take.sh"
      layout=(${layout}) backup_dir=$2 words_log= home=daily user=u database=d server_host= server_port= password_from=
      encryption=${encryption} recipients=(nobody) refuse_on_hold=${refuseOnHold} in_turn=
      expected_sets_state=$(sets_state "$2")
      fail() { printf '%s: %s' "$1" "$2"; exit 1; }
      seal() { echo 'malformed recipient' >&2; return 1; }
      keep_words() { echo begins; exit; }
      ${meanwhile}
      main`,
      'bash',
      shared,
      folder,
    ],
    { encoding: 'utf8' },
  );
  assert.equal(stderr, '');
  return stdout.trim();
}

test('where all is as it was, it begins', () => assert.equal(take('', 'yes'), 'begins'));

test('another set that has come meanwhile ends it: its decisions were about other sets', () => {
  assert.match(take(': >"$backup_dir/daily/backup_20261127_021700.manifest.json"', ''), /^sets-changed: /);
  assert.equal(take(': >"$backup_dir/daily/notes.txt"', ''), 'begins');
});

test('so does one that comes while it is next in the line, by a hand that takes no lock', () => {
  assert.match(take('in_turn=yes; : >"$backup_dir/daily/backup_20261127_021700.manifest.json"', ''), /^sets-changed: /);
});

test('a set that another run has begun to remove meanwhile ends it: the sweep goes on with that', () => {
  const id = '20261127_021700';
  writeFileSync(join(folder, 'daily', `backup_${id}.manifest.json`), '');
  mkdirSync(join(folder, 'predeployment', id), { recursive: true });
  for (const tier of ['daily', 'predeployment'])
    assert.match(take(`mkdir "$backup_dir/${tier}/.partial-${id}.delete"`, ''), /^sets-changed: /, tier);
});

test('another run that stands in line for the lock goes first, unless it is this one', () => {
  const waiting = 'lock_owner() { [[ $1 != */.lock.turn ]] || echo 4711; }';
  assert.match(take(waiting, ''), /^lock-held: another process \(4711\)$/);
  assert.equal(take(`${waiting}; in_turn=yes`, ''), 'begins');
});

test('a rollback that has put deployments on hold meanwhile stops one for a deployment, and no other', () => {
  const hold = 'echo "reason=v3 fails" >"$backup_dir/rollback/HOLD"';
  assert.equal(take(hold, 'yes'), 'on-hold: reason=v3 fails');
  assert.equal(take(hold, ''), 'begins');
});

test('keys that age does not take end it before the dump', () => {
  assert.equal(take('', '', 'age'), 'encryption-failed: age on the host refuses to encrypt: malformed recipient');
});

test('what an interrupted run has left goes before anything new comes', () => {
  mkdirSync(join(folder, 'daily', '.partial-20261127_021700'));
  const begun = 'keep_words() { :; }; heard() { :; }; choose_id() { echo begins; exit; }';
  assert.equal(take(begun, ''), 'begins');
  assert.deepEqual(readdirSync(join(folder, 'daily')), []);
});

test('an id is of no set before it, in whatever folder that lies, published or put aside', () => {
  // What came of a backup of the first second of 1970.
  const chosen = () => take('started=0; choose_id; echo "$id"; exit', '');
  assert.equal(chosen(), '19700101_000000');
  mkdirSync(join(folder, 'predeployment', '19700101_000000'), { recursive: true });
  assert.equal(chosen(), '19700101_000001');
  writeFileSync(join(folder, 'daily', 'backup_19700101_000001.dump'), '');
  mkdirSync(join(folder, 'failed'));
  writeFileSync(join(folder, 'failed', 'failed_19700101_000002.reason.txt'), '');
  assert.equal(chosen(), '19700101_000003');
  writeFileSync(join(folder, 'rollback', 'prerollback_19700101_000003.manifest.json'), '');
  writeFileSync(join(folder, 'daily', 'notes.txt'), '');
  assert.equal(chosen(), '19700101_000004');
});

describe('once the runner has let go', () => {
  const id = '20261127_021700';
  /** What is said, and what is left of a dump that was not published. */
  const left = (stubs: string) => {
    const partial = join(folder, 'daily', `.partial-${id}`);
    mkdirSync(partial);
    writeFileSync(join(partial, 'x.dump'), '');
    const said = take(`terminate_sessions() { :; }; main() { ended; echo ended; }; ${stubs}`, '');
    return [said.split('\n'), readdirSync(join(folder, 'daily'), { recursive: true })];
  };

  test('what was not published is removed', () => assert.deepEqual(left(''), [['ended'], []]));

  test('but not before a publication is over that has begun', () => {
    const publishing = `{ flock 7; echo publishing; sleep 0.5; echo published; } 7>>"$backup_dir/.lock.publish" &
      while flock --nonblock "$backup_dir/.lock.publish" true; do sleep 0.02; done`;
    assert.deepEqual(left(publishing), [['publishing', 'published', 'ended'], []]);
  });

  test('where the sessions of the dump cannot be ended, their name is kept for the next run', () => {
    assert.deepEqual(left('terminate_sessions() { return 1; }'), [['ended'], [`.partial-${id}`]]);
  });
});

test('where locks are scarce, no two sessions of pg_dump take them at a time', () => {
  const order = (locks: string) =>
    take(
      `keep_words() { :; }; heard() { :; }; record() { :; }; choose_id() { id=20261127_021700; }; extension=dump
      open_snapshot() { locks=${locks} snapshot=x; }
      dump_schema() { echo schema; schema_job=1; }; write_dump() { echo rows; }
      take_settings_and_globals() { :; }; read_back() { :; }; tell_side() { :; }; close_snapshot() { :; }
      tell_read_back() { :; }; record_previous_schema() { :; }`,
      '',
    ).split('\n');
  assert.deepEqual(order('scarce'), ['rows', 'schema']);
  assert.deepEqual(order('ample'), ['schema', 'rows']);
});

test('nothing was written', () => {
  writeFileSync(join(folder, 'rollback', 'HOLD'), '');
  take('', 'yes');
  assert.deepEqual(readdirSync(folder, { recursive: true }).toSorted(), ['daily', 'rollback', 'rollback/HOLD']);
});

describe('a stage that dies while the dump is written is called by its name', () => {
  /** Writes a dump in whose pipeline the given functions take the place of their own; what became of it. */
  function write(stages: string, encryption = 'none'): string {
    const { stdout } = spawnSync(
      'bash',
      [
        '-c',
        `set -euo pipefail
        takes() { :; }; takes_list() { :; }; takes_number() { :; }; takes_word() { :; }
        source <(sed 's/^readonly most_told=.*/most_told=100000/' "$1/backups/take.sh")
        cd "$2"
        dump=x.dump encryption=${encryption} format=custom compression=none where=container level=1 snapshot=x table_wait=1 backup_dir=$2
        record() { :; }; progress() { :; }; tell_waits() { :; }; tell_container() { echo 'It runs'; }
        fail() { printf '%s: %s' "$1" "$2"; exit 1; }
        heard() { shift; "$@"; }
        watch_size() { exec sleep 30 >/dev/null 2>&1; }
        dies() { head -c 100000; kill -KILL "$BASHPID"; }
        inside() {
          case $1 in
            dump) head -c 8000000 /dev/zero ;;
            parse) wc -c ;;
          esac
        }
        ${stages}
        write_dump
        printf 'written, %s parsed, %s on disk' "$(cat parsed)" "$(stat --format %s x.dump)"`,
        'bash',
        shared,
        folder,
      ],
      { encoding: 'utf8', timeout: 30_000 },
    );
    return stdout;
  }

  const cases: [what: string, stages: string, said: RegExp, encryption?: string][] = [
    ['none', '', /^written, 8000000 parsed, 8000000 on disk$/],
    ['what computes the checksum', 'sha256() { dies >/dev/null; }', /^checksum-failed: /],
    ['what passes the dump on', 'sealed() { dies; }', /^dump-interrupted: .* that write the dump \(exit 137\)/],
    ['age', 'seal() { dies; }', /^encryption-failed: age failed on the host \(exit 137\)/, 'age'],
    ['age, once it has read all', 'seal() { cat >/dev/null; kill -KILL "$BASHPID"; }', /^encryption-failed: /, 'age'],
    ['what parses it', 'parse() { dies >parsed; }', /^dump-interrupted: .* that read the dump while/],
    [
      'the dump',
      'inside() { [[ $1 == dump ]] && kill -KILL "$BASHPID" || cat >/dev/null; }',
      /^dump-interrupted: .*It runs$/,
    ],
  ];
  for (const [what, stages, said, encryption] of cases) test(what, () => assert.match(write(stages, encryption), said));

  test('what parses it is waited for', () => {
    const slow = 'inside() { case $1 in dump) head -c 8000 /dev/zero ;; parse) wc -c | { sleep 0.5; cat; } ;; esac; }';
    assert.equal(write(slow), 'written, 8000 parsed, 8000 on disk');
  });

  test('what only ends early stops nobody', () => {
    const early = 'inside() { case $1 in dump) head -c 8000000 /dev/zero ;; parse) head -c 5 | wc -c ;; esac; }';
    assert.equal(write(early), 'written, 5 parsed, 8000000 on disk');
  });

  test('of what ends badly, its words count for nothing, and of endless words only the first are kept', () => {
    const words = (command: string) =>
      `inside() { case $1 in dump) head -c 8000000 /dev/zero ;; parse) ${command} ;; esac; }`;
    assert.equal(
      write(words('echo read 0; kill -KILL "$BASHPID"')),
      'written, read 0\n\nexit 1 parsed, 8000000 on disk',
    );
    const endless = `${words('yes entry')}; cat() { [[ \${1-} == parsed ]] && stat --format %s parsed || command cat "$@"; }`;
    assert.equal(write(endless), `written, ${100_000 + '\nexit 1\n'.length} parsed, 8000000 on disk`);
  });
});

describe('of what the container says of a dump', () => {
  /** What is taken for the ends of the stages. */
  function stages(parsed: string | null, format: string): string {
    if (parsed !== null) writeFileSync(join(folder, 'parsed'), parsed);
    const script = `set -euo pipefail
      takes() { :; }; takes_list() { :; }; takes_number() { :; }; takes_word() { :; }
      source "$1/backups/take.sh"
      cd "$2"
      format=$3
      stages`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', shared, folder, format], { encoding: 'utf8' });
    assert.equal(stderr, '');
    return stdout.trimEnd();
  }

  test('the contents of an archive do not pass for the ends of its stages', () => {
    const forged = '1; 2 3 TABLE DATA public x\nlist 0\ndecompress 0\nread 0\n owner\n';
    assert.equal(stages(`${forged}list 0\ndecompress 1\nread 1\n`, 'custom'), 'read 1\ndecompress 1\nlist 0');
    assert.equal(stages(`${forged}list 0\n\nexit 1\n`, 'custom'), 'exit 1\n\nlist 0');
    assert.doesNotMatch(stages(`${'list 0\n'.repeat(3)}${'x'.repeat(100_000)}`, 'custom'), /list/);
  });

  test('where nothing is left of it, that is no success', () => assert.equal(stages(null, 'custom'), 'exit 1'));

  test('of plain SQL, all is read', () => {
    assert.equal(stages('entry -- Data\nread 0\n', 'plain'), 'entry -- Data\nread 0');
  });
});

describe('settings and globals come from one command, and', () => {
  /** What is kept of the two, and what is said of each, where the container prints this for a mark of `$2`. */
  function take(inside: string): string {
    const script = `set -euo pipefail
      takes() { :; }; takes_list() { :; }; takes_number() { :; }; takes_word() { :; }
      source "$1/backups/take.sh"
      cd "$2"
      encryption=none set_name=x
      heard() { shift; "$@"; }
      record() { [[ $1 == *-sums ]] || printf '%s: %s\n' "$1" "$2"; }
      inside() { ${inside}; }
      take_settings_and_globals &
      job=$!
      for each in settings globals; do
        tell_side "$each" "$job" 2>/dev/null
        zcat "x.$each.sql.gz" 2>/dev/null || true
      done
      ls`;
    const { stdout } = spawnSync('bash', ['-c', script, 'bash', shared, folder], { encoding: 'utf8' });
    return stdout.replace('daily\nrollback\n', '').trim();
  }

  const both = ['x.globals.sql.gz', 'x.settings.sql.gz'];
  const all = (...lines: readonly string[]) => lines.join('\n');

  test('each has its file', () => {
    assert.equal(
      take('printf "one\\n x 0\\n$2 0\\ntwo\\n\\n$2 0\\n"'),
      all('settings: taken', 'one', ' x 0', 'globals: taken', 'two', '', ...both),
    );
  });

  test('one that fails, or is empty, does not take the other with it', () => {
    const settings = 'printf "one\\n$2 1\\ntwo\\n$2 0\\n"; echo why >&2';
    assert.equal(take(settings), all('settings: why', 'globals: taken', 'two', 'x.globals.sql.gz'));
    const globals = 'printf "one\\n$2 0\\ntwo\\n$2 1\\n"; echo why >&2; return 1';
    assert.equal(take(globals), all('settings: taken', 'one', 'globals: why', 'x.settings.sql.gz'));
    assert.equal(take('printf "$2 0\\ntwo\\n$2 0\\n"'), all('settings: ', 'globals: taken', 'two', 'x.globals.sql.gz'));
  });

  test('what was cut off is not taken for all of it', () => {
    assert.equal(
      take('printf "one\\n$2 0\\ntwo\\n"; return 137'),
      all('settings: taken', 'one', 'globals: ', 'x.settings.sql.gz'),
    );
    assert.equal(take('printf "one\\n"; return 137'), 'settings: \nglobals:');
    assert.equal(take('printf "0\\n0"; return 137'), 'settings: \nglobals:');
  });
});
