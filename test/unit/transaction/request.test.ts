import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import type { RollbackInputs } from '../../../rollback-action/inputs.ts';
import { type Decided, settledPlan, transactionRequest } from '../../../rollback-action/request.ts';
import { parseHold } from '../../../shared/history/hold.ts';
import { parseHistory } from '../../../shared/history/record.ts';
import type { Plan } from '../../../shared/plan/plan.ts';
import type { PlanRequest } from '../../../shared/plan/plan-request.ts';
import { planRollback } from '../../../shared/plan/plan-rollback.ts';
import type { PulledImage } from '../../../shared/releases/pull.ts';
import { readComposeCall } from '../../../shared/survey/compose-call.ts';
import { outcomeMarks } from '../../../shared/transaction/transaction-files.ts';
import { container, projectOf, request, service, sha, wanted } from '../releases/shop.ts';

const planOf = (changes: Partial<PlanRequest> = {}): Plan => planRollback(request(changes));
const pulled = (id: string, ...repoDigests: string[]): PulledImage => ({ id, platform: 'linux/amd64', repoDigests });
const byTag = (changes: Partial<PlanRequest> = {}) =>
  planOf({ wanted: wanted({ web: { tag: 'v2', digest: null, imageId: null } }), ...changes });

describe('the plan, when its images are there', () => {
  test('has the id and the digest of what was pulled, from its own repository', () => {
    const plan = byTag();
    const digests = [
      `ghcr.io/evil/web@${sha('9')}`,
      `ghcr.io/acme/web@${sha('8')}`,
      `ghcr.io/acme/website@${sha('7')}`,
    ];
    const { services, to } = settledPlan(plan, new Map([['web', pulled(sha('6'), ...digests)]]));
    const toImage = { image: `ghcr.io/acme/web:v2@${sha('8')}`, tag: 'v2', digest: sha('8'), imageId: sha('6') };
    assert.deepEqual(
      services.map((step) => step.toImage),
      [toImage],
    );
    assert.deepEqual(to, { ...plan.from, web: toImage });
  });

  const repositories: [image: string, digest: string][] = [
    ['nginx:1.27', 'nginx'],
    ['acme/web', 'acme/web'],
    ['localhost:5000/web:v3', 'localhost:5000/web'],
    ['docker.io/library/nginx', 'nginx'],
  ];
  for (const [image, repository] of repositories) {
    test(`knows the digest of ${image}, as Docker calls it`, () => {
      const plan = byTag({ project: projectOf(service('web', { image })) });
      const { services } = settledPlan(plan, new Map([['web', pulled(sha('6'), `${repository}@${sha('8')}`)]]));
      assert.equal(services[0]?.toImage.digest, sha('8'));
    });
  }

  test('keeps the digest that was wanted, and does without one where there is none', () => {
    const wantedDigest = settledPlan(planOf(), new Map([['web', pulled(sha('6'), `ghcr.io/acme/web@${sha('8')}`)]]));
    assert.equal(wantedDigest.to['web']?.digest, sha('c'));
    assert.equal(wantedDigest.to['web']?.imageId, sha('6'));
    const local = settledPlan(byTag(), new Map([['web', pulled(sha('6'))]]));
    assert.deepEqual(local.to['web'], { image: 'ghcr.io/acme/web:v2', tag: 'v2', digest: null, imageId: sha('6') });
  });

  test('leaves out what turns out to run already', () => {
    const plan = byTag();
    const { services, to } = settledPlan(plan, new Map([['web', pulled(sha('3'), `ghcr.io/acme/web@${sha('8')}`)]]));
    assert.deepEqual(services, []);
    assert.deepEqual(to, plan.from);
  });

  test('still stops it while the databases exchange their names', () => {
    const plan = { ...byTag({ strategy: 'recreate' }), restore: { restarted: [] } as unknown as Plan['restore'] };
    const { restore } = settledPlan(plan, new Map([['web', pulled(sha('3'))]]));
    assert.deepEqual(restore?.restarted, [{ service: 'web', imageId: sha('3'), why: 'it already runs the target' }]);
  });

  test('but not a service of which only one container runs it', () => {
    const containers = [
      container('web'),
      container('web', { number: '2', imageId: sha('1'), created: '2026-11-20T12:00:00Z' }),
    ];
    const plan = byTag({ containers });
    assert.equal(settledPlan(plan, new Map([['web', pulled(sha('3'))]])).services.length, 1);
  });

  test('is the same for services whose image was not looked at', () => {
    const plan = planOf();
    assert.deepEqual(settledPlan(plan, new Map()), plan);
  });
});

const inputs = {
  backupDir: '/opt/shop/backups',
  deployDir: '/opt/shop',
  environment: 'prod',
  reason: 'v3 answers with 500',
  stopTimeout: 30_000,
  healthTimeout: 300_000,
  healthUrl: null,
  stableFor: 10_000,
  maxDowntime: null,
  onFailure: 'revert',
  lockWait: 300_000,
  hold: true,
} satisfies Partial<RollbackInputs> as unknown as RollbackInputs;

