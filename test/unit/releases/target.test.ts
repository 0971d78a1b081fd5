import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../shared/failure.ts';
import type { HistoryRecord } from '../../../shared/history/record.ts';
import { parseTarget, type Target } from '../../../shared/plan/target.ts';
import { type TargetContext, wantedRelease } from '../../../shared/plan/wanted-release.ts';
import { image, record, sha, shop } from './shop.ts';

const parsed: [text: string, target: Target][] = [
  ['v1.4.2', { kind: 'tag', tag: 'v1.4.2' }],
  ['latest', { kind: 'tag', tag: 'latest' }],
  ['20261123', { kind: 'tag', tag: '20261123' }],
  [sha('a'), { kind: 'digest', digest: sha('a') }],
  ['1234567-1-0123abcd', { kind: 'record', id: '1234567-1-0123abcd' }],
  ['0-0-0123abcd', { kind: 'record', id: '0-0-0123abcd' }],
  ['1234567-1-0123abc', { kind: 'tag', tag: '1234567-1-0123abc' }],
  ['web=v1', { kind: 'services', images: new Map([['web', { tag: 'v1' }]]) }],
  [
    `\r\n web = v1 \r\n\r\napi=${sha('a')}\n`,
    {
      kind: 'services',
      images: new Map<string, { tag: string } | { digest: string }>([
        ['web', { tag: 'v1' }],
        ['api', { digest: sha('a') }],
      ]),
    },
  ],
  [
    'web=v1,api=v2',
    {
      kind: 'services',
      images: new Map([
        ['web', { tag: 'v1' }],
        ['api', { tag: 'v2' }],
      ]),
    },
  ],
];
for (const [text, target] of parsed) {
  test(`the target ${JSON.stringify(text)} is understood`, () => assert.deepEqual(parseTarget(text), target));
}

const refused: [text: string, why: RegExp][] = [
  ['', /^is not a tag/],
  ['ghcr.io/acme/web:v1', /^is not a tag/],
  ['v1; rm -rf /', /^is not a tag/],
  ['$(id)', /^is not a tag/],
  ['.hidden', /^is not a tag/],
  ['sha256:abc', /^is not a tag/],
  ['v'.repeat(129), /^is not a tag/],
  ['web=', /^gives neither a tag nor a digest for web$/],
  ['web=$(id)', /^gives neither a tag nor a digest for web$/],
  ['web=ghcr.io/evil/web:v1', /^gives neither/],
  ['=v1', /^has a line that is not service=tag$/],
  ['web=v1\nv2', /^has a line that is not service=tag$/],
  ['$(id)=v1', /^has a line that is not service=tag$/],
  ['web=v1\napi=v1\nweb=v2', /^names web twice$/],
];
for (const [text, why] of refused) {
  test(`the target ${JSON.stringify(text.slice(0, 40))} is refused`, () => {
    assert.throws(
      () => parseTarget(text),
      (error) => error instanceof RangeError && why.test(error.message) && !/\$|evil/.test(error.message),
    );
  });
}

function context(changes: Partial<TargetContext> = {}): TargetContext {
  return {
    project: shop(),
    databases: new Set(['db']),
    history: [],
    entries: [],
    verdicts: [],
    images: [],
    choice: { record: null, why: 'the history on the host has no record of' },
    services: null,
    registry: 'ghcr.io',
    ...changes,
  };
}

/** The services that are spoken of, and what is wanted of them. */
function wantedOf(target: string, changes: Partial<TargetContext> = {}) {
  return Object.fromEntries(wantedRelease(parseTarget(target), context(changes)).images);
}

const v1 = { tag: 'v1', digest: null, imageId: null };

