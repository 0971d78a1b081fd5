// The protocol by which programs are run on a host: what a program is given, and what it gives back.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Failure } from '../../shared/failure.ts';
import type { Program } from '../../shared/host/program.ts';
import { giveTo } from '../lab/account.ts';
import { failureOf, nothingLives, onEachConnection, patient, program, stageForFile } from './protocol-stage.ts';

const stage = await stageForFile();
const { account, root, newFolder, reach, serve } = stage;

/** What a JavaScript string can carry, which is every byte but those that UTF-8 never has. */
function awkwardValues(): string[] {
  const characters: string[] = [];
  for (let point = 1; point <= 0x10ffff; point += point < 0x3000 ? 1 : 0x101) {
    if (point < 0xd800 || point > 0xdfff) characters.push(String.fromCodePoint(point));
  }
  return [
    '',
    ' ',
    '\n',
    '\n\nbetween\n\n',
    'ends with a newline\n',
    '\r\n\t',
    '-n',
    '--',
    '-e $(touch /tmp/x) `id` $HOME $x{1..9} !! "quoted" \'single\' \\ \\\\ %s %b %n',
    "'; exit 0; '",
    'supervise',
    '\u{feff}BOM',
    '*',
    '~',
    characters.join(''),
    '',
    'x'.repeat(2 ** 20),
    '::error::x\n##[error]y',
    '',
  ];
}

