// The thirteen faults of the scripts that this replaces, and what the button promises besides. After each run the host is
// in one of two states: the target runs and is proven, or exactly what ran before.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { run } from '../lab/command.ts';
import { until } from '../lab/faults.ts';
import { runAction, startAction } from '../lab/runner.ts';
import { errorsOf } from './expectations.ts';
import {
  historyFile,
  historyIn,
  imageOf,
  newBackupDirOf,
  nothingLeft,
  notRolledBack,
  plantFile,
  plantHistory,
  rollBack,
  rollbackInputs,
  rolledBack,
  sameContainers,
  snapshotOf,
} from './rollbacks.ts';
import type { Inputs } from './sets.ts';
import { applicationForFile, withApplication } from './stage.ts';

const { lab, registry, app } = await applicationForFile({
  name: 'back',
  versions: [
    ...['v1', 'v2', 'v3', 'v4'],
    { version: 'ill', ill: 'health' },
    { version: 'dead', ill: 'start' },
    { version: 'late', ill: 'later', delay: 4 },
    { version: 'deaf', ill: 'deaf' },
    { version: 'slow', ill: 'slow', delay: 3 },
  ],
});

const running = (version: string) => newBackupDirOf(app, version);

const rollback = (backupDir: string, more: Inputs = {}) => rollBack(app, backupDir, more);

