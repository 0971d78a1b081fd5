// Who holds a lock, by the kernel's own list: shared/host/lock.sh in a real bash.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Failure, isFailure } from '../../shared/failure.ts';
import type { Connection } from '../../shared/host/connection.ts';
import { holdLock } from '../../shared/host/held-lock.ts';
import { connectLocally } from '../../shared/host/local.ts';
import type { Program, ProgramOptions } from '../../shared/host/program.ts';

const script = join(import.meta.dirname, '../../shared/host/lock.sh');
const folder = mkdtempSync(join(tmpdir(), 'lock-'));
const lock = join(folder, '.lock');
writeFileSync(lock, '');
after(() => rmSync(folder, { recursive: true }));

function owner(): string {
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', '. "$1"; lock_owner "$2"', 'bash', script, lock], {
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  return stdout;
}

/** Who is called the owner while such a program runs, which prints a line once it has its lock. */
async function ownerBeside(command: string, words: readonly string[]): Promise<{ owner: string; process: string }> {
  const program = spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(program.stdout, 'data', { signal: AbortSignal.timeout(10_000) });
  try {
    return { owner: owner(), process: String(program.pid) };
  } finally {
    program.stdin.end();
    await once(program, 'exit');
  }
}

test('nobody holds a lock that is free', () => assert.equal(owner(), ''));

test('who has it by flock holds it', async () => {
  const found = await ownerBeside('flock', ['--no-fork', lock, 'sh', '-c', 'echo held; exec cat']);
  assert.equal(found.owner, found.process);
});

test('a lock of another kind on the same file keeps nobody waiting, and so does not count', async () => {
  const other = `use Fcntl; open F, "+<", $ARGV[0]; my $lock = pack("s s x!8 l! l! i x!8", F_WRLCK, 0, 0, 0, 0);
    fcntl(F, F_SETLK, $lock) or die; $| = 1; print "held\\n"; <STDIN>`;
  assert.equal((await ownerBeside('perl', ['-e', other, lock])).owner, '');
});

for (const [what, plant] of [
  ['a fifo', ['mkfifo']],
  ['a symbolic link', ['ln', '-s', '/nowhere']],
] as const)
  for (const file of ['.lock.offsite', '.lock.offsite.holder'])
    test(`${file} that is ${what} is refused at once, and not opened`, async () => {
      const planted = mkdtempSync(join(folder, 'planted-'));
      const [command, ...words] = plant;
      spawnSync(command, [...words, join(planted, file)]);
      const host = await connectLocally();
      const held = holdLock(host, {
        lock: { path: join(planted, '.lock.offsite'), wait: 2_000, holder: 'x' },
        longest: 60_000,
        signal: AbortSignal.timeout(10_000),
        onLog: () => {},
        onWait: () => {},
      });
      await assert.rejects(held, (error) => {
        assert.ok(isFailure(error, 'lock-unusable'), String(error));
        assert.match(error.message, new RegExp(`/${file.replaceAll('.', '\\.')} is a ${what.slice(2)}, not a file`));
        return true;
      });
      await host.close();
    });

for (const code of ['lock-held', 'connection-lost'] as const) {
  test(`a lock that was not taken (${code}) is let go of, as it may have been`, async () => {
    let isReleased = false;
    const release = async () => {
      isReleased = true;
      return true;
    };
    const host = { run: () => ({ result: Promise.reject(new Failure(code, 'x')), release }) } as unknown as Connection;
    const options = { longest: 60_000, signal: new AbortController().signal, onLog: () => {}, onWait: () => {} };
    const held = holdLock(host, { lock: { path: lock, wait: 0, holder: 'x' }, ...options });
    await assert.rejects(held, (error) => isFailure(error, code));
    assert.equal(isReleased, true);
  });
}

test('a program that has lost its lock cleans up nothing: another run works there now', async () => {
  const script = join(folder, 'program.sh');
  writeFileSync(
    script,
    `takes mark loses
    main() { [[ -z $loses ]] || printf 'another run\\n' >"$lock.holder"; }
    ended() { : >"$mark"; }
    `,
  );
  const program: Program<{ mark: string; loses: string }> = {
    name: 'losing',
    step: 'this',
    scripts: [pathToFileURL(script)],
  };
  for (const loses of ['', 'yes']) {
    const mark = join(folder, `cleaned-up-${loses}`);
    const options: ProgramOptions = {
      deadline: 20_000,
      atEnd: 'linger',
      lock: { path: join(folder, '.other'), wait: 0, holder: 'this run' },
    };
    const run = connectLocally().run(program, { mark, loses }, options);
    await run.result;
    // Only the end of its process says that it has cleaned up.
    assert.equal(await run.release(), true);
    assert.equal(existsSync(mark), loses === '');
    assert.equal(existsSync(join(folder, '.other.holder')), loses !== '');
  }
});
