// What is passed on of what a host prints, and what is only counted.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HostLog, largestLog, mostBytes, mostLines } from '../../shared/host/host-log.ts';

const nonce = '0123456789abcdef0123456789abcdef';

/** What became of these texts, each as it came in one piece. */
function readAll(texts: readonly string[], now: () => number = () => 0) {
  const lines: string[] = [];
  const steps: string[] = [];
  const log = new HostLog(
    nonce,
    { onLog: (line) => lines.push(line), onProgress: (name, value) => steps.push(`${name}=${value}`) },
    now,
  );
  for (const text of texts) log.add(Buffer.from(text));
  log.end();
  log.end();
  return { lines, steps, endedFor: log.endedFor, last: log.last };
}

const numbered = (count: number, text = 'line') => Array.from({ length: count }, (_, at) => `${text} ${at + 1}`);

describe("the supervisor's own lines", () => {
  for (const [what, texts, expected] of [
    ['stand alone', [`${nonce} progress a 1 2\n${nonce} ended deadline\n`], { lines: [], steps: ['a=1 2'] }],
    [
      'come letter by letter',
      [...`x\n${nonce} progress a 1\n${nonce} ended deadline\ny`],
      { lines: ['x', 'y'], steps: ['a=1'] },
    ],
    [
      'end a line of others',
      [`half ${nonce} progress a 1\n${nonce} ended deadline\n`],
      { lines: ['half '], steps: ['a=1'] },
    ],
    [
      'say that the host is alive',
      [`a\n${nonce} alive\nb\n${nonce} ended deadline\n`],
      { lines: ['a', 'b'], steps: [] },
    ],
    ['say that everything is told', [`a\n${nonce} told\n${nonce} ended deadline\n`], { lines: ['a'], steps: [] }],
    ['come in a flood', [`${numbered(9_000).join('\n')}\n${nonce} ended deadline\n`], { steps: [] }],
    ['follow on a line without an end', ['z'.repeat(300_000), `${nonce} ended deadline\n`], { steps: [] }],
  ] as const) {
    test(`are understood where they ${what}`, () => {
      const { lines, steps, endedFor } = readAll(texts);
      assert.equal(endedFor, 'deadline');
      assert.deepEqual(steps, expected.steps);
      if ('lines' in expected) assert.deepEqual(lines, expected.lines);
    });
  }
});

describe('of what is printed', () => {
  test('a line that does not end is kept in its last part alone', () => {
    const { lines } = readAll(['begins', ...Array<string>(30).fill('z'.repeat(10_000))]);
    assert.match(lines.join(), /^zzz/);
  });

  test('usual numbers of lines are all passed on', () => {
    assert.deepEqual(readAll([numbered(mostLines).join('\n')]).lines, numbered(mostLines));
  });

  test('one line more is left out, and counted', () => {
    const { lines, last } = readAll([numbered(mostLines + 1).join('\n')]);
    assert.deepEqual(lines.slice(0, -1), numbered(mostLines));
    assert.equal(
      lines.at(-1),
      '1 more lines (9 B) were left out: the log shows at most 2000 lines and 1.0 MiB of one program',
    );
    assert.equal(last.at(-1), `line ${mostLines + 1}`);
  });

  test('long lines count by their bytes, but by no more than is shown of them', () => {
    const shown = (line: string) => readAll([`${line}\n`.repeat(1_900)]).lines.length;
    assert.equal(shown('x'.repeat(499)), 1_900);
    assert.equal(shown('ü'.repeat(499)), Math.floor(mostBytes / 999) + 1);
    // 1,999 and an ellipsis of 3 bytes.
    assert.equal(shown('x'.repeat(50_000)), Math.floor(mostBytes / 2_003) + 1);
  });

  test('a long line is cut, and says so, also as a cause', () => {
    const { lines, last } = readAll([`${'x'.repeat(50_000)}\n`.repeat(60)]);
    const cut = `${'x'.repeat(1_999)}…`;
    assert.deepEqual(lines, Array(60).fill(cut));
    assert.deepEqual(last, Array(50).fill(cut));
  });

  test('what a terminal shows as many lines counts as many', () => {
    const { lines } = readAll([`${'10%\r'.repeat(20_000)}\r\n`, 'next\n']);
    assert.deepEqual(lines.slice(0, -1), Array(mostLines).fill('10%'));
    assert.match(lines.at(-1) ?? '', /^1800\d more lines /);
    assert.deepEqual(readAll(['a\r\nb\r\n\r\nc']).lines, ['a', 'b', '', 'c']);
  });

  test('more than any program may print is told', () => {
    const log = new HostLog(nonce, {});
    const piece = Buffer.alloc(2 ** 20, 'x\n');
    for (let read = 0; read < largestLog; read += piece.length) assert.equal(log.add(piece), false);
    assert.equal(log.add(Buffer.from('x')), true);
  });

  test('nothing is passed on any more once something was left out', () => {
    const { lines } = readAll([`${'x'.repeat(1_999)}\n`.repeat(600), 'short\n']);
    assert.ok(!lines.includes('short'));
  });

  test('the last fifty lines are kept', () => {
    assert.deepEqual(readAll([numbered(5_000).join('\n')]).last, numbered(5_000).slice(-50));
  });

  test('a line without an end is cut', () => {
    const { lines } = readAll([...Array.from({ length: 100 }, () => 'x'.repeat(65_536)), 'end']);
    assert.deepEqual(lines, [`${'x'.repeat(1_999)}…`]);
  });

  test('steps are told as often as in a program that works for days, and no flood of them', () => {
    let clock = 0;
    const flood = `${nonce} progress a 1\n`.repeat(10_000);
    const { steps, lines } = readAll([flood]);
    assert.equal(steps.length, mostLines);
    assert.deepEqual(lines, [
      '8000 more progress reports were left out: the log shows at most 2000 of them and 1.0 MiB of one program, and then one each second',
    ]);
    // One every second for as long as it runs.
    const hours = Array.from({ length: 20_000 }, () => `${nonce} progress a 1\n`);
    assert.equal(readAll(hours, () => 1_000 * clock++).steps.length, 20_000);
  });

  test('long steps are cut, and told only up to as many bytes as lines; none is more than a line', () => {
    const { steps } = readAll([`${nonce} progress a ${'x\r'.repeat(30_000)}\n`.repeat(1_000)]);
    assert.equal(steps.length, Math.floor(mostBytes / 16_386));
    for (const step of steps) assert.match(step, /^a=x( x)+ ?…$/);
  });

  test('long steps are told in a program that works for days, as many as it can have', () => {
    let clock = 0;
    // As long as a line of a journal may be, and one a minute.
    const days = Array.from({ length: 3_000 }, () => `${nonce} progress a ${'x'.repeat(1_000)}\n`);
    assert.equal(readAll(days, () => 60_000 * clock++).steps.length, 3_000);
  });

  test('the name of a step is no longer than a line', () => {
    const { steps } = readAll([`${nonce} progress ${'x'.repeat(50_000)} 1\n`]);
    assert.deepEqual(steps, [`${'x'.repeat(1_999)}…=1`]);
  });
});
