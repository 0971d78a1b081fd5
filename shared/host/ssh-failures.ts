import { Failure } from '../failure.ts';
import type { FailureCode } from '../failure-codes.ts';
import { quoteForShell } from '../shell-quote.ts';
import { explainHostKey } from './ssh-host-keys.ts';
import { failedJump } from './ssh-jump.ts';
import type { SshSettings } from './ssh-settings.ts';

/** What ssh-keygen says about a private key, without contacting the host. */
export type KeyDiagnosis =
  | { state: 'usable'; fingerprint: string; publicKey: string }
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
  const hostKey = explainHostKey(target, { begins: `${at.name} port ${at.port}`, where: placeOf(at) }, cause);
  if (hostKey !== null) return hostKey;
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
      `${at.name} accepted the key of the user "${at.user}", but also requires a second method: ${partly[1]}`,
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
  const reason =
    /^(?:ssh: connect to host .*|channel \d+: open failed: connect failed|(?=(?:Connection|Operation) timed out))(?::? ?)(Connection refused|Connection timed out|Operation timed out|No route to host|Network is unreachable)/m.exec(
      cause,
    )?.[1];
  if (reason === undefined) return null;
  if (reason === 'Connection refused') {
    return failure(
      'connection-refused',
      `${name} port ${port} refused the connection`,
      `Check the input "${inputs.port}", and on that machine, as root: systemctl status ssh`,
    );
  }
  if (reason.endsWith('timed out')) {
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
      'sshd does so for MaxStartups, for PerSourcePenalties after failed logins, and where hosts.deny or a firewall refuses the address; so does a port that is not sshd. On the host, as root: journalctl -u ssh -n 50',
    );
  }
  return connectionLost(placeOf(at), cause);
}

/** Lines of sshd and PAM; a banner with such words in a sentence is none. */
const accountRefused =
  /^((WARNING: )?Your (account|password) has expired[.;].*|Password change required but no TTY available\.?|.*[Uu]ser \S+ (is )?not permitted to log in.*)$/m;

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
  const gate = /^atlasia-gate: (.+)$/m.exec(cause)?.[1];
  if (gate !== undefined) {
    return new Failure('gate-refused', `The gate for this key on ${host} refused: ${gate}`, {
      hint: 'On the host, as root: give it the list of this release, programs.sha256, or correct its configuration: docs/security.md#a-gate-on-the-host',
      cause,
    });
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
    hint: 'Within 60 s, the host ends what was running and removes incomplete files. Run it again',
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
    hint: `The key offered is ${key.fingerprint}. On the host, as root: ssh-keygen -lf ~${target.user}/.ssh/authorized_keys. If it is there, check the input "${target.inputs.user}", the permissions of ~${target.user}/.ssh, and as root which kinds of keys it takes: sshd -T | grep -i pubkeyaccepted. If it is not there, add it. On the host, as root: install -d -m 0700 -o ${target.user} ~${target.user}/.ssh && echo ${quoteForShell(key.publicKey)} >>~${target.user}/.ssh/authorized_keys`,
    cause,
  });
}