/** The swap of `api` and `web` to v2, with the images that are on the host. */
function decided(changes: Partial<Decided> = {}): Decided {
  const images = new Map(['api', 'web'].map((name) => [name, pulled(sha('2'), `ghcr.io/acme/${name}@${sha('c')}`)]));
  return {
    compose: {
      call: readComposeCall(['file docker-compose.yml']),
      config: '{}',
      values: '',
      projectState: null,
      settings: null,
      origin: { files: ['/opt/shop/docker-compose.yml'], envFiles: [] },
      version: '2.20.0',
      files: ['/opt/shop/docker-compose.yml'],
      envFiles: ['/opt/shop/.env'],
      keptIn: null,
    },
    inputs,
    workflow: {
      runId: '4711',
      runAttempt: '1',
      actor: 'octocat',
      runUrl: 'https://github.com/acme/shop/actions/runs/4711',
      commit: 'a'.repeat(40),
      event: 'workflow_dispatch',
    } as Decided['workflow'],
    plan: settledPlan(planOf(), images),
    images,
    restoring: null,
    backupId: '20261125_020304',
    schemaSha256: '1'.repeat(64),
    startedAt: new Date('2026-11-25T02:03:04Z'),
    holder: 'rollback-action',
    historyId: '4711-1-0123abcd',
    token: '0123456789abcdef',
    ...changes,
  };
}

