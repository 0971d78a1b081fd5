// Runs that are cut off: what is on the host stays whole, the host tidies itself up, and the next run works.
import assert from 'node:assert/strict';
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { giveTo } from '../lab/account.ts';
import {
  cutConnections,
  dumpStalled,
  freezeConnection,
  freezeRunner,
  holdLock,
  leaveHolder,
  stallDumps,
  until,
} from '../lab/faults.ts';
import type { FileFact } from '../lab/files.ts';
import { type Host, startHost } from '../lab/host.ts';
import { processes } from '../lab/processes.ts';
import { type ActionResult, runAction, startAction } from '../lab/runner.ts';
import { hostIsClean, nothingPartial, refused, runnerIsClean, succeeded, untouched } from './expectations.ts';
import { copyOf, idDaysAgo, idsIn, manifestOf, plant } from './sets.ts';
import { hostForFile } from './stage.ts';

const { lab, host } = await hostForFile({ name: 'cut' });

const inputsFor = (of: Host, backupDir: string, more: Record<string, string> = {}) => ({
  ...of.inputs(),
  'backup-dir': backupDir,
  'min-free-space': '10MiB',
  ...more,
});

const backup = (backupDir: string, more?: Record<string, string>) =>
  runAction('backup', inputsFor(host, backupDir, more));
const start = (backupDir: string, more?: Record<string, string>) =>
  startAction('backup', inputsFor(host, backupDir, more));

/** A folder with a backup of yesterday and one of today in it, and how that looks. */
async function folderWithBackup(of = host): Promise<{ backupDir: string; earlier: FileFact[] }> {
  const made = madeOnce.get(of) ?? makeFolderWithBackup(of);
  madeOnce.set(of, made);
  const backupDir = await copyOf(of, await made);
  return { backupDir, earlier: of.files(backupDir) };
}

const madeOnce = new Map<Host, Promise<string>>();

async function makeFolderWithBackup(of: Host): Promise<string> {
  const backupDir = of.newBackupDir();
  const today = await runAction('backup', inputsFor(of, backupDir));
  succeeded(today);
  await plant(of, backupDir, await manifestOf(of, today), idDaysAgo(1));
  return backupDir;
}

/** Of each day, the newest backup is kept in daily: the next run takes the place of the one before. */
function kept(files: readonly FileFact[]): FileFact[] {
  const today = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  return files.filter(({ path }) => !path.startsWith(`daily/backup_${today}`));
}

/** After a fault: the next run takes a backup, earlier ones are as they were, and nothing half-made is left. */
async function nextRunWorks(backupDir: string, earlier: readonly FileFact[], of = host): Promise<ActionResult> {
  untouched(earlier, of.files(backupDir));
  const next = await runAction('backup', inputsFor(of, backupDir, { 'lock-wait': '0s' }));
  succeeded(next);
  await hostIsClean(of);
  const files = of.files(backupDir);
  untouched(kept(earlier), files);
  nothingPartial(files);
  assert.ok(!files.some(({ path }) => path === '.lock.holder'), 'a holder is named, and nobody holds the lock');
  return next;
}

/** Everything in a folder is as it was, but for the log of runs. */
function nothingNew(earlier: readonly FileFact[], now: readonly FileFact[]): void {
  untouched(earlier, now);
  const paths = (files: readonly FileFact[]) =>
    files.map(({ path }) => path).filter((path) => !/^\.lock\.(holder|turn)$/.test(path));
  assert.deepEqual(paths(now), paths(earlier));
}

const dailyIds = (backupDir: string) => idsIn(host, backupDir, 'daily');

const stalled = async (of: Host) =>
  (await of.database.sessions()).filter(({ query }) => query.startsWith('COPY shop.attachments')).length;