onEachConnection(stage, (connection) => {
  test('parameters of every kind arrive as they are, and children find nothing on stdin', async () => {
    const values = awkwardValues();
    const records = await connection().run(program('echo'), { values }, patient).result;
    const arrived = records.all('parameter');
    assert.equal(arrived.length, values.length);
    for (const [at, value] of values.entries()) assert.ok(arrived[at] === value, `value ${at}`);
    assert.equal(records.get('stdin'), '');
    assert.equal(records.get('head'), '');
    assert.equal(records.get('read'), 'end of input');
    assert.equal(records.get('umask'), '0077');
    // 3 is the folder that is listed; high ones are of whoever has started the tests.
    const descriptors = records.get('descriptors').match(/\d+/g)?.map(Number) ?? [];
    assert.deepEqual(descriptors.filter((descriptor) => descriptor < 100).toSorted(), [0, 1, 2, 3]);
  });

  test('the result of a program that lingers has no wait of its own', async () => {
    const waits: number[] = [];
    for (let tries = 0; tries < 3; tries += 1) {
      const begin = performance.now();
      const run = connection().run(program('echo'), { values: [] }, { ...patient, atEnd: 'linger' });
      await run.result;
      waits.push(performance.now() - begin);
      await run.release();
    }
    // Without the supervisor's last word, each would take 5 s more.
    assert.ok(Math.min(...waits) < 4_500, `${waits} ms`);
  });

  test('a program without parameters has none', async () => {
    const records = await connection().run(program('echo'), { values: [] }, patient).result;
    assert.deepEqual(records.all('parameter'), []);
  });

  test('a parameter with NUL is refused before anything starts', () => {
    assert.throws(
      () => connection().run(program('echo'), { values: ['a', 'b\0c'] }, patient),
      /Parameter values of the program echo holds NUL/,
    );
  });

  test('a list keeps its order, and its name may be that of a variable of the host', async () => {
    const values = ['3', '1', '', '2'];
    const records = await connection().run(program('names'), { container: 'given', folders: values }, patient).result;
    assert.equal(records.get('container'), 'given');
    assert.deepEqual(records.all('value'), values);
  });

  for (const [what, parameters, said] of [
    ['unknown to it', { container: 'x', folders: [], more: 'x' }, /more is unknown/],
    ['that it misses', { folders: [] }, /container is missing/],
    ['that comes twice', { container: ['x', 'y'], folders: [] }, /container was given twice/],
    ['of the supervisor', { container: 'x', folders: [], nonce: 'x' }, /nonce was given twice/],
  ] as const) {
    test(`a parameter ${what} ends a program before it does anything`, async () => {
      const folder = await newFolder();
      const untyped: Program = program('names');
      const run = connection().run(untyped, { ...parameters, folders: [folder] }, patient);
      await assert.rejects(run.result, (error: Error) => {
        assert.ok(error instanceof TypeError, 'it is a defect of ours, and nothing for an operator');
        assert.match(error.message, said);
        return true;
      });
      assert.deepEqual(readdirSync(folder), []);
    });
  }

  test('a result may hold every byte, and what looks like its own end', async () => {
    const records = await connection().run(program('bytes'), {}, patient).result;
    const all = Buffer.from(Array.from({ length: 255 }, (_, at) => at + 1));
    assert.equal(records.get('bytes'), `${all.toString('utf8')}.`);
    assert.equal(records.get('empty'), '');
    assert.match(records.get('forged'), /^done 0{32}\nfailed 0{32}\n$/);
    assert.match(records.get('own'), /^\nbegin [0-9a-f]{32}\n$/);
    assert.deepEqual(records.entries.at(-1), ['last', 'value']);
    assert.equal(records.entries.length, 5);
  });

  test('no process shows a parameter', async () => {
    const secret = `secret-${randomUUID()}`;
    const folder = await newFolder();
    const seen: string[] = [];
    let looks = 0;
    const run = connection().run(program('work'), { verb: 'for_seconds', folder, words: ['0.5', secret] }, patient);
    let over = false;
    const ended = run.result.finally(() => {
      over = true;
    });
    while (!over) {
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        for (const file of ['cmdline', 'environ']) {
          const text = readIfThere(`/proc/${pid}/${file}`);
          if (text.includes(secret)) seen.push(`${file}: ${text}`);
        }
      }
      looks += 1;
      await sleep(20);
    }
    assert.equal((await ended).get('finished'), 'yes');
    assert.ok(looks > 3);
    assert.deepEqual(seen, []);
  });

  test('a named failure comes with its detail, whatever that holds', async () => {
    const detail = 'the disk "a\nb" is full: $(id) größer\t';
    const run = connection().run(program('die'), { words: ['named', 'disk-full', detail] }, patient);
    await assert.rejects(run.result, (error: Failure) => error.code === 'disk-full' && error.message === detail);
    await nothingLives();
  });

  test('an unnamed failure tells the exit and the last lines', async () => {
    const run = connection().run(program('die'), { words: ['unnamed'] }, patient);
    await assert.rejects(run.result, (error: Failure) => {
      assert.equal(error.code, 'program-failed');
      assert.match(error.message, /die failed on the host \(exit 7\)/);
      assert.match(String(error.cause), /what went wrong/);
      return true;
    });
  });

  test('a result without its end is none', async () => {
    const { code } = await failureOf(connection().run(program('die'), { words: ['without_end'] }, patient));
    assert.match(code, /^(program-lost|connection-lost|host-shell)$/);
    await nothingLives();
  });

  test('an end with another nonce, or without its line break, is none', async () => {
    const { code } = await failureOf(connection().run(program('die'), { words: ['forged'] }, patient));
    assert.match(code, /^(program-lost|connection-lost|host-shell)$/);
    await nothingLives();
  });

  test('an exit of 0 before the program has begun is a failure', async () => {
    const { code, message } = await failureOf(connection().run(program('leave-early'), {}, patient));
    assert.match(code, /^(program-lost|host-shell)$/);
    assert.match(message, /exit 0/);
  });

  test('progress and log arrive line by line, whatever they hold', async () => {
    const lines: string[] = [];
    const steps: [string, string][] = [];
    const run = connection().run(
      program('talk'),
      {},
      {
        ...patient,
        onLog: (line) => lines.push(line),
        onProgress: (name, value) => steps.push([name, value]),
      },
    );
    await run.result;
    await run.release();
    assert.deepEqual(steps, [
      ['first', '1'],
      ['second', 'two words'],
      ['third', ''],
    ]);
    assert.deepEqual(
      lines.filter((line) => line.length < 100),
      ['a line', '\ufffd not UTF-8', 'Größe', 'without an end'],
    );
    const [long = '', ...others] = lines.filter((line) => line.length >= 100);
    assert.deepEqual(others, []);
    assert.match(long, /^x{1999}…$/);
  });

  test('of a flood, the beginning is passed on, the end is a cause, and the rest is counted', async () => {
    for (const ending of ['well', 'badly']) {
      const lines: string[] = [];
      const steps: string[] = [];
      const run = connection().run(
        program('flood'),
        { ending },
        {
          ...patient,
          onLog: (line) => lines.push(line),
          onProgress: (name, value) => steps.push(`${name} ${value}`),
        },
      );
      const failure = await run.result.then(
        () => null,
        (error: Failure) => error,
      );
      await run.release();
      assert.equal(failure?.code, ending === 'well' ? undefined : 'program-failed');
      if (failure !== null) assert.match(String(failure.cause), /line 60000 of a flood.*\nthe last line$/);
      assert.deepEqual(steps, ['first 1', 'second 2']);
      assert.equal(lines.length, 2_001);
      assert.match(lines[1_999] ?? '', /^line 2000 of a flood/);
      assert.match(lines[2_000] ?? '', /^58001 more lines \(2\.8 MiB\) were left out: /);
      assert.equal(run.lastLines().at(-1), 'the last line');
    }
  });
});

test('what start files of the host print, and say, stands before the result and does not count', async () => {
  const noise = join(root, 'noise.sh');
  const forged = 'begin 00000000000000000000000000000000\nfailure\0forged\0done 00000000000000000000000000000000\n';
  writeFileSync(`${noise}.txt`, `Welcome!\n${forged}\0\xff\n`, 'latin1');
  const home = await newFolder();
  const text = `cat '${noise}.txt'\necho 'a word on stderr' >&2\nset -u\nalias record=false\n`;
  // Which of the two a login shell reads depends on how it was built.
  for (const file of [noise, join(home, '.bashrc')]) writeFileSync(file, text);
  await giveTo(account, home);
  const noisy = await serve('noisy', { HOME: home, BASH_ENV: noise });
  try {
    const connection = await reach(noisy);
    const lines: string[] = [];
    const run = connection.run(program('bytes'), {}, { ...patient, onLog: (line) => lines.push(line) });
    const records = await run.result;
    assert.equal(records.entries.length, 5);
    assert.equal(records.find('failure'), undefined);
    // Once: by the login shell. The program's own shell reads no start files.
    await connection.close();
    assert.deepEqual(lines, ['a word on stderr']);
  } finally {
    await noisy.stop();
  }
});

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
