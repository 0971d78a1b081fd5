// Whether backups and rollbacks will work on a host: each check passes, fails, or says that it could not be made.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { holdLock, leaveHolder } from '../lab/faults.ts';
import { freePort } from '../lab/port.ts';
import type { ActionResult } from '../lab/runner.ts';
import { loginsLeft } from './expectations.ts';
import { backup, bash, copyOf, type Inputs, read, write } from './sets.ts';
import { applicationForFile, deployed } from './stage.ts';
import { findingOf, findingsOf, verified, verify } from './verifications.ts';

let dir: string;

const { registry, app } = await applicationForFile({ name: 'verify', versions: ['v1', 'v2'] });
const { host } = app;
for (const version of ['v1', 'v2']) await deployed(app, version);

/** As a workflow gives it. */
const login = () => {
  const given = app.inputs();
  return Object.fromEntries(Object.entries(given).filter(([name]) => name.startsWith('registry')));
};
const root = () => join(host.deployDir, dir);
const setup = (inputs: Inputs = {}): Promise<ActionResult> => verify(host, dir, { checks: 'setup', ...inputs });

/** Of a host that has had v1 and runs v2. */
const good = host.newBackupDir();
assert.equal((await backup(host, good)).exitCode, 0);
await tellOfV1(join(host.deployDir, good, 'rollback', 'history.jsonl'));

beforeEach(async () => {
  dir = await copyOf(host, good);
});

async function tellOfV1(history: string): Promise<void> {
  const record = JSON.parse(await read(host, history));
  const earlier = structuredClone(record);
  earlier.id = '0-0-00000001';
  for (const service of ['backend', 'dashboard']) {
    const image = `${registry.address}/acme/${service}:v1`;
    const imageId = (await host.docker('image', 'inspect', '--format', '{{.ID}}', image)).trim();
    earlier.release[service] = { image, tag: 'v1', digest: null, imageId };
  }
  await write(host, history, `${JSON.stringify(earlier)}\n${JSON.stringify(record)}\n`);
}

test('a host on which all is well is verified, and stays as it is', async () => {
  const files = host.files();
  const result = await setup();
  await verified(host, result, 'verified');
  assert.deepEqual(host.files(), files);
  assert.ok(findingsOf(result).length >= 19);
  assert.match(findingOf(result, 'last good release').detail, /backend v1, dashboard v1: every image is on the host/);
  assert.match(findingOf(result, 'release').detail, /the running release matches the record of /);
});

test('files that others can read are named, and the printed command closes them', async () => {
  await bash(host, 'cd -- "$1" && chmod 644 daily/*.report.txt && chmod 750 monthly', root());
  const result = await setup();
  await verified(host, result, 'failed', { folders: 'failed', modes: 'failed' });
  assert.match(findingOf(result, 'modes').detail, /monthly \(mode 750\)|report\.txt \(mode 644\)/);
  const [, command = ''] = /: (chmod .*)$/.exec(findingOf(result, 'modes').remedy ?? '') ?? [];
  await bash(host, command);
  await verified(host, await setup(), 'verified');
});

test('a folder that cannot be looked into is not judged', async () => {
  await bash(host, 'mkdir -- "$1/kept" && chmod 000 -- "$1/kept"', root());
  const result = await setup();
  await verified(host, result, 'could-not-verify', { modes: 'could-not-check' });
  await bash(host, 'chmod 700 -- "$1/kept"', root());
});

describe('what a rollback has left', () => {
  test('HOLD is a warning, and fails where warnings do', async () => {
    await write(host, join(root(), 'rollback', 'HOLD'), 'reason=v3 is slow\nsince=2026-11-25T03:00:00Z\n');
    await verified(host, await setup(), 'verified', { hold: 'warning' });
    const result = await setup({ 'fail-on': 'warning' });
    await verified(host, result, 'failed', { hold: 'warning' });
    assert.match(findingOf(result, 'hold').detail, /on hold since 2026-11-25T03:00:00Z; reason: v3 is slow/);
  });

  test('a transaction that was not ended fails, with the command that ends it', async () => {
    const folder = join(root(), 'rollback', 'transactions', '20261125_030000');
    await write(host, join(folder, 'journal'), '1764039600000\tbegin\t\n');
    const result = await setup();
    await verified(host, result, 'failed', { transactions: 'failed' });
    assert.match(findingOf(result, 'transactions').remedy ?? '', /bash .*20261125_030000\/engine\.sh$/);
  });
});

