// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose, not ours

// Which files make up the project, and what is made from them: what compose itself would use, and what was deployed.
import assert from 'node:assert/strict';
import { readFileSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { adviceIn, errorsOf, logOf } from './expectations.ts';
import { deployedWell, isBack, twoReleases, withShape } from './shapes.ts';
import { registryForFile } from './stage.ts';
import { findingOf } from './verifications.ts';

const ground = await registryForFile();

describe('the files that make up the project', { concurrency: 2 }, () => {
  test('an override file beside the compose file stays in force; other files than the deployed ones are refused', async () => {
    await withShape(ground, { name: 'override' }, async (shape) => {
      await shape.write({
        'docker-compose.yml': { services: { app: shape.app({ ports: [] }) } },
        'docker-compose.override.yml': {
          services: {
            app: { ports: [`127.0.0.1:${shape.port}:8080`], volumes: ['data:/data'], environment: { COLOUR: 'blue' } },
          },
          volumes: { data: null },
        },
      });
      await twoReleases(shape);
      for (const result of [
        await shape.rollBack({ 'compose-file': 'docker-compose.yml' }),
        await shape.verify({ 'compose-file': 'docker-compose.yml' }),
      ]) {
        assert.equal(result.exitCode, 1, logOf(result));
        assert.match(errorsOf(result)[0]?.message ?? '', /"compose-file" names docker-compose.yml, but.*override.yml/);
        assert.match(adviceIn(result), /Leave "compose-file" empty/);
      }
      await isBack(shape, await shape.rollBack());
      const [container] = await shape.inspect();
      assert.ok(container?.Config.Env.includes('COLOUR=blue'));
      assert.deepEqual(
        container?.Mounts.map(({ Destination }) => Destination),
        ['/data'],
      );
      // A file that is gone is not passed over.
      const override = join(shape.host.deployDir, 'docker-compose.override.yml');
      const text = readFileSync(override, 'utf8');
      unlinkSync(override);
      const gone = await shape.rollBack({ target: 'v1' });
      assert.equal(gone.outputs['status'], 'refused', logOf(gone));
      assert.match(errorsOf(gone)[0]?.message ?? '', /override.yml, which cannot be read on the host/);
      await shape.write({ 'docker-compose.override.yml': text });
      // The containers of a rollback name the same files.
      await deployedWell(shape, 'v2');
      await isBack(
        shape,
        await shape.rollBack({ 'compose-file': 'docker-compose.yml\ndocker-compose.override.yml', target: 'v1' }),
      );
    });
  });

  test('the repository is the deploy folder, and the compose file lies deep in it', async () => {
    await withShape(ground, { name: 'deep' }, async (shape) => {
      const file = 'infra/deployments/prod/docker-compose.yml';
      await shape.write({
        [file]: { services: { app: shape.app({ env_file: ['app.env'] }) } },
        'infra/deployments/prod/app.env': 'COLOUR=blue\n',
        'deploy.env': 'TAG=none\n',
      });
      const deploy = async (version: string) => {
        await shape.write({ 'deploy.env': `TAG=${version}\n` });
        const words = ['--project-name', shape.host.project, '--env-file', 'deploy.env', '-f', file, 'up', '--detach'];
        await shape.compose(words);
      };
      await twoReleases(shape, deploy);
      await isBack(shape, await shape.rollBack({ 'compose-file': file }));
      await deploy('v2');
      await isBack(shape, await shape.rollBack());
      assert.ok((await shape.inspect())[0]?.Config.Env.includes('COLOUR=blue'));
    });
  });

  test('each release has a folder, and a link leads to the current one', async () => {
    await withShape(ground, { name: 'releases', repositories: ['worker'] }, async (shape) => {
      const deploy = async (version: string) => {
        const release = `releases/${version}`;
        await shape.write({
          [`${release}/docker-compose.yml`]: {
            name: shape.host.project,
            // The first release has started the worker, and no later one has touched it.
            services: { app: shape.app(), worker: { image: `${shape.repository('worker')}:v1`, init: true } },
          },
          [`${release}/.env`]: `TAG=${version}\n`,
        });
        const link = join(shape.host.deployDir, 'current');
        if (version !== 'v1') unlinkSync(link);
        symlinkSync(release, link);
        await shape.compose(['up', '--detach'], { within: release });
      };
      const current = { 'deploy-dir': join(shape.host.deployDir, 'current') };
      const backups = { 'backup-dir': join(shape.host.deployDir, 'backups') };
      for (const version of ['v1', 'v2']) {
        await deploy(version);
        await shape.serves(version);
        const result = await shape.verify({ ...current, ...backups });
        assert.equal(result.outputs['status'], 'verified', logOf(result));
        findingOf(result, 'running: worker');
      }
      await isBack(shape, await shape.rollBack({ ...current, ...backups }));
    });
  });

  test('a service with a profile is rolled back, and judged', async () => {
    await withShape(ground, { name: 'profile', repositories: ['worker'] }, async (shape) => {
      await shape.write({
        'compose.yaml': {
          services: {
            app: shape.app(),
            worker: { image: `${shape.repository('worker')}:\${TAG}`, init: true, profiles: ['jobs'] },
            // Nobody has started this one, although it has the same profile.
            other: { image: `${shape.repository('worker')}:\${TAG}`, init: true, profiles: ['jobs', 'rare'] },
          },
        },
      });
      const deploy = async (version: string) => {
        await shape.write({ '.env': `COMPOSE_PROJECT_NAME=${shape.host.project}\nTAG=${version}\n` });
        await shape.compose(['--profile', 'jobs', 'up', '--detach', 'app', 'worker']);
      };
      await twoReleases(shape, deploy);
      const result = await shape.rollBack();
      await isBack(shape, result);
      const [worker] = await shape.inspect('worker');
      assert.match(worker?.Config.Image ?? '', /worker:v1@/);
      assert.equal(worker?.State.Status, 'running');
      assert.doesNotMatch(logOf(result), /no longer in the compose file/);
      assert.equal((await shape.inspect('other')).length, 0);
    });
  });
});

describe('what only the shell of the deployer had', { concurrency: 2 }, () => {
  for (const [what, tag] of [
    ['that compose demands', '${TAG:?give one}'],
    ['that compose takes for empty', '${TAG}'],
    ['that has a default', '${TAG:-latest}'],
  ] as const)
    test(`a tag ${what}: the running container shows it`, async () => {
      await withShape(ground, { name: 'shell-tag' }, async (shape) => {
        await shape.write({
          'docker-compose.yml': {
            name: shape.host.project,
            services: { app: shape.app({ image: `${shape.repository()}:${tag}` }) },
          },
        });
        await twoReleases(shape, (version) => shape.compose(['up', '--detach'], { env: { TAG: version } }));
        await isBack(shape, await shape.rollBack());
        await isBack(
          shape,
          await shape.rollBack({ target: 'v1' }).then((again) => ({ ...again, outputs: { status: 'rolled-back' } })),
        );
      });
    });
});

describe('settings that the target would lack or get anew', { concurrency: 2 }, () => {
  test('a value that only the shell of the deployer had is not lost, but refused', async () => {
    await withShape(ground, { name: 'shell-value' }, async (shape) => {
      await shape.write({
        'docker-compose.yml': {
          name: shape.host.project,
          services: { app: shape.app({ environment: ['KEY=${SECRET_KEY}', 'PLAIN=x', 'PASSED'] }) },
        },
      });
      const deploy = async (version: string) => {
        await shape.write({ '.env': `TAG=${version}\n` });
        await shape.compose(['up', '--detach'], { env: { SECRET_KEY: 'hunter2', PASSED: 'opensesame' } });
      };
      await twoReleases(shape, deploy);
      const [before] = await shape.inspect();
      const result = await shape.rollBack();
      assert.equal(result.outputs['status'], 'refused', logOf(result));
      assert.match(errorsOf(result)[0]?.message ?? '', /app runs with a value for environment KEY, environment PASSED/);
      assert.match(adviceIn(result), /Set SECRET_KEY, PASSED in \/.*\/\.env/);
      assert.doesNotMatch(logOf(result) + result.summary, /hunter2|opensesame/);
      assert.equal((await shape.inspect())[0]?.State.StartedAt, before?.State.StartedAt);
      await shape.write({ '.env': 'TAG=v2\nSECRET_KEY=hunter2\nPASSED=opensesame\n' });
      await isBack(shape, await shape.rollBack());
      assert.ok((await shape.inspect())[0]?.Config.Env.includes('KEY=hunter2'));
    });
  });

  test('a network that was edited stays as it is, and nothing is stopped for it', async () => {
    await withShape(ground, { name: 'network', newest: true }, async (shape) => {
      const files = (networks: object) => ({
        'docker-compose.yml': { services: { app: shape.app({ networks: ['default', 'back'] }) }, networks },
      });
      await shape.write(files({ back: null }));
      await twoReleases(shape);
      await shape.write(files({ back: { driver_opts: { 'com.docker.network.bridge.enable_icc': 'true' } } }));
      await isBack(shape, await shape.rollBack());
    });
  });

  test('another volume than the one with the data is refused', async () => {
    await withShape(ground, { name: 'volume' }, async (shape) => {
      await shape.write({
        'docker-compose.yml': {
          services: { app: shape.app({ volumes: ['data:/data'] }) },
          volumes: { data: { name: `${shape.host.project}${'${STACK}'}data` } },
        },
      });
      const deploy = async (version: string) => {
        await shape.write({ '.env': `COMPOSE_PROJECT_NAME=${shape.host.project}\nTAG=${version}\n` });
        await shape.compose(['up', '--detach'], { env: { STACK: '-prod-' } });
      };
      await twoReleases(shape, deploy);
      const result = await shape.rollBack();
      assert.equal(result.outputs['status'], 'refused', logOf(result));
      assert.match(errorsOf(result)[0]?.message ?? '', /the volume at \/data/);
      assert.equal(await shape.answer(), 'v2');
    });
  });

  test('what has been edited since the deployment is told of, without its value', async () => {
    await withShape(ground, { name: 'edited' }, async (shape) => {
      await shape.write({
        'docker-compose.yml': {
          services: { app: shape.app({ env_file: ['app.env'], secrets: ['token'] }) },
          secrets: { token: { file: './token.txt' } },
        },
        'app.env': 'COLOUR=blue\nGONE=1\n',
        'token.txt': 'one\n',
      });
      await twoReleases(shape);
      await shape.write({ 'app.env': 'COLOUR=hunter2\nNEW=1\n', 'token.txt': 'hunter2\n' });
      const result = await shape.rollBack({ 'plan-only': 'true' });
      assert.equal(result.outputs['status'], 'planned', logOf(result));
      const log = logOf(result);
      assert.match(log, /app starts with today's settings.*environment COLOUR, environment NEW, environment GONE/);
      assert.match(log, /Files that app mounts have changed.*token\.txt/);
      assert.match(log, /settings of app in the compose files have changed since the target ran: environment\.COLOUR/);
      assert.doesNotMatch(log + result.summary, /hunter2/);
    });
  });

  test('a compose file that came with the bad release: nothing is marked bad, and the kept one leads back', async () => {
    await withShape(ground, { name: 'kept' }, async (shape) => {
      const health = (path: string) => ({
        test: ['CMD', 'wget', '-q', '-O', '/dev/null', `http://127.0.0.1:8080/${path}`],
        interval: '500ms',
        retries: 3,
      });
      const deploy = async (version: string) => {
        const healthcheck = health(version === 'v1' ? 'health' : 'index.html?v2');
        await shape.write({
          'docker-compose.yml': {
            services: { app: shape.app({ healthcheck, environment: { RELEASE: '${TAG}', COLOUR: version } }) },
          },
        });
        await shape.deploy(version);
      };
      await twoReleases(shape, deploy);
      // As if v2 had brought a page that v1 lacks.
      await shape.write({
        'docker-compose.yml': {
          services: { app: shape.app({ healthcheck: health('healthz'), environment: { COLOUR: 'v2' } }) },
        },
      });
      const result = await shape.rollBack();
      assert.equal(result.outputs['status'], 'reverted', logOf(result));
      assert.match(logOf(result), /settings of app in the compose files have changed.*healthcheck.*compose: kept/);
      assert.match(adviceIn(result), /was not marked bad.*compose: kept/);
      await isBack(shape, await shape.rollBack({ compose: 'kept' }));
      const [container] = await shape.inspect();
      assert.ok(container?.Config.Env.includes('COLOUR=v1'));
      const kept = shape.host.files('backups-1/rollback/compose');
      assert.ok(kept.some(({ path }) => path.endsWith('/files/1-docker-compose.yml')));
      assert.ok(kept.filter(({ type }) => type === 'file').every(({ mode }) => (mode & 0o077) === 0));
      // The project is found again, by its own files.
      const again = await shape.verify();
      assert.notEqual(again.outputs['status'], 'could-not-verify', logOf(again));
    });
  });

  for (const newest of [false, true])
    test(`what compose writes into containers at its own start is there (${newest ? 'newest' : 'oldest'} compose)`, async () => {
      await withShape(ground, { name: 'inline', newest }, async (shape) => {
        await shape.write({
          'docker-compose.yml': {
            services: {
              app: shape.app({
                configs: [{ source: 'motd', target: '/www/motd', mode: 0o440 }],
                secrets: ['token'],
              }),
            },
            configs: { motd: { content: 'hello $$5 ${TAG}\n' } },
            secrets: { token: { environment: 'TOKEN' } },
          },
        });
        const deploy = async (version: string) => {
          await shape.write({
            '.env': `COMPOSE_PROJECT_NAME=${shape.host.project}\nTAG=${version}\nTOKEN=hun$$ter2\n`,
          });
          await shape.compose(['up', '--detach']);
        };
        await twoReleases(shape, deploy);
        const result = await shape.rollBack();
        await isBack(shape, result);
        const [container] = await shape.inspect();
        const inside = (...words: string[]) => shape.host.docker('exec', container?.Id ?? '', ...words);
        assert.equal(await inside('cat', '/www/motd'), 'hello $5 v2\n');
        assert.match(await inside('ls', '-l', '/www/motd'), /^-r--r-----/);
        assert.match(await inside('cat', '/run/secrets/token'), /^hun.*ter2$/);
        assert.doesNotMatch(logOf(result), /ter2/);
        const left = shape.host.files('backups-1/rollback').filter(({ path }) => /files\..*base64/.test(path));
        assert.deepEqual(left, []);
        // And where there is no value now, nothing is stopped.
        await deploy('v2');
        await shape.write({ '.env': `COMPOSE_PROJECT_NAME=${shape.host.project}\nTAG=v2\n` });
        const refused = await shape.rollBack({ target: 'v1' });
        assert.equal(refused.outputs['status'], 'refused', logOf(refused));
        assert.match(errorsOf(refused)[0]?.message ?? '', /made from the variable TOKEN, which is not set/);
      });
    });
});
