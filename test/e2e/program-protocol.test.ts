// The protocol by which programs are run on a host, with programs made for the purpose: on this machine, and over ssh.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../shared/failure.ts';
import { bootstrap, type Connection } from '../../shared/host/connection.ts';
import { connectLocally } from '../../shared/host/local.ts';
import type { Program, ProgramOptions, Run } from '../../shared/host/program.ts';
import { type Explain, runProgram } from '../../shared/host/run-program.ts';
import { connectBySsh } from '../../shared/host/ssh.ts';
import { diagnoseKey } from '../../shared/runner/key-diagnosis.ts';
import { type Account, giveTo, hostAccount } from '../lab/account.ts';
import { until } from '../lab/faults.ts';
import { folder as labFolder, temporaryFolder } from '../lab/folder.ts';
import { type KeyPair, makeKey } from '../lab/keys.ts';
import { processes } from '../lab/processes.ts';
import { type SshServer, startSshServer } from '../lab/sshd.ts';

const program = (name: string) => ({
  name,
  step: 'a trial',
  scripts: [new URL(`./programs/${name}.sh`, import.meta.url)],
});
const patient: ProgramOptions = { deadline: 60_000, atEnd: 'end' };

/** Known in the environment of whatever a program starts. */
const mark = { name: 'ATLASIA_PROTOCOL_TEST', value: randomUUID() };

let account: Account;
let key: KeyPair;
let server: SshServer;
let root: string;

before(async () => {
  account = await hostAccount();
  key = await makeKey();
  root = mkdtempSync(join(labFolder('protocol'), 'test-'));
  // The account has to get at what is in it.
  chmodSync(root, 0o755);
  server = await serve('sshd', {});
});

after(async () => {
  await server?.stop();
  rmSync(root, { recursive: true, force: true });
});

async function serve(name: string, environment: Record<string, string>): Promise<SshServer> {
  const path = mkdtempSync(join(root, `${name}-`));
  return startSshServer({
    folder: path,
    account,
    authorized: [key],
    environment: { [mark.name]: mark.value, ...environment },
  });
}

function reach({ port, knownHosts }: SshServer): Promise<Connection> {
  return connectBySsh(
    {
      host: '127.0.0.1',
      port,
      user: account.name,
      key: key.privateKey,
      passphrase: null,
      knownHosts,
      proxyJump: null,
    },
    { folder: temporaryFolder('atlasia'), diagnoseKey, signal: new AbortController().signal },
  );
}

/** A folder in which programs leave signs of what they did. */
async function newFolder(): Promise<string> {
  const path = mkdtempSync(join(root, 'work-'));
  await giveTo(account, path);
  return path;
}

/** What programs have started and what lives; the runner's own ssh is none of it. */
function alive(): string[] {
  return processes()
    .filter(({ environment }) => environment.includes(`${mark.name}=${mark.value}`))
    .map(({ command }) => command.join(' '));
}

/** Stops what runs on the host, as if it hung; gives what lets it go on. */
function freeze(): () => void {
  const frozen = processes().filter(({ environment }) => environment.includes(`${mark.name}=${mark.value}`));
  assert.ok(frozen.length > 0, 'nothing runs');
  for (const { pid } of frozen) process.kill(pid, 'SIGSTOP');
  return () => {
    for (const { pid } of frozen) process.kill(pid, 'SIGCONT');
  };
}

async function nothingLives(): Promise<void> {
  await until('the end of all processes', async () => alive().length === 0 || undefined, 10_000).catch(() => {});
  assert.deepEqual(alive(), []);
}

const appears = (file: string) => until(file, async () => existsSync(file) || undefined, 10_000);

function failsWith(run: Run, code: string, message: RegExp = /./): Promise<void> {
  return assert.rejects(run.result, (error: Failure) => {
    assert.equal(error.code, code, `${error.message}\n${error.cause}`);
    assert.match(error.message, message);
    return true;
  });
}

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

