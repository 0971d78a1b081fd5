// Whether the backups are there, and are what was written.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { backup, bash, copyOf, type Inputs, idDaysAgo, manifestOf, plant, smallDatabase, write } from './sets.ts';
import { hostForFile } from './stage.ts';
import { findingOf, verified, verify } from './verifications.ts';

let dir: string;

const { host } = await hostForFile({ name: 'verify', deployFolder: "it's $HOME" });
await smallDatabase(host, 'small', 1_000);

const good = host.newBackupDir();
const manifest = await manifestOf(host, await backup(host, good, { 'db-name': 'small' }));

beforeEach(async () => {
  dir = await copyOf(host, good);
});

const root = () => join(host.deployDir, dir);
const fileOf = (ending = '') => join(root(), 'daily', `backup_${manifest.id}${ending}`);
const check = (inputs: Inputs = {}) => verify(host, dir, { checks: 'backups', 'db-name': 'small', ...inputs });

test('backups that are whole are verified, and stay as they are', async () => {
  const files = host.files(dir);
  const result = await check();
  await verified(host, result, 'verified');
  assert.deepEqual(host.files(dir), files);
  assert.equal(result.outputs['newest-backup-id'], manifest.id);
  assert.ok(Number(result.outputs['newest-backup-age']) < 600);
  assert.match(findingOf(result, 'read in full').detail, /^the only set, byte by byte \([\d.]+ [KM]?i?B\)$/);
});

test('they are looked at also where the database is lost, which is told', async () => {
  await host.docker('pause', await host.container('db'));
  const result = await check();
  await host.docker('unpause', await host.container('db'));
  await verified(host, result, 'failed', { database: 'failed' });
});

describe('the newest sets are read in full', () => {
  const faults: [what: string, script: string, detail: RegExp, others?: Record<string, string>][] = [
    [
      'one flipped bit of the dump',
      'printf "\\x$(printf %02x $((0x$(xxd -s 700 -l 1 -p "$1.dump.zst") ^ 1)))" | dd of="$1.dump.zst" bs=1 seek=700 conv=notrunc status=none',
      /dump\.zst does not match .*sha256, .*dump\.zst does not match the manifest/,
    ],
    ['a schema that was changed', 'echo >>"$1.schema.sql.gz"', /schema\.sql\.gz does not match .*sha256/],
    [
      'a manifest that was changed by hand',
      'sed -i "s/\\"environment\\": \\"[a-z]*/&x/" "$1.manifest.json"',
      /manifest\.json does not match .*sha256/,
    ],
    ['a list of sums that is gone', 'rm -- "$1.sha256"', /\.sha256 is missing/],
    ['a list of sums that was changed', 'sed -i s/^....../aaaaaa/ "$1.md5"', /\.md5 and the manifest disagree on/],
    ['a report that is gone', 'rm -- "$1.report.txt"', /report\.txt could not be read/],
    ['a dump that cannot be read', 'chmod 000 -- "$1.dump.zst"', /dump\.zst could not be read/],
  ];
  for (const [what, script, detail] of faults) {
    test(`${what} is found`, async () => {
      await bash(host, script, fileOf());
      const result = await check();
      const isGone = what.endsWith('is gone');
      await verified(host, result, 'failed', { ...(isGone ? { complete: 'failed' } : {}), 'read in full': 'failed' });
      assert.match(findingOf(result, 'read in full').detail, detail);
      assert.match(findingOf(result, 'read in full').remedy ?? '', /Do not rely on \d{8}_\d{6}/);
    });
  }

  test('a copy that is no link any more, and was damaged, is found', async () => {
    const script =
      'cp "$1" "$2/new" && printf x | dd of="$2/new" bs=1 seek=700 conv=notrunc status=none && mv "$2/new" "$2/$3"';
    const dump = fileOf('.dump.zst');
    await bash(host, script, dump, join(root(), 'weekly'), dump.slice(dump.lastIndexOf('/') + 1));
    const result = await check();
    await verified(host, result, 'failed', { 'read in full': 'failed' });
    assert.match(findingOf(result, 'read in full').detail, /weekly\/.*dump\.zst differs from the file in daily/);
  });

  test('only those, and the share is told', async () => {
    for (const days of [1, 2, 3]) await plant(host, dir, manifest, idDaysAgo(days));
    const detail = findingOf(await check(), 'read in full').detail;
    assert.ok(!detail.includes(idDaysAgo(3)), detail);
  });

  test('one that takes too long could not be checked', async () => {
    await bash(host, 'rm -- "$1" && mkfifo -m 600 -- "$1"', fileOf('.report.txt'));
    const result = await check({ timeout: '2s' });
    await verified(host, result, 'could-not-verify', { 'read in full': 'could-not-check' });
  });
});

