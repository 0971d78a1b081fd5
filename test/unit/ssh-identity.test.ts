// What the program age has encrypted to SSH keys is decrypted on the runner.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { isFailure } from '../../shared/failure.ts';
import { decryptStream } from '../../shared/sets/decrypt.ts';
import { sshIdentity } from '../../shared/sets/ssh-identity.ts';
import { temporaryFolder } from '../lab/folder.ts';
import { type KeyPair, makeKey } from '../lab/keys.ts';
import { needPrograms } from '../lab/packages.ts';

await needPrograms({ age: 'age' });
const plain = Buffer.from('a backup\n'.repeat(20_000));

const encrypted = (...to: string[]) =>
  execFileSync(
    'age',
    to.flatMap((key) => ['-r', key]),
    { input: plain },
  );

function decrypted(cipher: Buffer, key: string): Promise<Buffer> {
  const stream = decryptStream(key);
  stream.end(cipher);
  return buffer(stream);
}

const keys: Record<string, KeyPair> = {
  Ed25519: await makeKey(),
  RSA: await makeKey({ type: 'rsa' }),
};

for (const [type, { publicKey, privateKey }] of Object.entries(keys)) {
  describe(type, () => {
    test('decrypts what was encrypted to it, among others', async () => {
      const other = await makeKey();
      assert.deepEqual(await decrypted(encrypted(other.publicKey, publicKey), privateKey), plain);
    });

    test('decrypts with CRLF and comments around it', async () => {
      const text = `# of the office\r\n${privateKey.replaceAll('\n', '\r\n')}\r\n`;
      assert.deepEqual(await decrypted(encrypted(publicKey), text), plain);
    });

    test('of somebody else does not', async () => {
      const other = await makeKey({ type: type === 'RSA' ? 'rsa' : 'ed25519' });
      await assert.rejects(decrypted(encrypted(other.publicKey), privateKey), (error) =>
        isFailure(error, 'decrypt-key-wrong'),
      );
    });

    test('whose part of the header is damaged says so', async () => {
      const cipher = encrypted(publicKey);
      const at = cipher.indexOf('\n', cipher.indexOf('-> ssh-')) + 5;
      cipher[at] = cipher[at] === 0x41 ? 0x42 : 0x41;
      await assert.rejects(decrypted(cipher, privateKey), (error) => isFailure(error, 'ciphertext-damaged'));
    });
  });
}

test('RSA keys of other programs are taken too', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  for (const type of ['pkcs1', 'pkcs8'] as const) {
    const pem = privateKey.export({ type, format: 'pem' }).toString();
    const file = join(temporaryFolder('key'), 'key');
    writeFileSync(file, pem, { mode: 0o600 });
    const publicKey = execFileSync('ssh-keygen', ['-y', '-f', file], { encoding: 'utf8' });
    assert.deepEqual(await decrypted(encrypted(publicKey), pem), plain);
  }
});

describe('an Ed25519 key whose file is damaged is refused', () => {
  const lines = keys['Ed25519']?.privateKey.trim().split('\n') ?? [];
  const file = Buffer.from(lines.slice(1, -1).join(''), 'base64');
  const read = (bytes: Buffer) => sshIdentity([lines[0], bytes.toString('base64'), lines.at(-1)].join('\n'));
  const refusal = { name: 'RangeError', message: 'has an SSH key that is cut off or misspelled' };
  /** How many keys it holds, after the name of the format and of the cipher, and how the key for that is made. */
  const count = 'openssh-key-v1\0'.length + 8 + 8 + 4;
  /** The number that is there twice, after the public key. */
  const check = count + 4 + 4 + file.readUInt32BE(count + 4) + 4;

  test('and one that is not is taken', () => assert.ok(read(file)));

  test('wherever it is cut off', () => {
    for (let length = 0; length < file.length; length += 1) {
      assert.throws(() => read(file.subarray(0, length)), refusal, `${length} bytes`);
    }
  });

  for (const [what, at] of [
    ['it holds several keys', count + 3],
    ['the numbers that must agree do not', check + 3],
  ] as const) {
    test(`where ${what}`, () => {
      const changed = Buffer.from(file);
      changed[at] = (changed[at] ?? 0) ^ 2;
      assert.throws(() => read(changed), refusal);
    });
  }
});
