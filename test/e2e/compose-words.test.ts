// What compose says of the files may hold a piece of a password: none of it is seen, and the place to mend is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { silentPort } from '../lab/faults.ts';
import { type ActionResult, runAction } from '../lab/runner.ts';
import { rollBack } from './rollbacks.ts';
import { read, write } from './sets.ts';
import { applicationForFile } from './stage.ts';
import { findingOf, verify } from './verifications.ts';

const { app } = await applicationForFile({
  name: 'words',
  versions: ['v1', 'v2', { version: 'dead', ill: 'start' }],
  runs: 'v2',
});

const file = (name: string) => join(app.host.deployDir, name);
const settings = await read(app.host, file('.env'));
const compose = await read(app.host, file('docker-compose.yml'));
const braced = (text: string) => `$\{${text}}`;
/** In no file but where a test puts it: pieces of a password. */
const pieces = /opensesame|ali9baba/;

beforeEach(async () => {
  await write(app.host, file('.env'), settings);
  await write(app.host, file('docker-compose.yml'), compose);
});

function nothingIsTold(result: ActionResult): void {
  const told = [result.stdout, result.stderr, result.summary, ...Object.values(result.outputs)].join('\n');
  assert.doesNotMatch(told, pieces);
  assert.doesNotMatch(result.stdout, /Internal error in/);
}

const rollback = (backupDir: string, target: string) => rollBack(app, backupDir, { target });
const setup = () => verify(app.host, app.host.newBackupDir(), { checks: 'setup,deployment', 'stable-for': '0s' });

describe('a dollar in a password that is a variable to compose', { concurrency: 1 }, () => {
  const line = 'SMTP_PASSWORD=opensesame$ali9baba\n';

  test('is told of by the file, its line and the variable that holds it', async () => {
    await write(app.host, file('.env'), `# why: $ali9baba\nPLAIN='$ali9baba'\n${settings}${line}`);
    const place = `.env, line ${settings.split('\n').length + 2}`;
    const result = await setup();
    nothingIsTold(result);
    const { result: how, detail, remedy } = findingOf(result, 'compose file');
    assert.equal(how, 'failed');
    assert.match(detail, new RegExp(`${place}: SMTP_PASSWORD contains a "\\$" that compose reads as a variable`));
    assert.doesNotMatch(detail, /PLAIN/);
    assert.match(remedy ?? '', /single quotes/);
  });

  test('in a value of several lines, too', async () => {
    await write(app.host, file('.env'), `${settings}PEM="first\nopensesame=$ali9baba\n"\n`);
    const result = await setup();
    nothingIsTold(result);
    assert.match(findingOf(result, 'compose file').detail, /PEM contains a "\$"/);
  });

  test('is seen neither in a rollback, nor in one that fails, nor in what stays on the host', async () => {
    await write(app.host, file('.env'), `${settings}${line}`);
    for (const [target, status] of [
      ['v1', 'rolled-back'],
      ['dead', 'reverted'],
    ] as const) {
      const dir = app.host.newBackupDir();
      const result = await rollback(dir, target);
      assert.equal(result.outputs['status'], status, result.stdout);
      nothingIsTold(result);
      assert.match(result.stdout, /SMTP_PASSWORD contains a "\$"/);
      const transaction = result.outputs['transaction-id'] ?? '';
      const log = readFileSync(join(app.host.deployDir, dir, 'rollback', 'transactions', transaction, 'log'), 'utf8');
      assert.doesNotMatch(log, pieces);
    }
    await rollback(app.host.newBackupDir(), 'v2');
  });

  test('in the compose file is told of by its line', async () => {
    await write(app.host, file('docker-compose.yml'), compose.replace('hunter2-of-the-lab', 'opensesame$ali9baba'));
    const result = await setup();
    nothingIsTold(result);
    const place = compose.split('\n').findIndex((each) => each.includes('hunter2-of-the-lab')) + 1;
    assert.match(findingOf(result, 'compose file').detail, new RegExp(`^docker-compose.yml, line ${place}: `));
    await rollback(app.host.newBackupDir(), 'v1').then(nothingIsTold);
    await rollback(app.host.newBackupDir(), 'v2');
  });

  test('and a variable that is meant is named', async () => {
    const meant = compose
      .replace('hunter2-of-the-lab', `hunter2-of-the-lab\n      NEW: "${braced('WORD_OF_MINE')}"`)
      .replace('init: true', 'init: true\n    hostname: x-$OTHER9');
    await write(app.host, file('docker-compose.yml'), meant);
    const inputs = { ...app.inputs(), 'backup-dir': app.host.newBackupDir(), target: 'v1', 'plan-only': 'true' };
    const result = await runAction('rollback', inputs);
    assert.match(
      result.stdout,
      /docker-compose.yml, line \d+: the variable WORD_OF_MINE is not set; compose uses an empty value/,
    );
    assert.doesNotMatch(result.stdout, /OTHER9/);
  });
});

describe('what compose says of a mistake is not repeated:', { concurrency: 1 }, () => {
  const inEnvFile: readonly (readonly [string, string])[] = [
    ['an open brace', 'PW=opensesame${ali9baba'],
    ['a demand', `PW=x${braced('ret:?opensesame')}`],
    ['no name', 'opensesame!ali9baba word'],
    ['a name that is none', 'P*W=opensesame'],
    ['an open quote', 'PW="opensesame'],
  ];
  const inCompose: readonly (readonly [string, string])[] = [
    ['a variable that is none', `opensesame${braced('ali9baba!x')}`],
    ['a demand', `x${braced('ali9baba:?opensesame')}`],
    ['an open quote', '"opensesame'],
    ['a mapping', 'x: opensesame'],
    ['an alias', '*opensesame'],
    ['a list', '[opensesame, {ali9baba: x}]'],
  ];

  for (const [what, text] of inEnvFile)
    test(`${what} in the env file`, async () => {
      await write(app.host, file('.env'), `${settings}${text}\n`);
      await fails();
    });
  for (const [what, text] of inCompose)
    test(`${what} in the compose file`, async () => {
      await write(app.host, file('docker-compose.yml'), compose.replace('hunter2-of-the-lab', text));
      await fails();
    });

  async function fails(): Promise<void> {
    const verified = await setup();
    nothingIsTold(verified);
    assert.equal(findingOf(verified, 'compose file').result, 'failed', verified.stdout);
    const refused = await rollback(app.host.newBackupDir(), 'v1');
    nothingIsTold(refused);
    assert.equal(refused.outputs['status'], 'refused', refused.stdout);
  }
});

test('what Docker says of a container that cannot be made is told', async () => {
  const taken = await silentPort();
  const clash = compose
    .replace(/127\.0\.0\.1:\d+:8080/, `$&\n      - 127.0.0.1:${taken.port}:8081`)
    .replace('hunter2-of-the-lab', 'hunter2-of-the-lab\n      NEW: a$ali9baba');
  await write(app.host, file('docker-compose.yml'), clash);
  const result = await rollback(app.host.newBackupDir(), 'v1');
  await taken.close();
  nothingIsTold(result);
  assert.equal(result.outputs['status'], 'reverted', result.stdout);
  assert.match(result.stdout, /address already in use/);
});
