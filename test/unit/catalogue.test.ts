import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Failure } from '../../shared/failure.ts';
import { type BackupSet, catalogueOf, verifiedSetsOf } from '../../shared/sets/catalogue.ts';
import type { Manifest } from '../../shared/sets/manifest.ts';
import { manifestText } from '../../shared/sets/manifest-text.ts';
import { readManifest, readSummary } from '../../shared/sets/read-manifest.ts';
import { demandReadable } from '../../shared/sets/whole-manifest.ts';
import { exampleManifest, HostFolder } from './retention/host-folder.ts';
import { counted, moved } from './table-count.ts';

const id = '20261123_021700';
const dump = `backup_${id}.dump.zst`;
const manifestPath = `daily/backup_${id}.manifest.json`;

/** A host with one set in daily, changed by the test. */
function only(change: (host: HostFolder) => void): BackupSet {
  const host = new HostFolder();
  host.add(id, ['daily']);
  change(host);
  const { sets, foreign } = host.catalogue();
  assert.equal(sets.length, 1);
  assert.deepEqual(foreign, []);
  return sets[0] ?? assert.fail();
}

function reasonOf(set: BackupSet): string {
  return set.state === 'broken' ? set.reason : assert.fail('it counts as verified');
}

const withManifest = (changes: Record<string, unknown>) => (host: HostFolder) => {
  host.manifests.set(manifestPath, JSON.stringify({ ...exampleManifest(id), ...changes }));
};

test('a set is one, in all the folders it is linked into', () => {
  const host = new HostFolder();
  host.add(id, ['monthly', 'predeployment', 'daily', 'weekly']);
  host.add('20261122_021700', ['daily'], 'app-staging');
  const { sets, foreign, partial, failed } = host.catalogue();
  assert.deepEqual(
    sets.map(({ id, state, database, folders }) => ({ id, state, database, folders })),
    [
      { id, state: 'verified', database: 'app', folders: ['daily', 'weekly', 'monthly', 'predeployment'] },
      { id: '20261122_021700', state: 'verified', database: 'app-staging', folders: ['daily'] },
    ],
  );
  assert.deepEqual([foreign, partial, failed], [[], [], []]);
  assert.deepEqual(verifiedSetsOf('app', sets), [sets[0]]);
});

test('sets before a rollback have their own name and folder, beside other things of ours', () => {
  const file = `prerollback_${id}.dump.zst`;
  const { sets, foreign } = catalogueOf(
    [
      { path: `rollback/${file}`, bytes: 1000 },
      { path: `rollback/prerollback_${id}.manifest.json`, bytes: 1 },
      { path: 'rollback/history.jsonl', bytes: 1 },
      { path: 'rollback/deployment_tags.log', bytes: 1 },
      { path: 'rollback/HOLD', bytes: 1 },
      { path: 'rollback/transactions', bytes: 4096 },
      { path: 'rollback/compose', bytes: 4096 },
    ],
    new Map([[`rollback/prerollback_${id}.manifest.json`, JSON.stringify(exampleManifest(id, { file }))]]),
  );
  assert.deepEqual(foreign, []);
  assert.deepEqual(
    sets.map(({ state, folders }) => ({ state, folders })),
    [{ state: 'verified', folders: ['rollback'] }],
  );
});

test('failed dumps, unfinished and foreign files are told apart', () => {
  const files = [
    `failed/failed_${id}.dump.zst`,
    `failed/failed_${id}.reason.txt`,
    `daily/.partial-${id}`,
    `predeployment/.partial-${id}/backup_${id}.dump.zst`,
    'daily/notes.txt',
    `daily/backup_${id}.sql.gz`,
    `weekly/${id}/backup_${id}.manifest.json`,
    `predeployment/backup_${id}.manifest.json`,
    `failed/backup_${id}.manifest.json`,
    `elsewhere/backup_${id}.manifest.json`,
    `daily/::set-output name=x::y`,
  ].map((path) => ({ path, bytes: 1 }));
  const { sets, failed, partial, foreign } = catalogueOf(files, new Map());
  assert.deepEqual(sets, []);
  assert.deepEqual(failed, [id]);
  assert.deepEqual(partial, files.slice(2, 4));
  assert.deepEqual(
    foreign.map(({ path }) => path).toSorted(),
    files
      .slice(4)
      .map(({ path }) => path)
      .toSorted(),
  );
});

