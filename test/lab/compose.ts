import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attempt, run } from './command.ts';
import { alone, folder } from './folder.ts';
import { candidateVersion, needPackages } from './packages.ts';

const extractor = fileURLToPath(new URL('./compose-plugin.sh', import.meta.url));

/** Sees to it that `docker compose` exists; gives the environment in which it does. */
export async function composeEnvironment(): Promise<Readonly<Record<string, string>>> {
  const dockerConfig = folder('docker-config');
  const plugin = join(dockerConfig, 'cli-plugins', 'docker-compose');
  if (existsSync(plugin)) return { DOCKER_CONFIG: dockerConfig };
  if (await composeAnswers()) return {};

  const packageName = await composePackage();
  if (packageName !== undefined) {
    await needPackages(packageName);
    return {};
  }
  await alone('compose', async () => {
    if (!existsSync(plugin)) await run(['bash', extractor, 'trixie', folder('apt'), plugin]);
  });
  return { DOCKER_CONFIG: dockerConfig };
}

/**
 * The environment in which `docker compose` is the newest that can be had, 2.40 or later: some of what people write in a
 * compose file only it understands.
 */
export async function newestComposeEnvironment(): Promise<Readonly<Record<string, string>>> {
  const dockerConfig = folder('docker-config-newest');
  const plugin = join(dockerConfig, 'cli-plugins', 'docker-compose');
  await alone('compose', async () => {
    if (existsSync(plugin)) return;
    // With them, Ubuntu knows the keys and a mirror of Debian.
    await needPackages('debian-archive-keyring', 'debootstrap');
    await run(['bash', extractor, 'sid', folder('apt-newest'), plugin]);
  });
  return { DOCKER_CONFIG: dockerConfig };
}

/** Ubuntu calls the second compose docker-compose-v2; Debian 13 and later call it docker-compose, as 12 its first. */
async function composePackage(): Promise<string | undefined> {
  if ((await candidateVersion('docker-compose-v2')) !== undefined) return 'docker-compose-v2';
  const version = await candidateVersion('docker-compose');
  return version !== undefined && Number.parseInt(version, 10) >= 2 ? 'docker-compose' : undefined;
}

async function composeAnswers(): Promise<boolean> {
  return (await attempt(['docker', 'compose', 'version'])).code === 0;
}
