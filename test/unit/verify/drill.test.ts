import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DrillOutcome } from '../../../shared/drill/drill-request.ts';
import { judgeSequences } from '../../../shared/drill/judge-sequences.ts';
import { neededFor } from '../../../shared/drill/needed.ts';
import type { Restored } from '../../../shared/drill/restored.ts';
import type { Manifest } from '../../../shared/sets/manifest.ts';
import { type DrillFacts, imageFor, judgeDrill } from '../../../verify-action/drill/judge-drill.ts';
import { exampleManifest } from '../retention/host-folder.ts';
import { counted, moved } from '../table-count.ts';

const id = '20261125_021700';
const schemaSha256 = 'b'.repeat(64);
const manifest = exampleManifest(id, {
  sha256: 'a'.repeat(64),
  tables: [counted('public', 'orders', 3), counted('public', 'people', 2)],
  sequences: [moved('public', 'orders_id', '7', '9')],
  extensions: [{ name: 'citext', version: '1.6' }],
  members: [{ extension: 'citext', objects: ['type public.citext'] }],
  largeObjects: 1,
  schemaSha256,
});

const whole: Restored = {
  tables: manifest.tables,
  sequences: [{ schema: 'public', name: 'orders_id', value: '8' }],
  largeObjects: 1,
  extensions: manifest.extensions,
  members: manifest.members ?? [],
  emptyViews: [],
  schema: { sha256: schemaSha256, ofFile: null, lines: [] },
  indexes: { checked: 4, faults: [], unread: [] },
  assertions: [],
};

function judge(
  {
    restored = {},
    outcome = {},
    ...facts
  }: { restored?: Partial<Restored>; outcome?: Partial<DrillOutcome> } & Partial<Omit<DrillFacts, 'outcome'>>,
  of: Partial<Manifest> = {},
) {
  const { list } = judgeDrill({
    manifest: { ...manifest, ...of },
    outcome: { fault: null, sha256: 'a'.repeat(64), restoreMs: 1, restored: { ...whole, ...restored }, ...outcome },
    statements: [],
    copy: null,
    ...facts,
  });
  return Object.fromEntries(
    list
      .filter(({ result }) => result !== 'passed')
      .map(({ name, result, severity, detail }) => [
        name,
        `${result === 'failed' && severity === 'warning' ? 'warning' : result}: ${detail}`,
      ]),
  );
}

test('materialized views that a restore leaves empty are named', () => {
  const emptyViews = [{ schema: 'public', name: 'monthly' }];
  const { list } = judgeDrill({
    manifest,
    outcome: { fault: null, sha256: manifest.sha256, restoreMs: 1, restored: { ...whole, emptyViews } },
    statements: [],
    copy: null,
  });
  const { result, detail = '' } = list.find(({ name }) => name === 'content') ?? {};
  assert.equal(result, 'passed');
  assert.match(detail, /2 tables whole\. A restore leaves materialized views empty .*: public\.monthly$/);
});

test('what is whole is proven', () => assert.deepEqual(judge({}), {}));