test('a bare tag is for the services of the registry, or for those that are named', () => {
  assert.deepEqual(wantedOf('v1'), { web: v1, api: v1 });
  assert.deepEqual(wantedOf('v1', { services: ['web'] }), { web: v1 });
  assert.deepEqual(wantedOf('v1', { services: ['proxy'] }), { proxy: v1 });
  assert.deepEqual(wantedOf('1.26', { registry: 'docker.io' }), { proxy: { ...v1, tag: '1.26' } });
  const unset = shop({ web: { image: 'ghcr.io/acme/web:' }, api: { image: null } });
  assert.throws(() => wantedOf('v1', { project: unset }), isFailure('no-target', /registry/));
});

test('so is a bare digest; it names no tag', () => {
  const digest = { tag: null, digest: sha('9'), imageId: null };
  assert.deepEqual(wantedOf(sha('9')), { web: digest, api: digest });
});

test('each service may have its own, and "services" picks among them', () => {
  const target = `web=v1\nproxy=${sha('9')}`;
  const proxy = { tag: null, digest: sha('9'), imageId: null };
  assert.deepEqual(wantedOf(target), { web: v1, proxy });
  assert.deepEqual(wantedOf(target, { services: ['web', 'api'] }), { web: v1 });
  assert.throws(() => wantedOf(target, { services: ['api'] }), isFailure('no-target', /correct "services"/));
});

const earlier = (changes: Partial<HistoryRecord>, digest: string, repository = 'ghcr.io/acme/web') =>
  record({
    release: { web: { image: `${repository}:v1`, tag: 'v1', digest, imageId: sha('8') } },
    ...changes,
  });

test('a tag is what ran here under it last, wherever it points by now', () => {
  const history = [earlier({}, sha('6')), earlier({}, sha('7')), record()];
  const found = wantedRelease({ kind: 'tag', tag: 'v1' }, context({ history }));
  assert.deepEqual(Object.fromEntries(found.images), {
    web: { tag: 'v1', digest: sha('7'), imageId: sha('8') },
    api: v1,
  });
  assert.equal(found.source, 'set by the input "target"; for web the image that last ran here under that tag');
  assert.equal(found.record, null);
});

test('it is not what never ran here, nor what another repository calls so, nor what a copy tells', () => {
  const strangers = [
    earlier({}, sha('7'), 'ghcr.io/evil/web'),
    earlier({}, sha('7'), 'evil.example/acme/web'),
    earlier({ status: 'failed' }, sha('7')),
    earlier({ status: 'reverted' }, sha('7')),
    earlier({ event: 'drill' }, sha('7')),
    record({ release: { api: image('web', 'v1', sha('7'), sha('8')) } }),
    record({ release: { web: { image: sha('8'), tag: null, digest: null, imageId: sha('8') } } }),
    record({ release: { web: image('web', 'v1', null, null) } }),
  ];
  for (const stranger of strangers) assert.deepEqual(wantedOf('v1', { history: [stranger] }), { web: v1, api: v1 });
  const entries = [{ record: earlier({}, sha('7')), source: 'mirror' as const }];
  assert.deepEqual(wantedOf('v1', { entries }), { web: v1, api: v1 });
});

test('the last good release is that of the choice, without databases and without what compose lacks', () => {
  const release = {
    ...record().release,
    db: { image: 'postgres:16', tag: '16', digest: sha('1'), imageId: sha('1') },
    gone: image('gone', 'v2', sha('1'), sha('1')),
  };
  const chosen = record({ release });
  const why = 'the newest release that was found good and is not running now';
  const found = wantedRelease({ kind: 'last-good' }, context({ choice: { record: chosen, why } }));
  assert.deepEqual(Object.fromEntries(found.images), {
    api: { tag: 'v2', digest: sha('c'), imageId: sha('2') },
    web: { tag: 'v2', digest: sha('c'), imageId: sha('2') },
  });
  assert.deepEqual(found.unknown, ['gone']);
  assert.equal(found.record, chosen);
  assert.equal(found.source, `${why}: deploy of 2026-11-20T12:00:00Z`);
});

