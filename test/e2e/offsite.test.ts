// Copies of backups in a bucket: what lies there, what is deleted there, and what becomes of a run whose copy fails, is cut off
// or comes back the next night.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { CreateBucketCommand, GetObjectTaggingCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { run } from '../lab/command.ts';
import { holdLock, smallDisk } from '../lab/faults.ts';
import { folder as labFolder } from '../lab/folder.ts';
import { startLockingStore } from '../lab/locking-store.ts';
import { type ObjectStore, startObjectStore } from '../lab/object-store.ts';
import { needPrograms } from '../lab/packages.ts';
import { startAction } from '../lab/runner.ts';
import { startSshServer } from '../lab/sshd.ts';
import { startStoreFront } from '../lab/store-front.ts';
import { type Bucket, bucketOf, clientOf, notCopied } from './copies.ts';
import { errorsOf, hostIsClean, logOf, nothingPartial, runnerIsClean, succeeded, untouched } from './expectations.ts';
import {
  backup,
  backupInputs,
  bash,
  type Inputs,
  idDaysAgo,
  type ManifestJson,
  manifestOf,
  plant,
  read,
  sha256,
  smallDatabase,
} from './sets.ts';
import { hostForFile } from './stage.ts';
import { verify } from './verifications.ts';

await needPrograms({ age: 'age' });
const { lab, host } = await hostForFile({ name: 'offsite' });

let store: ObjectStore;
let client: S3Client;
let count = 0;
let bucket: string;
let there: Bucket;

before(async () => {
  store = await startObjectStore();
  client = clientOf(store);
  await smallDatabase(host, 'small', 200);
  // Of several parts.
  await smallDatabase(host, 'parts', 400_000);
});

after(async () => {
  client?.destroy();
  await store?.close();
});

beforeEach(() => {
  count += 1;
  bucket = `copies-${count}`;
  there = bucketOf(client, bucket);
});

const environment = () => ({ ...store.credentials, AWS_EC2_METADATA_DISABLED: 'true' });

const inputsOf = (inputs: Inputs = {}): Inputs => ({
  'db-name': 'small',
  's3-bucket': bucket,
  's3-endpoint': store.endpoint,
  's3-region': store.region,
  ...inputs,
});

const copying = (dir: string, inputs: Inputs = {}) => backup(host, dir, inputsOf(inputs), { env: environment() });