describe('the faults of the scripts', { concurrency: 1 }, () => {
  test('1: the compose file says latest, and the target really runs', async () => {
    const backupDir = await running('v2');
    await plantHistory(app, backupDir, [{ backend: 'v1', dashboard: 'v1' }]);
    const result = await rollback(backupDir);
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
    // What a later `docker compose up` by hand would start is the target as well.
    await app.host.exec([
      'docker',
      'compose',
      'up',
      '--detach',
      '--no-deps',
      '--pull',
      'never',
      'backend',
      'dashboard',
    ]);
    await app.serves('v1');
  });

  test('2: where something else runs in the end, it is no success', async () => {
    const backupDir = await running('v2');
    await plantHistory(app, backupDir, [{ backend: 'v1', dashboard: 'v1' }]);
    const action = await startAction('rollback', rollbackInputs(app, backupDir, { 'stable-for': '8s' }));
    await action.sawLog(/All swapped services are healthy/);
    // A deployment that does not ask for the lock.
    await app.host.exec([
      'docker',
      'compose',
      'up',
      '--detach',
      '--no-deps',
      '--force-recreate',
      '--pull',
      'never',
      'backend',
    ]);
    const result = await action.finished;
    assert.notEqual(result.exitCode, 0, result.stdout);
    assert.ok(['reverted', 'failed'].includes(result.outputs['status'] ?? ''), result.stdout);
    assert.equal(await app.versionOf('backend'), 'v2', result.stdout);
  });

  test('3: the target is the last good release, not the one before it', async () => {
    const backupDir = await running('v4');
    await plantHistory(app, backupDir, [
      { backend: 'v1', dashboard: 'v1' },
      { backend: 'v2', dashboard: 'v2' },
      { backend: 'v3', dashboard: 'v3' },
      { backend: 'v4', dashboard: 'v4', verdict: 'bad' },
    ]);
    await rolledBack(app, await rollback(backupDir), { backend: 'v3', dashboard: 'v3' });
  });

  test('4: a second and a third rollback go further back, and then there is nothing', async () => {
    const backupDir = await running('v4');
    await plantHistory(app, backupDir, [
      { backend: 'v1', dashboard: 'v1' },
      { backend: 'v2', dashboard: 'v2' },
      { backend: 'v3', dashboard: 'v3' },
    ]);
    for (const version of ['v3', 'v2', 'v1']) {
      await rolledBack(app, await rollback(backupDir), { backend: version, dashboard: version });
    }
    const seen = await snapshotOf(app);
    await notRolledBack(app, await rollback(backupDir), {
      status: 'refused',
      code: 'no-target',
      message:
        /nothing to roll back to: each of the 2 other releases in the history was marked bad or rolled back from/,
      hint: /Set "target" to a tag/,
    });
    sameContainers(seen, await snapshotOf(app));
    const events = historyIn(app, backupDir).map(({ event, status, verdict }) => `${event} ${status} ${verdict}`);
    assert.deepEqual(events.slice(3), Array(3).fill('rollback succeeded good'));
  });

  test('5: a reference with a port and a digest is read as Docker reads it', async () => {
    const backupDir = await running('v2');
    const result = await rollback(backupDir, { target: 'v1' });
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
    const release = JSON.parse(result.outputs['to'] ?? '');
    assert.match(release.backend.image, new RegExp(`^${registry.address}/acme/backend:v1@sha256:[0-9a-f]{64}$`));
    assert.equal(release.backend.tag, 'v1');
  });

  test('6: each service goes back to what it was, not to the tag of another', async () => {
    const backupDir = await running('v4');
    await plantHistory(app, backupDir, [{ backend: 'v1', dashboard: 'v2' }]);
    await rolledBack(app, await rollback(backupDir), { backend: 'v1', dashboard: 'v2' });
  });

  test('7: an image that is nowhere refuses, before anything is stopped', async () => {
    const backupDir = await running('v2');
    const seen = await snapshotOf(app);
    await notRolledBack(app, await rollback(backupDir, { target: 'v99' }), {
      status: 'refused',
      code: 'image-missing',
      message: /acme\/backend:v99 is neither in the registry nor on the host/,
      hint: /Nothing was stopped/,
    });
    sameContainers(seen, await snapshotOf(app));
  });

  test('8: the database and what is not meant stay as they are', async () => {
    const backupDir = await running('v2');
    const seen = await snapshotOf(app);
    await rolledBack(app, await rollback(backupDir, { target: 'v1', services: 'dashboard' }), {
      backend: 'v2',
      dashboard: 'v1',
    });
    const now = await snapshotOf(app);
    assert.deepEqual([now['db'], now['backend']], [seen['db'], seen['backend']]);
  });

  for (const [version, message] of [
    ['ill', /backend/],
    ['dead', /backend .*(exit 3|exited).*fatal: cannot start/],
    ['late', /(backend|dashboard) .*(exit 4|exited)/],
  ] as const) {
    test(`9: a target that is ${version} is taken back, and said to be so`, async () => {
      const backupDir = await running('v2');
      const seen = await snapshotOf(app);
      const result = await rollback(backupDir, { target: version, 'health-timeout': '30s', 'stable-for': '6s' });
      await notRolledBack(app, result, { status: 'reverted', message, hint: /The previous release is running again/ });
      sameContainers(seen, await snapshotOf(app));
      await app.serves('v2');
      const [record] = historyIn(app, backupDir).slice(-1);
      assert.deepEqual([record?.status, record?.verdict], ['reverted', 'bad']);
      assert.ok(!existsSync(join(app.host.deployDir, backupDir, 'rollback', 'HOLD')));
    });
  }

  test('10: nobody is asked anything; production wants the word, exactly', async () => {
    const backupDir = await running('v2');
    for (const confirm of ['', 'rollback', 'ROLLBACK!']) {
      const result = await rollback(backupDir, { target: 'v1', environment: 'production', confirm });
      await notRolledBack(app, result, {
        status: 'refused',
        code: 'bad-input',
        message: /Input "confirm" .*production/,
        hint: /confirm: ROLLBACK/,
      });
    }
    const result = await rollback(backupDir, { target: 'v1', environment: 'production', confirm: 'ROLLBACK' });
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
  });

  test('11: fixed names and ports go over to the new containers, and the reason for the gap is told', async () => {
    const backupDir = await running('v2');
    const seen = await snapshotOf(app);
    const result = await rollback(backupDir, { target: 'v1' });
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
    const now = await snapshotOf(app);
    assert.deepEqual(
      ['backend', 'dashboard'].map((service) => now[service]?.map(({ name }) => name)),
      ['backend', 'dashboard'].map((service) => seen[service]?.map(({ name }) => name)),
    );
    assert.match(result.stdout, /backend +one after the other.*it has a fixed name .*it publishes a port of the host/);
    assert.ok(Number(result.outputs['downtime-ms']) > 0, 'a gap was measured');
    assert.ok(Number(result.outputs['failed-requests']) > 0);
  });

  test('12: a schema that has changed since is told of before anything is done; the data stay', async () => {
    const backupDir = await running('v1');
    const backup = {
      ...app.host.inputs(),
      environment: 'lab',
      'backup-dir': backupDir,
      'min-free-space': '10MiB',
      history: '',
    };
    assert.equal((await runAction('backup', backup)).exitCode, 0);
    await app.deploy('v2');
    await app.serves('v2');
    await app.host.psql('CREATE TABLE added_by_v2 (x int)');
    assert.equal((await runAction('backup', backup)).exitCode, 0);
    const result = await rollback(backupDir);
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
    assert.match(
      result.stdout,
      /::warning::Added to the database schema since the target ran.*: table public\.added_by_v2/,
    );
    assert.equal((await app.host.psql('SELECT count(*) FROM added_by_v2')).trim(), '0');
    await app.host.psql('DROP TABLE added_by_v2');
  });

  test('13: another host key than the one that is known is not talked to', async () => {
    const backupDir = await running('v2');
    const seen = await snapshotOf(app);
    const key = app.host.ssh.knownHosts.replace(/AAAAC3NzaC1lZDI1NTE5AAAAI.{4}/, 'AAAAC3NzaC1lZDI1NTE5AAAAIAAAA');
    await notRolledBack(app, await rollback(backupDir, { target: 'v1', 'known-hosts': key }), {
      status: 'refused',
      code: 'host-key-changed',
      message: /key/,
      hint: /./,
    });
    sameContainers(seen, await snapshotOf(app));
  });
});

