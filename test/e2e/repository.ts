// A project as examples/deploy.yml has it: its folder is a repository, and the compose file lies deep in it.
import assert from 'node:assert/strict';
import { type Application, appServices, push } from '../lab/application.ts';
import type { Registry } from '../lab/registry.ts';
import { imageOf } from './rollbacks.ts';
import { bash } from './sets.ts';

/**
 * Moves the project to the compose file of such a repository, and logs the host in to the registry.
 * @param dockerConfig where that login lies: the lab's own folder of logins is shared, and a host that people have has one in the home
 *   of its user
 */
export async function asRepository({ host }: Application, registry: Registry, dockerConfig: string): Promise<void> {
  const folder = 'infra/deployments/prod';
  // Compose takes its env file from the folder of the compose file.
  await bash(host, 'mkdir -p "$1" && cp docker-compose.yml .env "$1"', folder);
  await bash(
    host,
    'docker compose -f "$1/docker-compose.yml" up --detach --force-recreate --pull never --wait',
    folder,
  );
  await bash(host, 'mkdir "$1" && ln -s "$DOCKER_CONFIG/cli-plugins" "$1/"', dockerConfig);
  const login = ['docker', 'login', '--username', registry.username, '--password-stdin', registry.address];
  const outcome = await host.exec(['env', `DOCKER_CONFIG=${dockerConfig}`, ...login], { input: registry.password });
  assert.equal(outcome.code, 0, outcome.stderr);
}

/** Pushes a version as the newest: what a CI that builds the application does before it deploys. */
export async function released(app: Application, registry: Registry, version: string): Promise<void> {
  for (const service of appServices) {
    const latest = `${registry.address}/acme/${service}:latest`;
    await push(registry, app.host.env, imageOf(app, service, version), [latest]);
  }
}