describe('a copy', () => {
  test('has every file of the set as it was verified, the manifest last, and is noted in its proofs', async () => {
    await store.createBucket(bucket);
    const dir = host.newBackupDir();
    const result = await copying(dir, { 's3-prefix': 'nightly/shop', environment: 'staging' });
    succeeded(result);
    const { id, file } = await manifestOf(host, result);
    const folder = `nightly/shop/staging/${id}/`;
    assert.equal(result.outputs['s3-uri'], `s3://${bucket}/${folder}${file}`);
    const onHost = host
      .files(`${dir}/daily`)
      .filter(({ path, type }) => type === 'file' && !path.endsWith('.proof.jsonl'));
    assert.deepEqual(await there.keys(), onHost.map(({ path }) => `${folder}${path.split('/').at(-1)}`).toSorted());
    for (const { path, content } of onHost)
      assert.equal(sha256(await there.content(`${folder}${path.split('/').at(-1)}`)), content, path);
    const put = store.requests().filter((line) => line.startsWith('PUT') && line.includes(`/${bucket}/nightly`));
    assert.equal(put.length, onHost.length);
    assert.match(put.at(-1) ?? '', /\.manifest\.json/);

    const [proof, ...others] = (await read(host, `${dir}/daily/backup_${id}.proof.jsonl`)).trim().split('\n');
    assert.deepEqual(others, []);
    const { what, result: verdict, uri, checks } = JSON.parse(proof ?? '');
    assert.deepEqual([what, verdict, uri, checks[file]], ['copy', 'passed', result.outputs['s3-uri'], 'read-back']);
    assert.match(logOf(result), /read back, with the same SHA-256/);
    const { offsite } = JSON.parse(result.outputs['evidence'] ?? '{}');
    const told = { uri, copied: true, sha256: result.outputs['sha256'], confirmation: 'read-back' };
    assert.deepEqual(offsite, told);
    assert.match(result.summary, new RegExp(`Off-site copy \\| .*s3://${bucket}/`));
    assert.doesNotMatch(logOf(result) + result.summary, new RegExp(store.credentials.AWS_SECRET_ACCESS_KEY));
    await hostIsClean(host);
  });

  test('arrives in parts where the dump is large', async () => {
    await store.createBucket(bucket);
    const dir = host.newBackupDir();
    const result = await copying(dir, { 'db-name': 'parts' });
    succeeded(result);
    const { id, file } = await manifestOf(host, result);
    assert.equal(sha256(await there.content(`atlasia-backups/prod/${id}/${file}`)), result.outputs['sha256']);
    const parts = store.requests().filter((line) => line.startsWith(`PUT /${bucket}/`) && line.includes('partNumber='));
    assert.ok(parts.length > 1, `${parts.length} parts`);
    assert.deepEqual(await there.unfinished(), []);
  });

  test('is made of a host behind another, and of the runner itself', async () => {
    await store.createBucket(bucket);
    const folder = mkdtempSync(join(labFolder('jumps'), 'sshd-'));
    chmodSync(folder, 0o755);
    const { account, key } = host;
    const jump = await startSshServer({ folder, account, authorized: [key], environment: lab.engine.environment });
    try {
      const over = {
        'proxy-jump': `${account.name}@127.0.0.1:${jump.port}`,
        'known-hosts': host.ssh.knownHosts + jump.knownHosts,
      };
      const behind = await copying(host.newBackupDir(), { 'db-name': 'parts', environment: 'behind', ...over });
      succeeded(behind);
      const none = { port: '', user: '', 'ssh-key': '', 'known-hosts': '' };
      const step = host.localStep();
      const dir = join(host.deployDir, host.newBackupDir());
      const itself = await backup(
        host,
        dir,
        inputsOf({ 'db-name': 'parts', environment: 'itself', ...host.localInputs(), ...none }),
        { ...step, env: { ...step.env, ...environment() } },
      );
      succeeded(itself);
      for (const { outputs } of [behind, itself]) {
        const content = await there.content((outputs['s3-uri'] ?? '').replace(`s3://${bucket}/`, ''));
        assert.equal(sha256(content), outputs['sha256']);
      }
      assert.equal((await there.ids()).length, 2);
    } finally {
      await jump.stop();
      rmSync(folder, { recursive: true });
    }
  });

  test('has tags by which the rules of the bucket can act, and the storage class that is asked for', async () => {
    const tagging = await startLockingStore();
    const tagged = clientOf({ ...tagging, credentials: store.credentials });
    try {
      await tagged.send(new CreateBucketCommand({ Bucket: bucket }));
      const place = { 's3-endpoint': tagging.endpoint, 's3-region': tagging.region };
      const asked = { 's3-tags': 'team=the shop', 's3-storage-class': 'ONEZONE_IA' };
      const dir = host.newBackupDir();
      for (const [kind, tier] of [
        // The first of its month.
        ['scheduled', 'monthly'],
        ['predeployment', 'predeployment'],
      ] as const) {
        const result = await copying(dir, { kind, ...place, ...asked });
        succeeded(result);
        const object = { Bucket: bucket, Key: (result.outputs['s3-uri'] ?? '').replace(`s3://${bucket}/`, '') };
        const { TagSet = [] } = await tagged.send(new GetObjectTaggingCommand(object));
        assert.deepEqual(TagSet.map(({ Key, Value }) => `${Key}=${Value}`).toSorted(), [
          'environment=prod',
          'team=the shop',
          `tier=${tier}`,
        ]);
        assert.equal((await tagged.send(new HeadObjectCommand(object))).StorageClass, 'ONEZONE_IA');
      }
    } finally {
      tagged.destroy();
      await tagging.close();
    }
  });

  test('fails without harm where there is no bucket, and the next night makes up for it', async () => {
    const dir = host.newBackupDir();
    const first = await copying(dir);
    notCopied(
      first,
      /NoSuchBucket/,
      /Correct "s3-bucket" or "s3-endpoint", or create the bucket.*The next backup copies/s,
    );
    const before = host.files(dir);
    const { id } = await manifestOf(host, first);
    assert.match(
      await read(host, `${dir}/backup.log`),
      new RegExp(`backup incomplete id=${id} .*error=bucket-unusable`),
    );

    await store.createBucket(bucket);
    const second = await copying(dir);
    succeeded(second);
    untouched(
      before.filter(({ path }) => path.includes('weekly/') && !path.endsWith('.jsonl')),
      host.files(dir),
    );
    assert.deepEqual((await there.ids()).toSorted(), [id, second.outputs['backup-id']].toSorted());
    nothingPartial(host.files(dir));
  });

  test('fails without harm where the login is refused or others copy, and the deployment may go on', async () => {
    await store.createBucket(bucket);
    const dir = host.newBackupDir();
    const refused = await backup(host, dir, inputsOf(), { env: { ...environment(), AWS_SECRET_ACCESS_KEY: 'wrong' } });
    notCopied(refused, /SignatureDoesNotMatch/, /AWS_SECRET_ACCESS_KEY/);

    const release = await holdLock(host, dir, 'backup-action of a test', '.lock.offsite');
    const held = await copying(dir, { 'lock-wait': '0s' });
    notCopied(held, /The lock on .*\.lock\.offsite is held by backup-action of a test/, /raise "lock-wait"/);
    await release();

    const deployment = await backup(host, dir, inputsOf({ kind: 'predeployment' }), {
      env: { ...environment(), AWS_SECRET_ACCESS_KEY: 'wrong' },
    });
    assert.deepEqual([deployment.exitCode, deployment.outputs['status']], [0, 'incomplete'], logOf(deployment));
    assert.deepEqual(await there.keys(), []);
  });
});

