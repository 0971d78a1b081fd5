import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { Failure, isFailure } from '../../../shared/failure.ts';
import type { IncomingFile } from '../../../shared/host/incoming-files.ts';
import { copySet } from '../../../shared/offsite/copy-set.ts';
import { contentsOf } from '../../../shared/offsite/stored-sets.ts';
import { longestManifest } from '../../../shared/sets/read-manifest.ts';
import { folderIds, sent, wholeSet } from './copied-sets.ts';
import { MemoryStore } from './memory-store.ts';

const id = '20261127_021700';
const folder = `backups/prod/${id}/`;
const quiet = { begins: () => {}, arrived: () => {}, confirmed: () => {} };

function copy(store: MemoryStore, { set, files } = wholeSet(id)) {
  return copySet(
    store,
    { prefix: 'backups', environment: 'prod', folderIds, manifest: set.manifest, sealTo: [] },
    sent(files),
    quiet,
  );
}

const manifestKey = `${folder}backup_${id}.manifest.json`;

test('a copy has every file, the manifest last, and counts as a set', async () => {
  const store = new MemoryStore();
  const whole = wholeSet(id);
  const copied = await copy(store, whole);
  for (const [name, content] of whole.files) assert.equal(String(store.contentOf(`${folder}${name}`)), content);
  assert.equal(copied.uri, `s3://memory/${folder}backup_${id}.dump.zst`);
  assert.deepEqual(new Set(copied.files.map(({ confirmation }) => confirmation)), new Set(['reported']));
  assert.equal(store.done.filter((line) => line.startsWith('write')).at(-1), `write ${manifestKey}`);
  const { sets, parts } = await contentsOf(store, 'backups', 'prod');
  assert.deepEqual([sets.map((set) => [set.id, set.isComplete]), parts], [[[id, true]], []]);
});

test('a copy says from which backup folder it is: at its manifest, whose bytes stay those of the host', async () => {
  const store = new MemoryStore();
  await copy(store);
  const noted = [...store.objects].filter(([, { metadata }]) => metadata !== undefined);
  assert.deepEqual(
    noted.map(([key, { metadata }]) => [key, metadata]),
    [[manifestKey, { folder: folderIds[0] }]],
  );
  assert.equal((await contentsOf(store, 'backups', 'prod')).sets[0]?.folderId, folderIds[0]);
});

test('what a store does not report is read back', async () => {
  const store = new MemoryStore();
  store.reports = false;
  const { files } = await copy(store);
  assert.ok(files.every(({ confirmation }) => confirmation === 'read-back'));
});

const kinds = [
  ['reports checksums', true, false],
  ['reports those of the parts', true, true],
  ['reports none', false, false],
] as const;
for (const [what, reports, isComposite] of kinds) {
  test(`other bytes than were sent are removed, where the store ${what}`, async () => {
    const store = new MemoryStore();
    Object.assign(store, { reports, isComposite });
    await copy(store);
    const other = new MemoryStore();
    Object.assign(other, { reports, isComposite });
    other.spoil = (key, content) => (key.endsWith('.dump.zst') ? Buffer.from('dump of 20261127_021701') : content);
    await assert.rejects(copy(other), (error) => isFailure(error, 'copy-differs'));
    assert.ok(!other.objects.has(`${folder}backup_${id}.dump.zst`));
    assert.ok(!other.objects.has(manifestKey));
  });
}

test('other bytes that cannot be deleted are told as well', async () => {
  const store = new MemoryStore();
  store.spoil = (key, content) => (key.endsWith('.dump.zst') ? Buffer.from('dump of 20261127_021701') : content);
  store.fault = (line) => (/^remove .*dump/.test(line) ? new Failure('bucket-unusable', 'AccessDenied') : null);
  await assert.rejects(copy(store), /could not be deleted: AccessDenied/);
});

test('what a store accepted but does not have does not count as a copy', async () => {
  const store = new MemoryStore();
  store.facts = async () => null;
  await assert.rejects(copy(store), /is not there, although the store took it/);
});

test('what a store accepted but does not give back does not count as a copy', async () => {
  const store = new MemoryStore();
  store.reports = false;
  store.read = async () => null;
  await assert.rejects(copy(store), /is not there, although the store took it/);
});

test('a manifest that goes while the bucket is looked at makes no set', async () => {
  const store = new MemoryStore();
  await copy(store);
  store.read = async () => null;
  const { sets, parts } = await contentsOf(store, 'backups', 'prod');
  assert.deepEqual([sets, parts.map(({ why }) => why)], [[], ['its manifest was deleted just now']]);
});

