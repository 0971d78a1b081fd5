import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeNearly, pairedSet, setsOfTarget, targetImages } from '../../../shared/plan/paired-set.ts';
import type { Release, RunningImage } from '../../../shared/releases/release.ts';
import type { BackupSet, VerifiedSet } from '../../../shared/sets/catalogue.ts';
import type { BackupKind, Manifest } from '../../../shared/sets/manifest.ts';
import { exampleManifest } from '../retention/host-folder.ts';
import { image, sha } from './shop.ts';

const db: Release = { db: { image: 'postgres:17', tag: '17', digest: sha('d'), imageId: sha('4') } };
const v1: Release = { api: image('api', 'v1', sha('a'), sha('1')), web: image('web', 'v1', sha('b'), sha('2')) };
const v2: Release = { api: image('api', 'v2', sha('c'), sha('3')), web: image('web', 'v2', sha('e'), sha('5')) };

function set(
  id: string,
  release: Release,
  kind: BackupKind = 'predeployment',
  changes: Partial<Manifest> = {},
): VerifiedSet {
  const manifest = exampleManifest(id, { kind, release: { ...db, ...release }, ...changes });
  return { state: 'verified', id, database: manifest.database, manifest, folders: ['daily'] };
}

function broken(id: string, release: Release): BackupSet {
  return { ...set(id, release), state: 'broken', reason: 'its dump is missing' };
}

const only = (of: string, changes: Partial<RunningImage>): Release => ({
  [of]: { image: `ghcr.io/acme/${of}:v1`, tag: 'v1', digest: null, imageId: null, ...changes },
});

const pair = (target: Release, sets: readonly BackupSet[]) =>
  pairedSet({ sets, database: 'app', environment: 'prod', target: new Map(Object.entries(target)) });

