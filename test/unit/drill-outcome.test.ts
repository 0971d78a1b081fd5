// What the host tells of a drill, and what is made of it: above all, what proves nothing of the backup.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { drill } from '../../shared/drill/drill.ts';
import { Failure } from '../../shared/failure.ts';
import type { Connection } from '../../shared/host/connection.ts';
import { Records } from '../../shared/host/records.ts';
import { verifiedSet } from './retention/host-folder.ts';

const set = verifiedSet('20261125_021700', ['daily']);
const facts =
  'sequences-before []\nlarge-objects 0\nextensions []\ntable {"schema":"a","name":"b","rows":1,"exact":true}\nsequences-after []';
const whole: [string, string][] = [
  ['restored', '0'],
  ['restore-ms', '12'],
  ['sha256', set.manifest.sha256],
  ['facts', `${facts}\nend\n\nexit 0`],
  ['schema-text', 'CREATE TABLE x ();\nexit 0\n\nexit 0'],
  ['indexes', 'checked 4\n\nexit 0'],
];

/** What becomes of what the host tells, or of how it failed; a key that comes again takes the place of the first. */
async function outcomeOf(told: [string, string][] | Failure, words: string[] = []) {
  const changes = told instanceof Failure ? [] : told;
  const changed = new Set(changes.map(([key]) => key));
  const records = new Records([...whole.filter(([key]) => !changed.has(key)), ...changes]);
  const connection: Connection = {
    name: 'db1',
    run() {
      const result = told instanceof Failure ? Promise.reject(told) : Promise.resolve(records);
      return { result, lastLines: () => words, release: async () => true };
    },
    close: async () => {},
  };
  return drill(connection, {
    backupDir: '/backups',
    set,
    tables: [],
    image: 'postgres:17',
    token: '00000000',
    memory: 1,
    neededBytes: 3 * 2 ** 30,
    leastBytes: 2 ** 30,
    timezone: '',
    statements: [],
    timeout: 1,
    signal: new AbortController().signal,
    onLog: () => {},
    onProgress: () => {},
  });
}

const code = (expected: string) => (error: unknown) => error instanceof Failure && error.code === expected;

test('what is whole is told as it is', async () => {
  const { restored, fault } = await outcomeOf([]);
  assert.equal(fault, null);
  assert.deepEqual([restored?.checkedIndexes, restored?.indexFaults, restored?.assertions], [4, [], []]);
});

describe('what was not looked at to its end proves nothing', () => {
  test('facts', () => assert.rejects(outcomeOf([['facts', `${facts}\n\nexit 3`]]), code('drill-incomplete')));
  for (const schema of ['CREATE TABLE x ();\nexit 1', 'exit 1', 'CREATE TABLE x ();', '']) {
    test(`a schema: ${JSON.stringify(schema)}`, () =>
      assert.rejects(outcomeOf([['schema-text', `${schema}\n\nexit 0`]]), code('drill-incomplete')));
  }
});

describe('what was cut off is no answer, whatever stands in it', () => {
  const cut: [key: string, text: string][] = [
    ['facts', `${facts}\nend\n`],
    ['facts', `${facts}\nend\n\nexit 0`],
    ['schema-text', 'CREATE TABLE x ();\nexit 0'],
    ['indexes', 'checked 4\n\nexit 0'],
  ];
  for (const [key, text] of cut) {
    test(`${key}: ${JSON.stringify(text)}`, () =>
      assert.rejects(outcomeOf([[key, `${text}\ncut 4096`]]), code('drill-incomplete')));
  }
});

describe('what somebody else has said in between is no answer', () => {
  const foreign = ['table {"schema":"a"', 'table []', 'table {"schema":"a","name":"b","rows":-1,"exact":true}'];
  for (const line of foreign) {
    test(line, () =>
      assert.rejects(outcomeOf([['facts', `${line}\n${facts}\nend\n\nexit 0`]]), code('drill-incomplete')),
    );
  }
  test('a fact that is missing', () =>
    assert.rejects(outcomeOf([['facts', 'large-objects 0\nextensions []\nend\n\nexit 0']]), code('drill-incomplete')));
});