describe('an encrypted backup', () => {
  test('lies encrypted in the bucket, and restores from there and from the host by its key alone', async () => {
    await store.createBucket(bucket);
    const dir = host.newBackupDir();
    const identity = await run(['age-keygen']);
    const sealed = { encrypt: 'age', 'encrypt-to': /age1\w+/.exec(identity)?.[0] ?? '' };
    const result = await copying(dir, sealed);
    succeeded(result);
    const uri = result.outputs['s3-uri'] ?? '';
    assert.match(uri, /\.dump\.zst\.age$/);
    assert.equal(
      String((await there.content(uri.replace(`s3://${bucket}/`, ''))).subarray(0, 18)),
      'age-encryption.org',
    );

    const drill = (inputs: Inputs) =>
      verify(host, dir, { 'db-name': 'small', checks: 'drill', ...inputs }, { env: environment() });
    const onHost = await drill({ 'decrypt-key': identity });
    assert.equal(onHost.outputs['status'], 'verified', logOf(onHost));
    await bash(host, 'rm --recursive -- "$1"', `${host.deployDir}/${dir}`);
    const key = /AGE-SECRET-KEY-\S+/.exec(identity)?.[0] ?? '';
    const fromBucket = await drill({ ...inputsOf(), 'drill-from': 's3', 'decrypt-key': key });
    assert.equal(fromBucket.outputs['status'], 'verified', logOf(fromBucket));
    assert.doesNotMatch(logOf(onHost).replaceAll(/^::add-mask::.*$/gm, ''), /AGE-SECRET-KEY/);
    const without = await drill({ ...inputsOf(), 'drill-from': 's3' });
    assert.notEqual(without.outputs['status'], 'verified');
    assert.match(logOf(without), /decrypt-key/);
    await hostIsClean(host);
  });
});

