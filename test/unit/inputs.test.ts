import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import { Failure, InputError } from '../../shared/failure.ts';
import { readHistoryInputs } from '../../shared/inputs/history-inputs.ts';
import * as grammar from '../../shared/runner/grammar.ts';
import { type InputReader, readInputs } from '../../shared/runner/input-reader.ts';
import { startStep } from './runner-fixtures/step.ts';

/** Reads as a step would to which the workflow gave these. */
function read<T>(given: Record<string, string>, reading: (input: InputReader) => T): T {
  for (const [name, value] of Object.entries(given)) process.env[`INPUT_${name.toUpperCase()}`] = value;
  return readInputs(reading);
}

afterEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('INPUT_')) delete process.env[name];
});

describe('a file with SQL in the workspace', () => {
  const workspace = mkdtempSync(join(tmpdir(), 'workspace-'));
  const put = (name: string, content: Buffer | string) => writeFileSync(join(workspace, name), content);
  const parse = (name: string) => {
    const { GITHUB_WORKSPACE: before = '' } = process.env;
    process.env['GITHUB_WORKSPACE'] = workspace;
    try {
      return grammar.sqlFile.parse(name);
    } finally {
      process.env['GITHUB_WORKSPACE'] = before;
    }
  };
  after(() => rmSync(workspace, { recursive: true }));

  test('is read, from a folder of it too', () => {
    mkdirSync(join(workspace, 'sql'));
    put('sql/after.sql', 'SELECT 1;');
    assert.equal(parse('sql/after.sql'), 'SELECT 1;');
  });
  test('is read without a byte order mark, which the server would take for a part of the first statement', () => {
    put('marked.sql', '\ufeffSELECT 1;');
    assert.equal(parse('marked.sql'), 'SELECT 1;');
  });
  const bad: [name: string, content: Buffer | string | null, why: RegExp][] = [
    ['missing.sql', null, /is not a readable file/],
    ['.', null, /is not a readable file/],
    ['dump.sql', Buffer.alloc(8 * 2 ** 20 + 1, 'x'), /is larger than 8\.0 MiB/],
    ['dump.bin', 'PGDMP\0', /is not a text file/],
  ];
  for (const [name, content, why] of bad) {
    test(`is not ${name}`, () => {
      if (content !== null) put(name, content);
      assert.throws(() => parse(name), why);
    });
  }
});

