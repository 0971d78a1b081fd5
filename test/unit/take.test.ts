// What a backup looks at under the lock, before it writes anything: shared/backups/take.sh in a real bash.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
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
      source "$1/host/lock.sh"; source "$1/host/sets.sh"; source "$1/sets/folders.sh"; source "$1/backups/take.sh"
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

test('nothing was written', () => {
  writeFileSync(join(folder, 'rollback', 'HOLD'), '');
  take('', 'yes');
  assert.deepEqual(readdirSync(folder, { recursive: true }).toSorted(), ['daily', 'rollback', 'rollback/HOLD']);
});
