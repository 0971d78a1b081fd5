// What prevents a restored copy from becoming the live database, and what is only told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeRestored } from '../../../shared/restore/judge-restored.ts';
import { exampleManifest } from '../retention/host-folder.ts';
import { counted } from '../table-count.ts';

const orders = counted('public', 'orders', 3);
/** Of an extension, so pg_dump has left its rows out. */
const queue = counted('public', 'q_mail', 1, { extension: 'hstore', isDumped: false });
const extensions = [{ name: 'hstore', version: '1.8' }];
const manifest = exampleManifest('20261125_021700', {
  tables: [orders, queue],
  sequences: [],
  extensions,
  members: [],
  largeObjects: 0,
});
const restored = {
  tables: [orders, { ...queue, rows: 0 }],
  sequences: [],
  extensions,
  members: [],
  emptyViews: [],
  largeObjects: 0,
};

test('rows that no backup of the database can have are told, and prevent nothing', () => {
  const found = judgeRestored(manifest, restored).filter(({ result }) => result !== 'passed');
  assert.deepEqual(
    found.map(({ name, result }) => [name, result]),
    [['left out', 'failed']],
  );
  assert.match(found[0]?.detail ?? '', /1 row in public\.q_mail/);
});

test('what a drill only warns of prevents nothing', () => {
  const unhashed = { ...manifest, tables: [{ ...orders, content: null }, queue] };
  const found = judgeRestored(unhashed, restored).find(({ name }) => name === 'content');
  assert.deepEqual([found?.result, found?.severity], ['failed', 'warning']);
});

test('rows that the backup says it has prevent it', () => {
  const tables = [{ ...orders, rows: 2 }, queue];
  assert.throws(() => judgeRestored(manifest, { ...restored, tables }), {
    code: 'restore-differs',
    message: /^What was restored is not what 20261125_021700 held: rows: /,
    hint: 'The database is untouched. Restore another backup',
  });
});

test('if another backup would be alike, it says what to do instead', () => {
  const generated = { ...orders, generates: true, content: { oneIn: 1, rows: 3, hash: '1' } };
  const after = { ...generated, content: { oneIn: 1, rows: 3, hash: '2' } };
  assert.throws(
    () => judgeRestored({ ...manifest, tables: [generated] }, { ...restored, tables: [after] }),
    (error: { hint?: string }) =>
      /^The database is untouched\. A restore computes generated columns again/.test(error.hint ?? ''),
  );
});
