import { keyLines, problemOfAge } from './age-keys.ts';
import { type SshIdentity, sshIdentity } from './ssh-identity.ts';

/**
 * The private keys to decrypt with: a file as `age-keygen` writes it, or just its last line; or an SSH key as `ssh-keygen` does.
 * @throws RangeError with what continues a sentence about the input, and never quotes it
 */
export function identitiesIn(text: string): (string | SshIdentity)[] {
  const ssh: SshIdentity[] = [];
  const rest = text.replaceAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, (pem) => {
    ssh.push(sshIdentity(pem));
    return '';
  });
  if (rest.includes('PRIVATE KEY-----')) throw new RangeError('has an SSH key that is cut off: give all of its lines');
  const lines = keyLines(rest);
  for (const { line, number } of lines) {
    const problem = problemOfAge(line, 'AGE-SECRET-KEY-');
    if (problem !== null) throw new RangeError(`${problem} (line ${number})`);
  }
  if (lines.length + ssh.length === 0) throw new RangeError('has no key');
  return [...lines.map(({ line }) => line), ...ssh];
}
