// Copies of plain sets that the runner encrypts on their way: what lies in the bucket, and that it is that set.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { canonicalJson } from '../../../shared/canonical-json.ts';
import { Findings } from '../../../shared/drill/finding.ts';
import { isFailure } from '../../../shared/failure.ts';
import { copySet } from '../../../shared/offsite/copy-set.ts';
import { keepOffsite } from '../../../shared/offsite/keep-offsite.ts';
import { contentsOf } from '../../../shared/offsite/stored-sets.ts';
import { decryptStream } from '../../../shared/sets/decrypt.ts';
import { readManifest, readSummary } from '../../../shared/sets/read-manifest.ts';
import { unsealManifest } from '../../../shared/sets/sealed-manifest.ts';
import { judgeOffsite } from '../../../verify-action/backups/judge-offsite.ts';
import { readCopy } from '../../../verify-action/backups/read-copy.ts';
import { folderIds, sent, wholeSet } from './copied-sets.ts';
import { MemoryStore } from './memory-store.ts';

const id = '20261127_021700';
const folder = `backups/prod/${id}/`;
const quiet = { begins: () => {}, arrived: () => {}, confirmed: () => {} };
const identity = await generateX25519Identity();
const sealTo = [await identityToRecipient(identity)];
const parts = ['dump.zst', 'schema.sql.gz', 'globals.sql.gz', 'settings.sql.gz', 'report.txt'];

function copy(store: MemoryStore, { set, files } = wholeSet(id), keys = sealTo) {
  const target = { prefix: 'backups', environment: 'prod', folderIds, manifest: set.manifest, sealTo: keys };
  return copySet(store, target, sent(files), quiet);
}

const keep = (store: MemoryStore, { set, files } = wholeSet(id)) =>
  keepOffsite(store, {
    ...{
      prefix: 'backups',
      environment: 'prod',
      folderIds,
      database: set.database,
      sealTo,
      sets: [set],
      newest: id,
      most: 7,
    },
    policy: { daily: 3, weekly: 0, monthly: 0 },
    timezone: 'UTC',
    now: new Date('2026-11-27T03:00:00Z'),
    mayDelete: true,
    timeout: 3_600_000,
    read: () => sent(files),
    listener: () => quiet,
    signal: new AbortController().signal,
  });

const stored = (store: MemoryStore, ending: string) => store.contentOf(`${folder}backup_${id}.${ending}`) as Buffer;

function decrypted(cipher: Buffer): Promise<Buffer> {
  const stream = decryptStream(identity);
  stream.end(cipher);
  return buffer(stream);
}

test('every file but manifest and lists is encrypted, and these are of what lies there', async () => {
  const store = new MemoryStore();
  const whole = wholeSet(id);
  const copied = await copy(store, whole);
  assert.equal(copied.uri, `s3://memory/${folder}backup_${id}.dump.zst.age`);
  for (const part of parts) {
    const plain = whole.files.get(`backup_${id}.${part}`) ?? '?';
    assert.ok(!stored(store, `${part}.age`).includes(plain), part);
    assert.equal(String(await decrypted(stored(store, `${part}.age`))), plain);
  }
  assert.deepEqual(
    [...store.objects.keys()].map((key) => key.slice(`${folder}backup_${id}.`.length)).toSorted(),
    [...parts.map((part) => `${part}.age`), 'manifest.json', 'md5', 'sha256'].toSorted(),
  );
  assert.match(store.done.filter((line) => line.startsWith('write')).at(-1) ?? '', /\.manifest\.json$/);

  const manifest = readManifest(String(stored(store, 'manifest.json')));
  assert.equal(manifest.encryption, 'age');
  assert.equal(canonicalJson(unsealManifest(manifest)), canonicalJson(whole.set.manifest));
  for (const kind of ['sha256', 'md5'] as const) {
    const lines = String(stored(store, kind)).trim().split('\n');
    assert.equal(lines.length, parts.length + 1);
    for (const line of lines) {
      const [sum, name = ''] = line.split('  ');
      const content = store.contentOf(`${folder}${name}`) as Buffer;
      assert.equal(createHash(kind).update(content).digest('hex'), sum, name);
    }
  }
});

