// How long a host may say nothing, without waiting for it: the looks come as fast as they are asked for.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, mock, test } from 'node:test';
import { logging } from '../../shared/backups/publish.ts';
import { isFailure } from '../../shared/failure.ts';
import { bootstrap, type Connection, connectionOver } from '../../shared/host/connection.ts';

const folder = mkdtempSync(join(tmpdir(), 'silent-'));
after(() => rmSync(folder, { recursive: true }));

/** The nonce is the first parameter. */
const readNonce =
  'IFS= read -r n; IFS= read -r -N "$n" s; IFS= read -r c; IFS= read -r -d "" name; IFS= read -r -d "" nonce;';

const commands = {
  silent: 'exec cat >/dev/null',
  endless: `exec bash -c '${readNonce} echo "begin $nonce"; echo at work >&2; exec cat >/dev/null'`,
  unread: 'exec sleep 600',
  deaf: `exec bash -c '${readNonce} echo "begin $nonce"; echo at work >&2; exec sleep 600'`,
  listening: `exec bash -c '${readNonce} echo "begin $nonce"; echo at work >&2; while read -r -N 1 c; do [[ $c != . ]] || echo heard >&2; done'`,
  ending: `exec bash -c '${readNonce} echo "begin $nonce"; echo at work >&2; cat >/dev/null; echo ending >&2; exec sleep 600'`,
  well: bootstrap,
};

/**
 * What the host does with a program: reads it and says nothing, begins it and never ends, does not even read it, hears of no end,
 * says what it hears, says that it ends it, or runs it.
 */
let host: keyof typeof commands = 'silent';

/** So that a test that fails ends as well. */
const children: ChildProcess[] = [];

const connect = () =>
  connectionOver('a host', {
    start: () => {
      const child = spawn('/bin/sh', ['-c', commands[host]], { stdio: 'pipe' });
      children.push(child);
      return child;
    },
    explain: async () => assert.fail('It was not given up'),
    isProgram: false,
  });

/** Lets happen what already may. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const run = (connection: Connection) =>
  connection.run(
    logging,
    { log_file: join(folder, 'backup.log'), log_line: 'x' },
    { deadline: 3_600_000, atEnd: 'end' },
  ).result;

/** After how many seconds a program is given up. */
async function givenUpAfter(connection: Connection): Promise<number> {
  let failure: unknown;
  run(connection).catch((error) => {
    failure = error;
  });
  await settle();
  for (let seconds = 5; seconds <= 120; seconds += 5) {
    mock.timers.tick(5_000);
    await settle();
    if (failure === undefined) continue;
    assert.ok(isFailure(failure, 'host-silent'), String(failure));
    return seconds;
  }
  return assert.fail('It waits for ever');
}

