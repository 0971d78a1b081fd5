import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { allPassed, type DumpEvidence, judgeDump } from '../../shared/backups/verification.ts';
import { counted } from './table-count.ts';

const sha = 'a'.repeat(64);

/** A dump with nothing to object to, for tests to change. */
function evidence(changes: Partial<DumpEvidence> = {}): DumpEvidence {
  return {
    encoding: { format: 'custom', compression: 'zstd', encryption: 'none' },
    databaseEncoding: 'UTF8',
    sizeBytes: 5_000,
    magic: ' 28 b5 2f fd 04',
    streamSha256: sha,
    diskSha256: sha,
    stages: 'list 0\ndecompress 0\nbytes 9000\nread 0',
    contents: '; Archive\n3456; 0 16390 TABLE DATA public orders app\n3457; 0 16391 TABLE DATA my shop two words app\n',
    tables: [counted('public', 'orders', 3), counted('my shop', 'two words', 0)],
    factsComplete: true,
    rowCounts: 'exact',
    dumpMs: 10,
    readMs: 10,
    ...changes,
  };
}

const plain = (changes: Partial<DumpEvidence> = {}) =>
  evidence({
    encoding: { format: 'plain', compression: 'gzip', encryption: 'none' },
    magic: ' 1f 8b 08 00 00',
    contents: '',
    stages: [
      'entry -- Data for Name: orders; Type: TABLE DATA; Schema: public; Owner: app',
      'entry -- Data for Name: two words; Type: TABLE DATA; Schema: my shop; Owner: app',
      'decompress 0',
      'bytes 9000',
      'read 0',
    ].join('\n'),
    ...changes,
  });

/** The names of the checks that did not pass. */
const objections = (given: DumpEvidence) =>
  judgeDump(given)
    .filter(({ result }) => result !== 'passed')
    .map(({ name }) => name);

test('the counts say how many tables were not counted, and why', () => {
  const [first, other] = evidence().tables;
  assert.ok(first !== undefined && other !== undefined);
  const detailOf = (tables: DumpEvidence['tables']) =>
    judgeDump(evidence({ tables })).find(({ name }) => name === 'counts')?.detail;
  assert.equal(
    detailOf([first, { ...other, content: { oneIn: 4, rows: 9, hash: '1' } }]),
    "rows of 2 tables counted in the dump's snapshot; content hashed: 1 table whole, 1 by a sample of 9 rows in all",
  );
  assert.match(
    detailOf([first, { ...other, rows: null, exact: false }]) ?? '',
    /^rows of 1 table counted .*; 1 not counted, .*set "db-user" to a superuser/,
  );
});

describe('a dump is verified', () => {
  test('as an archive', () => assert.ok(allPassed(judgeDump(evidence()))));
  test('as plain SQL', () => assert.ok(allPassed(judgeDump(plain()))));
  test('as an archive that pg_dump compressed', () => {
    const encoding = { format: 'custom', compression: 'gzip', encryption: 'none' } as const;
    assert.deepEqual(objections(evidence({ encoding, magic: ' 50 47 44 4d 50' })), []);
  });
});

