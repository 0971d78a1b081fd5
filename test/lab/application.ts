import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { attempt, run } from './command.ts';
import { patienceMs } from './faults.ts';
import { type Host, startHost } from './host.ts';
import { type AppVersion, buildApp, buildProxy } from './images.ts';
import type { Lab } from './lab.ts';
import { freePort } from './port.ts';
import type { Registry } from './registry.ts';

export interface ApplicationOptions {
  /** Short, for people who look at what runs. */
  name: string;
  /** How the compose file names its images: `latest`, literally, or by `${TAG}` of the env file. */
  tags?: 'latest' | 'env';
  /** Fixed names of containers and ports of the host, as most have them; else neither. */
  fixed?: boolean;
  /** Whether nginx leads to it, from a port of the host; only where nothing is fixed. */
  proxy?: boolean;
  /** Compose's, for backend and dashboard. */
  healthInterval?: string;
  /** Merged into the services of the compose file; further ones are added to them, and started by the test. */
  services?: Readonly<Record<string, object>>;
}

/** A container of a service, as Docker has it. */
export interface RunningService {
  id: string;
  name: string;
  image: string;
  imageId: string;
  state: string;
  health: string;
  restart: string;
}

export const appServices = ['backend', 'dashboard'] as const;
export type AppService = (typeof appServices)[number];

