// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose, not ours

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Failure } from '../../../shared/failure.ts';
import type { Plan, ServiceStep } from '../../../shared/plan/plan.ts';
import type { PlanRequest } from '../../../shared/plan/plan-request.ts';
import { planRollback } from '../../../shared/plan/plan-rollback.ts';
import { container, image, projectOf, record, request, running, service, sha, shop, wanted } from './shop.ts';

function planOf(changes: Partial<PlanRequest> = {}): Plan {
  return planRollback(request(changes));
}

function stepOf(changes: Partial<PlanRequest>, name = 'web'): ServiceStep {
  return planOf(changes).services.find((step) => step.service === name) ?? assert.fail(`${name} is not swapped`);
}

function why(plan: Plan, name: string): string | undefined {
  return plan.leftAlone.find(({ service: left }) => left === name)?.why;
}

function warnings(changes: Partial<PlanRequest> = {}): string[] {
  return notes(changes, 'warning');
}

function notes(changes: Partial<PlanRequest>, level: 'info' | 'warning'): string[] {
  return planOf(changes)
    .notes.filter((note) => note.level === level)
    .map(({ text }) => text);
}

const onlyWeb = (image: { tag: string | null; digest: string | null; imageId: string | null }) =>
  wanted({ web: image });

test('what the target speaks of is swapped, dependencies first; nothing else is', () => {
  const plan = planOf();
  assert.equal(plan.project, 'shop');
  assert.deepEqual(
    plan.services.map((step) => step.service),
    ['api', 'web'],
  );
  assert.equal(why(plan, 'db'), 'it is the database');
  assert.equal(why(plan, 'proxy'), 'the target does not include it');
  assert.equal(plan.from, running);
  assert.deepEqual(plan.to, {
    ...running,
    api: { image: `ghcr.io/acme/api:v2@${sha('c')}`, tag: 'v2', digest: sha('c'), imageId: sha('2') },
    web: { image: `ghcr.io/acme/web:v2@${sha('c')}`, tag: 'v2', digest: sha('c'), imageId: sha('2') },
  });
  assert.deepEqual(plan.notes, [
    { level: 'info', text: 'api is swapped without downtime' },
    { level: 'info', text: 'web is swapped without downtime' },
    {
      level: 'info',
      text: 'The compose file will still say api v3, web v3: the next docker compose up starts that again, until you change the line that the run prints',
    },
    { level: 'info', text: 'The history does not show whether the database schema has changed since that release ran' },
  ]);
});

test('the database is not touched, whatever is wanted', () => {
  const plan = planOf({ wanted: wanted({ db: { tag: '16', digest: sha('9'), imageId: null } }) });
  assert.deepEqual(plan.services, []);
  assert.equal(why(plan, 'db'), 'it is the database');
});

test('a service without a container is left alone, also under the name of what every object has', () => {
  const plan = planOf({
    project: projectOf(service('constructor')),
    running: {},
    wanted: wanted({ constructor: { tag: 'v2', digest: null, imageId: null } }),
  });
  assert.deepEqual(plan.services, []);
  assert.equal(why(plan, 'constructor'), 'it has no container; to start it as well, name it in "services"');
});

