// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose, not ours

// What the real compose makes of a project, read as the actions read it, and of the file that is put on top of it.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { overrideYaml } from '../../shared/plan/override.ts';
import type { ServiceStep } from '../../shared/plan/plan.ts';
import { planRollback } from '../../shared/plan/plan-rollback.ts';
import { readProject } from '../../shared/releases/project.ts';
import { run } from '../lab/command.ts';
import { composeEnvironment } from '../lab/compose.ts';
import { temporaryFolder } from '../lab/folder.ts';
import { request, sha } from '../unit/releases/shop.ts';

const compose = `
services:
  web:
    image: ghcr.io/acme/web:\${TAG:-v1}
    container_name: shop-web
    hostname: hunter2
    command: [serve, --token, hunter2]
    environment: {PASSWORD: hunter2}
    labels: {own: hunter2}
    ports: ["127.0.0.1:8080:80", "9090"]
    networks: {front: {ipv4_address: 172.20.0.5}, back: }
    healthcheck: {test: [CMD, curl, -u, "admin:hunter2", localhost]}
    volumes: ["/cache", "uploads:/uploads"]
    depends_on:
      api: {condition: service_healthy, restart: true}
      db: {condition: service_completed_successfully}
  api:
    build: {context: ., args: {TOKEN: hunter2}}
    network_mode: service:db
    volumes_from: ["files:ro"]
    deploy: {replicas: 2}
    ports: []
  files: {image: busybox, scale: 3}
  db:
    image: postgres
    profiles: []
networks: {front: {ipam: {config: [{subnet: 172.20.0.0/24}]}}, back: }
volumes: {uploads: }
`;

let folder: string;
let env: NodeJS.ProcessEnv;

before(async () => {
  env = { ...process.env, ...(await composeEnvironment()) };
  folder = temporaryFolder('compose');
  writeFileSync(join(folder, 'compose.yml'), compose);
  writeFileSync(join(folder, '.env'), 'TAG=v3\n');
});

async function config(...options: readonly string[]): Promise<string> {
  const command = ['docker', 'compose', '--project-name', 'shop', '--file', 'compose.yml'];
  return run([...command, ...options, '--format', 'json'], { cwd: folder, env });
}

test('a real configuration is read, and none of its secrets', async () => {
  const printed = await config('config');
  assert.match(printed, /hunter2/);
  const { name, services } = readProject(printed, await config('config', '--no-interpolate'), 'docker compose config');
  assert.equal(name, 'shop');
  assert.deepEqual(Object.fromEntries(services), {
    web: {
      name: 'web',
      image: 'ghcr.io/acme/web:v3',
      imageTemplate: 'ghcr.io/acme/web:${TAG:-v1}',
      containerName: 'shop-web',
      replicas: null,
      publishes: true,
      networks: ['back', 'front'],
      networkMode: null,
      fixedAddress: true,
      aliases: [],
      dependsOn: [
        { service: 'api', restart: true, awaitsEnd: false },
        { service: 'db', restart: false, awaitsEnd: true },
      ],
      sharesWith: [],
      volumesFrom: [],
      composeOnly: [],
    },
    api: {
      name: 'api',
      image: null,
      imageTemplate: null,
      containerName: null,
      replicas: 2,
      publishes: false,
      networks: [],
      networkMode: 'service:db',
      fixedAddress: false,
      aliases: [],
      dependsOn: [
        { service: 'db', restart: true, awaitsEnd: false },
        { service: 'files', restart: false, awaitsEnd: false },
      ],
      sharesWith: ['db'],
      volumesFrom: ['files'],
      composeOnly: [],
    },
    files: {
      name: 'files',
      image: 'busybox',
      imageTemplate: 'busybox',
      containerName: null,
      replicas: 3,
      publishes: false,
      networks: ['default'],
      networkMode: null,
      fixedAddress: false,
      aliases: [],
      dependsOn: [],
      sharesWith: [],
      volumesFrom: [],
      composeOnly: [],
    },
    db: {
      name: 'db',
      image: 'postgres',
      imageTemplate: 'postgres',
      containerName: null,
      replicas: null,
      publishes: false,
      networks: ['default'],
      networkMode: null,
      fixedAddress: false,
      aliases: [],
      dependsOn: [],
      sharesWith: [],
      volumesFrom: [],
      composeOnly: [],
    },
  });
  assert.doesNotMatch(JSON.stringify([...services]), /hunter2/);
});

test('the override gives the target its image, label and volumes, and lifts the fixed name; the rest stays', async () => {
  const [first] = planRollback(request()).services;
  assert.ok(first !== undefined);
  const volume = 'e'.repeat(64);
  const awkward = '/a "b" ${HOME} $$ \u2028\x85\ufeff #c';
  const web: ServiceStep = {
    ...first,
    service: 'web',
    fixedName: 'shop-web',
    anonymousVolumes: { '/cache': volume, [awkward]: volume },
  };
  const image = `ghcr.io/acme/web:v2@${sha('c')}`;
  writeFileSync(
    join(folder, 'override.yml'),
    overrideYaml(
      [web],
      new Map([['web', image]]),
      '20261123_021709',
      { files: ['/srv/compose.yml'], envFiles: [] },
      new Map([
        ['front', 'shop_front'],
        ['back', 'shop_back'],
      ]),
    ),
  );

  const merged = JSON.parse(await config('--file', 'override.yml', 'config'));
  const before = JSON.parse(await config('config'));
  const { volumes, ...facts } = merged.services.web;
  const { container_name: _, volumes: __, ...kept } = before.services.web;
  assert.deepEqual(facts, {
    ...kept,
    image,
    pull_policy: 'never',
    labels: { own: 'hunter2', 'atlasia.transaction': '20261123_021709', 'atlasia.compose-files': '/srv/compose.yml' },
  });
  const mounts = volumes.map(({ type, source, target }: Record<string, string>) => [type, source, target]);
  assert.deepEqual(mounts.toSorted(), [
    // Compose writes a variable's sign twice, so that its own words can be read again.
    ['volume', `atlasia-${volume}`, awkward.replaceAll('$', '$$$$')],
    ['volume', `atlasia-${volume}`, '/cache'],
    ['volume', 'uploads', '/uploads'],
  ]);
  assert.deepEqual(merged.volumes[`atlasia-${volume}`], { name: volume, external: true });
  assert.deepEqual([merged.services.api, merged.services.db], [before.services.api, before.services.db]);
  assert.deepEqual(merged.networks.front, { name: 'shop_front', ipam: {}, external: true });
});
