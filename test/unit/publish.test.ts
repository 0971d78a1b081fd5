// What a publication does not do, and what is said of one that was not heard to its end: only what is known.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { BackupRun } from '../../shared/backups/backup-order.ts';
import { publish, reject } from '../../shared/backups/publish.ts';
import { failureLine } from '../../shared/backups/run-line.ts';
import { Failure } from '../../shared/failure.ts';
import type { FailureCode } from '../../shared/failure-codes.ts';
import type { Connection } from '../../shared/host/connection.ts';
import { connectLocally } from '../../shared/host/local.ts';
import { id, layOut, old, publishSet } from './published-set.ts';

async function publicationThat(code: FailureCode): Promise<Failure> {
  const connection: Connection = {
    name: 'db1',
    run: () => ({
      result: Promise.reject(new Failure(code, 'So it was', code === 'lock-lost' ? {} : { hint: 'as others say' })),
      lastLines: () => [],
      release: async () => true,
    }),
    close: async () => {},
  };
  const publication = {
    backupDir: '/backups',
    kind: 'scheduled',
    logFile: '/backups/backup.log',
    logLine: 'x',
    troubledLine: 'x',
    onLog: () => {},
    holder: 'x',
    id: '20261123_021700',
    sidecars: new Map(),
    tiers: [],
    deletions: [],
    records: [],
  } as const;
  return publish(connection, publication).then(
    () => assert.fail('It was published'),
    (error) => error,
  );
}

for (const [code, hint] of [
  [
    'connection-lost',
    /^The host finishes on its own\. To see how it ended, run on the host: grep id=20261123_021700 \/backups\/backup\.log\./,
  ],
  ['program-lost', /^The host finishes on its own\. /],
  ['host-silent', /^The host may still publish it\. To see how/],
  ['result-too-large', /^The host finishes on its own\. /],
  ['deadline', /^To see how it ended, run on the host: grep/],
  // It may have been killed at any step.
  ['program-failed', /^To see how it ended, run on the host: grep/],
] as const) {
  test(`${code}: whether it was published is not known`, async () => {
    const failure = await publicationThat(code);
    assert.equal(failure.code, 'publication-unknown');
    assert.equal(failure.message, 'It is unknown whether the verified backup 20261123_021700 was published. So it was');
    assert.match(failure.hint ?? '', hint);
  });
}

test('the line in the log that tells of this failure is not taken for that of the publication', async () => {
  const failure = await publicationThat('host-silent');
  const [, wanted] = / grep (\S+) \/backups\/backup\.log\./.exec(failure.hint ?? '') ?? [];
  assert.equal(wanted, 'id=20261123_021700');
  const order = { kind: 'scheduled', environment: 'prod', databaseName: 'shop' };
  const run = { order, workflow: { actor: 'x', runUrl: null }, startedAt: new Date() } as unknown as BackupRun;
  assert.doesNotMatch(failureLine(run, failure, {}), new RegExp(wanted));
});

test('lock-lost: nothing was', async () => {
  const failure = await publicationThat('lock-lost');
  assert.equal(failure.code, 'lock-lost');
  assert.match(failure.hint ?? '', /^Nothing was published/);
});

test('what the host has named otherwise stays what it is', async () => {
  assert.equal((await publicationThat('write-failed')).code, 'write-failed');
});

