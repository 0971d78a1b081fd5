import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Strategy } from '../../../shared/plan/plan-request.ts';
import { decideStrategy, proxiesIn } from '../../../shared/plan/strategy.ts';
import type { ComposeService } from '../../../shared/releases/project.ts';
import type { FoundContainer } from '../../../shared/survey/survey.ts';
import type { FoundProxy } from '../../../shared/survey/survey-compose.ts';
import { noSwapFacts } from '../../../shared/survey/survey-swap.ts';
import { container, ending, request, service, shop } from './shop.ts';

const answering: FoundProxy = { service: 'proxy', answers: ['127.0.0.1:80'], looksUpOnce: [] };

function decide(
  wanted: Strategy | 'auto',
  changes: Partial<ComposeService> = {},
  ofContainer: Partial<FoundContainer> = {},
  proxies: readonly string[] = ['proxy'],
  found: readonly FoundProxy[] = [answering],
  healthUrl: URL | null = null,
) {
  const project = shop({ web: changes });
  const web = project.services.get('web') ?? service('web');
  const facts = { project, proxies: found, healthUrl, swapFacts: noSwapFacts };
  return decideStrategy(wanted, web, [container('web', ofContainer)], facts, proxies);
}

test('behind a proxy, with a health test and a port, the new one starts beside the old', () => {
  const expected = { strategy: 'blue-green', why: 'proxy is on its network, and two copies can run side by side' };
  assert.deepEqual(decide('auto'), expected);
  assert.deepEqual(decide('blue-green'), expected);
  assert.deepEqual(decide('recreate'), { strategy: 'recreate', why: 'the input "strategy" asks for it' });
});

const reasons: [why: RegExp, changes: Partial<ComposeService>, ofContainer?: Partial<FoundContainer>][] = [
  [/^it has a fixed name \(shop-web\)$/, { containerName: 'shop-web' }],
  [/^it publishes a port of the host$/, { publishes: true }],
  [/^its network mode is host; no known proxy is on its network$/, { networkMode: 'host', networks: [] }],
  [/^it has a fixed address$/, { fixedAddress: true }],
  [/^it has no health check/, {}, { healthTest: null }],
  [/^it has no health check/, {}, { healthTest: 'NONE' }],
  [/^it exposes no port for a proxy$/, {}, { exposedPorts: [] }],
  [/^no known proxy is on its network$/, { networks: ['back'] }],
  [/^it has a fixed name \(w\); it publishes a port of the host$/, { containerName: 'w', publishes: true }],
];
for (const [why, changes, ofContainer] of reasons) {
  test(`one after the other, whatever is asked, and every reason is told: ${why.source}`, () => {
    for (const wanted of ['auto', 'blue-green'] as const) {
      const decision = decide(wanted, changes, ofContainer);
      assert.equal(decision.strategy, 'recreate');
      assert.match(decision.why, why);
    }
  });
}

const doubts: [what: string, found: FoundProxy[], why: RegExp][] = [
  [
    'it is looked up once',
    [{ ...answering, looksUpOnce: ['web'] }],
    /^proxy looks web up only when it starts, or rarely$/,
  ],
  ['by an alias', [{ ...answering, looksUpOnce: ['www'] }], /^proxy looks web up only/],
  ['by the name of its container', [{ ...answering, looksUpOnce: ['shop-web-1'] }], /^proxy looks web up only/],
  [
    'nobody knows',
    [{ ...answering, looksUpOnce: null }],
    /^the configuration of proxy does not tell whether it looks web up/,
  ],
  ['nobody can ask', [{ ...answering, answers: [] }], /^proxy answers on no published port, and no health-url/],
  ['it was not found', [], /^proxy answers on no published port/],
  [
    'one that does not look like a proxy looks it up once',
    [answering, { service: 'dashboard', answers: [], looksUpOnce: ['web'] }],
    /^dashboard looks web up only when it starts, or rarely$/,
  ],
];
for (const [what, found, why] of doubts) {
  test(`"auto" wants to know what users get, but whoever asks for it gets it: ${what}`, () => {
    const changes = { aliases: ['WWW'] };
    const auto = decide('auto', changes, {}, ['proxy'], found);
    assert.equal(auto.strategy, 'recreate');
    assert.match(auto.why, why);
    assert.equal(decide('blue-green', changes, {}, ['proxy'], found).strategy, 'blue-green');
  });
}

