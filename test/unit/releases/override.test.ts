import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isMap, parse, parseDocument, type Scalar, type YAMLMap } from 'yaml';
import { overrideYaml, revertYaml } from '../../../shared/releases/override.ts';
import { planRollback, type ServiceStep } from '../../../shared/releases/plan.ts';
import { hex } from '../history/records.ts';
import { digest, imageId, planRequest } from './world.ts';

const [api, web] = planRollback(planRequest()).services as [ServiceStep, ServiceStep];
const target = new Map([
  ['api', `ghcr.io/acme/api:v2@${digest('api:v2')}`],
  ['web', imageId('web:v2')],
]);

/** Compose's tag for a value that takes away what the files below it say. */
const reset = { tag: '!reset', resolve: () => '(reset)' };
const read = (text: string) => parse(text, { customTags: [reset], strict: true, uniqueKeys: true });

describe('the override', () => {
  test('has for each service its image, which is not pulled, and the mark of the transaction', () => {
    const text = overrideYaml([api, web], target, '@transaction@');
    const service = (image: string | undefined) => ({
      image,
      pull_policy: 'never',
      labels: { 'atlasia.transaction': '@transaction@' },
    });
    assert.deepEqual(read(text), {
      services: { api: service(target.get('api')), web: service(target.get('web')) },
    });
  });

  test('takes a fixed name away, and brings volumes without a name along', () => {
    const fixed = { ...web, fixedName: 'shop-web', anonymousVolumes: { '/data': hex('1'), '/more data': hex('2') } };
    const { services, volumes } = read(overrideYaml([fixed], target, 'x'));
    assert.equal(services.web.container_name, '(reset)');
    assert.deepEqual(services.web.volumes, [
      { type: 'volume', source: `atlasia-${hex('1')}`, target: '/data' },
      { type: 'volume', source: `atlasia-${hex('2')}`, target: '/more data' },
    ]);
    assert.deepEqual(volumes, {
      [`atlasia-${hex('1')}`]: { external: true, name: hex('1') },
      [`atlasia-${hex('2')}`]: { external: true, name: hex('2') },
    });
  });

  test('names a volume of two services once', () => {
    const both = [api, web].map((step) => ({ ...step, anonymousVolumes: { '/data': hex('1') } }));
    assert.deepEqual(Object.keys(read(overrideYaml(both, target, 'x')).volumes), [`atlasia-${hex('1')}`]);
  });

  const names = [
    'y',
    'no',
    'null',
    '~',
    '1',
    '1.0',
    '0x1',
    '1e3',
    '__proto__',
    'constructor',
    '-',
    '.inf',
    'true',
    '<<',
    'a.b',
  ];
  for (const name of names) {
    test(`has a service called ${name} under that name, as text`, () => {
      const text = overrideYaml([{ ...web, service: name }], new Map([[name, 'web:v1']]), 'x');
      const services = parseDocument(text, { customTags: [reset] }).get('services') as YAMLMap<Scalar<string>, YAMLMap>;
      assert.deepEqual(
        services.items.map(({ key }) => key.value),
        [name],
      );
      assert.ok(isMap(services.items[0]?.value));
    });
  }

  test('lets no value out of its place, and gives each as it was, but for the dollars that compose would fill in', () => {
    const odd = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom(
        'a: b',
        '"',
        "'",
        '\\',
        '\n  x: y',
        '{',
        '}',
        '[',
        '#',
        ' #x',
        '*a',
        '&a',
        '!!js',
        '$TAG',
        '$$',
        '- ',
        '? ',
        '%YAML',
        '---',
        '\u2028',
        '\u0085',
        '\t',
        '\x7f',
        '\ud800',
      ),
    );
    fc.assert(
      fc.property(odd, odd, odd, odd, (service, image, volume, destination) => {
        const step = { ...web, service, fixedName: 'x', anonymousVolumes: { [destination]: volume } };
        const text = overrideYaml([step], new Map([[service, image]]), '@transaction@');
        const document = parseDocument(text, { customTags: [reset], strict: true });
        assert.deepEqual(document.errors, []);
        const asMap = document.toJS({ mapAsMap: true });
        const compose = (value: string) => value.replaceAll('$', () => '$$');
        const expected = new Map<string, unknown>([
          [
            'services',
            new Map([
              [
                compose(service),
                new Map<string, unknown>([
                  ['image', compose(image)],
                  ['pull_policy', 'never'],
                  ['container_name', '(reset)'],
                  ['labels', new Map([['atlasia.transaction', '@transaction@']])],
                  [
                    'volumes',
                    [
                      new Map([
                        ['type', 'volume'],
                        ['source', compose(`atlasia-${volume}`)],
                        ['target', compose(destination)],
                      ]),
                    ],
                  ],
                ]),
              ],
            ]),
          ],
          [
            'volumes',
            new Map([
              [
                compose(`atlasia-${volume}`),
                new Map<string, unknown>([
                  ['external', true],
                  ['name', compose(volume)],
                ]),
              ],
            ]),
          ],
        ]);
        assert.deepEqual(asMap, expected);
        // Compose reads lines as YAML 1.1 has them, where these end one as well.
        assert.doesNotMatch(text, /(?!\n)[\p{Cc}\u2028\u2029\ufeff]/u);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('the way back', () => {
  test('has the image of each service that runs now, by its id', () => {
    assert.deepEqual(read(revertYaml([api, web])), {
      services: {
        api: { image: imageId('api:v3'), pull_policy: 'never' },
        web: { image: imageId('web:v3'), pull_policy: 'never' },
      },
    });
  });

  test('leaves a service out of which nothing is known', () => {
    const lost = { ...web, fromImage: { ...web.fromImage, imageId: null } };
    assert.deepEqual(Object.keys(read(revertYaml([api, lost])).services), ['api']);
  });
});