describe('the bucket', () => {
  test('gets what it lacks, the newest first and some at one time; keeps its own days; leaves others alone', async () => {
    await store.createBucket(bucket);
    const dir = host.newBackupDir();
    const first = await backup(host, dir, { 'db-name': 'small', 'keep-daily': 'all' });
    succeeded(first);
    const manifest = await manifestOf(host, first);
    const old = [1, 2, 3, 4, 5, 6, 7, 8].map(idDaysAgo);
    for (const id of old) await plantWhole(dir, manifest, id);
    const foreign = [
      'atlasia-backups/prod/README',
      `atlasia-backups/prod2/${manifest.id}/x`,
      `atlasia-backups/prod/${idDaysAgo(99)}/note`,
    ];
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    for (const Key of foreign) await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'mine' }));

    // On a Sunday, or on the first of a month, the first one would stay for its week or month.
    const days = { 'keep-daily': 'all', 's3-keep-weekly': '0', 's3-keep-monthly': '0' };
    const second = await copying(dir, { ...days, 's3-keep-daily': 'all' });
    succeeded(second);
    const newest = second.outputs['backup-id'] ?? '';
    assert.deepEqual((await there.ids()).toSorted(), [newest, ...old.slice(0, 6)].toSorted());

    const third = await copying(dir, { ...days, 's3-keep-daily': '3' });
    succeeded(third);
    const left = await there.ids();
    assert.ok(left.includes(third.outputs['backup-id'] ?? ''));
    assert.deepEqual(
      left.filter((id) => old.slice(2).includes(id)),
      [],
      left.join(),
    );
    assert.equal(left.length, 3);
    for (const key of foreign) assert.equal(String(await there.content(key)), 'mine');
    assert.match(logOf(third), /Deleted from the bucket by its retention: /);
    assert.equal(host.files(`${dir}/daily`).filter(({ path }) => path.endsWith('.manifest.json')).length, 9);
  });

  test('loses nothing to a backup that is doubtful itself: whoever lost data keeps what was there before', async () => {
    await store.createBucket(bucket);
    const dir = host.newBackupDir();
    await smallDatabase(host, 'shrinks', 5_000);
    const keep = { 'db-name': 'shrinks', 's3-keep-daily': '1', 's3-keep-weekly': '0', 's3-keep-monthly': '0' };
    const first = await copying(dir, { ...keep, 's3-keep-daily': 'all' });
    succeeded(first);
    const earlier = first.outputs['backup-id'] ?? '';
    await host.psql('DELETE FROM items WHERE id > 500;', 'shrinks');

    const doubtful = await copying(dir, { ...keep, 'min-size-ratio': '0.5' });
    assert.equal(doubtful.outputs['status'], 'incomplete', logOf(doubtful));
    assert.match(logOf(doubtful), /smaller than min-size-ratio 0\.5 allows/);
    assert.deepEqual((await there.ids()).toSorted(), [earlier, doubtful.outputs['backup-id']].toSorted());

    const accepted = await copying(dir, { ...keep, 'min-size-ratio': '0' });
    succeeded(accepted);
    assert.deepEqual(await there.ids(), [accepted.outputs['backup-id']]);
    await host.database.drop('shrinks');
  });
});

