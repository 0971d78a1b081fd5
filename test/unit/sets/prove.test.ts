// A proof is added to a set that is there, in all of its folders: shared/sets/prove.sh in a real bash.
import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { hostBash } from './host-bash.ts';

const id = '20261124_021700';
const places = ['daily', 'weekly', `predeployment/${id}`];
let folder = '';
const file = (place: string, ending: string) => join(folder, place, `backup_${id}.${ending}`);
const proof = (place: string) => readFileSync(file(place, 'proof.jsonl'), 'utf8');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prove-'));
  for (const place of places) {
    mkdirSync(join(folder, place), { recursive: true });
    writeFileSync(file(place, 'manifest.json'), '');
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

function prove(line = 'proven'): string[] {
  return hostBash(
    folder,
    ['history/history.sh', 'sets/prove.sh'],
    `backup_dir=$PWD name=backup_${id} line=${line} folders=(${places.join(' ')})
    record_ids=(1) records=('{}') audit_lines=(told)
    main 2>/dev/null`,
  );
}
const isRecorded = () => existsSync(join(folder, 'rollback', 'history.jsonl'));

test('it appears in all folders, behind what was proven before, and in the history', () => {
  for (const line of ['one', 'two']) assert.deepEqual(prove(line), []);
  for (const place of places) assert.equal(proof(place), 'one\ntwo\n', place);
  assert.ok(isRecorded());
});

test('a file of its own in another folder, as a copy of the backups has it, gets it as well', () => {
  writeFileSync(file('daily', 'proof.jsonl'), 'one\n');
  copyFileSync(file('daily', 'proof.jsonl'), file('weekly', 'proof.jsonl'));
  linkSync(file('daily', 'proof.jsonl'), file(places[2] ?? '', 'proof.jsonl'));
  assert.deepEqual(prove('two'), []);
  for (const place of places) assert.equal(proof(place), 'one\ntwo\n', place);
});

test('a folder that the set has left meanwhile gets none', () => {
  rmSync(file('weekly', 'manifest.json'));
  rmSync(dirname(file(places[2] ?? '', 'x')), { recursive: true });
  assert.deepEqual(prove(), []);
  assert.equal(proof('daily'), 'proven\n');
  for (const place of places.slice(1)) assert.equal(existsSync(file(place, 'proof.jsonl')), false, place);
});

test('one whose first folder the set has left is in the others: retention may run during a drill', () => {
  rmSync(file('daily', 'manifest.json'));
  assert.deepEqual(prove(), []);
  assert.equal(existsSync(file('daily', 'proof.jsonl')), false);
  for (const place of places.slice(1)) assert.equal(proof(place), 'proven\n', place);
  assert.ok(isRecorded());
});

test('a set that is gone gets none, and the history does not tell of one', () => {
  for (const place of places) rmSync(file(place, 'manifest.json'));
  assert.deepEqual(prove(), ['fail set-gone', 'exit 1']);
  assert.equal(existsSync(file('daily', 'proof.jsonl')), false);
  assert.equal(isRecorded(), false);
});

test('one that cannot be written is called so, and the history does not tell of one', () => {
  mkdirSync(file('daily', 'proof.jsonl'));
  assert.deepEqual(prove(), ['fail proof-unwritable', 'exit 1']);
  assert.equal(isRecorded(), false);
});

test('so is a history that cannot be written', () => {
  writeFileSync(join(folder, 'rollback'), '');
  assert.deepEqual(prove(), ['fail history-unwritable', 'exit 1']);
});