test('a dump that was cut is no set', async () => {
  await bash(host, 'truncate -s 100 -- "$1"', fileOf('.dump.zst'));
  const result = await check();
  assert.equal(result.outputs['status'], 'failed');
  assert.match(findingOf(result, 'complete').detail, /has 100 bytes, but its manifest says/);
  assert.equal(findingOf(result, 'newest').result, 'failed');
});

test('a folder without backups fails, and nothing could be read', async () => {
  dir = host.newBackupDir();
  const result = await check();
  await verified(host, result, 'failed', {
    newest: 'failed',
    'read in full': 'could-not-check',
    nightly: 'could-not-check',
    days: 'could-not-check',
    'last run': 'could-not-check',
  });
  assert.equal(result.outputs['newest-backup-id'], '');
});

test('one that is too old fails', async () => {
  await sleep(1_500);
  const result = await check({ 'max-backup-age': '1s' });
  await verified(host, result, 'failed', { newest: 'failed', nightly: 'could-not-check' });
});

test('only backups before deployments: that the nightly ones have stopped is a warning', async () => {
  dir = host.newBackupDir();
  await backup(host, dir, { 'db-name': 'small', kind: 'predeployment' });
  await verified(host, await check(), 'verified', { nightly: 'warning' });
});

test('a day without one, and a week without its own, are warnings', async () => {
  await plant(host, dir, manifest, idDaysAgo(5));
  const result = await check();
  assert.equal(findingOf(result, 'days').result, 'failed');
  assert.match(findingOf(result, 'days').detail, /^no backup on \d{4}-\d\d-\d\d(, \d{4}-\d\d-\d\d){3}$/);
  assert.equal(findingOf(result, 'tiers').severity, 'warning');
});

test('one that has less than half the size of the one before fails', async () => {
  await host.psql('DELETE FROM items WHERE id > 100', 'small');
  try {
    await backup(host, dir, { 'db-name': 'small' });
    const result = await check();
    // Such a run deletes nothing, which shows as well.
    await verified(host, result, 'failed', { sizes: 'failed', tiers: 'warning' });
    assert.match(findingOf(result, 'tiers').remedy ?? '', /the last backup did not prune: see its log$/);
  } finally {
    await host.psql(
      "INSERT INTO items SELECT n, sha512(convert_to('small' || n, 'UTF8')) FROM generate_series(101, 1000) n",
      'small',
    );
  }
});

test('a newest dump that failed its verification fails', async () => {
  const failed = join(root(), 'failed', `failed_${idDaysAgo(-0.001)}.reason.txt`);
  await write(host, failed, 'a test');
  const result = await check();
  await verified(host, result, 'failed', { 'last run': 'failed' });
});

test('what a run has left, and what is not ours, is told of', async () => {
  await write(host, join(root(), 'daily', `.partial-${idDaysAgo(2)}.dump`), 'x');
  await write(host, join(root(), 'daily', 'backup_of_the_scripts.sql.gz'), 'x');
  await write(host, join(root(), 'daily', '::error::no command'), 'x');
  await write(host, join(root(), 'backup_20240101_020000.sql.gz'), 'x');
  await write(host, join(root(), 'old', 'backup_20230101_020000.sql.gz'), 'x');
  const result = await check();
  await verified(host, result, 'verified', { leftovers: 'warning' });
  assert.match(findingOf(result, 'other files').detail, /4 foreign files, .*backup_of_the_scripts\.sql\.gz/);
});
