import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lastGood } from '../../../shared/history/choice.ts';
import { importLegacy } from '../../../shared/history/legacy.ts';
import type { HistoryRecord } from '../../../shared/history/record.ts';
import { unite } from '../../../shared/history/union.ts';
import {
  parseTarget,
  referenceOf,
  type Target,
  type TargetContext,
  wantedRelease,
} from '../../../shared/releases/target.ts';
import { image, record, release } from '../history/records.ts';
import { digest, project, service, wantedImage } from './world.ts';

describe('the input', () => {
  const good: [text: string, target: Target][] = [
    ['v1.4.2', { kind: 'tag', tag: 'v1.4.2' }],
    ['latest', { kind: 'tag', tag: 'latest' }],
    ['20261125_020304', { kind: 'tag', tag: '20261125_020304' }],
    [digest('web:v2'), { kind: 'digest', digest: digest('web:v2') }],
    ['4711-1-0123abcd', { kind: 'record', id: '4711-1-0123abcd' }],
    ['web=v2', { kind: 'services', images: new Map([['web', { tag: 'v2' }]]) }],
    [
      ` web = v2 \r\n\napi=${digest('api:v2')}\n`,
      {
        kind: 'services',
        images: new Map<string, { tag: string } | { digest: string }>([
          ['web', { tag: 'v2' }],
          ['api', { digest: digest('api:v2') }],
        ]),
      },
    ],
    [
      'web=v2,api=v3,',
      {
        kind: 'services',
        images: new Map([
          ['web', { tag: 'v2' }],
          ['api', { tag: 'v3' }],
        ]),
      },
    ],
    ['__proto__=v2', { kind: 'services', images: new Map([['__proto__', { tag: 'v2' }]]) }],
  ];
  for (const [text, target] of good) {
    test(`${JSON.stringify(text.slice(0, 40))} is understood`, () => assert.deepEqual(parseTarget(text), target));
  }

  const bad = [
    'v1;reboot',
    '$(id)',
    '--privileged',
    'ghcr.io/evil/web:v1',
    'evil/web',
    'web=',
    '=v2',
    'web=v2\napi',
    'web=evil/web:v2',
    'web=v1;id',
    'a b=v2',
    'web:v2',
    `md5:${'0'.repeat(32)}`,
    '../x',
    'web=v2=v3',
    'v1\nv2',
  ];
  for (const text of bad) {
    test(`${JSON.stringify(text)} is refused`, () => {
      assert.throws(
        () => parseTarget(text),
        (error) =>
          error instanceof RangeError && /^(is|has|names) /.test(error.message) && !/evil|reboot/.test(error.message),
      );
    });
  }
});

const compose = project(
  service('web'),
  service('api'),
  service('cache', { image: 'redis:7' }),
  service('built', { image: null }),
  service('db', { image: 'ghcr.io/acme/postgres:15' }),
);

/** What is wanted, by service; the history is the host's, and the copies hold what they are given. */
function wantedOf(
  text: string | null,
  history: HistoryRecord[] = [],
  changes: Partial<TargetContext> = {},
  copies: HistoryRecord[] = [],
) {
  const databases = new Set(['db']);
  const running = release('web:v3', 'api:v3');
  const context: TargetContext = {
    project: compose,
    databases,
    history,
    entries: unite(history, [copies]),
    choice: lastGood({ records: history, environment: 'prod', running, ignored: databases }),
    services: null,
    registry: 'ghcr.io',
    ...changes,
  };
  const { images, ...others } = wantedRelease(text === null ? { kind: 'last-good' } : parseTarget(text), context);
  return { ...others, images: Object.fromEntries(images) };
}
const tag = (name: string) => ({ tag: name, digest: null, imageId: null });

describe('a tag', () => {
  test('is meant for every service whose image is at the registry, but for databases', () => {
    assert.deepEqual(wantedOf('v2').images, { web: tag('v2'), api: tag('v2') });
    assert.deepEqual(wantedOf('7', [], { registry: 'docker.io' }).images, { cache: tag('7') });
    assert.equal(wantedOf('v2').record, null);
    assert.equal(wantedOf('v2').source, 'the input "target"');
  });

  test('is meant for the services that are named', () => {
    assert.deepEqual(wantedOf('v2', [], { services: ['cache'] }).images, { cache: tag('v2') });
  });

  test('means what ran here under it, the last time, wherever it has gone since', () => {
    const first = record({ release: { web: { ...image('web:v2'), digest: digest('web:first') } } });
    const last = record({ release: { web: image('web:v2') } });
    const { images, source } = wantedOf('v2', [first, last]);
    assert.deepEqual(images, { web: wantedImage('web:v2'), api: tag('v2') });
    assert.equal(source, 'the input "target"; web as it ran here under that tag');
  });

  const elsewhere: [what: string, changes: Partial<HistoryRecord>][] = [
    ['another repository', { release: { web: { ...image('web:v2'), image: 'ghcr.io/evil/web:v2' } } }],
    ['another service', { release: { api: image('web:v2') } }],
    ['another tag', { release: release('web:v1') }],
    ['what was only tried', { release: release('web:v2'), status: 'failed' }],
    ['a drill', { release: release('web:v2'), event: 'drill' }],
    ['what has no image', { release: { web: { image: 'ghcr.io/acme/web:v2', ...tag('v2') } } }],
  ];
  for (const [what, changes] of elsewhere) {
    test(`does not mean ${what}`, () => assert.deepEqual(wantedOf('v2', [record(changes)]).images['web'], tag('v2')));
  }

  test('does not mean what only a copy tells of', () => {
    assert.deepEqual(wantedOf('v2', [], {}, [record({ release: release('web:v2') })]).images['web'], tag('v2'));
  });

  test('is refused where no service is at the registry', () => {
    assert.throws(() => wantedOf('v2', [], { registry: 'quay.io' }), { code: 'no-target', message: /quay\.io/ });
  });
});

