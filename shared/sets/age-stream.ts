import { hkdfSync } from 'node:crypto';

// The content of a file of age, in pieces that are sealed one by one: https://age-encryption.org/v1. Node itself does it, which is
// several times as fast as age's own library.

export const nonceBytes = 16;
export const pieceBytes = 64 * 1024;
export const tagBytes = 16;
export const sealedPieceBytes = pieceBytes + tagBytes;
export const pieceCipher = 'chacha20-poly1305';

export const streamKey = (fileKey: Uint8Array, nonce: Uint8Array): Buffer =>
  Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32));

/** @param index from 0 */
export function pieceNonce(index: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 5, 6);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** Bytes of what is encrypted, without the header before it. */
export function sealedBytes(plain: number): number {
  return nonceBytes + plain + tagBytes * Math.max(1, Math.ceil(plain / pieceBytes));
}
