import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Plan, type PlanRequest, planRollback } from '../../../shared/releases/plan.ts';
import { fromIn, planText, toIn } from '../../../shared/releases/plan-text.ts';
import { hex, image, record, release } from '../history/records.ts';
import {
  container,
  digest,
  imageId,
  local,
  planRequest,
  project,
  service,
  wanted,
  wantedImage,
  wantedImages,
} from './world.ts';

const plan = (changes: Partial<PlanRequest> = {}): Plan => planRollback(planRequest(changes));
const names = ({ services }: Plan) => services.map((step) => step.service);
const stepOf = (changes: Partial<PlanRequest>, name = 'web') =>
  plan(changes).services.find((step) => step.service === name) ?? assert.fail(`${name} is not swapped`);
const notes = (changes: Partial<PlanRequest>) => plan(changes).notes.map(({ level, text }) => `${level}: ${text}`);
/** The project with a change to the website alone. */
const withWeb = (changes: Parameters<typeof service>[1]) =>
  project(service('web', changes), service('api'), service('db', { image: 'postgres:15' }));

describe('what is swapped', () => {
  test('each service that runs another image than the target, and never the database', () => {
    const { services, leftAlone, from, to, project: name } = plan();
    assert.equal(name, 'shop');
    assert.deepEqual(
      services.map(({ service: each, fromImage, toImage, pull, localImage, onlyHere }) => ({
        each,
        from: fromImage.imageId,
        toImage,
        pull,
        localImage,
        onlyHere,
      })),
      ['api', 'web'].map((each) => ({
        each,
        from: imageId(`${each}:v3`),
        toImage: {
          image: `ghcr.io/acme/${each}:v2@${digest(`${each}:v2`)}`,
          tag: 'v2',
          digest: digest(`${each}:v2`),
          imageId: imageId(`${each}:v2`),
        },
        pull: null,
        localImage: imageId(`${each}:v2`),
        onlyHere: false,
      })),
    );
    assert.deepEqual(leftAlone, [{ service: 'db', why: 'it is the database' }]);
    assert.deepEqual(Object.keys(from), ['api', 'db', 'web']);
    assert.deepEqual(to, { ...from, api: services[0]?.toImage, web: services[1]?.toImage });
  });

  test('the database is not touched, even where the target names it', () => {
    assert.deepEqual(names(plan({ wanted: wanted('db:14', 'web:v2') })), ['web']);
  });

  const alone: [what: string, changes: Partial<PlanRequest>, why: RegExp][] = [
    ['the target does not speak of', { wanted: wanted('api:v2') }, /does not speak of it/],
    ['runs the target already', { wanted: wanted('web:v3', 'api:v2') }, /runs the target already/],
    ['has no container', { containers: [container('api:v3')] }, /not running/],
    [
      'is to be something unknown',
      { wanted: wantedImages({ web: { tag: null, digest: null, imageId: null } }) },
      /does not say which image/,
    ],
  ];
  for (const [what, changes, why] of alone) {
    test(`a service is left alone that ${what}`, () => {
      const { leftAlone, services } = plan(changes);
      assert.match(leftAlone.find((each) => each.service === 'web')?.why ?? '', why);
      assert.ok(!services.some((step) => step.service === 'web'));
    });
  }

  test('a service with a container of another image is swapped whole', () => {
    const containers = [container('web:v2', { created: '2026-11-21T10:00:00Z' }), container('web:v3', { number: '2' })];
    assert.deepEqual(names(plan({ containers, wanted: wanted('web:v2') })), ['web']);
  });

  test('a service is named as compose has it, whatever every object has under that name', () => {
    const { leftAlone } = plan({
      project: project(service('constructor')),
      wanted: wanted('constructor:v2'),
      running: {},
    });
    assert.match(leftAlone[0]?.why ?? '', /not running/);
  });

  test('two services that share an image go together', () => {
    const two = project(service('web'), service('worker', { image: 'ghcr.io/acme/web:latest' }));
    const { services } = plan({
      project: two,
      containers: [container('web:v3'), container('worker:v3', { imageId: imageId('web:v3') })],
      wanted: wantedImages({ web: wantedImage('web:v2'), worker: wantedImage('web:v2') }),
    });
    assert.deepEqual(
      services.map(({ toImage }) => toImage.digest),
      [digest('web:v2'), digest('web:v2')],
    );
  });

  const inTheWay: [what: string, changes: Partial<PlanRequest>, says: RegExp][] = [
    ['shares the network of another', { project: withWeb({ sharesWith: ['api'] }) }, /web shares .* of api/],
    [
      'lends its own to another',
      { project: project(service('web'), service('log', { sharesWith: ['web'] })) },
      /log shares .* of web/,
    ],
    ['has no usable reference', { project: withWeb({ image: 'ghcr.io/acme/web:' }) }, /web has no image reference/],
    ['is only built', { project: withWeb({ image: null }) }, /web has no image reference/],
  ];
  for (const [what, changes, says] of inTheWay) {
    test(`a service is refused that ${what}`, () => {
      assert.throws(() => plan({ wanted: wanted('web:v2'), ...changes }), { code: 'cannot-swap', message: says });
      // It is in nobody's way where it stays as it is.
      assert.doesNotThrow(() => plan({ wanted: wanted('api:v3'), ...changes }));
    });
  }
});

