// What a plan makes of services that others depend on.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isFailure } from '../../../shared/failure.ts';
import { obstacleKinds } from '../../../shared/plan/obstacles.ts';
import type { PlanRequest } from '../../../shared/plan/plan-request.ts';
import { planRollback } from '../../../shared/plan/plan-rollback.ts';
import { composeOnly } from '../../../shared/releases/project.ts';
import { noSwapFacts } from '../../../shared/survey/survey-swap.ts';
import { container, ending, record, request, shop, wanted } from './shop.ts';

const planOf = (changes: Partial<PlanRequest> = {}) => planRollback(request(changes));
const all = (plan: ReturnType<typeof planOf>) => plan.notes.map(({ level, text }) => `${level}: ${text}`).join('\n');
const how = (plan: ReturnType<typeof planOf>) => plan.services.map(({ service, strategy }) => `${service} ${strategy}`);

const awaits = (service: string) => ({ service, restart: false, awaitsEnd: true });
const volumes = (name: string) => [{ name: name.repeat(64), destination: `/${name}` }];

describe('it cannot be swapped', () => {
  const shared = (of: string, what: 'network' | 'processes' | 'memory' | 'link' = 'network') => ({
    swapFacts: { ...noSwapFacts, sharers: [{ name: 'vpn-probe', what, of }] },
  });
  const two = [container('web', { volumes: volumes('a') }), container('web', { id: 'other' }), container('api')];
  const obstacles: [what: RegExp, hint: RegExp, changes: Partial<PlanRequest>][] = [
    [/vpn-probe uses the network of web/, /docker rm --force vpn-probe/, shared('shop-web-1')],
    [
      /vpn-probe uses the processes of web/,
      /create it again/,
      {
        ...shared('abcdef012345', 'processes'),
        containers: [container('web', { id: 'abcdef0123456789'.repeat(4) }), container('api')],
      },
    ],
    [/vpn-probe uses the link of api/, /docker rm/, shared('shop-api-1', 'link')],
    [
      /web has post_start, pre_stop in/,
      /by hand/,
      { project: shop({ web: { composeOnly: ['post_start', 'pre_stop'] } }) },
    ],
    [
      /web gets its settings from the provider of db/,
      /by hand/,
      {
        project: shop({
          web: { dependsOn: [{ service: 'db', restart: false, awaitsEnd: false }] },
          db: { composeOnly: ['provider'] },
          api: { dependsOn: [] },
        }),
      },
    ],
    [
      /web is paused/,
      /docker compose unpause web/,
      { containers: [container('web', { state: 'paused' }), container('api')] },
    ],
    [
      /the job api is still running/,
      /docker compose stop api/,
      { jobs: 'skip', project: shop({ web: { dependsOn: [awaits('api')] } }) },
    ],
    [
      /the job api is still running/,
      /Wait until it has ended/,
      { jobs: 'run', project: shop({ web: { dependsOn: [awaits('api')] } }) },
    ],
    [
      /proxy mounts the volumes of web, which has several containers/,
      /Give the volumes of web names/,
      { project: shop({ proxy: { volumesFrom: ['web'] } }), containers: two },
    ],
  ];
  for (const [what, hint, changes] of obstacles) {
    test(what.source, () => {
      assert.throws(
        () => planOf(changes),
        (error) =>
          isFailure(error) && error.code === 'cannot-swap' && what.test(error.message) && hint.test(error.hint ?? ''),
      );
    });
  }

  test('but neighbours of what stays, and volumes that are kept, are no obstacle', () => {
    assert.equal(planOf(shared('shop-proxy-1')).services.length, 2);
    assert.equal(planOf(shared('shop-web-10')).services.length, 2);
    const project = shop({ proxy: { volumesFrom: ['web'] }, web: { volumesFrom: ['api'] } });
    const containers = [
      container('web', { volumes: [...volumes('a'), ...volumes('b')] }),
      container('api', { volumes: volumes('a') }),
    ];
    const steps = planOf({ project, containers }).services;
    assert.deepEqual(Object.fromEntries(steps.map(({ service, anonymousVolumes }) => [service, anonymousVolumes])), {
      api: { '/a': 'a'.repeat(64) },
      web: { '/b': 'b'.repeat(64) },
    });
  });
});

