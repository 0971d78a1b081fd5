import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runTool } from '../../shared/runner/tool.ts';

describe('a local tool', () => {
  test('gets its arguments as they are, and its exit is told', async () => {
    const script = 'printf "%s|" "$@" "$WORD"; echo no >&2; exit 3';
    const args = ['-c', script, 'sh', 'a b', '$(id)', '"', '-x', ''];
    assert.deepEqual(await runTool('sh', args, { env: { WORD: '* é' } }), {
      exitCode: 3,
      stdout: 'a b|$(id)|"|-x||* é|',
      stderr: 'no\n',
    });
  });

  test('may end at once', async () => {
    const results = await Promise.all(Array.from({ length: 100 }, () => runTool('true', [])));
    assert.ok(results.every(({ exitCode }) => exitCode === 0));
  });

  test('is ended at its deadline, also where it does not listen', async () => {
    const started = performance.now();
    const deaf = runTool('sh', ['-c', 'trap "" TERM; while :; do sleep 1; done'], { timeout: 200 });
    await assert.rejects(deaf, { code: 'tool-timed-out', message: 'sh did not end within 0.2 s on the runner' });
    assert.ok(performance.now() - started < 20_000);
  });

  test('that a signal ended before its deadline has no exit', async () => {
    assert.equal((await runTool('sh', ['-c', 'kill -9 $$'])).exitCode, null);
  });

  test('that is missing is named', async () => {
    await assert.rejects(runTool('no-such-tool', []), {
      code: 'tool-missing',
      message: 'no-such-tool is not installed on the runner',
    });
  });
});
