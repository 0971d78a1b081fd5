import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decideStrategy, hasHealthTest, proxiesIn } from '../../../shared/releases/strategy.ts';
import { container, project, service } from './world.ts';

describe('proxies', () => {
  const found: [image: string | null, is: boolean][] = [
    ['nginx', true],
    ['nginx:1.27-alpine', true],
    ['docker.io/library/caddy:2', true],
    ['traefik:v3', true],
    ['haproxy:lts-alpine', true],
    ['openresty/openresty', true],
    ['ghcr.io/acme/edge-nginx:v1', true],
    ['nginxinc/nginx-unprivileged', true],
    ['db.example:5000/mirror/nginx_proxy:1', true],
    [`nginx@sha256:${'a'.repeat(64)}`, true],
    ['ghcr.io/nginx/website:v1', false],
    ['nginx.example/website:v1', false],
    ['acme/website:nginx', false],
    ['acme/mynginx', false],
    ['acme/nginxify', false],
    ['', false],
    [null, false],
  ];
  for (const [image, is] of found) {
    test(`${image} is ${is ? 'one' : 'none'}`, () => {
      assert.deepEqual(proxiesIn(project(service('x', { image })), null), is ? ['x'] : []);
    });
  }

  test('the one that is named is the only one', () => {
    const services = project(service('edge', { image: 'acme/edge' }), service('nginx', { image: 'nginx' }));
    assert.deepEqual(proxiesIn(services, 'edge'), ['edge']);
    assert.deepEqual(proxiesIn(services, 'gone'), []);
  });
});

describe('the strategy', () => {
  const nginx = service('edge', { image: 'nginx' });
  type Case = [what: string, decided: () => ReturnType<typeof decideStrategy>, why: RegExp];
  const decide = (
    changes: Parameters<typeof service>[1] = {},
    containers = [container('web:v3')],
    others = [nginx],
    wanted: Parameters<typeof decideStrategy>[0] = 'auto',
  ) => {
    const web = service('web', changes);
    const all = project(web, ...others);
    return decideStrategy(wanted, web, containers, all, proxiesIn(all, null));
  };

  test('is blue-green behind a proxy, where two can run side by side', () => {
    for (const wanted of ['auto', 'blue-green'] as const) {
      const { strategy, why } = decide({}, undefined, undefined, wanted);
      assert.equal(strategy, 'blue-green');
      assert.equal(why, 'edge leads to it, and two of it can run side by side');
    }
    assert.equal(decide({}, [container('web:v3'), container('web:v3', { number: '2' })]).strategy, 'blue-green');
  });

  const recreated: Case[] = [
    ['it is asked for', () => decide({}, undefined, undefined, 'recreate'), /as the input "strategy" asks/],
    ['its name is fixed', () => decide({ containerName: 'shop-web' }), /its name is fixed \(shop-web\)/],
    ['it has a port of the host', () => decide({ publishes: true }), /port of the host/],
    ['its network is that of the host', () => decide({ networkMode: 'host' }), /its network is host/],
    ['its address is fixed', () => decide({ fixedAddress: true }), /address is fixed/],
    ['it has no container', () => decide({}, []), /no health test/],
    ['it has no health test', () => decide({}, [container('web:v3', { healthTest: null })]), /no health test/],
    [
      'its health test is switched off',
      () => decide({}, [container('web:v3', { healthTest: 'NONE' })]),
      /no health test/,
    ],
    [
      'one of its containers has no health test',
      () => decide({}, [container('web:v3'), container('web:v3', { healthTest: null })]),
      /no health test/,
    ],
    ['it has no port', () => decide({}, [container('web:v3', { exposedPorts: [] })]), /no port/],
    ['there is no proxy', () => decide({}, undefined, []), /no proxy was found/],
    ['the proxy is on another network', () => decide({ networks: ['inner'] }), /no proxy was found/],
    ['it is the proxy', () => decide({ image: 'nginx' }), /it is the proxy/],
  ];
  for (const [what, decided, why] of recreated) {
    test(`is to recreate where ${what}`, () => {
      const { strategy, why: told } = decided();
      assert.equal(strategy, 'recreate');
      assert.match(told, why);
    });
  }

  test('tells all reasons', () => {
    const { why } = decide({ containerName: 'a', publishes: true }, undefined, undefined, 'blue-green');
    assert.equal(why, 'its name is fixed (a); it has a port of the host');
  });

  test('a proxy does not lead to itself', () => {
    const lone = service('edge', { image: 'nginx' });
    const { why } = decideStrategy('auto', lone, [container('edge:v1')], project(lone), ['edge']);
    assert.equal(why, 'it is the proxy; no proxy was found on its network');
  });

  test('the proxy that is told of is on the network', () => {
    const far = service('far', { image: 'nginx', networks: ['outer'] });
    assert.match(decide({}, undefined, [far, nginx]).why, /^edge leads/);
  });
});

test('a health test that is switched off is none', () => {
  const tests = [null, 'NONE', 'CMD', 'CMD-SHELL'].map((healthTest) =>
    hasHealthTest(container('web:v1', { healthTest })),
  );
  assert.deepEqual(tests, [false, false, true, true]);
});