describe('the set that belongs to a release', () => {
  const table: [what: string, target: Release, sets: readonly BackupSet[], id: string | null, nearly: RegExp[]][] = [
    [
      'taken just before the release that replaced it',
      v1,
      [set('20261127_100000', v2), set('20261125_100000', v1), set('20261124_100000', v1)],
      '20261125_100000',
      [],
    ],
    [
      'a later nightly of another release does not matter',
      v1,
      [set('20261127_020000', v2, 'scheduled'), set('20261125_100000', v1)],
      '20261125_100000',
      [],
    ],
    ['nothing is there', v1, [], null, []],
    [
      'only a nightly was taken while it ran',
      v1,
      [set('20261127_100000', v2), set('20261125_020000', v1, 'scheduled'), set('20261124_020000', v1, 'prerollback')],
      null,
      [
        /^20261125_020000, 2 days old: scheduled, taken while the target ran, but not before a deployment$/,
        /^20261124_020000, 3 days old: prerollback, taken while/,
      ],
    ],
    [
      'it is broken',
      v1,
      [broken('20261127_090000', v1)],
      null,
      [/^20261127_090000, 3 h 00 min old: taken before a deployment, but it is broken: its dump is missing$/],
    ],
    ['of another database', v1, [set('20261125_100000', v1, 'predeployment', { database: 'other' })], null, []],
    [
      'of another environment',
      v1,
      [set('20261125_100000', v1, 'predeployment', { environment: 'staging' })],
      null,
      [/of the environment staging$/],
    ],
    [
      'one service ran something else',
      v1,
      [set('20261125_100000', { ...v1, web: image('web', 'v2', sha('e'), sha('5')) })],
      null,
      [/: of api the target's image, but web ran v2$/],
    ],
    [
      'an untouched service ran something else',
      { web: image('web', 'v1', sha('b'), sha('2')) },
      [set('20261125_100000', { ...v1, mail: image('mail', 'v9', sha('f'), sha('6')) })],
      '20261125_100000',
      [],
    ],
    [
      'the manifest does not know a service',
      { ...v1, migrate: image('migrate', 'v1', sha('f'), sha('6')) },
      [set('20261125_100000', v1)],
      '20261125_100000',
      [],
    ],
    ['no service is known to both', { mail: image('mail', 'v1', null, null) }, [set('20261125_100000', v1)], null, []],
    // The image was built anew under the same tag.
    [
      'the digest decides, not the tag',
      only('web', { digest: sha('9') }),
      [set('20261125_100000', only('web', { digest: sha('8') }))],
      null,
      [],
    ],
    [
      'the id, if one side has no digest',
      only('web', { imageId: sha('2') }),
      [set('20261125_100000', only('web', { imageId: sha('2'), digest: sha('8') }))],
      '20261125_100000',
      [],
    ],
    [
      'another id',
      only('web', { imageId: sha('2') }),
      [set('20261125_100000', only('web', { imageId: sha('3') }))],
      null,
      [],
    ],
    [
      'the tag, if nothing else is known',
      only('web', {}),
      [set('20261125_100000', only('web', { imageId: sha('3'), digest: sha('8') }))],
      '20261125_100000',
      [],
    ],
    [
      'the tag of another repository',
      only('web', {}),
      [set('20261125_100000', only('web', { image: 'ghcr.io/other/web:v1' }))],
      null,
      [],
    ],
    [
      'a tag that moves',
      { ...only('web', { image: 'ghcr.io/acme/web:latest', tag: 'latest' }), ...only('api', {}) },
      [
        set('20261125_100000', {
          ...only('web', { image: 'ghcr.io/acme/web:latest', tag: 'latest', imageId: sha('3') }),
          ...only('api', {}),
        }),
      ],
      null,
      [/but web ran latest, a tag that moves, so which image that was cannot be told$/],
    ],
    [
      'a service with a name that every object has',
      { constructor: image('web', 'v1', sha('b'), null) } as unknown as Release,
      [set('20261125_100000', v1)],
      null,
      [],
    ],
    ['the target covers nothing', {}, [set('20261125_100000', v1)], null, []],
  ];
  for (const [what, target, sets, id, nearly] of table) {
    test(what, () => {
      const pairing = pair(target, sets);
      assert.equal(pairing.set?.id ?? null, id);
      const told = pairing.set === null ? describeNearly(pairing.nearly, new Date('2026-11-27T12:00:00Z')) : [];
      assert.equal(told.length, nearly.length, told.join('\n'));
      for (const [at, line] of told.entries()) assert.match(line, nearly[at] ?? /never/);
    });
  }

  test('says why there is none', () => {
    const whyOf = (target: Release, sets: readonly BackupSet[]) => {
      const pairing = pair(target, sets);
      return pairing.set === null ? pairing.why : null;
    };
    assert.match(whyOf({}, [set('20261125_100000', v1)]) ?? '', /covers no service/);
    assert.match(whyOf(v1, [set('20261125_100000', v1, 'scheduled')]) ?? '', /is no backup that was taken before/);
    assert.match(whyOf(v1, [set('20261125_100000', v2)]) ?? '', /^the only backup/);
  });

  test('tells what was taken later while the target ran, and what it does not know', () => {
    const pairing = pair({ ...v1, migrate: image('migrate', 'v1', null, null) }, [
      set('20261127_020000', v2, 'scheduled'),
      set('20261126_020000', v1, 'scheduled'),
      set('20261125_100000', v1),
      set('20261125_020000', v1, 'scheduled'),
    ]);
    assert(pairing.set !== null);
    assert.deepEqual(
      pairing.later.map(({ id }) => id),
      ['20261126_020000'],
    );
    assert.deepEqual(pairing.unknown, ['migrate']);
  });

  test('of any kind, the newest first', () => {
    const target = new Map(Object.entries(v1));
    const sets = [
      set('20261127_020000', v2, 'scheduled'),
      set('20261126_020000', v1, 'scheduled'),
      broken('20261125_120000', v1),
      set('20261125_100000', v1),
    ];
    assert.deepEqual(
      setsOfTarget({ sets, database: 'app', environment: 'prod', target }).map(({ id }) => id),
      ['20261126_020000', '20261125_100000'],
    );
  });

  test('only the services that the target covers count', () => {
    const to = { ...db, ...v1, cache: image('redis', '7', null, sha('7')) };
    const images = new Map(
      ['web', 'db', 'cache'].map((service) => [service, { tag: 'v1', digest: null, imageId: null }]),
    );
    assert.deepEqual([...targetImages({ to }, { images }, new Set(['db', 'cache'])).keys()], ['web']);
  });
});
