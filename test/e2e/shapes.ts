// Compose projects as people have them: each test brings its own files and its own way to deploy them. All of them go
// through the same story: deploy v1, verify it; deploy v2, verify it; roll back with an empty target.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { giveTo } from '../lab/account.ts';
import { push } from '../lab/application.ts';
import { newestComposeEnvironment } from '../lab/compose.ts';
import { until } from '../lab/faults.ts';
import { type Host, startHost } from '../lab/host.ts';
import { type AppVersion, buildApp, buildProxy } from '../lab/images.ts';
import { freePort } from '../lab/port.ts';
import type { Registry } from '../lab/registry.ts';
import { type ActionResult, runAction } from '../lab/runner.ts';
import { logOf } from './expectations.ts';
import type { Inputs } from './sets.ts';
import type { Ground } from './stage.ts';

export interface ShapeOptions {
  /** Short, for people who look at what runs. */
  name: string;
  /** The images acme/app that the registry has; v1 and v2 where it is left out. */
  versions?: readonly (string | AppVersion)[];
  /** Further repositories with the same images: acme/worker. */
  repositories?: readonly string[];
  /** The newest compose that can be had, instead of the oldest. */
  newest?: boolean;
  /** The environment of everything on the host. */
  environment?: Readonly<Record<string, string>>;
}

/** A host with an empty deploy folder, and what a test does to it. */
export interface Shape {
  host: Host;
  registry: Registry;
  /** A free port of the host, for the service `app`. */
  port: number;
  /** Below the deploy folder. */
  backupDir: string;
  /** The image of nginx that leads to the services; see test/lab/images/nginx. */
  proxyImage(): Promise<string>;
  /** `localhost:5000/acme/app`, to which a tag is added. */
  repository(name?: string): string;
  /** The service `app` of a compose file, with more fields, or others. */
  app(fields?: object): object;
  /** Writes files below the deploy folder: text as it is, an object as YAML. The account owns them. */
  write(files: Readonly<Record<string, string | object>>): Promise<void>;
  /** `docker compose …` as the account, in the deploy folder or one below it. Fails if compose does. */
  compose(words: readonly string[], options?: { env?: Record<string, string>; within?: string }): Promise<void>;
  /** Writes `TAG=<version>` into `.env` and lets compose start everything. */
  deploy(version: string): Promise<void>;
  /** verify-action with `checks: deployment`. */
  verify(inputs?: Inputs): Promise<ActionResult>;
  /** rollback-action with an empty target and without a backup. */
  rollBack(inputs?: Inputs): Promise<ActionResult>;
  /** What the service answers, on the port of `app` or another one; empty if nothing does. */
  answer(path?: string, port?: number): Promise<string>;
  /** Waits until `app` answers with this version on its port. */
  serves(version: string): Promise<void>;
  /** The containers of a service as `docker inspect` describes them. */
  inspect(service?: string): Promise<Container[]>;
}

/** The few fields of `docker inspect` that tests look at. */
export interface Container {
  Id: string;
  Name: string;
  Image: string;
  State: { Status: string; ExitCode: number; StartedAt: string; FinishedAt: string };
  Config: { Image: string; Env: string[]; Labels: Record<string, string> };
  HostConfig: { Binds: string[] | null; NetworkMode: string };
  Mounts: { Type: string; Source: string; Destination: string }[];
}

/** Gives a test a host of its own, and ends it afterwards. */
export async function withShape(
  { lab, registry }: Ground,
  { name, versions = ['v1', 'v2'], repositories = [], newest = false, environment = {} }: ShapeOptions,
  work: (shape: Shape) => Promise<void>,
): Promise<void> {
  const compose = newest ? await newestComposeEnvironment() : {};
  const host = await startHost(lab, { name, bare: true, environment: { ...compose, ...environment } });
  try {
    const repository = (each = 'app') => `${registry.address}/acme/${each}`;
    for (const version of versions) {
      const app = typeof version === 'string' ? { version } : version;
      const names = ['app', ...repositories].map((each) => `${repository(each)}:${app.version}`);
      await push(registry, host.env, await buildApp(lab.engine, app), names);
    }
    await work(await shapeOn(host, registry, repository, () => buildProxy(lab.engine)));
  } finally {
    await host.stop();
  }
}

