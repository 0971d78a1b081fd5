// The protocol by which programs are run on a host: what only claims to be a host, and one without bash.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../shared/failure.ts';
import { bootstrap } from '../../shared/host/connection.ts';
import { IncomingFiles } from '../../shared/host/incoming-files.ts';
import type { ProgramOptions } from '../../shared/host/program.ts';
import { type Explain, runProgram } from '../../shared/host/run-program.ts';
import { until } from '../lab/faults.ts';
import { temporaryFolder } from '../lab/folder.ts';
import { failureOf, patient, program } from './protocol-stage.ts';

describe('a process that only claims to be a host', () => {
  const explain: Explain = async ({ code, begun }) => new Failure('connection-lost', `exit ${code}, begun: ${begun}`);
  const fake = (script: string, options: Partial<ProgramOptions> = {}) =>
    runProgram(
      { start: () => spawn('bash', ['-c', script]), explain, isProgram: false },
      program('echo'),
      { values: [] },
      {
        ...patient,
        ...options,
      },
    );

  /** The frame begins with the number of bytes of the script; the nonce is the first parameter behind it: its name, its value. */
  const readNonce =
    'IFS= read -r n; IFS= read -r -N "$n" s; IFS= read -r c; IFS= read -r -d "" name; IFS= read -r -d "" nonce;';

  for (const [what, script, code] of [
    ['says nothing and ends well', 'cat >/dev/null & exit 0', 'connection-lost'],
    ['hangs up at once', 'exec <&-; exit 0', 'connection-lost'],
    ['begins and ends well', `${readNonce} echo "begin $nonce"; exit 0`, 'connection-lost'],
    ['forges the end', `${readNonce} echo "begin $nonce"; echo "done \${nonce/?/x}"; exit 0`, 'connection-lost'],
    [
      'says failed and exits with 0',
      `${readNonce} echo "begin $nonce"; echo "failed $nonce"; exit 0`,
      'program-failed',
    ],
    [
      'says failed and does not go',
      `${readNonce} echo "begin $nonce"; echo "failed $nonce"; exec sleep 1008`,
      'program-failed',
    ],
  ] as const) {
    test(`fails where it ${what}`, async () => {
      assert.equal((await failureOf(fake(script))).code, code);
    });
  }

  test('succeeds where it speaks the protocol, byte by byte', async () => {
    const answer = `${readNonce} text="begin $nonce"$'\\n'"keyXvalueXdone $nonce"`;
    const slowly =
      'while IFS= read -r -N 1 byte; do [[ $byte == X ]] && printf "\\0" || printf %s "$byte"; done <<<"$text"';
    const records = await fake(`${answer}; ${slowly}`).result;
    assert.deepEqual(records.entries, [['key', 'value']]);
  });

  test('may not fill the memory', async () => {
    const begin = performance.now();
    const { code } = await failureOf(fake(`${readNonce} echo "begin $nonce"; exec yes`));
    assert.equal(code, 'result-too-large');
    assert.ok(performance.now() - begin < 20_000);
  });

  test('may not fill the memory with records of nothing', async () => {
    const before = process.memoryUsage().rss;
    const failure = await failureOf(
      fake(`${readNonce} echo "begin $nonce"; head -c 60000000 /dev/zero; echo "done $nonce"`),
    );
    assert.equal(failure.code, 'result-too-large');
    assert.match(failure.message, /more than 200000 records$/);
    const grown = (process.memoryUsage().rss - before) / 1024 ** 2;
    assert.ok(grown < 100, `${grown} MiB`);
  });

  test('may not print without end, and our process of a host that was given up ends', async () => {
    let child: ChildProcess | undefined;
    const start = () => {
      child = spawn('bash', ['-c', `${readNonce} echo "begin $nonce"; trap '' PIPE; yes >&2; exec sleep 1013`]);
      return child;
    };
    const options = { ...patient, deadline: 60_000, grace: 0 };
    const run = runProgram({ start, explain, isProgram: false }, program('echo'), { values: [] }, options);
    try {
      const { code, message } = await failureOf(run);
      assert.deepEqual(
        [code, message],
        ['result-too-large', 'The program echo printed more than 64.0 MiB of messages, and was given up'],
      );
      await until('our process is killed', async () => (child?.signalCode === 'SIGKILL' ? true : undefined));
    } finally {
      child?.kill('SIGKILL');
    }
  });

  test('has its words read before its result is used, whichever comes first', async () => {
    const reason = 'echo "pg_dump: error: a reason" >&2';
    const run = fake(
      `${readNonce} echo "begin $nonce"; echo "done $nonce"; sleep 1; ${reason}; echo "$nonce told" >&2; exec sleep 1014`,
    );
    await run.result;
    const lines = [...run.lastLines()];
    await run.release(200);
    assert.deepEqual(lines, ['pg_dump: error: a reason']);
  });

  test('may report of 30,000 tables and 1,000 sets', async () => {
    const many = `${readNonce} echo "begin $nonce"; yes $'fact\\n{"schema":"public"}' | head -n 150000 | tr '\\n' '\\0'; echo "done $nonce"`;
    const records = await fake(many).result;
    assert.equal(records.all('fact').length, 75_000);
  });

  test('may not fill the log with steps, though it knows the nonce', async () => {
    let steps = 0;
    const lines: string[] = [];
    const run = fake(
      `${readNonce} echo "begin $nonce"; yes "$nonce progress waiting-for nobody" | head -n 200000 >&2; echo "done $nonce"`,
      {
        onProgress: () => {
          steps += 1;
        },
        onLog: (line) => lines.push(line),
      },
    );
    await run.result;
    await run.release();
    assert.ok(steps >= 2_000 && steps < 2_100, `${steps}`);
    assert.deepEqual(lines, [
      `${200_000 - steps} more progress reports were left out: the log shows at most 2000 of them and 1.0 MiB of one program, and then one each second`,
    ]);
  });

  test('may not keep a caller by saying done and staying', async () => {
    const run = fake(`${readNonce} echo "begin $nonce"; echo "done $nonce"; exec sleep 1009`);
    await run.result;
    assert.equal(await run.release(200), false);
  });

  test('may linger for longer than its result may take: its caller says when it ends', async () => {
    const run = fake(
      `${readNonce} echo "begin $nonce"; echo "$nonce told" >&2; echo "done $nonce"; exec cat >/dev/null`,
      {
        deadline: 300,
        grace: 200,
      },
    );
    await run.result;
    await sleep(1_000);
    assert.equal(await run.release(10_000), true);
  });

  test('is given up where it never begins', async () => {
    const failure = await failureOf(fake('exec sleep 1010', { deadline: 300, grace: 200 }));
    assert.equal(failure.code, 'host-silent');
  });

  describe('that falls silent', { concurrency: 5 }, () => {
    const impatient = { deadline: 120_000, unheard: 10_000 };
    const whenSilent = async (script: string): Promise<Failure> => {
      const begin = performance.now();
      const failure = await failureOf(fake(script, impatient));
      assert.equal(failure.code, 'host-silent', failure.message);
      assert.ok(performance.now() - begin < 40_000, `${performance.now() - begin} ms`);
      return failure;
    };

    test('before it has begun, is given up long before its limit', async () => {
      const { message } = await whenSilent('exec sleep 1011');
      assert.match(message, /^The host took the connection, and has not begun a trial \(program echo\) after \d/);
    });

    test('in the middle, is given up long before its limit', async () => {
      const { message } = await whenSilent(`${readNonce} echo "begin $nonce"; exec sleep 1012`);
      assert.match(message, /^The host has sent nothing for \d.* during a trial \(program echo\), whose limit was 2/);
    });

    test('is not given up while it says that it is alive', async () => {
      const lines: string[] = [];
      const alive = 'for i in {1..9}; do echo "$nonce alive" >&2; sleep 2; done';
      const run = fake(`${readNonce} echo "begin $nonce"; ${alive}; echo "done $nonce"`, {
        ...impatient,
        onLog: (line) => lines.push(line),
        onProgress: (name) => lines.push(name),
      });
      await run.result;
      await run.release();
      assert.deepEqual(lines, []);
    });

    test('is not given up while it still reads what it was sent', async () => {
      // Some MiB of parameters, of which it reads a part now and then.
      const slowly = 'for i in {1..9}; do head -c 600000 >/dev/null; sleep 2; done; cat >/dev/null &';
      const run = runProgram(
        {
          start: () => spawn('bash', ['-c', `${readNonce} ${slowly} echo "begin $nonce"; echo "done $nonce"`]),
          explain,
          isProgram: false,
        },
        program('echo'),
        { values: ['x'.repeat(6_000_000)] },
        { ...patient, ...impatient },
      );
      await run.result;
      await run.release();
    });

    test('is not given up while its file waits for a reader here', async () => {
      const files = new IncomingFiles();
      const run = fake(
        `${readNonce} echo "begin $nonce"; echo "file $nonce 9000000 x"; head -c 9000000 /dev/zero; echo "done $nonce"`,
        { ...impatient, files },
      );
      await sleep(20_000);
      for await (const { content } of files) assert.equal((await buffer(content)).length, 9_000_000);
      await run.result;
      await run.release();
    });
  });

  test('is waited for as long as the inputs can ask for, and longer', async () => {
    // setTimeout takes no more than 24.8 days, and fires at once.
    const run = fake(`${readNonce} echo "begin $nonce"; sleep 0.3; echo "done $nonce"`, {
      deadline: 2 * 24 * 86_400_000,
    });
    await run.result;
    await run.release();
  });
});

test('a host without bash is named', async () => {
  const folder = join(temporaryFolder('protocol'), 'no-bash');
  mkdirSync(folder);
  const start = (): ChildProcess => spawn('/bin/sh', ['-c', bootstrap], { env: { PATH: folder } });
  const explain: Explain = async ({ code }) => new Failure('no-bash', `exit ${code}`);
  const run = runProgram({ start, explain, isProgram: true }, program('echo'), { values: [] }, patient);
  assert.equal((await failureOf(run)).message, 'exit 127');
});
