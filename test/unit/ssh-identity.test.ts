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