describe('the image', () => {
  const without = (...gone: string[]) => planRequest().images.filter(({ id }) => !gone.map(imageId).includes(id));

  test('that is not on the host is pulled by its digest', () => {
    const { pull, localImage, toImage, onlyHere } = stepOf({ images: without('web:v2') });
    assert.equal(pull, `ghcr.io/acme/web@${digest('web:v2')}`);
    assert.equal(localImage, null);
    assert.equal(toImage.imageId, null);
    assert.equal(toImage.image, `ghcr.io/acme/web:v2@${digest('web:v2')}`);
    assert.equal(onlyHere, false);
  });

  test('of which only the tag is known is pulled by that, whatever the tag is here', () => {
    const { pull, toImage, toName, onlyHere } = stepOf({
      wanted: wantedImages({ web: { tag: 'v2', digest: null, imageId: null } }),
    });
    assert.equal(pull, 'ghcr.io/acme/web:v2');
    assert.equal(onlyHere, false);
    assert.deepEqual(toImage, { image: 'ghcr.io/acme/web:v2', tag: 'v2', digest: null, imageId: null });
    assert.equal(toName, 'v2');
  });

  test('comes from the repository of the compose file alone', () => {
    const compose = withWeb({ image: 'db.example:5000/team/web:latest' });
    const target = wantedImages({ web: { tag: 'v2', digest: digest('web:v2'), imageId: null } });
    const { pull, toImage } = stepOf({ project: compose, wanted: target });
    assert.equal(pull, `db.example:5000/team/web@${digest('web:v2')}`, 'that of another repository is no proof');
    assert.equal(toImage.image, `db.example:5000/team/web:v2@${digest('web:v2')}`);
    assert.equal(
      stepOf({ project: withWeb({ image: 'web' }), wanted: target }).pull,
      `docker.io/library/web@${digest('web:v2')}`,
    );
  });

  test('that was only built here is found by its id, and is said to exist only here', () => {
    const built = local('web:v2', { repoDigests: [] });
    const target = wantedImages({ web: { tag: 'v2', digest: null, imageId: imageId('web:v2') } });
    const images = [...without('web:v2'), built];
    const { pull, localImage, onlyHere, toImage } = stepOf({ images, wanted: target });
    assert.deepEqual([pull, localImage, onlyHere], [null, imageId('web:v2'), true]);
    assert.equal(toImage.image, 'ghcr.io/acme/web:v2');
    assert.ok(
      notes({ images, wanted: target }).includes(
        'warning: The target of web is in no registry as far as this host knows: it exists only here',
      ),
    );
  });

  test('that was pushed since then is known by its digest', () => {
    const target = wantedImages({ web: { tag: 'v2', digest: null, imageId: imageId('web:v2') } });
    const { onlyHere, toImage } = stepOf({ wanted: target });
    assert.equal(onlyHere, false);
    assert.equal(toImage.digest, digest('web:v2'));
  });

  test('is found by its digest first: with another store of Docker it has another id', () => {
    const target = wantedImages({ web: { tag: 'v2', digest: digest('web:v2'), imageId: imageId('api:v2') } });
    assert.equal(stepOf({ wanted: target }).localImage, imageId('web:v2'));
  });

  test('that was only built here and is gone is refused', () => {
    const target = wantedImages({ web: { tag: null, digest: null, imageId: imageId('web:v1') } });
    assert.throws(() => plan({ wanted: target }), { code: 'image-missing', message: /web/ });
  });

  test('is called by a tag that people gave it, not by the one that moves', () => {
    assert.deepEqual([stepOf({}).fromName, stepOf({}).toName], ['v3', 'v2']);
    const images = [
      local('web:v3', { repoTags: ['ghcr.io/acme/web:latest'] }),
      local('web:v2', {
        repoTags: [
          'ghcr.io/other/web:a',
          'ghcr.io/acme/web:v2-rc',
          'ghcr.io/acme/web:latest',
          'ghcr.io/acme/web:v2',
          '<none>:<none>',
        ],
      }),
    ];
    const step = stepOf({ images });
    assert.deepEqual([step.fromName, step.toName], ['latest', 'v2']);
  });
});

