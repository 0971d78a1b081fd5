import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HistoryRecord } from '../../../shared/history/record.ts';
import type { Pairing } from '../../../shared/plan/paired-set.ts';
import { planRollback } from '../../../shared/plan/plan-rollback.ts';
import { judgeSchema, type SchemaCase, type SchemaFinding } from '../../../shared/plan/schema-guard.ts';
import { targetSchema } from '../../../shared/plan/target-schema.ts';
import type { Release } from '../../../shared/releases/release.ts';
import type { VerifiedSet } from '../../../shared/sets/catalogue.ts';
import type { Manifest } from '../../../shared/sets/manifest.ts';
import { exampleManifest } from '../retention/host-folder.ts';
import { image, record, request, sha } from './shop.ts';

const none: Pairing = { set: null, why: '', nearly: [{ id: '20261125_020000', what: 'scheduled' }] };
const subject = (changes: Partial<SchemaCase> = {}): SchemaCase => ({
  guard: 'destructive',
  versions: { before: '15', after: '15' },
  pairing: none,
  ...changes,
});
const table = (...columns: string[]) =>
  `--\n-- Name: t; Type: TABLE; Schema: public; Owner: app\n--\n\nCREATE TABLE public.t (\n    ${columns.join(',\n    ')}\n);\n`;
const view = (what: string) =>
  `--\n-- Name: v; Type: VIEW; Schema: public; Owner: app\n--\n\nCREATE VIEW public.v AS\n SELECT ${what};\n`;
const comment = `--\n-- Name: TABLE t; Type: COMMENT; Schema: public; Owner: app\n--\n\nCOMMENT ON TABLE public.t IS 'new';\n`;
const different = (before: string, after: string): SchemaFinding => ({ kind: 'different', before, after });

