import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { changedLines } from '../../shared/report/line-difference.ts';
import { compareSchemas, stableSchema } from '../../shared/report/schema-changes.ts';

/** Outputs of pg_dump 15.20: twice of one schema, then after an upgrade of the application. */
const dumpOf = (name: string) => readFileSync(new URL(`./schema-dumps/${name}.sql`, import.meta.url), 'utf8');
const before = dumpOf('before');
const again = dumpOf('before-again');
const after = dumpOf('after');

test('two dumps of one schema differ, and are the same once they are stable', () => {
  assert.notEqual(before, again);
  assert.equal(stableSchema(before), stableSchema(again));
  assert.deepEqual(compareSchemas(before, again), []);
});

test('a stable schema says nothing of versions or keys, and loses nothing else', () => {
  assert.doesNotMatch(stableSchema(before), /restrict|Dumped/);
  const rest = before.split('\n').filter((line) => !/^\\(un)?restrict|^-- Dumped/.test(line));
  assert.equal(stableSchema(before), rest.join('\n').trimEnd());
  assert.notEqual(stableSchema(before), stableSchema(after));
});

test('a dump that went through a shell, and so lost its last line breaks, is the same schema', () => {
  assert.equal(stableSchema(before.trimEnd()), stableSchema(before));
});

test('what changed is told by object', () => {
  assert.deepEqual(
    compareSchemas(before, after).map(({ what, type, schema, name, lines }) => [what, type, schema, name, ...lines]),
    [
      ['changed', 'FUNCTION', 'public', 'price(integer)', '- select $1 * 2', '+ select $1 * 3'],
      [
        'changed',
        'TABLE',
        'odd; Type: TABLE',
        'na"me; Schema: x',
        '-     id integer',
        '+     id integer,',
        '+     x integer',
      ],
      [
        'changed',
        'TABLE',
        'public',
        'orders',
        "- b'::text",
        "+ b'::text,",
        '+     placed_at timestamp with time zone DEFAULT now() NOT NULL',
      ],
      ['added', 'TABLE', 'public', 'refunds'],
      ['added', 'CONSTRAINT', 'public', 'refunds refunds_pkey'],
      ['added', 'FK CONSTRAINT', 'public', 'refunds refunds_order_id_fkey'],
      ['removed', 'TABLE', 'public', 'old_things'],
    ],
  );
});

test('the way back is the opposite', () => {
  const opposite = { added: 'removed', removed: 'added', changed: 'changed' } as const;
  const key = (what: string, name: string) => `${what} ${name}`;
  assert.deepEqual(
    compareSchemas(after, before)
      .map(({ what, name }) => key(what, name))
      .toSorted(),
    compareSchemas(before, after)
      .map(({ what, name }) => key(opposite[what], name))
      .toSorted(),
  );
});

test('a schema beside an empty one was all added', () => {
  const changes = compareSchemas('', after);
  assert.deepEqual(
    new Set(changes.filter(({ type }) => type !== 'SETTINGS').map(({ what }) => what)),
    new Set(['added']),
  );
});

const differences: [before: string, after: string, expected: string[]][] = [
  ['', '', []],
  ['abc', 'abc', []],
  ['abc', 'axc', ['- b', '+ x']],
  ['abc', 'abxc', ['+ x']],
  ['abcd', 'ad', ['- b', '- c']],
  ['', 'ab', ['+ a', '+ b']],
  ['abcd', 'bcda', ['- a', '+ a']],
];
for (const [from, to, expected] of differences) {
  test(`the difference of "${from}" and "${to}"`, () => {
    const lines = changedLines([...from], [...to]);
    assert.equal(lines.length, expected.length);
    assert.deepEqual(lines.toSorted(), expected.toSorted());
  });
}

test('a difference turns the one text into the other', () => {
  const text = fc.array(fc.constantFrom<string>('a', 'b', 'c'), { maxLength: 30 });
  fc.assert(
    fc.property(text, text, (from, to) => {
      const left = [...from];
      const right = [...to];
      for (const line of changedLines(from, to)) {
        const side = line.startsWith('- ') ? left : right;
        const at = side.indexOf(line.slice(2));
        assert.notEqual(at, -1);
        side.splice(at, 1);
      }
      assert.deepEqual(left.toSorted(), right.toSorted());
    }),
  );
});

test('texts too different to compare are told as a whole', () => {
  const from = Array.from({ length: 2000 }, (_, line) => `old ${line}`);
  const to = Array.from({ length: 2000 }, (_, line) => `new ${line}`);
  assert.deepEqual(changedLines(from, to), [...from.map((line) => `- ${line}`), ...to.map((line) => `+ ${line}`)]);
});