test('a truncated, an empty and a missing dump make a set broken', () => {
  assert.equal(
    reasonOf(only((host) => host.truncate(id, 'daily', 999))),
    `${dump} has 999 bytes, but its manifest says 1000`,
  );
  assert.equal(reasonOf(only((host) => host.truncate(id, 'daily', 0))), `${dump} is empty, but its manifest says 1000`);
  assert.equal(reasonOf(only((host) => host.files.delete(`daily/${dump}`))), `${dump} is missing`);
});

test('a set that is damaged in one folder still counts in the others', () => {
  const host = new HostFolder();
  host.add(id, ['daily', 'weekly', 'monthly']);
  host.truncate(id, 'weekly', 5);
  assert.deepEqual(
    host.catalogue().sets.map(({ state, folders }) => ({ state, folders })),
    [
      { state: 'verified', folders: ['daily', 'monthly'] },
      { state: 'broken', folders: ['weekly'] },
    ],
  );
});

test('sets of one id whose manifests differ are two, each in its own folder', () => {
  const host = new HostFolder();
  host.add(id, ['daily', 'weekly']);
  host.manifests.set(manifestPath, JSON.stringify(exampleManifest(id, { sha256: 'b'.repeat(64) })));
  assert.deepEqual(
    host.catalogue().sets.map(({ state, folders }) => ({ state, folders })),
    [
      { state: 'verified', folders: ['daily'] },
      { state: 'verified', folders: ['weekly'] },
    ],
  );
});

const damagedManifests: [what: string, change: (host: HostFolder) => unknown, reason: RegExp][] = [
  ['not sent', (host) => host.manifests.clear(), /could not be read/],
  ['empty', (host) => host.manifests.set(manifestPath, ''), /is not JSON/],
  ['cut off', (host) => host.manifests.set(manifestPath, '{"version": 1, "id'), /is not JSON/],
  ['null', (host) => host.manifests.set(manifestPath, 'null'), /is not a manifest: it is not an object/],
  ['a list', (host) => host.manifests.set(manifestPath, '[]'), /is not a manifest: it is not an object/],
  ['nested', (host) => host.manifests.set(manifestPath, '['.repeat(100_000)), /is not JSON/],
  ['huge', (host) => host.manifests.set(manifestPath, ' '.repeat(128 * 1024 * 1024 + 1)), /is too large/],
  ['of version 2', withManifest({ version: 2 }), /has version 2; .* reads version 1/],
  ['without a version', withManifest({ version: undefined }), /"version" is not one of 1/],
  ['of another set', withManifest({ id: '20261122_021700' }), /belongs to 20261122_021700/],
  ['for another file', withManifest({ file: `backup_${id}.sql.gz` }), /names backup_.*sql\.gz instead of backup_/],
  ['for a path', withManifest({ file: `../weekly/${dump}` }), /"file" is not the bare name/],
  ['without a size', withManifest({ sizeBytes: -1 }), /"sizeBytes" is not a count/],
  ['with a size as text', withManifest({ sizeBytes: '1000' }), /"sizeBytes" is not a count/],
  ['with a long name', withManifest({ environment: 'x'.repeat(1025) }), /"environment" is longer than 1024/],
  ['with a NUL', withManifest({ database: 'a\0b' }), /"database" is not a database name/],
  ['without a database', withManifest({ database: '' }), /"database" is not a database name/],
  ['with a date that is none', withManifest({ startedAt: 'yesterday' }), /"startedAt" is not a time/],
  ['with a short checksum', withManifest({ sha256: 'abc' }), /"sha256" is not 64/],
  ['with a script as address', withManifest({ runUrl: 'javascript:alert(1)' }), /"runUrl" is not an http/],
  ['with a bad digest', withManifest({ release: { web: { digest: 'latest' } } }), /release.web.digest/],
  [
    'with too many checks',
    withManifest({ checks: Array(1001).fill(exampleManifest(id).checks[0]) }),
    /more than 1000 items/,
  ],
  [
    'with too many services',
    withManifest({ release: Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [`s${n}`, {}])) }),
    /more than 1000 entries/,
  ],
  ['with a bad service', withManifest({ release: { 'a b': {} } }), /"release" has a name/],
];
for (const [what, change, reason] of damagedManifests) {
  test(`a manifest that is ${what} makes its set broken`, () => {
    assert.match(reasonOf(only(change)), reason);
  });
}