describe('the button', { concurrency: 1 }, () => {
  test('with a backup before it: verified, in its own tier, and named in the history', async () => {
    const backupDir = await running('v2');
    const result = await rollback(backupDir, { target: 'v1', 'skip-backup': 'false', reason: 'v2 loses orders' });
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
    const id = result.outputs['backup-id'];
    assert.match(id ?? '', /^\d{8}_\d{6}$/);
    const sums = ['bash', '-c', `cd ${backupDir}/rollback && sha256sum --check prerollback_${id}.sha256`];
    const outcome = await app.host.exec(sums);
    assert.equal(outcome.code, 0, outcome.stderr);
    const [record] = historyIn(app, backupDir).slice(-1);
    assert.equal(record?.backupId, id);
    assert.equal(record?.reason, 'v2 loses orders');
    assert.equal(record?.id, result.outputs['history-id']);
    assert.equal(record?.downtimeMs, Number(result.outputs['downtime-ms']));
    const hold = readFileSync(join(app.host.deployDir, backupDir, 'rollback', 'HOLD'), 'utf8');
    assert.match(hold, /^reason=v2 loses orders$/m);
    assert.match(result.summary, /^## ✅ Rolled back to backend v1, dashboard v1/);
    assert.match(result.summary, /× down/);
  });

  test('a deployment is refused while HOLD stands, and goes on when it is released', async () => {
    const backupDir = await running('v2');
    await rolledBack(app, await rollback(backupDir, { target: 'v1' }), { backend: 'v1' });
    const backup = {
      ...app.host.inputs(),
      'backup-dir': backupDir,
      environment: 'lab',
      history: '',
      'min-free-space': '10MiB',
    };
    const refused = await runAction('backup', { ...backup, kind: 'predeployment' });
    assert.equal(refused.exitCode, 1);
    assert.match(
      refused.stdout,
      /Refusing the backup for a deployment: deployments have been on hold since .*reason: a rollback/,
    );
    assert.equal((await runAction('backup', backup)).exitCode, 0, 'the nightly backup is taken all the same');
    const released = await runAction('backup', { ...backup, kind: 'predeployment', 'release-hold': 'true' });
    assert.equal(released.exitCode, 0, released.stdout);
    assert.ok(!existsSync(join(app.host.deployDir, backupDir, 'rollback', 'HOLD')));
    assert.match(readFileSync(historyFile(app, backupDir), 'utf8'), /HOLD released/);
    assert.equal((await runAction('backup', { ...backup, kind: 'predeployment' })).exitCode, 0);
  });

  test('plan-only changes nothing, and its plan is the one that is carried out', async () => {
    const backupDir = await running('v2');
    const seen = await snapshotOf(app);
    const files = app.host.files(backupDir);
    const planned = await rollback(backupDir, { target: 'v1', 'plan-only': 'true', environment: 'prod' });
    assert.equal(planned.exitCode, 0, planned.stdout + planned.stderr);
    assert.equal(planned.outputs['status'], 'planned');
    sameContainers(seen, await snapshotOf(app));
    assert.deepEqual(app.host.files(backupDir), files);
    const hash = planned.outputs['plan-hash'] ?? '';
    assert.match(hash, /^[0-9a-f]{64}$/);
    await notRolledBack(app, await rollback(backupDir, { target: 'v3', 'expect-plan': hash }), {
      status: 'refused',
      code: 'plan-changed',
      message: /The plan has changed since it was reviewed/,
      hint: /expect-plan: [0-9a-f]{64}/,
    });
    await rolledBack(app, await rollback(backupDir, { target: 'v1', 'expect-plan': hash }), { backend: 'v1' });
  });

  test('nothing is done where the target runs already', async () => {
    const backupDir = await running('v2');
    const seen = await snapshotOf(app);
    for (const target of ['v2', 'backend=v2']) {
      const result = await rollback(backupDir, { target });
      assert.equal(result.exitCode, 0, result.stdout + result.stderr);
      assert.equal(result.outputs['status'], 'unchanged');
    }
    sameContainers(seen, await snapshotOf(app));
  });

  test('an image that must be pulled is pulled with the login, which leaves no trace', async () => {
    const backupDir = await running('v2');
    await app.forget('v3');
    const result = await rollback(backupDir, { target: 'v3' });
    await rolledBack(app, result, { backend: 'v3', dashboard: 'v3' });
    const { stdout } = await app.host.exec([
      'bash',
      '-c',
      'cat ~/.docker/config.json "$DOCKER_CONFIG/config.json" 2>/dev/null; grep -rl -- "$1" . /dev/shm 2>/dev/null',
      'bash',
      registry.password,
    ]);
    assert.ok(!stdout.includes(registry.password) && !/acme|auths":{"/.test(stdout), stdout);
  });

  for (const [what, broken, mended, code] of [
    ['is down', () => registry.stop(), () => registry.start(), 'registry-unreachable'],
  ] as const) {
    test(`a registry that ${what} refuses a target that is not here, and does not matter for one that is`, async () => {
      const backupDir = await running('v2');
      await app.forget('v4');
      const seen = await snapshotOf(app);
      await broken();
      try {
        await notRolledBack(app, await rollback(backupDir, { target: 'v4' }), {
          status: 'refused',
          code,
          message: /cannot reach the registry/,
          hint: /Nothing was stopped/,
        });
        sameContainers(seen, await snapshotOf(app));
        await plantHistory(app, backupDir, [{ backend: 'v1', dashboard: 'v1' }]);
        await rolledBack(app, await rollback(backupDir), { backend: 'v1', dashboard: 'v1' });
      } finally {
        await mended();
      }
    });
  }

  test('a registry that refuses the login refuses the rollback', async () => {
    const backupDir = await running('v2');
    const seen = await snapshotOf(app);
    await notRolledBack(app, await rollback(backupDir, { target: 'v4', 'registry-password': 'wrong-password' }), {
      status: 'refused',
      code: 'registry-refused',
      message: /refuses the login/,
      hint: /packages: read/,
    });
    sameContainers(seen, await snapshotOf(app));
  });

  test('a target that needs its time is waited for; one that was deaf is killed, and that is told', async () => {
    const backupDir = await running('deaf');
    await until('deaf serves', async () => ((await app.versionOf('dashboard')) === 'deaf' ? true : undefined));
    const result = await rollback(backupDir, { target: 'slow', 'stop-timeout': '2s' });
    await rolledBack(app, result, { backend: 'slow', dashboard: 'slow' });
    assert.match(result.stdout, /::warning::backend did not stop when asked/);
  });

  test('a gap that is longer than max-downtime is taken back', async () => {
    const backupDir = await running('v2');
    const seen = await snapshotOf(app);
    await notRolledBack(app, await rollback(backupDir, { target: 'slow', 'max-downtime': '1s' }), {
      status: 'reverted',
      code: 'max-downtime',
      message: /did not answer for \d+ ms; max-downtime is 1000 ms/,
      hint: /The previous release is running again/,
    });
    sameContainers(seen, await snapshotOf(app));
    assert.equal(historyIn(app, backupDir).at(-1)?.verdict, 'unknown', 'a slow swap does not make a release bad');
  });

  test('health-url decides as well', async () => {
    const backupDir = await running('v2');
    const seen = await snapshotOf(app);
    const url = (path: string) => `http://127.0.0.1:${app.ports.dashboard}/${path}`;
    const bad = await rollback(backupDir, { target: 'v1', 'health-url': url('nowhere'), 'health-timeout': '12s' });
    await notRolledBack(app, bad, {
      status: 'reverted',
      code: 'health-url',
      message: /did not return success$/,
      hint: /./,
    });
    sameContainers(seen, await snapshotOf(app));
    // The target counts as bad since then, and so has to be meant.
    const again = { target: 'v1', 'health-url': url('health') };
    const unmeant = await rollback(backupDir, again);
    assert.match(errorsOf(unmeant)[0]?.properties['title'] ?? '', /: target-bad$/);
    const good = await rollback(backupDir, { ...again, services: 'backend\ndashboard' });
    await rolledBack(app, good, { backend: 'v1', dashboard: 'v1' });
  });

  test('on-failure: leave leaves the target as it is, and fails', async () => {
    const backupDir = await running('v2');
    const result = await rollback(backupDir, { target: 'ill', 'on-failure': 'leave', 'health-timeout': '20s' });
    assert.equal(result.exitCode, 1);
    assert.equal(result.outputs['status'], 'failed');
    assert.equal(await app.versionOf('backend'), 'ill');
    // Both are there: an operator can look at the one, and start the other.
    const ended = await app.host.exec([
      'bash',
      '-c',
      `cd ${backupDir}/rollback/transactions/* && bash engine.sh; tail -n 1 journal`,
    ]);
    assert.match(ended.stdout, /ended\tfailed/);
    for (const { id, name } of await app.containers('backend')) {
      if (!name.endsWith('-backend')) await run(['docker', 'rm', '--force', id], { env: app.host.env });
    }
    for (const service of ['backend', 'dashboard'] as const) {
      for (const { id } of await app.containers(service))
        await run(['docker', 'rm', '--force', id], { env: app.host.env });
    }
  });

  test('nothing to go back to: an empty history, a torn one, one of the scripts', async () => {
    const backupDir = await running('v2');
    const refusal = {
      status: 'refused',
      code: 'no-target',
      message: /nothing to roll back to/,
      hint: /target/,
    } as const;
    await notRolledBack(app, await rollback(backupDir), refusal);
    await plantFile(app, backupDir, 'deployment_tags.log', '20261101_120000,v1,v1\n20261102_120000,v3,v3\n');
    await notRolledBack(app, await rollback(backupDir), refusal);
    await plantHistory(app, backupDir, [{ backend: 'v1', dashboard: 'v1' }]);
    const file = historyFile(app, backupDir);
    await plantFile(app, backupDir, 'history.jsonl', `${readFileSync(file, 'utf8')}{"version":1,"id":"0-0-0000`);
    const result = await rollback(backupDir);
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
    assert.match(result.stdout, /::notice::line 2 of the history cannot be read/);
  });

  test('a poisoned history names no command, path or repository that is used', async () => {
    const backupDir = await running('v2');
    const seen = await snapshotOf(app);
    await plantHistory(app, backupDir, [{ backend: 'v1', dashboard: 'v1' }]);
    const good = readFileSync(historyFile(app, backupDir), 'utf8').trim();
    for (const [from, to] of [
      [/"tag":"latest"/g, '"tag":"$(touch /tmp/pwned)"'],
      [/"backend":/g, '"../../etc":'],
      [/sha256:[0-9a-f]{64}/, 'sha256:$(id)'],
    ] as const) {
      await plantFile(app, backupDir, 'history.jsonl', `${good.replace(from, to)}\n`);
      const result = await rollback(backupDir);
      assert.equal(result.outputs['status'], 'refused', result.stdout);
      assert.ok(!existsSync('/tmp/pwned'));
    }
    sameContainers(seen, await snapshotOf(app));
    // Another repository: the digest is looked for in the compose file's own.
    await plantFile(app, backupDir, 'history.jsonl', `${good.replaceAll('/acme/', '/evil/')}\n`);
    const result = await rollback(backupDir);
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
    assert.doesNotMatch(JSON.parse(result.outputs['to'] ?? '').backend.image, /evil/);
  });

  test('services that compose no longer has, and that the history does not know', async () => {
    const backupDir = await running('v2');
    await plantHistory(app, backupDir, [{ backend: 'v1' }]);
    const lines = readFileSync(historyFile(app, backupDir), 'utf8').replace(
      '"release":{',
      '"release":{"gone":{"image":null,"tag":"x","digest":null,"imageId":null},',
    );
    await plantFile(app, backupDir, 'history.jsonl', lines);
    const result = await rollback(backupDir);
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v2' });
    assert.match(result.stdout, /gone was part of that release, but is no longer in the compose file/);
    assert.match(result.stdout, /Added after that release and left alone: dashboard/);
  });

  for (const event of ['pull_request', 'pull_request_target', 'issue_comment']) {
    test(`it does not run for ${event}`, async () => {
      const backupDir = app.host.newBackupDir();
      const result = await runAction(
        'rollback',
        { ...app.inputs(), 'backup-dir': backupDir, target: 'v1' },
        { env: { GITHUB_EVENT_NAME: event } },
      );
      assert.equal(result.exitCode, 1);
      assert.equal(result.outputs['status'], 'refused');
      assert.match(result.stdout, /anybody can trigger it/);
    });
  }

  test('leftovers of a compose that was killed are mended', async () => {
    const backupDir = await running('v2');
    const [backend] = await app.containers('backend');
    // As compose leaves it between its own steps: a new container that was never started, with twelve digits in front.
    const labels = await run(
      [
        'docker',
        'inspect',
        '--format',
        '{{range $key, $value := .Config.Labels}}{{$key}}={{$value}}\n{{end}}',
        backend?.id ?? '',
      ],
      { env: app.host.env },
    );
    const flags = labels
      .trim()
      .split('\n')
      .flatMap((label) => ['--label', label]);
    await run(
      ['docker', 'create', '--name', `0123456789ab_${backend?.name.slice(1)}`, ...flags, backend?.imageId ?? ''],
      { env: app.host.env },
    );
    const result = await rollback(backupDir, { target: 'v1' });
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
    assert.match(result.stdout, /Removed a leftover of docker compose: 0123456789ab_/);
  });

  test('an env file with the tag: the line to change is printed', async () => {
    await withApplication({ lab, registry }, { name: 'env', tags: 'env', runs: 'v2' }, async (other) => {
      const result = await runAction('rollback', { ...other.inputs(), target: 'v1', 'skip-backup': 'true' });
      await rolledBack(other, result, { backend: 'v1', dashboard: 'v1' });
      assert.match(result.stdout, /Change the tag in .*\/\.env on the host too.*TAG=v1/);
      await nothingLeft(other);
    });
  });

  test('the image of a target is kept from docker image prune', async () => {
    const backupDir = await running('v3');
    await rolledBack(app, await rollback(backupDir, { target: 'v1' }), { backend: 'v1' });
    const id = (
      await run(['docker', 'image', 'inspect', '--format', '{{.ID}}', imageOf(app, 'backend', 'v3')], {
        env: app.host.env,
      })
    ).trim();
    const tags = await run(['docker', 'image', 'inspect', '--format', '{{.RepoTags}}', id], { env: app.host.env });
    assert.match(tags, new RegExp(`atlasia-keep:${id.slice(7, 19)}`));
  });
});
