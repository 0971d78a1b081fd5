import {
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';

// How age wraps the key of a file for an SSH key, as both sides compute it:
// https://github.com/FiloSottile/age/tree/main/agessh

export type SshKeyType = 'ssh-ed25519' | 'ssh-rsa';

/** What age's header says of a key beside its name. */
export const wrappingLabel: Readonly<Record<SshKeyType, string>> = {
  'ssh-ed25519': 'age-encryption.org/v1/ssh-ed25519',
  'ssh-rsa': 'age-encryption.org/v1/ssh-rsa',
};

/** Tells a key in a header from others. @param wire the public key as SSH writes it */
export function sshTag(wire: Buffer): string {
  return unpadded(createHash('sha256').update(wire).digest().subarray(0, 4));
}

/** The private key of X25519 with these 32 bytes. */
export const x25519Key = (scalar: Buffer): KeyObject =>
  createPrivateKey({ key: Buffer.concat([x25519Header, scalar]), format: 'der', type: 'pkcs8' });

/** What stands before the 32 bytes of such a key in PKCS #8. */
const x25519Header = Buffer.from('302e020100300506032b656e04220420', 'hex');

export const x25519Point = (privateKey: KeyObject): Buffer =>
  Buffer.from((createPublicKey(privateKey).export({ format: 'jwk' }) as JsonWebKey).x ?? '', 'base64url');

function multiply(privateKey: KeyObject, point: Buffer): Buffer {
  const jwk = { kty: 'OKP', crv: 'X25519', x: point.toString('base64url') };
  return diffieHellman({ privateKey, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) });
}

/**
 * The key that wraps a file's key for an Ed25519 key, which is used for X25519, on the same curve in another form.
 * @param own one side's private key
 * @param other the other side's point
 * @param share the point that stands in the header
 * @param recipient the point of the key that it is encrypted to
 * @param wire that key as SSH writes it
 */
export function ed25519WrappingKey(
  own: KeyObject,
  { other, share, recipient, wire }: { other: Buffer; share: Buffer; recipient: Buffer; wire: Buffer },
): Buffer {
  const info = wrappingLabel['ssh-ed25519'];
  const tweak = x25519Key(Buffer.from(hkdfSync('sha256', Buffer.alloc(0), wire, info, 32)));
  const shared = multiply(tweak, multiply(own, other));
  return Buffer.from(hkdfSync('sha256', shared, Buffer.concat([share, recipient]), info, 32));
}

/** Base64 as age's header has it. */
export const unpadded = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');

/** The fields of an SSH key, each after its length; null if it does not end where the last one does. */
export function sshFields(key: Buffer): Buffer[] | null {
  const fields: Buffer[] = [];
  for (let at = 0; at < key.length; ) {
    if (at + 4 > key.length) return null;
    const end = at + 4 + key.readUInt32BE(at);
    if (end > key.length) return null;
    fields.push(key.subarray(at + 4, end));
    at = end;
  }
  return fields;
}
