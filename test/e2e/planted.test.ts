// What another user of the host puts into folders that both can write to: it is passed over, and stops nothing.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { as, strangerAccount } from '../lab/account.ts';
import { asRoot, run } from '../lab/command.ts';
import type { ActionResult } from '../lab/runner.ts';
import { errorsOf, loginsLeft, succeeded } from './expectations.ts';
import { rollBack, rolledBack } from './rollbacks.ts';
import { backup, bash } from './sets.ts';
import { applicationForFile } from './stage.ts';
import { findingOf, verify } from './verifications.ts';

const { app } = await applicationForFile({ name: 'planted', versions: ['v1', 'v2'] });
const stranger = await strangerAccount();

/** What waits for a FIFO ends after more than 5 minutes. Milliseconds. */
const longest = 240_000;

/** What the stranger does, in bash. */
const strangely = (script: string, ...words: string[]) => run(as(stranger, ['bash', '-c', script, 'bash', ...words]));

describe('in the shared memory, where the login at the registry lies for a while', { concurrency: 1 }, () => {
  /** Of no process that ever was: the kernel counts no further than 2^22. */
  const names = ['link', 'dangling', 'file', 'folder', 'fifo'].map(
    (_, index) => `atlasia-login.${990_000_000 + index}`,
  );

  /** Runs `work` while the stranger's entries are there, and sees that they still are. */
  async function whilePlanted(work: () => Promise<void>): Promise<void> {
    const ours = join(app.host.deployDir, 'kept');
    await bash(app.host, 'mkdir -p -- "$1" && : >"$1/file"', ours);
    await strangely(
      `cd /dev/shm && ln -s "$1" "$2" && ln -s /nowhere "$3" && : >"$4" && mkdir -m 0777 "$5" && mkfifo -m 0666 "$6"`,
      ours,
      ...names,
    );
    try {
      await work();
      assert.deepEqual(
        names.map((name) => lstatSync(join('/dev/shm', name)).uid),
        names.map(() => stranger.uid),
      );
      assert.deepEqual(readdirSync(ours), ['file']);
      assert.deepEqual(loginsLeft(app.host.account), []);
    } finally {
      await strangely('cd /dev/shm && rm -rf -- "$@"', ...names);
    }
  }

  test('it stops no rollback', async () => {
    await app.deploy('v2');
    await app.serves('v2');
    await app.forget('v1');
    await whilePlanted(async () => {
      await rolledBack(app, await rollBack(app, app.host.newBackupDir(), { target: 'v1' }), { backend: 'v1' });
    });
  });

  test('it stops no verification', async () => {
    const login = Object.entries(app.inputs()).filter(([name]) => name.startsWith('registry'));
    await whilePlanted(async () => {
      const inputs = { checks: 'setup', ...Object.fromEntries(login) };
      const result = await verify(app.host, app.host.newBackupDir(), inputs);
      assert.equal(findingOf(result, 'registry').result, 'passed', result.stdout);
    });
  });

  test('where they have filled it, the login lies elsewhere, and never where they could swap its folder', async () => {
    const scripts = ['host/open-parent.sh', 'releases/login.sh'].map((name) =>
      fileURLToPath(new URL(`../../shared/${name}`, import.meta.url)),
    );
    // A mount that nobody else sees: the machine's own is in use.
    const script = `mount -t tmpfs -o size=4k,mode=1777 none /dev/shm; mount -t tmpfs -o mode=0777 none /mnt
      export TMPDIR=/mnt; source "$1"; source "$2"
      make_login_folder; echo "$DOCKER_CONFIG"; remove_login; ls -A /dev/shm /mnt`;
    const [folder = '', ...left] = (
      await run(asRoot(['env', 'HOME=/var/tmp', 'unshare', '--mount', 'bash', '-c', script, 'bash', ...scripts]))
    ).split('\n');
    assert.match(folder, /^\/var\/tmp\/atlasia-login\.\d+\.\w{10}$/);
    assert.equal(existsSync(folder), false);
    assert.deepEqual(
      left.filter((line) => line !== '' && !line.endsWith(':')),
      [],
    );
  });

  test('no name of the next processes is taken over, and none stops the login', async () => {
    const login = Object.entries(app.inputs()).filter(([name]) => name.startsWith('registry'));
    const last = Number(readFileSync('/proc/loadavg', 'utf8').trim().split(' ').at(-1));
    const next = Array.from({ length: 6_000 }, (_, index) => `/nowhere/atlasia-login.${last + 1 + index}`);
    await strangely('ln -s -t /dev/shm -- "$@"', ...next);
    try {
      const inputs = { checks: 'setup', ...Object.fromEntries(login) };
      const result = await verify(app.host, app.host.newBackupDir(), inputs);
      assert.equal(findingOf(result, 'registry').result, 'passed', result.stdout);
    } finally {
      await strangely('cd /dev/shm && rm -f -- "$@"', ...next.map((path) => basename(path)));
    }
  });
});

