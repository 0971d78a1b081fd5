import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startStep } from './runner-fixtures/step.ts';

test('the log marks each kind of line, cleans all of them, and keeps groups from nesting', async () => {
  const { output } = await startStep('log.ts').ended;
  const lines = output.split('\n');
  const [long] = lines.splice(
    lines.findIndex((line) => line.startsWith('::error')),
    1,
  );
  assert.ok(long?.startsWith('::error::eee') && long.replaceAll('%0A', '\n').length <= 4_000 + '::error::'.length);
  assert.deepEqual(lines, [
    'two',
    'lines',
    '\x1b[32m✔ done ##\\[x]\x1b[0m',
    '\x1b[90m… 10 %\x1b[0m',
    '\x1b[90mhost │\x1b[0m ok',
    '\x1b[90mhost │\x1b[0m \\::add-mask::x',
    '\x1b[90mhost │\x1b[0m red',
    '\x1b[1mread me\x1b[0m',
    '::warning title=Disk%3A a%2Cb::low%0A\\::space',
    '::notice::note',
    '::group::Outer ::x',
    '::endgroup::',
    '::group::Inner',
    'inside',
    '::endgroup::',
    // Of a library that was asked to be quiet: what it masks, and what is ours.
    '::add-mask::its-secret',
    'ours',
    'others',
    '',
  ]);
});
