// `npm run demo`: the main job on a production host that it makes and throws away. It ends with 0 only where the backup is
// verified, its printed restore command brought back the same data, a drill proved it, planted faults were found, a copy in a
// bucket was restored after the host's backups were lost, the rollback put back what ran before, and a lost table came back.
import assert from 'node:assert/strict';
import { type Application, startApplication } from './application.ts';
import { run } from './command.ts';
import type { Host } from './host.ts';
import { startHost } from './host.ts';
import { openLab } from './lab.ts';
import { startObjectStore } from './object-store.ts';
import { needPrograms } from './packages.ts';
import { startRegistry } from './registry.ts';
import { type ActionResult, runAction } from './runner.ts';

say('Making a production host: sshd, Docker engine, compose project, PostgreSQL with data in it');
const lab = await openLab();
try {
  const host = await startHost(lab, { name: 'demo' });
  try {
    await demonstrate(host);
    await demonstrateCopies(host);
  } finally {
    say('Removing the host');
    await host.stop();
  }
  say('Making another one, whose application comes from a registry');
  const registry = await startRegistry();
  try {
    const app = await startApplication(lab, registry, { name: 'demo' });
    try {
      await demonstrateRollback(app);
    } finally {
      say('Removing it');
      await app.stop();
    }
  } finally {
    await registry.close();
  }
} finally {
  await lab.close();
}

async function demonstrate(host: Host): Promise<void> {
  const inputs = { ...host.inputs(), environment: 'demo' };
  say('Running backup-action against it, as a workflow would:');
  tell(workflow('backup', inputs));

  const result = await runAction('backup', inputs);
  tell(asShown(result.stdout));
  assert.equal(result.exitCode, 0, `backup-action failed:\n${result.stderr}`);
  assert.equal(result.outputs['status'], 'succeeded');

  say(`The report that stands beside the dump: ${result.outputs['report-file']}`);
  const report = await onHost(host, 'cat', result.outputs['report-file'] ?? '');
  tell(report);

  say('Pasting the restore command of that report into a shell on the host');
  tell(await onHost(host, 'bash', '-c', restoreCommand(report)));
  const [source, restored] = [await host.database.contentOf(), await host.database.contentOf('atlasia_restored')];
  assert.deepEqual(restored, source);
  say(`Verified, restored and compared: all ${Object.keys(source).length} parts of the database are equal`);
  await demonstrateVerification(host, inputs, result.outputs['backup-file'] ?? '');
}

/** The same proof by itself, and what it says where something is wrong. */
async function demonstrateVerification(host: Host, inputs: Record<string, string>, dump: string): Promise<void> {
  const checks = { ...inputs, checks: 'setup,backups,drill' };
  say('Running verify-action: the set-up, the backups, and a drill, which restores the newest one and throws it away');
  tell(workflow('verify', checks));
  const good = await runAction('verify', checks);
  tell(asShown(good.stdout));
  assert.equal(good.outputs['status'], 'verified', good.stdout + good.stderr);

  say('Planting faults: a report that everybody can read, and one byte of the dump that is another one');
  const report = dump.replace(/\.dump\.zst$/, '.report.txt');
  await onHost(host, 'chmod', '644', report);
  await onHost(host, 'bash', '-c', 'printf X | dd of="$1" bs=1 seek=5000 conv=notrunc status=none', 'bash', dump);
  const bad = await runAction('verify', checks);
  tell(asShown(bad.stdout));
  assert.equal(bad.outputs['status'], 'failed');
  const failed = (JSON.parse(bad.outputs['results'] ?? '[]') as { name: string; result: string }[]).filter(
    ({ result }) => result === 'failed',
  );
  for (const name of ['modes', 'read in full', 'same bytes', 'restore'])
    assert.ok(
      failed.some((finding) => finding.name === name),
      `"${name}" did not find its fault`,
    );
  say(`Each was found, and the step fails: ${failed.map(({ name }) => name).join(', ')}`);
}

/** The night on which the host's disk is lost. */
async function demonstrateCopies(host: Host): Promise<void> {
  await needPrograms({ age: 'age' });
  say('Making an S3 server with a bucket');
  const store = await startObjectStore();
  try {
    await store.createBucket('demo-backups');
    const bucket = { 's3-bucket': 'demo-backups', 's3-endpoint': store.endpoint, 's3-region': store.region };
    const inputs = { ...host.inputs(), environment: 'demo', 'backup-dir': 'nightly', ...bucket };
    const env = { ...store.credentials, AWS_EC2_METADATA_DISABLED: 'true' };
    const identity = await run(['age-keygen']);
    const sealed = { encrypt: 'age', 'encrypt-to': /age1\w+/.exec(identity)?.[0] ?? '' };
    say('Running backup-action with a bucket for the copies, encrypted: neither the host nor the bucket can read them');
    tell(workflow('backup', { ...inputs, ...sealed }));
    const nightly = await runAction('backup', { ...inputs, ...sealed }, { env });
    tell(asShown(nightly.stdout));
    assert.equal(nightly.outputs['status'], 'succeeded', nightly.stderr);

    say("Losing every backup on the host, and running verify-action: a drill of the bucket's copy");
    await onHost(host, 'rm', '--recursive', `${host.deployDir}/nightly`);
    const drill = { ...inputs, checks: 'drill', 'drill-from': 's3', 'decrypt-key': identity };
    tell(workflow('verify', drill));
    const proven = await runAction('verify', drill, { env });
    tell(asShown(proven.stdout));
    assert.equal(proven.outputs['status'], 'verified', proven.stdout + proven.stderr);
    say(`Restored from ${nightly.outputs['s3-uri']}, and compared`);
  } finally {
    await store.close();
  }
}

