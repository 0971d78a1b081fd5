import assert from 'node:assert/strict';
import { chmodSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { hostAccount } from './account.ts';
import { temporaryFolder } from './folder.ts';
import { pairsIn } from './runner/file-commands.ts';
import { commandsIn } from './runner/workflow-commands.ts';
import { runAction, startAction } from './runner.ts';

const fixture = fileURLToPath(new URL('./fixture', import.meta.url));

test('an action gets its inputs and the runner’s environment, and nothing else', async () => {
  process.env['DOCKER_HOST'] ??= 'unix:///nowhere';
  const result = await runAction(fixture, { 'two words': ' a\nb ', 'ssh-key': 'k' }, { token: 't0ken' });
  assert.deepEqual(JSON.parse(result.outputs['given'] ?? ''), {
    INPUT_TWO_WORDS: ' a\nb ',
    'INPUT_SSH-KEY': 'k',
    INPUT_GREETING: 'hello',
    INPUT_TOKEN: 't0ken',
    INPUT_MODE: 'report',
  });
  const environment = JSON.parse(/^environment (.*)$/m.exec(result.stdout)?.[1] ?? '');
  assert.equal(environment.CI, 'true');
  assert.equal(environment.GITHUB_REPOSITORY, 'octo-org/shop');
  assert.ok(!('DOCKER_HOST' in environment) && !('GITHUB_TOKEN' in environment));
  await assert.rejects(runAction(fixture, { sshkey: 'typo' }), /declares no input sshkey/);
});

test('a result tells all that the runner would know', async () => {
  const result = await runAction(fixture, {});
  assert.equal(result.exitCode, 3);
  assert.equal(result.outputs['simple'], 'a=b<<c');
  assert.equal(result.summary, '# Done\n');
  assert.deepEqual(result.state, { left: 'key' });
  assert.deepEqual(
    result.annotations.map(({ name, message }) => [name, message]),
    [
      ['error', 'broken\ntwice'],
      ['warning', 'hidden'],
      ['notice', 'anywhere'],
    ],
  );
  assert.deepEqual(result.annotations[0]?.properties, { file: 'a.ts', title: 'It, is:' });
  assert.deepEqual(
    result.remaining.map(({ path, mode }) => [path, mode]),
    [
      ['key', 0o755],
      ['key/id', 0o600],
    ],
  );

  const post = await result.runPost();
  assert.equal(post.exitCode, 0);
  assert.match(post.stdout, /removed key/);
  assert.deepEqual(post.remaining, []);
});

test('another user can run an action, also from a folder that is closed to them', async () => {
  const closed = temporaryFolder('closed');
  chmodSync(closed, 0o700);
  cpSync(fixture, join(closed, 'fixture'), { recursive: true });
  const account = await hostAccount();
  const result = await runAction(join(closed, 'fixture'), {}, { account });
  assert.equal(result.exitCode, 3, result.stderr);
  assert.deepEqual(
    result.remaining.map(({ path, uid }) => [path, uid]),
    [
      ['key', account.uid],
      ['key/id', account.uid],
    ],
  );
  assert.match((await result.runPost()).stdout, /removed key/);
});

test('cancelling begins with SIGINT to the action alone', async () => {
  const action = await startAction(fixture, { mode: 'patient' });
  await action.sawLog(/waiting/);
  const result = await action.cancel();
  assert.equal(result.exitCode, 130);
  assert.match(result.stdout, /cancelled/);
  const sleeper = result.leftovers.find(({ command }) => command[0] === 'sleep');
  assert.ok(sleeper, 'what the action left running is found');
  process.kill(sleeper.pid, 'SIGKILL');
  await assert.rejects(action.sawLog(/never said/), /ended without/);
});

test('cancelling ends with a kill after ten seconds', async () => {
  const action = await startAction(fixture, { mode: 'stubborn' });
  await action.sawLog(/waiting/);
  const result = await action.cancel();
  assert.equal(result.signal, 'SIGKILL');
  assert.match(result.stdout, /SIGINT\nSIGTERM\n/);
  assert.ok(result.durationMs > 9_900 && result.durationMs < 20_000, `${result.durationMs} ms`);
});

test('commands are found where the runner finds them', () => {
  const names = (stream: string) => commandsIn(stream).map(({ name }) => name);
  assert.deepEqual(names('  ::error::x'), ['error']);
  assert.deepEqual(names('db | ::error::x'), []);
  assert.deepEqual(names('db | x\r::add-mask::y'), ['add-mask']);
  assert.deepEqual(names('db | ##[set-env name=A]x'), ['set-env']);
  assert.deepEqual(names('db | ##\\[error]x ##[]'), []);
  assert.deepEqual(names('::SET-OUTPUT name=a::b'), ['set-output']);
  assert.deepEqual(names('::stop-commands::t\n::error::x\n::t::\n::debug::y'), ['stop-commands', 'debug']);
});

test('file commands are read as the runner reads them', () => {
  assert.deepEqual(pairsIn('a=1\nb<<E\nx\n\ny=\nE\nc=\n'), { a: '1', b: 'x\n\ny=', c: '' });
  assert.throws(() => pairsIn('a<<E\nx\n'), /Matching delimiter not found/);
  assert.throws(() => pairsIn('nonsense\n'), /Invalid format/);
});
