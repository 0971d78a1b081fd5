// A host that never stops talking, in every stream and in every form: the runner's memory and its log stay small, and the run
// ends with an error that says why. The host is a real sshd, whose forced command answers instead of our program.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hostAccount } from '../lab/account.ts';
import { folder as labFolder } from '../lab/folder.ts';
import { type KeyPair, makeKey } from '../lab/keys.ts';
import { type MainResult, startAction } from '../lab/runner.ts';
import { type SshServer, startSshServer } from '../lab/sshd.ts';
import { logOf, refused } from './expectations.ts';

const MiB = 2 ** 20;
/** What docs/protocol.md states, for all that a host may send. */
const mostMemory = 384 * MiB;
/** Each program may print 1 MiB of lines and 1 MiB of steps; the rest of the log is ours. */
const mostLog = 4 * MiB;

/** Reads the request, as the bootstrap does: the nonce is the first parameter. Then it says what it wants. */
const readRequest =
  'IFS= read -r n; IFS= read -r -N "$n" s; IFS= read -r c; IFS= read -r -d "" name; IFS= read -r -d "" nonce; echo "begin $nonce"';

/** The second word of the message, where a program is given up. */
const printed = /^The program survey printed more than 64\.0 MiB of messages, and was given up$/;
const tooMuch = /^The program survey sent more than (64\.0 MiB|200000 records)$/;

const floods: [what: string, script: string, message: RegExp][] = [
  ['lines', 'exec yes "a line of a flood" >&2', printed],
  ['one line without an end', 'exec tr "\\0" x </dev/zero >&2', printed],
  ['lines that are many lines to a terminal', 'exec yes "$(yes : | head -n 45000 | tr "\\n" "\\r")" >&2', printed],
  ['steps', 'exec yes "$nonce progress waiting-for nobody" >&2', printed],
  [
    'steps as long as a page',
    'exec yes "$nonce progress waiting-for $(yes : | head -n 45000 | tr "\\n" "\\r")" >&2',
    printed,
  ],
  ['a result', 'exec yes', tooMuch],
  ['records', 'exec cat /dev/zero', tooMuch],
  ['a result behind its end, and lines', 'echo "done $nonce"; yes >&2 & exec yes', /./],
];

let root: string;
let key: KeyPair;

before(async () => {
  root = mkdtempSync(join(labFolder('floods'), 'test-'));
  chmodSync(root, 0o755);
  key = await makeKey();
});

after(() => rmSync(root, { recursive: true, force: true }));

async function serve(script: string): Promise<SshServer> {
  const folder = mkdtempSync(join(root, 'sshd-'));
  const file = join(folder, 'answer.sh');
  writeFileSync(file, `${readRequest}\n${script}\n`);
  const keyOptions = `command="exec bash ${file}"`;
  return startSshServer({
    folder,
    account: await hostAccount(),
    authorized: [key],
    keyOptions,
    environment: { FLOOD: 'yes' },
  });
}

/** A backup of that host, and how many bytes of memory the action took at most. */
async function backupOf({ port, knownHosts }: SshServer): Promise<{ result: MainResult; peak: number }> {
  const action = await startAction('backup', {
    host: '127.0.0.1',
    port: String(port),
    user: (await hostAccount()).name,
    'ssh-key': key.privateKey,
    'known-hosts': knownHosts,
    'deploy-dir': '/opt/nowhere',
  });
  let peak = 0;
  let isOver = false;
  const killing = setTimeout(() => void action.kill(), 90_000);
  const finished = action.finished.finally(() => {
    isOver = true;
    clearTimeout(killing);
  });
  while (!isOver) {
    peak = Math.max(peak, memoryOf(action.child.pid ?? 0));
    await sleep(20);
  }
  return { result: await finished, peak };
}

function memoryOf(pid: number): number {
  try {
    return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

describe('a host that never stops sending', () => {
  for (const [what, script, message] of floods) {
    test(what, async () => {
      const server = await serve(script);
      try {
        const { result, peak } = await backupOf(server);
        assert.equal(result.signal, null, `it had to be killed, with ${Math.round(peak / MiB)} MiB`);
        const log = logOf(result);
        console.log(`${what}: ${Math.round(peak / MiB)} MiB of memory, ${Math.round(log.length / 1024)} KiB of log`);
        refused(result, { message, hint: /./ });
        assert.ok(peak < mostMemory, `${Math.round(peak / MiB)} MiB`);
        assert.ok(log.length < mostLog, `${Math.round(log.length / MiB)} MiB of log`);
        if (what === 'lines') assert.match(log, /\d+ more lines \(\d+\.\d MiB\) were left out: /);
      } finally {
        await server.stop();
      }
    });
  }
});
