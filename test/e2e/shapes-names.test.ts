// What releases are called, and what a name is worth: tags that move and tags that do not, what is known to be bad, what the
// registry says, and what of it is still there without the registry.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { giveTo } from '../lab/account.ts';
import { push } from '../lab/application.ts';
import { buildApp } from '../lab/images.ts';
import { runAction } from '../lab/runner.ts';
import { adviceIn, errorsOf, logOf } from './expectations.ts';
import { deployedWell, isBack, type Shape, type ShapeOptions, twoReleases, withShape } from './shapes.ts';
import { deployed, registryForFile, withApplication } from './stage.ts';
import { findingOf } from './verifications.ts';

const ground = await registryForFile();
const { lab, registry } = ground;
const login = { 'registry-username': registry.username, 'registry-password': registry.password };

/** A shape with a repository of its own, as the tests of this file point tags at other images. */
const withNames = (options: ShapeOptions, work: (shape: Shape) => Promise<void>) =>
  withShape(ground, { repositories: [options.name], ...options }, (shape) => {
    const repository = () => shape.repository(options.name);
    const app = (fields = {}) => shape.app({ image: `${repository()}:\${TAG}`, ...fields });
    return work({ ...shape, repository, app });
  });

const idOf = async ({ host }: Shape, name: string) =>
  (await host.docker('image', 'inspect', '--format', '{{.ID}}', name)).trim();
const codeOf = (result: Parameters<typeof errorsOf>[0]) => errorsOf(result)[0]?.properties['title'] ?? '';