describe('what a swap needs to know', () => {
  test('the name that is fixed, and the reference that is to point at the target', () => {
    const step = stepOf({ project: withWeb({ containerName: 'shop-web', image: 'ghcr.io/acme/web:latest' }) });
    assert.equal(step.fixedName, 'shop-web');
    assert.equal(step.retag, 'ghcr.io/acme/web:latest');
    assert.equal(stepOf({ persist: 'none' }).retag, null);
    assert.equal(stepOf({ project: withWeb({ image: 'ghcr.io/acme/web' }) }).retag, 'ghcr.io/acme/web');
    assert.equal(stepOf({ project: withWeb({ image: `ghcr.io/acme/web@${digest('web:v3')}` }) }).retag, null);
    assert.equal(stepOf({ project: withWeb({ image: `ghcr.io/acme/web:v3@${digest('web:v3')}` }) }).retag, null);
  });

  const braced = (before: string, variable: string, after = '') => `${before}$\{${variable}}${after}`;
  const templates: [template: string | null, variable: string | null][] = [
    ['ghcr.io/acme/web:$TAG', 'TAG'],
    [braced('ghcr.io/acme/web:', 'TAG'), 'TAG'],
    [braced('ghcr.io/acme/web:', 'TAG:-latest'), 'TAG'],
    [braced('ghcr.io/acme/web:', 'TAG?which'), 'TAG'],
    ['localhost:5000/web:$WEB_TAG', 'WEB_TAG'],
    ['ghcr.io/acme/web:v$TAG', null],
    [braced('ghcr.io/acme/web:', 'TAG', '-alpine'), null],
    ['ghcr.io/acme/web:$$TAG', null],
    ['ghcr.io/acme/web:$OTHER', null],
    ['$REPOSITORY', null],
    ['localhost:$TAG/web', null],
    ['ghcr.io/acme/web:latest', null],
    [null, null],
  ];
  for (const [imageTemplate, variable] of templates) {
    test(`${imageTemplate}: ${variable === null ? 'no line' : `the line of ${variable}`}`, () => {
      const step = stepOf({ project: withWeb({ imageTemplate }), envNames: ['TAG', 'WEB_TAG'] });
      assert.deepEqual(step.envLine, variable === null ? null : { variable, value: 'v2' });
    });
  }

  test('without an env file or a tag there is no line', () => {
    const compose = withWeb({ imageTemplate: 'web:$TAG' });
    assert.equal(stepOf({ project: compose, envNames: null }).envLine, null);
    const byDigest = wantedImages({ web: { tag: null, digest: digest('web:v2'), imageId: null } });
    assert.equal(stepOf({ project: compose, envNames: ['TAG'], wanted: byDigest }).envLine, null);
  });

  test('whether it can be proven, and how long its test may take', () => {
    const containers = (changes: Parameters<typeof container>[1]) => [
      container('web:v3'),
      container('web:v3', { number: '2', ...changes }),
    ];
    assert.deepEqual([stepOf({}).proven, stepOf({}).healthIntervalMs], [true, 10_000]);
    assert.equal(stepOf({ containers: containers({ healthInterval: 60e9 }) }).healthIntervalMs, 60_000);
    assert.equal(stepOf({ containers: containers({ healthInterval: 0 }) }).healthIntervalMs, 30_000);
    const untested = { containers: containers({ healthTest: 'NONE' }) };
    assert.deepEqual([stepOf(untested).proven, stepOf(untested).healthIntervalMs], [false, null]);
    assert.ok(notes(untested).some((note) => /^warning: web has no health test/.test(note)));
  });

  test('volumes without a name go along, where it is clear with which container', () => {
    const volumes = [
      { name: hex('v'), destination: '/data' },
      { name: 'shop_files', destination: '/files' },
    ];
    const one = [container('web:v3', { volumes })];
    assert.deepEqual(stepOf({ containers: one }).anonymousVolumes, { '/data': hex('v') });
    assert.ok(!notes({ containers: one }).some((note) => /without a name/.test(note)));
    const two = [...one, container('web:v3', { number: '2', volumes })];
    assert.deepEqual(stepOf({ containers: two }).anonymousVolumes, {});
    assert.ok(notes({ containers: two }).some((note) => /^warning: web has 2 containers with volumes/.test(note)));
  });
});

