// What a report and a summary tell of a dump at once: what is not in it, and what pg_dump warned of.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dumpNotes } from '../../shared/report/dump-notes.ts';
import { exampleManifest } from './retention/host-folder.ts';
import { counted } from './table-count.ts';

const id = '20261125_021700';
const orders = counted('public', 'orders', 3);
const mail = (rows: number | null) =>
  counted('public', 'q mail', rows, { extension: 'hstore', isDumped: false, content: null });

test('rows of tables that belong to extensions, and those that could not be counted', () => {
  assert.deepEqual(dumpNotes(exampleManifest(id, { tables: [orders, mail(2)] })), [
    'Not in this dump: 2 rows in public."q mail", which belongs to the extension hstore',
  ]);
  assert.match(dumpNotes(exampleManifest(id, { tables: [mail(null)] })).join(), /: the rows in public\."q mail"/);
  assert.deepEqual(dumpNotes(exampleManifest(id, { tables: [orders, mail(0)] })), []);
});

test('warnings, and how many there are', () => {
  assert.deepEqual(dumpNotes(exampleManifest(id, { dumpWarnings: ['one', 'two'] })), [
    'pg_dump warned of 2 things: one; two',
  ]);
  assert.deepEqual(dumpNotes(exampleManifest(id, { dumpWarnings: null })), []);
});
