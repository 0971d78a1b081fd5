// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose, not ours

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../shared/failure.ts';
import { type ComposeService, readProject } from '../../../shared/releases/project.ts';
import { service } from './shop.ts';

/** @param each as compose prints it */
function configOf(each: Record<string, unknown>, name = 'shop'): string {
  return JSON.stringify({ name, services: each, networks: { default: { name: 'shop_default' } } });
}

function read(facts: Record<string, unknown>): ComposeService {
  const found = readProject(configOf({ web: facts }), '', 'docker compose config').services.get('web');
  return found ?? assert.fail('the service was lost');
}

const plain = service('web', { image: null, networks: [] });

const facts: [what: string, given: Record<string, unknown>, read: Partial<ComposeService>][] = [
  ['nothing at all', {}, {}],
  [
    'nulls, where other versions leave fields out',
    { command: null, entrypoint: null, networks: null, ports: null },
    {},
  ],
  ['an image', { image: 'ghcr.io/acme/web:v1' }, { image: 'ghcr.io/acme/web:v1' }],
  ['how many', { deploy: { replicas: 2 } }, { replicas: 2 }],
  ['how many, as scale', { scale: '0' }, { replicas: 0 }],
  ['a fixed name', { container_name: 'web' }, { containerName: 'web' }],
  [
    'networks',
    { networks: { front: null, back: { priority: 1000, aliases: ['w'] } } },
    { networks: ['front', 'back'], aliases: ['w'] },
  ],
  ['a port of the host, as text', { ports: [{ target: 80, published: '8080', protocol: 'tcp' }] }, { publishes: true }],
  ['a port of the host, as a number', { ports: [{ target: 80, published: 8080 }] }, { publishes: true }],
  ['a port that Docker chooses', { ports: [{ target: 80, mode: 'ingress' }] }, {}],
  ['a port left empty', { ports: [{ target: 80, published: '' }] }, {}],
  ['the network of the host', { network_mode: 'host' }, { networkMode: 'host' }],
  ['an address', { networks: { back: { ipv4_address: '172.20.0.5' } } }, { networks: ['back'], fixedAddress: true }],
  ['an IPv6 address', { networks: { back: { ipv6_address: 'fd00::5' } } }, { networks: ['back'], fixedAddress: true }],
  ['an address of a card', { mac_address: '02:42:ac:11:65:43' }, { fixedAddress: true }],
  [
    'dependencies',
    {
      depends_on: {
        db: { condition: 'service_healthy', required: true },
        api: { condition: 'service_completed_successfully', restart: true },
      },
    },
    {
      dependsOn: [
        { service: 'db', restart: false, awaitsEnd: false },
        { service: 'api', restart: true, awaitsEnd: true },
      ],
    },
  ],
  [
    'what it shares',
    {
      network_mode: 'service:vpn',
      ipc: 'service:memory',
      pid: 'service:vpn',
      volumes_from: ['files:ro', 'plain', 'container:foreign:ro'],
    },
    { networkMode: 'service:vpn', sharesWith: ['vpn', 'memory'], volumesFrom: ['files', 'plain'] },
  ],
  [
    'what only compose itself does',
    {
      post_start: [{ command: ['warm-up'] }],
      pre_stop: [],
      models: { llm: null },
      provider: null,
      use_api_socket: true,
    },
    { composeOnly: ['post_start', 'models', 'use_api_socket'] },
  ],
  ['nothing shared', { ipc: 'shareable', pid: 'host' }, {}],
];
for (const [what, given, expected] of facts) {
  test(`of a service is read: ${what}`, () => assert.deepEqual(read(given), { ...plain, ...expected }));
}

