import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planRollback } from '../../../shared/plan/plan-rollback.ts';
import { fromIn, planText, toIn } from '../../../shared/plan/text.ts';
import { image, request, running, sha, shop, wanted } from './shop.ts';

test('a plan says from where to where, how and why, and what is left alone, in columns', () => {
  const plan = planRollback(
    request({
      running: { ...running, web: image('web', 'v3.10', sha('b'), sha('1')) },
      project: shop({ api: { publishes: true } }),
      wanted: wanted({
        api: { tag: 'v2', digest: null, imageId: null },
        web: { tag: null, digest: sha('c'), imageId: null },
      }),
    }),
  );
  assert.deepEqual(planText(plan), [
    'The target is a test',
    'api  v3 (aaaaaaaaaaaa)     →  v2',
    'web  v3.10 (bbbbbbbbbbbb)  →  cccccccccccc',
    'api  one after the other, with downtime: it publishes a port of the host',
    'web  new containers start before the old ones stop, without downtime: proxy is on its network, and two copies can run side by side',
    'proxy is left alone: the target does not include it',
    'db is left alone: it is the database',
    'To pull: ghcr.io/acme/api:v2',
    `Plan ${plan.hash}`,
  ]);
});

test('an image is called by its tag and what is certain of it', () => {
  const [step] = planRollback(request()).services;
  assert.ok(step !== undefined);
  const unknown = { image: null, tag: null, digest: null, imageId: null };
  assert.equal(fromIn({ ...step, fromName: null, fromImage: unknown }), 'unknown');
  assert.equal(fromIn({ ...step, fromName: 'v1', fromImage: { ...unknown, imageId: sha('7') } }), 'v1 (777777777777)');
  assert.equal(toIn({ ...step, toName: 'v1', toImage: unknown }), 'v1');
});

test('where nothing is to be done, only that is said', () => {
  const plan = planRollback(request({ wanted: wanted({}) }));
  assert.deepEqual(planText(plan).slice(0, 2), [
    'The target is a test',
    'web is left alone: the target does not include it',
  ]);
});
