// Bytes on their way from the runner into a program on the host: over ssh and on this machine; a program that reads late or not
// at all, bytes that fail, a connection that is cut.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../shared/failure.ts';
import type { Connection } from '../../shared/host/connection.ts';
import { connectLocally } from '../../shared/host/local.ts';
import { incomingFolder } from '../../shared/host/pour.ts';
import type { Program } from '../../shared/host/program.ts';
import { connectBySsh } from '../../shared/host/ssh.ts';
import { diagnoseKey } from '../../shared/runner/key-diagnosis.ts';
import { type Account, hostAccount } from '../lab/account.ts';
import { until } from '../lab/faults.ts';
import { folder as labFolder, temporaryFolder } from '../lab/folder.ts';
import { type KeyPair, makeKey } from '../lab/keys.ts';
import { processes } from '../lab/processes.ts';
import { type SshServer, startSshServer } from '../lab/sshd.ts';

const program: Program<{ how: string; incoming: string }> = {
  name: 'swallow',
  step: 'a trial',
  scripts: [
    new URL('../../shared/host/incoming.sh', import.meta.url),
    new URL('./programs/swallow.sh', import.meta.url),
  ],
};
const content = randomBytes(24 * 1024 * 1024 + 7);
const sum = createHash('sha256').update(content).digest('hex');

let account: Account;
let key: KeyPair;
let server: SshServer;

before(async () => {
  account = await hostAccount();
  key = await makeKey();
  const folder = mkdtempSync(join(labFolder('program-input'), 'test-'));
  server = await startSshServer({ folder, account, authorized: [key], environment: { LAB: 'program-input' } });
});
after(() => server?.stop());

function overSsh(): Promise<Connection> {
  const { port, knownHosts } = server;
  const login = { user: account.name, key: key.privateKey, passphrase: null, proxyJump: null };
  return connectBySsh(
    { host: '127.0.0.1', port, knownHosts, ...login },
    { folder: temporaryFolder('atlasia'), diagnoseKey, signal: new AbortController().signal },
  );
}

/** In pieces of awkward sizes. @param taken called before each with how many bytes were given out */
async function* pieces(taken: (bytes: number) => void = () => {}): AsyncGenerator<Buffer> {
  let size = 1;
  for (let at = 0; at < content.length; at += size, size = Math.min(3_000_001, size * 3)) {
    taken(at);
    yield content.subarray(at, at + size);
  }
}

interface Sent {
  sum: Promise<string>;
  folder: string;
}

function send(
  connection: Connection,
  how: string,
  open: () => Promise<Readable> | Readable,
  signal = new AbortController().signal,
): Sent {
  const folder = incomingFolder();
  const { result } = connection.run(
    program,
    { how, incoming: folder },
    { deadline: 60_000, atEnd: 'end', signal, input: { folder, open: async () => open() } },
  );
  return { sum: result.then((records) => records.get('sum')), folder };
}

/** Processes that have the pipe open. */
function holders(folder: string): { pid: number; command: readonly string[] }[] {
  const holds = (pid: number) => {
    try {
      const files = `/proc/${pid}/fd`;
      return readdirSync(files).some((file) => readlinkSync(join(files, file)).startsWith(folder));
    } catch {
      return false;
    }
  };
  return processes().filter(({ pid }) => holds(pid));
}

/** Neither the pipe nor a program that has it open. */
async function nothingLeft({ folder }: Sent): Promise<void> {
  await until('the folder is gone', async () => !existsSync(folder) || undefined);
  await until('its programs have ended', async () => holders(folder).length === 0 || undefined);
}

async function failsWith(sent: Sent, code: string, message: RegExp): Promise<void> {
  await assert.rejects(sent.sum, (error: Failure) => {
    assert.equal(error.code, code, `${error.message}\n${error.cause}`);
    assert.match(error.message, message);
    return true;
  });
  await nothingLeft(sent);
}

for (const [where, open] of [
  ['over ssh', overSsh],
  ['on this machine', async () => connectLocally()],
] as const) {
  describe(where, () => {
    let connection: Connection;
    before(async () => {
      connection = await open();
    });
    after(() => connection?.close());

    test('every byte arrives, and none if there are none', async () => {
      const all = send(connection, 'all', () => Readable.from(pieces(), { objectMode: false }));
      assert.equal(await all.sum, sum);
      await nothingLeft(all);
      const none = send(connection, 'all', () => Readable.from([], { objectMode: false }));
      assert.equal(await none.sum, createHash('sha256').digest('hex'));
      await nothingLeft(none);
    });

    test('while the program does not read, hardly anything is taken', async () => {
      let taken = 0;
      const late = send(connection, 'late', () =>
        Readable.from(
          pieces((at) => {
            taken = at;
          }),
          { objectMode: false },
        ),
      );
      await sleep(2_000);
      const early = taken;
      assert.equal(await late.sum, sum);
      assert.ok(early < 12e6, `${early} bytes were taken before the program read`);
      await nothingLeft(late);
    });

    test('a program that reads only a part, or nothing, says itself why', async () => {
      const endless = () =>
        Readable.from(
          (async function* () {
            for (;;) yield content;
          })(),
          { objectMode: false },
        );
      await failsWith(send(connection, 'part', endless), 'no-space', /a part was enough/);
      await failsWith(send(connection, 'nothing', endless), 'no-space', /nothing was wanted/);
    });

    test('bytes that fail, at once or half-way, are told of as they failed, and are never taken for all', async () => {
      const broken = (after: number) => () =>
        Readable.from(
          (async function* () {
            if (after > 0) yield content.subarray(0, after);
            throw new Failure('bucket-unusable', 'the store hung up');
          })(),
          { objectMode: false },
        );
      await failsWith(send(connection, 'all', broken(0)), 'bucket-unusable', /the store hung up/);
      await failsWith(send(connection, 'all', broken(5_000_000)), 'bucket-unusable', /the store hung up/);
      const refused = () => Promise.reject(new Failure('bucket-unusable', 'there is no such object'));
      await failsWith(send(connection, 'all', refused), 'bucket-unusable', /no such object/);
    });

    test('a cancelled run leaves nothing', async () => {
      const cancel = new AbortController();
      const slow = new PassThrough();
      slow.write('a');
      const sent = send(connection, 'all', () => slow, cancel.signal);
      await until('it is sent', async () => holders(sent.folder).length > 1 || undefined);
      cancel.abort();
      await failsWith(sent, 'cancelled', /cancelled/);
      assert.ok(slow.destroyed);
    });

    test('if the session that carries the bytes is killed, the program is ended and says so', async () => {
      const slow = new PassThrough();
      slow.write(content.subarray(0, 3_000_000));
      const sent = send(connection, 'all', () => slow);
      const pouring = async () =>
        holders(sent.folder).filter(({ command }) => command[0] !== 'sha256sum' && command.length > 1);
      await until('it is sent', async () => (await pouring()).length > 0 || undefined);
      // The supervisor of the session, whose children have the pipe open, as the kernel's killer would end it.
      for (const { pid } of await pouring()) {
        const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
        process.kill(Number(parent), 'SIGKILL');
      }
      await assert.rejects(sent.sum, (error: Failure) => /^(connection|program|transfer)-/.test(error.code));
      await nothingLeft(sent);
      assert.ok(slow.destroyed);
    });
  });
}
