// A dump that comes through the runner is compared with its manifest at its end, when all of it has been restored.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { SentDump } from '../../../shared/drill/sent-dump.ts';
import type { Connection } from '../../../shared/host/connection.ts';
import type { ProgramOptions } from '../../../shared/host/program.ts';
import { type LoadRequest, load } from '../../../shared/restore/load.ts';

/** Loads a copy that restores, but of which the runner has read this. */
function loadOf(sha256: string | null) {
  const ran: string[] = [];
  const locks: unknown[] = [];
  let isClosed = false;
  const connection = {
    run: ({ name }: { name: string }, _parameters: object, { lock }: ProgramOptions) => {
      ran.push(name);
      locks.push(lock?.path);
      return { result: Promise.resolve({}), lastLines: () => [] };
    },
  } as unknown as Connection;
  const sent = {
    name: 's3://acme/x.dump',
    sha256: async () => sha256,
    open: () => null,
    close: () => {
      isClosed = true;
    },
  };
  const request = {
    backupDir: '/backups',
    server: { container: 'c', user: 'u', database: 'shop', access: { place: null, password: null } },
    source: { copy: sent.name, sent: async () => sent, set: { id: '20261127_021700', manifest: {}, folders: [] } },
    manifest: { id: '20261127_021700', sha256: 'a'.repeat(64), tables: [], sizeBytes: 1 },
    restored: 'shop_restore_01234567',
    least: 0,
    lock: { path: '/backups/.lock', wait: 0, holder: 'this run' },
    onLog: () => {},
  } as unknown as LoadRequest;
  return { loaded: load(connection, request), ran, locks, isClosed: () => isClosed };
}

test('a copy that is another dump than its manifest tells of never becomes live, although it restores', async () => {
  for (const [sha256, message] of [
    ['b'.repeat(64), 's3://acme/x.dump does not match the manifest of 20261127_021700'],
    [null, 's3://acme/x.dump could not be read to its end'],
  ] as const) {
    const { loaded, ran } = loadOf(sha256);
    const hint = /The database is untouched.* The restored copy was dropped/;
    await assert.rejects(loaded, { code: 'checksum-failed', message, hint });
    assert.deepEqual(ran, ['load', 'discard']);
  }
});

test('while a copy is made, its run has the lock on the backups; at the end, nothing is read any more', async () => {
  const { loaded, locks, isClosed } = loadOf('b'.repeat(64));
  await assert.rejects(loaded);
  // What was made is dropped without: the next run may have the lock by then.
  assert.deepEqual(locks, ['/backups/.lock', undefined]);
  assert.ok(isClosed());
});

test('a dump whose transfer breaks off gets no checksum: it is reported as unreadable, not as changed', async () => {
  const breaksOff = Readable.from(
    (function* () {
      yield Buffer.from('half of it');
      throw new Error('connection lost');
    })(),
  );
  const sent = new SentDump('s3://acme/x.dump', async () => breaksOff, new Map(), null);
  await assert.rejects((await sent.open()).toArray(), /connection lost/);
  assert.equal(await sent.sha256(), null);
});

test('a dump of which the container took only a part is read to its end for its checksum', async () => {
  const pieces = ['one', 'two', 'three'].map((piece) => Buffer.from(piece));
  const sent = new SentDump('s3://acme/x.dump', async () => Readable.from(pieces), new Map(), null);
  for await (const _ of await sent.open()) break;
  assert.equal(await sent.sha256(), createHash('sha256').update('onetwothree').digest('hex'));
});