describe('on the host', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'publish-'));
    layOut(folder);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const namesIn = (tier: string, of: string) =>
    readdirSync(join(folder, tier)).filter((name) => name.startsWith(`backup_${of}.`));
  const refusedAs = (code: FailureCode) => (error: unknown) => error instanceof Failure && error.code === code;

  test('nothing is published where another run holds the lock', async () => {
    writeFileSync(join(folder, '.lock.holder'), 'another run\n');
    await assert.rejects(publishSet(folder), refusedAs('lock-lost'));
    assert.deepEqual(namesIn('daily', id), []);
    assert.ok(existsSync(join(folder, 'daily', `.partial-${id}`)));
  });

  test('nothing is published that its own run is removing', async () => {
    const remover = spawn('flock', [join(folder, '.lock.publish'), 'sh', '-c', 'echo held; exec cat']);
    await once(remover.stdout, 'data');
    await assert.rejects(publishSet(folder), refusedAs('dump-lost'));
    remover.stdin.end();
    await once(remover, 'exit');
    assert.deepEqual(namesIn('daily', id), []);
  });

  test('nothing is published of what was removed meanwhile, and that is known', async () => {
    rmSync(join(folder, 'daily', `.partial-${id}`), { recursive: true });
    await assert.rejects(publishSet(folder), refusedAs('dump-lost'));
    assert.deepEqual(namesIn('daily', id), []);
  });

  test('a dump is put aside only by the run that holds the lock', async () => {
    const rejected = (holder: string) =>
      reject(connectLocally(), {
        backupDir: folder,
        kind: 'scheduled',
        logFile: join(folder, 'backup.log'),
        logLine: 'did not verify',
        onLog: () => {},
        holder,
        id,
        dump: `backup_${id}.dump`,
        reason: 'too few rows',
      });
    writeFileSync(join(folder, '.lock.holder'), 'another run\n');
    await assert.rejects(rejected('this test'), refusedAs('lock-lost'));
    assert.deepEqual(readdirSync(join(folder, 'failed')), []);
    await rejected('another run');
    assert.deepEqual(readdirSync(join(folder, 'failed')).toSorted(), [`failed_${id}.dump`, `failed_${id}.reason.txt`]);
  });

  test('nothing is deleted where a tier could not get the set', async () => {
    writeFileSync(join(folder, 'weekly', `backup_${id}.dump`), 'of somebody else');
    const { entered, dropped, problems } = await publishSet(folder);
    assert.deepEqual([entered, dropped], [['predeployment'], 0]);
    assert.match(problems.join('; '), /^The set could not be put into weekly: .*; Nothing was deleted$/);
    assert.equal(namesIn('daily', old).length, 4);
    assert.equal(readFileSync(join(folder, 'backup.log'), 'utf8'), 'had troubles\n');
  });

  test('sets are removed a hundred at a time: where that fails, those before are told of, and those after stay', async () => {
    const many = Array.from({ length: 250 }, (_, at) => `20200101_${String(100_000 + at)}`);
    for (const each of many) writeFileSync(join(folder, 'daily', `backup_${each}.dump`), '');
    // No disk removes a folder as it removes a file.
    const [stays = ''] = many.slice(150);
    mkdirSync(join(folder, 'daily', `backup_${stays}.schema.sql.gz`));
    const deletions = many.map((each) => ({ id: each, tier: 'daily', action: 'delete', reason: '' }) as const);
    const { dropped, problems } = await publishSet(folder, { deletions });
    const [told = '', ...others] = problems;
    assert.deepEqual(others, []);
    const [, tried = ''] = /^Not all of ([\d_ ]+) could be removed from daily: .*/.exec(told) ?? [];
    assert.deepEqual([dropped, tried.split(' ')], [100, many.slice(100, 200)]);
    for (const each of many.slice(0, 100)) assert.deepEqual(namesIn('daily', each), []);
    for (const each of many.slice(200)) assert.deepEqual(namesIn('daily', each), [`backup_${each}.dump`]);
  });

  describe('the log is written into no file but our own', () => {
    const plants: [what: string, plant: (log: string, precious: string) => void, why: RegExp][] = [
      ['a link', (log, precious) => symlinkSync(precious, log), /is a symbolic link, not a file/],
      ['a file of two names', (log, precious) => linkSync(precious, log), /has 2 hard links/],
      ['a folder', (log) => mkdirSync(log), /is a directory, not a file/],
      [
        'a file that any user can replace',
        (log) => chmodSync(join(log, '..'), 0o777),
        /any user on the host can replace files in .*chmod o-w/,
      ],
    ];
    for (const [what, plant, why] of plants) {
      test(what, async () => {
        const precious = join(folder, 'precious');
        writeFileSync(precious, 'mine');
        const logs = join(folder, 'logs');
        mkdirSync(logs);
        plant(join(logs, 'backup.log'), precious);
        const { problems } = await publishSet(folder, { logFile: join(logs, 'backup.log') });
        assert.match(problems.join('; '), why);
        assert.equal(readFileSync(precious, 'utf8'), 'mine');
        assert.ok(!existsSync(join(logs, 'backup.log')) || what !== 'a file that any user can replace');
      });
    }
  });
});
