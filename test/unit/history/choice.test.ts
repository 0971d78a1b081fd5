import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Choice, type ChoiceRequest, lastGood } from '../../../shared/history/choice.ts';
import { importLegacy } from '../../../shared/history/legacy.ts';
import { type HistoryRecord, parseHistory } from '../../../shared/history/record.ts';
import { recordsToMend } from '../../../shared/history/union.ts';
import type { Release } from '../../../shared/releases/release.ts';
import { hex, image, record, release } from './records.ts';

const ignored = new Set(['db']);

function choose(records: readonly HistoryRecord[], running: Release, changes: Partial<ChoiceRequest> = {}): Choice {
  return lastGood({ records, environment: 'prod', running, ignored, ...changes });
}

const v1 = release('db:15', 'web:v1');
const v2 = release('db:15', 'web:v2');
const v3 = release('db:15', 'web:v3');
const v4 = release('db:15', 'web:v4');

const seen = (of: Release) => record({ release: of });
const good = (of: Release) => record({ event: 'deploy', verdict: 'good', release: of });
const bad = (of: Release) => record({ event: 'check', verdict: 'bad', release: of });
/** A rollback that went well, as the host writes it down. */
const back = (from: Release, to: Release, verdict: HistoryRecord['verdict'] = 'good') =>
  record({ event: 'rollback', release: to, previous: from, verdict });
const reverted = (from: Release, to: Release, verdict: HistoryRecord['verdict']) =>
  record({ event: 'rollback', status: 'reverted', release: to, previous: from, verdict });

const table: [what: string, history: HistoryRecord[], running: Release, target: Release | null][] = [
  // The scripts went two back here, as they had written down what was replaced.
  ['the one before, not the one before that', [seen(v1), seen(v2), seen(v3)], v3, v2],
  ['the newest good one, however many newer ones nobody looked at', [good(v1), seen(v2), seen(v3)], v3, v1],
  ['the newest of two good ones', [good(v1), good(v2), seen(v3)], v3, v2],
  ['what runs is not the target, also where it was recorded more than once', [seen(v1), seen(v2), seen(v2)], v2, v1],
  ['what runs may be older than the newest record', [seen(v1), seen(v2), seen(v3)], v2, v3],
  // The scripts came back to D here: A, B, C, D, rolled back to C.
  ['a second rollback goes further back', [seen(v1), seen(v2), seen(v3), seen(v4), back(v4, v3)], v3, v2],
  [
    'and also where the target could not be proven good',
    [seen(v1), seen(v2), seen(v3), seen(v4), back(v4, v3, 'unknown')],
    v3,
    v2,
  ],
  ['never the one that was rolled back from', [seen(v1), seen(v2), back(v2, v1)], v1, null],
  ['unless it was found good anew', [seen(v1), seen(v2), back(v2, v1), good(v2), seen(v1)], v1, v2],
  ['nor one whose latest verdict is bad', [good(v1), good(v2), bad(v2), seen(v3)], v3, v1],
  ['a word that says nothing takes none back', [good(v1), good(v2), bad(v2), seen(v2), seen(v3)], v3, v1],
  ['a target that was found bad while it was tried', [seen(v1), seen(v2), seen(v3), reverted(v3, v2, 'bad')], v3, v1],
  ['a target that nobody could judge may be tried again', [seen(v2), seen(v3), reverted(v3, v2, 'unknown')], v3, v2],
  ['what was only to be never ran', [seen(v1), seen(v3), reverted(v3, v2, 'unknown')], v3, v1],
  [
    'a rollback that was taken back marks nothing that it came from',
    [seen(v1), seen(v2), seen(v3), reverted(v3, v1, 'bad'), seen(v4)],
    v4,
    v3,
  ],
  [
    'a deployment that failed',
    [seen(v1), record({ event: 'deploy', status: 'failed', release: v2 }), seen(v3)],
    v3,
    v1,
  ],
  ['a drill is no production', [seen(v1), record({ event: 'drill', verdict: 'good', release: v2 }), seen(v3)], v3, v1],
  ['another environment', [seen(v1), record({ environment: 'staging', verdict: 'good', release: v2 })], v3, v1],
  [
    'the word of another environment',
    [seen(v2), record({ environment: 'staging', verdict: 'bad', release: v2 })],
    v3,
    v2,
  ],
  ['another database is no other release', [seen(release('db:14', 'web:v3'))], v3, null],
  [
    'services of their own',
    [seen(release('api:v7', 'web:v2'))],
    release('api:v7', 'web:v3'),
    release('api:v7', 'web:v2'),
  ],
  ['one that is not in the history', [seen(release('web:v3'))], release('api:v7', 'web:v3'), null],
  ['one that compose no longer has', [seen(release('old:v1', 'web:v3'))], release('web:v3'), null],
  ['what ran before a deployment is not bad for that', [seen(v1), { ...seen(v2), previous: v1 }], v2, v1],
  [
    'one that was bad without this service',
    [bad(release('web:v2')), seen(release('api:v1', 'web:v2'))],
    release('api:v1', 'web:v3'),
    release('api:v1', 'web:v2'),
  ],
  [
    'one that was bad with another service',
    [bad(release('old:v1', 'web:v2')), seen(release('api:v1', 'web:v2'))],
    release('api:v1', 'web:v3'),
    release('api:v1', 'web:v2'),
  ],
  [
    'one that was bad with one more service',
    [bad(release('api:v1', 'web:v2')), seen(release('web:v2'))],
    release('web:v3'),
    release('web:v2'),
  ],
  ['an empty history', [], v3, null],
  ['only what runs', [good(v3)], v3, null],
];

