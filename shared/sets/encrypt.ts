import { createCipheriv, randomBytes } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { tellPassed } from '../passing-memory.ts';
import { nonceBytes, pieceBytes, pieceCipher, pieceNonce, sealedBytes, streamKey, tagBytes } from './age-stream.ts';
import { sshRecipient } from './ssh-recipient.ts';

/** What encrypts one file, as the program age does. */
export interface Encryption {
  stream: Transform;
  /** How many bytes come out if so many go in. */
  sizeOf(plain: number): number;
}

/**
 * Encrypts a file on the runner, in the stream. The header, where the keys are, is for age's own library.
 * @param recipients public keys, as `recipientsIn` gives them
 */
export async function encryptionFor(recipients: readonly string[]): Promise<Encryption> {
  const { header, fileKey } = await newHeader(recipients);
  const nonce = randomBytes(nonceBytes);
  return {
    stream: new Sealing(Buffer.concat([header, nonce]), streamKey(fileKey, nonce)),
    sizeOf: (plain) => header.length + sealedBytes(plain),
  };
}

/** The library keeps the key of the file to itself, but tells it to each recipient: so one more asks for it, and adds nothing. */
async function newHeader(recipients: readonly string[]): Promise<{ header: Buffer; fileKey: Uint8Array }> {
  const { Encrypter, Stanza } = await import('age-encryption');
  const encrypter = new Encrypter();
  for (const line of recipients) {
    if (line.startsWith('age1')) encrypter.addRecipient(line);
    else {
      const { wrapFileKey } = sshRecipient(line);
      encrypter.addRecipient({
        wrapFileKey: (key) => wrapFileKey(key).map(({ args, body }) => new Stanza(args, body)),
      });
    }
  }
  let fileKey = new Uint8Array();
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = Uint8Array.from(key);
      return [];
    },
  });
  const empty = Buffer.from(await encrypter.encrypt(new Uint8Array()));
  return { header: empty.subarray(0, empty.length - sealedBytes(0)), fileKey };
}

class Sealing extends Transform {
  readonly #key: Buffer;
  /** Of the piece that is being filled. */
  readonly #piece = Buffer.allocUnsafeSlow(pieceBytes);
  #filled = 0;
  #count = 0;

  constructor(start: Buffer, key: Buffer) {
    super();
    this.#key = key;
    this.push(start);
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    tellPassed(chunk.length);
    for (let at = 0; at < chunk.length; ) {
      // The last piece is sealed differently, so a full one waits until more has come.
      if (this.#filled === pieceBytes) this.#seal(false);
      const copied = chunk.copy(this.#piece, this.#filled, at);
      this.#filled += copied;
      at += copied;
    }
    done();
  }

  override _flush(done: TransformCallback): void {
    this.#seal(true);
    done();
  }

  #seal(isLast: boolean): void {
    const nonce = pieceNonce(this.#count, isLast);
    const cipher = createCipheriv(pieceCipher, this.#key, nonce, { authTagLength: tagBytes });
    this.push(cipher.update(this.#piece.subarray(0, this.#filled)));
    cipher.final();
    this.push(cipher.getAuthTag());
    this.#filled = 0;
    this.#count += 1;
  }
}
