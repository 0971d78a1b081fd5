// What the host tells of a drill, and what is made of it: above all, what proves nothing of the backup.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { drill } from '../../shared/backups/drill.ts';
import { Failure } from '../../shared/failure.ts';
import type { Connection } from '../../shared/host/connection.ts';
import { Records } from '../../shared/host/records.ts';
import { verifiedSet } from './retention/host-folder.ts';

const set = verifiedSet('20261125_021700', ['daily']);
const whole: [string, string][] = [
  ['restored', '0'],
  ['restore-ms', '12'],
  ['sha256', set.manifest.sha256],
  ['fact', 'large-objects 0'],
  ['fact', 'end'],
  ['schema-text', 'CREATE TABLE x ();\nexit 0'],
  ['indexes', '0 checked 4'],
];

/** What becomes of what the host tells; a key that comes again takes the place of the first. */
async function outcomeOf(changes: [string, string][], words: string[] = []) {
  const changed = new Set(changes.map(([key]) => key));
  const records = new Records([...whole.filter(([key]) => !changed.has(key)), ...changes]);
  const connection: Connection = {
    target: 'db1',
    run() {
      return { result: Promise.resolve(records), lastLines: () => words, release: async () => true };
    },
    close: async () => {},
  };
  return drill(connection, {
    backupDir: '/backups',
    set,
    image: 'postgres:17',
    token: '00000000',
    memory: 1,
    neededBytes: 1,
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
  test('facts', () => assert.rejects(outcomeOf([['fact', 'large-objects 0']]), code('drill-incomplete')));
  for (const schema of ['CREATE TABLE x ();\nexit 1', 'exit 1', 'CREATE TABLE x ();', '']) {
    test(`a schema: ${JSON.stringify(schema)}`, () =>
      assert.rejects(outcomeOf([['schema-text', schema]]), code('drill-incomplete')));
  }
});

describe('indexes', () => {
  test('that are invalid', async () => {
    const { restored } = await outcomeOf([['indexes', '0 invalid orders_pkey\nchecked 3']]);
    assert.deepEqual(restored?.indexFaults, ['invalid orders_pkey']);
  });
  test('that amcheck finds damaged', async () => {
    const { restored } = await outcomeOf([['indexes', '3 ERROR:  item order invariant violated']]);
    assert.deepEqual(restored?.indexFaults, ['ERROR:  item order invariant violated']);
  });
});

test('a statement is true where it ended well and says so', async () => {
  const { restored } = await outcomeOf([
    ['reader', '0 '],
    ['assertion', '0 t'],
    ['assertion', '1 t'],
    ['assertion', '0 f'],
  ]);
  assert.deepEqual(
    restored?.assertions?.map(({ isTrue }) => isTrue),
    [true, false, false],
  );
});

test('without somebody who only reads, nothing was asked', async () => {
  const { restored } = await outcomeOf([
    ['reader', '3 ERROR:  no'],
    ['assertion', '0 t'],
  ]);
  assert.equal(restored?.assertions, null);
});

describe('a server at fault', () => {
  const killed: [string, string][] = [['restored', '41']];
  const words = ['pg_restore: error: server closed the connection unexpectedly'];
  test('proves nothing of whole bytes', () => assert.rejects(outcomeOf(killed, words), code('drill-unfit')));
  test('does not excuse damaged ones', async () => {
    const { fault } = await outcomeOf([...killed, ['sha256', '0'.repeat(64)]], words);
    assert.match(fault?.why ?? '', /does not restore/);
  });
});