for (const [what, history, running, target] of table) {
  test(`the target: ${what}`, () => {
    const { record: chosen, why } = choose(history, running);
    assert.deepEqual(chosen?.release ?? null, target);
    assert.match(why, /^\S.{10,}/);
  });
}

test('three rollbacks in a row go back each time, and then find nothing', () => {
  const history = [seen(v1), good(v2), seen(v3), seen(v4)];
  const went: (Release | null)[] = [];
  let running = v4;
  for (let round = 0; round < 4; round += 1) {
    const target = choose(history, running).record?.release ?? null;
    went.push(target);
    if (target === null) break;
    history.push(back(running, target, 'unknown'));
    running = target;
  }
  // The good one comes first; what nobody looked at, v3 and v1, then.
  assert.deepEqual(went, [v2, v3, v1, null]);
  assert.match(choose(history, running).why, /^each of the 3 other releases .* marked bad or rolled back from$/);
});

test('each service goes to what it ran itself', () => {
  // The scripts wrote the backend's tag into both columns.
  const before = release('backend:v4', 'dashboard:v9');
  const chosen = choose([seen(before)], release('backend:v5', 'dashboard:v10')).record;
  assert.equal(chosen?.release['backend']?.tag, 'v4');
  assert.equal(chosen?.release['dashboard']?.tag, 'v9');
});

test("the lines of the scripts' log are never chosen", () => {
  const legacy = importLegacy('20261101_120000,v1,v1\n20261102_120000,v2,v2\n', 'prod');
  assert.equal(legacy.length, 2);
  const { record: chosen, why } = choose(legacy, release('backend:v3', 'frontend:v3'));
  assert.equal(chosen, null);
  assert.match(why, /none of the 2 records/);
});

test('a release with a service that cannot be found again is left out', () => {
  const lost = { ...release('api:v1'), web: { image: 'web:v1', tag: 'v1', digest: null, imageId: null } };
  assert.equal(choose([seen(lost)], release('api:v1', 'web:v2')).record, null);
  assert.equal(choose([seen(lost)], release('api:v2', 'web:v2')).record, null);
  const local = { web: { ...image('web:v1'), digest: null } };
  assert.deepEqual(choose([seen(local)], release('web:v2')).record?.release, local);
});

test('names that every object has are names of services like others', () => {
  const same = { ...record(), release: release('web:v3') };
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const line = JSON.stringify(same).replace(
      '"web":',
      `${JSON.stringify(name)}:${JSON.stringify(image('x:v9'))},"web":`,
    );
    const { records } = parseHistory(line);
    assert.deepEqual(Object.keys(records[0]?.release ?? {}).toSorted(), [name, 'web'].toSorted());
    assert.equal(choose(records, release('web:v3')).record, null, name);
  }
});

