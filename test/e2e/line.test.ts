// Many backups of one folder at once: they stand in line for its lock, each looks at the folder again when it is next, and none
// fails because others were quicker.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { holdLock } from '../lab/faults.ts';
import type { RunningAction } from '../lab/runner.ts';
import { hostIsClean, nothingPartial, refused, succeeded } from './expectations.ts';
import { backup, idsIn, read, smallDatabase, startBackup } from './sets.ts';
import { hostForFile } from './stage.ts';

const { host } = await hostForFile({ name: 'line', seed: false });
await smallDatabase(host, 'small', 10);

const inputs = { 'db-name': 'small', 'lock-wait': '30m' };

/** Starts one that finds the lock taken, or others in the line for it. */
async function startInLine(dir: string): Promise<RunningAction> {
  const action = await startBackup(host, dir, inputs);
  await action.sawLog(/Waiting for the lock, held by \S/);
  return action;
}

describe('for the lock of a folder', { concurrency: 1 }, () => {
  test('ten backups stand in line, more come as it moves on, and they are taken in the order in which they came', async () => {
    const dir = host.newBackupDir();
    const free = await holdLock(host, dir, 'a deploy');
    const actions: RunningAction[] = [];
    try {
      for (let count = 0; count < 10; count += 1) actions.push(await startInLine(dir));
    } finally {
      await free();
    }
    for (const action of actions.slice(0, 5)) {
      // Whoever comes now looks at the folder when the lock is about to be free, and tries it before the next in the line has looked.
      await action.sawLog(/Publish and prune/);
      actions.push(await startInLine(dir));
    }
    const results = await Promise.all(actions.map(({ finished }) => finished));
    for (const result of results) {
      succeeded(result);
      assert.equal(result.stdout.match(/^::group::Survey of /gm)?.length, 2, 'how often it has looked');
    }
    const ids = results.map(({ outputs }) => outputs['backup-id'] ?? '');
    assert.deepEqual(ids, ids.toSorted());
    assert.equal(new Set(ids).size, 15);
    const log = await read(host, `${dir}/backup.log`);
    assert.deepEqual(
      [...log.matchAll(/ backup succeeded .*\bid=(\S+)/g)].map((match) => match[1]),
      ids,
    );
    // Each has seen the one before it: it took its place as the newest of the day, and none entered the week a second time.
    assert.deepEqual(idsIn(host, dir, 'daily'), ids.slice(-1));
    assert.deepEqual(idsIn(host, dir, 'weekly'), ids.slice(0, 1));
    await hostIsClean(host);
    nothingPartial(host.files(dir));
  });

  test('one that dies, at the head of the line or within it, holds up nobody', async () => {
    const dir = host.newBackupDir();
    const free = await holdLock(host, dir, 'a deploy');
    try {
      const [head, second, third] = [await startInLine(dir), await startInLine(dir), await startInLine(dir)];
      await second.kill();
      await head.kill();
      await free();
      succeeded(await third.finished);
    } finally {
      await free();
    }
    await hostIsClean(host);
  });

  test('nobody takes it before who is next, though it is free', async () => {
    const dir = host.newBackupDir();
    const free = await holdLock(host, dir, 'who is next', '.lock.turn');
    try {
      refused(await backup(host, dir, { ...inputs, 'lock-wait': '0s' }), {
        message: /is held by who is next$/,
        hint: /"lock-wait" is 0/,
      });
      refused(await backup(host, dir, { ...inputs, 'lock-wait': '1s' }), {
        message: /is held by who is next$/,
        hint: /Gave up after waiting 1\.?0? ?s/,
      });
      const action = await startBackup(host, dir, inputs);
      await action.sawLog(/Waiting for the lock, held by who is next/);
      await free();
      succeeded(await action.finished);
    } finally {
      await free();
    }
    await hostIsClean(host);
  });
});
