import { spawn } from 'node:child_process';
import { existsSync, openSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { asRoot, attempt, canBeRoot, run } from './command.ts';
import { composeEnvironment } from './compose.ts';
import type { Mend } from './faults.ts';
import { alone, folder, hold, labFolder } from './folder.ts';
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

/** An engine of one test file's own, so that it can be broken. */
export interface BreakableEngine extends Engine {
  /** As `systemctl restart docker` does: containers are stopped, and those come back whose restart policy says so. */
  restart(): Promise<void>;
  /** Leaves so many bytes of the disk with its data. */
  fillDisk(left: number): Promise<Mend>;
}

/** A private engine by its folder in the lab's. Each has addresses of its own, apart from what engines take by default. */
interface PrivateEngine {
  name: string;
  addresses: string;
  /** The size of the disk with its data, as mount has it; without one, they lie in the lab's folder. */
  disk?: string;
}

const common: PrivateEngine = { name: 'engine', addresses: '10.213.0.0/16' };
const breakable: PrivateEngine = { name: 'engine-to-break', addresses: '10.214.0.0/16', disk: '3g' };

const keeper = fileURLToPath(new URL('./engine/engine.sh', import.meta.url));
let uses = 0;

/** The engine that runs on this machine, else the lab's own, shared by all who use it at the time. */
export async function startEngine(): Promise<Engine> {
  await needPrograms({ docker: 'docker.io', flock: 'util-linux' });
  const running = await runningEngine();
  if (running !== undefined) return { ...(await withCompose(running)), started: false, stop: async () => {} };

  return joinPrivateEngine(common);
}

/** Starts an engine that this process may break; another that wants one waits until it is stopped. */
export async function startEngineToBreak(): Promise<BreakableEngine> {
  await needPrograms({ docker: 'docker.io', flock: 'util-linux' });
  const release = await hold(`${breakable.name}-user`);
  const engine = await joinPrivateEngine(breakable);
  const home = folder(breakable.name);
  const env = { ...process.env, ...engine.environment };
  return {
    ...engine,
    async stop() {
      await engine.stop();
      await release();
    },
    async restart() {
      const wish = join(home, 'restart');
      writeFileSync(wish, '');
      while (existsSync(wish)) await sleep(20);
    },
    async fillDisk(left) {
      const data = (await run(['docker', 'info', '--format', '{{.DockerRootDir}}'], { env })).trim();
      const { bavail, bsize } = statfsSync(data);
      const filler = join(data, 'filler');
      await run(asRoot(['fallocate', '--length', String(bavail * bsize - left), filler]));
      return async () => void (await run(asRoot(['rm', '-f', filler])));
    },
  };
}

async function joinPrivateEngine(which: PrivateEngine): Promise<Engine> {
  if (!(await canBeRoot())) {
    throw new Error('Start a Docker engine, then try again: none answers, and only root can start the lab’s own.');
  }
  await needPrograms({ dockerd: 'docker.io', iptables: 'iptables' });
  await mountControlGroups();
  const home = folder(which.name);
  const use = join(folder(which.name, 'users'), `${signature(process.pid)}-${uses++}`);
  const dockerHost = `unix://${home}/docker.sock`;

  await alone(which.name, async () => {
    writeFileSync(use, '');
    if (!(await answers(dockerHost)) || readyKeeper(home) === undefined) await startKeeper(which);
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
async function startKeeper({ name, addresses, disk = '' }: PrivateEngine): Promise<void> {
  const home = folder(name);
  rmSync(join(home, 'ready'), { force: true });
  const log = openSync(join(home, 'keeper.log'), 'w');
  const [program = '', ...programArguments] = asRoot([
    'bash',
    keeper,
    home,
    join(labFolder, 'locks', name),
    addresses,
    disk,
  ]);
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