describe('grammars', () => {
  const { text, line, boolean, integer, decimal, allOrNumber, duration, size, port } = grammar;
  const colour = grammar.choice('red', 'green');
  const few = integer({ min: -1, max: 9 });
  const ratio = decimal({ min: 0, max: 1 });

  const good: [string, grammar.Grammar<unknown>, string, unknown][] = [
    ['text', text, `a"b' $(id) \`x\` x=y\nz ; -- é`, `a"b' $(id) \`x\` x=y\nz ; -- é`],
    ['line', line, '-x "é"', '-x "é"'],
    ['boolean', boolean, 'TRUE', true],
    ['boolean', boolean, 'False', false],
    ['choice', colour, 'green', 'green'],
    ['integer', few, '-1', -1],
    ['integer', few, '09', 9],
    ['decimal', ratio, '0.5', 0.5],
    ['decimal', ratio, '1', 1],
    ['allOrNumber', allOrNumber, 'all', 'all'],
    ['allOrNumber', allOrNumber, '0', 0],
    ['duration', duration, '26h', 93_600_000],
    ['size', size, '1GiB', 2 ** 30],
    ['lines', grammar.lines(few), '1\r\n\n 2 \n', [1, 2]],
    ['environmentName', grammar.environmentName, 'staging-2.EU_west', 'staging-2.EU_west'],
    ['environmentName', grammar.environmentName, '_', '_'],
    ['absolutePath', grammar.absolutePath, '/srv/a b/..c/$x', '/srv/a b/..c/$x'],
    ['relativePath', grammar.relativePath, './compose.yml', './compose.yml'],
    ['anyPath', grammar.anyPath, '/backups', '/backups'],
    ['hostName', grammar.hostName, 'db-1.example.com', 'db-1.example.com'],
    ['hostName', grammar.hostName, '192.0.2.7', '192.0.2.7'],
    ['hostName', grammar.hostName, '2001:db8::7', '2001:db8::7'],
    ['port', port, '65535', 65_535],
    ['userName', grammar.userName, 'deploy.er-1', 'deploy.er-1'],
    ['serviceName', grammar.serviceName, 'db_1.a-b', 'db_1.a-b'],
    ['projectName', grammar.projectName, 'my-app_2', 'my-app_2'],
    ['jumpHost', grammar.jumpHost, 'bastion', { user: null, host: 'bastion', port: null }],
    ['jumpHost', grammar.jumpHost, 'me@bastion:2222', { user: 'me', host: 'bastion', port: 2222 }],
    ['jumpHost', grammar.jumpHost, '[2001:db8::7]:22', { user: null, host: '2001:db8::7', port: 22 }],
    ['timeZone', grammar.timeZone, 'Europe/Berlin', 'Europe/Berlin'],
    ['httpUrl', grammar.httpUrl, 'https://shop.example', new URL('https://shop.example/')],
    ['httpUrl', grammar.httpUrl, 'HTTP://127.0.0.1:8080/h?a=b#c', new URL('http://127.0.0.1:8080/h?a=b#c')],
    ['httpUrl', grammar.httpUrl, 'http://[::1]/a "b"', new URL('http://[::1]/a%20%22b%22')],
  ];
  for (const [name, { parse }, given, value] of good) {
    test(`${name} takes ${JSON.stringify(given)}`, () => assert.deepEqual(parse(given), value));
  }

  const bad: [string, grammar.Grammar<unknown>, string[]][] = [
    ['text', text, ['a\0b']],
    ['line', line, ['a\nb', 'a\rb', 'a\0b', 'a\x1b[1m', 'a\x85b']],
    [
      'environmentName',
      grammar.environmentName,
      ['../../x', 'a/b', '.a', '-a', 'a b', 'é', 'a\nb', 'a\n', '%41', 'x'.repeat(65)],
    ],
    ['boolean', boolean, ['yes', '1', 'tRUE', 'true\n']],
    ['choice', colour, ['Red', 'red,green', 'constructor']],
    ['integer', few, ['10', '-2', '1.0', '1e0', '0x1', ' 1', '1\n', '١']],
    ['decimal', ratio, ['1.1', '-0.1', '.5', '1.', '1e0', 'NaN', 'Infinity']],
    ['allOrNumber', allOrNumber, ['ALL', '-1', '1.5', '99999999999999999']],
    ['duration', duration, ['5', '5 m', '577h']],
    ['size', size, ['1 GiB', 'GiB']],
    ['lines', grammar.lines(few), ['1\n10']],
    ['absolutePath', grammar.absolutePath, ['srv', '/srv/../etc', '/..', '/a\nb', '/a\rb', '/a\0b', '~/x']],
    ['relativePath', grammar.relativePath, ['/srv', '../x', 'a/..', 'a\nb', 'a\0']],
    ['anyPath', grammar.anyPath, ['a/../b', 'a\nb']],
    [
      'hostName',
      grammar.hostName,
      [
        '-oProxyCommand=x',
        'a;b',
        'a b',
        'a$(id)',
        'a`id`',
        'a/b',
        'u@h',
        'fe80::1%eth0',
        '[::1]',
        'a-',
        'a\n',
        'é.example',
        'x'.repeat(254),
      ],
    ],
    ['port', port, ['0', '65536', '22;']],
    ['userName', grammar.userName, ['-l', 'a b', 'a@b', 'a%h', 'a\n', '', '$(id)']],
    ['serviceName', grammar.serviceName, ['-x', 'a b', 'a/b', 'a\nb', '.a']],
    ['projectName', grammar.projectName, ['My', '-a', '_a', 'a.b']],
    [
      'jumpHost',
      grammar.jumpHost,
      ['@h', 'u@', 'h:', 'h:x', 'a@b@c', '2001:db8::7', 'h,i', '-x', '[h', 'u@h:22\n', ''],
    ],
    [
      'httpUrl',
      grammar.httpUrl,
      [
        'shop.example',
        '/health',
        '//shop.example',
        'ftp://shop.example',
        'file:///etc/passwd',
        'javascript:alert(1)',
        'http://',
        'http://a b',
        'http://u@shop.example',
        'http://:p@shop.example',
        'http://shop.example/?a\\b',
        '',
      ],
    ],
    ['timeZone', grammar.timeZone, ['Mars/Olympus', 'Europe/Berlin\n', '']],
  ];
  for (const [name, { parse, hint }, values] of bad) {
    for (const value of values) {
      test(`${name} refuses ${JSON.stringify(value).slice(0, 60)}`, () => {
        assert.throws(
          () => parse(value),
          (error) => error instanceof RangeError && /^(is|must|contains|does not have) /.test(error.message),
        );
      });
    }
    test(`${name} says what to give`, () => assert.match(hint, /^[A-Z].*\.$/));
  }
});

