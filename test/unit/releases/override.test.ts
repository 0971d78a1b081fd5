// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose, not ours

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse, YAMLMap } from 'yaml';
import { overrideYaml, revertYaml } from '../../../shared/plan/override.ts';
import type { ServiceStep } from '../../../shared/plan/plan.ts';
import { planRollback } from '../../../shared/plan/plan-rollback.ts';
import { request, sha } from './shop.ts';

function step(changes: Partial<ServiceStep>): ServiceStep {
  const [first] = planRollback(request()).services;
  assert.ok(first !== undefined);
  return { ...first, ...changes };
}

const volume = 'e'.repeat(64);

test('the new containers get the target, no fixed name, a label, and the volumes that the old one had', () => {
  const steps = [
    step({ service: 'api', fixedName: 'shop-api', anonymousVolumes: { '/cache': volume, '/data': volume } }),
    step({ service: 'web' }),
  ];
  const images = new Map([
    ['api', `ghcr.io/acme/api:v2@${sha('c')}`],
    ['web', sha('7')],
  ]);
  assert.equal(
    overrideYaml(
      steps,
      images,
      '20261123_021709',
      { files: ['/opt/shop/docker-compose.yml'], envFiles: ['/opt/prod.env'] },
      new Map([['default', 'shop_default']]),
    ),
    `services:
  "api":
    image: "ghcr.io/acme/api:v2@${sha('c')}"
    pull_policy: never
    container_name: !reset null
    labels: {"atlasia.transaction": "20261123_021709", "atlasia.compose-files": "/opt/shop/docker-compose.yml", "atlasia.compose-env-files": "/opt/prod.env"}
    volumes:
      - {type: volume, source: "atlasia-${volume}", target: "/cache"}
      - {type: volume, source: "atlasia-${volume}", target: "/data"}
  "web":
    image: "${sha('7')}"
    pull_policy: never
    labels: {"atlasia.transaction": "20261123_021709", "atlasia.compose-files": "/opt/shop/docker-compose.yml", "atlasia.compose-env-files": "/opt/prod.env"}
volumes:
  "atlasia-${volume}": {external: true, name: "${volume}"}
networks:
  "default": !override {external: true, name: "shop_default"}
`,
  );
});

test('to bring back what was lost, the image is named by its id; one without is left to compose', () => {
  const stopped = [
    { service: 'web', imageId: sha('3') },
    { service: 'api', imageId: null },
  ];
  assert.equal(revertYaml(stopped, new Map()), `services:\n  "web": {image: "${sha('3')}", pull_policy: never}\n`);
});

test('no value gets out of its place, or is a variable', () => {
  const awkward = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1 }),
    fc.constantFrom(
      '"',
      "'",
      '${HOME}',
      '$$',
      'a: b',
      '- x',
      '\n  evil: true',
      '!reset null',
      '\u2028',
      '\x85',
      '\ufeff',
      '\\"',
      '#',
      '&a',
      '~',
    ),
  );
  fc.assert(
    fc.property(awkward, awkward, awkward, (name, text, destination) => {
      const each = step({ service: name, fixedName: 'x', anonymousVolumes: { [destination]: volume } });
      const yaml = overrideYaml(
        [each],
        new Map([[name, text]]),
        text,
        { files: [text], envFiles: [] },
        new Map([[name, text]]),
      );
      // Compose puts a single $ for two.
      const once = (value: string) => value.replaceAll('$', '$$$$');
      assert.deepEqual(
        parse(yaml, {
          customTags: [
            { tag: '!reset', resolve: () => null },
            { tag: '!override', collection: 'map', nodeClass: YAMLMap },
          ],
        }),
        {
          services: {
            [once(name)]: {
              image: once(text),
              pull_policy: 'never',
              container_name: null,
              labels: { 'atlasia.transaction': once(text), 'atlasia.compose-files': once(text) },
              volumes: [{ type: 'volume', source: `atlasia-${volume}`, target: once(destination) }],
            },
          },
          volumes: { [`atlasia-${volume}`]: { external: true, name: volume } },
          networks: { [once(name)]: { external: true, name: once(text) } },
        },
      );
      // Nor anything that a reader of YAML may refuse.
      assert.doesNotMatch(yaml, /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/);
    }),
  );
});
