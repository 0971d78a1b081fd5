import {
  constants,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  privateDecrypt,
} from 'node:crypto';
import { ed25519WrappingKey, sshTag, wrappingLabel, x25519Key, x25519Point } from './ssh-wrapping.ts';

// age encrypts to SSH keys as well, but its library for JavaScript does not decrypt with them.

/** The key of a file, encrypted to one recipient, as it stands in the header. */
export interface SealedKey {
  args: readonly string[];
  body: Uint8Array;
}

/** A private SSH key, as age's library wants identities. */
export interface SshIdentity {
  /** null if none of these was encrypted to this key. @throws if one was, and is damaged */
  unwrapFileKey(sealed: readonly SealedKey[]): Uint8Array | null;
}

/**
 * Reads a private key as ssh-keygen writes it, between `-----BEGIN` and `-----END`.
 * @throws RangeError with what continues a sentence about the input, and never quotes it
 */
export function sshIdentity(pem: string): SshIdentity {
  const key = privateKeyOf(pem);
  const type = key.asymmetricKeyType === 'ed25519' ? 'ssh-ed25519' : 'ssh-rsa';
  const { x = '', n = '', e = '' } = createPublicKey(key).export({ format: 'jwk' }) as JsonWebKey;
  const wire = fields(Buffer.from(type), ...(type === 'ssh-ed25519' ? [bytesOf(x)] : [signed(e), signed(n)]));
  const tag = sshTag(wire);
  return {
    unwrapFileKey(sealed) {
      const own = sealed.find(({ args }) => args[0] === type && args[1] === tag);
      if (own === undefined) return null;
      return type === 'ssh-ed25519' ? openWithEd25519(key, wire, own) : openWithRsa(key, own);
    },
  };
}

function openWithRsa(key: KeyObject, { body }: SealedKey): Uint8Array {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return privateDecrypt({ key, padding, oaepHash: 'sha256', oaepLabel: Buffer.from(wrappingLabel['ssh-rsa']) }, body);
}

function openWithEd25519(key: KeyObject, wire: Buffer, { args, body }: SealedKey): Uint8Array {
  const seed = bytesOf(key.export({ format: 'jwk' }).d ?? '');
  const own = x25519Key(createHash('sha512').update(seed).digest().subarray(0, 32));
  const share = Buffer.from(args[2] ?? '', 'base64');
  const wrapping = ed25519WrappingKey(own, { other: share, share, recipient: x25519Point(own), wire });
  const decipher = createDecipheriv('chacha20-poly1305', wrapping, Buffer.alloc(12), { authTagLength: 16 });
  decipher.setAuthTag(body.subarray(-16));
  return Buffer.concat([decipher.update(body.subarray(0, -16)), decipher.final()]);
}

const unsupported = 'has an SSH key of a type that age does not take: only Ed25519 and RSA';

function privateKeyOf(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = pem.startsWith('-----BEGIN OPENSSH ')
      ? createPrivateKey({ key: openSshKey(pem), format: 'jwk' })
      : createPrivateKey(pem);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw (error as { code?: string }).code === 'ERR_MISSING_PASSPHRASE' ? withPassphrase() : damaged();
  }
  if (key.asymmetricKeyType !== 'ed25519' && key.asymmetricKeyType !== 'rsa') throw new RangeError(unsupported);
  return key;
}

const withPassphrase = () =>
  new RangeError('has an SSH key with a passphrase: give a copy without one (ssh-keygen -p -N "" -f COPY)');
const damaged = () => new RangeError('has an SSH key that is cut off or misspelled');

/** Reads OpenSSH's own format: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key */
function openSshKey(pem: string): JsonWebKey {
  const base64 = pem.replace(/-----(BEGIN|END) OPENSSH PRIVATE KEY-----/g, '').replaceAll(/\s/g, '');
  const file = Buffer.from(base64, 'base64');
  const magic = 'openssh-key-v1\0';
  if (file.toString('latin1', 0, magic.length) !== magic) throw damaged();
  const outer = new Fields(file.subarray(magic.length));
  if (outer.next().toString('latin1') !== 'none') throw withPassphrase();
  outer.next();
  outer.next();
  if (outer.number() !== 1) throw damaged();
  outer.next();
  const inner = new Fields(outer.next());
  // The same number twice, to see whether it was decrypted.
  const [one, other] = [inner.number(), inner.number()];
  if (one !== other) throw damaged();
  const type = inner.next().toString('latin1');
  if (type === 'ssh-ed25519') {
    const x = inner.next();
    const pair = inner.next();
    // The private half comes first. Node takes none of another length.
    return { kty: 'OKP', crv: 'Ed25519', x: x.toString('base64url'), d: pair.toString('base64url', 0, 32) };
  }
  if (type !== 'ssh-rsa') throw new RangeError(unsupported);
  const [n, e, d, qi, p, q] = [inner.next(), inner.next(), inner.next(), inner.next(), inner.next(), inner.next()];
  const [dp, dq] = [p, q].map((prime) => numberOf(d as Buffer) % (numberOf(prime as Buffer) - 1n));
  const numbers = { n, e, d, p, q, qi, dp: bytesFrom(dp ?? 0n), dq: bytesFrom(dq ?? 0n) };
  return {
    kty: 'RSA',
    ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, unsigned(value as Buffer)])),
  };
}

/** Fields of an SSH key, each after its length. */
class Fields {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  number(): number {
    if (this.#at + 4 > this.#bytes.length) throw damaged();
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  next(): Buffer {
    const length = this.number();
    if (this.#at + length > this.#bytes.length) throw damaged();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

function fields(...values: Buffer[]): Buffer {
  return Buffer.concat(
    values.flatMap((value) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(value.length);
      return [length, value];
    }),
  );
}

const bytesOf = (base64: string) => Buffer.from(base64, 'base64url');
const numberOf = (bytes: Buffer) => BigInt(`0x${bytes.toString('hex') || '0'}`);

function bytesFrom(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
}

/** SSH writes numbers with a sign, JWK without. */
const unsigned = (bytes: Buffer) => bytesFrom(numberOf(bytes)).toString('base64url');

function signed(base64: string): Buffer {
  const bytes = bytesOf(base64);
  return ((bytes[0] ?? 0) & 0x80) === 0 ? bytes : Buffer.concat([Buffer.alloc(1), bytes]);
}
