import { Failure } from '../failure.ts';
import type { FailureCode } from '../failure-codes.ts';
import type { SshSettings } from './ssh-settings.ts';

/** What ssh-keygen says about a private key, without contacting the host. */
export type KeyDiagnosis =
  | { state: 'usable'; fingerprint: string }
  | { state: 'wrong-passphrase' }
  | { state: 'unreadable'; detail: string };

type Target = Pick<SshSettings, 'host' | 'port' | 'user' | 'passphrase' | 'proxyJump'>;

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
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED/.test(cause)) {
    return failure(
      'host-key-changed',
      `The host key of ${where} does not match "known-hosts": either the host was set up anew, or another machine answers in its place`,
      `On the host itself, run: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub. Only if it shows the fingerprint of the new key, put the output of this command into "known-hosts": ${keyscan(target)}`,
    );
  }
  if (/No \S+ host key is known for|Host key verification failed/.test(cause)) {
    const asked = /host key is known for (\[?[^\s\]]+\]?(?::\d+)?)/.exec(cause)?.[1];
    return failure(
      'host-key-unknown',
      `The input "known-hosts" has no key for ${asked ?? where}`,
      `Run once, from a place you trust: ${keyscan(target)}. Compare it with what "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" prints on the host, then store the lines as "known-hosts"`,
    );
  }
  if (/Permission denied|Too many authentication failures|Load key|incorrect passphrase/.test(cause)) {
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
  if (exit.code !== 255) {
    return failure(
      'host-shell',
      `The login shell of ${target.user} on ${target.host} did not start our program (exit ${exit.code})`,
      `Run: ssh -p ${target.port} ${target.user}@${target.host} true. It must print nothing and exit with 0. If it does not, check the start files of that shell, and authorized_keys for a forced command`,
    );
  }
  return connectionLost(where, cause);
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
    hint: `The key offered is ${key.fingerprint}. On the host, run: ssh-keygen -lf ~${target.user}/.ssh/authorized_keys. If it is not there, add the public key to that file; if it is, check the input "user" and the permissions of ~${target.user}/.ssh`,
    cause,
  });
}

function keyscan({ host, port, proxyJump }: Target): string {
  const scan = (name: string, number: number | null) =>
    `ssh-keyscan${number === null || number === 22 ? '' : ` -p ${number}`} ${name}`;
  if (proxyJump === null) return scan(host, port);
  const login = proxyJump.user === null ? proxyJump.host : `${proxyJump.user}@${proxyJump.host}`;
  const through = `ssh${proxyJump.port === null ? '' : ` -p ${proxyJump.port}`} ${login}`;
  return `${scan(proxyJump.host, proxyJump.port)}; ${through} ${scan(host, port)}`;
}
