import { isAbsolute, join } from 'node:path';
import { InputError } from '../failure.ts';
import type { SshSettings } from '../host/ssh-settings.ts';
import * as grammar from '../runner/grammar.ts';
import type { InputReader } from '../runner/input-reader.ts';

/** The inputs that all three actions share: which host, which project on it, how long to wait. */
export interface HostInputs {
  /** null: the runner itself is the host. */
  ssh: SshSettings | null;
  environment: string;
  /** Absolute. */
  deployDir: string;
  /** Absolute. */
  backupDir: string;
  /** Relative to `deployDir`; empty: those that the containers were created from, or those that compose finds. */
  composeFiles: string[];
  /** As given to compose; null for its default, `.env`. */
  envFile: string | null;
  projectName: string | null;
  databaseService: string | null;
  databaseName: string | null;
  databaseUser: string | null;
  /** Milliseconds. */
  lockWait: number;
  /** Milliseconds. */
  timeout: number;
}

/** Reads them from the workflow. Call it within `readInputs`. */
export function readHostInputs(input: InputReader): HostInputs {
  const deployDir = input.withDefault('deploy-dir', grammar.absolutePath, '/opt/atlasia');
  const backupDir = input.withDefault('backup-dir', grammar.anyPath, 'backups');
  return {
    ssh: readSsh(input),
    environment: input.withDefault('environment', grammar.environmentName, 'prod'),
    deployDir,
    backupDir: inFolder(deployDir, backupDir),
    composeFiles: input.withDefault('compose-file', grammar.lines(grammar.relativePath), []),
    envFile: input.optional('env-file', grammar.anyPath),
    projectName: input.optional('project-name', grammar.projectName),
    databaseService: input.optional('db-service', grammar.serviceName),
    databaseName: input.optional('db-name', grammar.text),
    databaseUser: input.optional('db-user', grammar.text),
    lockWait: input.withDefault('lock-wait', grammar.duration, 5 * 60_000),
    timeout: input.withDefault('timeout', grammar.duration, 2 * 3_600_000),
  };
}

/** Makes a path from an input absolute; a relative one is below the deploy folder. Passes on the gap that a bad input left. */
export function inFolder(folder: string, path: string): string {
  if (path === undefined || folder === undefined) return path;
  return (isAbsolute(path) ? path : join(folder, path)).replace(/(.)\/+$/, '$1');
}

function readSsh(input: InputReader): HostInputs['ssh'] {
  const host = input.required('host', grammar.hostName, 'Give the name or address of the host, or "local"');
  // Read even if unused: reading masks a secret and removes it from the environment of child processes.
  const passphrase = input.secret('ssh-key-passphrase');
  const key = input.secret('ssh-key');
  if (host === 'local') return null;
  const port = input.withDefault('port', grammar.port, 22);
  // If one of the two was invalid, the operator has to fill it in.
  const keyscan = `ssh-keyscan${port === 22 ? '' : ` -p ${port ?? 'PORT'}`} ${host ?? 'HOST'}`;
  return {
    host,
    port,
    user: input.withDefault('user', grammar.userName, 'deploy'),
    key: input.rule(() => checkKey(key)),
    passphrase,
    knownHosts: input.required(
      'known-hosts',
      grammar.text,
      `Run the command below from a place you trust. On the host itself, ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub must print one of the same fingerprints; then store the lines of the file known_hosts: ${keyscan} > known_hosts; ssh-keygen -lf known_hosts`,
    ),
    proxyJump: input.optional('proxy-jump', grammar.jumpHost),
  };
}

function checkKey(key: string | null): string {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's expression, not ours
  const hint = 'Store the whole private key file as a secret, and pass it: ssh-key: ${{ secrets.SSH_KEY }}';
  if (key === null) {
    const empty =
      'If the secret belongs to an environment, the job must name it: environment: prod. A run from a fork gets no secrets';
    throw new InputError('ssh-key', 'is required and was not given', `${hint}. ${empty}`);
  }
  if (/^\s*(ssh-|ecdsa-|sk-)/.test(key))
    throw new InputError('ssh-key', 'contains a public key, not a private one', hint);
  if (!key.includes('PRIVATE KEY-----')) throw new InputError('ssh-key', 'does not contain a private key', hint);
  return key;
}
