// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose, not ours

// Settings of services: compared with containers, hashed for the history, and told by their names alone.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lostSettings } from '../../../shared/plan/obstacles.ts';
import { describeChange, describeDrift } from '../../../shared/plan/settings.ts';
import { driftOf, type SettingsDrift } from '../../../shared/releases/service-settings.ts';
import { differingSettings, settingsChanged, settingsOf } from '../../../shared/releases/settings-hash.ts';
import type { ContainerSettings } from '../../../shared/survey/survey-compose.ts';

const secret = 'hunter2';
const configOf = (app: object, more: object = {}) => JSON.stringify({ name: 'shop', services: { app }, ...more });

const ran: ContainerSettings = {
  id: 'a',
  environment: ['PATH=/bin', `KEY=${secret}`, 'PRICE=5$', 'COLOUR=blue'],
  labels: { host: 'shop.example' },
  command: ['serve', '--token', secret],
  entrypoint: null,
  user: '1000',
  hostname: 'abc',
  workingDir: '/',
  ports: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '18080' }] },
  mounts: [
    { Type: 'bind', Source: '/srv/data', Destination: '/data' },
    { Type: 'volume', Name: 'prod-data', Source: '/var/lib/docker/x', Destination: '/var/data' },
  ],
};

function drift(
  now: object,
  written: object = now,
  unsetNames: string[] = [],
  { envNames = [] as string[], isUnsetElsewhere = false, more = {}, writtenMore = {} } = {},
): SettingsDrift {
  return driftOf({
    service: 'app',
    config: configOf(now, more),
    template: configOf(written, writtenMore),
    unsetNames,
    envNames,
    isUnsetElsewhere,
    settings: ran,
    created: '2026-11-27T00:00:00Z',
    imageVariables: ['PATH'],
    mountedFiles: [],
  });
}

const same = { KEY: secret, PRICE: '5$$', COLOUR: 'blue' };