describe('what was restored and what was dumped', () => {
  const sequence = (value: string | null) => ({
    restored: { sequences: [{ schema: 'public', name: 'orders_id', value }] },
  });
  const otherSha256 = 'c'.repeat(64);
  const schema = (ofFile: Restored['schema']['ofFile'], lines: string[] = []) => ({
    restored: { schema: { sha256: otherSha256, ofFile, lines } },
  });
  const indexes = (changes: Partial<Restored['indexes']>) => ({
    restored: { indexes: { ...whole.indexes, ...changes } },
  });
  const table: [what: string, facts: Parameters<typeof judge>[0], name: string | null, text: RegExp][] = [
    ['other bytes', { outcome: { sha256: 'c'.repeat(64) } }, 'same bytes', /^failed.* does not match its manifest/],
    [
      'bytes that could not be read',
      { outcome: { sha256: null } },
      'same bytes',
      /^failed.* could not be read to its end/,
    ],
    ['a table less', { restored: { tables: manifest.tables.slice(1) } }, 'tables', /public\.orders was not restored/],
    [
      'a table more',
      { restored: { tables: [...manifest.tables, counted('x', 'y', 0)] } },
      'tables',
      /x\.y was restored/,
    ],
    ['a large object less', { restored: { largeObjects: 0 } }, 'large objects', /0 instead of 1/],
    ['a large object more', { restored: { largeObjects: 2 } }, 'large objects', /2 instead of 1/],
    ['an extension less', { restored: { extensions: [] } }, 'extensions', /citext was not restored/],
    ['another version of it', { restored: { extensions: [{ name: 'citext', version: '1.7' }] } }, null, /./],
    ['another schema, and no file to compare with', schema(null), 'schema', /^could-not-check: .* no schema file/],
    ['another schema, as its file restores', schema({ sha256: otherSha256 }), null, /./],
    [
      'another schema than its file restores',
      schema({ sha256: 'd'.repeat(64) }, ['-a', '+b']),
      'schema',
      /^warning: .*different schemas: -a \/ \+b$/,
    ],
    ['another one, and no diff', schema({ sha256: 'd'.repeat(64) }), 'schema', /^warning: .*has no diff/],
    [
      'a schema file that does not restore',
      schema({ trouble: 'it does not restore: ERROR' }),
      'schema',
      /^could-not-check: cannot compare .*: it does not restore: ERROR$/,
    ],
    ['an invalid index', indexes({ faults: ['invalid orders_pkey'] }), 'indexes', /^failed: invalid orders_pkey/],
    ['an index that cannot be read', indexes({ unread: ['no library'] }), 'indexes', /^could-not-check: .*no library/],
    [
      'one that is damaged, and one that cannot be read',
      indexes({ faults: ['item order'], unread: ['no library'] }),
      'indexes',
      /^failed: item order$/,
    ],
    ['no amcheck', indexes({ checked: null }), null, /./],
    ['a sequence at its lower bound', sequence('7'), null, /./],
    ['a sequence at its upper bound', sequence('9'), null, /./],
    ['a sequence below', sequence('6'), 'sequences', /is at 6, not between 7 and 9/],
    ['a sequence above', sequence('10'), 'sequences', /is at 10/],
    ['a sequence that was never used', sequence(null), 'sequences', /is at nothing/],
    ['a sequence that is gone', { restored: { sequences: [] } }, 'sequences', /is at nothing/],
  ];
  for (const [what, facts, name, text] of table) {
    test(what, () => {
      const found = judge(facts);
      // The rows of a table that is gone are gone, too.
      assert.deepEqual(
        Object.keys(found).filter((each) => what !== 'a table less' || each !== 'rows'),
        name === null ? [] : [name],
      );
      if (name !== null) assert.match(found[name] ?? '', text);
    });
  }

  test('a sequence that counts down', () => {
    const down = [moved('public', 'orders_id', '-7', '-9', { increment: '-1' })];
    const at = (value: string) => judge(sequence(value), { sequences: down });
    assert.deepEqual(at('-8'), {});
    assert.ok('sequences' in at('-6') && 'sequences' in at('-10'));
  });

  test('a number beyond what floats count exactly', () => {
    const large = [moved('public', 'orders_id', '9007199254740993', '9007199254740993')];
    assert.deepEqual(judge(sequence('9007199254740993'), { sequences: large }), {});
    assert.ok('sequences' in judge(sequence('9007199254740992'), { sequences: large }));
  });

  test('a sequence that was not used before, nor after', () => {
    const unused = [moved('public', 'orders_id', null, null)];
    assert.deepEqual(judge(sequence(null), { sequences: unused }), {});
    assert.match(judge(sequence('1'), { sequences: unused })['sequences'] ?? '', /is at 1, not between nothing and/);
    const first = [moved('public', 'orders_id', null, '2')];
    assert.deepEqual(judge(sequence('1'), { sequences: first }), {});
    assert.ok('sequences' in judge(sequence('3'), { sequences: first }));
  });

  test('a database without a table is as whole as any', () => {
    const bare = { tables: [], sequences: [], extensions: [], largeObjects: 0 };
    assert.deepEqual(judge({ restored: bare }, bare), {});
  });

  test('a table that should not be there, and one that should', () => {
    assert.match(judge({}, { tables: [] })['tables'] ?? '', /orders, public\.people was restored/);
    assert.match(judge({ restored: { tables: [] } })['tables'] ?? '', /was not restored/);
  });
});

