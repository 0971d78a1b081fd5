// A dump that comes through the runner is compared with its manifest at its end, when all of it has been restored.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '../../../shared/host/connection.ts';
import { type LoadRequest, load } from '../../../shared/restore/load.ts';

test('a copy that is another dump than its manifest tells of never becomes live, although it restores', async () => {
  const ran: string[] = [];
  const connection = {
    run: ({ name }: { name: string }) => {
      ran.push(name);
      return { result: Promise.resolve({}), lastLines: () => [] };
    },
  } as unknown as Connection;
  const sent = { name: 's3://acme/x.dump', sha256: async () => 'b'.repeat(64), open: () => null, close: () => {} };
  const request = {
    backupDir: '/backups',
    server: { container: 'c', user: 'u', database: 'shop', access: { place: null, password: null } },
    source: { copy: sent.name, sent: async () => sent, set: { id: '20261127_021700', manifest: {}, folders: [] } },
    manifest: { id: '20261127_021700', sha256: 'a'.repeat(64), tables: [], sizeBytes: 1 },
    restored: 'shop_restore_01234567',
    least: 0,
    onLog: () => {},
  } as unknown as LoadRequest;
  await assert.rejects(load(connection, request), {
    code: 'checksum-failed',
    message: 's3://acme/x.dump does not match the manifest of 20261127_021700',
    hint: /The database is untouched.* The restored copy was dropped/,
  });
  assert.deepEqual(ran, ['load', 'discard']);
});
