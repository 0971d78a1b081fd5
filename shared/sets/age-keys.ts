import { sshFields } from './ssh-wrapping.ts';

// Keys of age as people write them: one a line, with comments.

/** Only the key of a Bech32 text matters here, but a slip in one letter must not pass: nobody could ever decrypt the backup. */
const letters = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
/** 32 bytes are 52 letters, and the checksum is six. */
const keyLetters = 58;

/**
 * The public keys to encrypt to, without comments: age's own (`age1…`) and SSH keys (`ssh-ed25519`, `ssh-rsa`).
 * @throws RangeError with what continues a sentence about the input
 */
export function recipientsIn(text: string): string[] {
  const lines = keyLines(text);
  for (const { line, number } of lines) {
    const problem = line.startsWith('age1') ? problemOfAge(line, 'age') : problemOfSsh(line);
    if (problem !== null) throw new RangeError(`${problem} (line ${number})`);
  }
  if (lines.length === 0) throw new RangeError('has no recipient');
  // What follows an SSH key is a comment, which often names a person.
  return [...new Set(lines.map(({ line }) => line.split(/\s+/).slice(0, 2).join(' ')))];
}

/** Those that are neither empty nor a comment. */
export function keyLines(text: string): { line: string; number: number }[] {
  return text
    .split(/\r\n|\n/)
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'));
}

/** null if it is a good one. */
export function problemOfAge(key: string, name: 'age' | 'AGE-SECRET-KEY-'): string | null {
  const isPublic = name === 'age';
  if (isPublic && /^age1[a-z0-9]+1/.test(key)) {
    return 'has a recipient that not every age knows: only keys of age itself (age1 and 58 letters) and of SSH are taken';
  }
  if (!key.startsWith(`${name}1`))
    return isPublic ? 'has a line that is not a key' : 'has a line that is not a private age key';
  const data = key.slice(name.length + 1);
  const values = [...data.toLowerCase()].map((letter) => letters.indexOf(letter));
  const isOneCase = data === (isPublic ? data.toLowerCase() : data.toUpperCase());
  if (!isOneCase || values.length !== keyLetters || values.includes(-1))
    return 'has a key that is cut off or misspelled';
  return checksum(name.toLowerCase(), values) === 1 ? null : 'has a key that is misspelled: its checksum is wrong';
}

/** As BIP 173 computes it; 1 if it is right. */
function checksum(name: string, values: readonly number[]): number {
  const codes = [...name].map((character) => character.charCodeAt(0));
  const all = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31), ...values];
  return all.reduce((sum, value) => {
    const mixed = ((sum & 0x1ffffff) << 5) ^ value;
    return generator.reduce((next, term, bit) => ((sum >>> (25 + bit)) & 1 ? next ^ term : next), mixed);
  }, 1);
}

/** Bytes of the modulus of the shortest RSA key that age takes, of 2048 bits. */
const shortestModulus = 256;

function problemOfSsh(line: string): string | null {
  if (line.startsWith('AGE-SECRET-KEY-')) return 'has a private key: give the public one, which begins with age1';
  const [type = '', base64 = ''] = line.split(/\s+/);
  if (type !== 'ssh-ed25519' && type !== 'ssh-rsa') {
    return /^(ssh-|ecdsa-|sk-)/.test(type)
      ? `has a key of the type ${type}, which age does not take: only ssh-ed25519 and ssh-rsa`
      : 'has a line that is not a key: give one public key per line, starting with age1, ssh-ed25519 or ssh-rsa';
  }
  const fields = /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? sshFields(Buffer.from(base64, 'base64')) : null;
  const [name, ...numbers] = fields ?? [];
  if (name?.toString('latin1') !== type) return 'has an SSH key that is cut off or misspelled';
  if (type === 'ssh-ed25519') {
    return numbers.length === 1 && numbers[0]?.length === 32 ? null : 'has an SSH key that is cut off or misspelled';
  }
  // A leading zero keeps the modulus positive.
  if (numbers.length !== 2) return 'has an SSH key that is cut off or misspelled';
  return (numbers[1]?.length ?? 0) > shortestModulus
    ? null
    : 'has an RSA key of less than 2048 bits, which age does not take';
}