describe('the history', () => {
  test('a torn line is a warning', async () => {
    await bash(host, 'printf \'{"version":1,"id\' >>"$1/rollback/history.jsonl"', root());
    const result = await setup();
    await verified(host, result, 'verified', { history: 'warning' });
    assert.match(findingOf(result, 'history').detail, /line 3 of the history cannot be read/);
  });

  test('of another release than the one that runs is a warning', async () => {
    await bash(
      host,
      'cd -- "$1/rollback" && umask 077 && head -n 1 history.jsonl >new && mv new history.jsonl',
      root(),
    );
    const result = await setup();
    await verified(host, result, 'verified', { release: 'warning' });
  });

  test('whose images are gone is a warning', async () => {
    const file = join(root(), 'rollback', 'history.jsonl');
    const lines = (await read(host, file)).trim().split('\n');
    const [earlier, now] = lines.map((line) => JSON.parse(line));
    for (const image of Object.values(earlier.release) as { imageId: string }[])
      image.imageId = `sha256:${'0'.repeat(64)}`;
    await write(host, file, `${JSON.stringify(earlier)}\n${JSON.stringify(now)}\n`);
    const result = await setup();
    await verified(host, result, 'verified', { 'last good release': 'warning' });
    assert.match(
      findingOf(result, 'last good release').detail,
      /backend v1, dashboard v1 is not on the host and cannot be pulled: /,
    );
  });

  test('whose images only the registry has passes, with the login', async () => {
    const file = join(root(), 'rollback', 'history.jsonl');
    await bash(host, 'sed -i "1s/sha256:[0-9a-f]\\{64\\}/sha256:$(printf %064d 0)/g" "$1"', file);
    const result = await setup(login());
    await verified(host, result, 'verified');
    assert.match(findingOf(result, 'last good release').detail, /every image is on the host or in the registry$/);
    assert.match(findingOf(result, 'registry').detail, /accepts the login of/);
  });

  test('copies that cannot be read are a warning', async () => {
    const result = await setup({ history: 'artifact' });
    await verified(host, result, 'verified', { 'copies of the history': 'warning' });
  });
});

test('a registry that is not reached could not be asked', async () => {
  const result = await setup({ ...login(), registry: `localhost:${await freePort()}` });
  await verified(host, result, 'could-not-verify', { registry: 'could-not-check' });
});

test('a registry that refuses the login fails, and nothing of the login stays', async () => {
  const result = await setup({ ...login(), 'registry-password': 'not-the-password' });
  await verified(host, result, 'failed', { registry: 'failed' });
  assert.ok(
    !(result.stdout + result.outputs['results'] + result.summary)
      .replaceAll(/^::add-mask::.*$/gm, '')
      .includes('not-the-password'),
  );
  assert.deepEqual(loginsLeft(host.account), []);
});

describe('the lock', () => {
  test('of a run that is at work is told of', async () => {
    const since = new Date(Date.now() - 60_000).toISOString();
    const result = await whileLocked(`backup-action https://example.org/runs/1 since ${since} (00000000)`, () =>
      setup(),
    );
    await verified(host, result, 'verified');
    assert.match(findingOf(result, 'lock').detail, /held by backup-action .* which is still running/);
  });

  test('of one that hangs is a warning', async () => {
    const since = new Date(Date.now() - 9_000_000).toISOString();
    const result = await whileLocked(`backup-action https://example.org/runs/1 since ${since} (00000000)`, () =>
      setup(),
    );
    await verified(host, result, 'verified', { lock: 'warning' });
  });

  test('of a run that died is free', async () => {
    await leaveHolder(host, dir, 'backup-action of yesterday');
    const result = await setup();
    await verified(host, result, 'verified');
    assert.match(findingOf(result, 'lock').detail, /^free; backup-action of yesterday died while holding it/);
  });

  async function whileLocked<T>(holder: string, work: () => Promise<T>): Promise<T> {
    const release = await holdLock(host, dir, holder);
    try {
      return await work();
    } finally {
      await release();
    }
  }
});

