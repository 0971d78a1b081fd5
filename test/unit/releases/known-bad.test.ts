import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../../shared/failure.ts';
import type { HistoryRecord } from '../../../shared/history/record.ts';
import { knownBad, refuseKnownBad } from '../../../shared/plan/known-bad.ts';
import { parseTarget } from '../../../shared/plan/target.ts';
import type { WantedImage } from '../../../shared/plan/target-image.ts';
import { image, record, sha, wanted } from './shop.ts';

const v1 = { web: image('web', 'v1', sha('a'), sha('1')) };
const v2 = { web: image('web', 'v2', sha('b'), sha('2')) };
const deployed = (release: HistoryRecord['release'], verdict: HistoryRecord['verdict'], id = '7-1-00000001') =>
  record({ release, verdict, id });
const backTo = (
  release: HistoryRecord['release'],
  previous: HistoryRecord['release'],
  status: HistoryRecord['status'] = 'succeeded',
) =>
  record({
    event: 'rollback',
    status,
    release,
    previous,
    verdict: status === 'succeeded' ? 'good' : 'bad',
    id: '7-1-00000009',
  });

const tag = (name: string): WantedImage => ({ tag: name, digest: null, imageId: null });
const digest = (digit: string): WantedImage => ({ tag: null, digest: sha(digit), imageId: null });
const known = (images: Record<string, WantedImage>, ...records: HistoryRecord[]) =>
  knownBad(new Map(Object.entries(images)), records, new Set(['db']), (service) => `ghcr.io/acme/${service}`);

describe('a target is known to be bad', () => {
  const table: [what: string, images: Record<string, WantedImage>, records: HistoryRecord[], text: RegExp | null][] = [
    ['nothing is known', { web: tag('v2') }, [], null],
    ['it was found good', { web: tag('v2') }, [deployed(v2, 'good')], null],
    ['it was only seen', { web: tag('v2') }, [deployed(v2, 'unknown')], null],
    [
      'it was found bad',
      { web: tag('v2') },
      [deployed(v2, 'bad')],
      /^web v2 was found bad at 2026.*\(deploy, record 7-1-00000001\)$/,
    ],
    ['by digest', { web: digest('b') }, [deployed(v2, 'bad')], /^web bbbbbbbbbbbb was found bad/],
    ['another digest', { web: digest('c') }, [deployed(v2, 'bad')], null],
    ['the tag was built anew', { web: { ...digest('c'), tag: 'v2' } }, [deployed(v2, 'bad')], null],
    ['it was good again', { web: tag('v2') }, [deployed(v2, 'bad'), deployed(v2, 'good')], null],
    ['it was bad again', { web: tag('v2') }, [deployed(v2, 'good'), deployed(v2, 'bad')], /found bad/],
    [
      'it was rolled back from',
      { web: tag('v2') },
      [deployed(v2, 'good'), backTo(v1, v2)],
      /^web v2 was rolled back from at .*7-1-00000009/,
    ],
    ['what was gone back to', { web: tag('v1') }, [deployed(v1, 'bad'), backTo(v1, v2)], null],
    [
      'a rollback to it failed',
      { web: tag('v1') },
      [deployed(v1, 'good'), backTo(v1, v2, 'reverted')],
      /^web v1 was found bad at .*\(rollback/,
    ],
    [
      'mended, without an id',
      { web: tag('v2') },
      [deployed({ web: { ...v2.web, imageId: null } }, 'bad')],
      /found bad/,
    ],
    [
      'mended, with nothing but a tag',
      { web: tag('v2') },
      [deployed({ web: { ...v2.web, imageId: null, digest: null } }, 'bad')],
      /found bad/,
    ],
    [
      'the same tag elsewhere',
      { web: tag('v2') },
      [deployed({ web: { ...v2.web, image: 'ghcr.io/evil/web:v2' } }, 'bad')],
      null,
    ],
    [
      'a tag that moves says nothing',
      { web: tag('latest') },
      [deployed({ web: image('web', 'latest', sha('b'), null) }, 'bad')],
      null,
    ],
    [
      'the database does not count',
      { db: tag('16') },
      [deployed({ db: image('db', '16', sha('b'), null) }, 'bad')],
      null,
    ],
    ['a part of it was bad', { web: tag('v2'), api: tag('v2') }, [deployed(v2, 'bad')], /^web v2 was found bad/],
    [
      'both together were good later',
      { web: tag('v2'), api: tag('v2') },
      [deployed(v2, 'bad'), deployed({ ...v2, api: image('api', 'v2', sha('d'), null) }, 'good')],
      null,
    ],
  ];
  for (const [what, images, records, text] of table) {
    test(what, () => {
      const bad = known(images, ...records);
      if (text === null) assert.equal(bad, null);
      else assert.match(bad?.text ?? '', text);
    });
  }

  test('and the id of its own record is told, not that of the rollback from it', () => {
    assert.equal(known({ web: tag('v2') }, deployed(v2, 'good'), backTo(v1, v2))?.id, '7-1-00000001');
    assert.equal(known({ web: tag('v2'), api: tag('v9') }, deployed(v2, 'bad'))?.id, null);
  });
});

describe('a second word is needed', () => {
  const bad = wanted(
    { web: tag('v2') },
    { knownBad: { text: 'web v2 was found bad', id: '7-1-00000001', wasFound: true } },
  );
  for (const target of ['v2', sha('b'), 'web=v2']) {
    test(`for ${target}`, () => {
      const parsed = parseTarget(target);
      assert.throws(
        () => refuseKnownBad(bad, parsed, null),
        (error) =>
          error instanceof Failure &&
          error.code === 'target-bad' &&
          /"target": 7-1-00000001; .*services: web$/.test(error.hint ?? ''),
      );
      refuseKnownBad(bad, parsed, ['web']);
      refuseKnownBad({ ...bad, knownBad: null }, parsed, null);
    });
  }

  test('not if somebody has only rolled back from it: that is told, and may well be wanted', () => {
    const left = known({ web: tag('v2') }, deployed(v2, 'good'), backTo(v1, v2));
    assert.equal(left?.wasFound, false);
    refuseKnownBad({ ...bad, knownBad: left }, parseTarget('v2'), null);
    assert.equal(known({ web: tag('v2') }, deployed(v2, 'bad'), backTo(v1, v2))?.wasFound, true);
    assert.equal(known({ web: tag('v2') }, deployed(v2, 'bad'), deployed(v2, 'good'), backTo(v1, v2))?.wasFound, false);
  });

  test('but the id of a record is one', () => refuseKnownBad(bad, parseTarget('7-1-00000001'), null));
});
