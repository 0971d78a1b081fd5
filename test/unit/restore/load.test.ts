// The order in which a restored database is made, and what keeps it from being complete: the program's own script in a real bash, with
// functions in the place of what runs in the database's container.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, test } from 'node:test';

const shared = join(import.meta.dirname, '../../../shared');
const folder = mkdtempSync(join(tmpdir(), 'load-'));
after(() => rmSync(folder, { recursive: true }));
const dump = join(folder, 'x.dump');
writeFileSync(dump, 'the rows');
const sha256 = createHash('sha256').update('the rows').digest('hex');

/** What the program says on its output and of its errors. */
function run(change: string, sum: string): { stdout: string; stderr: string } {
  const script = `
    set -euo pipefail
    takes() { :; }; takes_list() { :; }; takes_number() { :; }; takes_word() { :; }
    source "$1/drill/told.sh"; source "$1/restore/load.sh"
    container=c user=u live=shop server_host= server_port= password_from= restored=shop_restore_01234567
    restored_argument=dbname=r made_as='ENCODING x' roles='CREATE ROLE x;' settings= after_sql='UPDATE x' dump=$2 sha256=$3 dump_bytes=8
    format=custom compression=none most_jobs=2 data_folder=/ least=1 words_log= incoming= facts_before= facts_tables=
    facts_after= chosen=
    record() { :; }; progress() { :; }; keep_words() { :; }; watch_room() { echo 9; }
    tell() { echo "tell $1" >&2; }
    fail() { echo "$1" >&2; exit 1; }
    heard() { shift; "$@"; }
    inside() { cat >/dev/null; echo "$*" >&2; }
    ${change}
    main`;
  return spawnSync('bash', ['-c', script, 'bash', shared, dump, sum], { encoding: 'utf8' });
}

/** What the program does in the container, a line each; then how it failed, if it did. */
function load(change = '', sum = sha256): string[] {
  return run(change, sum)
    .stderr.trim()
    .split('\n')
    .map((line) => line.replace(/unnoticed fill custom none dbname=r \d+/, 'fill'));
}

test('what is restored stays closed, and is called complete once all is done', () => {
  const done = load();
  // The two ends of a pipe.
  assert.deepEqual(done.splice(4, 2).toSorted(), [
    'settings shop_restore_01234567',
    'take_settings shop_restore_01234567',
  ]);
  assert.deepEqual(done, [
    'sweep shop shop_restore_01234567',
    'over_all --single-transaction',
    'create shop_restore_01234567 shop',
    'fill',
    'tell facts',
    'after',
    'login',
    'unnoticed subscriptions',
    'unnoticed analyze dbname=r 2',
    'mark shop_restore_01234567 shop complete',
  ]);
});

test('what statements of the user print does not get between our records', () => {
  const { stdout } = run('inside() { cat >/dev/null; [[ $1 != after ]] || echo " count "; }', sha256);
  assert.equal(stdout, '');
});

test('a dump that is not that of its manifest is no backup, whether it restores or not', () => {
  for (const change of ['', 'inside() { cat >/dev/null; [[ $2 != fill ]] || return 41; }']) {
    const done = load(change, 'f'.repeat(64));
    assert.equal(done.at(-1), 'checksum-failed');
    assert.ok(!done.some((line) => line.startsWith('mark')));
  }
});

test('a dump that cannot be read is not called another one', () => {
  const { stdout } = run('fail() { echo "$1: $2"; exit 1; }; sha256sum() { return 1; }', sha256);
  assert.equal(stdout, `checksum-failed: ${dump} could not be read to its end\n`);
});

test('a dump that another run has deleted meanwhile is not one that has changed, and nothing is created', () => {
  const done = load('dump=/nowhere');
  assert.deepEqual(done, ['set-gone']);
});

for (const [verb, code] of [
  ['fill', 'restore-failed'],
  ['take_settings', 'restore-failed'],
  ['after', 'after-sql-failed'],
  ['login', 'restore-failed'],
] as const) {
  test(`where "${verb}" fails, it is never complete`, () => {
    const done = load(`inside() { cat >/dev/null; echo "$*" >&2; [[ " $* " != *" ${verb} "* ]] || return 41; }`);
    assert.equal(done.at(-1), code);
    assert.ok(!done.some((line) => line.startsWith('mark')));
  });
}

test('where the disk has become too full, it is never complete', () => {
  const done = load(
    'watch_room() { echo 9; echo 0; }; inside() { cat >/dev/null; echo "$*" >&2; [[ $2 != fill ]] || sleep 0.5; }',
  );
  assert.equal(done.at(-1), 'restore-no-room');
});

test('a disk that cannot be watched is not filled', () => {
  for (const told of [':', 'echo unseen']) {
    const done = load(`watch_room() { ${told}; }`);
    assert.equal(done.at(-1), 'restore-failed');
    assert.ok(!done.some((line) => line.startsWith('create')));
  }
});

test('a disk that can no longer be watched is filled no more, and the copy is never complete', () => {
  // The watch of the program itself, whose own look ends.
  const watch = readFileSync(join(shared, 'restore/load.sh'), 'utf8').match(/^watch_room\(\) \{.*?^\}/ms)?.[0] ?? '';
  for (const look of ['echo 9', 'echo 9; echo']) {
    const done = load(
      `${watch}; inside() { case $1 in watch_disk) ${look} ;; *) cat >/dev/null; echo "$*" >&2; [[ $2 != fill ]] || sleep 0.5 ;; esac; }`,
    );
    assert.equal(done.at(-1), 'restore-failed');
    assert.ok(!done.some((line) => line.startsWith('mark')));
  }
});