describe('a digest, and services by name', () => {
  test('are taken as they are', () => {
    const exactly = { tag: null, digest: digest('web:v2'), imageId: null };
    assert.deepEqual(wantedOf(digest('web:v2'), [], { services: ['web'] }).images, { web: exactly });
    assert.deepEqual(wantedOf(`web=${digest('web:v2')}\ncache=6`).images, { web: exactly, cache: tag('6') });
    assert.deepEqual(wantedOf('web=v2,api=v1', [], { services: ['api'] }).images, { api: tag('v1') });
    assert.deepEqual(wantedOf('web=v2', [record({ release: release('web:v2') })]).images, {
      web: wantedImage('web:v2'),
    });
  });

  const refused: [what: string, text: string, services: string[] | null, code: string][] = [
    ['a service that compose does not have', 'gone=v2', null, 'unknown-service'],
    ['a service that every object has', 'constructor=v2', null, 'unknown-service'],
    ['the database', 'web=v2,db=v2', null, 'database-service'],
    ['the database, as one of the services', 'v2', ['web', 'db'], 'database-service'],
    ['an unknown one of the services', 'v2', ['gone'], 'unknown-service'],
  ];
  for (const [what, text, services, code] of refused) {
    test(`are refused with ${what}`, () => {
      assert.throws(() => wantedOf(text, [], { services }), { name: 'Failure', code });
    });
  }
});

describe('a record', () => {
  const before = record({
    id: '4711-1-0123abcd',
    event: 'deploy',
    release: release('web:v2', 'api:v1', 'db:14', 'old:v2'),
  });

  test('means each service as it ran then, without databases and without those that compose no longer has', () => {
    const { images, unknown, record: of, source } = wantedOf(before.id, [before]);
    assert.deepEqual(images, { web: wantedImage('web:v2'), api: wantedImage('api:v1') });
    assert.deepEqual(unknown, ['old']);
    assert.equal(of, before);
    assert.equal(source, `the record ${before.id} of the history on the host: deploy of ${before.at}`);
  });

  test('may be one that only a copy tells of, where it is named', () => {
    const { images, source } = wantedOf(before.id, [], {}, [before]);
    assert.deepEqual(images['web'], wantedImage('web:v2'));
    assert.match(source, /of a copy of the history, not on the host: deploy/);
  });

  test('is meant for the services that are named', () => {
    assert.deepEqual(wantedOf(before.id, [before], { services: ['api'] }).images, { api: wantedImage('api:v1') });
  });

  test('gives neither repository nor command', () => {
    const forged = { ...before, release: { web: { ...image('web:v2'), image: 'ghcr.io/evil/web:v2' } } };
    assert.doesNotMatch(JSON.stringify(wantedOf(before.id, [], {}, [forged]).images), /evil/);
  });

  test('that nobody knows is refused, with those that there are', () => {
    assert.throws(() => wantedOf('1-1-00000000', [before]), { code: 'record-unknown', hint: /4711-1-0123abcd/ });
    assert.throws(() => wantedOf('1-1-00000000'), { code: 'record-unknown', hint: /history is empty/ });
  });

  test("of the scripts' log is taken by its tags, where it is named", () => {
    const [legacy] = importLegacy('20261001_120000,v1,v2', 'prod');
    assert.ok(legacy !== undefined);
    const { images, unknown } = wantedOf(legacy.id, [legacy], { project: project(service('backend')) });
    assert.deepEqual(images, { backend: tag('v1') });
    assert.deepEqual(unknown, ['frontend']);
  });
});

describe('nothing named', () => {
  test('means the last good one, of the host alone', () => {
    const good = record({ verdict: 'good', event: 'check', release: release('web:v1', 'api:v3') });
    const newer = record({ verdict: 'good', release: release('web:v2', 'api:v3') });
    const { images, source } = wantedOf(null, [good], {}, [newer]);
    assert.deepEqual(images['web'], wantedImage('web:v1'));
    assert.equal(source, `the newest release that was found good and is not what runs: check of ${good.at}`);
  });

  test('is refused where there is none, with the records that there are', () => {
    const [legacy] = importLegacy('20261001_120000,v1,v2', 'prod');
    assert.ok(legacy !== undefined);
    assert.throws(() => wantedOf(null, [legacy], {}, [record()]), {
      code: 'no-target',
      message: /nothing to roll back to: none of the 1 records/,
      hint: new RegExp(`${legacy.id} \\(observed, unknown, ${legacy.at}\\)$`),
    });
    assert.throws(() => wantedOf(null), { code: 'no-target', message: /is empty/, hint: /the id of a record$/ });
  });
});

test('what is no reference is none', () => {
  assert.equal(referenceOf(null), null);
  assert.equal(referenceOf('ghcr.io/acme/web:$TAG'), null);
  assert.equal(referenceOf(''), null);
  assert.equal(referenceOf(`db.example:5000/a/web:v1@${digest('web:v1')}`)?.repository, 'db.example:5000/a/web');
});