describe('what a table holds', () => {
  const hash = (value: string, oneIn = 1) => ({ content: { oneIn, rows: 1, hash: value } });
  const generated = counted('public', 'g', 1, { ...hash('1'), generates: true });
  const leaf = (name: string, rows: number, value: string) =>
    counted('public', name, rows, { ...hash(value), root: { schema: 'public', name: 'ord' } });
  const mail = counted('public', 'q_mail', 1, { ...hash('1'), extension: 'hstore', isDumped: false });
  const settings = (unnamed: { rows: number; hash: string }) =>
    counted('public', 'settings', 1, { extension: 'hstore', unnamed });
  const examples: [
    what: string,
    before: readonly ReturnType<typeof counted>[],
    after: readonly ReturnType<typeof counted>[],
    found: Record<string, RegExp>,
  ][] = [
    ['the same', [generated], [generated], {}],
    [
      'other values',
      [counted('a', 'b', 1)],
      [counted('a', 'b', 1, hash('8'))],
      { content: /^failed: the values in a\.b are not/ },
    ],
    ['generated ones', [generated], [{ ...generated, ...hash('2') }], { content: /the values in public\.g/ }],
    [
      'generated ones that were not hashed',
      [{ ...generated, content: null }, counted('a', 'b', 1)],
      [generated, counted('a', 'b', 1)],
      {
        content: /^could-not-check: public\.g has generated columns/,
      },
    ],
    [
      'no hash at all',
      [counted('a', 'b', 1, { content: null })],
      [counted('a', 'b', 1)],
      { content: /^warning: only the rows were counted of a\.b/ },
    ],
    [
      'fewer rows, and so another hash',
      [counted('a', 'b', 2)],
      [counted('a', 'b', 1, hash('8'))],
      { rows: /a\.b has 1 instead of 2/ },
    ],
    [
      'rows in other partitions',
      [leaf('o0', 3, '18446744073709551615'), leaf('o1', 1, '3')],
      [leaf('o0', 1, '1'), leaf('o1', 3, '1')],
      {},
    ],
    [
      'a row of a partition lost',
      [leaf('o0', 3, '5'), leaf('o1', 1, '3')],
      [leaf('o0', 2, '5'), leaf('o1', 1, '3')],
      {
        rows: /public\.ord has 3 instead of 4/,
      },
    ],
    [
      'a partition of whose rows the sample had none, and rows of the others that came back elsewhere with other values',
      [{ ...leaf('o0', 3, '0'), content: { oneIn: 4, rows: 0, hash: '0' } }, leaf('o1', 100, '5')],
      [leaf('o0', 2, '4'), leaf('o1', 101, '2')],
      { content: /^failed: the values in public\.ord are not/ },
    ],
    [
      'a partition of another role beside one of ours, and rows that came back in the other one',
      [{ ...leaf('o0', 3, '0'), content: null }, leaf('o1', 100, '5')],
      [leaf('o0', 2, '4'), leaf('o1', 101, '2')],
      { content: /^warning: only the rows were counted of public\.ord, as the backup has no hash of them$/ },
    ],
    [
      'names that look alike',
      [counted('a', 'b.c', 1), counted('a.b', 'c', 2, hash('9'))],
      [counted('a.b', 'c', 2, hash('9')), counted('a', 'b.c', 1)],
      {},
    ],
    [
      'one of two that look alike lost',
      [counted('a', 'b.c', 1), counted('a.b', 'c', 2)],
      [counted('a.b', 'c', 2)],
      {
        tables: /a\."b\.c" was not restored/,
        rows: /a\."b\.c" has none instead of 1/,
      },
    ],
    [
      "an extension's table whose rows are lost, and itself",
      [mail],
      [],
      { 'left out': /1 row in public\.q_mail, .* extension hstore/ },
    ],
    [
      "a table that somebody has put into a schema of PostgreSQL's own",
      [{ ...mail, schema: 'information_schema', extension: null }],
      [],
      { 'left out': /^failed: .*: 1 row in information_schema\.q_mail, which stands in a schema of PostgreSQL's own$/ },
    ],
    [
      "an extension's own log",
      [mail],
      [{ ...mail, rows: 0, ...hash('0') }],
      { 'left out': /^failed: not in the dump/ },
    ],
    [
      'the log of pg_cron',
      [{ ...mail, extension: 'pg_cron', name: 'job_run_details' }],
      [],
      { 'left out': /^warning: / },
    ],
    [
      'rows of an extension that could not be counted',
      [{ ...mail, rows: null }],
      [],
      { 'left out': /^warning: .*the rows in public\.q_mail/ },
    ],
    [
      'rows that an extension does not name, as it makes them again',
      [settings({ rows: 1, hash: '5' })],
      [settings({ rows: 1, hash: '5' })],
      {},
    ],
    [
      'one more of them in the source',
      [settings({ rows: 2, hash: '5' })],
      [settings({ rows: 1, hash: '5' })],
      {
        'left out':
          /^warning: .*so a restore has other rows: public\.settings \(2 rows that the extension hstore does not name\)$/,
      },
    ],
    [
      'other values in them',
      [settings({ rows: 1, hash: '5' })],
      [settings({ rows: 1, hash: '6' })],
      { 'left out': /^warning: / },
    ],
    [
      'none of them in the copy, whose extension has no such table',
      [settings({ rows: 1, hash: '5' })],
      [counted('public', 'settings', 1, { extension: 'hstore' })],
      { 'left out': /^warning: / },
    ],
    [
      'an empty table that was not hashed',
      [counted('a', 'b', 0, { content: null })],
      [counted('a', 'b', 0, { content: null })],
      {},
    ],
    [
      'a sample without a row',
      [counted('a', 'b', 9, { content: { oneIn: 4, rows: 0, hash: '0' } }), counted('a', 'c', 1)],
      [counted('a', 'b', 9, { content: { oneIn: 4, rows: 0, hash: '0' } }), counted('a', 'c', 1)],
      {
        content: /^warning: only the rows were counted of a\.b, .* hashed, with equal results: 1 table whole$/,
      },
    ],
    [
      'a table of another role beside one of ours',
      [counted('a', 'b', 9, { content: null }), counted('a', 'c', 1)],
      [counted('a', 'b', 9), counted('a', 'c', 1)],
      { content: /^warning: / },
    ],
    ["an extension's own data, which it brings again", [mail], [mail], {}],
    ['a table of a newer extension', [counted('a', 'b', 1)], [counted('a', 'b', 1), { ...mail, rows: 0 }], {}],
    [
      'a table that an extension has dumped',
      [{ ...mail, isDumped: true }],
      [],
      { tables: /public\.q_mail was not restored/, rows: /q_mail/ },
    ],
  ];
  for (const [what, before, after, expected] of examples) {
    test(what, () => {
      const found = judge({ restored: { tables: [...after] } }, { tables: [...before] });
      assert.deepEqual(Object.keys(found), Object.keys(expected));
      for (const [name, text] of Object.entries(expected)) assert.match(found[name] ?? '', text);
    });
  }
});

describe('what belongs to an extension and does not come back with it', () => {
  const objects = [
    'type public.citext',
    'function public.f(integer)',
    'view public.v',
    'sequence public.s',
    'table public.q_mail',
  ];
  const before = { members: [{ extension: 'citext', objects }] };
  const told = (restored: Partial<Restored>, changes: Partial<Manifest> = {}) =>
    judge({ restored }, { ...before, ...changes })['extensions'];

  test('is told by name and kind, and not condemned', () =>
    assert.equal(
      told({}),
      'warning: not in the dump, and not in a restore: function public.f(integer), which belongs to the extension citext, view public.v, which belongs to the extension citext, table public.q_mail, which belongs to the extension citext. The extensions: citext 1.6',
    ));
  test('is no loss if the extension makes it again', () => {
    assert.equal(
      told({ members: [{ extension: 'citext', objects: [...objects, 'function public.later()'] }] }),
      undefined,
    );
    assert.match(told({ members: [{ extension: 'hstore', objects }] }) ?? '', /^warning: .* type public\.citext/);
  });
  test('is told once of a table whose rows are lost', () => {
    const found = judge(
      { restored: { tables: [] } },
      { ...before, tables: [counted('public', 'q_mail', 1, { extension: 'citext', isDumped: false })] },
    );
    assert.deepEqual(Object.keys(found), ['left out', 'extensions']);
    assert.doesNotMatch(found['extensions'] ?? '', /q_mail/);
  });
  test('also what was made on one of its tables, unless that is lost itself', () => {
    const kept = ['table public.config', 'column a on public.config'];
    const made = ['index "on it" on public.config', 'trigger t on public.config'];
    const gone = ['table public."of my" own', 'column a on public."of my" own', 'index i on public."of my" own'];
    const { list } = judgeDrill({
      manifest: { ...manifest, members: [{ extension: 'citext', objects: [...kept, ...made] }] },
      outcome: {
        fault: null,
        sha256: 'a'.repeat(64),
        restoreMs: 1,
        restored: { ...whole, members: [{ extension: 'citext', objects: kept }] },
      },
      statements: [],
      copy: null,
    });
    const { detail, remedy } = list.find(({ name }) => name === 'extensions') ?? {};
    assert.match(
      detail ?? '',
      /in a restore: index "on it" on public\.config, which belongs to the extension citext, trigger t on public\.config, which/,
    );
    assert.equal(
      remedy,
      'pg_dump leaves out what somebody has created by hand on a table of an extension. Keep the statements that create it, and run them after a restore',
    );
    const all = told(
      { members: [{ extension: 'citext', objects: kept }] },
      { members: [{ extension: 'citext', objects: [...kept, ...gone] }] },
    );
    assert.match(
      all ?? '',
      /in a restore: table public\."of my" own, which belongs to the extension citext\. The extensions/,
    );
  });
  test("also what somebody has put into PostgreSQL's own schemas", () => {
    const { list } = judgeDrill({
      manifest: {
        ...manifest,
        extensions: [],
        members: [{ extension: '', objects: ['function pg_catalog.f(integer)'] }],
      },
      outcome: { fault: null, sha256: 'a'.repeat(64), restoreMs: 1, restored: { ...whole, members: [] } },
      statements: [],
      copy: null,
    });
    const { detail, remedy, severity } = list.find(({ name }) => name === 'extensions') ?? {};
    assert.equal(severity, 'warning');
    assert.equal(
      detail,
      "not in the dump, and not in a restore: function pg_catalog.f(integer), which stands in a schema of PostgreSQL's own. The extensions: none",
    );
    assert.match(remedy ?? '', /^pg_dump leaves out whatever is in pg_catalog and information_schema\. Create it in/);
  });
  test('also what somebody has changed of one of its functions, unless the function is lost, or the version another', () => {
    const f = 'function public.f(integer)';
    const g = 'function public.g()';
    const objects = [f, g, `definition of ${f}: 0a`, `definition of ${g}: 0b`];
    const changes = { members: [{ extension: 'citext', objects }] };
    const restored = (...found: string[]) => ({ members: [{ extension: 'citext', objects: found }] });
    assert.equal(
      told(restored(f, g, `definition of ${f}: 0c`, `definition of ${g}: 0b`), changes),
      'warning: restored as CREATE EXTENSION defines it, and changed in the database: function public.f(integer) of the extension citext. The extensions: citext 1.6',
    );
    const gone = told(restored(g, `definition of ${g}: 0b`), changes) ?? '';
    assert.match(gone, /in a restore: function public\.f\(integer\), which belongs to the extension citext\. The/);
    const older = { ...changes, extensions: [{ name: 'citext', version: '1.5' }] };
    assert.equal(told(restored(f, g, `definition of ${f}: 0c`, `definition of ${g}: 0d`), older), undefined);
    // An earlier version has not noted how they are defined.
    const noted = { members: [{ extension: 'citext', objects: [f] }] };
    assert.equal(told(restored(f, `definition of ${f}: 0c`), noted), undefined);
  });
  test('also what everybody might do in a schema that was called public once, with the statement that brings it back', () => {
    const { list } = judgeDrill({
      manifest: {
        ...manifest,
        extensions: [],
        members: [{ extension: '', objects: ['privilege USAGE for PUBLIC on schema "my app"'] }],
      },
      outcome: { fault: null, sha256: 'a'.repeat(64), restoreMs: 1, restored: { ...whole, members: [] } },
      statements: [],
      copy: null,
    });
    const { detail, remedy, severity } = list.find(({ name }) => name === 'extensions') ?? {};
    assert.equal(severity, 'warning');
    assert.equal(detail, 'lost in a restore: privilege USAGE for PUBLIC on schema "my app". The extensions: none');
    assert.match(remedy ?? '', / After a restore: GRANT USAGE ON SCHEMA "my app" TO PUBLIC$/);
  });
  test('may be the doing of another version, which is to be updated first', () => {
    const extensions = [{ name: 'citext', version: '1.5' }];
    const { list } = judgeDrill({
      manifest: { ...manifest, ...before, extensions },
      outcome: { fault: null, sha256: 'a'.repeat(64), restoreMs: 1, restored: whole },
      statements: [],
      copy: null,
    });
    const remedy = list.find(({ name }) => name === 'extensions')?.remedy ?? '';
    assert.match(remedy, /First update the one in the database \(ALTER EXTENSION "citext" UPDATE\)/);
    assert.match(remedy, /remove it from the extension: ALTER EXTENSION "citext" DROP function public\.f\(integer\)$/);
  });
  test('is called in the command as a command calls it', () => {
    for (const [object, called] of [
      ['composite type public.c', 'DROP type public.c'],
      ['foreign-data wrapper w', 'DROP foreign data wrapper w'],
    ] as const) {
      const { list } = judgeDrill({
        manifest: { ...manifest, members: [{ extension: 'citext', objects: [object] }] },
        outcome: { fault: null, sha256: 'a'.repeat(64), restoreMs: 1, restored: whole },
        statements: [],
        copy: null,
      });
      assert.ok(list.find(({ name }) => name === 'extensions')?.remedy?.endsWith(called));
    }
  });
  test('was not noted by an earlier version, and nobody says it was compared', () => {
    const { list } = judgeDrill({
      manifest: { ...manifest, members: null },
      outcome: { fault: null, sha256: 'a'.repeat(64), restoreMs: 1, restored: whole },
      statements: [],
      copy: null,
    });
    assert.match(
      list.find(({ name }) => name === 'extensions')?.detail ?? '',
      /^citext 1\.6; what belongs to them was not compared/,
    );
  });
});

test('rows that an extension makes again are told, and no new backup is advised, which would fail alike', () => {
  const config = counted('x', 'config', 0, { extension: 'queue' });
  const judged = (more: readonly ReturnType<typeof counted>[]) =>
    judgeDrill({
      manifest: { ...manifest, tables: [config, ...more] },
      outcome: {
        fault: null,
        sha256: 'a'.repeat(64),
        restoreMs: 1,
        restored: { ...whole, tables: [config, ...more].map((table) => ({ ...table, rows: 1 })) },
      },
      statements: [],
      copy: null,
    }).list.find(({ name }) => name === 'rows');
  assert.equal(judged([])?.detail, 'x.config has 1 instead of 0');
  assert.match(
    judged([])?.remedy ?? '',
    /^CREATE EXTENSION puts rows of its own into x\.config.* a new backup fails the same way/,
  );
  assert.doesNotMatch(judged([])?.remedy ?? '', /Do not rely/);
  assert.match(judged([counted('public', 'orders', 3)])?.remedy ?? '', /^Do not rely/);
});

test('tables of an extension that the image has in another version are not compared', () => {
  const config = counted('x', 'config', 3, { extension: 'queue' });
  const found = judge(
    { restored: { tables: [{ ...config, rows: 4 }], extensions: [{ name: 'queue', version: '2' }] } },
    { tables: [config], extensions: [{ name: 'queue', version: '1' }] },
  );
  assert.deepEqual(found, {});
});

describe('a sequence that did not simply go on', () => {
  const at = (value: string | null, changes: Parameters<typeof moved>[4], before = '5', after: string | null = '2') =>
    judge(
      { restored: { sequences: [{ schema: 's', name: 'q', value }] } },
      { sequences: [moved('s', 'q', before, after, changes)] },
    )['sequences'];
  test('started over at its end', () => assert.equal(at('1', { cycles: true }), undefined));
  test('started over and went on to where it was, all while it was dumped', () =>
    assert.equal(at('2', { cycles: true }, '7', '8'), undefined));
  test('was set back meanwhile', () => assert.equal(at('9', {}), undefined));
  test('was reset, and never used since', () => assert.equal(at('3', {}, '5', null), undefined));
  test('moved on and came back behind: set back meanwhile, or not restored, which cannot be told', () => {
    const sequences = [moved('s', 'q', '100', '150')];
    const at = (value: string | null) =>
      judgeSequences(sequences, [{ schema: 's', name: 'q', value }], 'Do not rely on it') as { remedy: string };
    for (const value of ['20', null]) assert.match(at(value).remedy, /^If something set it back .* Otherwise: Do not/);
    assert.equal(at('151').remedy, 'Do not rely on it');
  });
  test('goes down, and was set back', () => assert.equal(at('3', { increment: '-1' }, '-5', '-2'), undefined));
  test('belongs to an extension, which a restore begins anew', () =>
    assert.match(
      at(null, { extension: 'postgis_topology', isDumped: false }, '5', '7') ?? '',
      /s\.q is at nothing, .* pg_dump leaves out sequences of the extension postgis_topology/,
    ));
});

describe('what is not known is not proven', () => {
  test('rows that were estimated', () => {
    const estimated = manifest.tables.map((table) => ({ ...table, exact: false }));
    assert.match(judge({}, { tables: estimated })['rows'] ?? '', /^could-not-check/);
  });

  test('a schema that was not taken', () => {
    assert.match(judge({}, { schemaSha256: null })['schema'] ?? '', /^could-not-check/);
    const ofFile = { sha256: schemaSha256 };
    const found = judge({ restored: { schema: { ...whole.schema, ofFile } } }, { schemaSha256: null });
    assert.deepEqual(found, {}, 'the file may be there, and its hash not: it was too long');
  });

  test('all of it, where it did not restore', () => {
    const found = judge({
      outcome: { fault: { why: 'it does not restore', words: 'pg_restore: error', refusal: null }, restored: null },
      statements: ['SELECT true'],
    });
    assert.match(found['restore'] ?? '', /^failed: .*it does not restore\. pg_restore: error/);
    const others = Object.entries(found).filter(([name]) => name !== 'restore');
    assert.equal(others.length, 9);
    for (const [name, text] of others) assert.match(text, /^could-not-check/, name);
  });
});

describe('statements', () => {
  const statements = ['SELECT 1 = 1', 'SELECT\n  2 = 3'];
  test('each must be true', () => {
    const assertions = [
      { isTrue: true, answer: 't' },
      { isTrue: false, answer: 'f' },
    ];
    assert.match(judge({ statements, restored: { assertions } })['drill-sql'] ?? '', /SELECT 2 = 3 returned f/);
  });

  test('nobody who only reads could be made to ask', () => {
    assert.match(
      judge({ statements, restored: { assertions: null } })['drill-sql'] ?? '',
      /^could-not-check: could not create a read-only role/,
    );
  });

  test('one without an answer is not', () => {
    assert.match(
      judge({ statements })['drill-sql'] ?? '',
      /SELECT 1 = 1 returned nothing, SELECT 2 = 3 returned nothing/,
    );
  });
});

describe('where it is restored', () => {
  const facts = { serverVersion: '17.4 (Debian)' } as never;
  test('in the image of the running database', () => {
    assert.equal(imageFor({ ...manifest, serverVersion: '17.1' }, { imageId: 'sha256:x', facts }), 'sha256:x');
  });
  test('in the official one of the major version, where the running one is newer, or gone', () => {
    assert.equal(imageFor({ ...manifest, serverVersion: '16.9' }, { imageId: 'sha256:x', facts }), 'postgres:16');
    assert.equal(imageFor({ ...manifest, serverVersion: '16.9' }, null), 'postgres:16');
  });
  test('with room for the larger of what runs and what was dumped', () => {
    const of = { ...manifest, dumpBytes: 2 ** 30 };
    assert.ok(neededFor(of, 4 * 2 ** 30) > 4 * 2 ** 30);
    // What is written is in the log of the server as well.
    assert.ok(neededFor(of, null) > 1.1 * 1.3 * 2 ** 30 + 2 ** 30);
    assert.ok(neededFor({ ...of, dumpBytes: null, sizeBytes: 2 ** 30 }, null) > 4 * 2 ** 30);
  });
});