test('an image is the same with and without its digest, under another digest, and under another id', () => {
  const now = image('web:v3');
  const others = [
    { digest: null },
    { digest: `sha256:${hex('other')}` },
    { imageId: null },
    { imageId: `sha256:${hex('other')}` },
  ];
  for (const change of others) {
    const before = { db: image('db:15'), web: { ...now, ...change } };
    assert.equal(choose([seen(before)], v3).record, null, 'what runs was chosen');
    assert.deepEqual(choose([seen(v1), seen(before), seen(v3), back(v3, v2)], v2).record?.release, v1);
  }
});

test('a history that was mended from a copy, without ids, is gone back in as well', () => {
  const mended = recordsToMend([], [[seen(v1), seen(v2), seen(v3)]], 'prod');
  assert.deepEqual(choose(mended, v3).record, mended[1]);
});

test('images of which the same is not known are not the same', () => {
  for (const field of ['digest', 'imageId']) {
    const [before, now] = [image('web:v1'), image('web:v2')].map((each) => ({ web: { ...each, [field]: null } }));
    assert.deepEqual(choose([seen(before as Release)], now as Release).record?.release, before);
  }
});

test('the reason says what the choice rests on', () => {
  assert.match(choose([], v3).why, /history on the host has no record of/);
  assert.match(choose([good(v2)], v3).why, /found good/);
  assert.match(choose([seen(v2)], v3).why, /none was found good/);
  assert.match(choose([seen(v3)], v3).why, /the only record on the host/);
});

const anyRelease = fc
  .record({
    web: fc.integer({ min: 1, max: 4 }),
    api: fc.integer({ min: 1, max: 2 }),
    db: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ web, api, db }) => release(`web:v${web}`, `api:v${api}`, `db:v${db}`));
const anyRecord = fc
  .record({
    event: fc.constantFrom('observed', 'deploy', 'rollback', 'check', 'drill'),
    status: fc.constantFrom('succeeded', 'failed', 'reverted'),
    verdict: fc.constantFrom('good', 'bad', 'unknown'),
    release: anyRelease,
    previous: fc.option(anyRelease),
  })
  .map((changes) => record(changes as Partial<HistoryRecord>));

/** But for the database. */
const isSame = (one: Release, other: Release) =>
  one['web']?.digest === other['web']?.digest && one['api']?.digest === other['api']?.digest;

test('the target never runs already, always ran, and is never one whose latest verdict is bad', () => {
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 25 }), anyRelease, (history, running) => {
      const { record: chosen } = choose(history, running);
      if (chosen === null) return;
      assert.ok(!isSame(chosen.release, running));
      assert.equal(chosen.status, 'succeeded');
      assert.notEqual(chosen.event, 'drill');
      const words = history.flatMap((each) => [
        ...(each.event === 'rollback' && each.status === 'succeeded' && each.previous !== null
          ? [{ about: each.previous, word: 'bad' }]
          : []),
        ...(each.verdict === 'unknown' ? [] : [{ about: each.release, word: each.verdict }]),
      ]);
      const about = words.filter(({ about: each }) => isSame(each, chosen.release));
      assert.notEqual(about.at(-1)?.word, 'bad');
      const found = words.filter(({ word }) => word === 'good').length;
      if (found === 0) assert.notEqual(about.at(-1)?.word, 'good');
    }),
    { numRuns: 500 },
  );
});

test('rollbacks in a row come to an end, and no release comes twice', () => {
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 15 }), anyRelease, (start, running) => {
      const history = [...start];
      const runs = [running];
      for (;;) {
        const now = runs.at(-1) as Release;
        const target = choose(history, now).record;
        if (target === null) return;
        assert.ok(!runs.some((each) => isSame(each, target.release)), 'it went forward again');
        history.push(back(now, target.release));
        runs.push(target.release);
      }
    }),
  );
});
