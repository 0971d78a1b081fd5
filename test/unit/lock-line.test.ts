// What a run says while it stands in line for the lock, and that it says no more once it has it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const host = join(import.meta.dirname, '..', '..', 'shared', 'host');
const folder = mkdtempSync(join(tmpdir(), 'lock-line-'));
after(() => rmSync(folder, { recursive: true }));

/** As under sshd, a broken pipe is an error of whoever writes. To look who has the lock takes longer than to get it. */
const script = `
trap '' PIPE
for part in parameters lock supervisor; do source "$1/$part.sh"; done
lock_holder() { sleep 0.6; printf 'another run'; }
nonce=n at_end=end lock=$2/.lock holder=me lock_wait=5
exec 9>>"$lock"
flock "$lock" sleep 0.3 9>&- &
sleep 0.1
take_lock
sleep 0.8`;

test('a run that gets the lock while it looks who has it says nothing of a broken pipe', () => {
  const { status, stderr } = spawnSync('bash', ['-c', script, 'bash', host, folder], { encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, '']);
});
