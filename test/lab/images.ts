import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attempt, run, whereIs } from './command.ts';
import type { Engine } from './engine.ts';
import { alone, folder } from './folder.ts';
import { needPackages, needPrograms } from './packages.ts';

/** The images that the lab's hosts run, by the names that the engine knows them by. */
export interface Images {
  /** PostgreSQL as most run it: the official image, or its like from this machine's packages. */
  postgres: string;
  /** PostgreSQL in a container that has neither zstd nor bash. */
  leanPostgres: string;
  /** A web service with a health check, in a version that works. */
  web: string;
}

/** A version of the lab's application, and what is wrong with it: see images/web/serve.sh. */
export interface AppVersion {
  version: string;
  ill?: 'start' | 'health' | 'slow' | 'later' | 'deaf' | 'quits';
  /** Seconds. */
  delay?: number;
  /** MiB that nothing else has, as a layer of its own. */
  ballast?: number;
}

/** Builds a version of the application; every version has an image of its own. */
export async function buildApp(engine: Engine, app: AppVersion): Promise<string> {
  return alone('images', () => new ImageBuilder(engine).web(app));
}

/** Builds a later PostgreSQL than 15, with pg_cron, which has to be loaded at the start of a server. */
export async function buildExtendedPostgres(engine: Engine): Promise<string> {
  return alone('images', () => new ImageBuilder(engine).extendedPostgres());
}

/** Builds the reverse proxy that leads to the application. */
export async function buildProxy(engine: Engine): Promise<string> {
  return alone('images', () => new ImageBuilder(engine).nginx());
}

/** What an image is made from. */
interface Recipe {
  name: string;
  dockerfile: string;
  arguments: Readonly<Record<string, string>>;
  /** The folder whose files the build may use. */
  source: string;
  /** Whatever else the image depends on: it is made again where this changes. */
  basis: string;
  /** Adds what the source does not hold. */
  prepare?(context: string): Promise<void>;
}

const label = 'atlasia.lab.recipe';
const officialPostgres = 'postgres:17';
const sourceOf = (name: string) => fileURLToPath(new URL(`./images/${name}`, import.meta.url));

/** Sees to it that the engine has the lab's images. */
export async function prepareImages(engine: Engine): Promise<Images> {
  return alone('images', async () => {
    const images = new ImageBuilder(engine);
    const postgres = await images.postgres();
    return { postgres, leanPostgres: await images.leanPostgres(postgres), web: await images.web({ version: 'v1' }) };
  });
}

class ImageBuilder {
  readonly #env: NodeJS.ProcessEnv;

  constructor(engine: Engine) {
    this.#env = { ...process.env, ...engine.environment };
  }

