// Who is next in the line for the lock of a backup folder: shared/backups/await-turn.sh in a real bash.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

const shared = join(import.meta.dirname, '../../shared');
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turn-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What is said while the lock is held by another run for so many seconds; `is next` at its end. */
function wait({ held, lockWait }: { held: number; lockWait: number }): string[] {
  const { stdout, stderr } = spawnSync(
    'bash',
    [
      '-c',
      `source "$1/host/lock.sh"; source "$1/backups/await-turn.sh"
      fail() { echo "$*"; kill "$!"; exit 1; }
      progress() { echo "$*"; }
      lock=$2/.lock.turn lock_wait=$3
      echo 'another run' >"$2/.lock.holder"
      exec 8>>"$2/.lock"
      flock 8
      sleep "$4" >/dev/null 2>&1 &
      exec 8>&-
      main
      flock --nonblock "$2/.lock" echo is next`,
      'bash',
      shared,
      folder,
      String(lockWait),
      String(held),
    ],
    { encoding: 'utf8', timeout: 30_000 },
  );
  assert.equal(stderr, '');
  return stdout.trimEnd().split('\n');
}

test('waits until the lock is free, and says once in a while who has it', () => {
  assert.deepEqual(wait({ held: 1, lockWait: 20 }), ['waiting-for another run', 'is next']);
});

test('gives up when it has waited for as long as it may', () => {
  assert.deepEqual(wait({ held: 60, lockWait: 1 }), ['waiting-for another run', 'lock-held another run']);
});

test('does not wait for a lock that is free', () => {
  assert.deepEqual(wait({ held: 0, lockWait: 20 }).at(-1), 'is next');
});
