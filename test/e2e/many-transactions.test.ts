// The folders of 1 500 rollbacks: they are looked at by a few commands, and all but the newest go.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Host } from '../lab/host.ts';
import { succeeded } from './expectations.ts';
import { plantTransactions } from './planting.ts';
import { plantHistory, rollBack, rolledBack } from './rollbacks.ts';
import { backup, bash, idDaysAgo, smallDatabase } from './sets.ts';
import { applicationForFile } from './stage.ts';

const transactionsScript = new URL('../../shared/survey/transactions.sh', import.meta.url);

const { app } = await applicationForFile({ name: 'often', versions: ['v1', 'v2'], runs: 'v2' });
await smallDatabase(app.host, 'plain', 100);

/** How often the survey starts grep to find those that have not ended. */
async function grepsFor(host: Host, parent: string): Promise<number> {
  const counting = 'grep() { printf x >&3; command grep "$@"; }; { unfinished_transactions "$1" >/dev/null; } 3>&1';
  return (await bash(host, `${readFileSync(transactionsScript, 'utf8')}\n${counting}`, parent)).length;
}

test('1 500 that have ended are looked at by a few commands, and a rollback leaves the newest 50 and what is not its own', async () => {
  const { host } = app;
  const dir = host.newBackupDir();
  succeeded(await backup(host, dir, { 'db-name': 'plain' }));
  const ids = Array.from({ length: 1_500 }, (_, n) => idDaysAgo(n + 1));
  const [neverBegun, elsewhere, leftByItsCarrier] = ['20190101_000000', '20190102_000000', '20190103_000000'];
  const parent = await plantTransactions(host, dir, [
    ...[...ids, elsewhere, leftByItsCarrier].map((id) => [id, 'rolled-back'] as const),
    [neverBegun, 'reverted'],
  ]);
  renameSync(join(parent, elsewhere), join(host.deployDir, 'elsewhere'));
  symlinkSync(join(host.deployDir, 'elsewhere'), join(parent, elsewhere));
  renameSync(join(parent, neverBegun, 'journal'), join(parent, neverBegun, 'no-journal'));
  renameSync(join(parent, leftByItsCarrier, 'plan.tsv'), join(parent, leftByItsCarrier, 'carrier'));
  mkdirSync(join(parent, '2019'));

  const greps = await grepsFor(host, parent);
  assert.ok(greps > 0 && greps <= 8, `${greps} greps`);
  succeeded(await backup(host, dir, { 'db-name': 'plain' }));

  await plantHistory(app, dir, [{ backend: 'v1', dashboard: 'v1' }]);
  const result = await rollBack(app, dir);
  await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
  const own = result.outputs['transaction-id'] ?? '';
  // The newest 50 are those and its own.
  const kept = [...ids.slice(0, 49), own, neverBegun, elsewhere, '2019'].toSorted();
  assert.deepEqual(readdirSync(parent).toSorted(), kept);
  assert.ok(existsSync(join(host.deployDir, 'elsewhere', 'journal')), 'a link was followed');
});
