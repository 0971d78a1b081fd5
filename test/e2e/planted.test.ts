// What another user of the host puts into folders that both can write to: it is passed over, and stops nothing.
import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Account, as, strangerAccount } from '../lab/account.ts';
import { type Application, startApplication } from '../lab/application.ts';
import { asRoot, run } from '../lab/command.ts';
import { type Lab, openLab } from '../lab/lab.ts';
import { type Registry, startRegistry } from '../lab/registry.ts';
import { runAction } from '../lab/runner.ts';
import { loginsLeft } from './expectations.ts';
import { rolledBack } from './rollbacks.ts';
import { bash } from './sets.ts';
import { findingOf, verify } from './verifications.ts';

let lab: Lab;
let registry: Registry;
let app: Application;
let stranger: Account;

before(async () => {
  lab = await openLab();
  registry = await startRegistry();
  stranger = await strangerAccount();
  app = await startApplication(lab, registry, { name: 'planted' });
  for (const version of ['v1', 'v2']) await app.publish({ version });
});

after(async () => {
  await app?.stop();
  await registry?.close();
  await lab?.close();
});

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
      const inputs = { 'backup-dir': app.host.newBackupDir(), 'skip-backup': 'true', target: 'v1' };
      await rolledBack(app, await runAction('rollback', { ...app.inputs(), ...inputs }), { backend: 'v1' });
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
