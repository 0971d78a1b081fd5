// The protocol by which programs are run on a host: how a program ends, with all that it has started, and who has the lock.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../shared/failure.ts';
import { bootstrap } from '../../shared/host/connection.ts';
import type { ProgramOptions } from '../../shared/host/program.ts';
import { runProgram } from '../../shared/host/run-program.ts';
import { giveTo } from '../lab/account.ts';
import { until } from '../lab/faults.ts';
import {
  appears,
  failsWith,
  failureOf,
  freeze,
  locally,
  nothingLives,
  onEachConnection,
  patient,
  program,
  stageForFile,
} from './protocol-stage.ts';

const stage = await stageForFile();
const { account, newFolder, reach, server } = stage;

onEachConnection(stage, (connection) => {
  test('what a program leaves behind is ended with it', async () => {
    const folder = await newFolder();
    const records = await connection().run(program('work'), { verb: 'leave_children', folder, words: [] }, patient)
      .result;
    assert.equal(records.get('left'), 'child');
    await nothingLives();
    assert.ok(existsSync(join(folder, 'ended')));
  });

  test('the host ends a program at its deadline, with all that it has started', async () => {
    const folder = await newFolder();
    const begin = performance.now();
    const run = connection().run(
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
    const run = connection().run(
      program('work'),
      { verb: 'stubbornly', folder, words: [] },
      { ...patient, signal: cancellation.signal },
    );
    await appears(join(folder, 'started'));
    const begin = performance.now();
    cancellation.abort();
    await failsWith(run, 'cancelled');
    assert.ok(performance.now() - begin < 30_000);
    await nothingLives();
    assert.deepEqual(readdirSync(folder).toSorted(), ['ended', 'started']);
  });

  test('a program that was cancelled before it started does not start', async () => {
    const folder = await newFolder();
    const run = connection().run(
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
    const run = connection().run(program('work'), { verb: 'for_ever', folder, words: [] }, patient);
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
    const run = connection().run(program('work'), { verb: 'for_seconds', folder, words: ['1'] }, options);
    cancellation.abort();
    await run.release();
    assert.equal((await run.result).get('finished'), 'yes');
    assert.deepEqual(readdirSync(folder).toSorted(), ['ended', 'ended-after-the-end', 'finished', 'started']);
    await nothingLives();
  });

  test('a program that finishes has a deadline all the same', async () => {
    const folder = await newFolder();
    const options: ProgramOptions = { deadline: 1_000, atEnd: 'finish' };
    const run = connection().run(program('work'), { verb: 'for_ever', folder, words: [] }, options);
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
      const run = connection().run(program('work'), { verb: 'for_ever', folder, words: [] }, options);
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
          /^The host had not ended a trial \(program work\) 500 ms after its limit of 2\.0 s\. It last sent something \d/,
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

  test('a program says that it is alive while it works', async () => {
    const folder = await newFolder();
    const options: ProgramOptions = { ...patient, atEnd: 'linger', unheard: 15_000 };
    const run = connection().run(program('work'), { verb: 'for_seconds', folder, words: ['25'] }, options);
    assert.equal((await run.result).get('finished'), 'yes');
    await run.release();
    await nothingLives();
  });

  test('a host that cannot end a program at its deadline is told from one that is silent', async () => {
    const folder = await newFolder();
    const options: ProgramOptions = { ...patient, deadline: 1_000, grace: 1_500 };
    // Of TERM and KILL, 3 s apart, the grace leaves no time for the second.
    const run = connection().run(program('work'), { verb: 'stubbornly', folder, words: [] }, options);
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
    const run = connection().run(
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
      assert.ok(performance.now() - begin < 10_000);
      const free = spawn('flock', ['--nonblock', path, 'true']);
      assert.deepEqual(await once(free, 'exit'), [1, null], 'the lock is free, and what holds it may write yet');
    } finally {
      thaw();
    }
    await nothingLives();
    assert.ok(existsSync(join(folder, 'ended')));
  });

  test('a program that lingers keeps its lock until it is released', async () => {
    const folder = await newFolder();
    const path = join(folder, 'not yet there', '.lock');
    const lock = { path, wait: 0, holder: 'the first run' };
    const lingering: ProgramOptions = { ...patient, atEnd: 'linger', lock };
    const first = connection().run(program('work'), { verb: 'for_seconds', folder, words: ['0.1'] }, lingering);
    assert.equal((await first.result).get('finished'), 'yes');
    assert.match(readFileSync(`${path}.holder`, 'utf8'), /^the first run\n\d+\n$/);
    assert.ok(!existsSync(join(folder, 'ended')), 'it was put in order too early');

    const other = await newFolder();
    const second = { ...lingering, lock: { ...lock, holder: 'the second run' } };
    const refused = connection().run(program('work'), { verb: 'for_seconds', folder: other, words: ['0'] }, second);
    await failsWith(refused, 'lock-held', /^the first run$/);
    assert.match(readFileSync(`${path}.holder`, 'utf8'), /^the first run\n\d+\n$/);
    assert.deepEqual(readdirSync(other), [], 'a run without the lock put something in order');

    const waited: string[] = [];
    const waiting = connection().run(
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
    const first = connection().run(
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
    const refused = connection().run(
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
    const descriptors = await connection().run(program('echo'), { values: [] }, options('one')).result;
    assert.doesNotMatch(descriptors.get('descriptors'), /\/9\b/);

    const first = connection().run(program('work'), { verb: 'for_seconds', folder, words: ['1.5'] }, options('one'));
    await appears(join(folder, 'started'));
    const other = await newFolder();
    const waited: string[] = [];
    const second = connection().run(
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
      connection().run(program('echo'), { values: [] }, { ...patient, lock }),
      'lock-unusable',
      /cannot be written/,
    );
  });

  test('several programs run at once', async () => {
    const folders = await Promise.all([newFolder(), newFolder(), newFolder()]);
    const runs = folders.map((folder) =>
      connection().run(program('work'), { verb: 'for_seconds', folder, words: ['0.3'] }, patient),
    );
    for (const records of await Promise.all(runs.map(({ result }) => result))) {
      assert.equal(records.get('finished'), 'yes');
    }
  });
});

test('a program whose log nobody reads any more is ended at its deadline all the same', async () => {
  const start = () =>
    spawn('bash', ['-c', `exec 2> >(exec sleep 40 >/dev/null 2>&1); ${bootstrap}`], { stdio: 'pipe' });
  const explain = async () => new Failure('program-lost', 'it ended without a result');
  const options: ProgramOptions = { deadline: 1_000, grace: 20_000, atEnd: 'end' };
  const run = runProgram({ start, explain, isProgram: true }, program('flood'), { ending: 'well' }, options);
  await failsWith(run, 'program-failed', /^The program flood failed on the host \(exit \d/);
});

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
