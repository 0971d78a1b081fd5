// Hosts that neither answer nor end: whatever hangs there, a run ends within `timeout` and a bound, says what it waited
// for, and leaves nothing on the runner. Each of these tests mostly waits, so they wait at once.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  dumpStalled,
  freezableDisk,
  freezePrograms,
  freezeSshServer,
  holdLock,
  hostProcess,
  type Mend,
  stallDumps,
  stopPostmaster,
  until,
} from '../lab/faults.ts';
import type { ActionResult, RunningAction } from '../lab/runner.ts';
import { adviceIn, hostIsClean, nothingPartial, refused, succeeded } from './expectations.ts';
import { backup, idsIn, read, startBackup } from './sets.ts';
import { labForFile, startHostForFile } from './stage.ts';

const lab = await labForFile();
/** One for each test: what is frozen there must not hold up another. */
const hosts = {
  disk: await startHostForFile(lab, { name: 'frozen-disk' }),
  stopped: await startHostForFile(lab, { name: 'stopped' }),
  surveyed: await startHostForFile(lab, { name: 'surveyed', seed: false }),
  silent: await startHostForFile(lab, { name: 'silent-sshd' }),
  publishing: await startHostForFile(lab, { name: 'publishing', seed: false }),
};

/** What docs/protocol.md promises, in milliseconds. */
const longestSilence = 65_000;
/** ssh misses three signs of life, 5 s apart. */
const longestUnanswered = 20_000;
/** A program that was just being started: ssh tries once more, by a connection of its own. */
const longestLogin = 15_000;
/** 10 s to note the failure on the host, and 6 s to part. */
const longestParting = 16_000;
/** 30 s for a host to put itself in order. */
const grace = 30_000;
/** The action itself takes time to end, the more so where everything else works at once. */
const slack = 20_000;
const timeout = 15_000;

/** The action ends by itself in time; else it is killed, and the test fails. */
async function endsWithin(action: RunningAction, ms: number): Promise<ActionResult> {
  const begin = performance.now();
  let late = false;
  const killing = setTimeout(() => {
    late = true;
    void action.kill();
  }, ms);
  const result = await action.finished;
  clearTimeout(killing);
  assert.ok(!late, `It had not ended after ${ms} ms:\n${result.stdout}`);
  console.log(`It ended ${Math.round(performance.now() - begin)} ms after the fault`);
  return result;
}

async function mendAll(mends: readonly Mend[]): Promise<void> {
  for (const mend of mends.toReversed()) await mend();
}

/** A cancel is done with before the runner would send SIGTERM, and leaves nothing behind. */
async function cancelEnds(action: RunningAction): Promise<void> {
  const begin = performance.now();
  const result = await action.cancel();
  const took = performance.now() - begin;
  console.log(`The cancel took ${Math.round(took)} ms`);
  assert.ok(took < 7_500, `${took} ms`);
  assert.deepEqual([result.exitCode, result.signal], [1, null], result.stdout);
  assert.equal(result.annotations[0]?.properties['title'], 'backup-action cancelled');
  (await result.runPost()).leftovers.forEach(({ command }) => {
    assert.fail(`left on the runner: ${command.join(' ')}`);
  });
}

