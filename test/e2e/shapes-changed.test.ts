// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose, not ours

// What a release changes besides its images, and what of it stays: files in volumes, services and ports that came or went, settings
// under which an earlier release fails, and what goes on beside the services.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { freePort } from '../lab/port.ts';
import { adviceIn, errorsOf, logOf } from './expectations.ts';
import { isBack, type Shape, twoReleases, withShape } from './shapes.ts';
import { registryForFile } from './stage.ts';
import { findingOf } from './verifications.ts';

const ground = await registryForFile();

const settings = (shape: Shape, version: string, more = '') => ({
  '.env': `COMPOSE_PROJECT_NAME=${shape.host.project}\nTAG=${version}\n${more}`,
});

/** Deploys a file that may be another for each version, without what the file no longer has. */
const withFile = (shape: Shape, file: (version: string) => object) => async (version: string) => {
  await shape.write({ ...settings(shape, version), 'docker-compose.yml': file(version) });
  await shape.compose(['up', '--detach', '--remove-orphans']);
};

/** An nginx that looks `app` up when it starts. */
const lookingUpOnce =
  'daemon off; user root; pid /run/nginx.pid; error_log stderr; events {} http { access_log off; proxy_connect_timeout 2s; server { listen 80; location / { proxy_pass http://app:8080; } } }';

async function proxyOf(shape: Shape): Promise<object> {
  return {
    image: await shape.proxyImage(),
    ports: [`127.0.0.1:${shape.port}:80`],
    volumes: ['./nginx.conf:/etc/nginx/nginx.conf:ro'],
  };
}

describe('files of an image that a volume lies over', { concurrency: 2 }, () => {
  /** Serves what its image has at /srv/code. */
  async function withCode(shape: Shape): Promise<object> {
    const name = (version: string) => `code-${shape.host.project}:${version}`;
    for (const version of ['v1', 'v2']) {
      await shape.write({
        [`build/${version}/Dockerfile`]: [
          `FROM ${shape.repository()}:${version}`,
          `RUN mkdir -p /srv/code/assets && echo ${version} >/srv/code/version && echo ok >/srv/code/health`,
          'VOLUME /srv/code',
          'CMD ["httpd", "-f", "-p", "8080", "-h", "/srv/code"]',
        ].join('\n'),
      });
      await shape.host.docker('build', '--quiet', '--tag', name(version), join(shape.host.deployDir, 'build', version));
    }
    return shape.app({ image: name('${TAG}'), pull_policy: 'never' });
  }

  /** What was made of an image to look at it. */
  const leftovers = (shape: Shape) =>
    shape.host.docker(
      ...['ps', '--all', '--quiet', '--filter', 'name=atlasia-volumes'],
      ...['--filter', `ancestor=code-${shape.host.project}:v2`],
    );

  test('an anonymous volume that has only those is renewed: the target serves its own', async () => {
    await withShape(ground, { name: 'code' }, async (shape) => {
      await shape.write({ 'docker-compose.yml': { services: { app: await withCode(shape) } } });
      await twoReleases(shape, async (version) => {
        await shape.write(settings(shape, version));
        await shape.compose(['down', '--timeout', '1']);
        await shape.compose(['up', '--detach']);
      });
      const result = await shape.rollBack();
      await isBack(shape, result);
      assert.match(logOf(result), /anonymous volume of app at \/srv\/code has only files of its image/);
      assert.equal(await leftovers(shape), '');
    });
  });

  test('one with data is taken over, and so is one with a name; the plan says what may come of it', async () => {
    await withShape(ground, { name: 'code-data' }, async (shape) => {
      const app = await withCode(shape);
      await shape.write({
        'docker-compose.yml': {
          services: { app, named: { ...app, ports: [], volumes: ['code:/srv/code'] } },
          volumes: { code: null },
        },
      });
      for (const version of ['v1', 'v2']) {
        await shape.write(settings(shape, version));
        await shape.compose(['down', '--timeout', '1']);
        await shape.compose(['up', '--detach']);
        await shape.serves(version);
        assert.equal((await shape.verify()).outputs['status'], 'verified');
      }
      const [before] = await shape.inspect();
      await shape.host.docker('exec', before?.Id ?? '', 'sh', '-c', 'echo mine >/srv/code/assets/upload');
      const result = await shape.rollBack();
      assert.equal(result.outputs['status'], 'rolled-back', logOf(result));
      assert.equal(await shape.answer('/assets/upload'), 'mine');
      for (const service of ['app', 'named'])
        assert.match(
          logOf(result),
          new RegExp(`::warning::The image of ${service} has files at /srv/code, but a volume lies over`),
        );
      assert.equal(await leftovers(shape), '');
    });
  });
});