describe('on this machine', () => protocolTests(async () => locally()));
describe('over ssh', () => protocolTests(() => reach(server)));

/** As connectLocally, with the mark in the environment of what it starts. */
function locally(): Connection {
  const connection = connectLocally();
  const run: Connection['run'] = (...words) => {
    process.env[mark.name] = mark.value;
    try {
      return connection.run(...words);
    } finally {
      delete process.env[mark.name];
    }
  };
  return { ...connection, run };
}

function protocolTests(open: () => Promise<Connection>): void {
  let connection: Connection;

  before(async () => {
    connection = await open();
  });
  after(() => connection?.close());

  test('parameters of every kind arrive as they are, and children find nothing on stdin', async () => {
    const values = awkwardValues();
    const records = await connection.run(program('echo'), { values }, patient).result;
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

  test('a program without parameters has none', async () => {
    const records = await connection.run(program('echo'), { values: [] }, patient).result;
    assert.deepEqual(records.all('parameter'), []);
  });

  test('a parameter with NUL is refused before anything starts', () => {
    assert.throws(
      () => connection.run(program('echo'), { values: ['a', 'b\0c'] }, patient),
      /Parameter values of the program echo holds NUL/,
    );
  });

  test('a list keeps its order, and its name may be that of a variable of the host', async () => {
    const values = ['3', '1', '', '2'];
    const records = await connection.run(program('names'), { container: 'given', folders: values }, patient).result;
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
      const run = connection.run(untyped, { ...parameters, folders: [folder] }, patient);
      await assert.rejects(run.result, (error: Error) => {
        assert.ok(error instanceof TypeError, 'it is a defect of ours, and nothing for an operator');
        assert.match(error.message, said);
        return true;
      });
      assert.deepEqual(readdirSync(folder), []);
    });
  }

  test('a result may hold every byte, and what looks like its own end', async () => {
    const records = await connection.run(program('bytes'), {}, patient).result;
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
    const run = connection.run(program('work'), { verb: 'for_seconds', folder, words: ['0.5', secret] }, patient);
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
    const run = connection.run(program('die'), { words: ['named', 'disk-full', detail] }, patient);
    await assert.rejects(run.result, (error: Failure) => error.code === 'disk-full' && error.message === detail);
    await nothingLives();
  });

  test('an unnamed failure tells the exit and the last lines', async () => {
    const run = connection.run(program('die'), { words: ['unnamed'] }, patient);
    await assert.rejects(run.result, (error: Failure) => {
      assert.equal(error.code, 'program-failed');
      assert.match(error.message, /die failed on the host \(exit 7\)/);
      assert.match(String(error.cause), /what went wrong/);
      return true;
    });
  });

  test('a result without its end is none', async () => {
    const { code } = await failureOf(connection.run(program('die'), { words: ['without_end'] }, patient));
    assert.match(code, /^(program-lost|connection-lost|host-shell)$/);
    await nothingLives();
  });

  test('an end with another nonce, or without its line break, is none', async () => {
    const { code } = await failureOf(connection.run(program('die'), { words: ['forged'] }, patient));
    assert.match(code, /^(program-lost|connection-lost|host-shell)$/);
    await nothingLives();
  });

  test('an exit of 0 before the program has begun is a failure', async () => {
    const { code, message } = await failureOf(connection.run(program('leave-early'), {}, patient));
    assert.match(code, /^(program-lost|host-shell)$/);
    assert.match(message, /exit 0/);
  });

  test('progress and log arrive line by line, whatever they hold', async () => {
    const lines: string[] = [];
    const steps: [string, string][] = [];
    const run = connection.run(
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
    assert.match(long, /^x+ end of the long line$/);
    assert.ok(long.length < 300_000, `${long.length}: it was kept as a whole`);
  });

  test('what a program leaves behind is ended with it', async () => {
    const folder = await newFolder();
    const records = await connection.run(program('work'), { verb: 'leave_children', folder, words: [] }, patient)
      .result;
    assert.equal(records.get('left'), 'child');
    await nothingLives();
    assert.ok(existsSync(join(folder, 'ended')));
  });

  test('the host ends a program at its deadline, with all that it has started', async () => {
    const folder = await newFolder();
    const begin = performance.now();
    const run = connection.run(
      program('work'),
      { verb: 'stubbornly', folder, words: [] },
      { ...patient, deadline: 1_000 },
    );
    await failsWith(run, 'deadline', /did not end within 1 s/);
    // Of these, 3 s are for the child that ignores TERM.
    const took = performance.now() - begin;
    assert.ok(took > 900 && took < 7_500, `${took} ms`);
    await nothingLives();
    assert.deepEqual(readdirSync(folder).toSorted(), ['ended', 'started']);
  });

  test('a cancel ends a program, with all that it has started', async () => {
    const folder = await newFolder();
    const cancellation = new AbortController();
    const run = connection.run(
      program('work'),
      { verb: 'stubbornly', folder, words: [] },
      { ...patient, signal: cancellation.signal },
    );
    await appears(join(folder, 'started'));
    const begin = performance.now();
    cancellation.abort();
    await failsWith(run, 'cancelled');
    assert.ok(performance.now() - begin < 6_000);
    await nothingLives();
    assert.deepEqual(readdirSync(folder).toSorted(), ['ended', 'started']);
  });

  test('a program that was cancelled before it started does not start', async () => {
    const folder = await newFolder();
    const run = connection.run(
      program('work'),
      { verb: 'for_ever', folder, words: [] },
      { ...patient, signal: AbortSignal.abort() },
    );
    await failsWith(run, 'cancelled');
    await run.release();
    assert.deepEqual(readdirSync(folder), []);
  });

  test('the end of the input ends a program', async () => {
    const folder = await newFolder();
    const run = connection.run(program('work'), { verb: 'for_ever', folder, words: [] }, patient);
    run.result.catch(() => {});
    await appears(join(folder, 'started'));
    await run.release();
    await failsWith(run, 'cancelled');
    await nothingLives();
    assert.deepEqual(readdirSync(folder).toSorted(), ['ended', 'started']);
  });

  test('a program that finishes is not cut by the end of its input, nor by a cancel', async () => {
    const folder = await newFolder();
    const cancellation = new AbortController();
    const options: ProgramOptions = { ...patient, atEnd: 'finish', signal: cancellation.signal };
    const run = connection.run(program('work'), { verb: 'for_seconds', folder, words: ['1'] }, options);
    cancellation.abort();
    await run.release();
    assert.equal((await run.result).get('finished'), 'yes');
    assert.deepEqual(readdirSync(folder).toSorted(), ['ended', 'ended-after-the-end', 'finished', 'started']);
    await nothingLives();
  });

  test('a program that finishes has a deadline all the same', async () => {
    const folder = await newFolder();
    const options: ProgramOptions = { deadline: 1_000, atEnd: 'finish' };
    const run = connection.run(program('work'), { verb: 'for_ever', folder, words: [] }, options);
    const released = run.release();
    await failsWith(run, 'deadline');
    await released;
    await nothingLives();
  });

  test('a program that falls silent is given up when its time and the grace are over', async () => {
    for (const [atEnd, state] of [
      ['end', /When it continues, it ends this on its own/],
      ['finish', /the host may have done it, or may still do it/],
    ] as const) {
      const folder = await newFolder();
      // The host counts whole seconds, and the first of them may be short.
      const options: ProgramOptions = { deadline: 2_000, grace: 500, atEnd };
      const run = connection.run(program('work'), { verb: 'for_ever', folder, words: [] }, options);
      run.result.catch(() => {});
      await appears(join(folder, 'started'));
      const thaw = freeze();
      try {
        const begin = performance.now();
        const failure = await failureOf(run);
        assert.ok(performance.now() - begin < 3_500, `${performance.now() - begin} ms`);
        assert.equal(failure.code, 'host-silent');
        assert.match(
          failure.message,
          /^The host has sent nothing for \d.* during a trial \(program work\), whose limit was 2\.0 s$/,
        );
        assert.match(failure.hint ?? '', state);
        assert.match(failure.hint ?? '', /dmesg/);
        assert.equal(await run.release(), false);
      } finally {
        thaw();
      }
      await nothingLives();
      assert.deepEqual(readdirSync(folder).toSorted(), ['ended', 'started']);
    }
  });

  test('a host that cannot end a program at its deadline is told from one that is silent', async () => {
    const folder = await newFolder();
    const options: ProgramOptions = { ...patient, deadline: 1_000, grace: 1_500 };
    // Of TERM and KILL, 3 s apart, the grace leaves no time for the second.
    const run = connection.run(program('work'), { verb: 'stubbornly', folder, words: [] }, options);
    await failsWith(
      run,
      'host-silent',
      /was told to stop a trial \(program work\) after 1\.0 s, .* not finished stopping it 1\.5 s later$/,
    );
    await nothingLives();
    assert.deepEqual(readdirSync(folder).toSorted(), ['ended', 'started']);
  });

  test('a program that lingers is waited for no longer than the caller says; the lock stays as long as it', async () => {
    const folder = await newFolder();
    const path = join(folder, '.lock');
    const lock = { path, wait: 0, holder: 'a run that is waited for' };
    const run = connection.run(
      program('work'),
      { verb: 'for_seconds', folder, words: ['0'] },
      {
        deadline: 2_000,
        grace: 200,
        atEnd: 'linger',
        lock,
      },
    );
    await run.result;
    const thaw = freeze();
    try {
      // The time that a result may take is not that of its caller.
      await sleep(2_300);
      const begin = performance.now();
      assert.equal(await run.release(300), false);
      assert.ok(performance.now() - begin < 1_000);
      const free = spawn('flock', ['--nonblock', path, 'true']);
      assert.deepEqual(await once(free, 'exit'), [1, null], 'the lock is free, and what holds it may write yet');
    } finally {
      thaw();
    }
    await nothingLives();
    assert.ok(existsSync(join(folder, 'ended')));
  });

  test('of a flood, the beginning is passed on, the end is a cause, and the rest is counted', async () => {
    for (const ending of ['well', 'badly']) {
      const lines: string[] = [];
      const steps: string[] = [];
      const run = connection.run(
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

  test('a program that lingers keeps its lock until it is released', async () => {
    const folder = await newFolder();
    const path = join(folder, 'not yet there', '.lock');
    const lock = { path, wait: 0, holder: 'the first run' };
    const lingering: ProgramOptions = { ...patient, atEnd: 'linger', lock };
    const first = connection.run(program('work'), { verb: 'for_seconds', folder, words: ['0.1'] }, lingering);
    assert.equal((await first.result).get('finished'), 'yes');
    assert.match(readFileSync(`${path}.holder`, 'utf8'), /^the first run\n\d+\n$/);
    assert.ok(!existsSync(join(folder, 'ended')), 'it was put in order too early');

    const other = await newFolder();
    const second = { ...lingering, lock: { ...lock, holder: 'the second run' } };
    const refused = connection.run(program('work'), { verb: 'for_seconds', folder: other, words: ['0'] }, second);
    await failsWith(refused, 'lock-held', /^the first run$/);
    assert.match(readFileSync(`${path}.holder`, 'utf8'), /^the first run\n\d+\n$/);
    assert.deepEqual(readdirSync(other), [], 'a run without the lock put something in order');

    const waited: string[] = [];
    const waiting = connection.run(
      program('work'),
      { verb: 'for_seconds', folder: other, words: ['0'] },
      {
        ...second,
        lock: { path, wait: 20_000, holder: 'the third run' },
        onProgress: (name, value) => waited.push(`${name} ${value}`),
      },
    );
    await until('a run that waits', async () => waited.length > 0 || undefined);
    assert.deepEqual(waited, ['waiting-for the first run']);
    await first.release();
    assert.ok(existsSync(join(folder, 'ended')), 'release did not wait for the host');
    await waiting.result;
    assert.match(readFileSync(`${path}.holder`, 'utf8'), /^the third run\n\d+\n$/);
    await waiting.release();
    assert.ok(!existsSync(`${path}.holder`));
    await nothingLives();
  });

  test('the text of a run that died is not taken for the name of who has the lock now', async () => {
    const path = join(await newFolder(), '.lock');
    const lock = { path, wait: 0, holder: 'a run that died' };
    const first = connection.run(
      program('work'),
      { verb: 'for_seconds', folder: await newFolder(), words: ['0'] },
      {
        ...patient,
        atEnd: 'linger',
        lock,
      },
    );
    await first.result;
    const left = readFileSync(`${path}.holder`, 'utf8');
    await first.release();
    writeFileSync(`${path}.holder`, left);

    const deploy = spawn('flock', [path, 'sh', '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(deploy.stdout, 'data');
    const options = { ...patient, lock: { ...lock, holder: 'the next run' } };
    const refused = connection.run(
      program('work'),
      { verb: 'for_seconds', folder: await newFolder(), words: ['0'] },
      options,
    );
    await failsWith(refused, 'lock-held', new RegExp(`^another process \\(${deploy.pid}\\)$`));
    deploy.stdin.end();
    await once(deploy, 'exit');
  });

  test('no child keeps the lock, and a lock file that was replaced is not taken', async () => {
    const folder = await newFolder();
    const path = join(folder, '.lock');
    const options = (holder: string): ProgramOptions => ({ ...patient, lock: { path, wait: 10_000, holder } });
    const descriptors = await connection.run(program('echo'), { values: [] }, options('one')).result;
    assert.doesNotMatch(descriptors.get('descriptors'), /\/9\b/);

    const first = connection.run(program('work'), { verb: 'for_seconds', folder, words: ['1.5'] }, options('one'));
    await appears(join(folder, 'started'));
    const other = await newFolder();
    const waited: string[] = [];
    const second = connection.run(
      program('work'),
      { verb: 'for_seconds', folder: other, words: ['0'] },
      {
        ...options('two'),
        onProgress: (name) => waited.push(name),
      },
    );
    second.result.catch(() => {});
    await until('a run that waits', async () => waited.length > 0 || undefined);
    rmSync(path);
    writeFileSync(path, '');
    await giveTo(account, path);
    await first.result;
    await failsWith(second, 'lock-lost', /was replaced while we were waiting for it/);
    assert.deepEqual(readdirSync(other), []);
    await nothingLives();
  });

  test('a lock that cannot be written is named', async () => {
    const lock = { path: '/proc/no such folder/.lock', wait: 0, holder: 'x' };
    await failsWith(
      connection.run(program('echo'), { values: [] }, { ...patient, lock }),
      'lock-unusable',
      /cannot be written/,
    );
  });

  test('several programs run at once', async () => {
    const folders = await Promise.all([newFolder(), newFolder(), newFolder()]);
    const runs = folders.map((folder) =>
      connection.run(program('work'), { verb: 'for_seconds', folder, words: ['0.3'] }, patient),
    );
    for (const records of await Promise.all(runs.map(({ result }) => result))) {
      assert.equal(records.get('finished'), 'yes');
    }
  });
}

test('closing a connection does not wait for what hangs', async () => {
  const connections = [locally(), await reach(server)];
  const folders: string[] = [];
  for (const connection of connections) {
    const folder = await newFolder();
    folders.push(folder);
    connection.run(program('work'), { verb: 'for_ever', folder, words: [] }, patient).result.catch(() => {});
    await appears(join(folder, 'started'));
  }
  const thaw = freeze();
  try {
    const begin = performance.now();
    await Promise.all(connections.map((connection) => connection.close()));
    assert.ok(performance.now() - begin < 7_000, `${performance.now() - begin} ms`);
  } finally {
    thaw();
  }
  await nothingLives();
  for (const folder of folders) assert.ok(existsSync(join(folder, 'ended')));
});

test('closing a connection ends what runs over it', async () => {
  for (const connection of [locally(), await reach(server)]) {
    const folder = await newFolder();
    const run = connection.run(program('work'), { verb: 'for_ever', folder, words: [] }, patient);
    run.result.catch(() => {});
    await appears(join(folder, 'started'));
    await connection.close();
    await nothingLives();
    assert.ok(existsSync(join(folder, 'ended')));
  }
});

test('a runner that dies at once ends its programs, but not those that finish', async () => {
  const connection = await reach(server);
  const folder = await newFolder();
  const other = await newFolder();
  const runs = [
    connection.run(program('work'), { verb: 'for_ever', folder, words: [] }, patient),
    connection.run(
      program('work'),
      { verb: 'for_seconds', folder: other, words: ['1'] },
      { ...patient, atEnd: 'finish' },
    ),
  ];
  await appears(join(folder, 'started'));
  await appears(join(other, 'started'));
  for (const { pid } of server.connections()) process.kill(pid, 'SIGKILL');
  const failures = await Promise.all(runs.map(failureOf));
  assert.deepEqual(
    failures.map(({ code }) => code),
    ['connection-lost', 'connection-lost'],
  );
  await appears(join(other, 'finished'));
  await nothingLives();
  assert.ok(existsSync(join(folder, 'ended')) && !existsSync(join(folder, 'went-on')));
  await connection.close();
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

  test('may report of 30,000 tables and 1,000 sets', async () => {
    const many = `${readNonce} echo "begin $nonce"; yes $'fact\\n{"schema":"public"}' | head -n 150000 | tr '\\n' '\\0'; echo "done $nonce"`;
    const records = await fake(many).result;
    assert.equal(records.all('fact').length, 75_000);
  });

  test('may not fill the log with steps, though it knows the nonce', async () => {
    let steps = 0;
    const run = fake(
      `${readNonce} echo "begin $nonce"; yes "$nonce progress waiting-for nobody" | head -n 200000 >&2; echo "done $nonce"`,
      {
        onProgress: () => {
          steps += 1;
        },
      },
    );
    await run.result;
    await run.release();
    assert.ok(steps >= 2_000 && steps < 2_100, `${steps}`);
  });

  test('may not keep a caller by saying done and staying', async () => {
    const run = fake(`${readNonce} echo "begin $nonce"; echo "done $nonce"; exec sleep 1009`);
    await run.result;
    assert.equal(await run.release(200), false);
  });

  test('is given up where it never begins', async () => {
    const failure = await failureOf(fake('exec sleep 1010', { deadline: 300, grace: 200 }));
    assert.equal(failure.code, 'host-silent');
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
  const folder = join(root, 'no-bash');
  const { attempt } = await import('../lab/command.ts');
  await attempt(['mkdir', '-p', folder]);
  const start = (): ChildProcess => spawn('/bin/sh', ['-c', bootstrap], { env: { PATH: folder } });
  const explain: Explain = async ({ code }) => new Failure('no-bash', `exit ${code}`);
  const run = runProgram({ start, explain, isProgram: true }, program('echo'), { values: [] }, patient);
  assert.equal((await failureOf(run)).message, 'exit 127');
});

async function failureOf(run: Run): Promise<Failure> {
  return run.result.then(
    () => assert.fail('The program succeeded'),
    (error) => error,
  );
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