describe('the order', () => {
  /** Services in the order of the swap, of a project that is given by who needs whom. */
  const order = (needs: Record<string, string[]>) => {
    const all = Object.entries(needs).map(([name, on]) =>
      service(name, { dependsOn: on.map((each) => ({ service: each, restart: false })) }),
    );
    const containers = Object.keys(needs).map((name) => container(`${name}:v3`));
    return names(
      plan({
        project: project(...all),
        containers,
        images: [],
        wanted: wanted(...Object.keys(needs).map((name) => `${name}:v2`)),
      }),
    );
  };

  const table: [needs: Record<string, string[]>, order: string[]][] = [
    [{ a: ['b'], b: ['c'], c: [] }, ['c', 'b', 'a']],
    [{ c: [], b: [], a: [] }, ['a', 'b', 'c']],
    [{ a: ['c', 'b'], b: [], c: [] }, ['b', 'c', 'a']],
    [{ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }, ['d', 'b', 'c', 'a']],
    [{ a: ['gone'], b: [] }, ['a', 'b']],
    [{ a: ['b'], b: ['a'] }, ['b', 'a']],
    [{ a: ['a'] }, ['a']],
  ];
  for (const [needs, expected] of table) {
    test(JSON.stringify(needs), () => assert.deepEqual(order(needs), expected));
  }

  test('a service that stays stands between two that are swapped', () => {
    const compose = project(
      service('a', { dependsOn: [{ service: 'b', restart: false }] }),
      service('b', { dependsOn: [{ service: 'c', restart: false }] }),
      service('c'),
    );
    const containers = ['a:v3', 'b:v3', 'c:v3'].map((name) => container(name));
    assert.deepEqual(names(plan({ project: compose, containers, images: [], wanted: wanted('a:v2', 'c:v2') })), [
      'c',
      'a',
    ]);
  });

  test('what others depend on comes first, however the file is written; circles end', () => {
    const all = ['a', 'b', 'c', 'd', 'e'];
    const pairs = fc.uniqueArray(fc.tuple(fc.constantFrom(...all), fc.constantFrom(...all)), {
      maxLength: 12,
      selector: String,
    });
    fc.assert(
      fc.property(pairs, fc.shuffledSubarray(all, { minLength: 5 }), (found, written) => {
        const needs = Object.fromEntries(
          written.map((name) => [name, found.filter(([from]) => from === name).map(([, to]) => to)]),
        );
        const sorted = order(needs);
        assert.deepEqual(sorted.toSorted(), all);
        assert.deepEqual(
          order(Object.fromEntries(all.map((name) => [name, (needs[name] ?? []).toReversed()]))),
          sorted,
        );
        const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
          (needs[from] ?? []).some((next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))));
        for (const [from, to] of found) {
          if (!reaches(to, from)) assert.ok(sorted.indexOf(to) < sorted.indexOf(from), `${to} before ${from}`);
        }
      }),
    );
  });
});