const damages: [what: string, changes: Partial<DumpEvidence>, objection: string][] = [
  ['an empty file', { sizeBytes: 0, magic: '' }, 'file'],
  ['a file of something else', { magic: ' 3c 68 74 6d 6c' }, 'file'],
  ['other bytes on the disk', { diskSha256: 'b'.repeat(64) }, 'disk'],
  ['no checksum of the disk', { diskSha256: '', streamSha256: '' }, 'disk'],
  ['a broken frame', { stages: 'list 0\ndecompress 1\nbytes 100\nread 1' }, 'read-back'],
  ['a broken checksum at the end of it', { stages: 'list 0\ndecompress 1\nbytes 100\nread 0' }, 'read-back'],
  ['an archive that stops early', { stages: 'list 0\ndecompress 0\nbytes 100\nread 1' }, 'read-back'],
  ['an archive whose contents cannot be listed', { stages: 'list 1\ndecompress 0\nbytes 100\nread 0' }, 'read-back'],
  ['a container that died while it read', { stages: 'list 0\ndecompress 0\nread 0\nexit 1' }, 'read-back'],
  ['a reading that could not start', { stages: 'exit 1' }, 'read-back'],
  ['a reading without a result', { stages: '' }, 'read-back'],
  ['an archive without a table', { contents: '3456; 0 16390 TABLE DATA public orders app\n' }, 'tables'],
  ['an archive of an empty database', { contents: '' }, 'tables'],
  [
    'a table whose name only begins like it',
    { contents: '1; 0 1 TABLE DATA public orders_old app\n2; 0 2 TABLE DATA my shop two words app\n' },
    'tables',
  ],
  ['a count that did not end', { factsComplete: false }, 'counts'],
];
for (const [what, changes, objection] of damages) {
  test(`${what} is objected to by "${objection}"`, () => {
    assert.ok(objections(evidence(changes)).includes(objection), String(objections(evidence(changes))));
  });
}

test('plain SQL without a table is objected to', () => {
  assert.deepEqual(objections(plain({ stages: 'decompress 0\nbytes 100\nread 0' })), ['tables']);
});

describe('of two tables whose names are the same with a space between them, each must be there', () => {
  const tables = [counted('a b', 'c', 1), counted('a', 'b c', 1)];
  test('in an archive', () => {
    const contents = '1; 0 1 TABLE DATA a b c app\n';
    assert.deepEqual(objections(evidence({ tables, contents })), ['tables']);
    assert.deepEqual(objections(evidence({ tables, contents: contents + contents })), []);
  });
  test('in plain SQL', () => {
    const [one, other] = [
      'entry -- Data for Name: c; Type: TABLE DATA; Schema: a b; Owner: app\n',
      'entry -- Data for Name: b c; Type: TABLE DATA; Schema: a; Owner: app\n',
    ];
    const stages = 'decompress 0\nbytes 9000\nread 0';
    assert.deepEqual(objections(plain({ tables, stages: one + stages })), ['tables']);
    assert.deepEqual(objections(plain({ tables, stages: one + other + stages })), []);
  });
});

test('a line break in a name stands as a space in the archive', () => {
  const tables = [counted('public', 'line one\nline two', 1)];
  const contents = '1; 0 1 TABLE DATA public line one line two app\n';
  assert.deepEqual(objections(evidence({ tables, contents })), []);
});

describe('names in another encoding than UTF-8, which the dump has as they are in the database', () => {
  const tables = [counted('public', 'café', 1), counted('public', 'thé glacé', 1)];
  // As they are read where they are taken for UTF-8.
  const listed = ['caf\uFFFD', 'th\uFFFD glac\uFFFD'];
  const contents = listed.map((name, at) => `${at}; 0 1 TABLE DATA public ${name} app\n`);
  const entries = listed.map(
    (name) => `entry -- Data for Name: ${name}; Type: TABLE DATA; Schema: public; Owner: app\n`,
  );
  const stages = 'decompress 0\nbytes 9000\nread 0';

  test('are found', () => {
    const found = { tables, databaseEncoding: 'LATIN1' };
    assert.deepEqual(objections(evidence({ ...found, contents: contents.join('') })), []);
    assert.deepEqual(objections(plain({ ...found, stages: entries.join('') + stages })), []);
  });
  test('are missed where they are not there', () => {
    const found = { tables, databaseEncoding: 'LATIN1' };
    assert.deepEqual(objections(evidence({ ...found, contents: contents[0] ?? '' })), ['tables']);
    assert.deepEqual(objections(plain({ ...found, stages: (entries[1] ?? '') + stages })), ['tables']);
    const alike = { databaseEncoding: 'LATIN1', tables: [...tables, counted('public', 'cafè', 1)] };
    assert.deepEqual(objections(evidence({ ...alike, contents: contents.join('') })), ['tables']);
  });
  test('are compared to the letter in UTF-8', () => {
    assert.deepEqual(objections(evidence({ tables, contents: contents.join('') })), ['tables']);
  });
});