describe('settings of a service, compared with its container', () => {
  const cases: [what: string, found: SettingsDrift, lost: string[], changed: string[]][] = [
    ['nothing differs', drift({ environment: same }), [], []],
    ['another value', drift({ environment: { ...same, COLOUR: 'red' } }), [], ['environment COLOUR']],
    ['a new value', drift({ environment: { ...same, NEW: '1' } }), [], ['environment NEW']],
    ['a value that is gone', drift({ environment: { KEY: secret, COLOUR: 'blue' } }), [], ['environment PRICE']],
    [
      'a variable that is not set now',
      drift({ environment: { ...same, KEY: '' } }, { environment: { ...same, KEY: '${SECRET_KEY}' } }, ['SECRET_KEY']),
      ['environment KEY'],
      [],
    ],
    [
      'a piece of a value that is not set now',
      drift({ environment: { ...same, KEY: 'hunter' } }, { environment: { ...same, KEY: 'hunter$NUMBER' } }, [
        'NUMBER',
      ]),
      ['environment KEY'],
      [],
    ],
    [
      'a variable that was not set then either',
      drift({ environment: { ...same, COLOUR: 'blue' } }, { environment: { ...same, COLOUR: 'blue$X' } }, ['X']),
      [],
      [],
    ],
    [
      'a name that is passed on from a shell without it',
      drift({ environment: { ...same, KEY: null } }, { environment: { ...same, KEY: null } }),
      ['environment KEY'],
      [],
    ],
    [
      'a name that was not passed on then either',
      drift({ environment: { ...same, NOTHING: null } }, { environment: { ...same, NOTHING: null } }),
      [],
      [],
    ],
    [
      'a label',
      drift({ environment: same, labels: { host: '' } }, { labels: { host: '${DOMAIN}' } }, ['DOMAIN']),
      ['label host'],
      [],
    ],
    [
      'the command',
      drift({ environment: same, command: ['serve', '--token', ''] }, { command: ['serve', '--token', '${T}'] }, ['T']),
      ['command'],
      [],
    ],
    ['the user', drift({ environment: same, user: ':' }, { user: '${UID}:${GID}' }, ['UID', 'GID']), ['user'], []],
    [
      'a published port',
      drift(
        { environment: same, ports: [{ target: 8080, protocol: 'tcp' }] },
        { ports: [{ target: 8080, published: '${PORT}' }] },
        ['PORT'],
      ),
      ['ports'],
      [],
    ],
    [
      'a port that does not need the variable',
      drift(
        { environment: same, ports: [{ target: 8080, published: '18080', protocol: 'tcp' }] },
        { ports: [{ target: 8080, published: '18080', host_ip: '${IP}' }] },
        ['IP'],
      ),
      [],
      [],
    ],
    [
      'a folder',
      drift(
        { environment: same, volumes: [{ type: 'bind', source: '/data', target: '/data' }] },
        { volumes: ['${DATA}/data:/data'] },
        ['DATA'],
      ),
      ['volumes'],
      [],
    ],
    [
      'a list instead of a map',
      drift({ environment: { ...same, KEY: '' } }, { environment: ['KEY=${SECRET_KEY}', 'COLOUR=blue'] }, [
        'SECRET_KEY',
      ]),
      ['environment KEY'],
      [],
    ],
    [
      'a name in a list that is passed on',
      drift({ environment: { ...same, KEY: null } }, { environment: ['KEY'] }),
      ['environment KEY'],
      [],
    ],
    [
      'a name that is passed on, and that the image sets itself',
      drift({ environment: { ...same, PATH: null } }, { environment: { ...same, PATH: null } }),
      [],
      [],
    ],
    [
      'a default, where a shell had a value',
      drift({ environment: { ...same, COLOUR: 'red' } }, { environment: { ...same, COLOUR: '${COLOUR:-red}' } }),
      ['environment COLOUR'],
      [],
    ],
    [
      'a default, where the env file has another value than then',
      drift({ environment: { ...same, COLOUR: 'red' } }, { environment: { ...same, COLOUR: '${COLOUR:-red}' } }, [], {
        envNames: ['COLOUR'],
      }),
      [],
      ['environment COLOUR'],
    ],
    [
      'a variable in an env_file that is not set',
      drift({ environment: { ...same, KEY: '' } }, { environment: {} }, ['X'], { isUnsetElsewhere: true }),
      ['environment KEY'],
      [],
    ],
    [
      'a volume by another name',
      drift({ environment: same, volumes: [{ type: 'volume', source: 'data', target: '/var/data' }] }, {}, [], {
        more: { volumes: { data: { name: 'data' } } },
      }),
      ['the volume at /var/data'],
      [],
    ],
    [
      'the same volume',
      drift({ environment: same, volumes: [{ type: 'volume', source: 'data', target: '/var/data' }] }, {}, [], {
        more: { volumes: { data: { name: 'prod-data' } } },
      }),
      [],
      [],
    ],
    [
      'a piece of an inline config',
      drift({ environment: same, configs: [{ source: 'c' }] }, {}, ['PW'], {
        writtenMore: { configs: { c: { content: 'pw=${PW}' } } },
      }),
      ['config c'],
      [],
    ],
  ];
  for (const [what, found, lost, changed] of cases)
    test(what, () => {
      assert.deepEqual(
        found.lost.map(({ setting }) => setting),
        lost,
      );
      assert.deepEqual(found.changed, changed);
      assert.doesNotMatch(JSON.stringify(found), /hunter|5\$|blue/);
    });

  test('what would be lost is refused, with the place for it', () => {
    const found = drift({ environment: { ...same, KEY: '' } }, { environment: { KEY: '${SECRET_KEY}' } }, [
      'SECRET_KEY',
    ]);
    const obstacle = lostSettings(found, '/opt/shop/.env');
    assert.match(obstacle?.what ?? '', /^app runs with a value for environment KEY, but/);
    assert.match(obstacle?.remedy ?? '', /^Set SECRET_KEY in \/opt\/shop\/\.env/);
    assert.equal(lostSettings(drift({ environment: same }), '.env'), null);
  });

  test('a name that may be a piece of a password is not told', () => {
    const found = drift({ environment: { ...same, KEY: 'x' } }, { environment: { KEY: 'x$ecret' } }, ['ecret']);
    assert.match(lostSettings(found, '.env')?.remedy ?? '', /^Set that variable in/);
  });

  test('files that are mounted and were changed are told', () => {
    const request = {
      service: 'app',
      config: configOf({ environment: same }),
      template: configOf({}),
      unsetNames: [],
      envNames: null,
      isUnsetElsewhere: false,
      settings: ran,
      created: '2026-11-27T00:00:00Z',
      imageVariables: ['PATH'],
    };
    const at = (time: string) => [{ path: '/srv/data', changedAt: Date.parse(time) }];
    assert.deepEqual(driftOf({ ...request, mountedFiles: at('2026-11-26T00:00:00Z') }).mounted, []);
    assert.match(
      describeDrift(driftOf({ ...request, mountedFiles: at('2026-11-28T00:00:00Z') })).join(),
      /^Files that app mounts have changed.*\/srv\/data$/,
    );
  });
});

