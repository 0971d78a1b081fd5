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
  type Mend,
  stallDumps,
  until,
} from '../lab/faults.ts';
import type { ActionResult, RunningAction } from '../lab/runner.ts';
import { hostIsClean, nothingPartial, refused, succeeded } from './expectations.ts';
import { backup, startBackup } from './sets.ts';
import { labForFile, startHostForFile } from './stage.ts';

const lab = await labForFile();
/** One for each test: what is frozen there must not hold up another. */
const hosts = {
  disk: await startHostForFile(lab, { name: 'frozen-disk' }),
  stopped: await startHostForFile(lab, { name: 'stopped', seed: false }),
  silent: await startHostForFile(lab, { name: 'silent-sshd', seed: false }),
};

/** What docs/protocol.md promises: the host's 30 s to put itself in order, 20 s to note the failure there, and 6 s to part. */
const longestEnding = 56_000;
const timeout = 6_000;

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

describe('a host that hangs', { concurrency: 3 }, () => {
  test('its programs stand still: the run ends, and says so on the host', async () => {
    const host = hosts.stopped;
    const dir = host.newBackupDir();
    const mends: Mend[] = [];
    try {
      succeeded(await backup(host, dir));
      mends.push(await holdLock(host, dir, 'a deploy'));
      const action = await startBackup(host, dir, { timeout: '6s', 'lock-wait': '1m' });
      await action.sawLog(/Waiting for the lock, held by a deploy/);
      mends.push(await freezePrograms(host));
      const result = await endsWithin(action, timeout + 30_000 + 8_000);
      refused(result, {
        message:
          /^The host has sent nothing for \d+(\.\d+)? s during the dump \(program take\), whose limit was 6(\.0)? s/,
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

  test('its SSH server stands still: the connection is given up, and no second one is waited for', async () => {
    const host = hosts.silent;
    const dir = host.newBackupDir();
    const mends = [await holdLock(host, dir, 'a deploy')];
    try {
      const action = await startBackup(host, dir, { timeout: '10m', 'lock-wait': '1m' });
      await action.sawLog(/Waiting for the lock, held by a deploy/);
      mends.push(freezeSshServer(host));
      // ssh misses three signs of life, 5 s apart.
      refused(await endsWithin(action, 20_000 + 26_000), {
        message: /^The connection to 127\.0\.0\.1 port \d+ was lost$/,
        hint: /The host ends on its own whatever was running/,
      });
    } finally {
      await mendAll(mends);
    }
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
      const action = await startBackup(host, dir, { timeout: '6s' });
      await dumpStalled(host);
      const thaw = await disk.freeze();
      mends.push(thaw);
      await release();
      refused(await endsWithin(action, timeout + longestEnding), {
        message:
          /^The host was told to stop the dump \(program take\) after 6(\.0)? s, but had not finished stopping it 30(\.0)? s later/,
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
});
