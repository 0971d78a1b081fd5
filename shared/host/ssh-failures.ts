import { createHash } from 'node:crypto';
import { Failure } from '../failure.ts';
import type { FailureCode } from '../failure-codes.ts';
import { failedJump } from './ssh-jump.ts';
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
  // Once a program has begun, stderr also has the output of programs on the host: do not match patterns against it.
  if (exit.begun) return connectionLost(placeOf(target), cause);
  const forwarding = notForwarded(target, cause);
  if (forwarding !== null) return forwarding;
  const jump = failedJump(target, cause);
  const at: Failed =
    jump === null
      ? { ...target, name: target.host, inputs: { host: 'host', port: 'port', user: 'user' } }
      : {
          ...target,
          ...jump,
          name: `The jump host ${jump.host}`,
          inputs: { host: 'proxy-jump', port: 'proxy-jump', user: 'proxy-jump' },
        };
  const where = placeOf(at);
  const begins = `${at.name} port ${at.port}`;
  const failure = (code: FailureCode, message: string, hint: string) => new Failure(code, message, { hint, cause });

  const algorithms = /no matching ([a-zA-Z ]+) found\. Their offer: ([^\s]+)/.exec(cause);
  if (algorithms !== null) return noAlgorithm(begins, algorithms, cause);
  if (/REVOKED HOST KEY DETECTED|marked as revoked/.test(cause)) {
    return failure(
      'host-key-changed',
      `"known-hosts" says of the key that ${where} presents that it is revoked (@revoked)`,
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
  return loginRefused(at, cause, diagnoseKey) ?? notReached(at, exit) ?? afterLogin(at, exit);
}

/** The host that failed: the target, or the jump host in front of it. */
interface Failed extends Target {
  /** At the beginning of a sentence. */
  name: string;
  /** The inputs that it is set by. */
  inputs: Record<'host' | 'port' | 'user', string>;
}

const placeOf = ({ host, port }: Target) => `${host} port ${port}`;

/** The jump host let us in, and no further; null if that is not so. */
function notForwarded(target: Target, cause: string): Failure | null {
  if (target.proxyJump === null) return null;
  const { host, user } = target.proxyJump;
  const login = user ?? target.user;
  if (/open failed: (administratively prohibited|unknown channel type)/.test(cause)) {
    return new Failure(
      'connection-refused',
      `The jump host ${host} does not let the user "${login}" connect on to ${placeOf(target)}`,
      {
        hint: `On the jump host, as root: sshd -T -C user=${login} | grep -iE "allowtcpforwarding|permitopen|disableforwarding". And look for restrict, no-port-forwarding and permitopen in ~${login}/.ssh/authorized_keys`,
        cause,
      },
    );
  }
  if (/open failed: connect failed: .*(not known|name resolution)/.test(cause)) {
    return new Failure('host-unknown', `The jump host ${host} cannot resolve the name ${target.host}`, {
      hint: 'Check the input "host": it is looked up on the jump host',
      cause,
    });
  }
  return null;
}

/** null if the login was not what failed. A banner of the host may say anything, so only whole lines of ssh count. */
function loginRefused(
  at: Failed,
  cause: string,
  diagnoseKey: () => Promise<KeyDiagnosis>,
): Failure | Promise<Failure> | null {
  const failure = (code: FailureCode, message: string, hint: string) => new Failure(code, message, { hint, cause });
  const partly =
    /^Authenticated using "publickey" with partial success.*^\S+@\S+: Permission denied \(([^)]+)\)/ms.exec(cause);
  if (partly !== null) {
    return failure(
      'key-not-enough',
      `${at.name} accepted the key of the user "${at.user}", and wants a second method as well: ${partly[1]}`,
      `No second method can be given here. On the host, let a key be enough for this user, in sshd_config: Match User ${at.user}, and below it: AuthenticationMethods publickey. Then: systemctl reload ssh`,
    );
  }
  if (/no mutual signature/.test(cause)) {
    return failure(
      'no-common-algorithm',
      `${at.name} port ${at.port} takes RSA keys only with signatures that ssh no longer makes (ssh-rsa)`,
      'Make another key, and add its public half to authorized_keys: ssh-keygen -t ed25519. Or update OpenSSH on the host: since 7.2 it has better signatures',
    );
  }
  if (/^(Received disconnect|Disconnected) from .*Too many authentication failures/m.test(cause)) {
    return failure(
      'key-refused',
      `${at.name} ended the login of the user "${at.user}" after too many failures, although only one key was offered`,
      'On the host, as root, see what it allows and why it refused: sshd -T | grep -iE "maxauthtries|pubkeyaccepted"; journalctl -u ssh -n 20',
    );
  }
  if (
    /^(\S+@\S+: )?Permission denied( \([^)\n]*\)\.?|, please try again\.)?$|^Load key |incorrect passphrase/m.test(
      cause,
    )
  )
    return diagnoseKey().then((key) => explainKey(at, cause, key));
  return null;
}

