// Decryption on the runner, of what age's own library has encrypted; the program itself is in test/e2e/encryption.test.ts.
import assert from 'node:assert/strict';
import { createCipheriv, randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { describe, test } from 'node:test';
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { isFailure } from '../../shared/failure.ts';
import type { FailureCode } from '../../shared/failure-codes.ts';
import { nonceBytes, pieceCipher, pieceNonce, streamKey, tagBytes } from '../../shared/sets/age-stream.ts';
import { decryptStream } from '../../shared/sets/decrypt.ts';

const identity = await generateX25519Identity();

async function encrypted(plain: Uint8Array, to: readonly string[] = [identity]): Promise<Buffer> {
  const encrypter = new Encrypter();
  for (const key of to) encrypter.addRecipient(await identityToRecipient(key));
  return Buffer.from(await encrypter.encrypt(plain));
}

/** In pieces of this many bytes. */
function decrypted(cipher: Buffer, bytes = 10_000, key = identity): Promise<Buffer> {
  const pieces = function* () {
    for (let at = 0; at < cipher.length; at += bytes) yield cipher.subarray(at, at + bytes);
  };
  const plain = new PassThrough();
  const content = buffer(plain);
  return pipeline(Readable.from(pieces(), { objectMode: false }), decryptStream(key), plain).then(
    () => content,
    (error) => {
      content.catch(() => {});
      throw error;
    },
  );
}

const failsWith = (code: FailureCode, message?: RegExp) => (error: unknown) => {
  assert.ok(isFailure(error, code), String(error));
  if (message) assert.match(error.message, message);
  return true;
};

const chunk = 64 * 1024;
for (const bytes of [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 17]) {
  test(`${bytes} bytes come back, however they arrive`, async () => {
    const plain = randomBytes(bytes);
    const cipher = await encrypted(plain);
    for (const piece of [7, chunk + 16, cipher.length]) {
      if (piece === 7 && bytes > chunk + 1) continue;
      assert.deepEqual(await decrypted(cipher, piece), plain);
    }
  });
}

test('any of several keys will do, in a file as age-keygen writes it', async () => {
  const other = await generateX25519Identity();
  const cipher = await encrypted(Buffer.from('content'), [other, identity]);
  const file = `# created: 2026-11-27T08:00:00Z\r\n# public key: age1…\r\n${identity}\r\n`;
  assert.equal(String(await decrypted(cipher, 50, file)), 'content');
  const third = await generateX25519Identity();
  assert.equal(String(await decrypted(cipher, 50, `${third}\n${other}\n`)), 'content');
});

describe('refused', () => {
  const plain = randomBytes(3 * chunk);

  test('a key that belongs to no recipient, before anything is given out', async () => {
    const cipher = await encrypted(plain, [await generateX25519Identity()]);
    const given: Buffer[] = [];
    const decryption = decryptStream(identity).on('data', (piece) => given.push(piece));
    await assert.rejects(
      pipeline(Readable.from([cipher]), decryption),
      failsWith('decrypt-key-wrong', /^The private key does not belong to any recipient/),
    );
    assert.deepEqual(given, []);
  });

  const spoilings: [what: string, spoil: (cipher: Buffer) => Buffer, message: RegExp][] = [
    ['an end that is missing', (cipher) => cipher.subarray(0, -1), /its end is missing or altered/],
    ['a last piece that is missing', (cipher) => cipher.subarray(0, -(chunk + 16)), /its end is missing/],
    ['an end within the last seal', (cipher) => cipher.subarray(0, -(chunk + 10)), /its end is missing/],
    ['an end within the header', (cipher) => cipher.subarray(0, 100), /ends within its header/],
    ['nothing', () => Buffer.alloc(0), /ends within its header/],
    ['a bit that is another', (cipher) => flipped(cipher, cipher.length >> 1), /altered at about byte/],
    [
      'a bit of the header that is another',
      (cipher) => flipped(cipher, cipher.indexOf('--- ') + 10),
      /header is altered/,
    ],
    ['more than was written', (cipher) => Buffer.concat([cipher, Buffer.from('x')]), /altered/],
    ['something that was never encrypted', () => plain, /does not begin as a file of age does/],
    ['a header without an end', () => endless, /header has no end/],
  ];
  const endless = Buffer.from(`age-encryption.org/v1\n${'-> X25519 a\nb\n'.repeat(20_000)}`);
  for (const [what, spoil, message] of spoilings) {
    test(what, async () => {
      const cipher = await encrypted(plain);
      await assert.rejects(decrypted(spoil(cipher)), failsWith('ciphertext-damaged', message));
    });
  }

  test('an empty piece behind the last one, which age never writes', async () => {
    const cipher = await encrypted(plain.subarray(0, chunk));
    const header = cipher.subarray(0, cipher.length - chunk - tagBytes - nonceBytes);
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    const nonce = randomBytes(nonceBytes);
    const key = streamKey(await decrypter.decryptHeader(header), nonce);
    const sealed = [plain.subarray(0, chunk), Buffer.alloc(0)].flatMap((piece, index) => {
      const options = { authTagLength: tagBytes };
      const cipher = createCipheriv(pieceCipher, key, pieceNonce(index, index === 1), options);
      return [cipher.update(piece), cipher.final(), cipher.getAuthTag()];
    });
    await assert.rejects(
      decrypted(Buffer.concat([header, nonce, ...sealed])),
      failsWith('ciphertext-damaged', /its last piece is empty/),
    );
  });

  function flipped(cipher: Buffer, at: number): Buffer {
    const copy = Buffer.from(cipher);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  }
});
