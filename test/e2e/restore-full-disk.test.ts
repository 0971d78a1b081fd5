// The disk of the backups, where the journal of the transaction is, is full in the middle of a restore.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { leaveRoom, smallDisk } from '../lab/faults.ts';
import { errorsOf, logOf } from './expectations.ts';
import { restoreStageForFile } from './restore-stage.ts';
import { historyFile, historyIn } from './rollbacks.ts';
import { watchTransaction } from './transactions.ts';

const { app, host, backupDir, startRestore, state, endedAs, copyIs } = await restoreStageForFile('restore-full');

describe('the disk of the backups is full', { concurrency: 1 }, () => {
  async function onSmallDisk(work: (full: string) => Promise<void>): Promise<void> {
    const full = host.newBackupDir();
    const mend = await smallDisk(host, full, 64);
    try {
      await host.exec([
        'cp',
        '--recursive',
        '--preserve',
        `${host.deployDir}/${backupDir}/daily`,
        `${host.deployDir}/${full}/`,
      ]);
      await work(full);
    } finally {
      await mend();
    }
  }

  test('while the copy is loaded: refused, and the copy is dropped', () =>
    onSmallDisk(async (full) => {
      const seen = await state();
      const action = await startRestore({ 'backup-dir': full });
      await copyIs(true);
      await leaveRoom(host, full, 0);
      const result = await action.finished;
      assert.equal(result.outputs['status'], 'refused', logOf(result));
      assert.match(errorsOf(result)[0]?.message ?? '', /disk is full/, logOf(result));
      await endedAs('refused', seen);
    }));

  for (const step of ['checked', 'stopping', 'exchanging', 'exchanged', 'healthy'])
    test(`from "${step}" on: it comes to an end all the same, and says which`, () =>
      onSmallDisk(async (full) => {
        const seen = await state();
        const watch = watchTransaction(app, full);
        const action = await startRestore({ 'backup-dir': full, 'stable-for': '3s' });
        await watch.reached(step);
        await leaveRoom(host, full, 0);
        const result = await action.finished;
        const [, ending] = (await watch.ended()).journal().find(([name]) => name === 'ended') ?? [];
        assert.equal(result.outputs['status'], ending, logOf(result));
        assert.equal(result.exitCode, ending === 'rolled-back' ? 0 : 1, logOf(result));
        const isNoted = existsSync(historyFile(app, full)) && historyIn(app, full).at(-1)?.event === 'restore';
        assert.ok(errorsOf(result).length > 0 || (isNoted && ending === 'rolled-back'), logOf(result));
        await endedAs(ending, seen);
      }));
});