// A host gives a runner up after a minute: that test waits on a host of its own while the others are at work.
describe('cut off', { concurrency: 2 }, () => {
  describe('at work', { concurrency: 1 }, () => {
    test('the connection is cut in the middle of the dump', async () => {
      const { backupDir, earlier } = await folderWithBackup();
      const release = await stallDumps(host);
      try {
        // A compressor may hold back what it has, for as long as nothing more comes.
        const action = await start(backupDir, { compression: 'none' });
        await dumpStalled(host);
        const written = () =>
          host.files(`${backupDir}/daily`).some(({ path, size }) => /^\.partial-.*\.dump$/.test(path) && size > 0);
        await until('a part of the dump on the disk', async () => written() || undefined);
        cutConnections(host);
        refused(await action.finished, {
          message: /^The connection to 127\.0\.0\.1 port \d+ was lost$/,
          hint: /Within 60 s, the host ends what was running.*Run it again/,
        });
        await hostIsClean(host);
        nothingPartial(host.files(backupDir));
        nothingNew(earlier, host.files(backupDir));
      } finally {
        await release();
      }
      await nextRunWorks(backupDir, earlier);
    });

    test('a cancel in the middle of the dump', async () => {
      const { backupDir, earlier } = await folderWithBackup();
      const release = await stallDumps(host);
      try {
        const action = await start(backupDir);
        await dumpStalled(host);
        const begin = performance.now();
        const result = await action.cancel();
        assert.ok(performance.now() - begin < 7_500, 'the runner would have sent SIGTERM');
        assert.equal(result.exitCode, 1);
        assert.equal(result.outputs['status'], 'failed');
        assert.match(result.annotations[0]?.message ?? '', /^Cancelled: .*the host is ending it$/);
        assert.equal(result.annotations[0]?.properties['title'], 'backup-action cancelled');
        runnerIsClean(result);
        await hostIsClean(host);
        nothingNew(earlier, host.files(backupDir));
      } finally {
        await release();
      }
      await nextRunWorks(backupDir, earlier);
    });

    test('a cancel while the lock is waited for', async () => {
      const backupDir = host.newBackupDir();
      const free = await holdLock(host, backupDir, 'a deploy');
      try {
        const action = await start(backupDir);
        await action.sawLog(/Waiting for the lock, held by a deploy/);
        const result = await action.cancel();
        assert.equal(result.exitCode, 1);
        runnerIsClean(result);
        await hostIsClean(host);
        assert.equal(readFileSync(join(host.deployDir, backupDir, '.lock.holder'), 'utf8'), 'a deploy\n');
      } finally {
        await free();
      }
      await nextRunWorks(backupDir, []);
    });

    test('the action is killed in the middle of the dump, and the post-step tidies the runner up', async () => {
      const { backupDir, earlier } = await folderWithBackup();
      const release = await stallDumps(host);
      try {
        const action = await start(backupDir);
        await dumpStalled(host);
        const ssh = action.processes().filter(({ command }) => command[0] === 'ssh');
        assert.ok(ssh.length >= 1);
        action.child.kill('SIGKILL');
        const result = await action.finished;
        assert.equal(result.signal, 'SIGKILL');
        assert.ok(result.remaining.some(({ path, mode }) => path.endsWith('/key') && mode === 0o600));

        const post = await result.runPost();
        assert.equal(post.exitCode, 0, post.stdout);
        runnerIsClean(post);
        const pids = new Set(processes().map(({ pid, startTime }) => `${pid} ${startTime}`));
        for (const { pid, startTime } of ssh) assert.ok(!pids.has(`${pid} ${startTime}`), 'an ssh is left');
        await hostIsClean(host);
        nothingNew(earlier, host.files(backupDir));
      } finally {
        await release();
      }
      await nextRunWorks(backupDir, earlier);
    });

    test('the lock of another run is waited for', async () => {
      const { backupDir, earlier } = await folderWithBackup();
      const free = await holdLock(host, backupDir, 'deploy of ::error::x run 17');
      try {
        const begin = performance.now();
        refused(await backup(backupDir, { 'lock-wait': '0s' }), {
          message: /is held by deploy of .*x run 17$/,
          hint: /"lock-wait" is 0, so this run did not wait\./,
        });
        refused(await backup(backupDir, { 'lock-wait': '1s' }), {
          message: /is held by deploy of .*x run 17$/,
          hint: /Gave up after waiting 1\.?0? ?s/,
        });
        assert.ok(performance.now() - begin < 120_000, 'it waited as long as usual');
        await hostIsClean(host);
        nothingNew(earlier, host.files(backupDir));

        const action = await start(backupDir);
        await action.sawLog(/Waiting for the lock, held by deploy of .*run 17/);
        await free();
        succeeded(await action.finished);
      } finally {
        await free();
      }
      await nextRunWorks(backupDir, kept(earlier));
    });

    test('a rollback that had the lock, and put deployments on hold: no backup for a deployment', async () => {
      const { backupDir, earlier } = await folderWithBackup();
      const hold = join(host.deployDir, backupDir, 'rollback', 'HOLD');
      const free = await holdLock(host, backupDir, 'rollback-action');
      try {
        const action = await start(backupDir, { kind: 'predeployment' });
        await action.sawLog(/Waiting for the lock/);
        mkdirSync(dirname(hold), { recursive: true });
        writeFileSync(hold, 'reason=v3 is slow\n');
        await free();
        refused(await action.finished, { message: /on hold; reason: v3 is slow$/, hint: /release-hold: true/ });
        untouched(earlier, host.files(backupDir));
      } finally {
        await free();
      }
      rmSync(hold);
      await nextRunWorks(backupDir, kept(earlier));
    });

    test('a journal that cannot be read may be that of a rollback: no backup for a deployment, and a warning at night', async () => {
      const { backupDir, earlier } = await folderWithBackup();
      const rollback = join(host.deployDir, backupDir, 'rollback');
      const transaction = join(rollback, 'transactions', '20260101_000000');
      mkdirSync(transaction, { recursive: true });
      await giveTo(host.account, rollback);
      // Of another user: the host's own cannot read it.
      writeFileSync(join(transaction, 'journal'), '1\tbegin\t\n', { mode: 0o600 });
      refused(await backup(backupDir, { kind: 'predeployment' }), {
        message: /^Cannot read every journal in \S+\/rollback\/transactions$/,
        hint: /ls -l \S+\/journal/,
      });
      untouched(earlier, host.files(backupDir));
      const night = await backup(backupDir);
      assert.match(night.stdout, /::warning::Cannot read the journals of all rollbacks/);
      succeeded(night);
    });

    test('the lock of a run that died is taken', async () => {
      const backupDir = host.newBackupDir();
      await leaveHolder(host, backupDir, 'a run that died');
      await nextRunWorks(backupDir, []);
    });

    test('a lock that was lost while the dump was made: nothing is published', async () => {
      const { backupDir, earlier } = await folderWithBackup();
      const lock = join(host.deployDir, backupDir, '.lock');
      const release = await stallDumps(host);
      let free = async () => {};
      try {
        const action = await start(backupDir);
        await dumpStalled(host);
        rmSync(lock);
        free = await holdLock(host, backupDir, 'somebody else');
        await release();
        refused(await action.finished, {
          message: /^The lock on \S+ was lost while/,
          hint: /Nothing was published.*\.lock.*run it again/i,
        });
        untouched(earlier, host.files(backupDir));
        assert.equal(dailyIds(backupDir).length, 2);
        assert.equal(readFileSync(`${lock}.holder`, 'utf8'), 'somebody else\n');
        await hostIsClean(host);
      } finally {
        await release();
        await free();
      }
      await nextRunWorks(backupDir, earlier);
    });

    test('two backups at once are taken one after the other', async () => {
      const { backupDir, earlier } = await folderWithBackup();
      const results = await Promise.all([backup(backupDir), backup(backupDir)]);
      for (const result of results) succeeded(result);
      const ids = results.map(({ outputs }) => outputs['backup-id'] ?? '').toSorted();
      assert.equal(new Set(ids).size, 2);
      // The second has decided with the first before its eyes: it took its place, and did not enter the week again.
      assert.ok(dailyIds(backupDir).includes(ids[1] ?? ''));
      assert.ok(!dailyIds(backupDir).includes(ids[0] ?? ''));
      const second = results.find(({ outputs }) => outputs['backup-id'] === ids[1]);
      assert.equal(second?.outputs['tiers'], 'daily');
      assert.equal(second?.stdout.match(/^::group::Survey of /gm)?.length, 2, second?.stdout);
      await nextRunWorks(backupDir, kept(earlier));
    });

    test('where the second is taken already, the next free one is the id', async () => {
      const { backupDir } = await folderWithBackup();
      const folder = join(host.deployDir, backupDir, 'daily');
      const taken: string[] = [];
      // Whenever in the next seconds the run starts, its second is taken, be it only by somebody else's file.
      for (let second = 0; second < 8; second += 1) {
        const time = new Date(Date.now() + second * 1_000).toISOString();
        const id = time.replaceAll(/[-:]/g, '').replace('T', '_').slice(0, 15);
        taken.push(id);
        writeFileSync(join(folder, `notes_${id}.txt`), 'mine');
      }
      await giveTo(host.account, folder);
      const before = host.files(backupDir);
      const result = await backup(backupDir);
      succeeded(result);
      const [last = '', next = ''] = [taken.at(-1), result.outputs['backup-id']];
      const seconds = (id: string) =>
        Date.parse(id.replace(/^(....)(..)(..)_(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6Z')) / 1_000;
      assert.equal(seconds(next), seconds(last) + 1);
      await nextRunWorks(backupDir, kept(before));
    });

    test('on the host itself', async () => {
      const backupDir = host.newBackupDir();
      const inputs = { ...host.localInputs(), 'backup-dir': backupDir, 'min-free-space': '10MiB' };
      const result = await runAction('backup', inputs, host.localStep());
      succeeded(result);
      assert.deepEqual(result.state, {}, 'a folder for keys was made, and there are none');
      await hostIsClean(host);
      const earlier = host.files(backupDir);

      const release = await stallDumps(host);
      try {
        const action = await startAction('backup', inputs, host.localStep());
        await dumpStalled(host);
        const cancelled = await action.cancel();
        assert.match(cancelled.annotations[0]?.message ?? '', /^Cancelled: /);
        runnerIsClean(cancelled);
        await hostIsClean(host);
        nothingNew(earlier, host.files(backupDir));
      } finally {
        await release();
      }
      await nextRunWorks(backupDir, earlier);
    });

    test('what a host that stopped between two steps has left is ended by the next run, and nothing else', async () => {
      const { backupDir } = await folderWithBackup();
      const [id = ''] = dailyIds(backupDir);
      const path = (...names: string[]) => join(host.deployDir, backupDir, ...names);
      const sidecars = readdirSync(path('daily')).filter((name) => name.startsWith(`backup_${id}.`));
      const others = [...sidecars].filter((name) => !name.endsWith('.manifest.json'));

      // Stopped while it published: some links are there, and no manifest.
      const published = '20200101_000000';
      mkdirSync(path('daily', `.partial-${published}`));
      for (const name of others)
        writeFileSync(path('daily', `.partial-${published}`, name.replace(id, published)), 'x');
      for (const name of others.slice(1)) {
        const file = name.replace(id, published);
        linkSync(path('daily', `.partial-${published}`, file), path('daily', file));
      }
      // Stopped after its manifest was linked: the set is there, only the sign that it was under way is left.
      mkdirSync(path('daily', `.partial-${id}`));
      writeFileSync(path('daily', `.partial-${id}`, 'stream.sha256'), '');
      // Stopped while it was linked into a tier, and while it was removed from one.
      const [linked, dropped] = ['20200102_000000', '20200103_000000'];
      mkdirSync(path('monthly', `.partial-${linked}`));
      writeFileSync(path('monthly', `backup_${linked}.dump.zst`), 'x');
      mkdirSync(path('weekly', `.partial-${dropped}.delete`));
      for (const name of sidecars.slice(2)) writeFileSync(path('weekly', name.replace(id, dropped)), 'x');
      // Stopped while a deployment's set was put together, and while another was removed.
      mkdirSync(path('predeployment', `.partial-${linked}`));
      writeFileSync(path('predeployment', `.partial-${linked}`, `backup_${linked}.dump.zst`), 'x');
      mkdirSync(path('predeployment', `.partial-${dropped}.delete`));
      writeFileSync(path('predeployment', `.partial-${dropped}.delete`, `backup_${dropped}.manifest.json`), 'x');
      const halfMade = new RegExp(`${published}|${linked}|${dropped}|\\.partial-`);

      // Names that are like those, and are not.
      const foreign = [
        `daily/backup_${published}x.dump.zst`,
        `daily/backup_${published}`,
        `daily/xbackup_${published}.dump.zst`,
        `daily/.partial`,
        `daily/partial-${published}`,
        `daily/backup_2020-01-01.sql.gz`,
        `weekly/backup_${published}.dump.zst`,
        `monthly/backup_${dropped}.dump.zst`,
        `rollback/.partial-notes`,
        'failed/mine.txt',
        'backup_20200101.sql.gz',
      ];
      for (const name of foreign) writeFileSync(path(name), `mine: ${name}`);
      await giveTo(host.account, path());

      const ours = host.files(backupDir).filter(({ path: name }) => foreign.includes(name) || !halfMade.test(name));
      succeeded(await backup(backupDir));
      await hostIsClean(host);
      const now = host.files(backupDir);
      untouched(kept(ours), now);
      assert.deepEqual(
        now.map(({ path: name }) => name).filter((name) => halfMade.test(name) && !foreign.includes(name)),
        [],
      );
      assert.equal(dailyIds(backupDir).length, 2);
    });

    test('a folder that was swept away during the dump is named, and the next run works', async () => {
      const { backupDir, earlier } = await folderWithBackup();
      const release = await stallDumps(host);
      try {
        const action = await start(backupDir);
        await dumpStalled(host);
        const daily = join(host.deployDir, backupDir, 'daily');
        const [staging = ''] = readdirSync(daily).filter((name) => name.startsWith('.partial-'));
        renameSync(join(daily, staging), join(host.deployDir, `${backupDir}-gone`));
        await release();
        refused(await action.finished, {
          message: /\.partial-\d{8}_\d{6} (is gone|was removed)$/,
          hint: /Nothing was published.*run it again/i,
        });
        await hostIsClean(host);
        untouched(earlier, host.files(backupDir));
        assert.equal(dailyIds(backupDir).length, 2);
      } finally {
        await release();
      }
      await nextRunWorks(backupDir, earlier);
    });
  });

  describe('a runner that falls silent', () => {
    let silent: Host;

    before(async () => {
      silent = await startHost(lab, { name: 'silent' });
    });

    after(() => silent?.stop());

    test('is given up after a minute, whether it has died or the network has', async () => {
      const { backupDir, earlier } = await folderWithBackup(silent);
      const other = silent.newBackupDir();
      // Not the same one: a run ends what it finds of earlier ones in its database.
      const second = 'second';
      await silent.database.create(second);
      await silent.database.seed(second);
      const mends = [await stallDumps(silent), await stallDumps(silent, second)];
      try {
        const begin = performance.now();
        const dead = await startAction('backup', inputsFor(silent, backupDir));
        await dumpStalled(silent);
        mends.push(freezeRunner(dead));
        const cutOff = await startAction('backup', inputsFor(silent, other, { 'db-name': second }));
        await until('two dumps', async () => (await stalled(silent)) === 2 || undefined);
        const mendNetwork = freezeConnection(cutOff);
        mends.push(mendNetwork);

        await until('the end of both', async () => (await silent.isAtRest()) || undefined);
        const took = performance.now() - begin;
        assert.ok(took > 45_000 && took < 85_000, `${took} ms`);
        assert.deepEqual(await silent.database.sessions(), []);
        nothingNew(earlier, silent.files(backupDir));
        nothingPartial(silent.files(other));

        // What is heard when the network is back.
        await mendNetwork();
        // About then, the runner has given the host up as well.
        refused(await cutOff.finished, {
          message: /^The host (heard nothing from the runner for 60 s|has sent nothing for \d)/,
          hint: /Run it again|run it again|dmesg/,
        });
        assert.equal((await dead.kill()).signal, 'SIGKILL');
      } finally {
        for (const mend of mends) await mend();
      }
      await nextRunWorks(backupDir, earlier, silent);
    });
  });
});
