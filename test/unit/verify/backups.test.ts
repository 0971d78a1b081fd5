import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ReadSet } from '../../../shared/backups/read-sets.ts';
import { judgeReading } from '../../../shared/backups/read-sets.ts';
import { type BackupFacts, judgeBackups } from '../../../verify-action/backups.ts';
import { HostFolder, verifiedSet } from '../retention/host-folder.ts';

const now = new Date('2026-11-25T06:00:00Z');
const nights = ['20', '21', '22', '23', '24', '25'].map((day) => `202611${day}_021700`);

/** A backup each night since Friday the 20th; Sunday the 22nd is weekly as well. */
function judge(change: (host: HostFolder) => void = () => {}, facts: Partial<BackupFacts> = {}) {
  const host = new HostFolder();
  for (const id of nights) {
    const tiers = [
      ...(/1120|1122/.test(id) ? ['weekly' as const] : []),
      ...(id.includes('1120') ? ['monthly' as const] : []),
    ];
    host.add(id, ['daily', ...tiers]);
  }
  change(host);
  const { list } = judgeBackups({
    database: 'app',
    catalogue: host.catalogue(),
    files: [...host.files].map(([path, bytes]) => ({ path, bytes })),
    readings: [{ id: nights.at(-1) ?? '', files: 5, faults: [] }] satisfies ReadSet[],
    backupDir: '/opt/shop/backups',
    maxAge: 26 * 3_600_000,
    keep: { daily: 7, weekly: 4, monthly: 'all', predeployment: 30, prerollback: 'all' },
    timezone: 'UTC',
    now,
    ...facts,
  });
  return {
    list,
    bad: Object.fromEntries(
      list
        .filter(({ result }) => result !== 'passed')
        .map(({ name, result, severity, detail }) => [
          name,
          `${severity === 'warning' ? 'warning' : result}: ${detail}`,
        ]),
    ),
  };
}

test('a week in which every night went well passes', () => assert.deepEqual(judge().bad, {}));

test('the newest is as old as it may be', () => {
  const at = (hours: number) =>
    judge(() => {}, { now: new Date(Date.parse('2026-11-25T02:17:00Z') + hours * 3_600_000) });
  assert.equal('newest' in at(26).bad, false);
  assert.match(at(26.1).bad['newest'] ?? '', /is 26 h 06 m old/);
});

test('one of the future is none', () => {
  assert.match(judge(() => {}, { now: new Date('2026-11-25T02:00:00Z') }).bad['newest'] ?? '', /is of the future/);
});

describe('a set is complete', () => {
  const old = nights[1] ?? '';
  for (const ending of ['report.txt', 'sha256', 'md5', 'schema.sql.gz', 'globals.sql.gz']) {
    test(`with its ${ending}, also one that is not read in full`, () => {
      const { bad } = judge((host) => host.files.delete(`daily/backup_${old}.${ending}`));
      assert.match(bad['complete'] ?? '', new RegExp(`^failed: daily/backup_${old}\\.${ending} is missing$`));
    });
  }

  test('with a manifest', () => {
    const { bad } = judge((host) => host.files.delete(`daily/backup_${old}.manifest.json`));
    assert.match(bad['complete'] ?? '', /dump\.zst has no manifest/);
  });
});

test('where nothing was ever taken, nothing is said of the last run', () => {
  const { bad } = judge((host) => host.files.clear());
  assert.match(bad['last run'] ?? '', /^could-not-check/);
});

test('a missed night is named, and today may still get its own', () => {
  const missed = (host: HostFolder) => host.remove(nights[3] ?? '', 'daily');
  assert.deepEqual(Object.keys(judge(missed).bad), ['days']);
  assert.match(judge(missed).bad['days'] ?? '', /^warning: no backup of 2026-11-23$/);
  assert.deepEqual(judge((host) => host.remove(nights[5] ?? '', 'daily')).bad['days'], undefined);
});

