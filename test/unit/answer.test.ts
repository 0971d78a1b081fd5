// The frame of what a program answers, in pieces of any size, and its limits.
import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { Answer, largestAnswer, mostRecords } from '../../shared/host/answer.ts';
import { IncomingFiles } from '../../shared/host/incoming-files.ts';
import { programFailure } from '../../shared/host/program-failures.ts';
import { Records } from '../../shared/host/records.ts';

const nonce = '0123456789abcdef0123456789abcdef';
const other = nonce.replace('0', 'f');

function answerOf(text: string | Buffer, size = Number.POSITIVE_INFINITY): Answer {
  const bytes = Buffer.from(text);
  const answer = new Answer(nonce);
  for (let at = 0; at < bytes.length; at += size) assert.equal(answer.add(bytes.subarray(at, at + size)), undefined);
  return answer;
}

describe('a frame', () => {
  for (const [what, text, verdict, entries] of [
    [
      'with records',
      `begin ${nonce}\nk\0v\0k\0w\0done ${nonce}\n`,
      'done',
      [
        ['k', 'v'],
        ['k', 'w'],
      ],
    ],
    ['without any', `begin ${nonce}\ndone ${nonce}\n`, 'done', []],
    ['of a failure', `begin ${nonce}\nfailure\0x\0failed ${nonce}\n`, 'failed', [['failure', 'x']]],
    [
      'behind the noise of start files',
      `hi\ndone ${nonce}\nx\0y\0begin ${nonce}\nk\0v\0done ${nonce}\n`,
      'done',
      [['k', 'v']],
    ],
    [
      'with marks of its own in a value',
      `begin ${nonce}\nk\0begin ${nonce}\n\0done ${nonce}\n`,
      'done',
      [['k', `begin ${nonce}\n`]],
    ],
    [
      'with the marks of another',
      `begin ${nonce}\nk\0done ${other}\nfailed ${other}\n\0done ${nonce}\n`,
      'done',
      [['k', `done ${other}\nfailed ${other}\n`]],
    ],
    ['with more behind its end', `begin ${nonce}\nk\0v\0done ${nonce}\nfailed ${nonce}\nl\0w\0`, 'done', [['k', 'v']]],
    ['with half a record at its end', `begin ${nonce}\nk\0v\0l\0wdone ${nonce}\n`, 'done', [['k', 'v']]],
  ] as const) {
    test(`${what} is read as one piece, byte by byte, and in odd pieces`, () => {
      for (const size of [text.length, 1, 7, 41]) {
        const answer = answerOf(text, size);
        assert.equal(answer.verdict, verdict, `pieces of ${size}`);
        assert.deepEqual(answer.records().entries, entries, `pieces of ${size}`);
      }
    });
  }

  for (const [what, text, begun] of [
    ['nothing', '', false],
    ['only noise', 'Welcome!\n', false],
    ['an end without a beginning', `done ${nonce}\n`, false],
    ['no end', `begin ${nonce}\nk\0v\0`, true],
    ['an end without its line break', `begin ${nonce}\ndone ${nonce}`, true],
    ["another's end", `begin ${nonce}\ndone ${other}\n`, true],
  ] as const) {
    test(`${what} is none`, () => {
      const answer = answerOf(text, 5);
      assert.equal(answer.verdict, undefined);
      assert.equal(answer.begun, begun);
    });
  }
});

describe('an answer may have', () => {
  const begun = () => answerOf(`begin ${nonce}\n`);

  test('so many records, and no more', () => {
    const answer = begun();
    assert.equal(answer.add(Buffer.alloc(2 * mostRecords)), undefined);
    assert.equal(answer.add(Buffer.alloc(1)), 'records');
  });

  test('so many bytes, and no more', () => {
    const answer = begun();
    const rest = largestAnswer - `begin ${nonce}\n`.length;
    assert.equal(answer.add(Buffer.alloc(rest, 'x')), undefined);
    assert.equal(answer.add(Buffer.from('x')), 'bytes');
  });

  test('no buffer that is larger than all of it may be', (context) => {
    const made: number[] = [];
    const allocate = Buffer.allocUnsafe;
    context.mock.method(Buffer, 'allocUnsafe', (size: number) => {
      made.push(size);
      return allocate(size);
    });
    const answer = begun();
    const piece = Buffer.alloc(3 * 2 ** 20, 'x');
    while (answer.add(piece) === undefined);
    assert.equal(made.at(-1), largestAnswer);
  });

  test('no more behind its end than bytes', () => {
    const answer = answerOf(`begin ${nonce}\nk\0v\0done ${nonce}\n`);
    const piece = Buffer.alloc(2 ** 20, 'x');
    for (let left = largestAnswer / piece.length - 1; left > 0; left -= 1) assert.equal(answer.add(piece), undefined);
    assert.equal(answer.add(piece), 'bytes');
    assert.deepEqual(answer.records().entries, [['k', 'v']]);
  });

  test('no more noise in front than bytes', () => {
    const answer = new Answer(nonce);
    assert.equal(answer.add(Buffer.alloc(largestAnswer)), undefined, 'noise has no records');
    assert.equal(answer.add(Buffer.from('x')), 'bytes');
  });

  test('all in pieces of a byte, and it takes no more memory for that', () => {
    const before = process.memoryUsage().rss;
    const answer = begun();
    const byte = Buffer.from('x');
    for (let count = 0; count < 4_000_000; count += 1) answer.add(byte);
    assert.ok(process.memoryUsage().rss - before < 100 * 1024 ** 2);
  });
});

