// The examples once more, and the snippets of the README, by a runner that is not ours: nektos/act, with the mirrors of our actions
// under the names that people write. What each example does is looked at in examples.test.ts; here it counts that another reader of
// the files does the same. several-hosts.yml and self-hosted.yml need environments and a runner on the host, which act has not.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startObjectStore } from '../lab/object-store.ts';
import { type ActResult, type ActRun, runWithAct } from '../lab/workflow/act.ts';
import { snippetsIn } from '../lab/workflow/snippets.ts';
import { asRepository, released } from './repository.ts';
import { historyIn } from './rollbacks.ts';
import { idsIn } from './sets.ts';
import { applicationForFile, atEnd, deployed } from './stage.ts';

const { registry, app } = await applicationForFile({
  name: 'act',
  versions: ['v1', 'v2', { version: 'ill', ill: 'health' }],
  healthInterval: '500ms',
});
const { host } = app;
const store = await startObjectStore();
atEnd(() => store.close());
await store.createBucket('acme-backups');
const dockerConfig = `${host.deployDir}/.docker`;

const secrets = { SSH_KEY: host.key.privateKey, KNOWN_HOSTS: host.ssh.knownHosts };
const vars = { DEPLOY_HOST: '127.0.0.1', DEPLOY_PORT: String(host.ssh.port), DEPLOY_USER: host.account.name };
const bucket = { BACKUP_BUCKET: 'acme-backups', BACKUP_REGION: store.region, BACKUP_ENDPOINT: store.endpoint };

let dir: string;
beforeEach(() => {
  dir = host.newBackupDir();
});

const repository = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string) => readFileSync(join(repository, file), 'utf8');

/** @param name of an example, such as `nightly-backup` */
const press = (name: string, more: Partial<ActRun> = {}) => pressText(read(`examples/${name}.yml`), more);

function pressText(workflow: string, more: Partial<ActRun> = {}): Promise<ActResult> {
  return runWithAct(workflow, {
    event: 'workflow_dispatch',
    secrets,
    vars,
    instead: {
      '/opt/atlasia': host.deployDir,
      'ghcr.io': registry.address,
      'flock backups/': `flock ${dir}/`,
      '--wait-timeout 300': '--wait-timeout 10',
      'set -euo pipefail': `set -euo pipefail; export DOCKER_CONFIG=${dockerConfig}`,
    },
    // The run's own login is that of the registry, as it is at GitHub.
    actor: registry.username,
    token: registry.password,
    with: (action) => ({
      port: vars.DEPLOY_PORT,
      user: vars.DEPLOY_USER,
      history: '',
      'backup-dir': dir,
      'min-free-space': '10MiB',
      ...(action === 'backup'
        ? {}
        : {
            registry: registry.address,
            'registry-username': registry.username,
            'registry-password': registry.password,
            'stable-for': '1s',
            'health-timeout': '10s',
          }),
    }),
    ...more,
  });
}

async function works(name: string, more: Partial<ActRun> = {}): Promise<ActResult> {
  const result = await press(name, more);
  assert.ok(result.succeeded, result.log);
  return result;
}

test('verify-setup.yml, nightly-backup.yml and restore-drill.yml, with a bucket at AWS', async () => {
  await deployed(app, 'v1');
  const atAws = {
    vars: { ...vars, ...bucket, BACKUP_ROLE: 'arn:aws:iam::123456789012:role/backup' },
    aws: { ...store.credentials, AWS_EC2_METADATA_DISABLED: 'true' },
  };
  await works('verify-setup', { ...atAws, form: { environment: 'prod' } });
  const nightly = await works('nightly-backup', { ...atAws, event: 'schedule' });
  assert.match(nightly.log, /s3-uri=s3:\/\/acme-backups\//);
  const drill = await works('restore-drill', { ...atAws, event: 'schedule' });
  assert.equal([...drill.log.matchAll(/ status=verified$/gm)].length, 2, drill.log);
});

test('short/nightly-backup.yml, with a bucket elsewhere', async () => {
  const elsewhere = { secrets: { ...secrets, ...store.credentials }, vars: { ...vars, ...bucket } };
  const nightly = await works('short/nightly-backup', { ...elsewhere, event: 'schedule' });
  assert.match(nightly.log, /s3-uri=s3:\/\/acme-backups\//);
  assert.equal(idsIn(host, dir, 'daily').length, 1);
});

test('the snippets of the README: a night, two deployments, and the button', async () => {
  const snippets = snippetsIn('README.md', read('README.md'));
  assert.equal(snippets.length, 3);
  const [nightly = '', deployment = '', button = ''] = snippets;
  const succeeds = async (snippet: string, more: Partial<ActRun> = {}) => {
    const result = await pressText(snippet, more);
    assert.ok(result.succeeded, result.log);
    return result.log;
  };
  await deployed(app, 'v1');
  await succeeds(nightly);
  assert.equal(idsIn(host, dir, 'daily').length, 1);
  for (const version of ['v1', 'v2']) {
    await deployed(app, version);
    await succeeds(deployment);
    assert.equal(historyIn(app, dir).at(-1)?.verdict, 'good');
  }
  assert.equal(idsIn(host, dir, 'predeployment').length, 2);
  assert.match(await succeeds(button, { form: { reason: 'v2 is slow' } }), / status=planned$/m);
  const form = { reason: 'v2 is slow', confirm: 'ROLLBACK' };
  assert.match(await succeeds(button, { form }), / status=rolled-back$/m);
  await app.serves('v1');
});

test('a nightly that fails is red', async () => {
  const failed = await press('nightly-backup', { event: 'schedule', vars: { ...vars, DEPLOY_PORT: '1' } });
  assert.ok(!failed.succeeded);
  assert.match(failed.log, /Failure - Main Back up the database/);
  assert.match(failed.log, /Failure - Main Check the set-up, the backups and their copies/);
});

test('deploy.yml judges a deployment, also one that fails; rollback.yml and short/rollback.yml plan, and go back', async () => {
  await deployed(app, 'v1');
  await asRepository(app, registry, dockerConfig);
  await released(app, registry, 'v1');
  await works('deploy');
  await released(app, registry, 'v2');
  await works('deploy');
  await app.serves('v2');
  assert.equal(historyIn(app, dir).at(-1)?.verdict, 'good');

  await released(app, registry, 'ill');
  const failed = await press('deploy');
  assert.ok(!failed.succeeded);
  assert.match(
    failed.log,
    /The deployment failed.*\n*.*https:\/\/github\.com\/octo-org\/shop\/actions\/workflows\/rollback\.yml/,
  );
  assert.equal(historyIn(app, dir).at(-1)?.verdict, 'bad');

  const form = { environment: 'prod', reason: 'it is ill' };
  for (const [name, version] of [
    ['rollback', 'v2'],
    ['short/rollback', 'v1'],
  ] as const) {
    const plan = await works(name, { form });
    assert.match(plan.log, / status=planned$/m);
    const hash = / plan-hash=(\w+)$/m.exec(plan.log)?.[1] ?? '';
    const back = await works(name, { form: { ...form, confirm: 'ROLLBACK', 'expect-plan': hash } });
    assert.match(back.log, / status=rolled-back$/m);
    await app.serves(version);
  }
});
