// Whether what runs is what was deployed, and well; and that the button goes back by what was found.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { freePort } from '../lab/port.ts';
import { runAction } from '../lab/runner.ts';
import { historyIn, rolledBack } from './rollbacks.ts';
import { backupInputs, bash, type Inputs, write } from './sets.ts';
import { applicationForFile } from './stage.ts';
import { findingOf, verified, verify } from './verifications.ts';

let dir: string;

const { registry, app } = await applicationForFile({
  name: 'verify',
  versions: [
    ...['v1', 'v2'],
    { version: 'ill', ill: 'health' },
    { version: 'falls', ill: 'start' },
    { version: 'later', ill: 'later', delay: 6 },
  ],
});

beforeEach(() => {
  dir = app.host.newBackupDir();
});

const check = (inputs: Inputs = {}) =>
  verify(app.host, dir, {
    checks: 'deployment',
    environment: app.inputs()['environment'] ?? '',
    registry: registry.address,
    'registry-username': registry.username,
    'registry-password': registry.password,
    'stable-for': '2s',
    'health-timeout': '20s',
    ...inputs,
  });

const deploy = async (version: string) => {
  await app.deploy(version);
  await app.serves(version);
};

const newest = () => historyIn(app, dir).at(-1);

test('a release that is well is a good deployment, and from then on checked', async () => {
  await deploy('v1');
  const result = await check({ expect: 'v1', 'health-url': `http://127.0.0.1:${app.ports.dashboard}/` });
  await verified(app.host, result, 'verified');
  assert.match(findingOf(result, 'image: backend').detail, /^runs v1 \([0-9a-f]{12}\), as "expect" says$/);
  const record = newest();
  assert.equal(record?.id, result.outputs['history-id']);
  assert.deepEqual([record?.event, record?.status, record?.verdict], ['deploy', 'succeeded', 'good']);
  assert.deepEqual(Object.keys(record?.release ?? {}), ['backend', 'dashboard', 'db']);

  await verified(app.host, await check(), 'verified');
  assert.deepEqual([newest()?.event, newest()?.verdict], ['check', 'good']);
  assert.equal(historyIn(app, dir).length, 2);
});

test('one that never becomes healthy is bad, and the button goes back to the one that was found good', async () => {
  await deploy('v1');
  await verified(app.host, await check(), 'verified');
  await app.deploy('ill');
  const result = await check({ 'health-timeout': '3s' });
  assert.equal(result.outputs['status'], 'failed', result.stdout);
  assert.equal(findingOf(result, 'running: backend').result, 'failed');
  assert.match(findingOf(result, 'running: backend').detail, /starting after 3\.0 s|its health check fails/);
  assert.deepEqual([newest()?.event, newest()?.verdict], ['deploy', 'bad']);

  const inputs = { ...backupInputs(app.host, dir), ...app.inputs(), 'backup-dir': dir, 'skip-backup': 'true' };
  await rolledBack(app, await runAction('rollback', inputs), { backend: 'v1', dashboard: 'v1' });
  const again = await check();
  await verified(app.host, again, 'verified');
  assert.deepEqual([newest()?.event, newest()?.verdict], ['check', 'good']);
});

test('one that falls over again and again is bad, in its own words', async () => {
  await deploy('v1');
  await app.deploy('falls');
  const result = await check();
  assert.equal(result.outputs['status'], 'failed');
  assert.match(findingOf(result, 'running: backend').detail, /exit 3.*fatal: cannot start/);
  assert.equal(newest()?.verdict, 'bad');
});

test('one that is well and falls over within stable-for is bad', async () => {
  await deploy('v1');
  await app.deploy('later');
  const result = await check({ 'stable-for': '10s' });
  assert.equal(result.outputs['status'], 'failed', result.stdout);
  assert.equal(newest()?.verdict, 'bad');
});

test('a service that does not run is bad', async () => {
  await deploy('v1');
  const [container] = await app.containers('dashboard');
  await app.host.docker('stop', container?.id ?? '');
  const result = await check();
  assert.match(findingOf(result, 'running: dashboard').detail, /^it is not running: exited/);
  assert.equal(newest()?.verdict, 'bad');
  await app.host.docker('start', container?.id ?? '');
  await app.host.docker('rm', '--force', container?.id ?? '');
  assert.equal(findingOf(await check(), 'running: dashboard').detail, 'it has no container');
});