/** null if a connection was made. */
function notReached(at: Failed, { stderr: cause }: Exit): Failure | null {
  const failure = (code: FailureCode, message: string, hint: string) => new Failure(code, message, { hint, cause });
  const { name, port, inputs } = at;
  if (/jumphost loop/.test(cause)) {
    return failure(
      'jump-loop',
      'The input "proxy-jump" names the host itself',
      'Name the host in between, or leave "proxy-jump" out',
    );
  }
  if (/^ssh: Could not resolve hostname/m.test(cause)) {
    return failure('host-unknown', `The name ${at.host} cannot be resolved`, `Check the input "${inputs.host}"`);
  }
  const said =
    /^(?:ssh: connect to host .*|channel \d+: open failed: connect failed|(?=(?:Connection|Operation) timed out))(?::? ?)(Connection refused|Connection timed out|Operation timed out|No route to host|Network is unreachable)/m.exec(
      cause,
    )?.[1];
  if (said === undefined) return null;
  if (said === 'Connection refused') {
    return failure(
      'connection-refused',
      `${name} port ${port} refused the connection`,
      `Check the input "${inputs.port}", and on the host: systemctl status ssh`,
    );
  }
  if (said.endsWith('timed out')) {
    return failure(
      'connection-timed-out',
      `${name} port ${port} did not answer`,
      'Check that the host is up and that its firewall lets this runner in; the addresses of GitHub-hosted runners change',
    );
  }
  return failure(
    'host-unreachable',
    `${name} port ${port} cannot be reached`,
    'Check the network between runner and host',
  );
}

/** The connection was made, and ended. */
function afterLogin(at: Failed, { code, stderr: cause }: Exit): Failure {
  const failure = (failed: FailureCode, message: string, hint: string) => new Failure(failed, message, { hint, cause });
  if (code === 127 || /bash: (not found|command not found|No such file)/i.test(cause)) {
    return failure('no-bash', `bash was not found on ${at.host}`, 'On the host, as root: apt-get install bash');
  }
  if (code !== 255 || accountRefused.test(cause)) return shellRefused(at, code, cause);
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
      `${at.name} port ${at.port} closed the connection before the login${known}`,
      'sshd does so for MaxStartups, for PerSourcePenalties after failed logins, and where hosts.deny or a firewall refuses the address; so does a port that is not sshd. On the host: journalctl -u ssh -n 50',
    );
  }
  return connectionLost(placeOf(at), cause);
}

/** Lines of sshd and PAM; a banner with such words in a sentence is none. */
const accountRefused =
  /^((WARNING: )?Your (account|password) has expired[.;].*|Password change required but no TTY available\.?|.*[Uu]ser \S+ (is )?not permitted to log in.*)$/m;

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

function explainKey(target: Failed, cause: string, key: KeyDiagnosis): Failure {
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
  return new Failure('key-refused', `${target.name} refused the key for the user "${target.user}"`, {
    hint: `The key offered is ${key.fingerprint}. On the host, run: ssh-keygen -lf ~${target.user}/.ssh/authorized_keys. If it is not there, add the public key to that file; if it is, check the input "${target.inputs.user}", the permissions of ~${target.user}/.ssh, and as root which kinds of keys it takes: sshd -T | grep -i pubkeyaccepted`,
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