/** Two releases that work, one that does not, and the button. */
async function demonstrateRollback(app: Application): Promise<void> {
  await app.publish({ version: 'v1' });
  await app.publish({ version: 'v2' });
  await app.publish({ version: 'v3', ill: 'health' });
  for (const version of ['v1', 'v2']) {
    say(`Deploying ${version}, and taking the nightly backup, which notes what runs`);
    await app.deploy(version);
    await app.serves(version);
    await judgeDeployment(app, 'verified');
    const nightly = await runAction('backup', { ...app.host.inputs(), environment: 'demo' });
    assert.equal(nightly.exitCode, 0, nightly.stdout + nightly.stderr);
  }
  say('Deploying v3, which never becomes healthy');
  await app.deploy('v3');
  tell((await app.host.exec(['docker', 'compose', 'ps', '--format', '{{.Service}}  {{.Image}}  {{.Status}}'])).stdout);

  say('Running verify-action after it: what runs is what was deployed, and is not well');
  tell(asShown((await judgeDeployment(app, 'failed')).stdout));

  const inputs: Record<string, string> = { ...app.inputs(), environment: 'demo', reason: 'v3 is never healthy' };
  say('Pressing the button: rollback-action without a target, which means the last good release');
  tell(workflow('rollback', inputs));
  const result = await runAction('rollback', inputs);
  tell(asShown(result.stdout));
  assert.equal(result.exitCode, 0, `rollback-action failed:\n${result.stderr}`);
  assert.equal(result.outputs['status'], 'rolled-back');
  say('Its summary, which GitHub shows with the picture drawn');
  tell(result.summary);
  await app.serves('v2');
  say(`v2 serves again; the longest downtime was ${result.outputs['downtime-ms']} ms`);
  await demonstrateRestore(app);
}

/** The worst night, with the same button. */
async function demonstrateRestore({ host, inputs: usual }: Application): Promise<void> {
  const database = host.database;
  const was = await database.contentOf();
  const nightly = await runAction('backup', { ...host.inputs(), environment: 'demo' });
  const id = nightly.outputs['backup-id'] ?? '';
  say('Losing a table with everything that refers to it: DROP TABLE shop.orders CASCADE');
  await database.psql('DROP TABLE shop.orders CASCADE;');
  say('Pressing the same button with the last backup: the database alone is restored, the release stays as it is');
  const inputs = {
    ...usual(),
    environment: 'demo',
    reason: 'shop.orders is gone',
    'restore-database': id,
    'confirm-restore': 'RESTORE',
  };
  tell(workflow('rollback', inputs));
  const result = await runAction('rollback', inputs);
  tell(asShown(result.stdout));
  assert.equal(result.outputs['status'], 'rolled-back', result.stdout + result.stderr);
  say('Its summary');
  tell(result.summary);
  assert.deepEqual(await database.contentOf(), was);
  const rows = await database.psql('SELECT count(*) FROM shop.orders');
  say(
    `shop.orders is back with ${rows} rows, and all else is as it was; downtime: ${result.outputs['downtime-ms']} ms`,
  );
}

/** The step after a deployment; its verdict goes into the history. */
async function judgeDeployment(app: Application, expected: 'verified' | 'failed'): Promise<ActionResult> {
  const inputs = { ...app.host.inputs(), environment: 'demo', checks: 'deployment', 'stable-for': '2s' };
  const result = await runAction('verify', { ...inputs, 'health-timeout': '5s' });
  assert.equal(result.outputs['status'], expected, result.stdout + result.stderr);
  return result;
}

/** The step in a user's workflow; secrets by their names. */
function workflow(action: 'backup' | 'rollback' | 'verify', inputs: Record<string, string>): string {
  const secrets: Record<string, string> = {
    'ssh-key': 'SSH_KEY',
    'known-hosts': 'KNOWN_HOSTS',
    'registry-password': 'REGISTRY_PASSWORD',
    'decrypt-key': 'BACKUP_KEY',
  };
  const lines = Object.entries(inputs).map(([name, value]) => {
    const secret = secrets[name];
    return `    ${name}: ${secret === undefined ? value : `\${{ secrets.${secret} }}`}`;
  });
  return [`- uses: atlasia/${action}-action@v1`, '  with:', ...lines].join('\n');
}

/** Standard output as GitHub shows it: groups unfolded, masks unseen. */
function asShown(stdout: string): string {
  return stdout
    .split('\n')
    .filter((line) => !/^::(add-mask|endgroup)::/.test(line))
    .map((line) => line.replace(/^::group::/, '▼ ').replace(/^::(error|warning|notice)[^:]*::/, '$1: '))
    .join('\n')
    .trim();
}

/** The second of the report's commands: into a new database, beside the one that is in use. */
function restoreCommand(report: string): string {
  const block = /2\. Into a new, empty database.*\n(\([\s\S]*?\n\))/.exec(report)?.[1];
  assert.ok(block, 'the report has no restore command');
  return block;
}

async function onHost(host: Host, ...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await host.exec(command);
  assert.equal(code, 0, `${command[0]} failed on the host:\n${stderr}`);
  return stdout;
}

function say(text: string): void {
  process.stdout.write(`\n\x1b[1m── ${text}\x1b[0m\n`);
}

function tell(text: string): void {
  process.stdout.write(`${text.trim().replaceAll(/^/gm, '   ')}\n`);
}
