import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { enoughMemory, memoryShortage } from '../../../shared/drill/memory.ts';
import { readingValues, scratchServer } from '../../../shared/drill/scratch-server.ts';
import { counted } from '../table-count.ts';

const MiB = 2 ** 20;

describe('the server of a drill', () => {
  const serverOf = (serverSettings: Record<string, string> | null) =>
    scratchServer({ bootstrapRole: 'shop', serverSettings });
  test('of a manifest that does not say', () => {
    const expected = { bootstrapRole: '', monetary: '', libraries: [], configuration: '' };
    assert.deepEqual(scratchServer({ bootstrapRole: null, serverSettings: null }), expected);
  });

  test('has a first superuser of the same name, where initdb takes that', () => {
    for (const [role, expected] of [
      ['shop', 'shop'],
      ['Odd Role', 'Odd Role'],
      ["o'brien", ''],
      ['none', ''],
      ['pg_odd', ''],
    ])
      assert.equal(scratchServer({ bootstrapRole: role ?? '', serverSettings: {} }).bootstrapRole, expected);
  });

  test('has those settings of the source by which values are read, as a backup notes them', () => {
    const inside = readFileSync(new URL('../../../shared/postgres/inside.sh', import.meta.url), 'utf8');
    const [, names = ''] = /name IN \(('TimeZone'[^)]*)\)/.exec(inside) ?? [];
    const noted = Array.from(names.matchAll(/'(\w+)'/g), ([, name = '']) => name);
    assert.deepEqual(noted.toSorted(), [...readingValues].toSorted());
  });

  const lists: [list: string, libraries: string[], hasWorkers: boolean][] = [
    ['', [], true],
    ['pg_stat_statements, auto_explain', ['pg_stat_statements', 'auto_explain'], true],
    ['pg_stat_statements,pg_cron', ['pg_stat_statements', 'pg_cron'], false],
    ['"pg_cron" , timescaledb', ['pg_cron', 'timescaledb'], false],
    ['$libdir/pg_cron,pg_cron,pg_cron', ['$libdir/pg_cron', 'pg_cron'], false],
    [`"a'b\n, c",x`, ['x'], false],
  ];
  for (const [list, libraries, hasWorkers] of lists) {
    test(`loads ${JSON.stringify(list)}`, () => {
      const server = serverOf({ shared_preload_libraries: list });
      assert.deepEqual(server.libraries, libraries);
      assert.equal(server.configuration, hasWorkers ? '' : 'max_worker_processes = 0');
    });
  }

  test('has the settings of the libraries and those by which values are read, and none else, and quotes them', () => {
    const { configuration } = serverOf({
      'cron.database_name': "it's \\ a\nname",
      TimeZone: 'America/New_York',
      DateStyle: 'ISO, DMY',
      archive_command: 'rm -rf /',
      lc_monetary: 'x',
      shared_preload_libraries: '',
    });
    assert.equal(
      configuration,
      "cron.database_name = 'it''s \\\\ a\\nname'\nTimeZone = 'America/New_York'\nDateStyle = 'ISO, DMY'",
    );
  });

  for (const [locale, expected] of [
    ['C', ''],
    ['POSIX', ''],
    ['de_DE.UTF-8', 'de_DE.UTF-8'],
  ]) {
    test(`has the money of ${locale}`, () => assert.equal(serverOf({ lc_monetary: locale ?? '' }).monetary, expected));
  }
});

describe('memory', () => {
  const tables = [
    counted('public', 'orders', 1),
    counted('public', 'files', 1, { largestValue: 300 * MiB }),
    counted('cron', 'log', 1, { largestValue: 900 * MiB, isDumped: false }),
  ];
  test('that is certainly too little names the tables', () => {
    assert.deepEqual(memoryShortage(tables, 1024 * MiB), { tables: 'public.files', largestValue: 300 * MiB });
    assert.equal(memoryShortage(tables, 1200 * MiB), null);
  });
  const enough: [largest: number | null, memory: number, expected: string][] = [
    [300 * MiB, 1024 * MiB, '2304MiB'],
    [null, 1024 * MiB, '2GiB'],
    [MiB, 1024 * MiB, '1280MiB'],
    [0, 192 * MiB, '512MiB'],
  ];
  for (const [largest, memory, expected] of enough) {
    test(`for ${largest}, where ${memory} was too little`, () => assert.equal(enoughMemory(largest, memory), expected));
  }
});
