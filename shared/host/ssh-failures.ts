import { createHash } from 'node:crypto';
import { Failure } from '../failure.ts';
import type { FailureCode } from '../failure-codes.ts';
import type { SshSettings } from './ssh-settings.ts';

/** What ssh-keygen says about a private key, without contacting the host. */
export type KeyDiagnosis =
  | { state: 'usable'; fingerprint: string }
  | { state: 'wrong-passphrase' }
  | { state: 'unreadable'; detail: string };

type Target = Pick<SshSettings, 'host' | 'port' | 'user' | 'passphrase' | 'proxyJump' | 'knownHosts'>;

interface Exit {
  code: number | null;
  begun: boolean;
  stderr: string;
}

/** Finds the cause of ssh's exit 255 from the text on its stderr. Every failure says what to do. */
export async function explainSsh(
  target: Target,
  exit: Exit,
  diagnoseKey: () => Promise<KeyDiagnosis>,
): Promise<Failure> {
  const { stderr: cause } = exit;
  const where = `${target.host} port ${target.port}`;
  const failure = (code: FailureCode, message: string, hint: string) => new Failure(code, message, { hint, cause });

  // Once a program has begun, stderr also has the output of programs on the host: do not match patterns against it.
  if (exit.begun) return connectionLost(where, cause);
  const algorithms = /no matching ([a-zA-Z ]+) found\. Their offer: ([^\s]+)/.exec(cause);
  if (algorithms !== null) return noAlgorithm(where, algorithms, cause);
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED/.test(cause)) return hostKeyChanged(target, where, cause);
  if (/No \S+ host key is known for|Host key verification failed/.test(cause)) {
    const asked = /host key is known for (\[?[^\s\]]+\]?(?::\d+)?)/.exec(cause)?.[1];
    return failure(
      'host-key-unknown',
      `The input "known-hosts" has no key for ${asked ?? where}`,
      `Run the command below from a place you trust. On the host itself, ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub must print one of the same fingerprints; then store the lines of the file known_hosts as "known-hosts": ${keyscan(target)}`,
    );
  }
  const partly = /Authenticated using "publickey" with partial success.*Permission denied \(([^)]+)\)/s.exec(cause);
  if (partly !== null) {
    return failure(
      'key-not-enough',
      `${target.host} accepted the key of the user "${target.user}", and wants a second method as well: ${partly[1]}`,
      `No second method can be given here. On the host, let a key be enough for this user, in sshd_config: Match User ${target.user}, and below it: AuthenticationMethods publickey. Then: systemctl reload ssh`,
    );
  }
  if (/no mutual signature/.test(cause)) {
    return failure(
      'no-common-algorithm',
      `${where} takes RSA keys only with signatures that ssh no longer makes (ssh-rsa)`,
      'Make another key, and add its public half to authorized_keys: ssh-keygen -t ed25519. Or update OpenSSH on the host: since 7.2 it has better signatures',
    );
  }
  if (/Too many authentication failures/.test(cause)) {
    return failure(
      'key-refused',
      `${target.host} ended the login of the user "${target.user}" after too many failures, although only one key was offered`,
      'On the host, as root, see what it allows and why it refused: sshd -T | grep -iE "maxauthtries|pubkeyaccepted"; journalctl -u ssh -n 20',
    );
  }
  if (/Permission denied|Load key|incorrect passphrase/.test(cause)) {
    return explainKey(target, cause, await diagnoseKey());
  }
  if (/jumphost loop/.test(cause)) {
    return failure(
      'jump-loop',
      'The input "proxy-jump" names the host itself',
      'Name the host in between, or leave "proxy-jump" out',
    );
  }
  if (/Could not resolve hostname/.test(cause)) {
    return failure('host-unknown', `The name ${target.host} cannot be resolved`, 'Check the input "host"');
  }
  if (/Connection refused/.test(cause)) {
    return failure(
      'connection-refused',
      `${where} refused the connection`,
      'Check the input "port", and on the host: systemctl status ssh',
    );
  }
  if (/Connection timed out|Operation timed out/.test(cause)) {
    return failure(
      'connection-timed-out',
      `${where} did not answer`,
      'Check that the host is up and that its firewall lets this runner in; the addresses of GitHub-hosted runners change',
    );
  }
  if (/No route to host|Network is unreachable/.test(cause)) {
    return failure('host-unreachable', `${where} cannot be reached`, 'Check the network between runner and host');
  }
  if (exit.code === 127 || /bash: (not found|command not found|No such file)/i.test(cause)) {
    return failure('no-bash', `bash was not found on ${target.host}`, 'On the host, as root: apt-get install bash');
  }
  if (exit.code !== 255) return shellRefused(target, exit.code, cause);
  if (/account has expired|[Pp]assword has expired|[Pp]assword change required|not permitted to log in/.test(cause)) {
    return shellRefused(target, exit.code, cause);
  }
  if (
    /Exceeded MaxStartups|Not allowed at this time|kex_exchange_identification|banner exchange|ssh_exchange_identification/.test(
      cause,
    )
  ) {
    const known = /Exceeded MaxStartups/.test(cause)
      ? ': too many logins at once (MaxStartups)'
      : /Not allowed at this time/.test(cause)
        ? ': it refuses this address for a while (PerSourcePenalties)'
        : '';
    return failure(
      'connection-closed',
      `${where} closed the connection before the login${known}`,
      'sshd does so for MaxStartups, for PerSourcePenalties after failed logins, and where hosts.deny or a firewall refuses the address; so does a port that is not sshd. On the host: journalctl -u ssh -n 50',
    );
  }
  return connectionLost(where, cause);
}

