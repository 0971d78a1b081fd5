// Encryption on the runner, of what leaves for a bucket: the program age decrypts it with every kind of key.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { recipientsIn } from '../../shared/sets/age-keys.ts';
import { decryptStream } from '../../shared/sets/decrypt.ts';
import { encryptionFor } from '../../shared/sets/encrypt.ts';
import { temporaryFolder } from '../lab/folder.ts';
import { makeKey } from '../lab/keys.ts';
import { needPrograms } from '../lab/packages.ts';

await needPrograms({ age: 'age' });
const identity = execFileSync('age-keygen', { encoding: 'utf8' });
const ed25519 = await makeKey();
const rsa = await makeKey({ type: 'rsa' });
const keys = { age: identity, ed25519: ed25519.privateKey, rsa: rsa.privateKey };
const recipients = recipientsIn([/age1\w+/.exec(identity)?.[0], ed25519.publicKey, rsa.publicKey].join('\n'));
const folder = temporaryFolder('keys');
for (const [name, text] of Object.entries(keys)) writeFileSync(join(folder, name), text, { mode: 0o600 });

/** Arrives in pieces of this many bytes. */
async function encrypted(plain: Buffer, bytes = 10_000): Promise<Buffer> {
  const pieces = function* () {
    for (let at = 0; at < plain.length; at += bytes) yield plain.subarray(at, at + bytes);
  };
  const { stream, sizeOf } = await encryptionFor(recipients);
  const cipher = await buffer(Readable.from(pieces(), { objectMode: false }).pipe(stream));
  assert.equal(cipher.length, sizeOf(plain.length));
  return cipher;
}

const opened = (cipher: Buffer, key: string) =>
  execFileSync('age', ['--decrypt', '-i', join(folder, key)], { input: cipher, maxBuffer: 2 ** 24 });

const piece = 64 * 1024;
for (const bytes of [0, 1, piece - 1, piece, piece + 1, 2 * piece, 3 * piece + 17]) {
  test(`${bytes} bytes come back, and their size was known before`, async () => {
    const plain = randomBytes(bytes);
    for (const step of [10_000, piece, 200_000]) {
      const cipher = await encrypted(plain, step);
      assert.ok(opened(cipher, 'age').equals(plain));
      const stream = decryptStream(identity);
      stream.end(cipher);
      assert.ok((await buffer(stream)).equals(plain));
    }
  });
}

test('any of the keys alone decrypts it', async () => {
  const plain = randomBytes(100_000);
  const cipher = await encrypted(plain);
  for (const key of Object.keys(keys)) assert.ok(opened(cipher, key).equals(plain), key);
});

test('nobody else does, and no two files have the same bytes', async () => {
  const plain = randomBytes(1000);
  const [one, two] = [await encrypted(plain), await encrypted(plain)];
  assert.ok(!one.subarray(-500).equals(two.subarray(-500)));
  const other = join(folder, 'other');
  writeFileSync(other, execFileSync('age-keygen'), { mode: 0o600 });
  assert.throws(() => execFileSync('age', ['--decrypt', '-i', other], { input: one, stdio: 'pipe' }), /no identity/);
});