test('users can be asked by a health-url, and other names do not matter', () => {
  const silent = [{ ...answering, answers: [], looksUpOnce: ['api', 'example.org'] }];
  assert.equal(decide('auto', {}, {}, ['proxy'], silent, new URL('https://shop.example/')).strategy, 'blue-green');
});

test('without any proxy there is a gap', () => {
  assert.deepEqual(decide('auto', {}, {}, []), { strategy: 'recreate', why: 'no known proxy is on its network' });
});

test('the proxy itself is replaced, also where there is a second one', () => {
  assert.match(decide('blue-green', {}, {}, ['web']).why, /^it is the proxy$/);
  assert.match(decide('blue-green', {}, {}, ['proxy', 'web']).why, /^it is the proxy$/);
});

test('a service without containers is not known to be tested', () => {
  const decision = decideStrategy('auto', service('web'), [], request(), ['proxy']);
  assert.match(decision.why, /no health check.*no port/);
});

const images: [image: string, isProxy: boolean][] = [
  ['nginx:1.27', true],
  ['nginx', true],
  ['caddy:2-alpine', true],
  ['traefik:v3.1', true],
  ['haproxy:lts', true],
  ['openresty/openresty:alpine', true],
  ['nginxproxy/nginx-proxy:1.6', true],
  ['lscr.io/bitnami/nginx:latest', true],
  ['ghcr.io/acme/edge-caddy@sha256:'.concat('a'.repeat(64)), true],
  ['nginx/nginx-prometheus-exporter:1.3', false],
  ['prom/haproxy-exporter:v0.15', false],
  ['traefik/whoami:v1.10', false],
  ['nginx/unit:latest', false],
  ['localhost:5000/nginxish:1', false],
  ['ghcr.io/acme/web:nginx', false],
  ['not an image:', false],
];
for (const [image, isProxy] of images) {
  test(`${image} is ${isProxy ? 'taken for' : 'no'} proxy`, () => {
    const project = shop({ proxy: { image } });
    assert.deepEqual(proxiesIn(project, null), isProxy ? ['proxy'] : []);
  });
}

test('the proxy that is named is the only one, whatever its image', () => {
  assert.deepEqual(proxiesIn(shop(), 'api'), ['api']);
  assert.deepEqual(proxiesIn(shop(), 'nobody'), []);
});

/** @param writes the folders in which the containers may write */
function withFiles(wanted: Strategy | 'auto', writes: readonly string[], ...states: readonly string[]) {
  const own = states.map((state, at) => container('web', { id: `web-${at}`, state }));
  const endings = own.map(({ id }) => ending('web', { id, writes: [...writes] }));
  const facts = request({ swapFacts: { ...noSwapFacts, endings } });
  return decideStrategy(wanted, service('web'), own, facts, ['proxy']);
}

test('"auto" does not let two copies write to the same files, unless two do already', () => {
  for (const path of ['/data', '/app/db.sqlite3', '/run/app', '/etc/shop/state']) {
    const { strategy, why } = withFiles('auto', ['/etc/localtime', path], 'running');
    assert.equal(strategy, 'recreate', path);
    assert.equal(why, `it may write to ${path}, which two copies at a time may not be able to share`);
    assert.equal(withFiles('auto', [path], 'running', 'exited').strategy, 'recreate');
    assert.equal(withFiles('auto', [path], 'running', 'running').strategy, 'blue-green');
    assert.equal(withFiles('blue-green', [path], 'running').strategy, 'blue-green');
  }
  const settings = ['/etc/localtime', '/var/run/docker.sock', '/app/config.yml', '/app/local.json'];
  assert.equal(withFiles('auto', settings, 'running').strategy, 'blue-green');
});