test('it is a complete set that is not copied again, and reads as what it says', async () => {
  const store = new MemoryStore();
  const { set, files } = wholeSet(id);
  await copy(store, { set, files });
  const { sets, parts } = await contentsOf(store, 'backups', 'prod');
  assert.deepEqual([sets.map(({ faults }) => faults), parts], [[[]], []]);
  const written = store.done.length;
  const outcome = await keep(store, { set, files });
  assert.deepEqual([outcome.copied, outcome.plain, outcome.problems], [[], [], []]);
  assert.ok(!store.done.slice(written).some((line) => /^(write|remove)/.test(line)));
  const reading = await readCopy(store, sets[0] as (typeof sets)[0], 1e9, () => {});
  assert.deepEqual(reading.faults, []);
});

test('is compared with the set on the host by what both know', async () => {
  const store = new MemoryStore();
  const { set, files } = wholeSet(id);
  await copy(store, { set, files });
  const { sets } = await contentsOf(store, 'backups', 'prod');
  const hostFiles = [...files].map(([name, text]) => ({ path: `daily/${name}`, bytes: Buffer.byteLength(text) }));
  const known = { ...set, manifest: readSummary(JSON.stringify(set.manifest)) };
  const judged = (changed: typeof hostFiles, host = known) => {
    const findings = new Findings('backups');
    judgeOffsite(findings, {
      ...{ place: 's3://memory', database: set.database, stored: sets, parts: [], newest: null, missing: [] },
      ...{ host: [host], hostFiles: changed, isRequired: true, maxAge: 1e12, now: new Date('2026-11-27T03:00:00Z') },
    });
    return findings.list.find(({ name }) => name === 'off-site agrees');
  };
  assert.deepEqual(judged(hostFiles)?.result, 'passed', judged(hostFiles)?.detail);
  assert.match(judged(hostFiles)?.detail ?? '', /encrypted on the way/);
  const longer = hostFiles.map((file) => ({ ...file, bytes: file.bytes + (file.path.includes('report') ? 1 : 0) }));
  assert.match(judged(longer)?.detail ?? '', /report\.txt\.age has \d+ bytes there/);
  const other = { ...known, manifest: { ...known.manifest, sha256: 'f'.repeat(64) } };
  assert.match(judged(hostFiles, other)?.detail ?? '', /is not the one on the host/);
});

test('what the host has encrypted stays as it is', async () => {
  const store = new MemoryStore();
  const whole = wholeSet(id, { encryption: 'age', file: `backup_${id}.dump.zst.age` });
  await copy(store, whole);
  for (const [name, content] of whole.files) assert.equal(String(store.contentOf(`${folder}${name}`)), content);
});

test('nothing plain stays beside it, and other plain copies are named', async () => {
  const store = new MemoryStore();
  const whole = wholeSet(id);
  await copy(store, whole, []);
  assert.deepEqual((await keep(store, whole)).plain, [id]);
  store.objects.delete(`${folder}backup_${id}.manifest.json`);
  await copy(store, whole);
  for (const part of parts) assert.ok(!store.objects.has(`${folder}backup_${id}.${part}`), part);
});

test('a file from the host that is not what its list says is no copy', async () => {
  for (const part of parts) {
    const store = new MemoryStore();
    const whole = wholeSet(id);
    const name = `backup_${id}.${part}`;
    whole.files.set(name, (whole.files.get(name) ?? '').replace(/^./, 'X'));
    await assert.rejects(copy(store, whole), (error) => isFailure(error, 'copy-differs'), part);
    assert.ok(!store.objects.has(`${folder}${name}.age`), part);
    assert.deepEqual((await contentsOf(store, 'backups', 'prod')).sets, []);
  }
});

test('what comes as a manifest and is none makes no copy, whatever its list says', async () => {
  const store = new MemoryStore();
  const whole = wholeSet(id);
  const [list, name] = [`backup_${id}.sha256`, `backup_${id}.manifest.json`];
  const text = (whole.files.get(name) ?? '').replace('"kind": "scheduled"', '"kind": "none of ours"');
  const sum = createHash('sha256').update(text).digest('hex');
  whole.files.set(name, text);
  whole.files.set(list, (whole.files.get(list) ?? '').replace(/^.*manifest\.json$/m, `${sum}  ${name}`));
  await assert.rejects(copy(store, whole), (error) => isFailure(error, 'bad-manifest'));
  assert.deepEqual((await contentsOf(store, 'backups', 'prod')).sets, []);
});
