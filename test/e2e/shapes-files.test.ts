// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose, not ours

// Which files make up the project, and what is made from them: what compose itself would use, and what was deployed.
import assert from 'node:assert/strict';
import { symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { adviceIn, errorsOf, logOf } from './expectations.ts';
import { deployedWell, isBack, twoReleases, withShape } from './shapes.ts';
import { registryForFile } from './stage.ts';
import { findingOf } from './verifications.ts';

const ground = await registryForFile();

describe('the files that make up the project', { concurrency: 3 }, () => {
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

describe('what only the shell of the deployer had', { concurrency: 3 }, () => {
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