describe('two backup folders that name the same place in the bucket', () => {
  const keep = { 's3-keep-daily': '1', 's3-keep-weekly': '0', 's3-keep-monthly': '0' };
  const idOf = async (dir: string) => (await read(host, `${dir}/.folder-id`)).trim();

  test('delete nothing of each other, and say so; a folder that takes the copies of another over goes on with them', async () => {
    await store.createBucket(bucket);
    const [one, other] = [host.newBackupDir(), host.newBackupDir()];
    const first = await copying(one, keep);
    const second = await copying(other, keep);
    const third = await copying(one, keep);
    for (const result of [first, second, third]) succeeded(result);
    const [, theirs, ours] = [first, second, third].map(({ outputs }) => outputs['backup-id'] ?? '');
    assert.deepEqual((await there.ids()).toSorted(), [theirs, ours].toSorted(), logOf(third));
    const [id, otherId] = [await idOf(one), await idOf(other)];
    const file = host.files(one).find(({ path }) => path === '.folder-id');
    assert.deepEqual([file?.type, file?.mode], ['file', 0o600]);
    assert.match(id, /^[0-9a-f]{32}$/);
    for (const [set = '', from] of [
      [ours, id],
      [theirs, otherId],
    ]) {
      const Key = (await there.keys()).find((key) => key.endsWith(`${set}.manifest.json`)) ?? '';
      const { Metadata } = await client.send(new HeadObjectCommand({ Bucket: bucket, Key }));
      assert.deepEqual(Metadata, { folder: from });
    }
    assert.doesNotMatch(logOf(first), /The bucket also holds/);
    for (const text of [logOf(third), third.summary])
      assert.match(
        text,
        new RegExp(`The bucket also holds a copy of .*small.* that another backup folder made \\(${otherId}\\)`),
      );

    // As after the loss of the first host.
    await bash(host, 'echo "$2" >>"$1/.folder-id"', `${host.deployDir}/${other}`, id);
    const fourth = await copying(other, keep);
    succeeded(fourth);
    assert.deepEqual(await there.ids(), [fourth.outputs['backup-id']], logOf(fourth));
    assert.doesNotMatch(logOf(fourth), /The bucket also holds/);
    await hostIsClean(host);
  });

  test('copy and delete nothing while the id of one is damaged', async () => {
    await store.createBucket(bucket);
    const dir = host.newBackupDir();
    succeeded(await copying(dir, keep));
    const before = await there.keys();
    const id = await idOf(dir);
    await bash(host, 'echo lost >"$1/.folder-id"', `${host.deployDir}/${dir}`);
    const damaged = await copying(dir, keep);
    notCopied(
      damaged,
      /\.folder-id does not hold the id of a backup folder/,
      /write it into that file.*rm .*\.folder-id/s,
    );
    assert.deepEqual(await there.keys(), before);
    assert.equal(await idOf(dir), 'lost');
    assert.match(await read(host, `${dir}/backup.log`), /backup incomplete id=\S+ .*error=folder-id-damaged/);
    await bash(host, 'printf "%s\\n" "$2" >"$1/.folder-id"', `${host.deployDir}/${dir}`, id);
    const mended = await copying(dir, keep);
    succeeded(mended);
    assert.deepEqual(await there.ids(), [mended.outputs['backup-id']]);
  });

  test('come without an id where no copy is wanted', async () => {
    const dir = host.newBackupDir();
    succeeded(await backup(host, dir, { 'db-name': 'small' }));
    assert.deepEqual(
      host.files(dir).filter(({ path }) => path.startsWith('.folder-id')),
      [],
    );
  });
});

