import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Account, as, giveTo, hostAccount } from './account.ts';
import { asRoot, attempt, type CommandOptions, type Outcome, run } from './command.ts';
import { DatabaseServer } from './database.ts';
import { type FileFact, filesIn } from './files.ts';
import { alone, folder } from './folder.ts';
import { buildExtendedPostgres } from './images.ts';
import { type KeyPair, makeKey } from './keys.ts';
import type { Lab } from './lab.ts';
import { lives, processes, signature } from './processes.ts';
import { type SshServer, startSshServer } from './sshd.ts';

export interface HostOptions {
  /** Short, for people who look at what runs; it need not be unique. */
  name: string;
  /** The database's image: with all that the official one has; without zstd and bash; or version 17 with pg_cron beside it. */
  postgres?: 'standard' | 'lean' | 'extended';
  /** Whether the database gets one of everything; else it stays empty. */
  seed?: boolean;
  /** The last part of the deploy folder's path, for those that are hard to quote. */
  deployFolder?: string;
  /** Another compose file than the usual one, as YAML, and what its variables are set to. */
  project?: (name: string) => { compose: string; settings: Readonly<Record<string, string>> };
  /** Services that are started; all where it is left out. */
  startOnly?: readonly string[];
  /** Whether the deploy folder stays empty and nothing is started: the test brings its own project. */
  bare?: boolean;
  /** Added to the environment of everything that runs on the host, such as that of another compose. */
  environment?: Readonly<Record<string, string>>;
}

/** A program that the actions run on the host: as a session's process, or in a container. */
export interface HostProcess {
  where: 'host' | 'container';
  pid: number;
  command: string;
}

const composeFile = fileURLToPath(new URL('./host/docker-compose.yml', import.meta.url));

/** The variable by which every process of a session on the host is known, also when its parents are gone. */
const sessionMark = 'ATLASIA_LAB_HOST';

/** What runs in the database's container by itself, because Docker asks after its health, or because the lab looks. */
const ownOfDatabase =
  /^(\/sbin\/docker-init |(\S*\/)?postgres|\/bin\/sh -c .*\/dev\/shm\/well|sleep 4$|(\S*\/)?pg_isready |psql .* session=lab$|runc init$)|<defunct>$/;

/** Starts a production host to throw away: an SSH server, and a compose project with a database that is healthy. */
export async function startHost(lab: Lab, options: HostOptions): Promise<Host> {
  const env = { ...process.env, ...lab.engine.environment };
  await removeAbandonedHosts(env);
  const home = mkdtempSync(join(folder('hosts'), `${options.name}-`));
  writeFileSync(join(home, 'owner'), signature(process.pid));

  const account = await hostAccount();
  const key = await makeKey();
  const deployDir = join(home, options.deployFolder ?? 'app');
  if (options.bare === true) mkdirSync(deployDir);
  else writeProject(deployDir, basename(home), await settingsOf(lab, options), options);
  await run(['chmod', '0755', home]);
  await giveTo(account, deployDir);

  const environment = { ...lab.engine.environment, ...options.environment };
  const ssh = await startSshServer({
    folder: makeFolder(home, 'sshd'),
    account,
    authorized: [key],
    environment: { ...environment, [sessionMark]: basename(home) },
  });
  const host = new Host({ environment, home, account, deployDir, ssh, key });
  if (options.bare === true) return host;
  try {
    await host.composeUp(options.startOnly);
    if (options.seed ?? true) await host.database.seed();
    return host;
  } catch (error) {
    await host.stop();
    throw error;
  }
}

interface HostParts {
  environment: Readonly<Record<string, string>>;
  home: string;
  account: Account;
  deployDir: string;
  ssh: SshServer;
  key: KeyPair;
}

/** A running host of the lab. */
export class Host {
  readonly account: Account;
  /** Absolute; it belongs to the account. */
  readonly deployDir: string;
  readonly ssh: SshServer;
  /** What logs in. */
  readonly key: KeyPair;
  /** The compose project's name; it names the host as well. */
  readonly project: string;
  readonly database: DatabaseServer;
  /** The environment of those who use the host's engine from outside a session. */
  readonly env: NodeJS.ProcessEnv;
  readonly #home: string;
  readonly #engineEnvironment: Readonly<Record<string, string>>;
  #backupDirs = 0;

