import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type ComposeService, readProject } from '../../../shared/releases/project.ts';

const read = (service: object, template = ''): ComposeService =>
  readProject(JSON.stringify({ name: 'shop', services: { web: service } }), template).services.get('web') ??
  assert.fail();

const plain: ComposeService = {
  name: 'web',
  image: null,
  imageTemplate: null,
  containerName: null,
  publishes: false,
  networks: [],
  networkMode: null,
  fixedAddress: false,
  dependsOn: [],
  sharesWith: [],
};

const table: [what: string, service: object, facts: Partial<ComposeService>][] = [
  ['nothing but a build', { build: { context: '.' } }, {}],
  ['an image', { image: 'ghcr.io/acme/web:v1' }, { image: 'ghcr.io/acme/web:v1' }],
  ['a fixed name', { container_name: 'shop-web' }, { containerName: 'shop-web' }],
  ['a port of the host', { ports: [{ target: 80, published: '8080', protocol: 'tcp' }] }, { publishes: true }],
  ['a port of the host, as a number', { ports: [{ target: 80, published: 8080 }] }, { publishes: true }],
  ['any port of the host', { ports: [{ target: 80, published: '0' }] }, { publishes: true }],
  ['a port of its own', { ports: [{ target: 80, mode: 'ingress' }] }, {}],
  ['a port of the host that is left empty', { ports: [{ target: 80, published: '' }] }, {}],
  ['networks', { networks: { default: null, edge: {} } }, { networks: ['default', 'edge'] }],
  [
    'a fixed address',
    { networks: { a: null, b: { ipv4_address: '172.20.0.5' } } },
    { networks: ['a', 'b'], fixedAddress: true },
  ],
  ['a fixed IPv6 address', { networks: { a: { ipv6_address: 'fd00::5' } } }, { networks: ['a'], fixedAddress: true }],
  [
    'a hardware address in a network',
    { networks: { a: { mac_address: '02:00:00:00:00:01' } } },
    { networks: ['a'], fixedAddress: true },
  ],
  ['a hardware address', { mac_address: '02:00:00:00:00:01' }, { fixedAddress: true }],
  ['aliases alone', { networks: { a: { aliases: ['www'], priority: 1 } } }, { networks: ['a'] }],
  ['the network of the host', { network_mode: 'host' }, { networkMode: 'host' }],
  [
    'the network of another service',
    { network_mode: 'service:vpn' },
    { networkMode: 'service:vpn', sharesWith: ['vpn'] },
  ],
  ['the network of a container', { network_mode: 'container:vpn' }, { networkMode: 'container:vpn' }],
  ['the memory and processes of others', { ipc: 'service:a', pid: 'service:b' }, { sharesWith: ['a', 'b'] }],
  ['memory that is its own', { ipc: 'shareable', pid: 'host' }, {}],
  ['volumes of others', { volumes_from: ['a:ro', 'b', 'container:c', 'a'] }, { sharesWith: ['a', 'b'] }],
  [
    'dependencies',
    {
      depends_on: {
        db: { condition: 'service_healthy', restart: true, required: true },
        api: { condition: 'service_started', restart: false },
      },
    },
    {
      dependsOn: [
        { service: 'db', restart: true },
        { service: 'api', restart: false },
      ],
    },
  ],
];

describe('the project', () => {
  for (const [what, service, facts] of table) {
    test(`a service with ${what}`, () => assert.deepEqual(read(service), { ...plain, ...facts }));
  }

  test('has its name and its services in order', () => {
    const { name, services } = readProject(
      '{"name":"shop","services":{"web":{},"__proto__":{"image":"a"},"db":{}}}',
      '',
    );
    assert.equal(name, 'shop');
    assert.deepEqual([...services.keys()], ['web', '__proto__', 'db']);
    assert.equal(services.get('__proto__')?.image, 'a');
  });

  test('has the image as it is written, where compose says so', () => {
    const template = JSON.stringify({ name: 'shop', services: { web: { image: 'web:$TAG' }, other: { image: 'x' } } });
    assert.equal(read({ image: 'web:v1' }, template).imageTemplate, 'web:$TAG');
    assert.equal(read({ image: 'web:v1' }, '{"services":{"constructor":{}}}').imageTemplate, null);
    assert.equal(read({ image: 'web:v1' }, ' \n').imageTemplate, null);
  });

  const refused: [what: string, config: string][] = [
    ['nothing', ''],
    ['an error', 'yaml: line 3: did not find expected key'],
    ['JSON that was cut', '{"name":"shop","services":{'],
    ['no services', '{"name":"shop"}'],
    ['no name', '{"services":{}}'],
    ['services as a list', '{"name":"shop","services":[]}'],
    ['a name of a service with a space', '{"name":"shop","services":{"a b":{}}}'],
    ['an endless image', JSON.stringify({ name: 'shop', services: { web: { image: 'x'.repeat(5_000) } } })],
    ['an image that is a number', '{"name":"shop","services":{"web":{"image":1}}}'],
  ];
  for (const [what, config] of refused) {
    test(`refuses ${what}`, () => {
      assert.throws(() => readProject(config, ''), { name: 'Failure', code: 'bad-compose-config' });
    });
  }
  test('refuses a template that cannot be read', () => {
    assert.throws(() => readProject('{"name":"shop","services":{}}', 'x'), { code: 'bad-compose-config' });
  });
});

