// What people read when something went wrong: the job summary names the host, the one thing to do, and the box to fill.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { startGithub } from '../lab/github.ts';
import { type ActionResult, runAction } from '../lab/runner.ts';
import { planned } from './rollbacks.ts';
import { backup, backupInputs, bash, copyOf, type Inputs, write } from './sets.ts';
import { applicationForFile, atEnd, deployed } from './stage.ts';
import { verify } from './verifications.ts';

const { app } = await applicationForFile({
  name: 'summaries',
  versions: ['v1', 'v2', { version: 'ill', ill: 'health' }],
});
const { host } = app;
for (const version of ['v1', 'v2']) await deployed(app, version);
const github = await startGithub();
atEnd(() => github.close());

const good = host.newBackupDir();
assert.equal((await backup(host, good)).exitCode, 0);
let dir: string;
beforeEach(async () => {
  dir = await copyOf(host, good);
});

const workflow = { GITHUB_WORKFLOW_REF: 'octo-org/shop/.github/workflows/rollback.yml@refs/heads/main' };
const rollback = (inputs: Inputs = {}) =>
  runAction(
    'rollback',
    { ...app.inputs(), environment: 'prod', 'backup-dir': dir, 'skip-backup': 'true', ...inputs },
    { env: workflow },
  );

/** As it is on GitHub: no table has a head without words, and no fact stands there unread. */
function wellFormed({ summary }: ActionResult): void {
  assert.doesNotMatch(summary, /^\|(?: *\|)+\n\| :?---/m, 'a table with an empty head');
  assert.doesNotMatch(summary, /^\| *\|.*\n\| :?---/m, 'a column without a name');
}

