import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importLegacy } from '../../../shared/history/legacy.ts';
import { newestKnown, newestSchema, observationOf, type RunFacts } from '../../../shared/history/observation.ts';
import { type HistoryRecord, readHistoryRecord } from '../../../shared/history/record.ts';
import { hex, image, record, release } from './records.ts';

const seen: RunFacts = {
  id: '4711-1-0123abcd',
  at: new Date('2026-11-25T02:03:04.567Z'),
  environment: 'prod',
  schemaSha256: hex('schema'),
  backupId: '20261125_020304',
  actor: 'octocat',
  runUrl: 'https://github.com/acme/shop/actions/runs/4711',
  commit: 'a'.repeat(40),
  reason: null,
};
const [v1, v2] = [release('web:v1'), release('web:v2')];
const known = record({ release: v1, schemaSha256: seen.schemaSha256 });

test('a release that was never seen makes a record', () => {
  const { record: made, isNew } = observationOf(v1, seen, []);
  assert.equal(isNew, true);
  const { at, ...facts } = seen;
  assert.deepEqual(made, {
    version: 1,
    ...facts,
    at: '2026-11-25T02:03:04.567Z',
    event: 'observed',
    status: 'succeeded',
    verdict: 'unknown',
    release: v1,
    previous: null,
    restoredId: null,
    settings: null,
    durationMs: null,
    downtimeMs: null,
  });
  assert.deepEqual(readHistoryRecord(JSON.parse(JSON.stringify(made))), made);
});

test('the next night adds nothing', () => {
  assert.deepEqual(observationOf(v1, seen, [known]), { record: known, isNew: false });
});

const news: [what: string, history: HistoryRecord[], previous: typeof v1 | null][] = [
  ['another release', [{ ...known, release: v2 }], v2],
  ['another schema', [{ ...known, schemaSha256: hex('other') }], v1],
  ['an earlier release anew', [known, { ...known, release: v2 }], v2],
  ['another environment', [{ ...known, environment: 'staging' }], null],
  ['what was only to be', [{ ...known, status: 'failed' }], null],
  ['what was tried', [{ ...known, status: 'reverted' }], null],
  ['a drill', [{ ...known, event: 'drill' }], null],
  ['a restore', [{ ...known, event: 'restore' }], null],
];
for (const [what, history, previous] of news) {
  test(`${what} is news`, () => {
    const { record: made, isNew } = observationOf(v1, seen, history);
    assert.equal(isNew, true);
    assert.equal(made.id, seen.id);
    assert.deepEqual(made.previous, previous);
  });
}

for (const later of ['failed', 'reverted'] as const) {
  test(`a rollback that ${later} since then changes nothing of what runs`, () => {
    const tried = record({ event: 'rollback', status: later, release: v2 });
    assert.equal(observationOf(v1, seen, [known, tried]).isNew, false);
  });
}

test('after a rollback its record tells of what runs', () => {
  const rolledBack = { ...known, event: 'rollback' as const, previous: v2 };
  assert.deepEqual(observationOf(v1, seen, [record({ release: v2 }), rolledBack]), {
    record: rolledBack,
    isNew: false,
  });
});

test("the scripts' lines, which come to the end of the file when they are imported, are no news", () => {
  const pulledOnly = { ...known, release: { web: { ...image('web:v1'), imageId: null } } };
  assert.equal(newestKnown([known, pulledOnly], 'prod'), pulledOnly);
  const legacy = importLegacy('20261001_120000,v1,v1\n', 'prod');
  assert.equal(observationOf(v1, seen, [known, ...legacy]).isNew, false);
  assert.equal(observationOf(v1, seen, legacy).record.previous, null);
});

const schemas: [what: string, history: HistoryRecord[], schema: string | null][] = [
  ['nothing', [], null],
  ['the newest', [known, { ...known, schemaSha256: hex('later') }], hex('later')],
  ['the newest that tells of one', [known, { ...known, schemaSha256: null }], known.schemaSha256],
  ['a run that came to nothing, of a backup that did', [{ ...known, status: 'failed' }], known.schemaSha256],
  [
    'no drill, which is of an old backup',
    [known, { ...known, event: 'drill', schemaSha256: hex('old') }],
    known.schemaSha256,
  ],
  ['no restore', [{ ...known, event: 'restore' }], null],
  ['no other environment', [{ ...known, environment: 'staging' }], null],
];
for (const [what, history, schema] of schemas) {
  test(`the schema that there is now is told by ${what}`, () => assert.equal(newestSchema(history, 'prod'), schema));
}