test('the image is known as it is written, too', () => {
  const template = configOf({ web: { image: '${REGISTRY}/web:${TAG:-v1}', ports: ['${PORT}:80'] } });
  const project = readProject(
    configOf({ web: { image: 'ghcr.io/web:v1' }, db: { image: 'postgres' } }),
    template,
    'docker compose config',
  );
  assert.equal(project.name, 'shop');
  assert.equal(project.services.get('web')?.imageTemplate, '${REGISTRY}/web:${TAG:-v1}');
  assert.equal(project.services.get('db')?.imageTemplate, null);
});

test('no secret of the compose file is kept', () => {
  const secret = 'hunter2';
  const config = JSON.stringify({
    name: 'shop',
    secrets: { token: { environment: secret } },
    configs: { settings: { content: secret } },
    volumes: { data: { driver_opts: { o: `password=${secret}` } } },
    networks: { default: { labels: { key: secret }, driver_opts: { secret } } },
    'x-common': { key: secret },
    services: {
      web: {
        image: 'ghcr.io/acme/web:v1',
        environment: { PASSWORD: secret, [`${secret}_NAME`]: null },
        command: ['serve', '--token', secret],
        entrypoint: [secret],
        build: { context: '.', args: { TOKEN: secret }, secrets: [{ source: secret }] },
        labels: { 'traefik.auth': secret },
        annotations: { key: secret },
        healthcheck: { test: ['CMD', 'curl', '-u', `admin:${secret}`, 'http://localhost'] },
        logging: { options: { token: secret } },
        secrets: [{ source: secret, target: secret }],
        configs: [{ source: secret }],
        env_file: [{ path: secret }],
        extra_hosts: [secret],
        hostname: secret,
        volumes: [{ type: 'bind', source: `/etc/${secret}`, target: '/etc/secret' }],
        ports: [{ target: 80, published: '80', name: secret }],
        networks: { default: { aliases: ['www'], driver_opts: { secret } } },
        depends_on: { db: { condition: 'service_started', required: true, note: secret } },
        deploy: { labels: { key: secret } },
        'x-key': secret,
      },
      db: { image: 'postgres:17', environment: { POSTGRES_PASSWORD: secret } },
    },
  });
  const { name, services } = readProject(config, config, 'docker compose config');
  assert.doesNotMatch(JSON.stringify({ name, services: [...services] }), new RegExp(secret));
  assert.equal(services.size, 2);
});

const secretName = 'hunter2 hunter2';
const unusable: [what: string, config: string][] = [
  ['no text', ''],
  ['no JSON', 'services: hunter2'],
  ['JSON that is no project', '["hunter2"]'],
  ['a project without services', '{"name":"shop"}'],
  ['a name that no service can have', configOf({ [secretName]: {} })],
  ['an image that is no text', configOf({ web: { image: ['hunter2'] } })],
  ['a dependency that is no object', configOf({ web: { depends_on: { db: 'hunter2' } } })],
  ['ports that are no list', configOf({ web: { ports: 'hunter2' } })],
  ['more services than there can be', configOf(Object.fromEntries([...Array(501).keys()].map((n) => [`s${n}`, {}])))],
  ['an image longer than any', configOf({ web: { image: 'hunter2'.repeat(1_000) } })],
];
for (const [what, config] of unusable) {
  test(`refused without repeating it: ${what}`, () => {
    assert.throws(
      () => readProject(config, '', 'docker compose config'),
      (error) =>
        error instanceof Failure &&
        error.code === 'bad-compose-config' &&
        /docker compose config/.test(error.hint ?? '') &&
        !/hunter2/.test(error.message + error.hint + JSON.stringify(error.cause ?? '')),
    );
  });
}

test('a service called __proto__ is a service like any other', () => {
  const config = '{"name":"shop","services":{"__proto__":{"image":"ghcr.io/acme/web:v1"}}}';
  assert.deepEqual([...readProject(config, config, 'docker compose config').services.keys()], ['__proto__']);
  assert.equal(
    readProject(config, config, 'docker compose config').services.get('__proto__')?.imageTemplate,
    'ghcr.io/acme/web:v1',
  );
  assert.equal(({} as { image?: string }).image, undefined);
});