describe('services and ports that came or went with a release', { concurrency: 2 }, () => {
  test('a service that the bad release has dropped comes back with the settings of that time', async () => {
    await withShape(ground, { name: 'dropped' }, async (shape) => {
      const deploy = withFile(shape, (version) => ({
        services: { app: shape.app(), ...(version === 'v1' && { worker: shape.app({ ports: [] }) }) },
      }));
      await twoReleases(shape, deploy);
      const planned = await shape.rollBack({ 'plan-only': 'true' });
      assert.match(logOf(planned), /::warning::worker was part of that release.*leaves it out.*compose: kept/);
      const result = await shape.rollBack({ compose: 'kept' });
      await isBack(shape, result);
      const [worker, ...others] = await shape.inspect('worker');
      assert.deepEqual([worker?.State.Status, others.length], ['running', 0], logOf(result));
      assert.ok(worker?.Config.Env.includes('VERSION=v1'));
    });
  });

  test('a port that has moved moves back with the settings of that time, though the new one answers', async () => {
    await withShape(ground, { name: 'moved' }, async (shape) => {
      const moved = await freePort();
      const deploy = withFile(shape, (version) => ({
        services: { app: shape.app({ ports: [`127.0.0.1:${version === 'v1' ? shape.port : moved}:8080`] }) },
      }));
      for (const [version, port] of [
        ['v1', shape.port],
        ['v2', moved],
      ] as const) {
        await deploy(version);
        while ((await shape.answer('/version', port)) !== version)
          await new Promise((resolve) => setTimeout(resolve, 200));
        assert.equal((await shape.verify()).outputs['status'], 'verified');
      }
      const result = await shape.rollBack({ compose: 'kept' });
      await isBack(shape, result);
      assert.match(logOf(result), new RegExp(`::warning::127.0.0.1:${moved} answered before; app does not publish it`));
    });
  });

  test('what was started from another folder under the same name, and last, is something apart', async () => {
    await withShape(ground, { name: 'apart' }, async (shape) => {
      await shape.write({
        'docker-compose.yml': { services: { app: shape.app() } },
        'monitoring/docker-compose.yml': {
          services: { agent: shape.app({ ports: [], image: `${shape.repository()}:v1` }) },
        },
      });
      await twoReleases(shape);
      await shape.compose(['up', '--detach'], {
        within: 'monitoring',
        env: { COMPOSE_PROJECT_NAME: shape.host.project },
      });
      const [before] = await shape.inspect('agent');
      await isBack(shape, await shape.rollBack());
      assert.equal((await shape.inspect('agent'))[0]?.State.StartedAt, before?.State.StartedAt);
    });
  });

  test('a port that something else holds now is told of before anything stops', async () => {
    await withShape(ground, { name: 'taken' }, async (shape) => {
      await shape.write({ 'nginx.conf': lookingUpOnce });
      const edge = await proxyOf(shape);
      const deploy = withFile(shape, (version) =>
        version === 'v1'
          ? { services: { app: shape.app() } }
          : { services: { app: shape.app({ ports: [] }), edge: { ...edge, depends_on: ['app'] } } },
      );
      await twoReleases(shape, deploy);
      const before = await shape.inspect();
      const refused = await shape.rollBack({ compose: 'kept' });
      assert.equal(refused.outputs['status'], 'refused', logOf(refused));
      assert.match(
        errorsOf(refused)[0]?.message ?? '',
        new RegExp(`port ${shape.port} of the host, which ${shape.host.project}-edge-1 holds`),
      );
      assert.match(adviceIn(refused), /docker stop/);
      assert.equal((await shape.inspect())[0]?.State.StartedAt, before[0]?.State.StartedAt);
      await shape.compose(['stop', '--timeout', '1', 'edge']);
      await isBack(shape, await shape.rollBack({ compose: 'kept' }));
    });
  });
});