describe('reading inputs', () => {
  const { hostName, port, text, duration } = grammar;

  test('trims what is given and fills in what is not', () => {
    const inputs = read({ host: ' db.example.com\n', port: '  ', 'db-name': '' }, (input) => ({
      host: input.required('host', hostName),
      port: input.withDefault('port', port, 22),
      database: input.optional('db-name', text),
    }));
    assert.deepEqual(inputs, { host: 'db.example.com', port: 22, database: null });
  });

  test('an empty value may have a meaning of its own, unlike one that is not given', () => {
    const history = (given: Record<string, string>) =>
      read(given, (input) => input.withEmpty('history', grammar.lines(port), [], [22]));
    assert.deepEqual(history({}), [22]);
    assert.deepEqual(history({ history: '' }), []);
    assert.deepEqual(history({ history: ' \n' }), []);
    assert.deepEqual(history({ history: '1\n2' }), [1, 2]);
    assert.throws(() => history({ history: 'x' }), { name: 'InputError', field: 'history' });
  });

  test('the copies of the history are an artifact, with a cache that finds it, or none', () => {
    const history = (given: Record<string, string>) => read(given, readHistoryInputs).history;
    assert.deepEqual(history({}), ['artifact', 'cache']);
    assert.deepEqual(history({ history: '' }), []);
    assert.deepEqual(history({ history: 'artifact' }), ['artifact']);
    assert.deepEqual(history({ history: ' cache , artifact' }), ['cache', 'artifact']);
    assert.throws(() => history({ history: 'cache,disk' }), { name: 'InputError', field: 'history' });
    // It would be no copy at all.
    assert.throws(() => history({ history: 'cache' }), { field: 'history', message: /says where the newest/ });
  });

  test('names a bad input, shows what was given and says what to give', () => {
    assert.throws(() => read({ timeout: '5 min' }, (input) => input.withDefault('timeout', duration, 0)), {
      name: 'InputError',
      code: 'bad-input',
      field: 'timeout',
      message: 'Input "timeout" is not a duration such as 90s, 5m or 2h (given: "5 min")',
      hint: 'Give a duration such as 90s, 5m or 2h.',
    });
  });

  test('shows a hostile value cleaned and cut', () => {
    assert.throws(
      () => read({ host: `x\r::add-mask::y##[error]${'z'.repeat(200)}` }, (input) => input.required('host', hostName)),
      ({ message }: Error) => /given: "x \\::add-mask::y##\\\[error\]z+…"\)$/.test(message) && message.length < 140,
    );
  });

  test('names a missing input, with the hint of whoever asks for it', () => {
    const reading = (input: InputReader) => input.required('known-hosts', text, 'Run: ssh-keyscan db');
    assert.throws(() => read({}, reading), {
      message: 'Input "known-hosts" is required and was not given',
      hint: 'Run: ssh-keyscan db',
    });
  });

  test('reports every bad input at once', () => {
    const reading = (input: InputReader) => ({
      host: input.required('host', hostName).toLowerCase(),
      port: input.withDefault('port', port, 22),
    });
    assert.throws(() => read({ port: 'x' }, (input) => [input.required('host', hostName), reading(input)]), Failure);
    assert.throws(
      () => read({ port: 'x' }, (input) => [input.withDefault('port', port, 22), input.required('host', hostName)]),
      {
        code: 'bad-input',
        message:
          '2 inputs cannot be used: "port" is not a whole number (given: "x"); "host" is required and was not given',
        hint: `port: ${port.hint}\nhost: ${hostName.hint}`,
      },
    );
  });

  test('takes a rule over several inputs, and none that only trips over a bad one', () => {
    const rule = (input: InputReader) => {
      const name = input.required('db-name', text);
      if (name.length > 3) throw new InputError('db-name', 'is too long beside db-user', 'Shorten it.');
      return name;
    };
    assert.throws(() => read({ 'db-name': 'long' }, rule), { field: 'db-name', reason: 'is too long beside db-user' });
    delete process.env['INPUT_DB-NAME'];
    assert.throws(() => read({}, rule), { field: 'db-name', reason: 'is required and was not given' });
  });

  test('lets a defect in the reading through', () => {
    assert.throws(() => readInputs(() => (undefined as unknown as string).length), TypeError);
  });
});

describe('secrets', () => {
  const key = '-----BEGIN KEY-----\r\nabcd1234\nab\n-----END KEY-----\n';
  const given = {
    'INPUT_SSH-KEY': key,
    'INPUT_SSH-KEY-PASSPHRASE': ' 50% of,it: ',
    INPUT_SHORT: 'abc',
    'INPUT_DB-NAME': 'app',
  };

  test('come as given, are masked before anything else is said, and leave the environment', async () => {
    const { output } = await startStep('secrets.ts', [], given).ended;
    const lines = output.trim().split('\n');
    assert.deepEqual(lines.slice(0, -1), [
      '::add-mask::-----BEGIN KEY-----',
      '::add-mask::abcd1234',
      '::add-mask::-----END KEY-----',
      '::add-mask::50%25 of,it:',
    ]);
    assert.deepEqual(JSON.parse(lines.at(-1) ?? ''), {
      secrets: { key, passphrase: ' 50% of,it: ', short: 'abc', absent: null, name: 'app' },
      left: null,
      told: '',
    });
  });

  test('are hidden in what the runner does not look at, one that holds another as a whole', async () => {
    const told = 'abcd1234, abcd1234-and-more; and-more';
    const { output } = await startStep('secrets.ts', [], {
      'INPUT_SSH-KEY': 'abcd1234',
      'INPUT_SSH-KEY-PASSPHRASE': 'abcd1234-and-more',
      'INPUT_DB-NAME': 'app',
      TOLD: told,
    }).ended;
    assert.equal(JSON.parse(output.trim().split('\n').at(-1) ?? '').told, '***, ***; and-more');
  });
});
