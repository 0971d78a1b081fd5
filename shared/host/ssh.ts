import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Failure } from '../failure.ts';
import { bootstrap, type Connection, connectionOver } from './connection.ts';
import type { Access, Explain } from './run-program.ts';
import { askpass, mendKey, sshConfig } from './ssh-config.ts';
import { explainSsh, type KeyDiagnosis } from './ssh-failures.ts';
import type { SshSettings } from './ssh-settings.ts';

/** What the connection needs from the runner. */
export interface SshSurroundings {
  /** A folder that only we can enter, with a path short enough for a socket. The caller removes it after the step. */
  folder: string;
  /** Tries the key in `keyFile` without contacting the host, to find out what is wrong with it. */
  diagnoseKey: (keyFile: string, environment: Record<string, string>) => Promise<KeyDiagnosis>;
  signal: AbortSignal;
}

/** Longer than ConnectTimeout in the configuration, because ssh's own timeout gives a better message. */
const longestConnecting = 40_000;

/**
 * Connects once; all programs run over that connection.
 * @throws Failure for what ssh reported: see ssh-failures.ts
 */
export async function connectBySsh(settings: SshSettings, surroundings: SshSurroundings): Promise<Connection> {
  const { folder, signal } = surroundings;
  const file = (name: string) => join(folder, name);
  writeFileSync(file('key'), mendKey(settings.key), { mode: 0o600 });
  writeFileSync(file('known_hosts'), `${settings.knownHosts.trim()}\n`, { mode: 0o600 });
  writeFileSync(file('config'), sshConfig(settings, folder, await clientVersion()), { mode: 0o600 });
  if (settings.passphrase !== null) {
    writeFileSync(file('passphrase'), `${settings.passphrase}\n`, { mode: 0o600 });
    writeFileSync(file('askpass'), askpass, { mode: 0o700 });
  }
  const environment = sshEnvironment(folder);
  const base = ['-F', file('config'), '-S', file('control')];
  const explain: Explain = (exit) =>
    explainSsh(settings, exit, () => surroundings.diagnoseKey(file('key'), environment));

  // Only at this level does ssh say that a key was accepted and is not enough. Nobody reads it unless the login fails.
  const master = spawn('ssh', [...base, '-o', 'LogLevel=VERBOSE', '-M', '-N', 'atlasia-host'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...environment },
  });
  await ready(master, file('control'), explain, signal);

  const access: Access = {
    start: () =>
      spawn('ssh', [...base, '-T', 'atlasia-host', bootstrap], {
        stdio: 'pipe',
        env: { ...process.env, ...environment },
      }),
    explain,
    isProgram: false,
  };
  return connectionOver(`${settings.user}@${settings.host}`, access, () => end(master));
}

/** What ssh says of itself; nothing if it is not installed, which shows when it is to connect. */
async function clientVersion(): Promise<string> {
  return promisify(execFile)('ssh', ['-V']).then(
    ({ stderr }) => stderr,
    () => '',
  );
}

/** Waits until the master has logged in: then its socket exists. */
async function ready(master: ChildProcess, socket: string, explain: Explain, signal: AbortSignal): Promise<void> {
  let stderr = '';
  let over: { code: number | null } | undefined;
  let missing: Error | undefined;
  master.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-20_000);
  });
  master.on('close', (code) => {
    over = { code };
  });
  master.on('error', (error) => {
    missing = error;
  });

  const giveUp = Date.now() + longestConnecting;
  while (!existsSync(socket)) {
    if (missing) throw noClient(missing);
    if (over) throw await explain({ code: over.code, begun: false, stderr });
    if (signal.aborted || Date.now() > giveUp) {
      await end(master);
      if (signal.aborted) throw new Failure('cancelled', 'Cancelled while connecting: nothing was done on the host');
      throw await explain({ code: 255, begun: false, stderr: `${stderr}\nConnection timed out` });
    }
    await sleep(5);
  }
}

async function end(master: ChildProcess): Promise<void> {
  if (master.exitCode !== null || master.signalCode !== null || master.pid === undefined) return;
  // Wait for 'exit', not 'close': an ssh to a jump host shares the pipes, and may hang.
  const ended = new Promise((resolve) => master.once('exit', resolve));
  master.kill('SIGTERM');
  const killing = setTimeout(() => master.kill('SIGKILL'), 1_000);
  await ended;
  clearTimeout(killing);
}

/** Keeps the runner's agent and terminal out of it. OpenSSH before 8.4 calls askpass only if DISPLAY is set. */
function sshEnvironment(folder: string): Record<string, string> {
  return { SSH_ASKPASS: join(folder, 'askpass'), SSH_ASKPASS_REQUIRE: 'force', DISPLAY: 'none:0', SSH_AUTH_SOCK: '' };
}

function noClient(cause: Error): Failure {
  return new Failure('no-ssh-client', 'ssh is not installed on the runner', {
    hint: 'Install it (apt-get install openssh-client), or use a runner that has it, such as ubuntu-latest',
    cause,
  });
}