const lists: [what: string, bytes: number, content: () => Iterable<Buffer>][] = [
  [
    'is announced to be',
    65_537,
    // biome-ignore lint/correctness/useYield: nobody may ask for it.
    function* () {
      throw new Error('it was read');
    },
  ],
  [
    'turns out to be',
    10,
    function* () {
      yield Buffer.alloc(65_537);
    },
  ],
];
for (const [what, bytes, content] of lists) {
  test(`a list of checksums that ${what} too large fills no memory`, async () => {
    const list = async function* () {
      yield { name: `backup_${id}.sha256`, bytes, content: Readable.from(content(), { objectMode: false }) };
    };
    await assert.rejects(copyOf(new MemoryStore(), list()), /is too large: more than 65536 bytes/);
  });
}

test('a copy that the store has cut short is known by its length, and is not read back', async () => {
  const store = new MemoryStore();
  store.reports = false;
  store.spoil = (key, content) => (key.endsWith('.dump.zst') ? content.subarray(1) : content);
  await assert.rejects(copy(store), /has 22 bytes instead of 23/);
  assert.ok(!store.done.some((line) => /^read .*dump/.test(line)));
});

test('a manifest of another set or environment makes no set of what lies there', async () => {
  for (const other of [wholeSet('20261126_021700'), wholeSet(id, { environment: 'staging' })]) {
    const store = new MemoryStore();
    await copy(store);
    const [manifest] = [...other.files].at(-1)?.slice(1) ?? [];
    store.objects.set(manifestKey, { content: Buffer.from(manifest ?? ''), tags: {} });
    const { sets, parts } = await contentsOf(store, 'backups', 'prod');
    assert.deepEqual([sets, parts.map(({ why }) => why)], [[], ['its manifest is that of another backup']]);
  }
});

const wrong: [what: string, change: (files: Map<string, string>) => void, said: RegExp][] = [
  [
    'a dump with other bytes',
    (files) => files.set(`backup_${id}.dump.zst`, 'dump of 20261127_021701'),
    /does not match its checksum/,
  ],
  [
    'a longer dump',
    (files) => files.set(`backup_${id}.dump.zst`, 'longer than the manifest says'),
    /the manifest says/,
  ],
  ['another schema', (files) => files.set(`backup_${id}.schema.sql.gz`, 'other'), /does not match its checksum/],
  ['another manifest', (files) => files.set(`backup_${id}.manifest.json`, '{}'), /does not match its checksum/],
  ['no schema', (files) => void files.delete(`backup_${id}.schema.sql.gz`), /did not send .*schema/],
  ['no manifest', (files) => void files.delete(`backup_${id}.manifest.json`), /no manifest/],
  [
    'a file of another set',
    (files) => {
      const manifest = files.get(`backup_${id}.manifest.json`) ?? '';
      files.delete(`backup_${id}.manifest.json`);
      files.set('backup_20261126_021700.md5', 'x').set(`backup_${id}.manifest.json`, manifest);
    },
    /is not a file of/,
  ],
  [
    'a list with another checksum of the dump',
    (files) =>
      files.set(
        `backup_${id}.sha256`,
        (files.get(`backup_${id}.sha256`) ?? '').replace(/^[0-9a-f]{64}(?=.*\.dump)/m, 'a'.repeat(64)),
      ),
    /disagree/,
  ],
  [
    'a list without the report',
    (files) =>
      files.set(`backup_${id}.sha256`, (files.get(`backup_${id}.sha256`) ?? '').replace(/^.*report\.txt\n/m, '')),
    /lacks .*report/,
  ],
  ['a list that disagrees with the manifest', (files) => files.set(`backup_${id}.sha256`, ''), /disagree/],
  [
    'the list of checksums too late',
    (files) => {
      const list = files.get(`backup_${id}.sha256`) ?? '';
      files.delete(`backup_${id}.sha256`);
      files.set(`backup_${id}.sha256`, list);
    },
    /before the list of checksums/,
  ],
];
for (const [what, change, said] of wrong) {
  test(`${what} from the host makes no set`, async () => {
    const store = new MemoryStore();
    const whole = wholeSet(id);
    change(whole.files);
    await assert.rejects(
      copy(store, whole),
      (error: Failure) => error.code === 'copy-differs' && said.test(error.message),
    );
    assert.deepEqual((await contentsOf(store, 'backups', 'prod')).sets, []);
  });
}

/** A set of whose files, in the order in which they are sent, some come again or late. */
async function* sentSo(names: (names: string[]) => string[]): AsyncGenerator<IncomingFile> {
  const { files } = wholeSet(id);
  for (const name of names([...files.keys()])) yield* sent(new Map([[name, files.get(name) ?? '']]));
}