describe('what a release is called', { concurrency: 2 }, () => {
  test('a version keeps its image on the host, and "expect" does not believe the local tag', async () => {
    await withNames({ name: 'versions' }, async (shape) => {
      await shape.write({ 'docker-compose.yml': { services: { app: shape.app() } } });
      const name = (tag: string) => `${shape.repository()}:${tag}`;
      await shape.host.docker('tag', name('v1'), name('latest'));
      await shape.host.docker('tag', name('v1'), name('a-name-before-v1'));
      await shape.deploy('v1');
      await shape.serves('v1');
      const first = await shape.verify();
      assert.match(findingOf(first, 'image: app').detail, /^runs v1 \([0-9a-f]{12}\), as the compose file says$/);
      await deployedWell(shape, 'v2');
      const [v1, v2] = [await idOf(shape, name('v1')), await idOf(shape, name('v2'))];

      const result = await shape.rollBack();
      await isBack(shape, result);
      assert.match(result.stdout, /Swapped|app +v2 \(/);
      assert.equal(await idOf(shape, name('v2')), v2, 'v2 still is v2');
      assert.match(result.stdout, /\/\.env on the host.*TAG=v1/);
      assert.equal((await shape.verify()).outputs['status'], 'verified', 'a rollback is what somebody wanted');

      // A host on which an earlier version has made v2 stand for the image of v1.
      await shape.host.docker('tag', v1, name('v2'));
      await shape.compose(['up', '--detach', '--force-recreate']);
      await shape.serves('v1');
      for (const [how, inputs] of [
        ['the registry', login],
        ['the history', {}],
      ] as const) {
        const judged = await shape.verify({ expect: 'v2', ...inputs });
        assert.equal(judged.outputs['status'], 'failed', `${how}: ${logOf(judged)}`);
        assert.match(findingOf(judged, 'image: app').detail, new RegExp(`is not v2, .*${how}`), logOf(judged));
      }
      assert.equal((await shape.verify({ expect: 'v1', ...login })).outputs['status'], 'verified');

      await shape.host.docker('tag', v1, name('v3'));
      const unknown = await shape.verify({ expect: 'v3' });
      assert.equal(unknown.outputs['status'], 'could-not-verify', logOf(unknown));
      assert.match(findingOf(unknown, 'image: app').detail, /neither the registry nor the history/);
      await shape.host.docker('rmi', name('v3'));
    });
  });

  test('images that no registry has are judged by what the history has seen', async () => {
    await withNames({ name: 'unpushed', versions: [] }, async (shape) => {
      const name = (tag: string) => `built-here-${shape.host.project}:${tag}`;
      for (const version of ['v1', 'v2'])
        await shape.host.docker('tag', await buildApp(lab.engine, { version }), name(version));
      // biome-ignore lint/suspicious/noTemplateCurlyInString: compose's own variable
      const image = name('${TAG}');
      await shape.write({ 'docker-compose.yml': { services: { app: shape.app({ image, pull_policy: 'never' }) } } });
      await shape.deploy('v1');
      await shape.serves('v1');
      const expect = { expect: 'app=v1', registry: 'docker.io' };
      const first = await shape.verify(expect);
      assert.equal(first.outputs['status'], 'could-not-verify', logOf(first));
      assert.equal((await shape.verify()).outputs['status'], 'verified');
      const again = await shape.verify(expect);
      assert.equal(again.outputs['status'], 'verified', logOf(again));
      assert.match(findingOf(again, 'image: app').detail, /^runs v1 \([0-9a-f]{12}\), as "expect" says$/);
      await deployedWell(shape, 'v2');
      assert.equal((await shape.verify(expect)).outputs['status'], 'failed');
      await isBack(shape, await shape.rollBack());
      await shape.host.docker('rmi', '--force', name('v1'), name('v2')).catch(() => '');
    });
  });

  test('a target that is known to be bad is not taken without a second word', async () => {
    await withNames({ name: 'bad' }, async (shape) => {
      await shape.write({ 'docker-compose.yml': { services: { app: shape.app() } } });
      await twoReleases(shape);

      const missing = await shape.rollBack({ target: 'build-1401', ...login });
      assert.match(codeOf(missing), /: image-missing$/, logOf(missing));
      assert.match(missing.stdout, /v1 +[0-9a-f]{12} +good +20\d\d-/, logOf(missing));
      assert.match(missing.summary, /\| v1 \| .*[0-9a-f]{12}.* \| good \| 20\d\d-/);
      assert.doesNotMatch(missing.summary, /\| v2 \|/, 'what runs is no candidate');

      const ill = { 'health-url': `http://127.0.0.1:${shape.port}/nowhere`, 'health-timeout': '1s' };
      assert.equal((await shape.verify(ill)).outputs['status'], 'failed');
      await isBack(shape, await shape.rollBack());
      const none = await shape.rollBack();
      assert.match(codeOf(none), /: no-target$/, logOf(none));
      assert.match(none.summary, /\| v2 \| .*[0-9a-f]{12}.* \| bad \| /, none.summary);
      const record = /\| v2 \|.*?(\d+-\d+-[0-9a-f]{8})/.exec(none.summary)?.[1];
      assert.ok(record !== undefined, none.summary);

      const planned = await shape.rollBack({ target: 'v2', 'plan-only': 'true' });
      assert.equal(planned.outputs['status'], 'planned', logOf(planned));
      assert.match(planned.stdout, /::warning::.*v2.*(bad|rolled back from)/, logOf(planned));
      const digest = JSON.parse(planned.outputs['to'] ?? '').app.digest;
      for (const target of ['v2', digest, 'app=v2']) {
        const refused = await shape.rollBack({ target });
        assert.match(codeOf(refused), /: target-bad$/, logOf(refused));
        assert.match(adviceIn(refused), /services/);
        assert.ok(adviceIn(refused).includes(record), adviceIn(refused));
        assert.equal(await shape.answer(), 'v1');
      }
      const named = await shape.rollBack({ target: record });
      assert.equal(named.outputs['status'], 'rolled-back', logOf(named));
      assert.match(named.stdout, /::warning::.*(bad|rolled back from)/);
      assert.equal(await shape.answer(), 'v2');
      // Now v1 is what was rolled back from.
      await isBack(shape, await shape.rollBack({ target: 'v1', services: 'app' }));
    });
  });

  test('the plan says what will undo the rollback: a pinned digest, and what updates containers by itself', async () => {
    await withNames({ name: 'undone' }, async (shape) => {
      const name = (tag: string) => `${shape.repository()}:${tag}`;
      const write = (image: string) =>
        shape.write({ 'docker-compose.yml': { services: { app: shape.app({ image }) } } });
      const pinned = async (tag: string) => {
        const names = await shape.host.docker('image', 'inspect', '--format', '{{join .RepoDigests "\\n"}}', name(tag));
        const digest = names
          .split('\n')
          .find((each) => each.startsWith(`${shape.repository()}@`))
          ?.split('@')[1];
        return `${name(tag)}@${digest}`;
      };
      await twoReleases(shape, async (version) => {
        await write(await pinned(version));
        await shape.deploy(version);
      });
      const plan = await shape.rollBack({ 'plan-only': 'true' });
      assert.match(plan.stdout, /::warning::.*app.*pinned.*docker compose up/, logOf(plan));
      const back = await shape.rollBack();
      await isBack(shape, back);
      assert.match(back.stdout, /docker-compose\.yml.*service app.*image: .*:v1@sha256:[0-9a-f]{64}/, logOf(back));

      await shape.host.docker('tag', name('v2'), name('latest'));
      await write(name('latest'));
      await shape.deploy('latest');
      await shape.serves('v2');
      const updater = `watchtower-${shape.host.project}`;
      await shape.host.docker('tag', name('v1'), 'containrrr/watchtower:lab');
      await shape.host.docker('run', '--detach', '--name', updater, 'containrrr/watchtower:lab');
      try {
        const warned = await shape.rollBack({ 'plan-only': 'true', target: 'v1', services: 'app' });
        assert.match(warned.stdout, new RegExp(`::warning::.*${updater}.*app.*latest`), logOf(warned));
        assert.match(warned.stdout, /app +v2 \(/, 'never latest where there is another tag');
      } finally {
        await shape.host.docker('rm', '--force', updater);
        await shape.host.docker('rmi', 'containrrr/watchtower:lab');
      }
    });
  });

  test('a login keeps the context of the docker command, and no helper gets to see it', async () => {
    const dockerHost = lab.engine.dockerHost;
    const folder = `/tmp/context-${process.pid}`;
    const config = { DOCKER_HOST: dockerHost, DOCKER_CONFIG: folder };
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    // With these two in the PATH, `docker login` gives the password to the helper unless it is told not to.
    for (const name of ['pass', 'docker-credential-pass', 'docker-credential-secretservice']) {
      writeFileSync(join(bin, name), `#!/bin/sh\ncat >>${folder}/stolen\nexit 1\n`);
      chmodSync(join(bin, name), 0o755);
    }
    const environment = {
      DOCKER_HOST: '',
      DOCKER_CONTEXT: 'rootless',
      DOCKER_CONFIG: folder,
      PATH: `${bin}:${process.env['PATH']}`,
    };
    try {
      await withNames({ name: 'context', versions: [], environment }, async (shape) => {
        const env = { ...process.env, ...lab.engine.environment };
        const exec = async (...words: string[]) => {
          const outcome = await shape.host.exec(words);
          assert.equal(outcome.code, 0, outcome.stderr);
        };
        await giveTo(shape.host.account, folder);
        const plugins = lab.engine.environment['DOCKER_CONFIG'];
        if (plugins !== undefined) await exec('ln', '-s', `${plugins}/cli-plugins`, `${folder}/cli-plugins`);
        const create = ['docker', 'context', 'create', 'rootless', '--docker', `host=${dockerHost}`];
        await exec('env', '-u', 'DOCKER_CONTEXT', ...create);
        for (const version of ['v1', 'v2', 'v3'])
          await push(registry, env, await buildApp(lab.engine, { version }), [`${shape.repository()}:${version}`]);
        await exec('docker', 'rmi', `${shape.repository()}:v3`);
        await shape.write({ 'docker-compose.yml': { services: { app: shape.app() } } });
        await shape.deploy('v2');
        await shape.serves('v2');
        const judged = await shape.verify({ expect: 'v2', ...login });
        assert.equal(judged.outputs['status'], 'verified', logOf(judged));
        const result = await shape.rollBack({ target: 'v3', ...login });
        assert.equal(result.outputs['status'], 'rolled-back', logOf(result));
        assert.equal(await shape.answer(), 'v3');
        assert.ok((await shape.host.exec(['cat', `${folder}/stolen`])).code !== 0, 'a helper has seen the password');
      });
    } finally {
      rmSync(config.DOCKER_CONFIG, { recursive: true, force: true });
    }
  });
});

describe('without the registry', { concurrency: 1 }, () => {
  test('what ran before a deployment can be brought back, although its tag has moved', async () => {
    // Versions of its own: all of their names go.
    const [first, second] = [`first-${process.pid}`, `second-${process.pid}`];
    const options = { name: 'kept', tags: 'latest', versions: [first, second], runs: first } as const;
    await withApplication(ground, options, async (app) => {
      const ofHost = { ...app.host.inputs(), environment: 'lab', 'min-free-space': '10MiB' };
      const backup = await runAction('backup', { ...ofHost, kind: 'predeployment' });
      assert.equal(backup.exitCode, 0, logOf(backup));
      const [container] = await app.containers('backend');
      await deployed(app, second);

      // What docker image prune removes: images without a name. The first has lost all names that people have given it.
      const id = container?.imageId ?? '';
      const tags = await app.host.docker('image', 'inspect', '--format', '{{join .RepoTags " "}}', id);
      const names = tags
        .trim()
        .split(' ')
        .filter((name) => !name.startsWith('atlasia-keep'));
      await app.host.docker('rmi', ...names);
      await registry.stop();
      try {
        const result = await runAction('rollback', { ...app.inputs(), 'skip-backup': 'true' });
        assert.equal(result.outputs['status'], 'rolled-back', logOf(result));
        await app.serves(first);
        assert.equal((await app.containers('backend'))[0]?.imageId, id);
      } finally {
        await registry.start();
      }
    });
  });
});