/** A host whose application comes from a registry, by deployments as people's scripts do them. */
export interface Application {
  host: Host;
  registry: Registry;
  /** Ports of the host, where they are fixed. */
  ports: Readonly<Record<AppService, number>>;
  /** Where users reach a service: through nginx where it is there, else on its port. */
  url(service: AppService): string;
  /** What a user writes into `with:` of a rollback. */
  inputs(): Record<string, string>;
  /** Builds a version of both services and puts it into the registry. */
  publish(app: AppVersion): Promise<void>;
  /** What a deployment does: pulls a version, and lets compose have it. Compose waits for the backend; whether that became well does not matter. */
  deploy(version: string, services?: readonly AppService[]): Promise<void>;
  /** Takes a version from the host, so that it must be pulled. */
  forget(version: string): Promise<void>;
  /** Every container of the services, running or not. */
  containers(service: AppService): Promise<RunningService[]>;
  /** The version that answers, or nothing. */
  versionOf(service: AppService): Promise<string>;
  /** Waits until both answer with this version and are healthy. */
  serves(version: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a host with a database, a backend, and a dashboard that depends on the backend; nothing is deployed yet. */
export async function startApplication(
  lab: Lab,
  registry: Registry,
  options: ApplicationOptions,
): Promise<Application> {
  const ports = { backend: await freePort(), dashboard: await freePort() };
  const proxy = options.proxy ? { image: await buildProxy(lab.engine), port: await freePort() } : null;
  const design: Design = { lab, registry, ports, proxy, options };
  const host = await startHost(lab, {
    name: options.name,
    project: (project) => ({
      compose: stringify(composeFile(project, design)),
      settings: { TAG: 'none' },
    }),
    startOnly: ['db', ...(proxy === null ? [] : ['proxy'])],
  });
  return applicationOn(host, design);
}

/** Gives a local image these names, and pushes it to the registry under each. */
export async function push(
  registry: Registry,
  env: NodeJS.ProcessEnv,
  local: string,
  names: readonly string[],
): Promise<void> {
  // In a folder of its own: the host is not to be logged in.
  const own = { ...env, DOCKER_CONFIG: mkdtempSync(join(tmpdir(), 'push-')) };
  const login = ['login', '--username', registry.username, '--password-stdin', registry.address];
  await run(['docker', ...login], { env: own, input: registry.password });
  const pushed = names.map(async (name) => {
    await run(['docker', 'tag', local, name], { env: own });
    await pushOnce(registry, own, name).catch(() => pushOnce(registry, own, name));
  });
  await Promise.all(pushed);
  rmSync(own.DOCKER_CONFIG, { recursive: true });
}

/** Once in some thousand pushes, this registry has answered 500 with no cause that could be found: the second time it takes the image. */
async function pushOnce(registry: Registry, env: NodeJS.ProcessEnv, name: string): Promise<void> {
  const { code, stderr } = await attempt(['docker', 'push', '--quiet', name], { env });
  if (code === 0) return;
  console.log(`${name} could not be pushed: ${stderr}\nThe registry says: ${registry.lastWords()}`);
  throw new Error(`${name} could not be pushed: ${stderr}`);
}

/** nginx, and its port of the host. */
interface Proxy {
  image: string;
  port: number;
}

/** What the application is made of. */
interface Design {
  lab: Lab;
  registry: Registry;
  ports: Readonly<Record<AppService, number>>;
  /** null: users reach the services on their ports. */
  proxy: Proxy | null;
  options: ApplicationOptions;
}

function applicationOn(host: Host, { lab, registry, ports, proxy, options }: Design): Application {
  const { tags = 'latest', fixed = true } = options;
  const env = host.env;
  const docker = (...words: string[]) => run(['docker', ...words], { env });
  const repository = (service: AppService) => `${registry.address}/acme/${service}`;

  const containers = async (service: AppService): Promise<RunningService[]> => {
    const filters = ['project', 'service'].map((key, index) => [
      '--filter',
      `label=com.docker.compose.${key}=${[host.project, service][index]}`,
    ]);
    const ids = (await docker('ps', '--all', '--quiet', '--no-trunc', ...filters.flat())).split('\n').filter(Boolean);
    if (ids.length === 0) return [];
    const format =
      '{"id":{{json .ID}},"name":{{json .Name}},"image":{{json .Config.Image}},"imageId":{{json .Image}},"state":{{json .State.Status}},"health":{{if .State.Health}}{{json .State.Health.Status}}{{else}}"none"{{end}},"restart":{{json .HostConfig.RestartPolicy.Name}}}';
    const text = await docker('inspect', '--format', format, ...ids);
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as RunningService);
  };
  const versionOf = async (service: AppService): Promise<string> => {
    if (fixed) {
      const answer = await fetch(`http://127.0.0.1:${ports[service]}/version`).catch(() => undefined);
      return answer?.ok ? (await answer.text()).trim() : '';
    }
    const [first] = (await containers(service)).filter(({ state }) => state === 'running');
    const { stdout } = await attempt(['docker', 'exec', first?.id ?? '', 'cat', '/www/version'], { env });
    return stdout.trim();
  };

  return {
    host,
    registry,
    ports,
    url: (service) =>
      proxy === null
        ? `http://127.0.0.1:${ports[service]}/`
        : `http://127.0.0.1:${proxy.port}/${service === 'backend' ? 'backend/' : ''}`,
    inputs: () => ({
      ...host.inputs(),
      environment: 'lab',
      registry: registry.address,
      'registry-username': registry.username,
      'registry-password': registry.password,
      'min-free-space': '10MiB',
      'stable-for': '1s',
    }),
    async publish(app) {
      const local = await buildApp(lab.engine, app);
      const names = appServices.map((service) => `${repository(service)}:${app.version}`);
      await push(registry, env, local, names);
    },
    async deploy(version, services = appServices) {
      for (const service of services) {
        if (tags === 'latest')
          await docker('tag', `${repository(service)}:${version}`, `${repository(service)}:latest`);
      }
      if (tags === 'env') setTag(host, version);
      const up = ['up', '--detach', '--no-deps', '--pull', 'never', ...services];
      const outcome = await host.exec(['docker', 'compose', ...up]);
      // A version that is ill makes compose fail, and stays in place all the same.
      const isIll = /dependency failed to start|is unhealthy|exited \(/.test(outcome.stderr);
      if (outcome.code !== 0 && !isIll) throw new Error(`The deployment of ${version} failed:\n${outcome.stderr}`);
    },
    async forget(version) {
      for (const service of appServices) await docker('rmi', '--force', `${repository(service)}:${version}`);
    },
    containers,
    versionOf,
    async serves(version) {
      const end = performance.now() + patienceMs;
      for (;;) {
        const seen = await Promise.all(appServices.map(versionOf));
        // Docker takes much longer to answer than they do.
        const isServed = seen.every((each) => each === version);
        const all = isServed ? (await Promise.all(appServices.map(containers))).flat() : [];
        if (isServed && all.every(({ health }) => health === 'healthy')) return;
        if (performance.now() > end) throw new Error(`${version} is not served: ${seen} ${JSON.stringify(all)}`);
        await sleep(100);
      }
    },
    stop: () => host.stop(),
  };
}

function composeFile(project: string, { registry, ports, proxy, options }: Design): object {
  const { tags = 'latest', fixed = true, healthInterval, services = {} } = options;
  const usual = (service: AppService) => ({
    // biome-ignore lint/suspicious/noTemplateCurlyInString: compose's own variable
    image: `${registry.address}/acme/${service}:${tags === 'latest' ? 'latest' : '${TAG}'}`,
    init: true,
    stop_grace_period: '1s',
    environment: { SECRET: 'hunter2-of-the-lab' },
    ...(fixed ? { container_name: `${project}-${service}`, ports: [`127.0.0.1:${ports[service]}:8080`] } : {}),
    ...(healthInterval === undefined ? {} : { healthcheck: { interval: healthInterval } }),
  });
  const { services: standard, volumes } = standardProject();
  const others = Object.entries(services).filter(([name]) => name !== 'db' && !appServices.some((own) => own === name));
  return {
    services: {
      db: { ...standard['db'], ...services['db'] },
      backend: { ...usual('backend'), depends_on: { db: { condition: 'service_healthy' } }, ...services['backend'] },
      dashboard: {
        ...usual('dashboard'),
        depends_on: { backend: { condition: 'service_healthy' } },
        ...services['dashboard'],
      },
      ...Object.fromEntries(others),
      ...(proxy === null ? {} : { proxy: { image: proxy.image, ports: [`127.0.0.1:${proxy.port}:80`] } }),
    },
    volumes,
  };
}

/** The database is that of the lab's other hosts. */
function standardProject(): { services: Record<string, object>; volumes: object } {
  const text = readFileSync(new URL('./host/docker-compose.yml', import.meta.url), 'utf8');
  return parse(text);
}

function setTag(host: Host, version: string): void {
  const file = join(host.deployDir, '.env');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^TAG=.*$/m, `TAG=${version}`));
}