describe('the image', () => {
  test('is found by a digest of its own repository, and is not pulled', () => {
    const step = stepOf({});
    assert.equal(step.localImage, sha('2'));
    assert.equal(step.pull, null);
    assert.equal(step.onlyHere, false);
  });

  test('is pulled by digest where the host has it not, or only as another repository', () => {
    for (const repoDigests of [[], [`ghcr.io/evil/web@${sha('c')}`], [`web@${sha('c')}`]]) {
      const images = [{ id: sha('2'), repoTags: ['ghcr.io/acme/web:v2'], repoDigests }];
      const step = stepOf({ images });
      assert.equal(step.pull, `ghcr.io/acme/web@${sha('c')}`);
      assert.equal(step.localImage, null);
      assert.equal(step.toImage.imageId, null);
    }
  });

  test('is pulled by tag where only that is known, also when something here is called so', () => {
    const step = stepOf({ wanted: onlyWeb({ tag: 'v2', digest: null, imageId: null }) });
    assert.equal(step.pull, 'ghcr.io/acme/web:v2');
    assert.deepEqual(step.toImage, { image: 'ghcr.io/acme/web:v2', tag: 'v2', digest: null, imageId: null });
  });

  test('is taken by its id where it was built here, also when it has no name any more', () => {
    const images = [{ id: sha('7'), repoTags: [], repoDigests: [] }];
    const changes = { images, wanted: onlyWeb({ tag: 'v1', digest: null, imageId: sha('7') }) };
    const step = stepOf(changes);
    assert.deepEqual([step.localImage, step.pull, step.onlyHere], [sha('7'), null, true]);
    assert.match(warnings(changes).join(), /target of web may exist only on this host/);
  });

  test('has no digest that the host does not know it by: compose would not find it', () => {
    const images = [{ id: sha('2'), repoTags: [], repoDigests: [`ghcr.io/acme/web@${sha('9')}`] }];
    const target = onlyWeb({ tag: 'v2', digest: sha('c'), imageId: sha('2') });
    assert.equal(stepOf({ images, wanted: target }).toImage.digest, sha('9'));
    const nameless = [{ id: sha('2'), repoTags: [], repoDigests: [] }];
    assert.equal(stepOf({ images: nameless, wanted: target }).toImage.digest, null);
    assert.equal(stepOf({ images: [], wanted: target }).toImage.digest, sha('c'));
  });

  test('keeps the digest that is wanted where the repository has several for it', () => {
    const repoDigests = ['9', 'c', 'd'].map((digit) => `ghcr.io/acme/web@${sha(digit)}`);
    const images = [{ id: sha('2'), repoTags: [], repoDigests }];
    assert.equal(stepOf({ images }).toImage.digest, sha('c'));
  });

  test('of a record that is lost is not replaced by what its tag stands for today', () => {
    const lost = { tag: 'latest', digest: null, imageId: sha('7') };
    for (const each of [lost, { ...lost, tag: null }]) {
      assert.throws(() => planOf({ wanted: wanted({ web: each }, { record: record() }) }), isFailure('image-missing'));
    }
    assert.equal(stepOf({ wanted: onlyWeb(lost) }).pull, 'ghcr.io/acme/web:latest');
    const legacy = { tag: 'v1', digest: null, imageId: null };
    assert.equal(stepOf({ wanted: wanted({ web: legacy }, { record: record() }) }).pull, 'ghcr.io/acme/web:v1');
  });

  test('is called by the tag that people know, not by the one that moves', () => {
    const project = shop({ web: { image: 'ghcr.io/acme/web:latest' } });
    const images = [
      { id: sha('3'), repoTags: ['ghcr.io/acme/web:latest', 'ghcr.io/acme/web:v3', 'atlasia-keep:3'], repoDigests: [] },
      { id: sha('2'), repoTags: ['ghcr.io/evil/web:v0'], repoDigests: [`ghcr.io/acme/web@${sha('c')}`] },
    ];
    const target = onlyWeb({ tag: 'latest', digest: sha('c'), imageId: null });
    const { fromName, toName } = stepOf({ project, images, wanted: target });
    assert.deepEqual([fromName, toName], ['v3', 'latest']);
  });
});

