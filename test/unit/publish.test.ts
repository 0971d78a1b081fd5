// What is said of a publication that was not heard to its end: only what is known.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publish } from '../../shared/backups/publish.ts';
import { Failure } from '../../shared/failure.ts';
import type { FailureCode } from '../../shared/failure-codes.ts';
import type { Connection } from '../../shared/host/connection.ts';

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
    /^The host finishes on its own\. To see how it ended, run on the host: grep 20261123_021700 \/backups\/backup\.log\./,
  ],
  ['program-lost', /^The host finishes on its own\. /],
  ['host-silent', /^The host may still publish it\. To see how/],
  ['result-too-large', /^The host finishes on its own\. /],
  ['deadline', /^To see how it ended, run on the host: grep/],
] as const) {
  test(`${code}: whether it was published is not known`, async () => {
    const failure = await publicationThat(code);
    assert.equal(failure.code, 'publication-unknown');
    assert.equal(failure.message, 'It is unknown whether the verified backup 20261123_021700 was published. So it was');
    assert.match(failure.hint ?? '', hint);
  });
}

test('lock-lost: nothing was', async () => {
  const failure = await publicationThat('lock-lost');
  assert.equal(failure.code, 'lock-lost');
  assert.match(failure.hint ?? '', /^Nothing was published/);
});

test('what the host has named otherwise stays what it is', async () => {
  assert.equal((await publicationThat('write-failed')).code, 'write-failed');
});
