import { createHash } from 'node:crypto';
import { Failure } from '../failure.ts';
import type { FailureCode } from '../failure-codes.ts';
import type { SshSettings } from './ssh-settings.ts';

type Target = Pick<SshSettings, 'host' | 'port' | 'user' | 'proxyJump' | 'knownHosts'>;

/**
 * Why ssh does not believe a host, or has no algorithm in common with it; null if that is not what failed.
 * @param place the host that failed: as a sentence begins with it, and within one
 */
export function explainHostKey(
  target: Target,
  { begins, where }: Record<'begins' | 'where', string>,
  cause: string,
): Failure | null {
  const failure = (code: FailureCode, message: string, hint: string) => new Failure(code, message, { hint, cause });

  const algorithms = /no matching ([a-zA-Z ]+) found\. Their offer: ([^\s]+)/.exec(cause);
  if (algorithms !== null) return noAlgorithm(begins, algorithms, cause);
  if (/REVOKED HOST KEY DETECTED|marked as revoked/.test(cause)) {
    return failure(
      'host-key-changed',
      `"known-hosts" marks the key that ${where} presents as revoked (@revoked)`,
      'Somebody has taken this key out of use: find out why. Either make a new host key on the host, and store it as "known-hosts", or take the line with @revoked out',
    );
  }
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED/.test(cause)) return hostKeyChanged(target, where, cause);
  if (/No \S+ host key is known for|Host key verification failed/.test(cause)) {
    const asked = /host key is known for (\[?[^\s\]]+\]?(?::\d+)?)/.exec(cause)?.[1];
    return failure(
      'host-key-unknown',
      `The input "known-hosts" has no key for ${asked ?? where}`,
      `Run the command below from a place you trust. On the host itself, ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub must print one of the same fingerprints; then store the lines of the file known_hosts as "known-hosts": ${keyscan(target)}`,
    );
  }
  return null;
}

function hostKeyChanged(target: Target, where: string, cause: string): Failure {
  const presented = /The fingerprint for the (\S+) key sent by the remote host is\s+(\S+?)\.?\s/.exec(`${cause}\n`);
  const expected = fingerprints(target.knownHosts);
  const shown = presented === null ? '' : `. It presented ${presented[2]} (${presented[1]})`;
  const stored = expected.length === 0 ? '' : `; "known-hosts" has ${expected.join(', ')}`;
  return new Failure(
    'host-key-changed',
    `The host key of ${where} does not match "known-hosts": either the host was set up again, or another machine answers in its place${shown}${stored}`,
    {
      hint: `On the host itself, run: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub. Only if it shows the fingerprint of the new key, store the lines of the file that this makes as "known-hosts": ${keyscan(target)}`,
      cause,
    },
  );
}

/** Fingerprints of the keys in lines of known_hosts, at most five; names in front of them may be hashed. */
function fingerprints(knownHosts: string): string[] {
  const keys = Array.from(knownHosts.matchAll(/^\s*(?!#)(?:@\S+\s+)?\S+\s+([a-z0-9@.-]+)\s+([A-Za-z0-9+/]{40,}=*)/gm));
  return keys.slice(0, 5).map(([, type, key = '']) => {
    const hash = createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '');
    return `SHA256:${hash} (${type})`;
  });
}

function noAlgorithm(begins: string, [, kind, offer]: RegExpExecArray, cause: string): Failure {
  const hints: Record<string, string> = {
    'host key type': `ssh no longer takes host keys with these signatures. On the host, as root, make the usual keys and see which it uses: ssh-keygen -A; sshd -T | grep -iE "^hostkey". Take HostKey and HostKeyAlgorithms that allow only the old ones out of sshd_config, update OpenSSH if it is older than 7.2, and store the new lines as "known-hosts"`,
  };
  const name = kind ?? '';
  return new Failure(
    'no-common-algorithm',
    `${begins} and ssh on this runner have no ${name} in common: it offers only ${offer}`,
    {
      hint:
        hints[name] ??
        'On the host, as root, see what is set, take what restricts it out of sshd_config, or update OpenSSH: sshd -T | grep -iE "^(kexalgorithms|ciphers|macs)"',
      cause,
    },
  );
}

/** A command that writes known_hosts and shows its fingerprints. */
function keyscan({ host, port, proxyJump }: Target): string {
  const scan = (name: string, number: number | null) =>
    `ssh-keyscan${number === null || number === 22 ? '' : ` -p ${number}`} ${name}`;
  const look = 'ssh-keygen -lf known_hosts';
  if (proxyJump === null) return `${scan(host, port)} > known_hosts; ${look}`;
  const login = proxyJump.user === null ? proxyJump.host : `${proxyJump.user}@${proxyJump.host}`;
  const through = `ssh${proxyJump.port === null ? '' : ` -p ${proxyJump.port}`} ${login}`;
  return `(${scan(proxyJump.host, proxyJump.port)}; ${through} ${scan(host, port)}) > known_hosts; ${look}`;
}