describe('left alone', () => {
  const target = wanted({ web: { tag: 'v3', digest: null, imageId: sha('3') } });

  test('what runs the target already', () => {
    const plan = planOf({ wanted: target });
    assert.deepEqual(plan.services, []);
    assert.equal(why(plan, 'web'), 'it already runs the target');
    assert.deepEqual(plan.to, running);
  });

  test('also with an obstacle, which then is none', () => {
    const project = shop({ web: { sharesWith: ['api'] } });
    assert.equal(why(planOf({ wanted: target, project }), 'web'), 'it already runs the target');
  });

  test('not where one of its containers runs another image', () => {
    const containers = [container('web'), container('web', { id: 'other', imageId: sha('1') })];
    assert.equal(stepOf({ wanted: target, containers }).service, 'web');
  });

  test('with a warning where it does not run', () => {
    const containers = [container('web', { state: 'exited' }), container('api')];
    assert.equal(
      why(planOf({ wanted: target, containers }), 'web'),
      'it already has the target, but is not running: exited',
    );
    assert.match(
      warnings({ wanted: target, containers }).join(),
      /web is not running, and the rollback will not start it/,
    );
    assert.deepEqual(warnings({ wanted: target, containers: [container('web', { state: 'restarting' })] }), []);
    const { web: _, ...others } = running;
    assert.match(why(planOf({ running: others, containers: [] }), 'web') ?? '', /^it has no container; to start it/);
    for (const wish of ['named', 'dropped'] as const) {
      const plan = planOf({ running: others, containers: [container('api')], [wish]: new Set(['web']) });
      assert.equal(plan.services.find((step) => step.service === 'web')?.strategy, 'recreate', wish);
      assert.ok(
        plan.notes.some(({ text }) => text.startsWith('web has no container now. The rollback will create one')),
        wish,
      );
    }
    assert.match(warnings({ running: others, containers: [container('api')] }).join(), /web is not running/);
  });

  test('what the target says nothing usable of', () => {
    const plan = planOf({ wanted: onlyWeb({ tag: null, digest: null, imageId: null }) });
    assert.equal(why(plan, 'web'), 'the target does not name its image');
  });
});

describe('it cannot be swapped', () => {
  const obstacles: [what: RegExp, hint: RegExp, changes: Partial<PlanRequest>][] = [
    [/web shares .* of api/, /by hand/, { project: shop({ web: { sharesWith: ['api'] } }) }],
    [/proxy shares .* of web/, /by hand/, { project: shop({ proxy: { sharesWith: ['web'] } }) }],
    [/web has no "image:"/, /Give web an "image:"/, { project: shop({ web: { image: null } }) }],
    [
      /not a valid reference: ghcr\.io\/acme\/web:$/,
      /docker compose config --images/,
      { project: shop({ web: { image: 'ghcr.io/acme/web:' } }) },
    ],
    [
      /web has a fixed name \(shop-web\).* 2\.24\.3 on the host cannot override/,
      /2\.24\.4 or newer/,
      { project: shop({ web: { containerName: 'shop-web' } }), composeVersion: '2.24.3\n' },
    ],
  ];
  for (const [what, hint, changes] of obstacles) {
    test(what.source, () => {
      assert.throws(
        () => planOf(changes),
        (error) => isFailure('cannot-swap')(error) && what.test(error.message) && hint.test(error.hint ?? ''),
      );
    });
  }

  test('and all of the reasons are told at once, each remedy once', () => {
    const project = shop({ web: { containerName: 'shop-web' }, api: { containerName: 'shop-api' } });
    assert.throws(
      () => planOf({ project, composeVersion: '2.20.0' }),
      (error) =>
        isFailure('cannot-swap')(error) &&
        /shop-web.*; .*shop-api/.test(error.message) &&
        error.hint?.split('apt-get').length === 2,
    );
  });

  test('but what is not in the target may be as it likes', () => {
    const project = shop({ proxy: { sharesWith: ['db'], containerName: 'edge' }, db: { containerName: 'database' } });
    assert.equal(planOf({ project, composeVersion: '2.20.0' }).services.length, 2);
  });
});