const copyOf = (store: MemoryStore, files: AsyncIterable<IncomingFile>) =>
  copySet(
    store,
    { prefix: 'backups', environment: 'prod', folderIds, manifest: wholeSet(id).set.manifest, sealTo: [] },
    files,
    quiet,
  );

test('a file that comes twice makes no set', async () => {
  const store = new MemoryStore();
  const twice = sentSo((names) => [...names.slice(0, 2), names[1] ?? '', ...names.slice(2)]);
  await assert.rejects(copyOf(store, twice), /was sent before/);
  assert.deepEqual((await contentsOf(store, 'backups', 'prod')).sets, []);
});

test('a file that comes after the manifest is not taken, and what came before it is no set', async () => {
  const store = new MemoryStore();
  const late = sentSo((names) => names.toSorted((a, b) => Number(a.endsWith('.md5')) - Number(b.endsWith('.md5'))));
  await assert.rejects(copyOf(store, late), /came after the manifest/);
  assert.deepEqual((await contentsOf(store, 'backups', 'prod')).sets, []);
});

test('while it is replaced, an earlier copy is no set', async () => {
  const store = new MemoryStore();
  await copy(store);
  const whole = wholeSet(id);
  whole.files.set(`backup_${id}.report.txt`, 'other');
  await assert.rejects(copy(store, whole));
  assert.ok(!store.objects.has(manifestKey));
  await copy(store);
  assert.equal((await contentsOf(store, 'backups', 'prod')).sets[0]?.isComplete, true);
});

test('an earlier copy that cannot be hidden is not replaced, file by file', async () => {
  const store = new MemoryStore();
  await copy(store);
  const before = store.done.length;
  store.fault = (line) => (line === `remove ${manifestKey}` ? new Failure('bucket-unusable', 'AccessDenied') : null);
  await assert.rejects(copy(store), /An earlier copy cannot be replaced: AccessDenied/);
  assert.ok(!store.done.slice(before).some((line) => line.startsWith('write')));
});

for (const [what, content, fault] of [
  ['has other bytes than its manifest says', 'dump', /has 4 bytes, but its manifest says 23/],
  ['is empty', '', /is empty/],
] as const) {
  test(`a copy whose dump ${what} is not complete`, async () => {
    const store = new MemoryStore();
    await copy(store);
    store.objects.set(`${folder}backup_${id}.dump.zst`, { content: Buffer.from(content), tags: {} });
    const [set] = (await contentsOf(store, 'backups', 'prod')).sets;
    assert.equal(set?.isComplete, false);
    assert.match(set?.faults.join() ?? '', fault);
  });
}

test('a copy with an empty file beside its dump is not complete', async () => {
  const store = new MemoryStore();
  await copy(store);
  store.objects.set(`${folder}backup_${id}.globals.sql.gz`, { content: Buffer.alloc(0), tags: {} });
  const [set] = (await contentsOf(store, 'backups', 'prod')).sets;
  assert.deepEqual(set?.faults, [`backup_${id}.globals.sql.gz is empty`]);
});

test('a manifest that is too large to be ours is not read', async () => {
  const store = new MemoryStore();
  await copy(store);
  store.objects.set(manifestKey, { content: Buffer.alloc(longestManifest + 1, ' '), tags: {} });
  store.done.length = 0;
  const { sets, parts } = await contentsOf(store, 'backups', 'prod');
  assert.deepEqual([sets, parts.map(({ why }) => why)], [[], ['its manifest is too large to be one of ours']]);
  assert.ok(!store.done.includes(`read ${manifestKey}`));
});

test('what is not ours is no set and no part of one', async () => {
  const store = new MemoryStore();
  const put = (key: string, text = 'x') => store.objects.set(key, { content: Buffer.from(text), tags: {} });
  put('backups/prod/README');
  put('backups/prod/20261126_021700/notes.txt');
  put('backups/prod/20261126_021700/failed_20261126_021700.dump.zst');
  put('backups/prod/20261126_021700/backup_20261126_021700.md5/deeper');
  put('backups/prod/20261126_021700/backup_20261125_021700.md5');
  put(`backups/prod2/${id}/backup_${id}.md5`);
  assert.deepEqual(await contentsOf(store, 'backups', 'prod'), { sets: [], parts: [] });
  put(manifestKey, '{"version":1}');
  put('backups/prod/20261124_021700/backup_20261124_021700.dump.zst');
  const { sets, parts } = await contentsOf(store, 'backups', 'prod');
  assert.deepEqual(sets, []);
  assert.deepEqual(
    parts.map(({ why }) => why),
    ['its manifest is none of ours, or damaged', 'it has no manifest'],
  );
});