describe('secrets', () => {
  /** All that compose prints of a service and of the project, with a word of its own in each place for free text. */
  function config(secret: string): object {
    return {
      name: 'shop',
      services: {
        web: {
          image: 'ghcr.io/acme/web:v1',
          container_name: 'shop-web',
          annotations: { a: secret },
          build: { context: `/${secret}`, args: { TOKEN: secret }, secrets: [{ source: secret }] },
          command: ['serve', '--token', secret],
          configs: [{ source: secret, target: `/${secret}` }],
          credential_spec: { file: secret },
          depends_on: { db: { condition: secret, required: true } },
          deploy: { labels: { token: secret } },
          develop: { watch: [{ path: secret }] },
          domainname: secret,
          entrypoint: ['sh', '-c', secret],
          env_file: [{ path: secret }],
          environment: { DATABASE_PASSWORD: secret, [secret]: 'x' },
          extra_hosts: [secret],
          healthcheck: { test: ['CMD-SHELL', `curl -H 'Authorization: ${secret}' http://127.0.0.1`], interval: '5s' },
          hostname: secret,
          labels: { 'traefik.basicauth.users': secret },
          links: [secret],
          logging: { driver: 'splunk', options: { 'splunk-token': secret } },
          networks: { default: { aliases: [secret], driver_opts: { a: secret }, ipv4_address: '172.20.0.5' } },
          ports: [{ target: 80, published: '8080', host_ip: secret, name: secret }],
          post_start: [{ command: secret }],
          secrets: [{ source: 'token', target: secret }],
          security_opt: [secret],
          sysctls: { a: secret },
          tmpfs: [secret],
          user: secret,
          volumes: [{ type: 'bind', source: secret, target: secret }],
          working_dir: secret,
          'x-token': secret,
        },
        db: { image: 'postgres:15', environment: { POSTGRES_PASSWORD: secret } },
      },
      configs: { a: { content: secret } },
      networks: { default: { name: 'shop_default', driver_opts: { a: secret } } },
      secrets: { token: { environment: secret, file: secret, content: secret } },
      volumes: { data: { driver_opts: { o: secret } } },
      'x-token': secret,
    };
  }
  const all = (text: string, template: string) => {
    const { name, services } = readProject(text, template);
    return JSON.stringify({ name, services: [...services] });
  };

  test('none of the configuration is kept', () => {
    const secret = 's3cr3t-0815';
    const text = JSON.stringify(config(secret));
    const kept = all(text, text);
    assert.doesNotMatch(kept, /s3cr3t|0815/);
    assert.match(kept, /ghcr\.io\/acme\/web:v1/);
  });

  test('what is kept does not depend on them', () => {
    const text = (secret: string) => JSON.stringify(config(secret));
    const kept = all(text('x'), text('x'));
    fc.assert(fc.property(fc.string(), (secret) => assert.equal(all(text(secret), text(secret)), kept)));
  });

  test('none is repeated by a refusal', () => {
    const secret = 's3cr3t-0815';
    for (const text of [
      `${secret} is what stands there`,
      `{"name":"${secret}`,
      `{"name":"shop","services":{"web":{"environment":"${secret}"},"db":"${secret}"}}`,
      `{"name":"shop","services":{"${secret} ":{}}}`,
    ]) {
      assert.throws(
        () => readProject(text, ''),
        (error: Error & { hint?: string }) => !/s3c/.test(`${error.message}${error.hint}${error.cause}`),
      );
    }
  });
});