describe('a step', () => {
  test('keeps the compose file true: by its own tag, or by the line to change', () => {
    const written = { image: 'ghcr.io/acme/web:v3', imageTemplate: 'ghcr.io/acme/web:${TAG:-latest}' };
    const step = stepOf({ project: shop({ web: written }) });
    assert.equal(step.retag, null, 'a version stays what it is');
    assert.deepEqual(step.envLine, { variable: 'TAG', value: 'v2' });
    const retagOf = (of: string, persist: 'retag' | 'none' = 'retag') =>
      stepOf({ persist, project: shop({ web: { image: of } }) }).retag;
    assert.equal(retagOf('ghcr.io/acme/web:latest'), 'ghcr.io/acme/web:latest');
    assert.equal(retagOf('ghcr.io/acme/web:main'), 'ghcr.io/acme/web:main');
    assert.equal(retagOf('ghcr.io/acme/web:latest', 'none'), null);
    assert.equal(retagOf(`ghcr.io/acme/web:latest@${sha('b')}`), null);
    assert.equal(stepOf({ project: shop({ web: { image: `ghcr.io/acme/web@${sha('b')}` } }) }).retag, null);
    assert.equal(stepOf({ project: shop({ web: { image: `ghcr.io/acme/web:v3@${sha('b')}` } }) }).retag, null);
    assert.equal(stepOf({ project: shop({ web: { image: 'ghcr.io/acme/web' } }) }).retag, 'ghcr.io/acme/web');
  });

  const templates: [template: string | null, names: string[] | null, variable: string | null][] = [
    ['ghcr.io/acme/web:$TAG', ['TAG'], 'TAG'],
    ['ghcr.io/acme/web:${TAG}', ['TAG'], 'TAG'],
    ['ghcr.io/acme/web:${TAG?err}', ['TAG'], 'TAG'],
    ['ghcr.io/acme/web:${TAG}', ['OTHER'], null],
    ['ghcr.io/acme/web:${TAG}', null, null],
    ['ghcr.io/acme/web:v${TAG}', ['TAG'], null],
    ['ghcr.io/acme/web:${TAG}-slim', ['TAG'], null],
    ['${IMAGE}', ['IMAGE'], null],
    ['ghcr.io/acme/web:v3', ['TAG'], null],
    [null, ['TAG'], null],
  ];
  for (const [imageTemplate, envNames, variable] of templates) {
    test(`of ${imageTemplate} names ${variable ?? 'no line'} with ${envNames ?? 'no env file'}`, () => {
      const { envLine } = stepOf({ project: shop({ web: { imageTemplate } }), envNames });
      assert.deepEqual(envLine, variable === null ? null : { variable, value: 'v2' });
    });
  }

  test('knows that without a health test nothing is proven', () => {
    const ofWeb = (changes: Parameters<typeof container>[1]) =>
      stepOf({ containers: [container('web', changes), container('api')] });
    assert.equal(ofWeb({}).proven, true);
    assert.deepEqual([ofWeb({ healthTest: 'NONE' }).proven, ofWeb({ healthTest: null }).proven], [false, false]);
  });

  test('takes the volumes without a name along, where it is clear whose they are', () => {
    const volumes = [
      { name: 'e'.repeat(64), destination: '/cache' },
      { name: 'shop_uploads', destination: '/uploads' },
      { name: '', destination: '/bind' },
    ];
    const one = container('web', { volumes });
    assert.deepEqual(stepOf({ containers: [one] }).anonymousVolumes, { '/cache': 'e'.repeat(64) });
    const contents = (content: 'only' | 'also') => new Map([[`${one.id} /cache`, content]]);
    const kept = { containers: [one], volumeContents: contents('also') };
    assert.deepEqual(stepOf(kept).anonymousVolumes, { '/cache': 'e'.repeat(64) });
    assert.match(warnings(kept).join(), /The image of web has files at \/cache, but a volume lies over them/);
    // It has nothing that the image of the target does not bring itself.
    const renewed = { containers: [one], volumeContents: contents('only') };
    assert.deepEqual(stepOf(renewed).anonymousVolumes, {});
    assert.doesNotMatch(warnings(renewed).join(), /cache/);
    const shared = { ...renewed, project: shop({ proxy: { volumesFrom: ['web'] } }) };
    assert.deepEqual(stepOf(shared).anonymousVolumes, { '/cache': 'e'.repeat(64) });
    assert.match(warnings(shared).join(), /a volume lies over them/);
    const two = { containers: [one, container('web', { id: 'other', number: '2', volumes })] };
    assert.deepEqual(stepOf(two).anonymousVolumes, {});
    assert.match(warnings(two).join(), /web has 2 containers with anonymous volumes: .*empty ones/);
  });
});

