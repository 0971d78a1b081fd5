import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CandidateFacts, candidateLines, candidates } from '../../../shared/history/candidates.ts';
import type { HistoryRecord } from '../../../shared/history/record.ts';
import { image, record, running, sha } from '../releases/shop.ts';

const release = (version: string, digit: string) => ({ ...running, web: image('web', version, sha(digit), null) });
const of = (n: number, changes: Partial<HistoryRecord>) =>
  record({ id: `7-1-0000000${n}`, at: `2026-11-2${n}T12:00:00Z`, ...changes });

function listed(records: HistoryRecord[], changes: Partial<CandidateFacts> = {}) {
  const facts: CandidateFacts = {
    entries: records.map((each) => ({ record: each, source: 'host' })),
    verdicts: records,
    running,
    ignored: new Set(['db']),
    images: [],
    environment: 'prod',
    ...changes,
  };
  return candidates(facts);
}

test('different releases, the newest first, without drills, what runs, and other environments', () => {
  const records = [
    of(1, { release: release('v1', '1') }),
    of(2, { release: release('v2', '2'), verdict: 'bad' }),
    of(3, { release: release('v1', '1'), event: 'check', verdict: 'unknown' }),
    of(4, { release: running }),
    of(5, { release: release('v0', '7'), event: 'drill' }),
    of(6, { release: release('v8', '8'), environment: 'staging' }),
    of(7, { release: release('v7', '6'), event: 'rollback', status: 'reverted', verdict: 'bad' }),
  ];
  const rest = 'proxy';
  assert.deepEqual(
    listed(records).map(({ tag, verdict, id }) => [tag.split(', ').at(-1), verdict, id]),
    [
      ['web v7', 'bad', '7-1-00000007'],
      ['web v1', 'good', '7-1-00000003'],
      ['web v2', 'bad', '7-1-00000002'],
    ],
  );
  assert.match(listed(records)[0]?.tag ?? '', new RegExp(`^api v3, ${rest} 1.27, web v7$`));
});

test('one tag and one digest for all services are said once, and the lines are a table', () => {
  const web = { web: image('web', 'v1', sha('1'), null) };
  const api = { web: image('web', 'v12', sha('2'), null) };
  const lines = candidateLines(listed([of(1, { release: web }), of(2, { release: api, verdict: 'unknown' })]));
  assert.deepEqual(lines, [
    'Tag  Digest        Verdict  When                  Record',
    'v12  222222222222  unknown  2026-11-22T12:00:00Z  7-1-00000002',
    'v1   111111111111  good     2026-11-21T12:00:00Z  7-1-00000001',
  ]);
  assert.deepEqual(candidateLines([]), []);
});

test('what was rolled back from is bad, and a copy is believed only where it warns', () => {
  const v1 = { web: image('web', 'v1', sha('1'), null) };
  const v2 = { web: image('web', 'v2', sha('2'), null) };
  const records = [of(1, { release: v2 }), of(2, { event: 'rollback', release: running, previous: v2 })];
  assert.deepEqual(
    listed(records).map(({ verdict }) => verdict),
    ['bad'],
  );
  for (const [verdict, told] of [
    ['good', 'unknown'],
    ['bad', 'bad'],
  ] as const) {
    const copy = of(1, { release: v1, verdict });
    const found = listed([], { entries: [{ record: copy, source: 'mirror' }] });
    assert.deepEqual(
      found.map(({ verdict: shown }) => shown),
      [told],
    );
  }
});

test('lines of the old scripts, which name only a tag, are listed too; and never more than ten', () => {
  const legacy = { web: { image: null, tag: 'v1', digest: null, imageId: null } };
  const tell = listed([of(1, { release: legacy, verdict: 'unknown' })]);
  assert.deepEqual(
    tell.map(({ tag, digest }) => [tag, digest]),
    [['v1', '-']],
  );
  const many = Array.from({ length: 30 }, (_, n) =>
    record({ id: `7-1-${String(n).padStart(8, '0')}`, release: { web: { ...legacy.web, tag: `v${n + 10}` } } }),
  );
  assert.deepEqual(listed(many).length, 10);
  assert.equal(listed(many)[0]?.tag, 'v39');
});
