// What counts as well: that users get an answer where they ask, and that a health test has the time that it was given.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { logOf } from './expectations.ts';
import { isBack, type Shape, twoReleases, withShape } from './shapes.ts';
import { registryForFile } from './stage.ts';

const ground = await registryForFile();

/** Ways in which nginx looks the service up only when it starts. */
const lookedUpOnce = {
  direct: 'server { listen 80; location / { proxy_pass http://app:8080; } }',
  upstream: 'upstream api { server app:8080; } server { listen 80; location / { proxy_pass http://api; } }',
  /** Its own page does not show that what is behind it is gone. */
  behindPage: 'server { listen 80; location / { return 200 page; } location /api/ { proxy_pass http://app:8080/; } }',
};

function nginxConf(http: string): string {
  return `daemon off; user root; pid /run/nginx.pid; error_log stderr; events {} http { access_log off; proxy_connect_timeout 2s; ${http} }`;
}

/** A compose file with `app` behind an nginx that has this configuration. */
async function behindNginx(shape: Shape, http: string, { service = 'edge', image = '', app = {} } = {}): Promise<void> {
  await shape.write({
    'nginx.conf': nginxConf(http),
    'docker-compose.yml': {
      services: {
        app: shape.app({ ports: [], ...app }),
        [service]: {
          image: image === '' ? await shape.proxyImage() : image,
          ports: [`127.0.0.1:${shape.port}:80`],
          volumes: ['./nginx.conf:/etc/nginx/nginx.conf:ro'],
          depends_on: ['app'],
        },
      },
    },
  });
}

/** Deploys as people do who have such a proxy: it is restarted afterwards. */
const withRestart = (shape: Shape, service: string) => async (version: string) => {
  await shape.deploy(version);
  await shape.compose(['restart', '--timeout', '1', service]);
};

describe('users get an answer', { concurrency: 2 }, () => {
  test('behind nginx that looks the service up once, it is swapped with a gap, and nginx is reloaded', async () => {
    await withShape(ground, { name: 'static' }, async (shape) => {
      await behindNginx(shape, lookedUpOnce.direct);
      await twoReleases(shape, withRestart(shape, 'edge'));
      const result = await shape.rollBack();
      await isBack(shape, result);
      assert.match(result.stdout, /app +one after the other.*edge looks app up only when it starts/);
      assert.match(result.stdout, /edge: its configuration was reloaded/);
      assert.match(result.stdout, new RegExp(`127.0.0.1:${shape.port}: longest downtime`));
      assert.match(result.summary, /Reloaded.*edge/);
      assert.notEqual(result.outputs['downtime-ms'], '0');

      // What was asked for is not what can be done; and what users get counts.
      const forth = await shape.rollBack({ target: 'v2', strategy: 'blue-green' });
      assert.equal(forth.outputs['status'], 'rolled-back', logOf(forth));
      assert.equal(await shape.answer(), 'v2', logOf(forth));

      // A new container without a restart of nginx: the edge answers nobody.
      await shape.compose(['up', '--detach', '--force-recreate', 'app']);
      const dead = await shape.verify();
      assert.equal(dead.outputs['status'], 'failed', logOf(dead));
      assert.match(dead.stdout, new RegExp(`127.0.0.1:${shape.port} answers 50[24]`));
    });
  });

  test('where the proxy has no name of one, and after a target that is ill', async () => {
    const versions = ['v1', 'v2', { version: 'ill', ill: 'health' as const }];
    await withShape(ground, { name: 'dashboard', versions }, async (shape) => {
      const image = shape.repository('dashboard');
      await shape.host.docker('tag', await shape.proxyImage(), `${image}:1`);
      await behindNginx(shape, lookedUpOnce.upstream, { service: 'dashboard', image: `${image}:1` });
      await twoReleases(shape, withRestart(shape, 'dashboard'));
      const login = {
        'registry-username': shape.registry.username,
        'registry-password': shape.registry.password,
      };
      const ill = await shape.rollBack({ target: 'app=ill', 'health-timeout': '20s', ...login });
      assert.equal(ill.outputs['status'], 'reverted', logOf(ill));
      assert.equal(await shape.answer(), 'v2', logOf(ill));
      await isBack(shape, await shape.rollBack());
    });
  });

  test('where the page of the proxy itself answers all the time', async () => {
    await withShape(ground, { name: 'page' }, async (shape) => {
      await behindNginx(shape, lookedUpOnce.behindPage);
      const deploy = withRestart(shape, 'edge');
      for (const version of ['v1', 'v2']) {
        await deploy(version);
        const result = await shape.verify();
        assert.equal(result.outputs['status'], 'verified', logOf(result));
      }
      const result = await shape.rollBack();
      assert.equal(result.outputs['status'], 'rolled-back', logOf(result));
      assert.equal(await shape.answer('/api/version'), 'v1', logOf(result));
    });
  });

  test('an address that answered before must answer afterwards, and must still be published', async () => {
    await withShape(ground, { name: 'address' }, async (shape) => {
      const file = (ports: string[]) => ({ 'docker-compose.yml': { services: { app: shape.app({ ports }) } } });
      await shape.write(file([`127.0.0.1:${shape.port}:8080`]));
      await twoReleases(shape);

      await shape.write(file([`127.0.0.1:${shape.port}:9000`]));
      const silent = await shape.rollBack({ 'health-timeout': '30s' });
      assert.equal(silent.outputs['status'], 'reverted', logOf(silent));
      assert.match(silent.stdout, /no-answer/);
      assert.match(silent.stdout, new RegExp(`127.0.0.1:${shape.port} answered before the swap`));
      assert.equal(await shape.answer(), 'v2');

      await shape.write(file([]));
      const gone = await shape.rollBack();
      assert.equal(gone.outputs['status'], 'refused', logOf(gone));
      assert.match(gone.stdout, new RegExp(`127.0.0.1:${shape.port} answers now, but .* no longer publishes`));
      assert.equal(await shape.answer(), 'v2');

      // Neither makes v1 bad.
      await shape.write(file([`127.0.0.1:${shape.port}:8080`]));
      await isBack(shape, await shape.rollBack());
    });
  });
});

describe('a health test has the time that it was given', { concurrency: 2 }, () => {
  const test12s = 'sleep 12; wget -q -O /dev/null http://127.0.0.1:8080/health';
  test('one that needs 12 s', async () => {
    await withShape(ground, { name: 'slow-test' }, async (shape) => {
      const healthcheck = { test: ['CMD-SHELL', test12s], interval: '1s', timeout: '30s' };
      await shape.write({ 'docker-compose.yml': { services: { app: shape.app({ healthcheck }) } } });
      await twoReleases(shape);
      await isBack(shape, await shape.rollBack());
    });
  });

  test('one that Docker runs every six minutes', async () => {
    await withShape(ground, { name: 'rare-test' }, async (shape) => {
      const healthcheck = { interval: '6m', start_period: '0s' };
      await shape.write({ 'docker-compose.yml': { services: { app: shape.app({ healthcheck }) } } });
      for (const version of ['v1', 'v2']) {
        await shape.deploy(version);
        await shape.serves(version);
        const result = await shape.verify({ 'health-timeout': '10s' });
        assert.equal(result.outputs['status'], 'verified', logOf(result));
      }
      await isBack(shape, await shape.rollBack({ 'health-timeout': '10s' }));
    });
  });
});