describe('what is told', () => {
  const told: [text: RegExp, level: 'info' | 'warning', changes: Partial<PlanRequest>][] = [
    [/^web has no health check/, 'warning', { containers: [container('web', { healthTest: null })] }],
    [
      /^web cannot be swapped without downtime, although "strategy" asks for it: it publishes a port/,
      'warning',
      {
        strategy: 'blue-green',
        project: shop({ web: { publishes: true } }),
      },
    ],
    [/^"proxy-service" names prxy, but the compose file has no such service/, 'warning', { proxyService: 'prxy' }],
    [
      /have changed since the containers of web were created: .*today's settings/,
      'warning',
      {
        containers: [container('web', { created: '2026-11-21T12:00:00Z' })],
      },
    ],
    [/^The running release is not the newest/, 'info', { newestKnown: record().release }],
    [
      /^docker-compose.yml, line 4: the variable TAG is not set; compose uses an empty value$/,
      'warning',
      { unset: [{ in: 'compose-file', file: 'docker-compose.yml', line: 4, name: 'TAG' }] },
    ],
    [
      /^The target is known to be bad: web v2 was found bad$/,
      'warning',
      { wanted: { ...request().wanted, knownBad: { text: 'web v2 was found bad', id: null, wasFound: true } } },
    ],
    [
      /^web is pinned in the compose file to v3 with the digest sha256:bbbbbbbbbbbb: the next docker compose up/,
      'warning',
      { project: shop({ web: { image: `ghcr.io/acme/web:v3@${sha('b')}` } }) },
    ],
    [
      /^tower \(containrrr\/watchtower\) on this host .*brings web \(latest\) to what its tag means.*docker stop tower$/,
      'warning',
      {
        project: shop({ web: { image: 'ghcr.io/acme/web:latest' } }),
        updaters: [{ name: 'tower', image: 'containrrr/watchtower' }],
      },
    ],
    [
      /^wud \(getwud\/wud:8\) on this host .*brings api \(v3\), web \(v3\) to a newer image/,
      'warning',
      { updaters: [{ name: 'wud', image: 'getwud/wud:8' }] },
    ],
    [
      /^TAG is also the tag of proxy: setting it to v2 for web changes that too$/,
      'warning',
      {
        project: shop({
          web: { imageTemplate: 'ghcr.io/acme/web:${TAG}' },
          proxy: { imageTemplate: 'nginx:${TAG:-1.27}' },
        }),
      },
    ],
    [
      /^gone was part of that release.*leaves it out.*compose: kept$/,
      'warning',
      { wanted: wanted({}, { unknown: ['gone'] }) },
    ],
    [
      /^Containers of web run different images/,
      'warning',
      {
        containers: [container('web'), container('web', { id: 'other', imageId: sha('1') })],
      },
    ],
    [
      /^proxy is not restarted together with web, /,
      'warning',
      {
        project: shop({ proxy: { dependsOn: [{ service: 'web', restart: true, awaitsEnd: false }] } }),
      },
    ],
    [/^The database schema has changed.*older code will meet a newer schema/, 'warning', schemas('1', '2')],
    [/^The history does not show whether the database schema has changed/, 'info', schemas(null, '2')],
    [/^The history does not show whether the database schema has changed/, 'info', schemas('1', null)],
    [/^Added after that release and left alone: proxy/, 'info', schemas('1', '1')],
  ];
  for (const [text, level, changes] of told) {
    test(text.source, () => {
      assert.ok(
        notes(changes, level).some((note) => text.test(note)),
        JSON.stringify(planOf(changes).notes),
      );
      assert.ok(!notes({}, level).some((note) => text.test(note)) || /does not show/.test(text.source));
    });
  }

  test('that a schema was crossed only where it was, and where something is swapped', () => {
    assert.equal(planOf(schemas('1', '1')).schemaCrossed, 'no');
    assert.equal(planOf(schemas('1', '2')).schemaCrossed, 'yes');
    assert.equal(planOf(schemas('1', null)).schemaCrossed, 'unknown');
    assert.doesNotMatch(warnings(schemas('1', '1')).join(), /schema/);
    assert.doesNotMatch(warnings({ ...schemas('1', '2'), wanted: wanted({}, { record: record() }) }).join(), /schema/);
  });

  test('no lack of a gap, where it was not asked for', () => {
    assert.doesNotMatch(warnings({ project: shop({ web: { publishes: true } }) }).join(), /downtime/);
  });
});