describe('the disk of Docker has too little room while it goes on', () => {
  const ended = async (detail: string) => {
    const error = await outcomeOf(new Failure('drill-room-gone', detail)).catch((error) => error);
    assert.ok(error instanceof Failure);
    return `${error.message}. ${error.hint}`;
  };
  test('because of the drill: what it has filled is told, beside what was expected', async () => {
    const text = await ended(`${2 ** 20} ${4 * 2 ** 30} gone`);
    assert.match(text, /only 1\.0 MiB left, less than "min-free-space" \(1\.0 GiB\)/);
    assert.match(text, /Its container had used 4\.0 GiB; at most 2\.0 GiB was expected/);
    assert.match(text, /The container was removed .*nothing else was touched.*Check what the functions/);
  });
  test('because of others: nothing is said of the backup', async () => {
    const text = await ended(`${2 ** 20} ${2 ** 20} gone`);
    assert.match(text, /Make room, or lower "min-free-space"/);
    assert.doesNotMatch(text, /functions/);
  });
  test('for files, where bytes are free', async () => {
    const text = await ended(`${2 ** 40} ${2 ** 20} gone`);
    assert.match(text, /almost out of inodes.*docker system df\. To see which disk: df -i/);
  });
  test('what is not known is not said, and what stays is told', async () => {
    const text = await ended('unseen unseen kept');
    assert.match(
      text,
      /could no longer tell how much .*\. The container could not be removed: docker rm .* atlasia-drill-00000000/,
    );
    assert.match(text, /Check that Docker answers/);
    assert.doesNotMatch(text, /had used|NaN|Make room/);
  });
});

describe('indexes', () => {
  test('that are invalid', async () => {
    const { restored } = await outcomeOf([['indexes', 'invalid orders_pkey\nchecked 3\n\nexit 0']]);
    assert.deepEqual(restored?.indexFaults, ['invalid orders_pkey']);
  });
  test('that amcheck finds damaged', async () => {
    const { restored } = await outcomeOf([['indexes', 'ERROR:  item order invariant violated\n\nexit 3']]);
    assert.deepEqual(restored?.indexFaults, ['ERROR:  item order invariant violated']);
  });
});

test('a statement is true where it ended well and says so', async () => {
  const { restored } = await outcomeOf([
    ['reader', '\nexit 0'],
    ['assertion', 't\n\nexit 0'],
    ['assertion', 't\n\nexit 1'],
    ['assertion', 'f\n\nexit 0'],
    ['assertion', 't\n\ncut 4096'],
    ['assertion', 't\nexit 0\n\ncut 4096'],
  ]);
  assert.deepEqual(
    restored?.assertions?.map(({ isTrue }) => isTrue),
    [true, false, false, false, false],
  );
});

test('without somebody who only reads, nothing was asked', async () => {
  const { restored } = await outcomeOf([
    ['reader', 'ERROR:  no\n\nexit 3'],
    ['assertion', 't\n\nexit 0'],
  ]);
  assert.equal(restored?.assertions, null);
});

describe('a server at fault', () => {
  const killed: [string, string][] = [['restored', '41']];
  const words = ['pg_restore: error: server closed the connection unexpectedly'];
  test('proves nothing of whole bytes', () => assert.rejects(outcomeOf(killed, words), code('drill-unfit')));
  test('had no processes left: that is said, and not that it had too little memory', async () => {
    const error = await outcomeOf(killed, ['sh: 1: Cannot fork']).catch((error) => error);
    assert.match(
      `${error.message}. ${error.hint}`,
      /could not start another process \(its limit is 200\), so the drill proved nothing.*Check what the functions/,
    );
  });
  test('does not excuse damaged ones', async () => {
    const { fault } = await outcomeOf([...killed, ['sha256', '0'.repeat(64)]], words);
    assert.match(fault?.why ?? '', /does not restore/);
  });
});