describe('what users get', { concurrency: 2 }, () => {
  test('a page that answers with an error where none was before takes the rollback back; a check does not call it good', async () => {
    await withShape(ground, { name: 'errors' }, async (shape) => {
      await shape.write({
        'answer.sh': [
          'read -r _',
          'case $VERSION$SETTING in v1new) status="500 Oops" ;; *) status="200 OK" ;; esac',
          'printf "HTTP/1.1 $status\\r\\nContent-Length: 3\\r\\nConnection: close\\r\\n\\r\\n$VERSION\\n"',
        ].join('\n'),
        'docker-compose.yml': {
          services: {
            app: shape.app({
              command: ['nc', '-ll', '-p', '8080', '-e', 'sh', '/answer.sh'],
              environment: { SETTING: '${SETTING:-}' },
              volumes: ['./answer.sh:/answer.sh:ro'],
              healthcheck: { disable: true },
              stop_grace_period: '1s',
            }),
          },
        },
      });
      const deploy = async (version: string, setting = version === 'v2' ? 'SETTING=new\n' : '') => {
        await shape.write(settings(shape, version, setting));
        await shape.compose(['up', '--detach']);
      };
      await twoReleases(shape, deploy);
      const result = await shape.rollBack({ 'health-timeout': '20s' });
      assert.equal(result.outputs['status'], 'reverted', logOf(result));
      assert.match(errorsOf(result)[0]?.properties['title'] ?? '', /no-answer/);
      assert.equal(await shape.answer(), 'v2');
      await isBack(shape, await shape.rollBack({ compose: 'kept' }));

      await deploy('v1', 'SETTING=new\n');
      const verified = await shape.verify();
      assert.match(findingOf(verified, 'addresses').detail, /answers 500: app fails/);
      const history = readFileSync(join(shape.host.deployDir, shape.backupDir, 'rollback', 'history.jsonl'), 'utf8');
      assert.match(history.trimEnd().split('\n').at(-1) ?? '', /"verdict":"unknown"/);
    });
  });

  test('a proxy of another project that looks services up once is reloaded', async () => {
    await withShape(ground, { name: 'neighbour' }, async (shape) => {
      const [network, other] = [`${shape.host.project}-edge`, `${shape.host.project}edge`];
      const hole = `${shape.host.project}-hole`;
      const edge = { within: 'edge', env: { COMPOSE_PROJECT_NAME: other } };
      const networks = { edge: { external: true, name: network } };
      await shape.host.docker('network', 'create', network);
      // It has an address that is free later on, so that the next container gets another one than the one before it.
      await shape.host.docker('run', '--detach', '--network', network, '--name', hole, `${shape.repository()}:v1`);
      try {
        await shape.write({
          'docker-compose.yml': { services: { app: shape.app({ ports: [], networks: ['edge'] }) }, networks },
          'edge/nginx.conf': lookingUpOnce,
          'edge/docker-compose.yml': {
            services: { proxy: { ...(await proxyOf(shape)), networks: ['edge'] } },
            networks,
          },
        });
        await twoReleases(shape, async (version) => {
          await shape.deploy(version);
          await shape.compose(['up', '--detach', '--force-recreate', '--timeout', '1'], edge);
        });
        await shape.host.docker('rm', '--force', hole);
        const result = await shape.rollBack();
        await isBack(shape, result);
        assert.match(logOf(result), new RegExp(`${other}-proxy-1: its configuration was reloaded`));
      } finally {
        await shape.compose(['down', '--timeout', '1'], edge);
        await shape.host.docker('rm', '--force', hole).catch(() => '');
        await shape.host.docker('rm', '--force', ...(await shape.inspect()).map(({ Id }) => Id)).catch(() => '');
        await shape.host.docker('network', 'rm', network);
      }
    });
  });

  test('what docker compose run has started goes on with the bad release, and the plan says so', async () => {
    await withShape(ground, { name: 'one-off' }, async (shape) => {
      await shape.write({ 'docker-compose.yml': { services: { app: shape.app() } } });
      await twoReleases(shape);
      await shape.compose(['run', '--detach', '--name', `${shape.host.project}-console`, 'app']);
      const result = await shape.rollBack();
      await isBack(shape, result);
      assert.match(
        logOf(result),
        new RegExp(`::warning::${shape.host.project}-console, started by docker compose run, goes on`),
      );
    });
  });

  test('what Docker says of a log that it cannot read is no output of the container', async () => {
    const versions = ['v1', 'v2', { version: 'v3', ill: 'start' as const }];
    await withShape(ground, { name: 'no-logs', versions }, async (shape) => {
      await shape.write({ 'docker-compose.yml': { services: { app: shape.app({ logging: { driver: 'none' } }) } } });
      await twoReleases(shape);
      const { username, password } = shape.registry;
      const login = { 'registry-username': username, 'registry-password': password };
      const result = await shape.rollBack({ target: 'v3', ...login });
      assert.match(
        errorsOf(result)[0]?.message ?? '',
        /app is not running: exited \(exit 3\)\. Docker cannot read its output/,
      );
      assert.doesNotMatch(logOf(result) + result.summary, /configured logging driver/);
    });
  });
});
