// The disk of the database is full in the middle of a restore.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asRoot, run } from '../lab/command.ts';
import { until } from '../lab/faults.ts';
import { temporaryFolder } from '../lab/folder.ts';
import { logOf } from './expectations.ts';
import { restoreStageForFile } from './restore-stage.ts';
import { atEnd } from './stage.ts';
import { watchTransaction } from './transactions.ts';

const data = '/var/lib/postgresql/data';
const place = temporaryFolder('database');
await run(asRoot(['mount', '-t', 'tmpfs', '-o', 'size=1800m,mode=0755', 'lab', place]));
atEnd(() => run(asRoot(['umount', '--lazy', place])));

const { app, host, db, backupDir, startRestore, stateAfterCrash, endedAs } = await restoreStageForFile(
  'restore-full-database',
  { volumes: [`${place}:${data}`] },
);

describe('the disk of the database is full', { concurrency: 1 }, () => {
  /** To the last byte, also while others write. */
  const fill = async () =>
    host.docker('exec', await host.container('db'), 'sh', '-c', 'cat /dev/zero >"$1/ballast" || :', 'sh', data);
  async function empty(): Promise<void> {
    await run(asRoot(['rm', '-f', `${place}/ballast`]));
    // As an operator does whose server has ended for want of room.
    await host.docker('start', await host.container('db'));
    await until('the server is up', async () => ((await db.tryPsql('SELECT 1')).code === 0 ? true : undefined));
  }

  for (const [step, what] of [
    ['stopping', 'before the exchange'],
    ['exchanged', 'after it'],
  ] as const)
    test(`${what}: the old database in full, or the new one in full, and the run says which`, async () => {
      const seen = await stateAfterCrash();
      const watch = watchTransaction(app, backupDir);
      const action = await startRestore({ 'stable-for': '3s' });
      try {
        await watch.reached(step);
        await fill();
        const result = await action.finished;
        const [, ending] = (await watch.ended()).journal().at(-1) ?? [];
        assert.equal(result.outputs['status'], ending, logOf(result));
        assert.equal(result.exitCode, ending === 'rolled-back' ? 0 : 1, logOf(result));
        // Where its server has ended, nobody could make sure.
        if (ending === 'failed') assert.match(logOf(result), /If \\l lists a database atlasia_before_/);
        await empty();
        await endedAs(ending, seen);
      } finally {
        await empty();
        await action.finished;
      }
    });
});
