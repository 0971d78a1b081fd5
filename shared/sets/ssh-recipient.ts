import { constants, createCipheriv, createPublicKey, generateKeyPairSync, publicEncrypt } from 'node:crypto';
import { ed25519WrappingKey, sshFields, sshTag, unpadded, wrappingLabel, x25519Point } from './ssh-wrapping.ts';

// The program age encrypts to SSH keys, but its library for JavaScript does not.

/** A key of a file, wrapped for one recipient: what stands in the header. */
export interface WrappedKey {
  args: string[];
  body: Uint8Array;
}

/** A public SSH key, as age's library wants recipients. */
export interface SshRecipient {
  wrapFileKey(fileKey: Uint8Array): WrappedKey[];
}

/** @param line a public key, `ssh-ed25519 …` or `ssh-rsa …`, as `recipientsIn` gives it */
export function sshRecipient(line: string): SshRecipient {
  const [type = '', base64 = ''] = line.split(' ');
  const wire = Buffer.from(base64, 'base64');
  const [, ...fields] = sshFields(wire) ?? [];
  const wrap = type === 'ssh-ed25519' ? forEd25519(wire, fields) : forRsa(wire, fields);
  return { wrapFileKey: (fileKey) => [wrap(fileKey)] };
}

type Wrap = (fileKey: Uint8Array) => WrappedKey;

function forEd25519(wire: Buffer, [point = Buffer.alloc(32)]: readonly Buffer[]): Wrap {
  const recipient = montgomeryOf(point);
  return (fileKey) => {
    const { privateKey } = generateKeyPairSync('x25519');
    const share = x25519Point(privateKey);
    const wrapping = ed25519WrappingKey(privateKey, { other: recipient, share, recipient, wire });
    const cipher = createCipheriv('chacha20-poly1305', wrapping, Buffer.alloc(12), { authTagLength: 16 });
    const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
    return { args: ['ssh-ed25519', sshTag(wire), unpadded(share)], body };
  };
}

function forRsa(wire: Buffer, [e = Buffer.alloc(0), n = Buffer.alloc(0)]: readonly Buffer[]): Wrap {
  const number = (field: Buffer) => field.subarray(field[0] === 0 ? 1 : 0).toString('base64url');
  const key = createPublicKey({ key: { kty: 'RSA', e: number(e), n: number(n) }, format: 'jwk' });
  const settings = { oaepHash: 'sha256', oaepLabel: Buffer.from(wrappingLabel['ssh-rsa']) };
  return (fileKey) => ({
    args: ['ssh-rsa', sshTag(wire)],
    body: publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, ...settings }, fileKey),
  });
}

const prime = 2n ** 255n - 19n;

/** The point in the form of X25519: u = (1 + y) / (1 − y). */
function montgomeryOf(point: Buffer): Buffer {
  const y = BigInt(`0x${Buffer.from(point).reverse().toString('hex')}`) & (2n ** 255n - 1n);
  const u = ((1n + y) * inverse((prime + 1n - (y % prime)) % prime)) % prime;
  return Buffer.from(u.toString(16).padStart(64, '0'), 'hex').reverse();
}

/** By Fermat: to the power of `prime - 2`. */
function inverse(number: bigint): bigint {
  let result = 1n;
  let square = number;
  for (let power = prime - 2n; power > 0n; power >>= 1n) {
    if ((power & 1n) === 1n) result = (result * square) % prime;
    square = (square * square) % prime;
  }
  return result;
}