describe('what the host gets', () => {
  test('has the images by digest, where there is one, else by id', () => {
    const plan = planOf();
    const local = settledPlan(byTag(), new Map([['web', pulled(sha('6'))]]));
    const imagesIn = (made: ReturnType<typeof transactionRequest>) => {
      const reset = { tag: '!reset', resolve: () => null };
      const { services } = parse(made.override, { customTags: [reset] }) as {
        services: Record<string, { image: string }>;
      };
      return Object.fromEntries(Object.entries(services).map(([name, { image }]) => [name, image]));
    };
    assert.deepEqual(imagesIn(transactionRequest(decided())), {
      api: `ghcr.io/acme/api:v2@${sha('c')}`,
      web: `ghcr.io/acme/web:v2@${sha('c')}`,
    });
    const made = transactionRequest(decided({ plan: local, images: new Map([['web', pulled(sha('6'))]]) }));
    assert.deepEqual(imagesIn(made), { web: sha('6') });
    assert.deepEqual(
      made.services.map(({ targetImageId }) => targetImageId),
      [sha('6')],
    );
    assert.deepEqual(parse(transactionRequest(decided()).revert), {
      services: Object.fromEntries(['api', 'web'].map((name) => [name, { image: sha('3'), pull_policy: 'never' }])),
    });
    assert.equal(transactionRequest(decided()).projectState, plan.projectState);
  });

  test('can bring back what a restore only stops and starts again, if somebody removes it meanwhile', () => {
    const { plan } = decided();
    const restarted = [{ service: 'mail', imageId: sha('9'), why: 'it depends on db' }];
    const restore = { backupId: '20261127_021700', database: 'shop', restarted } as unknown as Plan['restore'];
    const made = transactionRequest(decided({ plan: { ...plan, restore } }));
    const { services } = parse(made.revert) as { services: Record<string, { image: string }> };
    assert.equal(services['mail']?.image, sha('9'));
    assert.equal(services['web']?.image, sha('3'));
  });

  test('has the names that the databases exchange, and stops whatever writes, in the order in which it starts again', () => {
    const { images } = decided();
    const plan = settledPlan(planOf({ strategy: 'recreate' }), images);
    const exchange = { name: 'shop', restored: 'shop_restore_01234567' };
    const restarted = [{ service: 'mail', imageId: sha('9'), why: 'it depends on db' }];
    const restore = { backupId: '20261127_021700', database: 'shop', restarted } as unknown as Plan['restore'];
    const restoring = { exchange, order: ['api', 'mail', 'web', 'proxy'] } as unknown as Decided['restoring'];
    const made = transactionRequest(decided({ plan: { ...plan, restore }, restoring }));
    assert.equal(made.database, exchange);
    assert.deepEqual(
      made.services.map(({ service: name, strategy }) => `${name}: ${strategy}`),
      ['api: recreate', 'mail: restart', 'web: recreate'],
    );
    assert.equal(transactionRequest(decided()).database, null);
  });

  test('of a restore alone neither blames nor praises the release, and holds no deployment up', () => {
    const restore = { backupId: '20261127_021700', database: 'shop', restarted: [] } as unknown as Plan['restore'];
    const plan = { ...decided().plan, services: [], restore };
    const made = transactionRequest(decided({ plan, inputs: { ...inputs, healthUrl: new URL('http://127.0.0.1/') } }));
    assert.equal(made.blame, false);
    assert.equal(made.outcome.hold, null);
    const { records } = parseHistory(filled(made.outcome.endings['rolled-back'].record, 'x'));
    const { event, verdict, restoredId } = records[0] ?? assert.fail('No record');
    assert.deepEqual(
      { event, verdict, restoredId },
      { event: 'restore', verdict: 'unknown', restoredId: '20261127_021700' },
    );
    assert.equal(transactionRequest(decided()).blame, true);
  });

  const { outcome } = transactionRequest(decided());
  const marks = outcomeMarks('0123456789abcdef');
  /** As the host fills it in: numbers without their quotes. */
  const filled = (text: string, verdict: string) =>
    text
      .replaceAll(marks.at, '2026-11-25T02:04:05.678Z')
      .replaceAll(marks.verdict, verdict)
      .replaceAll(`"${marks.duration}"`, '61234')
      .replaceAll(`"${marks.downtime}"`, 'null');

  const endings = [
    ['rolled-back', 'succeeded', 'good'],
    ['reverted', 'reverted', 'unknown'],
    ['failed', 'failed', 'bad'],
  ] as const;
  for (const [ending, status, verdict] of endings) {
    test(`makes a record that is one, when it has ended as ${ending}`, () => {
      const { record, line } = outcome.endings[ending];
      const { records, problems } = parseHistory(filled(record, verdict));
      assert.deepEqual(problems, []);
      const { plan } = decided();
      assert.deepEqual(records, [
        {
          version: 1,
          id: '4711-1-0123abcd',
          at: '2026-11-25T02:04:05.678Z',
          environment: 'prod',
          event: 'rollback',
          status,
          verdict,
          release: plan.to,
          previous: plan.from,
          schemaSha256: '1'.repeat(64),
          backupId: '20261125_020304',
          restoredId: null,
          reason: 'v3 answers with 500',
          actor: 'octocat',
          runUrl: 'https://github.com/acme/shop/actions/runs/4711',
          commit: 'a'.repeat(40),
          settings: null,
          durationMs: 61_234,
          downtimeMs: null,
        },
      ]);
      assert.ok(!/0123456789abcdef-/.test(filled(record, verdict) + filled(line, verdict)), 'a mark was left');
      assert.match(
        filled(line, verdict),
        new RegExp(`^2026-11-25T02:04:05.678Z rollback ${status} ${verdict} api=v2@sha256:c+ .* id=4711-1-0123abcd$`),
      );
      // The host knows by its last field that a record is whole.
      assert.match(filled(record, verdict), /,"downtimeMs":[^"{}]*}$/);
    });
  }

  test('makes a record that is one of a reason that is longer than a record may have', () => {
    const { record } = transactionRequest(decided({ inputs: { ...inputs, reason: 'x'.repeat(5_000) } })).outcome
      .endings['rolled-back'];
    assert.deepEqual(parseHistory(filled(record, 'good')).problems, []);
  });

  test('says a target is good only where that was proven: by a health test each, or by the health-url', () => {
    const plan = settledPlan(
      planOf({ containers: [container('api'), container('web', { healthTest: null })] }),
      decided().images,
    );
    const verdictOf = (changes: Partial<Decided>) => {
      const { record } = transactionRequest(decided(changes)).outcome.endings['rolled-back'];
      return parseHistory(filled(record, 'x')).records[0]?.verdict;
    };
    assert.equal(verdictOf({ plan }), 'unknown');
    assert.equal(verdictOf({ plan, inputs: { ...inputs, healthUrl: new URL('http://127.0.0.1/health') } }), 'good');
  });

  test('has HOLD, with what was done and why, or none', () => {
    assert.deepEqual(parseHold(filled(outcome.hold ?? '', 'x')), {
      reason: 'v3 answers with 500',
      since: '2026-11-25T02:04:05.678Z',
      run: 'https://github.com/acme/shop/actions/runs/4711',
      by: 'octocat',
      from: 'api=v3 web=v3',
      to: 'api=v2 web=v2',
      id: '4711-1-0123abcd',
    });
    const without = (changes: Partial<RollbackInputs>) =>
      transactionRequest(decided({ inputs: { ...inputs, ...changes } })).outcome.hold;
    assert.equal(without({ hold: false }), null);
    assert.match(without({ reason: null }) ?? '', /^reason=a rollback$/m);
  });

  test('has no login, key or token of the workflow in it', () => {
    const secret = { login: { user: 'me', password: 'hunter2' }, githubToken: 'hunter2', ssh: { key: 'hunter2' } };
    const made = transactionRequest(decided({ inputs: { ...inputs, ...secret } as unknown as RollbackInputs }));
    assert.doesNotMatch(JSON.stringify(made), /hunter2/);
  });
});
