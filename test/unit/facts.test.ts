// What a session tells of a database, in lines.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../shared/failure.ts';
import { chosenTables } from '../../shared/postgres/chosen-tables.ts';
import { readFacts } from '../../shared/postgres/facts.ts';
import { factsScripts } from '../../shared/postgres/scripts.ts';
import { counted } from './table-count.ts';

/** What comes before the tables. */
const first = ['sequences-before []', 'large-objects 0', 'extensions []', 'members []', 'empty-views []'];

test('all that a session tells is read', () => {
  const sequence = {
    schema: 's',
    name: 'n',
    value: null,
    increment: '1',
    cycles: false,
    extension: null,
    isDumped: true,
  };
  assert.deepEqual(
    readFacts([
      `sequences-before ${JSON.stringify([sequence])}`,
      'large-objects 3',
      'extensions [{"name":"plpgsql","version":"1.0"}]',
      'members [{"extension":"plpgsql","objects":["language plpgsql"]}]',
      'empty-views [{"schema":"s","name":"v"}]',
      `table ${JSON.stringify(counted('a b', 'counted', 7))}`,
      `sequences-after ${JSON.stringify([{ ...sequence, value: '9' }])}`,
      'end',
    ]),
    {
      tables: [counted('a b', 'counted', 7)],
      sequencesBefore: [sequence],
      sequencesAfter: [{ ...sequence, value: '9' }],
      largeObjects: 3,
      extensions: [{ name: 'plpgsql', version: '1.0' }],
      members: [{ extension: 'plpgsql', objects: ['language plpgsql'] }],
      emptyViews: [{ schema: 's', name: 'v' }],
    },
  );
});

describe('a table that was copied away has the rows that COPY names', () => {
  const copied = (name: string) => `copied ${JSON.stringify(counted('a b', name, null, { exact: false }))}`;
  const examples: [what: string, lines: string[], rows: number | null][] = [
    ['none', [copied('t'), 'COPY 0'], 0],
    ['many', [copied('t'), 'COPY 12345678901'], 12_345_678_901],
    ['not told, since the session ended', [copied('t')], null],
    ['not told, since another line came', [copied('t'), 'end'], null],
    ['not a number', [copied('t'), 'COPY x'], null],
  ];
  for (const [what, lines, rows] of examples) {
    test(what, () =>
      assert.deepEqual(readFacts([...first, ...lines]).tables, [counted('a b', 't', rows, { exact: rows !== null })]),
    );
  }
});

describe('what is no answer is refused', () => {
  for (const line of [
    'table {"schema":"s","name":"t","rows":"7","exact":true}',
    'table {"schema":"s","name":"t"',
    'copied []',
    'large-objects many',
    'sequences-after [{"schema":"s","name":"n","value":"x","increment":"1"}]',
    'extensions {}',
    'members [{"extension":"plpgsql"}]',
  ])
    test(line, () =>
      assert.throws(
        () => readFacts([line, ...first]),
        (error) => error instanceof Failure && error.code === 'facts-unreadable',
      ),
    );
});

test('one that is missing is refused', () => {
  for (const at of first.keys()) assert.throws(() => readFacts(first.toSpliced(at, 1)), { code: 'facts-unreadable' });
});

test('a session that has ended early has no sequences after the dump', () => {
  assert.equal(readFacts(first).sequencesAfter, null);
});

test('the dump waits for nothing that may be long: such answers come behind the snapshot', () => {
  const [awaited = '', rest = ''] = factsScripts().facts_before.split("SELECT 'snapshot '");
  assert.doesNotMatch(awaited, /SELECT 'members |^\\echo/m);
  assert.match(rest, /^\\echo :sequences$[\s\S]*SELECT 'members '/m);
});

test('a copy is asked for the hashes that the source has, whatever its tables are called', () => {
  const hashed = (schema: string, name: string, oneIn: number) =>
    counted(schema, name, 9, { content: { oneIn, rows: 1, hash: '7' } });
  const tables = [hashed("O'Brien", 'a"b\\c', 8), counted('s', 'unhashed', 1, { content: null }), hashed('s', 't', 1)];
  const value = chosenTables(tables);
  // As psql reads it: between quotes, where a backslash makes the next character plain.
  const read = value.slice(1, -1).replaceAll(/\\(.)/g, '$1');
  assert.deepEqual([value[0], value.at(-1)], ["'", "'"]);
  assert.deepEqual(JSON.parse(read), [
    { schema: "O'Brien", name: 'a"b\\c', oneIn: 8 },
    { schema: 's', name: 't', oneIn: 1 },
  ]);
});