describe('if the container of the database goes down meanwhile, that is the reason', () => {
  const flag = join(folder, 'down');
  afterEach(() => rmSync(flag, { force: true }));
  /** What fails at a verb, once Docker tells this of the container. */
  const failing = (verb: string, later: string) =>
    load(`inside() { cat >/dev/null; [[ " $* " != *" ${verb} "* ]] || { : >'${flag}'; return 137; }; }
      tell() { [[ facts != ${verb} ]] || { : >'${flag}'; troubled=yes; }; }
      sleep() { :; }; fail() { echo "$1 $2" >&2; exit 1; }
      docker() { if [[ -e '${flag}' ]]; then ${later}; else echo 'monday /shop-db-1 '; fi; }`).at(-1);

  for (const verb of ['over_all', 'create', 'fill', 'take_settings', 'facts', 'after', 'login', 'mark'])
    test(`at "${verb}"`, () => {
      assert.equal(
        failing(verb, "echo 'monday /shop-db-1 ended: exit 137, out of memory'"),
        'database-silent The container of the database, shop-db-1, ended: exit 137, out of memory while the backup was restored',
      );
    });

  test('also if it is there again', () => {
    assert.match(failing('fill', "echo 'tuesday /shop-db-1 '") ?? '', /shop-db-1, was restarted while/);
  });

  test('but not if it runs on, or Docker does not tell', () => {
    assert.match(failing('fill', "echo 'monday /shop-db-1 '") ?? '', /^restore-failed /);
    assert.match(failing('fill', 'return 1') ?? '', /^restore-failed /);
  });
});

test('a dump that is not whole once it is decompressed is no backup, although what came of it restores', () => {
  const done = load(`format=plain compression=gzip; inside() { cat >/dev/null; echo "$*" >&2; [[ $1 != has ]]; }
    fail() { echo "$1 $2" >&2; exit 1; }`);
  assert.equal(done.at(-1), 'restore-failed The backup cannot be decompressed completely');
  assert.ok(!done.some((line) => line.startsWith('mark')));
});

test('where the disk becomes too full, the copy is dropped at once, and makes room for the live database', () => {
  const watch = readFileSync(join(shared, 'restore/load.sh'), 'utf8').match(/^watch_room\(\) \{.*?^\}/ms)?.[0] ?? '';
  const done = load(
    `${watch}; inside() { case $1 in watch_disk) echo 9; echo 0 ;; *) cat >/dev/null; echo "$*" >>'${folder}/ran'; [[ $2 != fill ]] || sleep 0.5 ;; esac; }`,
  );
  assert.equal(done.at(-1), 'restore-no-room');
  assert.match(readFileSync(join(folder, 'ran'), 'utf8'), /^discard shop_restore_01234567 shop$/m);
});

describe('a dump that the runner sends', () => {
  /** Sent by a process of its own, which leaves the mark `cut` where it was cut off. */
  const sending = (bytes: string, whole: string) => `
    source "$1/host/incoming.sh"; incoming=${folder}/incoming
    progress() { [[ $1 != incoming ]] || { { ${bytes} && ${whole}; } >"$2/bytes" & }; }
    trap 'rm -rf -- "$incoming"' EXIT;`;

  test('is complete once all of it has come', () => {
    assert.match(load(sending('echo the rows', 'rm "$2/cut"')).at(-1) ?? '', /^mark .* complete$/);
  });

  test('and was cut off is no backup, although what came of it restores', () => {
    const done = load(sending('echo the rows', ':'));
    assert.equal(done.at(-1), 'transfer-cut');
    assert.ok(!done.some((line) => line.startsWith('mark')));
  });

  test('does not come by way of a folder that somebody else has made', () => {
    const done = load(`mkdir -m 777 '${folder}/incoming'; ${sending('echo the rows', 'rm "$2/cut"')}`);
    assert.equal(done.at(-1), 'transfer-cut');
    assert.ok(!done.includes('fill'));
  });

  test('leaves nothing of its way', () => {
    load(`${sending(':', ':')} main() { mkdir "$incoming"; trap - EXIT; drop_incoming; }`);
    assert.equal(existsSync(join(folder, 'incoming')), false);
  });

  test('is read to its end where it does not restore, for the checksum of all of it', () => {
    const done = load(`${sending('head -c 1000000 /dev/zero', 'rm "$2/cut"')}
      inside() { [[ $2 != fill ]] || return 41; cat >/dev/null; }`);
    assert.equal(done.at(-1), 'restore-failed');
  });
});

test('whatever happened, what is not complete is dropped in the end, and nothing else', () => {
  const done = load(
    'main() { words_log=/words inside_script=; ended; }; drop_incoming() { :; }; timeout() { shift $(($# - 4)); echo "$*" >&3; }; drop_words() { echo "words $1" >&2; }; exec 3>&2',
  );
  assert.deepEqual(done, ['words /words', 'discard shop_restore_01234567 shop incomplete']);
});