describe('the tiers hold what the policy keeps', () => {
  const keep = { daily: 7, weekly: 4, monthly: 'all', predeployment: 30, prerollback: 'all' } as const;
  const noWeekly = (host: HostFolder) => {
    for (const id of nights) host.remove(id, 'weekly');
  };

  test('how many of how many', () => {
    const { list } = judge();
    const tiers = list.find(({ name }) => name === 'tiers');
    assert.equal(tiers?.detail, '6 daily of 7, 2 weekly of 4, 1 monthly, 0 predeployment of 30, 0 prerollback');
  });

  test('a week without its own is named', () => {
    const { bad } = judge((host) => host.remove(nights[2] ?? '', 'weekly'));
    assert.match(bad['tiers'] ?? '', /^warning: .*there is no weekly for the week of Sun 2026-11-22$/);
  });

  test('all of a tier that is gone', () => {
    assert.match(
      judge(noWeekly).bad['tiers'] ?? '',
      /no weekly for the week of Sun 2026-11-22, no weekly for .*11-15$/,
    );
  });

  test('a tier that is switched off needs none', () => {
    assert.deepEqual(judge(noWeekly, { keep: { ...keep, weekly: 0 } }).bad, {});
  });

  test('a period that is not kept any more needs none', () => {
    const older = (host: HostFolder) => host.remove(nights[0] ?? '', 'weekly');
    assert.ok('tiers' in judge(older).bad);
    assert.deepEqual(judge(older, { keep: { ...keep, weekly: 1 } }).bad, {});
  });

  test('what should have been pruned is named', () => {
    const { bad } = judge(() => {}, { keep: { ...keep, daily: 4 } });
    assert.match(bad['tiers'] ?? '', /^warning: 6 daily of 4, .*does not keep 20261121_021700 in daily, and 1 more$/);
    assert.ok('tiers' in judge(() => {}, { keep: { ...keep, weekly: 0 } }).bad);
  });

  test('days that are not kept are not missed', () => {
    const few = (host: HostFolder) => {
      for (const id of nights.slice(1, 4)) host.remove(id, 'daily');
      host.remove(nights[2] ?? '', 'weekly');
    };
    assert.match(judge(few).bad['days'] ?? '', /no backup of 2026-11-21, 2026-11-22, 2026-11-23/);
    assert.equal('days' in judge(few, { keep: { ...keep, daily: 1 } }).bad, false);
    assert.equal('days' in judge(few, { keep: { ...keep, daily: 0 } }).bad, false);
  });
});

test('what a run that is at work writes is no leftover', () => {
  const partial = (id: string) => (host: HostFolder) => host.files.set(`daily/.partial-${id}.dump.zst`, 1);
  assert.equal('leftovers' in judge(partial('20261125_055900')).bad, false);
  assert.match(judge(partial('20261123_021700')).bad['leftovers'] ?? '', /^warning: .*20261123_021700/);
});

describe('reading a set in full', () => {
  const set = verifiedSet('20261125_021700', ['daily']);
  const names = ['dump.zst', 'schema.sql.gz', 'globals.sql.gz', 'manifest.json', 'report.txt'].map(
    (ending) => `backup_${set.id}.${ending}`,
  );
  const sumOf = (name: string) => (name.endsWith('dump.zst') ? set.manifest.sha256 : 'f'.repeat(64));
  const reading = (change: { sums?: Record<string, string | null>; lists?: Record<string, string | null> } = {}) => {
    const lists = {
      sha256: names.map((name) => `${sumOf(name)}  ${name}\n`).join(''),
      md5: `${set.manifest.md5} *${names[0]}\n`,
      ...change.lists,
    };
    return judgeReading(set, {
      sums: new Map(
        names.map((name) => [
          `daily/${name}`,
          name in (change.sums ?? {}) ? (change.sums?.[name] ?? null) : sumOf(name),
        ]),
      ),
      lists: new Map(
        Object.entries(lists).flatMap(([kind, text]) =>
          text === null ? [] : [[`daily/backup_${set.id}.${kind}`, text]],
        ),
      ),
    }).faults.join('; ');
  };

  test('every file agrees with all that name it', () => assert.equal(reading(), ''));

  const table: [what: string, change: Parameters<typeof reading>[0], fault: RegExp][] = [
    [
      'a changed dump',
      { sums: { [names[0] ?? '']: '0'.repeat(64) } },
      /sha256 says; .*dump\.zst is not what the manifest says/,
    ],
    ['a changed report', { sums: { [names[4] ?? '']: '0'.repeat(64) } }, /report\.txt is not what .*sha256 says/],
    ['a file that cannot be read', { sums: { [names[1] ?? '']: null } }, /schema\.sql\.gz could not be read/],
    ['no list', { lists: { sha256: null } }, /sha256 is missing/],
    [
      'a list that leaves one out',
      { lists: { sha256: `${set.manifest.sha256}  ${names[0]}\n` } },
      /does not list .*report\.txt/,
    ],
    ['a list of another dump', { lists: { md5: `${'0'.repeat(32)}  ${names[0]}\n` } }, /md5 and the manifest differ/],
  ];
  for (const [what, change, fault] of table) test(what, () => assert.match(reading(change), fault));
});
