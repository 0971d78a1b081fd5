import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';
import { temporaryFolder } from './folder.ts';
import { needPrograms } from './packages.ts';

/** An SSH key pair, as text. */
export interface KeyPair {
  /** As a secret holds it: OpenSSH's own format, with its last newline. */
  privateKey: string;
  /** One line: type, key, comment. */
  publicKey: string;
}

export interface KeyOptions {
  type?: 'ed25519' | 'rsa' | 'ecdsa';
  passphrase?: string;
  comment?: string;
}

/** Makes a key pair that nobody has used before. */
export async function makeKey({
  type = 'ed25519',
  passphrase = '',
  comment = 'lab',
}: KeyOptions = {}): Promise<KeyPair> {
  await needPrograms({ 'ssh-keygen': 'openssh-client' });
  const file = join(temporaryFolder('key'), 'key');
  await run(['ssh-keygen', '-q', '-t', type, '-N', passphrase, '-C', comment, '-f', file]);
  return { privateKey: readFileSync(file, 'utf8'), publicKey: readFileSync(`${file}.pub`, 'utf8').trim() };
}