describe('a host that hangs', { concurrency: 5 }, () => {
  test('its programs stand still during the dump: the run ends, and says so on the host; a cancel ends it at once', async () => {
    const host = hosts.stopped;
    const dir = host.newBackupDir();
    const mends: Mend[] = [];
    try {
      succeeded(await backup(host, dir));
      mends.push(await stallDumps(host));
      const cancelled = await startBackup(host, dir, { timeout: '10m' });
      await dumpStalled(host);
      const thaw = await freezePrograms(host);
      mends.push(thaw);
      await cancelEnds(cancelled);
      await thaw();
      await hostIsClean(host);

      const action = await startBackup(host, dir, { timeout: '10m' });
      await dumpStalled(host);
      mends.push(await freezePrograms(host));
      const result = await endsWithin(action, longestSilence + longestParting + slack);
      refused(result, {
        message: /^The host has sent nothing for \d.* during the dump \(program take\), whose limit was 10 min/,
        hint: /Earlier backups are unchanged\. .*it ends this on its own.*dmesg/s,
      });
      assert.match(readFileSync(join(host.deployDir, dir, 'backup.log'), 'utf8'), / backup failed .*error=host-silent/);
    } finally {
      await mendAll(mends);
    }
    await hostIsClean(host);
    succeeded(await backup(host, dir));
    nothingPartial(host.files(dir));
  });

  test('its programs stand still during the survey: it costs no more than elsewhere', async () => {
    const host = hosts.surveyed;
    const dir = host.newBackupDir();
    const mends = [await stopPostmaster(host)];
    try {
      const action = await startBackup(host, dir, { timeout: '10m' });
      // It asks the database, which does not answer.
      await hostProcess(host, /docker exec/);
      mends.push(await freezePrograms(host));
      refused(await endsWithin(action, longestSilence + longestParting + slack), {
        message: /^The host has sent nothing for \d.* during the survey of the host \(program survey\)/,
        hint: /dmesg/,
      });
    } finally {
      await mendAll(mends);
    }
    await hostIsClean(host);
    succeeded(await backup(host, dir));
  });

  test('its SSH server stands still in any phase: the connection is given up, and a cancel ends the run at once', async () => {
    const host = hosts.silent;
    const dir = host.newBackupDir();
    const lost = {
      message: /^The connection to 127\.0\.0\.1 port \d+ was lost$/,
      hint: /Within 60 s, the host ends what was running/,
    };
    const frozen = async (work: () => Promise<void>) => {
      const thaw = freezeSshServer(host);
      try {
        await work();
      } finally {
        await thaw();
      }
    };

    // Before it has connected. ssh waits 15 s for an answer.
    await frozen(async () => {
      const action = await startBackup(host, dir, {});
      refused(await endsWithin(action, 40_000 + slack), { message: /did not answer/, hint: /firewall/ });
    });
    await hostIsClean(host);

    const proceed = await stopPostmaster(host);
    try {
      const surveying = await startBackup(host, dir, {});
      await hostProcess(host, /docker exec/);
      await frozen(async () => refused(await endsWithin(surveying, longestUnanswered + longestParting + slack), lost));
    } finally {
      // Before that, the database says nothing of its sessions.
      await proceed();
    }
    await hostIsClean(host);

    const release = await stallDumps(host);
    try {
      const dumping = await startBackup(host, dir, { timeout: '10m' });
      await dumpStalled(host);
      await frozen(async () => refused(await endsWithin(dumping, longestUnanswered + longestParting + slack), lost));
      await hostIsClean(host);

      const cancelled = await startBackup(host, dir, { timeout: '10m' });
      await dumpStalled(host);
      await frozen(() => cancelEnds(cancelled));
      await hostIsClean(host);
    } finally {
      await release();
    }

    const free = await holdLock(host, dir, 'a deploy');
    try {
      const waiting = await startBackup(host, dir, {});
      await waiting.sawLog(/Waiting for the lock, held by a deploy/);
      await frozen(async () => refused(await endsWithin(waiting, longestUnanswered + longestParting + slack), lost));
      await hostIsClean(host);
    } finally {
      await free();
    }

    // The host may have published it before it stood still; then what remains to be done there is what fails.
    const publishing = await startBackup(host, dir, {});
    await publishing.sawLog(/Publish and prune/);
    await frozen(async () => {
      const result = await endsWithin(publishing, longestUnanswered + 2 * longestLogin + longestParting + slack);
      if (result.outputs['status'] === 'succeeded') assert.match(result.stdout, /did not confirm in time/);
      else refused(result, { message: /^It is unknown whether the verified backup |did not answer$/, hint: /./ });
    });
    await hostIsClean(host);
    succeeded(await backup(host, dir));
  });

  test('its disk is frozen in the middle of the dump: nothing there can be ended, and the run ends all the same', async () => {
    const host = hosts.disk;
    const dir = host.newBackupDir();
    const disk = await freezableDisk(host, dir, 96);
    const mends = [disk.remove];
    try {
      const release = await stallDumps(host);
      mends.push(release);
      const action = await startBackup(host, dir, { timeout: '15s' });
      await dumpStalled(host);
      const thaw = await disk.freeze();
      mends.push(thaw);
      await release();
      refused(await endsWithin(action, timeout + grace + longestParting + slack), {
        message:
          /^The host was told to stop the dump \(program take\) after 15(\.0)? s, but had not finished stopping it 30(\.0)? s later/,
        hint: /Earlier backups are unchanged\. .*frozen/s,
      });
      await thaw();
      await hostIsClean(host);
      succeeded(await backup(host, dir));
      await until(
        'a folder in order',
        async () => !host.files(dir).some(({ path }) => path.includes('.partial')) || undefined,
      );
    } finally {
      await mendAll(mends);
    }
  });

  test('its programs and its disk stand still during the publication: all is waited for in turn, and the host ends it later', async () => {
    const host = hosts.publishing;
    const dir = host.newBackupDir();
    const disk = await freezableDisk(host, dir, 96);
    const mends = [disk.remove];
    try {
      // Whoever publishes waits for the file of the history.
      const leave = await holdLock(host, `${dir}/rollback`, 'another writer', 'history.jsonl');
      mends.push(leave);
      const action = await startBackup(host, dir, {});
      await hostProcess(host, /^flock --wait 30 6$/);
      const thaw = await freezePrograms(host);
      mends.push(thaw);
      // Nor does the note of the failure come to its end.
      const thawDisk = await disk.freeze();
      mends.push(thawDisk);
      const result = await endsWithin(action, longestSilence + grace + longestParting + slack);
      refused(result, {
        message: /^It is unknown whether the verified backup \S+ was published\. The host has sent nothing for \d/,
        hint: /The host may still publish it\. /,
      });
      assert.match(result.stdout, /did not confirm in time that it released the lock/);
      await thawDisk();
      await thaw();
      await hostIsClean(host);
      await leave();
      assert.equal(idsIn(host, dir, 'daily').length, 1);
      // As it was told to be looked for. The note of the failure is there as well by now.
      const [, wanted = '-'] = / grep (\S+) \S+\/backup\.log\./.exec(adviceIn(result)) ?? [];
      const log = (await read(host, `${dir}/backup.log`)).trimEnd().split('\n');
      assert.match(log.join('\n'), / backup failed .* error=publication-unknown /);
      assert.deepEqual(
        log.filter((line) => line.includes(wanted)).map((line) => line.split(' ')[2]),
        ['incomplete'],
      );
      succeeded(await backup(host, dir));
      nothingPartial(host.files(dir));
    } finally {
      await mendAll(mends);
    }
  });
});
