// Files of a backup on their way from the host to the runner: over ssh and on this machine, read slowly, given up half-way, cut
// off, and gone.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../shared/host/connection.ts';
import type { IncomingFile } from '../../shared/host/incoming-files.ts';
import { connectLocally } from '../../shared/host/local.ts';
import { connectBySsh } from '../../shared/host/ssh.ts';
import { diagnoseKey } from '../../shared/runner/key-diagnosis.ts';
import type { VerifiedSet } from '../../shared/sets/catalogue.ts';
import { readFiles } from '../../shared/sets/read-files.ts';
import { type Account, giveTo, hostAccount } from '../lab/account.ts';
import { until } from '../lab/faults.ts';
import { folder as labFolder, temporaryFolder } from '../lab/folder.ts';
import { type KeyPair, makeKey } from '../lab/keys.ts';
import { processes } from '../lab/processes.ts';
import { type SshServer, startSshServer } from '../lab/sshd.ts';

const id = '20261127_021700';
const large = `backup_${id}.dump.zst`;
const small = `backup_${id}.sha256`;
const set = { state: 'verified', id, database: 'shop', folders: ['daily', 'weekly'] } as unknown as VerifiedSet;
const contents = new Map([
  [small, Buffer.from('list\n')],
  [`backup_${id}.report.txt`, Buffer.alloc(0)],
  [large, randomBytes(48 * 1024 * 1024)],
]);

let account: Account;
let key: KeyPair;
let server: SshServer;
let backupDir: string;

before(async () => {
  account = await hostAccount();
  key = await makeKey();
  const root = mkdtempSync(join(labFolder('read-files'), 'test-'));
  chmodSync(root, 0o755);
  server = await startSshServer({ folder: root, account, authorized: [key], environment: { LAB: 'read-files' } });
  backupDir = join(root, 'backups');
  for (const folder of ['daily', 'weekly']) mkdirSync(join(backupDir, folder), { recursive: true });
  for (const [name, content] of contents) {
    writeFileSync(join(backupDir, 'weekly', name), content);
    linkSync(join(backupDir, 'weekly', name), join(backupDir, 'daily', name));
  }
  await giveTo(account, backupDir);
});

after(async () => {
  await server?.stop();
  if (backupDir !== undefined) rmSync(join(backupDir, '..'), { recursive: true, force: true });
});

function overSsh(): Promise<Connection> {
  const { port, knownHosts } = server;
  const login = { user: account.name, key: key.privateKey, passphrase: null, proxyJump: null };
  return connectBySsh(
    { host: '127.0.0.1', port, knownHosts, ...login },
    { folder: temporaryFolder('atlasia'), diagnoseKey, signal: new AbortController().signal },
  );
}

const never = new AbortController().signal;

function reading(connection: Connection, names: readonly string[] = [...contents.keys()], signal = never) {
  return readFiles(connection, { backupDir, set, names, timeout: 60_000, signal, onLog: () => {} });
}

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

async function sumOf({ content }: IncomingFile, pause = 0): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of content) {
    hash.update(piece);
    if (pause > 0) await sleep(pause);
  }
  return hash.digest('hex');
}

/** The processes on the host that send a file. */
const readers = () => processes().filter(({ command }) => command[0] === 'head' && command[1] === '-c');

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

    test('every file arrives as it is, in the order asked for', async () => {
      const arrived = new Map<string, string>();
      for await (const file of reading(connection)) {
        assert.equal(file.bytes, contents.get(file.name)?.length);
        arrived.set(file.name, await sumOf(file));
      }
      assert.deepEqual(
        [...arrived],
        [...contents].map(([name, content]) => [name, sha256(content)]),
      );
    });

    test('the host waits for a slow reader, and nothing piles up here', async () => {
      await until('the end of earlier readers', async () => readers().length === 0 || undefined);
      const before = process.memoryUsage();
      for await (const file of reading(connection, [large])) {
        const pieces = file.content[Symbol.asyncIterator]();
        await pieces.next();
        await sleep(1_500);
        const { external, arrayBuffers } = process.memoryUsage();
        assert.ok(external + arrayBuffers - before.external - before.arrayBuffers < 16e6, 'it is held in memory');
        assert.equal(readers().length, 1, 'the host still has the rest');
        file.content.destroy();
      }
    });

    test('a reader that stops early ends the program on the host', async () => {
      for await (const file of reading(connection)) {
        assert.equal(file.name, small);
        break;
      }
      await until('the end of the program', async () => readers().length === 0 || undefined);
    });

    test('a cancelled run reads a part, and is told so', async () => {
      const cancel = new AbortController();
      await assert.rejects(async () => {
        for await (const file of reading(connection, [large], cancel.signal)) {
          file.content.once('data', () => cancel.abort());
          await sumOf(file, 1);
        }
      }, /cancelled/);
      await until('the end of the program', async () => readers().length === 0 || undefined);
    });

    test('a file that retention has removed from one folder is read from the other', async () => {
      rmSync(join(backupDir, 'daily', large));
      try {
        for await (const file of reading(connection, [large]))
          assert.equal(await sumOf(file), sha256(contents.get(large) ?? Buffer.alloc(0)));
      } finally {
        linkSync(join(backupDir, 'weekly', large), join(backupDir, 'daily', large));
      }
    });

    test('a set that is gone is named', async () => {
      await assert.rejects(async () => {
        for await (const file of reading(connection, ['backup_20261127_021700.schema.sql.gz'])) await sumOf(file);
      }, /daily\/backup_20261127_021700\.schema\.sql\.gz no longer exists/);
    });
  });
}

test('a file that is cut off in the middle fails, and is never taken for a whole one', async () => {
  const connection = await overSsh();
  try {
    await assert.rejects(async () => {
      for await (const file of reading(connection, [large])) {
        let isKilled = false;
        for await (const _ of file.content) {
          if (isKilled) continue;
          isKilled = true;
          for (const { pid } of readers()) process.kill(pid, 'SIGKILL');
        }
      }
    });
  } finally {
    await connection.close();
  }
});