describe('settings in the history', () => {
  const of = (app: object, written = app, more: object = {}, version = '2.26.1') =>
    settingsOf({ version, config: configOf(app, more), template: configOf(written), settingsKey: 'key of the host' });
  const app = { image: 'acme/app:v2', environment: { COLOUR: 'blue', VERSION: 'v2' }, healthcheck: { test: ['a'] } };
  const template = { image: 'acme/app:${TAG}', environment: { COLOUR: 'blue', VERSION: '${TAG}' } };
  const base = of(app, template);

  const cases: [what: string, other: ReturnType<typeof of>, change: string][] = [
    ['the same', of(app, template), 'no'],
    ['another image', of({ ...app, image: 'acme/app:v1' }, template), 'no'],
    [
      'another tag where the tag is a value',
      of({ ...app, environment: { COLOUR: 'blue', VERSION: 'v1' } }, template),
      'no',
    ],
    ['another value', of({ ...app, environment: { COLOUR: 'red', VERSION: 'v2' } }, template), 'yes'],
    ['another health check', of({ ...app, healthcheck: { test: ['b'] } }, template), 'yes'],
    ['another compose', of(app, template, {}, '2.40.3'), 'unknown'],
    ['none', null, 'unknown'],
  ];
  for (const [what, other, change] of cases)
    test(`${what}: ${change}`, () => assert.equal(settingsChanged(base, other, 'app'), change));

  test('a list of values is the same as a map', () => {
    const list = of(app, { image: 'acme/app:${TAG}', environment: ['COLOUR=blue', 'VERSION=${TAG}'] });
    assert.equal(settingsChanged(base, list, 'app'), 'no');
  });

  test('the content of a config counts', () => {
    const with_ = { ...app, configs: [{ source: 'motd' }] };
    const one = of(with_, template, { configs: { motd: { content: 'a' } } });
    const two = of(with_, template, { configs: { motd: { content: 'b' } } });
    assert.equal(settingsChanged(one, two, 'app'), 'yes');
  });

  test('a service that was not there is unknown', () => assert.equal(settingsChanged(base, base, 'other'), 'unknown'));

  test('nothing can be told from them, and nothing is made without a key', () => {
    assert.match(
      JSON.stringify(base),
      /^\{"compose":"2.26.1","kept":"[0-9a-f]{32}","services":\{"app":"[0-9a-f]{32}"\}\}$/,
    );
    assert.equal(settingsOf({ version: '2', config: configOf(app), template: '', settingsKey: null }), null);
    assert.equal(settingsOf({ version: '2', config: '', template: '', settingsKey: 'key' }), null);
  });

  test('what differs is told by its name alone', () => {
    const one = configOf({ image: 'a', environment: { KEY: secret, SAME: '1' }, healthcheck: { test: ['a'] } });
    const two = configOf({ image: 'b', environment: { KEY: 'x', SAME: '1', NEW: '2' }, healthcheck: { test: ['b'] } });
    assert.deepEqual(differingSettings(one, two, 'app'), ['environment.KEY', 'environment.NEW', 'healthcheck.test']);
    const change = { service: 'app', change: 'yes' as const, differing: ['healthcheck.test'], isKept: true };
    assert.match(
      describeChange(change) ?? '',
      /^The settings of app .* healthcheck\.test\. To go back .*compose: kept$/,
    );
    assert.equal(describeChange({ ...change, change: 'no' }), null);
    assert.doesNotMatch(describeChange({ ...change, isKept: false }) ?? '', /kept/);
  });
});