  constructor({ environment, home, account, deployDir, ssh, key }: HostParts) {
    this.account = account;
    this.deployDir = deployDir;
    this.ssh = ssh;
    this.key = key;
    this.project = projectName(basename(home));
    this.env = { ...process.env, ...environment };
    this.database = new DatabaseServer(() => this.container('db'), this.env, 'atlasia', 'atlasia');
    this.#home = home;
    this.#engineEnvironment = environment;
  }

  /** What a user writes into `with:` to reach this host, where there is no GitHub to keep copies of the history. */
  inputs(): Record<string, string> {
    return {
      host: '127.0.0.1',
      port: String(this.ssh.port),
      user: this.account.name,
      'ssh-key': this.key.privateKey,
      'known-hosts': this.ssh.knownHosts,
      'deploy-dir': this.deployDir,
      history: '',
    };
  }

  /** The same, for an action that runs on the host itself. */
  localInputs(): Record<string, string> {
    return { host: 'local', 'deploy-dir': this.deployDir, history: '' };
  }

  /** How a step runs on the host itself: as its account, with its engine, and seen by `processes`. */
  localStep(): { account: Account; env: Record<string, string> } {
    return { account: this.account, env: { ...this.#engineEnvironment, [sessionMark]: basename(this.#home) } };
  }

  /** A backup folder that no test has used: relative to the deploy folder, and not made yet. */
  newBackupDir(): string {
    this.#backupDirs += 1;
    return `backups-${this.#backupDirs}`;
  }

  /** Runs a command as the account, in the deploy folder, but in no session: `processes` does not show it. */
  async exec(command: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
    return attempt(as(this.account, command), { cwd: this.deployDir, env: this.#accountEnv(), ...options });
  }

  /** Runs SQL on the host's database, or on another one of its server. */
  async psql(statements: string, database?: string): Promise<string> {
    return this.database.psql(statements, database);
  }

  async composeUp(services: readonly string[] = []): Promise<void> {
    const wait = ['--detach', '--wait', '--wait-timeout', '60'];
    await this.#compose('up', ...wait, '--pull', 'never', '--quiet-pull', ...services);
  }

  /** Ends the project; its data go too. */
  async composeDown(): Promise<void> {
    await this.#compose('down', '--volumes', '--timeout', '1');
  }

  /** The id of a service's container, also where it does not run. */
  async container(service: string): Promise<string> {
    const [id, ...others] = await this.#containers(service);
    if (id === undefined || others.length > 0) throw new Error(`${this.project} has not one container of ${service}`);
    return id;
  }

  /** Runs docker on the host's engine. */
  async docker(...words: string[]): Promise<string> {
    return run(['docker', ...words], { env: this.env });
  }

  /** All files below the deploy folder, or below one in it. */
  files(within = '.'): FileFact[] {
    return filesIn(join(this.deployDir, within));
  }

  /** What the actions have running on the host: nothing, once a step is over and its sessions have ended. */
  async processes(): Promise<HostProcess[]> {
    return [...this.sessionProcesses(), ...(await this.#containerProcesses())];
  }

  /** Whether that is so. Docker, which takes much longer to answer, is asked only once nothing runs outside of it. */
  async isAtRest(): Promise<boolean> {
    return this.sessionProcesses().length === 0 && (await this.#containerProcesses()).length === 0;
  }

  /** Those of them that are in no container: quick to find, for who looks often. */
  sessionProcesses(): HostProcess[] {
    const mark = `${sessionMark}=${basename(this.#home)}`;
    return processes()
      .filter(({ environment }) => environment.includes(mark))
      .map(({ pid, command }) => ({ where: 'host', pid, command: command.join(' ') }));
  }

  /** Ends everything of this host; nothing of it stays. */
  async stop(): Promise<void> {
    await this.ssh.stop();
    await attempt(['kill', '-KILL', ...this.sessionProcesses().map(({ pid }) => String(pid))]);
    await removeHost(this.#home, this.env);
  }

  async #containerProcesses(): Promise<HostProcess[]> {
    const lists = (await this.#containers('db')).map((id) =>
      // A container that does not run has no processes, and docker then fails.
      attempt(['docker', 'top', id, '-eo', 'pid,args'], { env: this.env }),
    );
    return (await Promise.all(lists))
      .flatMap(({ stdout }) => stdout.split('\n').slice(1))
      .map((line) => /^ *(\d+) +(.*)$/.exec(line))
      .map((match) => ({ where: 'container' as const, pid: Number(match?.[1]), command: match?.[2] ?? '' }))
      .filter(({ command }) => command !== '' && !ownOfDatabase.test(command));
  }

  async #containers(service: string): Promise<string[]> {
    const project = ['--filter', `label=com.docker.compose.project=${this.project}`];
    const filters = [...project, '--filter', `label=com.docker.compose.service=${service}`];
    return (await this.docker('ps', '--all', '--quiet', '--no-trunc', ...filters)).split('\n').filter(Boolean);
  }

  async #compose(...words: string[]): Promise<void> {
    const outcome = await this.exec(['docker', 'compose', ...words]);
    if (outcome.code !== 0) throw new Error(`docker compose ${words[0]} failed:\n${outcome.stderr}`);
  }

  #accountEnv(): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'],
      HOME: this.account.home,
      USER: this.account.name,
      ...this.#engineEnvironment,
    };
  }
}

/** What the compose file of the lab leaves open. */
async function settingsOf(lab: Lab, { postgres }: HostOptions): Promise<Record<string, string>> {
  const { images, engine } = lab;
  const image = { standard: images.postgres, lean: images.leanPostgres, extended: null }[postgres ?? 'standard'];
  return { POSTGRES_IMAGE: image ?? (await buildExtendedPostgres(engine)), WEB_IMAGE: images.web };
}

function writeProject(
  deployDir: string,
  hostName: string,
  images: Readonly<Record<string, string>>,
  { project }: HostOptions,
): void {
  mkdirSync(deployDir);
  const own = project?.(projectName(hostName));
  writeFileSync(join(deployDir, 'docker-compose.yml'), own?.compose ?? readFileSync(composeFile));
  const settings = {
    COMPOSE_PROJECT_NAME: projectName(hostName),
    ...images,
    POSTGRES_PASSWORD: randomBytes(12).toString('hex'),
    ...own?.settings,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(deployDir, '.env'), lines.join(''), { mode: 0o600 });
}

/** Compose takes lower case only. */
function projectName(hostName: string): string {
  return hostName.toLowerCase();
}

function makeFolder(...names: string[]): string {
  const path = join(...names);
  mkdirSync(path);
  return path;
}

/** A test that was killed could not clean up; on an engine that is not the lab's own its containers still run. */
async function removeAbandonedHosts(env: NodeJS.ProcessEnv): Promise<void> {
  await alone('hosts', async () => {
    for (const name of readdirSync(folder('hosts'))) {
      const home = join(folder('hosts'), name);
      if (!ownerLives(home)) await removeHost(home, env);
    }
  });
}

function ownerLives(home: string): boolean {
  try {
    return lives(readFileSync(join(home, 'owner'), 'utf8'));
  } catch {
    // Another process has made the folder just now, and is about to sign it.
    return true;
  }
}

async function removeHost(home: string, env: NodeJS.ProcessEnv): Promise<void> {
  const project = ['--filter', `label=com.docker.compose.project=${projectName(basename(home))}`];
  const list = async (...words: string[]) =>
    (await run(['docker', ...words, ...project], { env })).split('\n').filter(Boolean);
  const containers = await list('ps', '--all', '--quiet');
  if (containers.length > 0) await run(['docker', 'rm', '--force', '--volumes', ...containers], { env });
  for (const network of await list('network', 'ls', '--quiet'))
    await run(['docker', 'network', 'rm', network], { env });
  for (const volume of await list('volume', 'ls', '--quiet')) await run(['docker', 'volume', 'rm', volume], { env });
  // Small disks of a test that was killed.
  for (const path of mountsBelow(home)) await run(asRoot(['umount', '--lazy', path]));
  rmSync(home, { recursive: true, force: true });
}

/** The innermost first. */
function mountsBelow(folder: string): string[] {
  const paths = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  return paths.filter((path) => path.startsWith(`${folder}/`)).reverse();
}