describe('the hash', () => {
  const { hash } = plan();

  const same: [what: string, changes: Partial<PlanRequest>][] = [
    [
      'ids, names and health of containers',
      {
        containers: planRequest().containers.map((each) => ({
          ...each,
          id: hex('x'),
          name: 'y',
          health: 'unhealthy',
          state: 'restarting',
        })),
      },
    ],
    ['the order of containers', { containers: planRequest().containers.toReversed() }],
    ['the order of images', { images: planRequest().images.toReversed() }],
    [
      'the order of services',
      { project: { name: 'shop', services: new Map([...planRequest().project.services].toReversed()) } },
    ],
    ['the order of the target', { wanted: wanted('api:v2', 'web:v2') }],
    [
      'words for people',
      { wanted: { ...wanted('web:v2', 'api:v2'), source: 'other', unknown: ['x'] }, complaints: 'x' },
    ],
    ['an image that has nothing to do with it', { images: [...planRequest().images, local('other:v1')] }],
    ['the schema, which changes nothing of what is done', { schemaNow: hex('s') }],
    [
      'whether the images were pulled already',
      { images: planRequest().images.filter(({ id }) => id !== imageId('web:v2')) },
    ],
    ['when the files were changed', { filesChangedAt: Date.parse('2027-01-01T00:00:00Z') }],
  ];
  for (const [what, changes] of same) {
    test(`does not depend on ${what}`, () => assert.equal(plan(changes).hash, hash));
  }

  test('does not depend on the order of keys', () => {
    const running = Object.fromEntries(
      Object.entries(planRequest().running)
        .toReversed()
        .map(([name, each]) => [name, Object.fromEntries(Object.entries(each).toReversed()) as unknown as typeof each]),
    );
    assert.equal(plan({ running }).hash, hash);
  });

  const others: [what: string, changes: Partial<PlanRequest>][] = [
    ['the project', { project: { ...planRequest().project, name: 'other' } }],
    ['the target', { wanted: wanted('web:v1', 'api:v2') }],
    ['which services are swapped', { wanted: wanted('web:v2') }],
    ['what runs', { containers: [container('db:15'), container('api:v3'), container('web:v4')] }],
    ['which database runs', { containers: [container('db:16'), container('api:v3'), container('web:v3')] }],
    ['the world of the host', { world: hex('other') }],
    ['whether it persists', { persist: 'none' }],
    [
      'the name that is fixed',
      {
        project: project(
          service('web', { containerName: 'x', dependsOn: [{ service: 'api', restart: false }] }),
          service('api'),
          service('db'),
        ),
      },
    ],
    ['the repository', { project: withWeb({ image: 'ghcr.io/other/web:latest' }) }],
    ['the tag that is to persist', { project: withWeb({ image: 'ghcr.io/acme/web:stable' }) }],
    [
      'the order of the swap',
      {
        project: project(
          service('api', { dependsOn: [{ service: 'web', restart: false }] }),
          service('web'),
          service('db'),
        ),
      },
    ],
    [
      'volumes without a name',
      {
        containers: [
          container('db:15'),
          container('api:v3'),
          container('web:v3', { volumes: [{ name: hex('v'), destination: '/data' }] }),
        ],
      },
    ],
    [
      'how it is swapped',
      {
        project: project(
          service('web', { dependsOn: [{ service: 'api', restart: false }] }),
          service('api'),
          service('db'),
          service('edge', { image: 'nginx' }),
        ),
      },
    ],
  ];
  test('depends on which image it is that only this host has', () => {
    const built = (name: string) =>
      plan({
        images: [local(name, { repoDigests: [] })],
        wanted: wantedImages({ web: { tag: 'v2', digest: null, imageId: imageId(name) } }),
      });
    assert.notEqual(built('web:v2').hash, built('web:v2-again').hash);
  });

  const hashes = new Map<string, string>();
  for (const [what, changes] of others) {
    test(`depends on ${what}`, () => {
      const other = plan(changes).hash;
      assert.match(other, /^[0-9a-f]{64}$/);
      assert.notEqual(other, hash);
      assert.equal(hashes.get(other), undefined);
      hashes.set(other, what);
    });
  }
});

