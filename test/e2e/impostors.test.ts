// Containers that only look like compose's, and names that only look like the end of a line: what belongs to a project is
// what compose has made for it, and what Docker says is read as Docker has framed it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { succeeded } from './expectations.ts';
import { imageOf, rollBack, rolledBack } from './rollbacks.ts';
import { backup, manifestOf } from './sets.ts';
import { applicationForFile } from './stage.ts';
import { findingOf, verify } from './verifications.ts';

const { lab, app } = await applicationForFile({
  name: 'impostor',
  services: {
    backend: { environment: { 'ODD\nPG_MAJOR,PGDATA': 'x', 'ODD PGDATA': 'y', 'a,"PG_MAJOR","PGDATA",b': 'z' } },
  },
  versions: ['v1', 'v2'],
  runs: 'v2',
});

const rollback = (target: string) => rollBack(app, app.host.newBackupDir(), { target });

/** Every action knows the project as compose has made it. */
async function isKnown(): Promise<void> {
  const dir = app.host.newBackupDir();
  const taken = await backup(app.host, dir);
  succeeded(taken);
  const { release } = await manifestOf(app.host, taken);
  assert.deepEqual(Object.keys(release as object).sort(), ['backend', 'dashboard', 'db']);
  const verified = await verify(app.host, dir, { checks: 'setup,deployment', 'stable-for': '0s' });
  for (const name of ['project', 'database', 'compose file'])
    assert.equal(findingOf(verified, name).result, 'passed', verified.stdout);
  await rolledBack(app, await rollback('v1'), { backend: 'v1', dashboard: 'v1' });
  await rolledBack(app, await rollback('v2'), { backend: 'v2', dashboard: 'v2' });
}

test('names of environment variables are no lines, words or variables of ours', () => isKnown());

describe('started by plain docker run, from an image with labels of compose’s', { concurrency: 1 }, () => {
  /** Runs `work` beside a container that is made, or run, from what `docker commit` makes of another. */
  async function beside(
    how: 'create' | 'run',
    container: string,
    labels: readonly string[],
    work: () => Promise<void>,
  ) {
    const changes = labels.flatMap((label) => ['--change', `LABEL com.docker.compose.${label}`]);
    const image = (await app.host.docker('commit', ...changes, container)).trim();
    const detached = how === 'run' ? ['--detach'] : [];
    const id = (await app.host.docker(how, ...detached, '--entrypoint', 'sleep', image, '3600')).trim();
    try {
      await work();
    } finally {
      await app.host.docker('rm', '--force', id);
      await app.host.docker('rmi', '--force', image);
    }
  }

  test('a container is not the database by some of them', async () => {
    const plain = (await app.host.docker('create', lab.images.postgres)).trim();
    const { project, deployDir } = app.host;
    const labels = [`project=${project}`, `project.working_dir=${deployDir}`, 'service=db', 'oneoff=False'];
    await beside('create', plain, labels, isKnown);
    await app.host.docker('rm', plain);
  });

  test('nor by all of them, as docker commit copies them', async () => {
    await beside('create', await app.host.container('db'), [], isKnown);
  });

  test('and none is part of a service', async () => {
    const [backend] = await app.containers('backend');
    const image = await app.host.docker('inspect', '--format', '{{.Image}}', backend?.id ?? '');
    await beside('run', backend?.id ?? '', [], async () => {
      const result = await rollback('v1');
      assert.equal(result.outputs['status'], 'rolled-back', result.stdout);
    });
    await rolledBack(app, await rollback('v2'), { backend: 'v2', dashboard: 'v2' });
    const [now] = await app.containers('backend');
    assert.equal(now?.imageId, image.trim());
  });
});

test('what compose has made from such an image is the project’s', async () => {
  const [backend] = await app.containers('backend');
  await app.host.docker('commit', backend?.id ?? '', imageOf(app, 'backend', 'latest'));
  const up = ['up', '--detach', '--no-deps', '--force-recreate', '--pull', 'never', 'backend'];
  assert.equal((await app.host.exec(['docker', 'compose', ...up])).code, 0);
  await app.serves('v2');
  const dir = app.host.newBackupDir();
  const result = await verify(app.host, dir, { checks: 'setup' });
  assert.match(findingOf(result, 'project').detail, /backend, dashboard, db/);
  await rolledBack(app, await rollback('v1'), { backend: 'v1', dashboard: 'v1' });
});
