// Each example, from its first step to its last, against a host of the lab: what people copy is what was run.
import assert from 'node:assert/strict';
import { before, beforeEach, describe, test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { makeCertificate } from '../lab/certificate.ts';
import { startMailServer } from '../lab/mail-server.ts';
import { startObjectStore } from '../lab/object-store.ts';
import { startReceiver } from '../lab/receiver.ts';
import { runWorkflow, type WorkflowResult, type WorkflowRun } from '../lab/workflow/workflow.ts';
import { asRepository, released } from './repository.ts';
import { historyIn } from './rollbacks.ts';
import { idsIn, namesIn } from './sets.ts';
import { applicationForFile, atEnd, deployed, startApplicationForFile } from './stage.ts';

const { lab, registry, app } = await applicationForFile({
  name: 'examples',
  versions: ['v1', 'v2', { version: 'ill', ill: 'health' }],
  healthInterval: '500ms',
});
const { host } = app;
const other = await startApplicationForFile({ lab, registry }, { name: 'second', tags: 'env' });
const store = await startObjectStore();
atEnd(() => store.close());
await store.createBucket('acme-backups');
const certificate = await makeCertificate();

/** Where the host is logged in to the registry. */
const dockerConfig = `${host.deployDir}/.docker`;

const secretsOf = (of = app) => ({
  SSH_KEY: of.host.key.privateKey,
  KNOWN_HOSTS: of.host.ssh.knownHosts,
  HEALTHCHECK_URL: '',
  SMTP_URL: '',
  WEBHOOK_URL: '',
  WEBHOOK_SECRET: '',
  AWS_ACCESS_KEY_ID: '',
  AWS_SECRET_ACCESS_KEY: '',
  DECRYPT_KEY: '',
  REGISTRY_PASSWORD: '',
});
const varsOf = (of = app) => ({
  DEPLOY_HOST: '127.0.0.1',
  DEPLOY_PORT: String(of.host.ssh.port),
  DEPLOY_USER: of.host.account.name,
  BACKUP_KEYS: '',
  BACKUP_BUCKET: '',
  BACKUP_REGION: '',
  BACKUP_ENDPOINT: '',
  BACKUP_ROLE: '',
  RESTORE_FROM: '',
  HEALTH_TIMEOUT: '',
  LOCK_WAIT: '',
  ROLLBACK_JOBS: '',
  MAIL_TO: '',
  MAIL_FROM: '',
});
const bucket = {
  BACKUP_BUCKET: 'acme-backups',
  BACKUP_REGION: store.region,
  BACKUP_ENDPOINT: store.endpoint,
  BACKUP_ROLE: 'arn:aws:iam::123456789012:role/backup',
};

const login = { ...store.credentials, AWS_EC2_METADATA_DISABLED: 'true' };

/** A bucket at AWS: a role logs in. */
const atAws = { prod: { secrets: secretsOf(), vars: { ...varsOf(), ...bucket } } };
/** A bucket elsewhere: two secrets log in. */
const elsewhere = {
  prod: { secrets: { ...secretsOf(), ...store.credentials }, vars: { ...varsOf(), ...bucket, BACKUP_ROLE: '' } },
};

let dir: string;
beforeEach(() => {
  dir = host.newBackupDir();
});

/** Where the lab differs from a host that people have: its disk is small, its registry not GitHub's, and nobody waits for it. */
const labInputs = (action: string): Record<string, string> => ({
  history: '',
  'backup-dir': dir,
  'min-free-space': '10MiB',
  ...(action === 'backup' ? {} : { registry: registry.address }),
  ...(action === 'backup' ? {} : { 'stable-for': '1s', 'health-timeout': '10s' }),
});

/** The example as it is, with the lab's folders instead of the usual ones. */
function runExample(name: string, more: Partial<WorkflowRun> = {}): Promise<WorkflowResult> {
  return runWorkflow(`examples/${name}.yml`, {
    environments: { prod: { secrets: secretsOf(), vars: varsOf() } },
    instead: {
      '/opt/atlasia': host.deployDir,
      'flock backups/': `flock ${dir}/`,
      ...atLabRegistry,
      '--wait-timeout 300': '--wait-timeout 10',
      'set -euo pipefail': `set -euo pipefail; export DOCKER_CONFIG=${dockerConfig}`,
    },
    with: labInputs,
    ...more,
  });
}
/** The lab's registry instead of ghcr.io, with its own login instead of the run's. */
const atLabRegistry = {
  'ghcr.io': registry.address,
  'github.actor': `'${registry.username}'`,
  'github.token': `'${registry.password}'`,
};

function allWell(result: WorkflowResult): void {
  const bad = result.steps.filter(({ outcome }) => outcome === 'failure');
  assert.deepEqual(
    bad.map(({ name, stdout }) => [name, stdout]),
    [],
  );
  for (const how of Object.values(result.jobs)) assert.equal(how, 'success');
}

const ran = (result: WorkflowResult) =>
  result.steps.filter(({ outcome }) => outcome !== 'skipped').map(({ name }) => name);

describe('nightly-backup.yml', () => {
  for (const name of ['nightly-backup', 'short/nightly-backup'])
    test(`${name}.yml that fails writes mail and tells the webhook, by secrets and a variable alone`, async () => {
      const receiver = await startReceiver(certificate);
      const server = await startMailServer(certificate, 'implicit');
      try {
        const login = `${encodeURIComponent(server.user)}:${encodeURIComponent(server.password)}`;
        const secrets = {
          ...secretsOf(),
          SMTP_URL: `smtps://${login}@localhost:${server.port}`,
          WEBHOOK_URL: `https://localhost:${receiver.port}/hook`,
          WEBHOOK_SECRET: 'a shared secret',
        };
        const vars = { ...varsOf(), DEPLOY_PORT: '1', MAIL_TO: 'ops@example.org' };
        const result = await runExample(name, {
          environments: { prod: { secrets, vars } },
          env: { NODE_EXTRA_CA_CERTS: certificate.file },
        });
        assert.equal(result.step('Back up the database').outcome, 'failure');
        const subjects = server.mails().map(({ text }) => /^Subject: (.*)$/m.exec(text)?.[1] ?? '');
        assert.deepEqual(
          subjects.map((subject) => /^FAILED: (\w+) of prod/.exec(subject)?.[1]),
          ['backup', 'verification'],
        );
        assert.deepEqual(
          receiver.received.map(({ path, headers }) => [path, 'x-atlasia-signature-256' in headers]),
          [
            ['/hook', true],
            ['/hook', true],
          ],
        );
      } finally {
        await receiver.close();
        await server.close();
      }
    });

  test('without a bucket: a backup, and a look at it', async () => {
    await deployed(app, 'v1');
    const result = await runExample('nightly-backup', { event: 'schedule' });
    allWell(result);
    assert.deepEqual(ran(result), ['Back up the database', 'Check the set-up, the backups and their copies']);
    assert.equal(idsIn(host, dir, 'daily').length, 1);
  });

  test('with a bucket: the copy is there, and was looked at; the ping came', async () => {
    const watcher = await startReceiver(certificate);
    try {
      const environments = {
        prod: {
          secrets: { ...secretsOf(), HEALTHCHECK_URL: `https://localhost:${watcher.port}/ping/1` },
          vars: { ...varsOf(), ...bucket },
        },
      };
      const result = await runExample('nightly-backup', {
        environments,
        aws: login,
        env: { NODE_EXTRA_CA_CERTS: certificate.file },
      });
      allWell(result);
      assert.match(
        result.step('Back up the database').action?.outputs['s3-uri'] ?? '',
        /^s3:\/\/acme-backups\/atlasia-backups\/prod\//,
      );
      assert.match(result.step('Check the set-up, the backups and their copies').stdout, /off-site newest/);
      assert.deepEqual(
        watcher.received.map(({ path }) => path),
        ['/ping/1/start', '/ping/1'],
      );
    } finally {
      await watcher.close();
    }
  });

  test('in ten lines, by the reusable workflow', async () => {
    const result = await runExample('short/nightly-backup');
    allWell(result);
    assert.equal(result.concurrency, 'backup-prod');
    assert.equal(idsIn(host, dir, 'daily').length, 1);
  });
});

test('restore-drill.yml restores the backup of the host, and the copy in the bucket', async () => {
  allWell(await runExample('nightly-backup', { environments: atAws, aws: login }));
  const result = await runExample('restore-drill', { environments: atAws, aws: login, event: 'schedule' });
  allWell(result);
  for (const name of [
    'Restore the newest backup of the host, and compare',
    'Restore the copy in the bucket, and compare',
  ])
    assert.match(result.step(name).action?.outputs['status'] ?? '', /verified/);
  const without = await runExample('restore-drill');
  allWell(without);
  assert.deepEqual(ran(without), ['Restore the newest backup of the host, and compare']);
});

test('verify-setup.yml looks, and changes nothing', async () => {
  const files = host.files();
  const result = await runExample('verify-setup', { form: { environment: 'prod' } });
  allWell(result);
  assert.deepEqual(host.files(), files);
});

test('verify-setup.yml logs in to the bucket of a role at AWS, and looks at it', async () => {
  const result = await runExample('verify-setup', { environments: atAws, aws: login });
  allWell(result);
  assert.deepEqual(ran(result), ['Log in to AWS', 'Check the set-up']);
  assert.match(result.step('Check the set-up').stdout, /"acme-backups" answers and can be listed/);
});

for (const name of ['verify-setup', 'nightly-backup', 'short/nightly-backup', 'restore-drill'])
  test(`${name}.yml needs nothing but two secrets for a store other than AWS`, async () => {
    if (name === 'restore-drill') allWell(await runExample('nightly-backup', { environments: elsewhere }));
    const result = await runExample(name, { environments: elsewhere });
    allWell(result);
    assert.ok(!ran(result).includes('Log in to AWS'));
    if (!name.includes('nightly')) return;
    assert.match(result.step('Back up the database').action?.outputs['s3-uri'] ?? '', /^s3:\/\/acme-backups\//);
  });

test('with keys in the environment, what is copied encrypts, drills and restores', async () => {
  const identity = await generateX25519Identity();
  const environments = {
    prod: {
      secrets: { ...secretsOf(), ...store.credentials, DECRYPT_KEY: identity },
      vars: { ...varsOf(), ...bucket, BACKUP_ROLE: '', BACKUP_KEYS: await identityToRecipient(identity) },
    },
  };
  await deployed(app, 'v1');
  const nightly = await runExample('nightly-backup', { environments });
  allWell(nightly);
  const { 'backup-file': file = '', 'backup-id': id = '' } = nightly.step('Back up the database').action?.outputs ?? {};
  assert.match(file, /\.age$/);
  const drill = await runExample('restore-drill', { environments });
  allWell(drill);
  assert.equal(drill.steps.filter(({ action }) => action?.outputs['status'] === 'verified').length, 2);
  // A box that somebody has emptied says no more than one left alone.
  for (const box of ['none', ''])
    allWell(await runExample('rollback', { environments, form: { target: 'v1', 'restore-database': box } }));
  const form = { confirm: 'ROLLBACK', 'restore-database': id, 'confirm-restore': 'RESTORE' };
  for (const name of ['rollback', 'short/rollback']) {
    const back = await runExample(name, { environments, form });
    allWell(back);
    assert.equal(back.step('Roll back').action?.outputs['status'], 'rolled-back');
    assert.doesNotMatch(back.step('Roll back').stdout, /from s3:/);
  }
  assert.ok(
    namesIn(host.files(`${dir}/rollback`)).some((each) => /^prerollback_\d+_\d+\.dump(\.zst)?\.age$/.test(each)),
  );
});

test('half a set-up of mail, or of a webhook, does not stop the button', async () => {
  await deployed(app, 'v1');
  for (const [more, vars] of [
    [{ SMTP_URL: 'smtps://mail.example.org' }, {}],
    [{ WEBHOOK_SECRET: 'a shared secret' }, { MAIL_TO: 'ops@example.org', MAIL_FROM: 'ci@example.org' }],
  ] as const) {
    const environments = { prod: { secrets: { ...secretsOf(), ...more }, vars: { ...varsOf(), ...vars } } };
    const plan = await runExample('rollback', { environments, form: { target: 'v1' } });
    allWell(plan);
    assert.equal(plan.step('Roll back').action?.outputs['status'], 'planned');
  }
});

test("the button restores from the bucket once the host's backups are lost: a variable says so, no commit", async () => {
  await deployed(app, 'v1');
  const nightly = await runExample('nightly-backup', { environments: atAws, aws: login });
  allWell(nightly);
  const { 'backup-id': id = '' } = nightly.step('Back up the database').action?.outputs ?? {};
  await host.exec(['rm', '--recursive', '--', `${host.deployDir}/${dir}`]);
  const form = { confirm: 'ROLLBACK', 'restore-database': id, 'confirm-restore': 'RESTORE' };
  for (const [name, { prod }] of [
    ['rollback', atAws],
    ['short/rollback', elsewhere],
  ] as const) {
    const environments = { prod: { ...prod, vars: { ...prod.vars, RESTORE_FROM: 's3' } } };
    const back = await runExample(name, { environments, aws: login, form });
    allWell(back);
    assert.equal(ran(back).includes('Log in to AWS'), prod === atAws.prod);
    assert.equal(back.step('Roll back').action?.outputs['status'], 'rolled-back');
    assert.match(back.step('Roll back').stdout, new RegExp(`from s3://acme-backups/.*${id}`));
  }
});

describe('self-hosted.yml does without SSH', () => {
  const { SSH_KEY, KNOWN_HOSTS, ...secrets } = secretsOf();
  const { DEPLOY_HOST, DEPLOY_PORT, DEPLOY_USER, ...vars } = varsOf();

  test('without a bucket: a backup on the host', async () => {
    const result = await runExample('self-hosted', {
      environments: { prod: { secrets, vars } },
      local: host.localStep(),
    });
    allWell(result);
    assert.ok(!ran(result).includes('Log in to AWS'));
    assert.equal(idsIn(host, dir, 'daily').length, 1);
  });

  test('with one: a copy in it, which was looked at', async () => {
    const result = await runExample('self-hosted', {
      environments: {
        prod: { secrets: { ...secrets, ...store.credentials }, vars: { ...vars, ...bucket, BACKUP_ROLE: '' } },
      },
      local: host.localStep(),
    });
    allWell(result);
    assert.match(result.step('Back up the database').action?.outputs['s3-uri'] ?? '', /^s3:\/\/acme-backups\//);
    assert.match(result.step('Check the set-up, the backups and their copies').stdout, /off-site newest/);
  });
});

describe('deploy.yml and rollback.yml, with a repository whose compose file lies deep in it', () => {
  before(async () => {
    await deployed(app, 'v1');
    await asRepository(app, registry, dockerConfig);
  });
  const release = (version: string) => released(app, registry, version);

  test('a deployment that is well is recorded as good; the database’s image is not pulled', async () => {
    await release('v2');
    const result = await runExample('deploy');
    allWell(result);
    assert.deepEqual(ran(result), ['Back up before the deployment', 'Deploy', 'Verify the deployment']);
    assert.equal(result.concurrency, 'deploy-prod');
    assert.deepEqual([historyIn(app, dir).at(-1)?.event, historyIn(app, dir).at(-1)?.verdict], ['deploy', 'good']);
    assert.match(result.step('Deploy').stdout, /^The backup before this deployment is \d{8}_\d{6}$/m);
    assert.doesNotMatch(result.step('Deploy').stdout, /atlasia-lab\/postgres/);
    await app.serves('v2');
  });

  test('one that is not well is recorded as bad, and the job names the button; the button, pressed without a word, plans, and then goes back', async () => {
    await release('v1');
    allWell(await runExample('deploy'));
    await release('ill');
    const failed = await runExample('deploy');
    assert.deepEqual(failed.jobs, { deploy: 'failure' });
    assert.deepEqual(ran(failed), [
      'Back up before the deployment',
      'Deploy',
      'Verify the deployment',
      'Name the button',
    ]);
    assert.equal(historyIn(app, dir).at(-1)?.verdict, 'bad');
    assert.match(
      failed.summary,
      /\[\*\*Roll back\*\*\]\(https:\/\/github\.com\/octo-org\/shop\/actions\/workflows\/rollback\.yml\)/,
    );
    assert.match(failed.step('Name the button').stdout, /^::error title=Deployment failed::.*rollback\.yml/);

    const button = (form: Record<string, string | boolean>) =>
      runExample('rollback', { form: { environment: 'prod', ...form } });
    const plan = await button({ reason: 'it is ill' });
    allWell(plan);
    assert.equal(plan.step('Roll back').action?.outputs['status'], 'planned');
    const hash = plan.step('Roll back').action?.outputs['plan-hash'] ?? '';
    assert.match(plan.summary, new RegExp(hash));
    const back = await button({ reason: 'it is ill', confirm: 'ROLLBACK', 'expect-plan': hash });
    allWell(back);
    assert.equal(back.concurrency, 'deploy-prod');
    assert.equal(back.step('Roll back').action?.outputs['status'], 'rolled-back');
    await app.serves('v1');

    // The next deployment is held up, by the name of the box that lets it go on.
    await release('v2');
    const held = await runExample('deploy');
    assert.deepEqual(ran(held), ['Back up before the deployment']);
    assert.match(held.summary, /tick the box "release-hold"/);
    allWell(await runExample('deploy', { form: { 'release-hold': true } }));
    await app.serves('v2');
  });

  test('goes back at once where that was chosen, and fails all the same', async () => {
    await release('v1');
    allWell(await runExample('deploy'));
    await release('ill');
    const result = await runExample('deploy', { form: { 'roll-back-on-failure': true } });
    assert.deepEqual(result.jobs, { deploy: 'failure' });
    assert.deepEqual(ran(result).slice(-2), ['Verify the deployment', 'Roll back']);
    assert.equal(result.step('Roll back').outcome, 'success', result.step('Roll back').stdout);
    await app.serves('v1');
  });

  test('the short form does the same as the long one', async () => {
    await release('v1');
    allWell(await runExample('deploy'));
    await release('v2');
    allWell(await runExample('deploy'));
    const form = { environment: 'prod', reason: 'v2 is slow' };
    const plan = await runExample('short/rollback', { form });
    assert.equal(plan.step('Roll back').action?.outputs['status'], 'planned');
    const back = await runExample('short/rollback', { form: { ...form, confirm: 'ROLLBACK', 'skip-backup': true } });
    allWell(back);
    assert.equal(back.step('Roll back').action?.outputs['backup-id'], '');
    await app.serves('v1');
  });
});

test('several-hosts.yml plans on all, and then rolls back one after the other, by the plans', async () => {
  for (const version of ['v1', 'v2']) for (const each of [app, other]) await deployed(each, version);
  const environments = {
    'prod-eu': { secrets: secretsOf(app), vars: { ...varsOf(app), LAB: host.deployDir } },
    'prod-us': { secrets: secretsOf(other), vars: { ...varsOf(other), LAB: other.host.deployDir } },
  };
  const instead = {
    '/opt/atlasia': `\${{ vars.LAB }}`,
    ...atLabRegistry,
  };
  const form = { target: 'v1', reason: 'v2 is slow' };
  const plans = await runExample('several-hosts', { environments, instead, form, with: inputsOfEach });
  assert.deepEqual(plans.jobs, { plan: 'success', rollback: 'skipped' });
  const result = await runExample('several-hosts', {
    environments,
    instead,
    form: { ...form, confirm: 'ROLLBACK' },
    with: inputsOfEach,
  });
  allWell(result);
  for (const each of [app, other]) await each.serves('v1');
  const [first, second] = result.steps.filter(({ name, job }) => name === 'Roll back' && job === 'rollback');
  assert.equal(first?.action?.outputs['status'], 'rolled-back');
  assert.equal(second?.action?.outputs['status'], 'rolled-back');

  function inputsOfEach(action: string): Record<string, string> {
    return { ...labInputs(action), 'skip-backup': 'true' };
  }
});