test('a record is found by its key, however many there are', () => {
  const records = new Records([
    ...Array.from({ length: mostRecords }, (_, at): [string, string] => [`key ${at}`, String(at)]),
    ['key 7', 'again'],
    ['constructor', 'x'],
  ]);
  const begin = performance.now();
  for (let at = 0; at < mostRecords; at += 1) assert.equal(records.find(`key ${at}`), String(at));
  assert.ok(performance.now() - begin < 20_000);
  assert.deepEqual(records.all('key 7'), ['7', 'again']);
  assert.equal(records.find('toString'), undefined);
  assert.equal(records.get('constructor'), 'x');
});

describe('files between the records', () => {
  const bytes = `done ${nonce}\nfile ${nonce} 1 x\n\0`;
  const text =
    `begin ${nonce}\na\0b\0file ${nonce} ${bytes.length} one.gz\n${bytes}` +
    `file ${nonce} 0 empty\nk\0v\0file ${nonce} 3 two\nabcl\0w\0done ${nonce}\n`;

  for (const size of [text.length, 1, 7, 41, 64]) {
    test(`come as they are, in pieces of ${size}`, async () => {
      const files = new IncomingFiles();
      const answer = new Answer(nonce, files);
      for (let at = 0; at < text.length; at += size) answer.add(Buffer.from(text.slice(at, at + size)));
      files.close(null);
      assert.equal(answer.verdict, 'done');
      assert.deepEqual(answer.records().entries, [
        ['a', 'b'],
        ['k', 'v'],
        ['l', 'w'],
      ]);
      const read: [string, number, string][] = [];
      for await (const { name, bytes, content } of files) read.push([name, bytes, String(await buffer(content))]);
      assert.deepEqual(read, [
        ['one.gz', bytes.length, bytes],
        ['empty', 0, ''],
        ['two', 3, 'abc'],
      ]);
    });
  }

  for (const [what, header] of [
    ['a path', `file ${nonce} 3 ../x\n`],
    ['no number', `file ${nonce} x y\n`],
    ['no end', `file ${nonce} 3 ${'x'.repeat(300)}`],
    ['the mark of another', `file ${other} 3 x\n`],
  ] as const) {
    test(`do not begin where the line has ${what}`, () => {
      const answer = new Answer(nonce, new IncomingFiles());
      answer.add(Buffer.from(`begin ${nonce}\nk\0${header}\0done ${nonce}\n`));
      assert.deepEqual([answer.verdict, answer.records().entries], ['done', [['k', header]]]);
    });
  }

  test('are cut off with an error where the host ends too early, and are not held without a reader', async () => {
    const files = new IncomingFiles();
    const answer = new Answer(nonce, files);
    let drains = 0;
    files.onDrain = () => {
      drains += 1;
    };
    answer.add(Buffer.from(`begin ${nonce}\nfile ${nonce} 5000000 x\n`));
    assert.equal(files.isFull, false);
    answer.add(Buffer.alloc(2_000_000));
    assert.equal(files.isFull, true, 'the host has to wait');
    const [file] = [(await files[Symbol.asyncIterator]().next()).value];
    file.content.once('data', () => {});
    while (files.isFull) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(drains > 0);
    files.close(new Error('gone'));
    await assert.rejects(buffer(file.content), /gone/);
  });

  test('and a second one waits for the first, so that none pile up', async () => {
    const files = new IncomingFiles();
    for (const name of ['one', 'two']) {
      assert.equal(files.isFull, false, name);
      files.begin(name, 0);
      files.end();
    }
    assert.equal(files.isFull, true);
    const reading = files[Symbol.asyncIterator]();
    assert.equal((await reading.next()).value.name, 'one');
    assert.equal(files.isFull, false);
  });

  test('and one that comes after its reader has gone is held nowhere', () => {
    const files = new IncomingFiles();
    files.close(new Error('The rest is not wanted'));
    files.begin('late', 5_000_000);
    files.add(Buffer.alloc(2_000_000));
    assert.equal(files.isFull, false, 'the host would wait for ever');
    // Small files after it, as those that lie beside a dump.
    for (const name of ['schema', 'globals', 'manifest']) {
      files.end();
      files.begin(name, 1);
      files.add(Buffer.alloc(1));
    }
    assert.equal(files.isFull, false, 'the host would wait for ever');
  });
});

test('what a program says of its failure is cut, however much it is', () => {
  const records = new Records([
    ['failure', 'restore-failed'],
    ['detail', 'x'.repeat(100_000)],
  ]);
  const program = { name: 'load', step: 'the restore', scripts: [] };
  assert.equal(programFailure(program, records, 1, '').message, 'x'.repeat(20_000));
});

test('a failure that we do not know by its name is none of ours', () => {
  const records = new Records([
    ['failure', 'all-is-well'],
    ['detail', 'x'],
  ]);
  const program = { name: 'load', step: 'the restore', scripts: [] };
  const { code, message } = programFailure(program, records, 1, '');
  assert.deepEqual([code, message], ['program-failed', 'The program load failed on the host: all-is-well, x']);
});