describe('what is expected', () => {
  test('another release runs and is well: the run fails, and that release is not blamed', async () => {
    await deploy('v2');
    await deploy('v1');
    await verified(app.host, await check(), 'verified');
    const result = await check({ expect: 'v2' });
    await verified(app.host, result, 'failed', { 'image: backend': 'failed', 'image: dashboard': 'failed' });
    assert.match(findingOf(result, 'image: backend').detail, /^runs v1 \(.*\), not v2, which "expect" asks for$/);
    assert.deepEqual([newest()?.event, newest()?.verdict], ['check', 'unknown']);
  });

  test('one service alone, and the others as they are', async () => {
    await deploy('v1');
    const result = await check({ expect: 'backend=v1' });
    await verified(app.host, result, 'verified');
    assert.match(findingOf(result, 'image: dashboard').detail, /"expect" does not include it/);
    await verified(app.host, await check({ expect: 'backend=v2' }), 'failed', { 'image: backend': 'failed' });
  });

  test('a service that is not there fails', async () => {
    await deploy('v1');
    await verified(app.host, await check({ expect: 'frontend=v1' }), 'failed', { expect: 'failed' });
  });

  test('without it, what the compose file names: an image that came to the host and was not put in use', async () => {
    await deploy('v2');
    await deploy('v1');
    for (const service of ['backend', 'dashboard']) {
      const name = `${registry.address}/acme/${service}`;
      await app.host.docker('tag', `${name}:v2`, `${name}:latest`);
    }
    const result = await check();
    await verified(app.host, result, 'failed', { 'image: backend': 'failed', 'image: dashboard': 'failed' });
    assert.match(findingOf(result, 'image: backend').detail, /not latest, which the compose file asks for/);
  });
});

test('an address that does not answer is bad', async () => {
  await deploy('v1');
  const result = await check({ 'health-url': `http://127.0.0.1:${await freePort()}/`, 'health-timeout': '3s' });
  await verified(app.host, result, 'failed', { 'health-url': 'failed' });
  assert.equal(newest()?.verdict, 'bad');
});

test('a project that compose cannot read could not be checked, and nothing is written', async () => {
  await deploy('v1');
  const result = await check({ 'compose-file': 'missing.yml' });
  await verified(app.host, result, 'could-not-verify', { deployment: 'could-not-check' });
  assert.equal(result.outputs['history-id'], '');
  assert.deepEqual(
    app.host.files(dir).filter(({ path }) => path.includes('history')),
    [],
  );
});

describe('Docker does not tell how the containers stand', () => {
  /** The step runs on the host itself, where `docker` fails so often when it is asked for that. */
  async function checkWith(failures: number) {
    await deploy('v1');
    const { account, env } = app.host.localStep();
    const folder = join(app.host.deployDir, dir, 'bin');
    const shim = `#!/bin/bash
      asked=$(dirname "$0")/asked
      touch "$asked"
      if [[ $1 == inspect && $* == *'"restarts"'* ]] && (($(wc -l <"$asked") < ${failures})); then
        echo asked >>"$asked"
        exit 1
      fi
      PATH=\${PATH#*:} exec docker "$@"\n`;
    await write(app.host, join(folder, 'docker'), shim);
    await bash(app.host, 'chmod 700 -- "$1"', join(folder, 'docker'));
    const path = `${folder}:${process.env['PATH']}`;
    return runAction(
      'verify',
      {
        ...backupInputs(app.host, dir),
        host: 'local',
        port: '',
        user: '',
        'ssh-key': '',
        'known-hosts': '',
        checks: 'deployment',
        environment: app.inputs()['environment'] ?? '',
        registry: registry.address,
        'stable-for': '1s',
        'health-timeout': '20s',
      },
      { account, env: { ...env, PATH: path } },
    );
  }

  test('for a moment: it is asked again', async () => {
    await verified(app.host, await checkWith(2), 'verified');
  });

  test('at all: the deployment could not be checked, and no release is blamed', async () => {
    const result = await checkWith(100);
    await verified(app.host, result, 'could-not-verify', { deployment: 'could-not-check' });
    assert.match(findingOf(result, 'deployment').detail, /Docker cannot inspect the containers/);
    assert.equal(result.outputs['history-id'], '');
  });
});