/** @param then, now: a hex digit, of which the hash of a schema is made */
function schemas(then: string | null, now: string | null): Partial<PlanRequest> {
  const target = request().wanted;
  const schemaSha256 = then === null ? null : then.repeat(64);
  return {
    wanted: { ...target, record: record({ schemaSha256 }) },
    schemaNow: now === null ? null : now.repeat(64),
  };
}

describe('the order', () => {
  /** Services with edges, drawn at random: what each depends on. */
  const graphs = fc
    .integer({ min: 1, max: 12 })
    .chain((size) =>
      fc.array(fc.array(fc.nat({ max: size - 1 }), { maxLength: 4 }), { minLength: size, maxLength: size }),
    );
  const name = (n: number) => `s${String(n).padStart(2, '0')}`;

  function ordered(edges: readonly (readonly number[])[], wantedNames = edges.map((_, n) => name(n))): string[] {
    const services = edges.map((on, n) =>
      service(name(n), { dependsOn: on.map((other) => ({ service: name(other), restart: false, awaitsEnd: false })) }),
    );
    const names = services.map((each) => each.name);
    const plan = planOf({
      project: projectOf(...services),
      containers: names.map((each) => container(each)),
      running: Object.fromEntries(names.map((each) => [each, image(each, 'v3', sha('a'), sha('3'))])),
      databases: new Set(),
      wanted: wanted(
        Object.fromEntries(wantedNames.map((each) => [each, { tag: 'v2', digest: sha('c'), imageId: null }])),
      ),
    });
    return plan.services.map((step) => step.service);
  }

  test('puts what others depend on first, also through services that are not swapped', () => {
    fc.assert(
      fc.property(graphs, fc.func(fc.boolean()), (drawn, isWanted) => {
        // Without circles: each depends on those before it only.
        const edges = drawn.map((on, n) => on.filter((other) => other < n));
        const names = edges.map((_, n) => name(n)).filter(isWanted);
        const order = ordered(edges, names);
        assert.deepEqual(order.toSorted(), names);
        const below = (n: number): number[] => (edges[n] ?? []).flatMap((other) => [other, ...below(other)]);
        for (const [n] of edges.entries()) {
          if (!names.includes(name(n))) continue;
          for (const other of below(n)
            .map(name)
            .filter((each) => names.includes(each))) {
            assert.ok(order.indexOf(other) < order.indexOf(name(n)), `${name(n)} before ${other}`);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test('holds every service once and ends, also in a circle; it does not depend on how the file is written', () => {
    fc.assert(
      fc.property(graphs, (edges) => {
        const order = ordered(edges);
        assert.deepEqual(
          order.toSorted(),
          edges.map((_, n) => name(n)),
        );
        assert.deepEqual(ordered(edges.map((on) => on.toReversed())), order);
      }),
      { numRuns: 200 },
    );
  });

  test('is by name where nothing else decides', () => {
    assert.deepEqual(ordered([[], [], [0], []]), ['s00', 's01', 's02', 's03']);
    assert.deepEqual(ordered([[2], [], [], []]), ['s02', 's00', 's01', 's03']);
  });
});

describe('the hash', () => {
  const { hash } = planOf();

  test('of a plan that was looked at stays what it was in another version of the action', () => {
    assert.equal(hash, '39f30e06198e406bfb30baa72aa5b85740711b4497de1dc7d4f3909d14121fa9');
  });

  /** The same value with the keys of every object turned round. */
  function turned<T>(value: T): T {
    if (typeof value !== 'object' || value === null || value instanceof Map || value instanceof Set) return value;
    if (Array.isArray(value)) return value.map(turned) as T;
    const entries = Object.entries(value).toReversed();
    return Object.fromEntries(entries.map(([key, each]) => [key, turned(each)])) as T;
  }

  const same: [what: string, changes: Partial<PlanRequest>][] = [
    ['the order of keys', turned(request())],
    ['the order of services', { project: projectOf(...[...shop().services.values()].toReversed()) }],
    ['the order of containers', { containers: request().containers.toReversed() }],
    ['the order of images', { images: request().images.toReversed() }],
    [
      'ids and names of containers',
      { containers: request().containers.map((each) => ({ ...each, id: 'x', name: 'y' })) },
    ],
    [
      'health',
      { containers: request().containers.map((each) => ({ ...each, health: 'unhealthy', state: 'restarting' })) },
    ],
    [
      'when containers were made',
      { containers: request().containers.map((each) => ({ ...each, created: '2020-01-01T00:00:00Z' })) },
    ],
    ['where the target was found', { wanted: { ...request().wanted, source: 'elsewhere', unknown: ['gone'] } }],
    ['what would be retagged, where no tag moves', { persist: 'none' }],
    [
      'what is known of the target',
      { wanted: { ...request().wanted, knownBad: { text: 'it is bad', id: null, wasFound: true } } },
    ],
    ['what updates containers', { updaters: [{ name: 'tower', image: 'containrrr/watchtower' }] }],
    ['notes', { unset: [{ in: 'elsewhere' }], newestKnown: null, schemaNow: null, envNames: null }],
    ['whether the target was pulled already', { images: request().images.slice(0, 1) }],
  ];
  for (const [what, changes] of same) {
    test(`does not depend on ${what}`, () => assert.equal(planOf(changes).hash, hash));
  }

  const target = request().wanted;
  const different: [what: string, changes: Partial<PlanRequest>][] = [
    ['the project state', { projectState: '0'.repeat(64) }],
    ['the project', { project: { ...shop(), name: 'other' } }],
    ['what runs', { running: { ...running, web: image('web', 'v4', sha('b'), sha('6')) } }],
    ['what runs beside', { running: { ...running, proxy: image('proxy', '1.28', sha('1'), sha('6')) } }],
    [
      'the digest',
      {
        wanted: {
          ...target,
          images: new Map(target.images).set('web', { tag: 'v2', digest: sha('9'), imageId: null }),
        },
      },
    ],
    [
      'the tag',
      {
        wanted: {
          ...target,
          images: new Map(target.images).set('web', { tag: 'v1', digest: sha('c'), imageId: null }),
        },
      },
    ],
    ['the services', { wanted: { ...target, images: new Map([...target.images].slice(1)) } }],
    ['the strategy', { strategy: 'recreate' }],
    ['a fixed name', { project: shop({ web: { containerName: 'x' } }), strategy: 'recreate' }],
    ['another fixed name', { project: shop({ web: { containerName: 'y' } }), strategy: 'recreate' }],
    ['a reference that moves', { project: shop({ web: { image: 'ghcr.io/acme/web:latest' } }) }],
    ['another one', { project: shop({ web: { image: 'ghcr.io/acme/web:stable' } }) }],
    [
      'the order',
      {
        project: shop({
          web: { dependsOn: [] },
          api: { dependsOn: [{ service: 'web', restart: false, awaitsEnd: false }] },
        }),
      },
    ],
    [
      'volumes',
      {
        containers: request().containers.map((each) => ({
          ...each,
          volumes: [{ name: 'a'.repeat(64), destination: '/a' }],
        })),
      },
    ],
  ];
  test('is another one for whatever decides', () => {
    const hashes = different.map(([, changes]) => planOf(changes).hash);
    assert.deepEqual([...new Set([hash, ...hashes])].length, different.length + 1, JSON.stringify(hashes));
    assert.match(hash, /^[0-9a-f]{64}$/);
  });

  test('tells two images apart that were built here', () => {
    const built = (digit: string) =>
      planOf({
        images: [{ id: sha(digit), repoTags: [], repoDigests: [] }],
        wanted: onlyWeb({ tag: 'v1', digest: null, imageId: sha(digit) }),
      }).hash;
    assert.notEqual(built('7'), built('8'));
  });
});

function isFailure(code: string) {
  return (error: unknown): error is Failure => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, code, error.message);
    return true;
  };
}