function hostKeyChanged(target: Target, where: string, cause: string): Failure {
  const presented = /The fingerprint for the (\S+) key sent by the remote host is\s+(\S+?)\.?\s/.exec(`${cause}\n`);
  const expected = fingerprints(target.knownHosts);
  const shown = presented === null ? '' : `. It presented ${presented[2]} (${presented[1]})`;
  const stored = expected.length === 0 ? '' : `; "known-hosts" has ${expected.join(', ')}`;
  return new Failure(
    'host-key-changed',
    `The host key of ${where} does not match "known-hosts": either the host was set up anew, or another machine answers in its place${shown}${stored}`,
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

function noAlgorithm(where: string, [, kind, offer]: RegExpExecArray, cause: string): Failure {
  const hints: Record<string, string> = {
    'host key type': `ssh no longer takes host keys with these signatures. On the host, as root, make the usual keys and see which it uses: ssh-keygen -A; sshd -T | grep -iE "^hostkey". Take HostKey and HostKeyAlgorithms that allow only the old ones out of sshd_config, update OpenSSH if it is older than 7.2, and store the new lines as "known-hosts"`,
  };
  const name = kind ?? '';
  return new Failure(
    'no-common-algorithm',
    `${where} and ssh on this runner have no ${name} in common: it offers only ${offer}`,
    {
      hint:
        hints[name] ??
        'On the host, as root, see what is set, take what restricts it out of sshd_config, or update OpenSSH: sshd -T | grep -iE "^(kexalgorithms|ciphers|macs)"',
      cause,
    },
  );
}

/** The login succeeded, and then something else than our program answered. */
function shellRefused({ host, port, user }: Target, code: number | null, cause: string): Failure {
  const failure = (message: string, hint: string) => new Failure('host-shell', message, { hint, cause });
  if (/[Pp]assword has expired|[Pp]assword change required/.test(cause)) {
    return failure(
      `The password of ${user} on ${host} has expired, so sshd starts nothing for that user`,
      `On the host, as root: chage -l ${user}. To let it never expire: chage -M -1 ${user}`,
    );
  }
  if (/account has expired|not permitted to log in/.test(cause)) {
    return failure(
      `${host} does not let the user ${user} log in now: see what it said`,
      `On the host, as root: chage -l ${user}; ls /etc/nologin /run/nologin`,
    );
  }
  if (/account is (currently )?not available/.test(cause)) {
    return failure(
      `The user ${user} on ${host} has no login shell (nologin)`,
      `On the host, as root: chsh -s /bin/bash ${user}`,
    );
  }
  if (/allows sftp connections only/.test(cause)) {
    return failure(
      `The user ${user} on ${host} may only use sftp (ForceCommand internal-sftp)`,
      `On the host, as root: sshd -T -C user=${user} | grep -i forcecommand. Take it out of sshd_config for this user`,
    );
  }
  return failure(
    `The login shell of ${user} on ${host} did not start our program (exit ${code})`,
    `Run: ssh -p ${port} ${user}@${host} true. It must print nothing and exit with 0. If it does not, check the start files of that shell, and authorized_keys and sshd_config for a forced command`,
  );
}

function connectionLost(where: string, cause: string): Failure {
  return new Failure('connection-lost', `The connection to ${where} was lost`, {
    hint: 'The host ends on its own whatever was running, within 60 s, and removes incomplete files. Run it again',
    cause,
  });
}

function explainKey(target: Target, cause: string, key: KeyDiagnosis): Failure {
  if (key.state === 'wrong-passphrase' && target.passphrase === null) {
    return new Failure('passphrase-missing', 'The private key needs a passphrase, but none was given', {
      hint: 'Store it as a secret and pass it as "ssh-key-passphrase"',
      cause,
    });
  }
  if (key.state === 'wrong-passphrase') {
    return new Failure('passphrase-wrong', 'The passphrase does not open the private key', {
      hint: 'Check the input "ssh-key-passphrase" against the key in "ssh-key"',
      cause,
    });
  }
  if (key.state === 'unreadable') {
    return new Failure('key-unreadable', 'The input "ssh-key" is not a private key that ssh can read', {
      hint: 'Store the whole file as the secret, from "-----BEGIN" to "-----END … PRIVATE KEY-----", with its line breaks',
      cause: key.detail,
    });
  }
  return new Failure('key-refused', `${target.host} refused the key for the user "${target.user}"`, {
    hint: `The key offered is ${key.fingerprint}. On the host, run: ssh-keygen -lf ~${target.user}/.ssh/authorized_keys. If it is not there, add the public key to that file; if it is, check the input "user", the permissions of ~${target.user}/.ssh, and as root which kinds of keys it takes: sshd -T | grep -i pubkeyaccepted`,
    cause,
  });
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
