// Copies that the runner encrypts on their way into a bucket, of backups that are plain on the host.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { run } from '../lab/command.ts';
import { temporaryFolder } from '../lab/folder.ts';
import { makeKey } from '../lab/keys.ts';
import { type ObjectStore, startObjectStore } from '../lab/object-store.ts';
import { needPrograms } from '../lab/packages.ts';
import type { ActionResult } from '../lab/runner.ts';
import { hostIsClean, logOf, runnerIsClean, succeeded } from './expectations.ts';
import { backup, bash, type Inputs, type ManifestJson, manifestOf, read } from './sets.ts';
import { hostForFile } from './stage.ts';
import { verify } from './verifications.ts';

await needPrograms({ age: 'age' });
const { host } = await hostForFile({ name: 'sealed-copies' });
const identity = await run(['age-keygen']);
const ssh = await makeKey({ comment: 'somebody@example.com' });
const recipients = [/age1\w+/.exec(identity)?.[0], ssh.publicKey].join('\n');
const folder = temporaryFolder('age');
writeFileSync(join(folder, 'age'), identity, { mode: 0o600 });
writeFileSync(join(folder, 'ssh'), ssh.privateKey, { mode: 0o600 });

const bucket = 'sealed';
let store: ObjectStore;
let client: S3Client;

// Of several parts, and not compressed: compressed rows would hide what is not encrypted.
await host.psql(`
  CREATE SCHEMA aaa; CREATE TABLE aaa.notes (id int PRIMARY KEY, body text DEFAULT 'planted-default');
  INSERT INTO aaa.notes SELECT n, 'planted-row-' || n || repeat(md5(n::text), 16) FROM generate_series(1, 20000) n;
  ALTER DATABASE atlasia SET app.motto = 'planted-setting';`);
const planted = /planted-(row|default|setting)/;

before(async () => {
  store = await startObjectStore();
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = store.credentials;
  const { endpoint, region } = store;
  client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  await store.createBucket(bucket);
});

after(async () => {
  client?.destroy();
  await store?.close();
});

const environment = () => ({ ...store.credentials, AWS_EC2_METADATA_DISABLED: 'true' });
const place = (): Inputs => ({ 's3-bucket': bucket, 's3-endpoint': store.endpoint, 's3-region': store.region });
const copying = (dir: string, inputs: Inputs = {}) =>
  backup(
    host,
    dir,
    { ...place(), compression: 'none', encrypt: 'age', 'encrypt-to': recipients, ...inputs },
    { env: environment() },
  );
const checking = (dir: string, inputs: Inputs) => verify(host, dir, { ...place(), ...inputs }, { env: environment() });

async function objects(): Promise<Map<string, Buffer>> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
  const found = new Map<string, Buffer>();
  for (const { Key = '' } of Contents) {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
    found.set(Key.split('/').at(-1) ?? '', Buffer.from((await Body?.transformToByteArray()) ?? []));
  }
  return found;
}

function holdsPlanted(name: string, content: Buffer): boolean {
  return (
    planted.test(content.toString('latin1')) ||
    (name.includes('.gz') && content[0] === 0x1f && planted.test(gunzipSync(content).toString('latin1')))
  );
}

const requests = (method: string, id: string) =>
  store.requests().filter((line) => line.startsWith(method) && line.includes(id));

test('the host has them plain, the bucket encrypted; age opens them, and a drill restores them with either key', async () => {
  const dir = host.newBackupDir();
  const first: ActionResult = await copying(dir, { 'encrypt-at': 'runner' });
  succeeded(first);
  const manifest: ManifestJson = await manifestOf(host, first);
  const { id, file } = manifest;
  assert.deepEqual([manifest['encryption'], file], ['none', `backup_${id}.dump`]);
  assert.match(first.outputs['s3-uri'] ?? '', /\.dump\.age$/);
  assert.match(logOf(first), /Encrypted on the way, by this runner, for 2 keys/);

  const there = await objects();
  assert.equal(there.size, 8, [...there.keys()].join());
  for (const [name, content] of there) assert.ok(!holdsPlanted(name, content), name);
  const onHost = await read(host, `${dir}/daily/${file}`);
  assert.match(onHost, planted);
  const copied = JSON.parse(String(there.get(`backup_${id}.manifest.json`)));
  assert.deepEqual([copied.version, copied.encryption, copied.file], [1, 'age', `${file}.age`]);

  // By hand, as the documentation says.
  const elsewhere = temporaryFolder('elsewhere');
  for (const [name, content] of there) writeFileSync(join(elsewhere, name), content);
  const script = `sha256sum --check --quiet "backup_$1.sha256" && md5sum --check --quiet "backup_$1.md5"
    for file in *.age; do age --decrypt -i "$2" -o "\${file%.age}" "$file" || exit; done`;
  for (const key of ['age', 'ssh']) {
    await run(['bash', '-c', script, 'bash', id, join(folder, key)], { cwd: elsewhere });
    const names = [...there.keys()].filter((name) => name.endsWith('.age')).map((name) => name.replace(/\.age$/, ''));
    assert.equal(names.length, 5);
    for (const name of names) {
      await run(['cmp', join(elsewhere, name), join(host.deployDir, dir, 'daily', name)]);
    }
  }

  const uploads = requests('PUT', id).length;
  const second = await copying(dir, { 'encrypt-at': 'runner' });
  succeeded(second);
  assert.equal(requests('PUT', id).length, uploads);

  const checked = await checking(dir, { checks: 'backups', 'require-offsite': 'true' });
  assert.equal(checked.outputs['status'], 'verified', logOf(checked));
  assert.match(checked.outputs['results'] ?? '', /encrypted on the way/);

  const drill = (inputs: Inputs) => checking(dir, { checks: 'drill', 'drill-from': 's3', ...inputs });
  const without = await drill({});
  assert.notEqual(without.outputs['status'], 'verified');
  assert.match(logOf(without), /can be restored only with a private key/);
  const withKey = await drill({ 'decrypt-key': identity });
  assert.equal(withKey.outputs['status'], 'verified', logOf(withKey));
  // Noted for the set on the host, which it is a copy of.
  const proofs = await read(host, `${dir}/daily/backup_${second.outputs['backup-id']}.proof.jsonl`);
  assert.match(proofs, /"what":"drill","from":"s3","result":"passed"/);
  await bash(host, 'rm --recursive -- "$1"', join(host.deployDir, dir));
  const alone = await drill({ 'decrypt-key': ssh.privateKey, 'drill-backup': id, 'db-name': 'atlasia' });
  assert.equal(alone.outputs['status'], 'verified', logOf(alone));
  runnerIsClean(first);
  await hostIsClean(host);
});

test('where the runner is to encrypt, there must be keys and a bucket', async () => {
  const dir = host.newBackupDir();
  const without = await backup(host, dir, { encrypt: 'age', 'encrypt-to': recipients, 'encrypt-at': 'runner' });
  assert.match(logOf(without), /"encrypt-at" is runner, but there is no bucket/);
  const plain = await copying(dir, { encrypt: 'none', 'encrypt-to': '', 'encrypt-at': 'runner' });
  assert.match(logOf(plain), /"encrypt-at" is runner, but nothing is to be encrypted/);
  for (const { exitCode } of [without, plain]) assert.equal(exitCode, 1);
  assert.deepEqual(
    host.files().filter(({ path }) => path.startsWith(`${dir}/`)),
    [],
  );
});
