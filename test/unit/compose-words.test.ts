// biome-ignore-all lint/suspicious/noTemplateCurlyInString: compose's own variables
// What compose says of a mistake in the files: that it is told, and that nothing of what it quotes from them is.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../shared/survey/compose-words.sh', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'compose-words-'));

after(() => rmSync(folder, { recursive: true }));

/** As the survey does, where `words` is what compose has said. */
function told(words: string, files: readonly string[] = []): string[] {
  const main = 'set -euo pipefail; . "$1"; shift; tell_mistakes "$@"';
  const { stdout, status, stderr } = spawnSync('bash', ['-c', main, 'bash', script, ...files], {
    cwd: folder,
    input: words,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return stdout.split('\n').filter((line) => line !== '');
}

/** As compose 2.26 and 2.40 have said it, of files in which s3cr3t stands where passwords may. */
const said: [mistake: string, version: string, words: string, told: string[]][] = [
  [
    'an env file that only root reads',
    '2.26 and 2.40',
    'open /opt/shop/.env: permission denied\n',
    ['open /opt/shop/.env: permission denied'],
  ],
  [
    'a variable that must be set',
    '2.26 and 2.40',
    'error while interpolating services.app.image: required variable TAG is missing a value\n',
    ['error while interpolating services.app.image: required variable TAG is missing a value'],
  ],
  [
    'one with a message of its own',
    '2.26 and 2.40',
    'error while interpolating services.app.image: required variable TAG is missing a value: s3cr3t give the tag\n',
    ['error while interpolating services.app.image: required variable TAG is missing a value'],
  ],
  [
    'one that may be empty',
    '2.26 and 2.40',
    'error while interpolating services.app.image: required variable TAG is missing a value: s3cr3t err\n',
    ['error while interpolating services.app.image: required variable TAG is missing a value'],
  ],
  [
    'a file of variables that is not there',
    '2.26 and 2.40',
    'env file /opt/shop/secrets.env not found: stat /opt/shop/secrets.env: no such file or directory\n',
    ['env file /opt/shop/secrets.env not found: stat /opt/shop/secrets.env: no such file or directory'],
  ],
  [
    'one that only root reads',
    '2.26 and 2.40',
    'open /opt/shop/app.env: permission denied\n',
    ['open /opt/shop/app.env: permission denied'],
  ],
  [
    'one with an open quote',
    '2.26',
    'line 2: unterminated quoted value "s3cr3t\n',
    ['line 2: unterminated quoted value …'],
  ],
  [
    'one with an open quote',
    '2.40',
    'failed to read /opt/shop/app.env: line 2: unterminated quoted value "s3cr3t\n',
    ['failed to read /opt/shop/app.env: line 2: unterminated quoted value …'],
  ],
  [
    'one with a name that is none',
    '2.26',
    'line 1: unexpected character "!" in variable name "s3cr3t!x word"\n',
    ['line 1: unexpected character "!" in variable name …'],
  ],
  [
    'one with a name that is none',
    '2.40',
    'failed to read /opt/shop/app.env: line 1: unexpected character "!" in variable name "s3cr3t!x word"\n',
    ['failed to read /opt/shop/app.env: line 1: unexpected character "!" in variable name …'],
  ],
  [
    'an env file with an open quote',
    '2.26 and 2.40',
    'failed to read /opt/shop/.env: line 3: unterminated quoted value "s3cr3t\n',
    ['failed to read /opt/shop/.env: line 3: unterminated quoted value …'],
  ],
  [
    'an env file with a name that is none',
    '2.26 and 2.40',
    'failed to read /opt/shop/.env: line 2: unexpected character "*" in variable name "P*W=s3cr3t"\n',
    ['failed to read /opt/shop/.env: line 2: unexpected character "*" in variable name …'],
  ],
  [
    'an env file with an open brace',
    '2.26 and 2.40',
    'failed to read /opt/shop/.env: Invalid template: "s3cr3t${ali9"\n',
    ['failed to read /opt/shop/.env: Invalid template: …'],
  ],
  [
    'a tab',
    '2.26 and 2.40',
    'yaml: line 2: found character that cannot start any token\n',
    ['yaml: line 2: found character that cannot start any token'],
  ],
  [
    'two colons',
    '2.26 and 2.40',
    'yaml: line 5: mapping values are not allowed in this context\n',
    ['yaml: line 5: mapping values are not allowed in this context'],
  ],
  [
    'an open quote',
    '2.26 and 2.40',
    'yaml: line 5: found unexpected end of stream\n',
    ['yaml: line 5: found unexpected end of stream'],
  ],
  [
    'a wrong indent',
    '2.26 and 2.40',
    'yaml: line 1: did not find expected key\n',
    ['yaml: line 1: did not find expected key'],
  ],
  ['an alias', '2.26 and 2.40', "yaml: unknown anchor 's3cr3t' referenced\n", ['yaml: unknown anchor … referenced']],
  [
    'a key twice',
    '2.26',
    'yaml: unmarshal errors:\n  line 4: mapping key "image" already defined at line 3\n',
    ['yaml: unmarshal errors:', '  line 4: mapping key "image" already defined at line 3'],
  ],
  [
    'a key twice',
    '2.40',
    'failed to parse /opt/shop/docker-compose.yml: line 4: mapping key "image" already defined at line 3\n',
    ['failed to parse /opt/shop/docker-compose.yml: line 4: mapping key "image" already defined at line 3'],
  ],
  [
    'an open bracket',
    '2.26 and 2.40',
    "yaml: line 3: did not find expected ',' or ']'\n",
    ["yaml: line 3: did not find expected ',' or ']'"],
  ],
  [
    'a line without a colon',
    '2.26 and 2.40',
    "yaml: line 4: could not find expected ':'\n",
    ["yaml: line 4: could not find expected ':'"],
  ],
  [
    'a word',
    '2.26 and 2.40',
    'yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `s3cr3t` into cli.named\n',
    ['yaml: unmarshal errors:', '  line 1: cannot unmarshal !!str into cli.named'],
  ],
  ['nothing', '2.26 and 2.40', 'empty compose file\n', ['empty compose file']],
  [
    'a list',
    '2.26 and 2.40',
    'yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into cli.named\n',
    ['yaml: unmarshal errors:', '  line 1: cannot unmarshal !!seq into cli.named'],
  ],
  ['services as a list', '2.26 and 2.40', 'services must be a mapping\n', ['services must be a mapping']],
  [
    'an unknown key',
    '2.26',
    'validating /opt/shop/docker-compose.yml: services.app Additional property enviroment is not allowed\n',
    ['validating /opt/shop/docker-compose.yml: services.app Additional property enviroment is not allowed'],
  ],
  [
    'an unknown key',
    '2.40',
    "validating /opt/shop/docker-compose.yml: services.app additional properties 'enviroment' not allowed\n",
    ["validating /opt/shop/docker-compose.yml: services.app additional properties 'enviroment' not allowed"],
  ],
  [
    'an unknown key at the top',
    '2.26',
    'validating /opt/shop/docker-compose.yml: (root) Additional property servces is not allowed\n',
    ['validating /opt/shop/docker-compose.yml: (root) Additional property servces is not allowed'],
  ],
  [
    'an unknown key at the top',
    '2.40',
    "validating /opt/shop/docker-compose.yml:  additional properties 'servces' not allowed\n",
    ["validating /opt/shop/docker-compose.yml:  additional properties 'servces' not allowed"],
  ],
  [
    'an undefined volume',
    '2.26 and 2.40',
    'service "app" refers to undefined volume data: invalid compose project\n',
    ['service "app" refers to undefined volume data: invalid compose project'],
  ],
  [
    'an undefined network',
    '2.26 and 2.40',
    'service "app" refers to undefined network backend: invalid compose project\n',
    ['service "app" refers to undefined network backend: invalid compose project'],
  ],
  [
    'an undefined secret',
    '2.26 and 2.40',
    'service "app" refers to undefined secret token: invalid compose project\n',
    ['service "app" refers to undefined secret token: invalid compose project'],
  ],
  [
    'an undefined service',
    '2.26 and 2.40',
    'service "app" depends on undefined service "db": invalid compose project\n',
    ['service "app" depends on undefined service "db": invalid compose project'],
  ],
  [
    'services that depend on each other',
    '2.26 and 2.40',
    'dependency cycle detected: app -> b -> app\n',
    ['dependency cycle detected: app -> b -> app'],
  ],
  [
    'no image',
    '2.26 and 2.40',
    'service "app" has neither an image nor a build context specified: invalid compose project\n',
    ['service "app" has neither an image nor a build context specified: invalid compose project'],
  ],
  ['a port that is none', '2.26 and 2.40', 'Invalid hostPort: s3cr3t\n', ['Invalid hostPort: …']],
  [
    'ports that are no list',
    '2.26',
    'validating /opt/shop/docker-compose.yml: services.app.ports must be a list\n',
    ['validating /opt/shop/docker-compose.yml: services.app.ports must be a list'],
  ],
  [
    'ports that are no list',
    '2.40',
    'validating /opt/shop/docker-compose.yml: services.app.ports must be a array\n',
    ['validating /opt/shop/docker-compose.yml: services.app.ports must be a array'],
  ],
  [
    'a duration that is none',
    '2.26',
    'decoding failed due to the following error(s):\n\nerror decoding \'services[app].stop_grace_period\': time: invalid duration "s3cr3t"\n',
    [
      'decoding failed due to the following error(s):',
      "error decoding 'services[app].stop_grace_period': time: invalid duration …",
    ],
  ],
  [
    'a duration that is none',
    '2.40',
    'decoding failed due to the following error(s):\n\n\'services[app].stop_grace_period\' time: invalid duration "s3cr3t"\n',
    ['decoding failed due to the following error(s):', "'services[app].stop_grace_period' time: invalid duration …"],
  ],
  [
    'a boolean that is none',
    '2.26 and 2.40',
    'error while interpolating services.app.init: failed to cast to expected type: invalid boolean: s3cr3t\n',
    ['error while interpolating services.app.init: failed to cast to expected type: …'],
  ],
  [
    'a size that is none',
    '2.26',
    "decoding failed due to the following error(s):\n\nerror decoding 'services[app].mem_limit': invalid size: 's3cr3t'\n",
    ['decoding failed due to the following error(s):', "error decoding 'services[app].mem_limit': invalid size: …"],
  ],
  [
    'a size that is none',
    '2.40',
    'decoding failed due to the following error(s):\n\n\'services[app].mem_limit\' strconv.ParseFloat: parsing "s3cr3": invalid syntax\n',
    ['decoding failed due to the following error(s):', "'services[app].mem_limit' strconv.ParseFloat: parsing …"],
  ],
  [
    'a variable that is a mapping',
    '2.26',
    'validating /opt/shop/docker-compose.yml: services.app.environment.PW must be a string, number, boolean or null\n',
    ['validating /opt/shop/docker-compose.yml: services.app.environment.PW must be a string, number, boolean or null'],
  ],
  [
    'a variable that is a mapping',
    '2.40',
    'validating /opt/shop/docker-compose.yml: services.app.environment.PW must be a boolean, null, number or string\n',
    ['validating /opt/shop/docker-compose.yml: services.app.environment.PW must be a boolean, null, number or string'],
  ],
  [
    'a variable that is none',
    '2.26 and 2.40',
    'invalid interpolation format for services.app.hostname.\nYou may need to escape any $ with another $.\ns3cr3t${bad!x}\n',
    ['invalid interpolation format for services.app.hostname.', 'You may need to escape any $ with another $.'],
  ],
  [
    'a service to extend that is not there',
    '2.26 and 2.40',
    'cannot extend service "app" in /opt/shop/docker-compose.yml: service "web" not found\n',
    ['cannot extend service "app" in /opt/shop/docker-compose.yml: service "web" not found'],
  ],
  [
    'a file to include that is not there',
    '2.26 and 2.40',
    'open /opt/shop/other/compose.yml: no such file or directory\n',
    ['open /opt/shop/other/compose.yml: no such file or directory'],
  ],
  [
    'no file at all',
    '2.26 and 2.40',
    'no configuration file provided: not found\n',
    ['no configuration file provided: not found'],
  ],
  [
    'no env file of that name',
    '2.26',
    "Couldn't find env file: /opt/shop/prod.env\n",
    ["Couldn't find env file: /opt/shop/prod.env"],
  ],
  [
    'no env file of that name',
    '2.40',
    "couldn't find env file: /opt/shop/prod.env\n",
    ["couldn't find env file: /opt/shop/prod.env"],
  ],
  [
    'a project name that is none',
    '2.26 and 2.40',
    'invalid project name "S3cr3t!": must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number\n',
    [
      'invalid project name …: must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number',
    ],
  ],
  [
    'a service name that is none',
    '2.26',
    'validating /opt/shop/docker-compose.yml: services Additional property s3 cr3t is not allowed\n',
    ['validating /opt/shop/docker-compose.yml: services Additional property … is not allowed'],
  ],
  [
    'a service name that is none',
    '2.40',
    "validating /opt/shop/docker-compose.yml: services additional properties 's3 cr3t' not allowed\n",
    ['validating /opt/shop/docker-compose.yml: services additional properties … not allowed'],
  ],
  [
    'a number that is none',
    '2.26 and 2.40',
    'error while interpolating services.app.deploy.replicas: failed to cast to expected type: strconv.Atoi: parsing "s3cr3t": invalid syntax\n',
    ['error while interpolating services.app.deploy.replicas: failed to cast to expected type: …'],
  ],
  [
    'a fixed name for two',
    '2.26',
    "services.deploy.replicas: can't set container_name and app as container name must be unique: invalid compose project\n",
    [
      "services.deploy.replicas: can't set container_name and app as container name must be unique: invalid compose project",
    ],
  ],
  [
    'a fixed name for two',
    '2.40',
    "validating /opt/shop/docker-compose.yml: services.app.container_name 'x' does not match pattern '[a-zA-Z0-9][a-zA-Z0-9_.-]+'\n",
    ['validating /opt/shop/docker-compose.yml: services.app.container_name … does not match its pattern'],
  ],
  [
    'two ways to have a volume',
    '2.26 and 2.40',
    'volumes.d: conflicting parameters "external" and "driver" specified\n',
    ['volumes.d: conflicting parameters "external" and "driver" specified'],
  ],
  ['an address that is none', '2.26 and 2.40', 'Invalid ip address: 300.1.1.1\n', ['Invalid ip address: …']],
  [
    'a condition that is none',
    '2.26',
    'validating /opt/shop/docker-compose.yml: services.app.depends_on.db.condition services.app.depends_on.db.condition must be one of the following: "service_started", "service_healthy", "service_completed_successfully"\n',
    [
      'validating /opt/shop/docker-compose.yml: services.app.depends_on.db.condition services.app.depends_on.db.condition must be one of the following: "service_started", "service_healthy", "service_completed_successfully"',
    ],
  ],
  [
    'a condition that is none',
    '2.40',
    "validating /opt/shop/docker-compose.yml: services.app.depends_on.db.condition value must be one of 'service_started', 'service_healthy', 'service_completed_successfully'\n",
    [
      "validating /opt/shop/docker-compose.yml: services.app.depends_on.db.condition value must be one of 'service_started', 'service_healthy', 'service_completed_successfully'",
    ],
  ],
  [
    'a merge of a word',
    '2.26',
    'yaml: map merge requires map or sequence of maps as the value\n',
    ['yaml: map merge requires map or sequence of maps as the value'],
  ],
  [
    'a merge of a word',
    '2.40',
    'failed to parse /opt/shop/docker-compose.yml: yaml: map merge requires map or sequence of maps as the value\n',
    ['failed to parse /opt/shop/docker-compose.yml: yaml: map merge requires map or sequence of maps as the value'],
  ],
  ['a service that is a word', '2.26 and 2.40', 'services.app must be a mapping\n', ['services.app must be a mapping']],
  [
    'a label that is a number',
    '2.26 and 2.40',
    'services.app.labels.[0]: unexpected type int\n',
    ['services.app.labels.[0]: unexpected type int'],
  ],
  [
    'two sources of a config',
    '2.26 and 2.40',
    'configs.m: file|environment|content attributes are mutually exclusive\n',
    ['configs.m: file|environment|content attributes are mutually exclusive'],
  ],
  [
    'two ways to have a network',
    '2.26 and 2.40',
    'service app declares mutually exclusive `network_mode` and `networks`: invalid compose project\n',
    ['service app declares mutually exclusive `network_mode` and `networks`: invalid compose project'],
  ],
  [
    'bytes that are no text',
    '2.26 and 2.40',
    'yaml: invalid leading UTF-8 octet\n',
    ['yaml: invalid leading UTF-8 octet'],
  ],
];

describe('a mistake is told, and what is quoted is not:', () => {
  for (const [mistake, version, words, lines] of said)
    test(`${mistake}, by ${version}`, () => {
      assert.deepEqual(told(words), lines);
      assert.doesNotMatch(lines.join(), /s3cr3t|ali9/i);
      assert.notDeepEqual(lines, []);
    });
});

test('a place near a fault is not told', () => {
  assert.deepEqual(told('yaml: line 3: did not find expected key near `s3cr3t: x`\n'), [
    'yaml: line 3: did not find expected key',
  ]);
});

describe('hidden is', () => {
  const hidden: [what: string, words: string][] = [
    ['what is unknown', 'panic: s3cr3t'],
    ['an address with a login', 'open https://me:s3cr3t@example.org/compose.yml: no such file or directory'],
    ['a mistake with more behind it', 'open /opt/shop/.env: permission denied, s3cr3t'],
    ['a mistake with something before it', 's3cr3t open /opt/shop/.env: permission denied'],
    ['a key that is no name', "additional properties 'PW=s3cr3t' not allowed, and s3cr3t"],
    ['a service that is no name', 'service "s3 cr3t" refers to undefined volume data: invalid compose project'],
    ['a value that looks like a mistake', 'You may need to escape any $ with another $.\ns3cr3t must be a string'],
    ['a line that has no end', `yaml: line 1: found ${'s3cr3t '.repeat(1_000)}`],
    ['bytes that are no text', '\xff\xfe s3cr3t'],
    ['nothing', ''],
  ];
  for (const [what, words] of hidden) test(what, () => assert.doesNotMatch(told(words).join(), /s3|cr3t/));
});

describe('the name of a variable that must be set', () => {
  const words = (place: string) =>
    `error while interpolating services.app.${place}: required variable ali9 is missing a value`;
  const compose = join(folder, 'docker-compose.yml');
  const cases: [what: string, text: string, isTold: boolean][] = [
    ['is told where it is a whole value', 'PW: "${ali9:?give it}"', true],
    ['is told where it is an entry of a list', '  - PW=${ali9:?}', true],
    ['is hidden where it may be a piece of a password', 'PW: x${ali9:?y}', false],
    ['is hidden where it is in no file', 'PW: y', false],
  ];
  for (const [what, text, isTold] of cases)
    test(what, () => {
      writeFileSync(compose, text);
      for (const files of [[compose], []])
        assert.equal(told(words('environment.PW'), files).join().includes('ali9'), isTold, text);
    });
  test('is told where it is part of an image', () => {
    writeFileSync(compose, 'image: x:${ali9:?}');
    assert.match(told(words('image')).join(), /required variable ali9 is/);
  });
});
