// What a file of tests plays on: the lab, and a host or an application of its own. Files wait for it at their top, by
// `const { app } = await applicationForFile(…)`; after the file's last test all of it is ended, the newest first.
import { after } from 'node:test';
import { type Application, type ApplicationOptions, startApplication } from '../lab/application.ts';
import { type Host, type HostOptions, startHost } from '../lab/host.ts';
import type { AppVersion } from '../lab/images.ts';
import { type Lab, openLab } from '../lab/lab.ts';
import { type Registry, startRegistry } from '../lab/registry.ts';

const endings: (() => unknown)[] = [];

after(endAll);

/** Has something done after the last test of the file, before what was there earlier is ended. */
export function atEnd(end: () => unknown): void {
  endings.push(end);
}

/** The lab alone. */
export async function labForFile(): Promise<Lab> {
  return setUp(openLab, (lab) => lab.close());
}

/** A host with a database, and more of them by `startHostForFile`. */
export async function hostForFile(options: HostOptions): Promise<{ lab: Lab; host: Host }> {
  const lab = await labForFile();
  return { lab, host: await startHostForFile(lab, options) };
}

/** A host in a lab that is open. */
export async function startHostForFile(lab: Lab, options: HostOptions): Promise<Host> {
  return setUp(
    () => startHost(lab, options),
    (host) => host.stop(),
  );
}

/** The lab and a registry, where each test starts an application of its own: see `withApplication`. */
export async function registryForFile(open = openLab): Promise<Ground> {
  const lab = await setUp(open, (opened) => opened.close());
  const registry = await setUp(startRegistry, (started) => started.close());
  return { lab, registry };
}

/** What applications stand on. */
export interface Ground {
  lab: Lab;
  registry: Registry;
}

export interface StageOptions extends ApplicationOptions {
  /** What the registry has; a name alone is a version that works. */
  versions?: readonly (string | AppVersion)[];
  /** The version that is deployed, and healthy; none where it is left out. */
  runs?: string;
}

/** An application, on a host and with a registry of its own. */
export async function applicationForFile(options: StageOptions): Promise<Ground & { app: Application }> {
  const ground = await registryForFile();
  return { ...ground, app: await startApplicationForFile(ground, options) };
}

/** A further one, or one on other ground. */
export async function startApplicationForFile(
  { lab, registry }: Ground,
  { versions = [], runs, ...options }: StageOptions,
): Promise<Application> {
  return setUp(
    () => startApplication(lab, registry, options),
    (app) => app.stop(),
    (app) => prepare(app, versions, runs),
  );
}

/** Does something with an application that is there only meanwhile. */
export async function withApplication(
  { lab, registry }: Ground,
  { versions = [], runs, ...options }: StageOptions,
  work: (app: Application) => Promise<void>,
): Promise<void> {
  const app = await startApplication(lab, registry, options);
  try {
    await prepare(app, versions, runs);
    await work(app);
  } finally {
    await app.stop();
  }
}

/** Deploys a version, and waits until users have it. */
export async function deployed(app: Application, version: string): Promise<void> {
  await app.deploy(version);
  await app.serves(version);
}

async function prepare(app: Application, versions: readonly (string | AppVersion)[], runs?: string): Promise<void> {
  await Promise.all(versions.map((version) => app.publish(typeof version === 'string' ? { version } : version)));
  if (runs !== undefined) await deployed(app, runs);
}

/** Where it fails, what is there already is ended: no hook runs in a file that did not come to its tests. */
async function setUp<T>(
  start: () => Promise<T>,
  end: (started: T) => unknown,
  prepare: (started: T) => Promise<void> = async () => {},
): Promise<T> {
  try {
    const started = await start();
    atEnd(() => end(started));
    await prepare(started);
    return started;
  } catch (error) {
    await endAll();
    throw error;
  }
}

async function endAll(): Promise<void> {
  for (let end = endings.pop(); end !== undefined; end = endings.pop()) await end();
}
