import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Ending, startStep } from './runner-fixtures/step.ts';

function run(ending: string, env: Record<string, string | undefined> = {}): Promise<Ending> {
  return startStep('action.ts', [ending], env).ended;
}

function annotations(output: string): string[] {
  return output.split('\n').filter((line) => line.startsWith('::error'));
}

describe('an action that comes to its end', () => {
  test('exits 0 and hands its outputs over', async () => {
    const { code, output, outputs } = await run('succeed');
    assert.deepEqual([code, output, outputs], [0, '', { status: 'succeeded', 'size-bytes': '2' }]);
  });

  test('keeps what its libraries should not call to itself, and annotates once, and again only what is worse', async () => {
    const { output } = await run('succeed with an old library');
    assert.equal(output, '::warning::the same\n::error::the same\n');
  });

  test('does not wait for what it left open', async () => {
    const { code, ms } = await run('succeed although a socket is open');
    assert.ok(code === 0 && ms < 3_000);
  });
});

describe('an understood failure', () => {
  test('is one annotation, then what to do, then the causes, all of it cleaned', async () => {
    const { code, output, outputs } = await run('fail');
    assert.equal(code, 1);
    assert.deepEqual(output.split('\n'), [
      '::group::Survey',
      '::endgroup::',
      '::error title=test-action failed%3A key-refused::The host refused the key',
      '\x1b[1mWhat to do: Add the key to ##\\[error]\x1b[0m',
      'Cause: refused by the host',
      '\\::add-mask::x',
      'Cause: exit 255',
      'More about it: https://github.com/atlasia/actions/blob/v1/docs/troubleshooting.md#key-refused',
      '',
    ]);
    assert.deepEqual(outputs, { status: 'failed', 'size-bytes': '' });
  });

  test('has a job summary, also where the action came to none of its own', async () => {
    const { summary } = await run('fail');
    assert.match(summary, /^## ❌ test-action failed: key-refused\n\nThe host refused the key\n\n### What to do\n/);
    assert.match(
      summary,
      /\[What .*key-refused.* means, and what else helps\]\(https:\S+\/troubleshooting\.md#key-refused\)/,
    );
  });

  test('is not folded away in a group', async () => {
    const { output } = await run('fail within an open group');
    assert.match(output, /^::group::Survey\n::endgroup::\n::error /);
  });

  test('is told to the last word, however much was said before', async () => {
    const step = startStep('action.ts', ['much to say']);
    step.child.stdout?.pause();
    setTimeout(() => step.child.stdout?.resume(), 500);
    const { code, output } = await step.ended;
    assert.equal(code, 1);
    assert.match(
      output.slice(-200),
      /x\n::error title=test-action failed%3A disk-full::the last word\nMore about it: \S+#disk-full\n$/,
    );
  });
});

describe('a defect of ours', () => {
  const defects: [string, RegExp][] = [
    ['defect', /Internal error in test-action: x is not a function/],
    ['throw a text', /Internal error in test-action: a text/],
    ['throw nothing', /Internal error in test-action: undefined/],
    ['reject unhandled', /Internal error in test-action: nobody listens/],
    ['throw later', /Internal error in test-action: out of a timer/],
    ['never', /Internal error in test-action: The action stopped before it was done/],
    ['exit 0', /Internal error in test-action: The action stopped before it was done/],
    ['outputs unwritable', /Internal error in test-action: An output cannot be NaN/],
    ['undo fails', /Internal error in test-action: cannot undo/],
  ];
  for (const [ending, verdict] of defects) {
    test(`(${ending}) exits 1, says so once and asks for a report`, async () => {
      const { code, output, outputs, ms } = await run(ending);
      assert.equal(code, 1);
      assert.match(annotations(output).join(), verdict);
      assert.equal(annotations(output).length, 1);
      assert.match(output, /please report this log at the issues of the repository/);
      assert.ok(ms < 4_000);
      assert.equal(outputs['status'], 'failed');
    });
  }

  test('shows its stack and its cause, and where to report it', async () => {
    const { output } = await run('defect', {
      GITHUB_SERVER_URL: 'https://github.example',
      GITHUB_ACTION_REPOSITORY: 'acme/actions',
    });
    assert.match(output, /TypeError: x is not a function\n {4}at .*action\.ts/);
    assert.match(output, /Cause: because/);
    assert.match(output, /please report this log at https:\/\/github\.example\/acme\/actions\/issues/);
  });

  test('in one undo keeps no other from being done, the last one first', async () => {
    const { output } = await run('undo fails');
    assert.ok(output.indexOf('undone: last') < output.indexOf('undone: first'));
  });

  test('is also a file for outputs that cannot be written', async () => {
    const { code, output } = await run('succeed', { GITHUB_OUTPUT: '/nowhere/output' });
    assert.equal(code, 1);
    assert.match(output, /Missing file at path: \/nowhere\/output/);
  });
});

describe('a cancelled action', () => {
  async function cancel(ending: string, signals: NodeJS.Signals[], grace = '6500'): Promise<Ending> {
    const step = startStep('action.ts', [ending, grace]);
    await step.printed('ready');
    for (const signal of signals) {
      step.child.kill(signal);
      // Two that are pending at once have no order.
      await sleep(100);
    }
    return step.ended;
  }

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`is told by ${signal}, ends by itself and says so`, async () => {
      const { code, output, outputs, ms } = await cancel('cooperative', [signal]);
      assert.equal(code, 1);
      assert.deepEqual(annotations(output), [
        `::error title=test-action cancelled::Cancelled: the runner stopped test-action (${signal})`,
      ]);
      assert.doesNotMatch(output, /Internal error|Cause/);
      assert.deepEqual(outputs, { status: 'failed', 'size-bytes': '' });
      assert.ok(ms < 4_000);
    });
  }

  test('names the signal that came first', async () => {
    const { output } = await cancel('slow to end', ['SIGINT', 'SIGTERM']);
    assert.match(output, /Cancelled: the runner stopped test-action \(SIGINT\)/);
  });

  test('says what state that left', async () => {
    const { output } = await cancel('cooperative with a word', ['SIGINT']);
    assert.match(output, /::Cancelled: nothing was written on the host\n.*What to do: Run it again/);
  });

  test('exits 1 also where it came to its end', async () => {
    const { code, outputs } = await cancel('ends well although cancelled', ['SIGINT']);
    assert.deepEqual([code, outputs['status']], [1, 'succeeded']);
  });

  test('is ended where it does not end by itself, also when asked again, and leaves no key', async () => {
    const { code, output, outputs, ms } = await cancel('stubborn', ['SIGINT', 'SIGTERM'], '700');
    assert.equal(code, 1);
    assert.match(output, /Cancelled: test-action did not end in time after SIGINT/);
    assert.match(output, /key present: true/);
    assert.equal(existsSync(/^folder (.*)$/m.exec(output)?.[1] ?? ''), false);
    assert.equal(outputs['status'], 'failed');
    assert.ok(ms > 700 && ms < 5_000);
  });
});