describe('what the guard makes of two schemas', () => {
  const examples: [
    what: string,
    finding: SchemaFinding,
    versions: [string, string],
    crossed: string,
    warnings: RegExp[],
    refusedBy: string[],
  ][] = [
    ['the same', { kind: 'same' }, ['15', '15'], 'no', [], []],
    ['only a comment', different(table('a integer'), table('a integer') + comment), ['15', '15'], 'no', [], []],
    [
      'a column is gone',
      different(table('a integer', 'b integer'), table('a integer')),
      ['15', '15'],
      'yes',
      [/^The database schema has changed since the target ran: public\.t: column b is gone$/],
      ['destructive', 'any'],
    ],
    [
      'also after an upgrade',
      different(table('a integer', 'b integer'), table('a integer')),
      ['15', '17'],
      'yes',
      [/column b is gone/],
      ['destructive', 'any'],
    ],
    [
      'a column is new',
      different(table('a integer'), table('a integer', 'b integer')),
      ['15', '15'],
      'yes',
      [/column b$/],
      ['any'],
    ],
    [
      'a view is another',
      different(view('1'), view('2')),
      ['15', '15'],
      'yes',
      [/view public\.v has changed/],
      ['destructive', 'any'],
    ],
    [
      'a view is another after an upgrade',
      different(view('1'), view('2')),
      ['15', '17'],
      'yes',
      [/^Altered .* or just worded differently by PostgreSQL 17 than by 15: view public\.v has changed$/],
      ['any'],
    ],
    [
      'a text that cannot be read',
      different(table("a text DEFAULT 'x"), table('a integer')),
      ['15', '15'],
      'yes',
      [/what has changed is unknown: a schema has a quote \('\) that does not end$/],
      ['any'],
    ],
    [
      'an encrypted one',
      { kind: 'changed', why: 'x is encrypted' },
      ['15', '15'],
      'yes',
      [/is unknown: x is encrypted$/],
      ['any'],
    ],
    ['nobody knows', { kind: 'unknown', why: 'no backup' }, ['', ''], 'unknown', [/is unknown: no backup$/], ['any']],
  ];
  for (const [what, finding, [before, after], crossed, warnings, refusedBy] of examples) {
    test(what, () => {
      for (const guard of ['destructive', 'any'] as const) {
        const verdict = judgeSchema(finding, subject({ guard, versions: { before, after } }));
        assert.equal(verdict.crossed, crossed);
        const told = verdict.notes.filter(({ level }) => level === 'warning').map(({ text }) => text);
        assert.equal(told.length, warnings.length, told.join('\n'));
        for (const [at, text] of told.entries()) assert.match(text, warnings[at] ?? /never/);
        assert.equal(verdict.refusal?.code, refusedBy.includes(guard) ? 'schema-changed' : undefined, guard);
      }
    });
  }

  test('a refusal has three ways on, with the backup by its id', () => {
    const hintOf = (pairing: Pairing) =>
      judgeSchema(different(table('a integer'), ''), subject({ pairing })).refusal?.hint ?? '';
    const set = { id: '20261126_100000' } as VerifiedSet;
    const paired = hintOf({ set, later: [], unknown: [] });
    assert.match(paired, /restore-database: paired, which is 20261126_100000\..*schema-guard: off\..*another release/);
    assert.match(hintOf(none), /there is no backup from before a deployment; .* such as 20261125_020000 \(scheduled\)/);
  });

  test('a long list is cut', () => {
    const columns = Array.from({ length: 30 }, (_, at) => `c${at} integer`);
    const verdict = judgeSchema(different(table('a integer', ...columns), table('a integer')), subject());
    assert.match(verdict.refusal?.message ?? '', /c11 is gone; and 18 more$/);
  });

  test('the plan tells of the schema itself, and its hash stays the same', () => {
    const asked = request({ wanted: { ...request().wanted, record: record({ schemaSha256: '2'.repeat(64) }) } });
    const texts = (finding: SchemaFinding | null) => {
      const plan = planRollback(asked, finding === null ? null : judgeSchema(finding, subject()));
      return { hash: plan.hash, crossed: plan.schemaCrossed, notes: plan.notes.map(({ text }) => text).join('\n') };
    };
    const byHistory = texts(null);
    assert.match(byHistory.notes, /older code will meet a newer schema/);
    const same = texts({ kind: 'same' });
    assert.doesNotMatch(same.notes, /older code will meet/);
    assert.match(same.notes, /is the one that the target ran with/);
    const unknown = texts({ kind: 'unknown', why: 'no backup' });
    assert.match(unknown.notes, /older code will meet a newer schema/);
    assert.match(unknown.notes, /unknown: no backup/);
    assert.deepEqual([byHistory.crossed, same.crossed, unknown.crossed], ['yes', 'no', 'yes']);
    assert.deepEqual([same.hash, unknown.hash], [byHistory.hash, byHistory.hash]);
  });
});

describe('where the schema is that a target ran with', () => {
  const v1: Release = { web: image('web', 'v1', sha('a'), sha('1')) };
  const v2: Release = { web: image('web', 'v2', sha('b'), sha('2')) };
  const hash = (digit: string) => digit.repeat(64);
  const set = (id: string, release: Release, changes: Partial<Manifest> = {}): VerifiedSet => {
    const manifest = exampleManifest(id, { release, ...changes });
    return { state: 'verified', id, database: 'app', manifest, folders: ['daily'] };
  };
  const sealed = { encryption: 'age' } as const;
  const noSchema = { schemaSha256: null, checks: [] };

  const examples: [
    what: string,
    sets: VerifiedSet[],
    records: Partial<HistoryRecord>[],
    expected: { sha256: string | null; file: string | null; why?: RegExp } | null,
  ][] = [
    ['no set, no record', [set('20261126_020000', v2)], [], null],
    [
      'the newest of any kind',
      [set('20261127_020000', v2), set('20261126_020000', v1), set('20261125_020000', v1, { kind: 'predeployment' })],
      [],
      { sha256: hash('c'), file: '20261126_020000' },
    ],
    [
      'one without a schema does not count',
      [set('20261126_020000', v1, noSchema), set('20261125_020000', v1)],
      [],
      { sha256: hash('c'), file: '20261125_020000' },
    ],
    ['none has a schema', [set('20261126_020000', v1, noSchema)], [], null],
    [
      'an encrypted one still has a hash',
      [set('20261126_020000', v1, sealed), set('20261124_020000', v2, { schemaSha256: hash('d') })],
      [],
      { sha256: hash('c'), file: null, why: /20261126_020000 is encrypted/ },
    ],
    [
      'and another set may have the same schema in the clear',
      [set('20261126_020000', v1, sealed), set('20261124_020000', v2)],
      [],
      { sha256: hash('c'), file: '20261124_020000' },
    ],
    [
      'a record names the backup',
      [set('20261126_020000', v2, { schemaSha256: hash('d') })],
      [{ release: v1, backupId: '20261126_020000', schemaSha256: hash('d') }],
      { sha256: hash('d'), file: '20261126_020000' },
    ],
    [
      'a record has the hash of another one',
      [set('20261126_020000', v2, { schemaSha256: hash('d') })],
      [{ release: v1, schemaSha256: hash('d') }],
      { sha256: hash('d'), file: '20261126_020000' },
    ],
    ['a record whose backups are gone', [set('20261126_020000', v2)], [{ release: v1, schemaSha256: hash('d') }], null],
    [
      'a drill, a failure, another environment and what a restore replaced say nothing',
      [set('20261126_020000', v2)],
      [
        { release: v1, schemaSha256: hash('c'), event: 'drill' },
        { release: v1, schemaSha256: hash('c'), status: 'failed' },
        { release: v1, schemaSha256: hash('c'), environment: 'staging' },
        { release: v1, schemaSha256: hash('c'), event: 'rollback', restoredId: '20261126_020000' },
      ],
      null,
    ],
  ];
  for (const [what, sets, records, expected] of examples) {
    test(what, () => {
      const found = targetSchema(
        { sets, database: 'app', environment: 'prod', target: new Map(Object.entries(v1)) },
        records.map((changes) => record(changes)),
      );
      const { sha256 = null, file = null, whyNoFile = '' } = found ?? {};
      assert.deepEqual(
        found === null ? null : { sha256, file: file?.id ?? null },
        expected === null ? null : { sha256: expected.sha256, file: expected.file },
      );
      assert.match(whyNoFile, expected?.why ?? /^$/);
    });
  }
});