describe('a job that others await', () => {
  const project = shop({
    web: { dependsOn: [{ service: 'db', restart: false, awaitsEnd: false }] },
    api: { dependsOn: [] },
    proxy: { dependsOn: [awaits('web')] },
  });

  test('is run, and first', () => {
    const containers = [container('web', { state: 'exited' }), container('api')];
    assert.deepEqual(how(planOf({ project, containers })), ['web job', 'api blue-green']);
  });

  test('is made and left out where the input says so', () => {
    const containers = [container('web', { state: 'exited' }), container('api')];
    const plan = planOf({ project, containers, jobs: 'skip' });
    assert.deepEqual(how(plan), ['web create-only', 'api blue-green']);
    assert.match(all(plan), /warning: web will not be running: the input "jobs" says skip/);
    assert.doesNotMatch(all(plan), /health check/);
  });

  test('is run even if its container was cleaned away', () => {
    const { web: _, ...others } = request().running;
    const containers = [container('api')];
    assert.deepEqual(how(planOf({ project, running: others, containers })), ['web job', 'api blue-green']);
    assert.deepEqual(how(planOf({ project, running: others, containers, jobs: 'skip' })), ['api blue-green']);
  });

  test('is warned of unless the schema is known to be the same', () => {
    const images = request().wanted.images;
    const at = (schemaSha256: string | null) =>
      all(
        planOf({
          project,
          containers: [container('web', { state: 'exited' })],
          wanted: { ...wanted({}), images, record: record({ schemaSha256 }) },
        }),
      );
    assert.match(at('2'.repeat(64)), /warning: web is a job .* schema has changed since: .* jobs: skip/);
    assert.match(at(null), /warning: web is a job .* is unknown: .* jobs: skip/);
    assert.doesNotMatch(at('1'.repeat(64)), /is a job/);
  });
});

describe('a service that does not run', () => {
  const of = (policy: string, exitCode: number): Partial<PlanRequest> => ({
    containers: [container('web', { state: 'exited' }), container('api')],
    swapFacts: { ...noSwapFacts, endings: [ending('web', { policy, exitCode })] },
  });

  test('stays stopped if it was stopped by hand, and the plan says so', () => {
    const plan = planOf(of('always', 0));
    assert.deepEqual(how(plan), ['api blue-green', 'web create-only']);
    assert.match(all(plan), /warning: web will not be running: it was stopped by hand/);
    assert.equal(
      plan.services.every(({ proven }) => proven),
      true,
    );
    assert.notEqual(plan.hash, planOf().hash);
  });

  test('is started if it crashed, or is named', () => {
    const crashed = planOf(of('no', 3));
    assert.deepEqual(how(crashed), ['api blue-green', 'web blue-green']);
    assert.match(all(crashed), /info: web is not running now, and is started: it crashed \(exit 3\)/);
    const named = planOf({ ...of('always', 0), named: new Set(['web']) });
    assert.deepEqual(how(named), ['api blue-green', 'web blue-green']);
  });

  test('of which others run is told of: all of them will', () => {
    const containers = [container('web'), container('web', { id: 'other', state: 'exited' }), container('api')];
    assert.match(
      all(planOf({ containers })),
      /warning: 1 of the 2 containers of web is running now; with the target, all 2/,
    );
  });

  test('is told of as a guess where the host does not tell why', () => {
    assert.match(all(planOf(of('no', 0))), /warning: web is not running now, and is started: it ended by itself or/);
  });
});

test('a store is left alone, and the plan says how to have it otherwise', () => {
  const plan = planOf({ stores: new Set(['web']) });
  assert.deepEqual(how(plan), ['api blue-green']);
  assert.match(plan.leftAlone.find(({ service }) => service === 'web')?.why ?? '', /store.*name it in "services"/);
});

test('a target of stores alone is refused: nothing would be done, and that would be no success', () => {
  assert.throws(
    () => planOf({ stores: new Set(['web', 'api']) }),
    (error) => isFailure(error) && error.code === 'no-target' && /only stores.*api, web/.test(error.message),
  );
});

describe('docs/rollback.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/rollback.md'), 'utf8');

  test('has a row for each kind of obstacle, and for no other', () => {
    const [, features = ''] = /## Compose features\n(.*?)\n## /s.exec(page) ?? [];
    const kinds = Array.from(features.matchAll(/\| refused \(`([a-z-]+)`\)/g), ([, kind = '']) => kind);
    assert.deepEqual(kinds.toSorted(), obstacleKinds.toSorted());
  });

  test('names everything that only compose can start', () => {
    const [, cell = ''] = /^\| (.*) \| refused \(`compose-only`\)/m.exec(page) ?? [];
    assert.deepEqual(
      Array.from(cell.matchAll(/`(\w+)`/g), ([, key]) => key),
      [...composeOnly],
    );
  });
});
