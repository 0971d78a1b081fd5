import { createDecipheriv } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { Failure } from '../failure.ts';
import { identitiesIn } from './age-identities.ts';
import { nonceBytes, pieceCipher, pieceNonce, sealedPieceBytes, streamKey, tagBytes } from './age-stream.ts';

// Decrypts what `age` has encrypted, on the runner. The header, where the keys are, is for age's own library.

/** Bytes. Each recipient needs about 150; who sends more of them than that wants to fill our memory. */
const longestHeader = 64 * 1024;

/**
 * Turns ciphertext into what was encrypted. Every piece that it gives out is authentic, but only the end of the stream says that
 * all of it is there: do not rely on anything before that.
 *
 * Fails with a Failure `decrypt-key-wrong` if it was encrypted to other keys, before it gives out anything; `ciphertext-damaged` if
 * it is not what `age` wrote, or its end is missing.
 *
 * @param identity private keys, as `identitiesIn` takes them
 */
export function decryptStream(identity: string): Transform {
  return new Decryption(identitiesIn(identity));
}

type Identity = ReturnType<typeof identitiesIn>[number];

class Decryption extends Transform {
  readonly #identities: readonly Identity[];
  /** What has come and is not used yet. */
  #waiting: Buffer[] = [];
  #bytes = 0;
  /** null until the header was read. */
  #key: Buffer | null = null;
  #count = 0;

  constructor(identities: readonly Identity[]) {
    super();
    this.#identities = identities;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#waiting.push(chunk);
    this.#bytes += chunk.length;
    this.#advance().then(() => done(), done);
  }

  override _flush(done: TransformCallback): void {
    this.#finish().then(() => done(), done);
  }

  async #advance(): Promise<void> {
    if (this.#key === null) await this.#begin();
    // The last piece is sealed differently, and only the end of the stream tells which one it is.
    while (this.#key !== null && this.#bytes > sealedPieceBytes)
      this.push(this.#open(this.#take(sealedPieceBytes), false));
  }

  async #finish(): Promise<void> {
    if (this.#key === null) throw damaged('it ends within its header');
    const last = this.#open(this.#take(this.#bytes), true);
    if (last.length === 0 && this.#count > 1) throw damaged('its last piece is empty');
    this.push(last);
  }

  async #begin(): Promise<void> {
    const start = Buffer.concat(this.#waiting);
    this.#waiting = [start];
    const last = start.indexOf('\n--- ');
    const end = last === -1 ? -1 : start.indexOf('\n', last + 1);
    if (end === -1 || start.length < end + 1 + nonceBytes) {
      if (!start.toString('latin1', 0, 22).startsWith('age-encryption.org/v1\n'.slice(0, start.length)))
        throw damaged('it does not begin as a file of age does');
      if (start.length > longestHeader + nonceBytes) throw damaged('its header has no end');
      return;
    }
    const fileKey = await unwrap(this.#take(end + 1), this.#identities);
    this.#key = streamKey(fileKey, this.#take(nonceBytes));
  }

  /** The next bytes of what waits. */
  #take(bytes: number): Buffer {
    const all = this.#waiting.length === 1 ? (this.#waiting[0] as Buffer) : Buffer.concat(this.#waiting);
    this.#waiting = [all.subarray(bytes)];
    this.#bytes -= bytes;
    return all.subarray(0, bytes);
  }

  #open(sealed: Buffer, isLast: boolean): Buffer {
    const nonce = pieceNonce(this.#count, isLast);
    this.#count += 1;
    if (sealed.length < tagBytes) throw damaged(`its end is missing`);
    const decipher = createDecipheriv(pieceCipher, this.#key as Buffer, nonce, { authTagLength: tagBytes });
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    const content = decipher.update(sealed.subarray(0, -tagBytes));
    try {
      decipher.final();
    } catch {
      throw damaged(
        isLast ? 'its end is missing or altered' : `it is altered at about byte ${this.#count * sealedPieceBytes}`,
      );
    }
    return content;
  }
}

async function unwrap(header: Buffer, identities: readonly Identity[]): Promise<Uint8Array> {
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    return await decrypter.decryptHeader(header);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('no identity matched')) {
      throw new Failure('decrypt-key-wrong', 'The private key does not belong to any recipient of this backup', {
        hint: 'Give the private key (AGE-SECRET-KEY-1…, or an SSH key) of one of the recipients that "encrypt-to" named when the backup was taken',
      });
    }
    throw damaged('its header is altered', error);
  }
}

function damaged(why: string, cause?: unknown): Failure {
  return new Failure('ciphertext-damaged', `The encrypted file cannot be decrypted: ${why}`, {
    hint: 'Compare its checksum: sha256sum --check. If it differs, use another copy of this backup, or another backup',
    cause,
  });
}
