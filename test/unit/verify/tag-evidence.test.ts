import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HistoryRecord } from '../../../shared/history/record.ts';
import type { TagMeaning } from '../../../shared/releases/ask-registry.ts';
import { tagEvidence } from '../../../verify-action/deployment/tag-evidence.ts';
import { image, record, sha } from '../releases/shop.ts';

const good = (tag: string, digest: string | null, id: string | null, changes: Partial<HistoryRecord> = {}) =>
  record({ release: { web: image('web', tag, digest, id) }, ...changes });

/** What runs has the digest aaa… and the id 111…. */
const table: [
  what: string,
  is: 'same' | 'other' | 'unknown',
  given: { tag?: string; meaning?: TagMeaning; history?: HistoryRecord[]; digests?: string[] },
][] = [
  ['nobody knows', 'unknown', {}],
  ['the registry has this digest', 'same', { meaning: { whole: sha('a'), parts: [] } }],
  ['the registry has another digest', 'other', { meaning: { whole: sha('b'), parts: [sha('c')] } }],
  ['the registry has this configuration', 'same', { meaning: { whole: null, parts: [sha('9'), sha('1')] } }],
  ['the registry has another configuration', 'other', { meaning: { whole: null, parts: [sha('9'), sha('8')] } }],
  [
    'the id is a digest of a whole that nobody knows',
    'unknown',
    { meaning: { whole: null, parts: [sha('9')] }, digests: [sha('1')] },
  ],
  [
    'the registry says another, and the history the same',
    'other',
    { meaning: { whole: sha('b'), parts: [] }, history: [good('v2', sha('a'), sha('1'))] },
  ],
  ['the history has this digest', 'same', { history: [good('v2', sha('a'), null)] }],
  ['the history has this id, never pushed', 'same', { history: [good('v2', null, sha('1'))] }],
  ['the history has another id', 'other', { history: [good('v2', null, sha('2'))] }],
  ['the history has another digest', 'other', { history: [good('v2', sha('b'), sha('2'))] }],
  [
    'a record that was not found good says nothing',
    'unknown',
    { history: [good('v2', sha('a'), sha('1'), { verdict: 'unknown' })] },
  ],
  ['nor does a drill', 'unknown', { history: [good('v2', sha('a'), sha('1'), { event: 'drill' })] }],
  ['nor what failed', 'unknown', { history: [good('v2', sha('a'), sha('1'), { status: 'failed' })] }],
  ['nor another tag', 'unknown', { history: [good('v1', sha('a'), sha('1'))] }],
  ['nor a tag that moves', 'unknown', { tag: 'latest', history: [good('latest', sha('a'), sha('1'))] }],
  [
    'nor a history that contradicts itself',
    'unknown',
    { history: [good('v2', sha('b'), sha('2')), good('v2', sha('a'), sha('1'))] },
  ],
  ['a tag that moves is told by the registry', 'same', { tag: 'latest', meaning: { whole: sha('a'), parts: [] } }],
];
for (const [what, is, { tag = 'v2', meaning, history = [], digests = [sha('a')] }] of table) {
  test(`${is}: ${what}`, () => {
    const runs = image('web', tag, digests[0] ?? null, sha('1'));
    const question = { service: 'web', tag, repository: 'ghcr.io/acme/web', runs, digests, meaning, history };
    assert.equal(tagEvidence(question).is, is);
  });
}

test('the same tag of another repository is another thing', () => {
  const runs = image('web', 'v2', sha('a'), sha('1'));
  const history = [good('v2', sha('a'), sha('1'))];
  const question = { service: 'web', tag: 'v2', repository: 'ghcr.io/evil/web', runs, digests: [sha('a')], history };
  assert.equal(tagEvidence({ ...question, meaning: undefined }).is, 'unknown');
});
