import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Records } from '../../shared/host/records.ts';
import { pack, unpack } from '../../shared/packed.ts';
import { joined, longestHead, longestTail, readSets } from '../../shared/survey/survey-sets.ts';
import { exampleManifest } from './retention/host-folder.ts';

const id = '20261123_021700';
const whole = `${JSON.stringify(exampleManifest(id), null, 2)}\n`;
const lists = '\n  "tables": [';
const head = whole.slice(0, whole.indexOf(lists) + lists.length);
const tail = whole.slice(whole.indexOf('  "largeObjects": '));
const { tables, sequences, members, ...short } = exampleManifest(id);
const compact = JSON.stringify(exampleManifest(id));

const texts: [what: string, head: string | null, tail: string | null, text: string | null][] = [
  ['of ours', head, tail, `${JSON.stringify(short, null, 2)}\n`],
  ['without a table', head.replace(/\[$/, '[],'), tail, `${JSON.stringify(short, null, 2)}\n`],
  ['that was cut in its lists', head, null, null],
  ['that was not seen', null, null, null],
  ['that is short, and not in our layout', compact, '', compact],
  ['that is empty', '', '', ''],
  ['that is long, and not in our layout', 'x'.repeat(longestHead), '', null],
];
for (const [what, first, last, text] of texts) {
  test(`a manifest ${what}`, () => assert.equal(joined(first, last), text));
}

const section = (name: string, text: string) => `\n==> ${name} <==\n${text}\n`;
const surveyed = (heads: string, tails: string, links = `1:2 daily/a\n1:2 weekly/a\n1:3 daily/b`) =>
  readSets(
    new Records([
      ['sets-state', 'x'],
      ['file', '12 daily/with space\nand line'],
      ['others-unnamed', '7'],
      ['manifest-links', links],
      ['manifest-heads', heads],
      ['manifest-tails', tails],
    ]),
  );

test('what stands in one file is that of all its names', () => {
  const sets = surveyed(
    section('daily/a', head) + section('daily/b', '{}'),
    section('daily/a', tail) + section('daily/b', ''),
  );
  assert.ok(sets !== null && !('error' in sets));
  assert.deepEqual([...sets.manifests.keys()], ['daily/a', 'weekly/a', 'daily/b']);
  assert.deepEqual(JSON.parse(sets.manifests.get('weekly/a') ?? ''), short);
  assert.equal(sets.manifests.get('daily/b')?.trim(), '{}');
  assert.deepEqual(sets.files, [{ bytes: 12, path: 'daily/with space\nand line' }]);
  assert.equal(sets.othersUnnamed, 7);
});

test("a name that comes twice is nobody's", () => {
  const forged = section('daily/b', `x\n==> daily/a <==\n{}`);
  for (const heads of [section('daily/a', head) + forged, forged + section('daily/a', head)]) {
    const sets = surveyed(heads, section('daily/a', tail));
    assert.ok(sets !== null && !('error' in sets));
    assert.deepEqual([...sets.manifests.keys()], ['daily/b']);
  }
});

test('what was not asked for is not there, and what could not be looked at is an error', () => {
  assert.equal(readSets(new Records([])), null);
  assert.deepEqual(
    readSets(
      new Records([
        ['sets-state', ''],
        ['sets-error', 'why'],
      ]),
    ),
    { error: 'why' },
  );
});

test('both sides read as much of a manifest', () => {
  const script = readFileSync(new URL('../../shared/survey/survey-sets.sh', import.meta.url), 'utf8');
  assert.match(script, new RegExp(`longest_head=${longestHead} longest_tail=${longestTail} `));
});

test('a packed text comes back; what is none, or too long, does not', () => {
  const text = 'é\n'.repeat(1000);
  assert.equal(unpack(pack(text), 10_000), text);
  assert.equal(unpack(pack(text), 1_000), null);
  assert.equal(unpack('', 1_000), null);
  assert.equal(unpack('not base64 of gzip', 1_000), null);
});
