import { spawn } from 'node:child_process';
import { openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { asRoot, attempt, canBeRoot, run } from './command.ts';
import { composeEnvironment } from './compose.ts';
import { alone, folder, labFolder } from './folder.ts';
import { needPrograms } from './packages.ts';
import { lives, signature } from './processes.ts';

/** A Docker engine with `docker compose`, in use by this process until `stop`. */
export interface Engine {
  dockerHost: string;
  /** What a process needs to reach the engine and to find compose: DOCKER_HOST, and DOCKER_CONFIG where it matters. */
  environment: Readonly<Record<string, string>>;
  /** Whether it is the lab's own, which ends with its last user. */
  started: boolean;
  stop(): Promise<void>;
}

const keeper = fileURLToPath(new URL('./engine/engine.sh', import.meta.url));
let uses = 0;

/** The engine that runs on this machine, else the lab's own, shared by all who use it at the time. */
export async function startEngine(): Promise<Engine> {
  await needPrograms({ docker: 'docker.io', flock: 'util-linux' });
  const running = await runningEngine();
  if (running !== undefined) return { ...(await withCompose(running)), started: false, stop: async () => {} };

  if (!(await canBeRoot())) {
    throw new Error('Start a Docker engine, then try again: none answers, and only root can start the lab’s own.');
  }
  await needPrograms({ dockerd: 'docker.io', iptables: 'iptables' });
  await mountControlGroups();
  return joinPrivateEngine();
}

async function joinPrivateEngine(): Promise<Engine> {
  const home = folder('engine');
  const use = join(folder('engine', 'users'), `${signature(process.pid)}-${uses++}`);
  const dockerHost = `unix://${home}/docker.sock`;

  await alone('engine', async () => {
    writeFileSync(use, '');
    if (!(await answers(dockerHost)) || readyKeeper(home) === undefined) await startKeeper(home);
  });
  return { ...(await withCompose(dockerHost)), started: true, stop: () => leave(home, use) };
}

/** systemd does this at boot; a machine without it may have nothing there, and then no container starts. */
async function mountControlGroups(): Promise<void> {
  if (readdirSync('/sys/fs/cgroup').length > 0) return;
  await needPrograms({ 'cgroupfs-mount': 'cgroupfs-mount' });
  await run(asRoot(['cgroupfs-mount']));
}

/** The keeper is no child of ours: the engine outlives this process where another one still uses it. */
async function startKeeper(home: string): Promise<void> {
  rmSync(join(home, 'ready'), { force: true });
  const log = openSync(join(home, 'keeper.log'), 'w');
  const [program = '', ...programArguments] = asRoot(['bash', keeper, home, join(labFolder, 'locks', 'engine')]);
  const child = spawn(program, programArguments, { detached: true, stdio: ['ignore', log, log] });
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  child.unref();

  while (readyKeeper(home) === undefined) {
    if (ended) throw new Error(`The lab’s Docker engine did not start:\n${tail(join(home, 'dockerd.log'))}`);
    await sleep(20);
  }
}

async function leave(home: string, use: string): Promise<void> {
  rmSync(use, { force: true });
  const others = readdirSync(join(home, 'users')).some((other) => lives(other));
  while (!others && readyKeeper(home) !== undefined) await sleep(50);
}

/** The keeper's pid, while it lives. */
function readyKeeper(home: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(home, 'ready'), 'utf8'));
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(home) ? pid : undefined;
  } catch {
    return undefined;
  }
}

async function runningEngine(): Promise<string | undefined> {
  const named = process.env['DOCKER_HOST'];
  const dockerHost =
    named ?? (await attempt(['docker', 'context', 'inspect', '--format', '{{.Endpoints.docker.Host}}'])).stdout.trim();
  return dockerHost !== '' && (await answers(dockerHost)) ? dockerHost : undefined;
}

async function answers(dockerHost: string): Promise<boolean> {
  const env = { ...process.env, DOCKER_HOST: dockerHost };
  return (await attempt(['docker', 'version'], { env, timeoutMs: 10_000 })).code === 0;
}

async function withCompose(dockerHost: string): Promise<Pick<Engine, 'dockerHost' | 'environment'>> {
  return { dockerHost, environment: { DOCKER_HOST: dockerHost, ...(await composeEnvironment()) } };
}

function tail(file: string): string {
  return readFileSync(file, 'utf8').split('\n').slice(-8).join('\n');
}