test('a disk of the host that fills up meanwhile takes nothing from the copy, nor from the backup', async () => {
  await store.createBucket(bucket);
  const dir = host.newBackupDir();
  const unmount = await smallDisk(host, dir, 64);
  const front = await startStoreFront(store.endpoint);
  const filler = `${host.deployDir}/${dir}/filler`;
  let isFull = false;
  front.interfere({
    instead({ method }) {
      if (method === 'PUT' && !isFull) {
        isFull = true;
        spawnSync('sh', ['-c', 'head -c 200M /dev/zero >"$1"', 'sh', filler]);
      }
      return false;
    },
  });
  try {
    const result = await copying(dir, { 's3-endpoint': front.endpoint });
    const log = logOf(result);
    assert.deepEqual([result.exitCode, result.outputs['status']], [1, 'incomplete'], log);
    assert.match(
      errorsOf(result)[0]?.message ?? '',
      /The copy of \S+ is whole, but could not be noted on the host/,
      log,
    );
    const { id } = await manifestOf(host, result);
    assert.match(result.outputs['s3-uri'] ?? '', new RegExp(`^s3://${bucket}/.*${id}`));
    assert.deepEqual(await there.ids(), [id]);
    rmSync(filler);
    succeeded(await copying(dir));
  } finally {
    front.close();
    await unmount();
  }
});

describe('a copy that is cut off', () => {
  test('by a cancel leaves the backup on the host and nothing in the bucket; the next run is whole', async () => {
    await store.createBucket(bucket);
    const dir = host.newBackupDir();
    const gate = await startGate(store, (line) => line.startsWith('PUT') && line.includes('partNumber=2'));
    try {
      const running = await startCopy(dir, gate.endpoint);
      await gate.caught;
      // A copy may take hours: no deployment and no other backup waits for it.
      await bash(host, 'flock --nonblock "$1" true', `${host.deployDir}/${dir}/.lock`);
      const result = await running.cancel();
      assert.equal(result.signal, null, logOf(result));
      assert.deepEqual([result.exitCode, result.outputs['status']], [1, 'incomplete'], logOf(result));
      assert.match(
        result.summary,
        /is verified, but the run is incomplete\n\n.*the run ended before the copy was complete/,
      );
      assert.match(result.summary, /Off-site copy \| missing/);
      runnerIsClean(result);
      await hostIsClean(host);
      const { id } = await manifestOf(host, result);
      assert.deepEqual(
        (await there.keys()).filter((key) => key.endsWith('.manifest.json')),
        [],
      );
      assert.deepEqual(await there.unfinished(), []);
      const next = await copying(dir, { 'db-name': 'parts' });
      succeeded(next);
      assert.deepEqual((await there.ids()).toSorted(), [id, next.outputs['backup-id']].toSorted());
    } finally {
      gate.close();
    }
  });

  test('by the death of the runner leaves parts behind, which the next run removes', async () => {
    await store.createBucket(bucket);
    const dir = host.newBackupDir();
    const gate = await startGate(store, (line) => line.startsWith('PUT') && line.includes('partNumber=2'));
    try {
      const running = await startCopy(dir, gate.endpoint);
      await gate.caught;
      await running.kill();
    } finally {
      gate.close();
    }
    assert.equal((await there.unfinished()).length, 1);
    const next = await copying(dir);
    succeeded(next);
    assert.deepEqual(await there.unfinished(), []);
    await hostIsClean(host);
  });
});

/** A set with lists of its own checksums. */
async function plantWhole(dir: string, source: ManifestJson, id: string): Promise<void> {
  await plant(host, dir, source, id);
  const script = 'cd "$1"; for sum in sha256 md5; do "$sum"sum "backup_$2".*[^56] >"backup_$2.$sum"; done';
  await bash(host, script, `${host.deployDir}/${dir}/daily`, id);
}

const startCopy = (dir: string, endpoint: string) =>
  startAction('backup', backupInputs(host, dir, inputsOf({ 'db-name': 'parts', 's3-endpoint': endpoint })), {
    env: environment(),
  });

/** The store behind a gate that holds one kind of request back for good. */
async function startGate(behind: ObjectStore, holds: (line: string) => boolean) {
  const front = await startStoreFront(behind.endpoint);
  const caught = new Promise<void>((resolve) => {
    front.interfere({
      instead({ method, url }) {
        const isHeld = holds(`${method} ${url}`);
        if (isHeld) resolve();
        return isHeld;
      },
    });
  });
  return { endpoint: front.endpoint, caught, close: front.close };
}