describe('notes', () => {
  test('a plan that is clear has one: what is not known of the schema', () => {
    assert.deepEqual(notes({}), ['info: Whether the database schema has changed since that release ran is not known']);
    assert.deepEqual(notes({ wanted: wanted('web:v3') }), []);
  });

  test('the schema', () => {
    const crossed = (then: string | null, now: string | null) => {
      const of = record({ release: release('web:v2', 'api:v2'), schemaSha256: then });
      return plan({ wanted: { ...wanted('web:v2'), record: of }, schemaNow: now });
    };
    assert.equal(crossed(hex('a'), hex('a')).schemaCrossed, 'no');
    assert.deepEqual(crossed(hex('a'), hex('a')).notes, []);
    assert.equal(crossed(hex('a'), hex('b')).schemaCrossed, 'yes');
    assert.match(
      crossed(hex('a'), hex('b')).notes[0]?.text ?? '',
      /schema has changed .* older code meets a newer schema/,
    );
    const unchanged = record({ release: release('web:v3', 'api:v3'), schemaSha256: hex('a') });
    assert.deepEqual(notes({ wanted: { ...wanted('web:v3'), record: unchanged }, schemaNow: hex('b') }), []);
    for (const [then, now] of [
      [null, hex('b')],
      [hex('a'), null],
      [null, null],
    ] as const) {
      assert.equal(crossed(then, now).schemaCrossed, 'unknown');
    }
  });

  const told: [what: string, changes: Partial<PlanRequest>, note: RegExp][] = [
    [
      'changed files',
      { filesChangedAt: Date.parse('2026-11-21T00:00:00Z') },
      /^warning: The compose file .* since api, web was started/,
    ],
    ['drift', { newestKnown: release('web:v9') }, /^info: What runs is another release/],
    [
      'a variable that is not set',
      {
        complaints:
          'x\ntime="2026" level=warning msg="The \\"WEB_TAG\\" variable is not set. Defaulting to a blank string."',
      },
      /^warning: The variable WEB_TAG/,
    ],
    [
      'services that compose no longer has',
      { wanted: { ...wanted('web:v2'), unknown: ['old'] } },
      /^info: old was part of that release/,
    ],
    [
      'services that came later',
      { wanted: { ...wanted('web:v2'), record: record({ release: release('web:v2') }) } },
      /^info: api came after that release/,
    ],
    [
      'containers that differ',
      { containers: [container('web:v3'), container('web:v4', { number: '2' }), container('api:v3')] },
      /^warning: Containers of web run different/,
    ],
    [
      'a service that asks to be restarted',
      { project: project(service('web', { dependsOn: [{ service: 'api', restart: true }] }), service('api')) },
      /^warning: web asks to be restarted with api/,
    ],
    [
      'a swap without a gap',
      { project: project(service('web'), service('edge', { image: 'nginx' })) },
      /^info: web is swapped without a gap/,
    ],
  ];
  for (const [what, changes, note] of told) {
    test(`tell of ${what}`, () =>
      assert.equal(notes(changes).filter((text) => note.test(text)).length, 1, notes(changes).join('\n')));
  }

  test('files that changed matter for what is swapped alone; a release that is known is no drift', () => {
    const changed = { filesChangedAt: Date.parse('2026-11-21T00:00:00Z'), wanted: wanted('web:v3') };
    assert.deepEqual(notes(changed), []);
    const { running } = planRequest();
    assert.ok(!notes({ newestKnown: running }).some((text) => /another release/.test(text)));
  });
});

describe('the plan for people', () => {
  test('says from, to, how, what stays, what is pulled, and its hash', () => {
    const shown = plan({ images: planRequest().images.filter(({ id }) => id !== imageId('web:v2')) });
    const short = (name: string) => digest(name).slice(7, 19);
    assert.deepEqual(planText(shown), [
      'The target is the input "target"',
      `api  v3 (${short('api:v3')})  →  v2 (${short('api:v2')})`,
      `web  v3 (${short('web:v3')})  →  v2 (${short('web:v2')})`,
      'api  one after the other, with a gap of its own stop and start: no proxy was found on its network',
      'web  one after the other, with a gap of its own stop and start: no proxy was found on its network',
      'db is left alone: it is the database',
      `To be pulled: ghcr.io/acme/web@${digest('web:v2')}`,
      `Plan ${shown.hash}`,
    ]);
  });

  test('columns stand below each other', () => {
    const long = project(service('a'), service('longer'));
    const lines = planText(
      plan({
        project: long,
        containers: [container('a:v3'), container('longer:v3')],
        images: [local('longer:v3')],
        wanted: wanted('a:v2', 'longer:v2'),
      }),
    );
    assert.equal(lines[1]?.indexOf('→'), lines[2]?.indexOf('→'));
    assert.match(lines[3] ?? '', /^a {7}one after/);
  });

  test('a plan without services has neither', () => {
    const empty = plan({ wanted: wanted('web:v3') });
    assert.deepEqual(planText(empty)[0], 'The target is the input "target"');
    assert.equal(planText(empty).length, 5);
  });

  test('what is not known is said to be so', () => {
    const step = stepOf({});
    const none = { image: null, tag: null, digest: null, imageId: null };
    assert.equal(fromIn({ ...step, fromName: null, fromImage: none }), 'unknown');
    assert.equal(fromIn({ ...step, fromName: 'v1', fromImage: none }), 'v1');
    assert.equal(
      toIn({ ...step, toName: null, toImage: { ...image('web:v1'), digest: null } }),
      imageId('web:v1').slice(7, 19),
    );
  });
});
