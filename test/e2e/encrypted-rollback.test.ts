// A rollback on a host whose backups are encrypted: the backup before it is encrypted too, or there is no rollback.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../lab/command.ts';
import { needPrograms } from '../lab/packages.ts';
import { runAction } from '../lab/runner.ts';
import { succeeded } from './expectations.ts';
import { newBackupDirOf, notRolledBack, rollBack, rolledBack, sameContainers, snapshotOf } from './rollbacks.ts';
import { backupInputs } from './sets.ts';
import { applicationForFile, deployed } from './stage.ts';

await needPrograms({ age: 'age' });
const { app } = await applicationForFile({ name: 'sealed', versions: ['v1', 'v2'] });

test('a plain backup before a rollback is refused where others are encrypted; an encrypted one is taken', async () => {
  const recipient = /age1\w+/.exec(await run(['age-keygen']))?.[0] ?? '';
  const sealed = { encrypt: 'age', 'encrypt-to': recipient };
  const backupDir = await newBackupDirOf(app, 'v1');
  await deployed(app, 'v2');
  succeeded(await runAction('backup', backupInputs(app.host, backupDir, sealed)));
  const inputs = { target: 'v1', 'skip-backup': 'false', 'min-free-space': '10MiB' };

  const before = await snapshotOf(app);
  const refusal = await rollBack(app, backupDir, inputs);
  await notRolledBack(app, refusal, {
    status: 'refused',
    code: 'plain-refused',
    message: /The backups of this host are encrypted, such as \d{8}_\d{6}, and this one would not be/,
    hint: /"encrypt" and "encrypt-to"/,
  });
  sameContainers(before, await snapshotOf(app));

  const result = await rollBack(app, backupDir, { ...inputs, ...sealed });
  await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
  const file = `${app.host.deployDir}/${backupDir}/rollback/prerollback_${result.outputs['backup-id']}`;
  const heads = await run(['bash', '-c', 'head -qn 1 "$1"*.age', 'bash', file]);
  assert.deepEqual(heads.split('\n').filter(Boolean), Array(4).fill('age-encryption.org/v1'));
});