test('the repository of a record is not asked for', () => {
  const release = { web: { image: 'evil.example/miner:v2', tag: 'v2', digest: sha('c'), imageId: null } };
  assert.deepEqual(wantedOf(record().id, { entries: [{ record: record({ release }), source: 'host' }] }), {
    web: { tag: 'v2', digest: sha('c'), imageId: null },
  });
});

test('a record is found by its id; that of a copy says nothing of images on this host', () => {
  const source = (from: 'host' | 'mirror') =>
    wantedRelease({ kind: 'record', id: record().id }, context({ entries: [{ record: record(), source: from }] }));
  assert.equal(source('host').images.get('web')?.imageId, sha('2'));
  assert.match(source('host').source, /in the history on the host/);
  assert.equal(source('mirror').images.get('web')?.imageId, null);
  assert.equal(source('mirror').images.get('web')?.digest, sha('c'));
  assert.match(source('mirror').source, /in a copy of the history \(the host does not have it\)/);
});

const failures: [target: string, changes: Partial<TargetContext>, code: string, hint: RegExp][] = [
  ['nobody=v1', {}, 'unknown-service', /It has: web, proxy, db, api/],
  ['v1', { services: ['web', 'nobody'] }, 'unknown-service', /It has: web/],
  ['db=16', {}, 'database-service', /restore a backup/],
  ['v1', { services: ['db'] }, 'database-service', /Leave it out/],
  ['v1', { registry: 'quay.io' }, 'no-target', /"registry"/],
  ['7-1-00000009', {}, 'record-unknown', /history is empty/],
  [
    '7-1-00000009',
    { entries: [{ record: record(), source: 'host' }] },
    'record-unknown',
    /The newest are: 7-1-00000001$/,
  ],
  [
    '7-1-00000001',
    { entries: [{ record: record(), source: 'host' }], services: ['proxy'] },
    'no-target',
    /correct "services"/,
  ],
];
for (const [target, changes, code, hint] of failures) {
  test(`${target} is refused as ${code}: ${hint.source}`, () => {
    assert.throws(() => wantedOf(target, changes), isFailure(code, hint));
  });
}

test('where there is nothing to roll back to, the history and how to name a release are told', () => {
  const lastGood = (records: HistoryRecord[], source: 'host' | 'mirror' = 'host') => {
    const entries = records.map((each) => ({ record: each, source }));
    return () =>
      wantedRelease({ kind: 'last-good' }, context({ entries, choice: { record: null, why: 'all were bad' } }));
  };
  assert.throws(lastGood([]), isFailure('no-target', /Set "target" to a tag, or to the id/));
  const history = [...Array(7).keys()].map((n) => record({ id: `7-1-0000000${n}`, verdict: 'bad' }));
  assert.throws(lastGood(history), isFailure('no-target', /: 7-1-00000002 \(deploy, bad, .*7-1-00000006/));
  // A copy's verdict is nobody's proof.
  assert.throws(lastGood(history, 'mirror'), isFailure('no-target', /: 7-1-00000002 \(deploy, from a copy, /));
});

function isFailure(code: string, hint: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, code);
    assert.match(error.hint ?? '', hint);
    return true;
  };
}

test('a tag that never ran here is known by the image that it names on the host', () => {
  const bad = record({ release: { web: image('web', 'latest', sha('c'), sha('2')) }, verdict: 'bad' });
  const known = (...repoTags: string[]) => {
    const images = [{ id: sha('2'), repoTags, repoDigests: [`ghcr.io/acme/web@${sha('c')}`] }];
    return wantedRelease(parseTarget('web=v2'), context({ verdicts: [bad], images })).knownBad;
  };
  assert.match(known('ghcr.io/acme/web:v2')?.text ?? '', /^web v2 was found bad/);
  assert.equal(known('ghcr.io/acme/web:v7'), null);
  assert.equal(known('ghcr.io/evil/web:v2'), null);
});