describe('a backup that fails', () => {
  test('names the host, the newest good backup with its age, and commands that can be copied', async () => {
    const container = await host.container('db');
    await host.docker('pause', container);
    const result = await backup(host, dir).finally(() => host.docker('unpause', container));
    assert.equal(result.exitCode, 1);
    wellFormed(result);
    assert.match(result.summary, new RegExp(`\\| Host \\| \` ${host.account.name}@127\\.0\\.0\\.1 \` \\|`));
    assert.match(result.summary, /\| Newest good backup \| \d{8}_\d{6}, [\d.]+ (?:ms|s|min).* old \|/);
    assert.match(result.summary, /^```bash\ndocker unpause [0-9a-f]+\n```$/m);
    assert.match(result.summary, /troubleshooting\.md#database-not-running\)/);
  });

  test('whose host is not reached says that nothing is known of the newest one', async () => {
    const result = await backup(host, dir, { 'known-hosts': 'other.example ssh-ed25519 AAAA' });
    assert.match(result.summary, /\| Newest good backup \| unknown: this run could not check \|/);
    assert.match(result.summary, /\| Host \| ` 127\.0\.0\.1 ` \|/);
    assert.match(
      result.summary,
      /^```bash\nssh-keyscan -p \d+ 127\.0\.0\.1 > known_hosts\nssh-keygen -lf known_hosts\n```$/m,
    );
  });

  test('whose key is refused ends with the line to type, with the very key', async () => {
    const { makeKey } = await import('../lab/keys.ts');
    const stranger = await makeKey();
    const result = await backup(host, dir, { 'ssh-key': stranger.privateKey });
    const [, type, blob] = /^(\S+) (\S+)/.exec(stranger.publicKey) ?? [];
    assert.match(
      result.summary,
      new RegExp(
        `echo '${type} ${blob?.replaceAll(/[+/]/g, '\\$&')}' >>~${host.account.name}/\\.ssh/authorized_keys\n\`\`\`$`,
        'm',
      ),
    );
  });

  test('because deployments are on hold links the run that set it, and names the box', async () => {
    const run = 'https://github.com/octo-org/shop/actions/runs/77';
    await write(
      host,
      join(host.deployDir, dir, 'rollback', 'HOLD'),
      `reason=v3 is slow\nsince=2026-11-25T03:00:00Z\nrun=${run}\n`,
    );
    const result = await backup(host, dir, { kind: 'predeployment' });
    assert.match(result.summary, new RegExp(`<${run}>`));
    assert.match(result.summary, /tick the box "release-hold"/);
  });
});

describe('inputs that cannot be used', () => {
  for (const action of ['backup', 'rollback', 'verify']) {
    test(`${action}-action writes a summary, with the one thing to do`, async () => {
      const result = await runAction(action, { ...host.inputs(), port: 'x' });
      assert.equal(result.exitCode, 1);
      wellFormed(result);
      assert.match(result.summary, new RegExp(`^## ❌ ${action}-action did nothing: bad-input\n`));
      assert.match(result.summary, /### What to do\n/);
      assert.match(result.summary, /troubleshooting\.md#bad-input\)/);
    });
  }

  test('a rollback of prod without its word names the box', async () => {
    const result = await rollback();
    assert.match(result.summary, /Write ROLLBACK into the box "confirm" of the form/);
  });
});

describe('a verification that fails', () => {
  test('says once what to do about a cause that blocks many checks, and as which user', async () => {
    const container = await host.container('db');
    await host.docker('pause', container);
    const result = await verify(host, dir, { checks: 'setup' }).finally(() => host.docker('unpause', container));
    assert.equal(result.outputs['status'], 'failed');
    wellFormed(result);
    assert.equal(result.summary.match(/docker unpause/g)?.length, 2, 'once at the top, once in its row');
    assert.match(
      result.summary,
      new RegExp(
        `### What to do first: database\n\nOn the host, as ${host.account.name}:\n\n\`\`\`bash\ndocker unpause `,
      ),
    );
    assert.match(result.summary, /\| database accepts, pg\\?_dump, .* \| "database" must pass first \| {2}\|/);
  });

  test('of a deployment that is not well names the button', async () => {
    await app.deploy('ill');
    const result = await verify(host, dir, { checks: 'deployment', 'stable-for': '1s', 'health-timeout': '5s' });
    await deployed(app, 'v2');
    assert.equal(result.outputs['status'], 'failed');
    wellFormed(result);
    assert.match(
      result.summary,
      /under \[\*\*Actions\*\*\]\(https:\/\/github\.com\/octo-org\/shop\/actions\), start the workflow that has rollback-action/,
    );
  });

  test('of a host without a backup says the one thing to do', async () => {
    await bash(host, 'rm -r -- "$1"', join(host.deployDir, dir));
    const result = await verify(host, dir);
    assert.match(result.summary, /### What to do first: newest\n\nStart the workflow that has backup-action/);
    assert.equal(result.summary.match(/backup-action/g)?.length, 2);
    const setup = await verify(host, dir, { checks: 'setup' });
    assert.equal(setup.outputs['status'], 'verified');
    assert.match(setup.summary, /Next: take the first backup/);
  });
});

test('a plan says which boxes of which form carry it out', async () => {
  const result = await rollback({ 'plan-only': 'true', target: 'v1' });
  planned(result);
  wellFormed(result);
  assert.match(
    result.summary,
    /\[\*\*Run workflow\*\*\]\(https:\/\/github\.com\/octo-org\/shop\/actions\/workflows\/rollback\.yml\)/,
  );
  assert.match(result.summary, new RegExp(`\\| \` expect-plan \` \\| \` ${result.outputs['plan-hash']} \` \\|`));
  assert.match(result.summary, /\| ` confirm ` \| ` ROLLBACK ` \|/);
});

test('after a rollback of a tag that moves, it says that the registry still has the bad one', async () => {
  const result = await rollback({ target: 'v1', confirm: 'ROLLBACK' });
  assert.equal(result.outputs['status'], 'rolled-back', result.stdout);
  wellFormed(result);
  assert.match(
    result.summary,
    /The registry was not changed: until a fixed release is pushed under those names, the next docker compose pull brings the bad one back/,
  );
  assert.match(result.summary, /the box "release-hold"/);
});

test('what libraries say of their own code is not in the log, and no annotation is there twice', async () => {
  const { env } = github.startRun();
  const inputs = { ...backupInputs(host, dir), history: 'artifact,cache' };
  for (const action of ['backup', 'verify']) {
    const result = await runAction(action, inputs, { env, token: github.token });
    assert.doesNotMatch(result.stdout + result.stderr, /DEP0|DeprecationWarning/);
    const said = result.annotations.map(({ message }) => message);
    assert.deepEqual(said, [...new Set(said)]);
  }
});