test('fields of a later release are dropped, and __proto__ is a name like any other', () => {
  const set = only((host) => {
    const text = JSON.stringify({ ...exampleManifest(id), later: 1 });
    const service = '"__proto__":{"image":null,"tag":null,"digest":null,"imageId":null}';
    host.manifests.set(manifestPath, text.replace('"release":{}', `"release":{${service}}`));
  });
  assert.equal(set.state, 'verified');
  assert.deepEqual(Object.keys(set.manifest?.release ?? {}), ['__proto__']);
  assert.ok(!('later' in (set.manifest ?? {})));
});

test('a whole manifest reads back as it was written', () => {
  const manifest = exampleManifest(id, { runUrl: 'https://example.test/run/1', commit: 'abcdef0', actor: 'x[bot]' });
  assert.deepEqual(readManifest(JSON.stringify(manifest)), manifest);
});

test('the lists of what a set holds are no matter of whether it counts, and are read with the whole', () => {
  const { tables, sequences, extensions, members, ...summary } = exampleManifest(id);
  assert.deepEqual(readSummary(JSON.stringify(summary)), summary);
  assert.deepEqual(readSummary(JSON.stringify({ ...summary, tables: 'many' })), summary);
  const rest = { ...summary, sequences, extensions, members };
  assert.throws(() => readManifest(JSON.stringify(rest)), /"tables" is not a list/);
  const bad = { ...rest, tables: [{ ...tables[0], rows: 1.5 }] };
  assert.throws(() => readManifest(JSON.stringify(bad)), /tables\[0\].rows/);
});

test('the manifest of 200 000 tables, each with a sequence, can be read back', () => {
  const relation = (index: number) => ({ schema: 's'.repeat(63), name: `${index}`.padEnd(63, 'x') });
  const many = Array.from({ length: 200_000 }, (_, index) => relation(index));
  const manifest = exampleManifest(id, {
    tables: many.map(({ schema, name }) => counted(schema, name, 2 ** 40)),
    sequences: many.map((each) => moved(each.schema, each.name, `${2n ** 63n}`, `${2n ** 63n}`)),
    members: [
      { extension: 'postgis', objects: many.slice(0, 20_000).map(({ name }) => `function public.${name}(integer)`) },
    ],
  });
  const text = manifestText(manifest);
  assert.equal(readManifest(text).tables.length, 200_000);
  demandReadable(text);
});

test('a manifest that could not be read back is not published', () => {
  const refused = (changes: Partial<Manifest>, why: RegExp) => {
    const text = JSON.stringify(exampleManifest(id, changes), null, 2);
    assert.throws(
      () => demandReadable(text),
      (error) => error instanceof Failure && error.code === 'manifest-unreadable' && why.test(error.message),
    );
  };
  refused({ extensions: Array(10_001).fill({ name: 'x', version: '1' }) }, /"extensions" has more than 10000 items/);
  refused({ extensions: Array(9_000).fill({ name: 'x', version: '1' }) }, /bytes besides its tables and sequences/);
  refused({ dumpWarnings: Array(40).fill('x'.repeat(450)) }, /bytes before its tables and sequences/);
});

test('whatever stands in a field, a manifest is read or refused with a Failure', () => {
  const fields = Object.keys(exampleManifest(id)) as (keyof Manifest)[];
  fc.assert(
    fc.property(fc.constantFrom(...fields), fc.jsonValue(), (field, value) => {
      try {
        readManifest(JSON.stringify({ ...exampleManifest(id), [field]: value }));
      } catch (error) {
        assert.ok(error instanceof Failure, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
