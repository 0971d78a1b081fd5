// The supervisor of the programs on the host, in a real bash.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const shared = join(import.meta.dirname, '../../shared/host');
const folder = mkdtempSync(join(tmpdir(), 'supervisor-'));
after(() => rmSync(folder, { recursive: true }));

/** What the supervisor of a program answers whose log nobody reads: we keep it open, and its pipe full. @param takes a stream, or '' */
async function answer(main: string, deadline: number, takes = ''): Promise<string> {
  const script = `
    rm -f "$2/log"; mkfifo "$2/log"; exec 4<>"$2/log" 2>"$2/log"
    for part in parameters lock supervisor; do source "$1/$part.sh"; done
    read_parameters() { :; }
    stream_taken=${takes}
    nonce=n at_end=end lock= holder= silence=50 deadline=${deadline} lock_wait=0
    main() { record key value; timeout 0.2 cat /dev/zero >&2 || true; ${main}; }
    supervise`;
  const program = spawn('bash', ['--norc', '-c', script, 'bash', shared, folder], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const giveUp = setTimeout(() => program.stdout.destroy(), 30_000);
  let said = '';
  try {
    for await (const piece of program.stdout) {
      said += piece;
      if (/^(done|failed) n$/m.test(said)) break;
    }
  } catch {
    // Nothing more came.
  } finally {
    clearTimeout(giveUp);
    program.kill('SIGKILL');
    program.stdin.destroy();
  }
  return said;
}

test('a program whose log nobody reads any more still tells its result', { timeout: 60_000 }, async () => {
  assert.equal(await answer(':', 50), 'begin n\nkey\0value\0done n\n');
});

test('a program whose log nobody reads any more is ended at its deadline', { timeout: 60_000 }, async () => {
  assert.equal(await answer('exec sleep 40', 2), 'begin n\nkey\0value\0failed n\n');
});

test('a program that takes a stream is ended at its deadline, although the stream stands open', {
  timeout: 60_000,
}, async () => {
  assert.equal(await answer('exec cat >/dev/null', 2, 'yes'), 'begin n\nkey\0value\0failed n\n');
});