async function shapeOn(
  host: Host,
  registry: Registry,
  repository: Shape['repository'],
  proxyImage: Shape['proxyImage'],
): Promise<Shape> {
  const port = await freePort();
  const backupDir = host.newBackupDir();
  const inputs = {
    ...host.inputs(),
    environment: 'lab',
    registry: registry.address,
    'backup-dir': backupDir,
    'stable-for': '1s',
  };
  const write: Shape['write'] = async (files) => {
    for (const [name, content] of Object.entries(files)) {
      const path = join(host.deployDir, name);
      mkdirSync(dirname(path), { recursive: true });
      // A new file, as editors and checkouts make it: a container that has mounted the old one keeps seeing that.
      rmSync(path, { force: true });
      writeFileSync(path, typeof content === 'string' ? content : stringify(content));
    }
    await giveTo(host.account, host.deployDir);
  };
  const compose: Shape['compose'] = async (words, { env = {}, within = '.' } = {}) => {
    const command = ['env', ...Object.entries(env).map(([key, value]) => `${key}=${value}`), 'docker', 'compose'];
    const outcome = await host.exec([...command, ...words], { cwd: join(host.deployDir, within) });
    if (outcome.code !== 0) throw new Error(`docker compose ${words.join(' ')} failed:\n${outcome.stderr}`);
  };
  const answer: Shape['answer'] = async (path = '/version', of = port) => {
    const response = await fetch(`http://127.0.0.1:${of}${path}`, { signal: AbortSignal.timeout(2_000) }).catch(
      () => undefined,
    );
    return response?.ok ? (await response.text()).trim() : '';
  };
  return {
    host,
    registry,
    port,
    backupDir,
    proxyImage,
    repository,
    app: (fields = {}) => ({
      image: `${repository()}:\${TAG}`,
      init: true,
      ports: [`127.0.0.1:${port}:8080`],
      ...fields,
    }),
    write,
    compose,
    async deploy(version) {
      await write({ '.env': `COMPOSE_PROJECT_NAME=${host.project}\nTAG=${version}\n` });
      await compose(['up', '--detach']);
    },
    verify: (more = {}) => runAction('verify', { ...inputs, checks: 'deployment', ...more }),
    rollBack: (more = {}) => runAction('rollback', { ...inputs, 'skip-backup': 'true', ...more }),
    answer,
    async serves(version) {
      await until(`${version} is served`, async () => ((await answer()) === version ? true : undefined));
    },
    async inspect(service = 'app') {
      const filters = ['project', 'service'].flatMap((key, index) => [
        '--filter',
        `label=com.docker.compose.${key}=${[host.project, service][index]}`,
      ]);
      const ids = (await host.docker('ps', '--all', '--quiet', ...filters)).split('\n').filter(Boolean);
      return ids.length === 0 ? [] : JSON.parse(await host.docker('inspect', ...ids));
    },
  };
}

/** Deploys a version and lets verify-action find it good. */
export async function deployedWell(shape: Shape, version: string, deploy = shape.deploy): Promise<void> {
  await deploy(version);
  await shape.serves(version);
  const result = await shape.verify();
  assert.equal(result.outputs['status'], 'verified', logOf(result));
}

/** Deploys v1, verifies it; deploys v2, verifies it. */
export async function twoReleases(shape: Shape, deploy = shape.deploy): Promise<void> {
  await deployedWell(shape, 'v1', deploy);
  await deployedWell(shape, 'v2', deploy);
}

/** The action says that it has rolled back, and `app` answers with v1. */
export async function isBack(shape: Shape, result: ActionResult): Promise<void> {
  assert.equal(result.outputs['status'], 'rolled-back', logOf(result));
  assert.equal(result.exitCode, 0, logOf(result));
  assert.equal(await shape.answer(), 'v1', logOf(result));
}