describe('compose', () => {
  test('a file that cannot be read fails', async () => {
    await write(host, join(host.deployDir, 'broken.yml'), 'services: [\n');
    await verified(host, await setup({ 'compose-file': 'broken.yml' }), 'failed', {
      'compose file': 'failed',
      'last good release': 'could-not-check',
    });
  });

  test('a file of another project fails', async () => {
    const other = 'name: other\nservices:\n  web:\n    image: web\n';
    await write(host, join(host.deployDir, 'other.yml'), other);
    await write(host, join(host.deployDir, 'other.env'), 'TAG=v2\n');
    const result = await setup({ 'compose-file': 'other.yml', 'env-file': 'other.env', 'project-name': '' });
    assert.equal(result.outputs['status'], 'failed');
    const { result: how, detail } = findingOf(result, 'compose file');
    assert.equal(how, 'failed');
    assert.match(detail, /"compose-file" names other\.yml, but the containers were started from .*docker-compose\.yml/);
  });

  test('an env file that is not there fails', async () => {
    const result = await setup({ 'env-file': 'missing.env' });
    assert.equal(result.outputs['status'], 'failed');
    assert.equal(findingOf(result, 'env file').result, 'failed');
  });
});

describe('the database', () => {
  test('that is down fails, and what needs it could not be checked', async () => {
    await host.docker('stop', await host.container('db'));
    const result = await setup();
    await host.docker('start', await host.container('db'));
    await bash(host, 'until docker exec "$1" pg_isready --quiet; do sleep 0.2; done', await host.container('db'));
    await verified(host, result, 'failed', {
      database: 'failed',
      'database accepts': 'could-not-check',
      pg_dump: 'could-not-check',
      compressor: 'could-not-check',
      space: 'could-not-check',
      'space for a drill': 'could-not-check',
      'other databases': 'could-not-check',
      collations: 'could-not-check',
    });
    assert.match(result.summary, /\| ❌ failed \| database \|.*docker start/);
  });

  test('whose container has no pg_dump fails, though it answers', async () => {
    const container = await host.container('db');
    const inside = (script: string) => host.docker('exec', '--user', 'root', container, 'sh', '-c', script);
    const path = (await inside('command -v pg_dump')).trim();
    await inside(`mv ${path} ${path}.away`);
    const result = await setup();
    await inside(`mv ${path}.away ${path}`);
    await verified(host, result, 'failed', {
      pg_dump: 'failed',
      compressor: 'could-not-check',
      space: 'could-not-check',
    });
    assert.match(findingOf(result, 'database accepts').detail, /accepts connections/);
  });

  test('of another name fails', async () => {
    const result = await setup({ 'db-name': 'nobody' });
    assert.deepEqual(findingOf(result, 'database accepts').result, 'failed');
    assert.match(findingOf(result, 'database accepts').remedy ?? '', /db-name/);
  });
});

test('a disk without room for the next backup fails', async () => {
  const result = await setup({ 'min-free-space': '900TiB' });
  await verified(host, result, 'failed', { space: 'failed', 'space for a drill': 'warning' });
});

test('a folder that is no project of compose fails', async () => {
  const result = await setup({ 'project-name': 'nobody' });
  assert.equal(findingOf(result, 'project').result, 'failed');
  assert.equal(findingOf(result, 'database').result, 'could-not-check');
  assert.equal(result.outputs['status'], 'failed');
});

test('a host with another key is not looked at, and nothing of it passes', async () => {
  const result = await verify(host, dir, {
    checks: 'setup,backups,deployment',
    'known-hosts': `[127.0.0.1]:${host.inputs()['port']} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVV`,
  });
  await verified(host, result, 'failed', {
    connection: 'failed',
    backups: 'could-not-check',
    deployment: 'could-not-check',
  });
});

test('bad input is told of before anything is touched', async () => {
  const result = await setup({ checks: 'setup,everything', expect: 'v2', 'fail-on': 'never' });
  assert.equal(result.exitCode, 1);
  assert.equal(result.outputs['status'], 'could-not-verify');
  for (const name of ['checks', 'fail-on']) assert.match(result.stdout, new RegExp(`"${name}"`));
});