  async postgres(): Promise<string> {
    if ((await this.#idOf(officialPostgres)) !== undefined || (await this.#pull(officialPostgres))) {
      return officialPostgres;
    }
    return this.machinesPostgres();
  }

  async machinesPostgres(): Promise<string> {
    const { major, version } = await machinesPostgres();
    const source = sourceOf('postgres');
    return this.#build({
      name: `atlasia-lab/postgres:${major}`,
      dockerfile: 'Dockerfile',
      arguments: { PG_MAJOR: major },
      source,
      basis: version,
      prepare: async (context) => {
        await run(['bash', join(source, 'rootfs.sh'), major, join(context, 'rootfs.tar')]);
      },
    });
  }

  async leanPostgres(base: string): Promise<string> {
    return this.#build({
      name: 'atlasia-lab/postgres:lean',
      dockerfile: 'lean.Dockerfile',
      arguments: { BASE: base },
      source: sourceOf('postgres'),
      basis: (await this.#idOf(base)) ?? '',
    });
  }

  /** From the packages of a later Debian, whatever this machine's are: it has what PostgreSQL 15 has not. */
  async laterPostgres(): Promise<string> {
    const [suite, major] = ['trixie', '17'];
    const source = sourceOf('later-postgres');
    const shared = ['Dockerfile', 'docker-entrypoint.sh'].map((name) => join(sourceOf('postgres'), name));
    // With them, Ubuntu knows the keys and a mirror of Debian.
    await needPackages('debian-archive-keyring', 'debootstrap');
    return this.#build({
      name: `atlasia-lab/postgres:${major}-${suite}`,
      dockerfile: 'Dockerfile',
      arguments: { PG_MAJOR: major },
      source,
      basis: shared.map((path) => readFileSync(path, 'utf8')).join(),
      prepare: async (context) => {
        for (const path of shared) copyFileSync(path, join(context, basename(path)));
        const script = join(source, 'rootfs.sh');
        await run(['bash', script, suite, major, folder('apt-postgres'), join(context, 'rootfs.tar')]);
      },
    });
  }

  async extendedPostgres(): Promise<string> {
    const base = await this.laterPostgres();
    return this.#build({
      name: 'atlasia-lab/postgres:extended',
      dockerfile: 'Dockerfile',
      arguments: { BASE: base },
      source: sourceOf('extended-postgres'),
      basis: (await this.#idOf(base)) ?? '',
    });
  }

  async web({ version, ill = undefined, delay = 0, ballast = 0 }: AppVersion): Promise<string> {
    await needPackages('busybox-static');
    const busybox = whereIs('busybox') ?? '/bin/busybox';
    return this.#build({
      name: `atlasia-lab/web:${[version, ill, delay, ballast].filter(Boolean).join('-')}`,
      dockerfile: 'Dockerfile',
      arguments: { VERSION: version, ILL: ill ?? '', DELAY: String(delay) },
      source: sourceOf('web'),
      basis: await run([busybox, '--help']),
      prepare: async (context) => {
        copyFileSync(busybox, join(context, 'busybox'));
        writeFileSync(join(context, 'ballast'), randomBytes(ballast * 1024 * 1024));
      },
    });
  }

  async nginx(): Promise<string> {
    await needPackages('nginx');
    const source = sourceOf('nginx');
    return this.#build({
      name: 'atlasia-lab/nginx:latest',
      dockerfile: 'Dockerfile',
      arguments: {},
      source,
      basis: (await attempt(['nginx', '-v'])).stderr,
      prepare: async (context) => {
        await run(['bash', join(source, 'rootfs.sh'), join(context, 'rootfs.tar')]);
      },
    });
  }

  async #build(recipe: Recipe): Promise<string> {
    const { name, dockerfile, source, prepare } = recipe;
    const marker = markerOf(recipe);
    if ((await this.#markerOf(name)) === marker) return name;

    const context = mkdtempSync(join(folder('builds'), 'image-'));
    try {
      cpSync(source, context, { recursive: true });
      await prepare?.(context);
      const values = Object.entries(recipe.arguments).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
      const options = ['--quiet', '--network', 'none', '--label', `${label}=${marker}`, '--tag', name, ...values];
      await this.#docker('build', ...options, '--file', join(context, dockerfile), context);
    } finally {
      rmSync(context, { recursive: true, force: true });
    }
    return name;
  }

  /** An engine without a way out answers at once; one whose way out is slow is not waited for long. */
  async #pull(name: string): Promise<boolean> {
    return (await attempt(['docker', 'pull', '--quiet', name], { env: this.#env, timeoutMs: 120_000 })).code === 0;
  }

  async #idOf(name: string): Promise<string | undefined> {
    return this.#inspect(name, '{{.Id}}');
  }

  async #markerOf(name: string): Promise<string | undefined> {
    return this.#inspect(name, `{{index .Config.Labels "${label}"}}`);
  }

  async #inspect(name: string, format: string): Promise<string | undefined> {
    const found = await attempt(['docker', 'image', 'inspect', '--format', format, name], { env: this.#env });
    return found.code === 0 ? found.stdout.trim() : undefined;
  }

  async #docker(...words: string[]): Promise<string> {
    return run(['docker', ...words], { env: this.#env });
  }
}

/** The newest PostgreSQL among this machine's packages; installed where there is none. */
async function machinesPostgres(): Promise<{ major: string; version: string }> {
  const installed = () => readFolder('/usr/lib/postgresql').sort((one, other) => Number(other) - Number(one));
  if (installed().length === 0) await needPackages('postgresql');
  await needPrograms({ zstd: 'zstd' });
  const major = installed()[0];
  if (major === undefined) throw new Error('The package postgresql brought no /usr/lib/postgresql');
  return { major, version: await run([`/usr/lib/postgresql/${major}/bin/postgres`, '--version']) };
}

/** Tells one state of a recipe from another. */
function markerOf({ dockerfile, arguments: values, source, basis }: Recipe): string {
  const hash = createHash('sha256').update(JSON.stringify([dockerfile, values, basis]));
  for (const file of readdirSync(source).sort()) hash.update(file).update(readFileSync(join(source, file)));
  return hash.digest('hex').slice(0, 16);
}

function readFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
