import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Compression, DumpFormat } from '../../shared/sets/manifest.ts';
import {
  backupIdAt,
  type DumpEncoding,
  dumpExtension,
  isBackupId,
  isPartialName,
  parseSetFileName,
  setFileNames,
  startOf,
} from '../../shared/sets/naming.ts';

test('an id is the start in UTC, to the second', () => {
  assert.equal(backupIdAt(new Date('2026-11-23T02:17:00.999Z')), '20261123_021700');
  assert.deepEqual(startOf('20261123_021700'), new Date('2026-11-23T02:17:00Z'));
});

test('every second of ten thousand years has an id that reads back', () => {
  const seconds = fc.integer({ min: -62_167_219_200, max: 253_402_300_799 });
  fc.assert(
    fc.property(seconds, (second) => {
      const start = new Date(second * 1000);
      assert.deepEqual(startOf(backupIdAt(start)), start);
    }),
  );
});

for (const text of [
  '',
  '20261123',
  '20260230_000000',
  '20261301_000000',
  '20261123_240000',
  '20261123_236000',
  '20261123_0217000',
  ' 20261123_021700',
  '20261123_021700\n',
  '20270229_021700',
  '２０２６1123_021700',
]) {
  test(`${JSON.stringify(text)} is no id`, () => assert.equal(isBackupId(text), false));
}

test('a leap day is a day', () => assert.equal(isBackupId('20280229_021700'), true));

const extensions: [DumpFormat, Compression, string][] = [
  ['custom', 'zstd', 'dump.zst'],
  ['custom', 'gzip', 'dump'],
  ['custom', 'none', 'dump'],
  ['plain', 'gzip', 'sql.gz'],
  ['plain', 'zstd', 'sql.zst'],
  ['plain', 'none', 'sql'],
];
for (const [format, compression, extension] of extensions) {
  test(`a ${format} dump with ${compression} ends in .${extension}, and .age where encrypted`, () => {
    assert.equal(dumpExtension({ format, compression, encryption: 'none' }), extension);
    assert.equal(dumpExtension({ format, compression, encryption: 'age' }), `${extension}.age`);
  });

  test(`every file of a set of ${extension} is known for what it is`, () => {
    for (const encryption of ['none', 'age'] as const) {
      for (const prefix of ['backup', 'prerollback', 'failed'] as const) {
        const names = setFileNames(prefix, '20261123_021700', { format, compression, encryption });
        assert.equal(new Set(Object.values(names)).size, 10);
        for (const [part, name] of Object.entries(names)) {
          assert.deepEqual(parseSetFileName(name), { prefix, id: '20261123_021700', part });
        }
      }
    }
  });
}

const sealings: [what: string, sealing: Pick<DumpEncoding, 'encryption' | 'sealedFrom'>, sealed: string[]][] = [
  ['a plain set', { encryption: 'none' }, []],
  ['a set that the host encrypts', { encryption: 'age', sealedFrom: null }, ['schema', 'globals', 'settings', 'dump']],
  [
    'a set that a runner encrypts',
    { encryption: 'age', sealedFrom: {} },
    ['report', 'schema', 'globals', 'settings', 'dump'],
  ],
];
for (const [what, sealing, sealed] of sealings) {
  test(`of ${what}, these are encrypted: ${sealed.join(', ') || 'none'}`, () => {
    const names = setFileNames('backup', '20261123_021700', { format: 'custom', compression: 'zstd', ...sealing });
    const parts = Object.entries(names).filter(([, name]) => name.endsWith('.age'));
    assert.deepEqual(
      parts.map(([part]) => part),
      sealed,
    );
  });
}

for (const name of [
  'backup_20261123_021700',
  'backup_20261123_021700.',
  'backup_20261123_021700.dump.gz',
  'backup_20261123_021700.sql.gz.part',
  'backup_20261123_021700.manifest.json.age',
  'backup_20261123_021700.dump.age.zst',
  'backup_20261323_021700.dump.zst',
  'backup-20261123_021700.dump.zst',
  'xbackup_20261123_021700.dump.zst',
  'backup_app_20261123_021700.sql.gz',
  'backup_20261123_021700.toString',
  'backup_20261123_021700.dump\n',
  '.partial-20261123_021700',
]) {
  test(`${JSON.stringify(name)} is not ours`, () => assert.equal(parseSetFileName(name), null));
}

test('what a run has not finished is known by its name', () => {
  assert.ok(isPartialName('.partial-20261123_021700'));
  assert.ok(isPartialName('.partial-20261123_021700.delete'));
  assert.ok(!isPartialName('partial-20261123_021700'));
  assert.ok(!isPartialName('notes.partial-20261123_021700'));
  assert.ok(!isPartialName('.partial-notes'));
});