describe('at the place of the log', { concurrency: 1 }, () => {
  let shared: string;
  let ours: string;

  beforeEach(async () => {
    // Above the deploy folder, which is in a folder that keeps entries for their owners, as /tmp does.
    shared = mkdtempSync('/var/tmp/atlasia-log-');
    ours = join(app.host.deployDir, 'authorized_keys');
    await bash(app.host, 'printf "ours\\n" >"$1"', ours);
  });

  afterEach(() => rmSync(shared, { recursive: true }));

  /** Takes a backup that would write its line into the file. */
  async function logged(logFile: string): Promise<ActionResult> {
    const result = await backup(app.host, app.host.newBackupDir(), { 'log-file': logFile });
    assert.equal(readFileSync(ours, 'utf8'), 'ours\n');
    assert.ok(result.durationMs < longest, `it took ${result.durationMs} ms`);
    return result;
  }

  /** The backup is kept, and the log is said not to be written, and why. */
  function notLogged(result: ActionResult, why: RegExp): void {
    const log = result.stdout + result.stderr;
    assert.equal(result.outputs['status'], 'incomplete', log);
    assert.match(errorsOf(result)[0]?.message ?? '', why, log);
    assert.notEqual(result.outputs['backup-id'], '');
  }

  const planted: [what: string, script: string, why: RegExp][] = [
    ['a link to a file of ours', 'ln -s "$2" "$1"', /could not be written: \S+ is a symbolic link/],
    ['a link to nowhere', 'ln -s "$2.new" "$1"', /could not be written: \S+ is a symbolic link/],
    ['a FIFO', 'mkfifo -m 0666 "$1"', /could not be written: \S+ is a fifo/],
    ['a file of theirs', ': >"$1"; chmod 0666 "$1"', /could not be written: \S+ belongs to nobody/],
    ['a folder', 'mkdir -m 0777 "$1"', /could not be written: \S+ is a directory/],
  ];
  for (const [what, script, why] of planted)
    test(`${what} is not written through`, async () => {
      chmodSync(shared, 0o1777);
      const logFile = join(shared, 'backup.log');
      await strangely(script, logFile, ours);
      notLogged(await logged(logFile), why);
      assert.equal(existsSync(`${ours}.new`), false);
    });

  test('a second name of a file of ours is not written through', async () => {
    chmodSync(shared, 0o1777);
    const logFile = join(shared, 'backup.log');
    // As anybody can where the kernel does not forbid it.
    await run(asRoot(['ln', ours, logFile]));
    notLogged(await logged(logFile), /could not be written: \S+ has 2 hard links/);
  });

  test('nothing is written where others could swap the file, or a folder above it', async () => {
    chmodSync(shared, 0o777);
    await bash(app.host, 'mkdir -m 0700 "$1"', join(shared, 'logs'));
    for (const logFile of [join(shared, 'backup.log'), join(shared, 'logs', 'backup.log')])
      notLogged(await logged(logFile), new RegExp(`any user on the host can replace files in ${shared}`));
    assert.deepEqual(readdirSync(shared), ['logs']);
  });

  test('a file of our own in such a folder as /tmp gets its lines', async () => {
    chmodSync(shared, 0o1777);
    const logFile = join(shared, 'backup.log');
    for (const lines of [1, 2]) {
      succeeded(await logged(logFile));
      assert.equal(readFileSync(logFile, 'utf8').split('\n').length, lines + 1);
    }
    assert.deepEqual(readdirSync(shared), ['backup.log']);
    assert.equal(lstatSync(logFile).mode & 0o777, 0o600);
  });
});

describe('in the backup folder and above it', { concurrency: 1 }, () => {
  const rollback = (dir: string) => rollBack(app, dir, { target: 'v1' });

  /** Neither a backup nor a rollback begins, soon, and a verification says why. */
  async function refusedBy(dir: string, code: string, message: RegExp): Promise<void> {
    for (const result of [await backup(app.host, dir), await rollback(dir)]) {
      const log = result.stdout + result.stderr;
      assert.equal(result.exitCode, 1, log);
      assert.match(errorsOf(result)[0]?.properties['title'] ?? '', new RegExp(`: ${code}$`), log);
      assert.match(errorsOf(result)[0]?.message ?? '', message, log);
      assert.ok(result.durationMs < longest, `it took ${result.durationMs} ms`);
    }
    const verified = await verify(app.host, dir, { checks: 'setup' });
    assert.equal(findingOf(verified, 'folders').result, 'failed', verified.stdout);
    assert.match(findingOf(verified, 'folders').detail, message);
  }

  test('a folder above it that everybody may write to is refused: they could swap it', async () => {
    const dir = `open-${app.host.newBackupDir()}/backups`;
    const above = join(app.host.deployDir, dir, '..');
    await bash(app.host, 'umask 077; mkdir -p "$1/backups" && chmod 0777 "$1"', above);
    const name = join(above).replaceAll('.', '\\.');
    await refusedBy(dir, 'folder-open', new RegExp(`Any user .* can replace files in ${name}`));
    chmodSync(above, 0o1777);
    succeeded(await backup(app.host, dir));
  });

  const files = [
    '.lock',
    '.lock.holder',
    '.lock.publish',
    '.lock.turn',
    '.lock.turn.holder',
    '.lock.offsite',
    '.lock.created.holder',
    'rollback/history.jsonl',
    'rollback/deployment_tags.log',
    'rollback/HOLD',
  ];
  for (const file of files)
    for (const [what, script] of [
      ['a fifo', 'mkfifo "$1"'],
      ['a symbolic link', 'ln -s /nowhere/at/all "$1"'],
    ] as const)
      test(`${file} that is ${what} is refused`, async () => {
        const dir = app.host.newBackupDir();
        const path = join(app.host.deployDir, dir, file);
        await bash(app.host, `umask 077; mkdir -p "$(dirname "$1")" && ${script}`, path);
        await refusedBy(dir, 'folder-unusable', new RegExp(`/${file} is a ${what.slice(2)}, not a file`));
      });

  for (const folder of ['daily', 'failed', 'rollback/transactions'])
    test(`${folder} that is a link is refused`, async () => {
      const dir = app.host.newBackupDir();
      const path = join(app.host.deployDir, dir, folder);
      const elsewhere = join(app.host.deployDir, 'elsewhere');
      await bash(app.host, 'umask 077; mkdir -p "$(dirname "$1")" "$2" && ln -s "$2" "$1"', path, elsewhere);
      await refusedBy(dir, 'folder-unusable', new RegExp(`/${folder} is a symbolic link, not a folder`));
    });
});