describe('a host that says nothing', () => {
  beforeEach(() => {
    host = 'silent';
    mock.timers.enable({ apis: ['setInterval', 'setTimeout', 'Date'] });
  });
  afterEach(() => {
    mock.timers.reset();
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  test('is given up after 60 s; each program that follows gets 20 s, as long as it says nothing', async () => {
    const connection = connect();
    assert.equal(await givenUpAfter(connection), 60);
    assert.equal(await givenUpAfter(connection), 20);
    assert.equal(await givenUpAfter(connection), 20);
    assert.equal(await givenUpAfter(connect()), 60, 'another connection pays for it');
  });

  test('has its 60 s again once it has answered', async () => {
    const connection = connect();
    assert.equal(await givenUpAfter(connection), 60);
    host = 'well';
    await run(connection);
    host = 'silent';
    assert.equal(await givenUpAfter(connection), 60);
  });

  test('but what it hears of the runner hears of it every 10 s, long before it would give it up', async () => {
    host = 'listening';
    const lines: string[] = [];
    const parameters = { log_file: '/log', log_line: 'x' };
    const options = { deadline: 3_600_000, atEnd: 'end', onLog: (line: string) => lines.push(line) } as const;
    const ending = connect()
      .run(logging, parameters, options)
      .result.catch(() => {});
    const heardAgain = async (times: number) => {
      for (const end = performance.now() + 5_000; lines.length < times; ) {
        assert.ok(performance.now() < end, `it has heard ${lines.length - 1} times`);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await heardAgain(1);
    await settle();
    for (let times = 1; times <= 6; times += 1) {
      mock.timers.tick(10_000);
      await heardAgain(1 + times);
    }
    assert.deepEqual(lines, ['at work', ...Array<string>(6).fill('heard')]);
    // Before the next test: it would clear the timers of that.
    children[0]?.kill('SIGKILL');
    await ending;
  });

  for (const [what, does, says, patience] of [
    ['a host that has said nothing since', 'deaf', 'at work', 2_500],
    ['a host that says it is ending', 'ending', 'ending', 5_500],
  ] as const) {
    test(`after a cancel: ${what} is let go after ${patience} ms`, async () => {
      host = does;
      const cancel = new AbortController();
      const lines: string[] = [];
      const heard = async (line: string) => {
        while (!lines.includes(line)) await new Promise((resolve) => setImmediate(resolve));
      };
      const options = { deadline: 3_600_000, atEnd: 'end', signal: cancel.signal } as const;
      const parameters = { log_file: join(folder, 'backup.log'), log_line: 'x' };
      const { result } = connect().run(logging, parameters, { ...options, onLog: (line) => lines.push(line) });
      let failure: unknown;
      result.catch((error: unknown) => {
        failure = error;
      });
      await heard('at work');
      await settle();
      mock.timers.tick(1);
      cancel.abort();
      await heard(says);
      mock.timers.tick(patience - 1);
      await settle();
      assert.equal(failure, undefined);
      mock.timers.tick(1);
      await settle();
      assert.ok(isFailure(failure, 'cancelled'), String(failure));
    });
  }

  test('but that it is alive is given up 30 s after the limit, for what it does not end', async () => {
    host = 'endless';
    const isAtWork = Promise.withResolvers<void>();
    const options = { deadline: 15_000, atEnd: 'end', unheard: 3_600_000, onLog: () => isAtWork.resolve() } as const;
    const { result } = connect().run(logging, { log_file: join(folder, 'backup.log'), log_line: 'x' }, options);
    const seen = result.catch((error: unknown) => error);
    await isAtWork.promise;
    let isGivenUp = false;
    void seen.then(() => {
      isGivenUp = true;
    });
    mock.timers.tick(44_999);
    await settle();
    assert.equal(isGivenUp, false);
    mock.timers.tick(1);
    await settle();
    assert.ok(isGivenUp);
    const failure = await seen;
    assert.ok(isFailure(failure, 'host-silent'), String(failure));
    assert.match(
      failure.message,
      /^The host had not ended the line in the log \(program log-run\) 30\.0 s after its limit of 15\.0 s\. It last sent/,
    );
  });

  for (const [what, isCancelled, patience] of [
    ['', false, 5_000],
    [' that was cancelled', true, 1_000],
  ] as const) {
    test(`is waited for ${patience / 1_000} s at the end of a run${what}`, async () => {
      host = 'unread';
      const connection = connect();
      const stopping = new AbortController();
      const start = (signal?: AbortSignal) =>
        connection
          .run(
            logging,
            { log_file: join(folder, 'backup.log'), log_line: 'x' },
            { deadline: 3_600_000, atEnd: 'end', ...(signal !== undefined && { signal }) },
          )
          .result.catch((error: unknown) => error);
      const [, stopped] = [start(), start(stopping.signal)];
      if (isCancelled) {
        stopping.abort();
        mock.timers.tick(5_500);
        assert.ok(isFailure(await stopped, 'cancelled'));
      }
      let isClosed = false;
      void connection.close().then(() => {
        isClosed = true;
      });
      await settle();
      mock.timers.tick(patience - 1);
      await settle();
      assert.equal(isClosed, false);
      mock.timers.tick(1);
      await settle();
      assert.equal(isClosed, true);
    });
  }
});
