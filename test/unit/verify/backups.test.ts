import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Manifest } from '../../../shared/sets/manifest.ts';
import type { ReadSet } from '../../../shared/sets/read-sets.ts';
import { judgeReading } from '../../../shared/sets/read-sets.ts';
import { decidePruning } from '../../../shared/sets/retention.ts';
import { decideTiers } from '../../../shared/sets/tiers.ts';
import { type BackupFacts, judgeBackups } from '../../../verify-action/backups/judge-backups.ts';
import { HostFolder, verifiedSet } from '../retention/host-folder.ts';

const now = new Date('2026-11-25T06:00:00Z');
const nights = ['20', '21', '22', '23', '24', '25'].map((day) => `202611${day}_021700`);

const keep = { daily: 7, weekly: 4, monthly: 'all', predeployment: 30, prerollback: 'all' } as const;

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
    othersUnnamed: 0,
    readings: [{ id: nights.at(-1) ?? '', files: 5, faults: [] }] satisfies ReadSet[],
    backupDir: '/opt/shop/backups',
    maxAge: 26 * 3_600_000,
    keep,
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

/** What is judged of a folder. */
const factsOf = (host: HostFolder): Pick<BackupFacts, 'catalogue' | 'files'> => ({
  catalogue: host.catalogue(),
  files: [...host.files].map(([path, bytes]) => ({ path, bytes })),
});

const idOf = (at: Date) => at.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_');

test('a week in which every night went well passes', () => assert.deepEqual(judge().bad, {}));

test('the newest is as old as it may be', () => {
  const at = (hours: number) =>
    judge(() => {}, { now: new Date(Date.parse('2026-11-25T02:17:00Z') + hours * 3_600_000) });
  assert.equal('newest' in at(26).bad, false);
  assert.match(at(26.1).bad['newest'] ?? '', /is 26 h 06 min old/);
});

test('one of the future is none', () => {
  assert.match(
    judge(() => {}, { now: new Date('2026-11-25T02:00:00Z') }).bad['newest'] ?? '',
    /is dated in the future/,
  );
});

describe('a set is complete', () => {
  const old = nights[1] ?? '';
  for (const ending of ['report.txt', 'sha256', 'md5', 'schema.sql.gz', 'globals.sql.gz', 'settings.sql.gz']) {
    test(`with its ${ending}, also one that is not read in full`, () => {
      const { bad } = judge((host) => host.files.delete(`daily/backup_${old}.${ending}`));
      assert.match(bad['complete'] ?? '', new RegExp(`^failed: daily/backup_${old}\\.${ending} is missing$`));
      const weekly = judge((host) => host.files.delete(`weekly/backup_${nights[2]}.${ending}`));
      assert.match(
        weekly.bad['complete'] ?? '',
        new RegExp(`^failed: weekly/backup_${nights[2]}\\.${ending} is missing$`),
      );
    });
  }

  test('with a dump of the size that its manifest tells', () => {
    const { bad } = judge((host) => host.files.set(`daily/backup_${old}.dump.zst`, 1));
    assert.match(bad['complete'] ?? '', new RegExp(`^failed: daily/${old}: `));
  });

  test('with a manifest', () => {
    const { bad } = judge((host) => host.files.delete(`daily/backup_${old}.manifest.json`));
    assert.match(bad['complete'] ?? '', /dump\.zst has no manifest/);
  });
});

test('a dump that failed its verification is reported until a newer one passes', () => {
  const after = (failed: string) => judge((host) => host.files.set(`failed/failed_${failed}.reason.txt`, 10)).bad;
  assert.match(after('20261125_040000')['last run'] ?? '', /^failed: the dump 20261125_040000 failed/);
  assert.equal('last run' in after('20261124_040000'), false);
});

test('where nothing was ever taken, nothing is said of the last run', () => {
  const { bad } = judge((host) => host.files.clear());
  assert.match(bad['last run'] ?? '', /^could-not-check/);
});

test('a day that has just been pruned is not missed', () => {
  const week = (host: HostFolder) => {
    // A week of Sundays ago; then each night, of which seven are kept with today's.
    host.add('20261108_021700', ['weekly']);
    host.add('20261119_021700', ['daily']);
  };
  assert.equal('days' in judge(week).bad, false);
  assert.equal('days' in judge(week, { now: new Date('2026-11-26T01:00:00Z') }).bad, false);
  assert.match(judge(week, { now: new Date('2026-11-27T01:00:00Z') }).bad['days'] ?? '', /no backup on 2026-11-26$/);
});

test('sixty nights of which each went well are well each morning', () => {
  const policies: BackupFacts['keep'][] = [7, 3].map((daily) => ({ ...keep, daily }));
  for (const policy of policies) {
    const host = new HostFolder();
    for (let night = 0; night < 60; night += 1) {
      const at = new Date(Date.parse('2026-09-20T02:17:00Z') + night * 86_400_000);
      const id = idOf(at);
      const { sets } = host.catalogue();
      const added = { id, database: 'app', kind: 'scheduled' } as const;
      const entered = decideTiers(added, sets, policy, 'UTC').filter(({ enters }) => enters);
      host.add(
        id,
        entered.map(({ tier }) => tier),
      );
      host.prune(decidePruning(host.catalogue().sets, { database: 'app', policy, timezone: 'UTC', now: at }));
      const morning = new Date(at.getTime() + 6 * 3_600_000);
      const readings = [{ id, files: 5, faults: [] }];
      assert.deepEqual(judge(() => {}, { ...factsOf(host), keep: policy, now: morning, readings }).bad, {}, id);
    }
  }
});

test('days are those of the calendar, also where one has 23 hours', () => {
  const host = new HostFolder();
  for (const id of ['20260327_021700', '20260328_021700']) host.add(id, ['daily', 'weekly', 'monthly']);
  const monday = { ...factsOf(host), timezone: 'Europe/Berlin', now: new Date('2026-03-29T22:30:00Z') };
  assert.match(judge(() => {}, monday).bad['days'] ?? '', /no backup on 2026-03-29$/);
});

test('one backup is one day', () => {
  const host = new HostFolder();
  host.add(nights[5] ?? '', ['daily', 'weekly', 'monthly']);
  const { list } = judge(() => {}, factsOf(host));
  assert.equal(
    list.find(({ name }) => name === 'days')?.detail,
    'the last day has a backup; the first is from 2026-11-25',
  );
});

test('the share that was read is told', () => {
  const { list } = judge();
  const { detail } = list.find(({ name }) => name === 'read in full') ?? { detail: '' };
  assert.match(detail, /^the newest 1 of 6 sets, byte by byte \(1000 B of 5\.9 KiB, 16 %\); the others only by size/);
});

test('where all sets were read, no share is told', () => {
  const detailOf = (ids: readonly string[]) => {
    const host = new HostFolder();
    for (const id of ids) host.add(id, ['daily', 'weekly', 'monthly']);
    const { list } = judge(() => {}, { ...factsOf(host), readings: ids.map((id) => ({ id, files: 5, faults: [] })) });
    return list.find(({ name }) => name === 'read in full')?.detail;
  };
  assert.match(detailOf(nights.slice(-1)) ?? '', /^the only set, byte by byte \(1000 B\)$/);
  assert.match(detailOf(nights.slice(-2)) ?? '', /^all 2 sets, byte by byte \(2\.0 KiB\)$/);
});

test('the history and the records of rollbacks are ours', () => {
  const detailOf = (path: string) => {
    const host = new HostFolder();
    host.add(nights[5] ?? '', ['daily', 'weekly', 'monthly']);
    host.files.set(path, 1);
    const { list } = judge(() => {}, factsOf(host));
    return list.find(({ name }) => name === 'other files')?.detail;
  };
  assert.equal(detailOf('rollback/history.jsonl'), 'every file in the backup folder is ours');
  assert.match(detailOf('daily/notes.txt') ?? '', /^1 foreign file, 1 B, never touched: daily\/notes\.txt$/);
});

describe('sizes', () => {
  const grown = (bytes: number, compression: Manifest['compression']) => {
    const [newest, previous] = [nights[5] ?? '', nights[4] ?? ''].map((id) => verifiedSet(id, ['daily']));
    assert.ok(newest !== undefined && previous !== undefined);
    const sets = [
      { ...newest, manifest: { ...newest.manifest, compression, sizeBytes: 400, dumpBytes: bytes } },
      previous,
    ];
    return judge(() => {}, { catalogue: { sets, failed: [], partial: [], foreign: [] } }).bad['sizes'];
  };

  test('of what is compressed in another way are those before compression', () => {
    assert.equal(grown(2_000, 'gzip'), undefined);
    assert.match(grown(1_999, 'gzip') ?? '', /before compression: less than half/);
    assert.match(grown(4_000, 'zstd') ?? '', /has 400 B, .* has 1000 B: less than half/);
  });

  test('of a single one say nothing', () => {
    const host = new HostFolder();
    host.add(nights[5] ?? '', ['daily', 'weekly', 'monthly']);
    assert.ok(!judge(() => {}, factsOf(host)).list.some(({ name }) => name === 'sizes'));
  });
});

test('of the sets of another database nothing is said of the last run', () => {
  const host = new HostFolder();
  host.add(nights[5] ?? '', ['daily'], 'other');
  assert.match(judge(() => {}, factsOf(host)).bad['last run'] ?? '', /^could-not-check/);
});

test('a missed night is named, and today may still get its own', () => {
  const missed = (host: HostFolder) => host.remove(nights[3] ?? '', 'daily');
  assert.deepEqual(Object.keys(judge(missed).bad), ['days']);
  assert.match(judge(missed).bad['days'] ?? '', /^warning: no backup on 2026-11-23$/);
  assert.deepEqual(judge((host) => host.remove(nights[5] ?? '', 'daily')).bad['days'], undefined);
});

describe('the tiers hold what the policy keeps', () => {
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
    assert.match(judge(few).bad['days'] ?? '', /no backup on 2026-11-21, 2026-11-22, 2026-11-23/);
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
  const names = ['dump.zst', 'schema.sql.gz', 'globals.sql.gz', 'settings.sql.gz', 'manifest.json', 'report.txt'].map(
    (ending) => `backup_${set.id}.${ending}`,
  );
  const sumOf = (name: string) => (name.endsWith('dump.zst') ? set.manifest.sha256 : 'f'.repeat(64));
  const reading = (
    change: { sums?: Record<string, string | null>; lists?: Record<string, string | null> } = {},
    judged = set,
  ) => {
    const lists = {
      sha256: names.map((name) => `${sumOf(name)}  ${name}\n`).join(''),
      md5: `${set.manifest.md5} *${names[0]}\n`,
      ...change.lists,
    };
    return judgeReading(judged, {
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

  test('a copy that is no link any more is read as well', () => {
    const copied = verifiedSet('20261125_021700', ['daily', 'weekly']);
    const read = (weekly: string | null) => {
      const all = names.map((name): [string, string | null] => [`daily/${name}`, sumOf(name)]);
      const lists = new Map([
        [`daily/backup_${set.id}.sha256`, names.map((name) => `${sumOf(name)}  ${name}\n`).join('')],
        [`daily/backup_${set.id}.md5`, `${set.manifest.md5} *${names[0]}\n`],
      ]);
      return judgeReading(copied, { sums: new Map([...all, [`weekly/${names[0]}`, weekly]]), lists }).faults.join();
    };
    assert.equal(read(set.manifest.sha256), '');
    assert.match(read('0'.repeat(64)), /^weekly\/.*dump\.zst differs from the file in daily$/);
    assert.match(read(null), /^weekly\/.*dump\.zst could not be read$/);
  });

  test('every file agrees with all that name it', () => assert.equal(reading(), ''));

  const of = (ending: string) => `backup_${set.id}.${ending}`;
  const table: [what: string, change: Parameters<typeof reading>[0], fault: RegExp][] = [
    ['a dump that cannot be read', { sums: { [of('dump.zst')]: null } }, /^[^;]*dump\.zst could not be read$/],
    ['no list of MD5', { lists: { md5: null } }, /^[^;]*\.md5 is missing$/],
    [
      'a changed dump',
      { sums: { [names[0] ?? '']: '0'.repeat(64) } },
      /sha256; .*dump\.zst does not match the manifest/,
    ],
    ['a changed report', { sums: { [names[5] ?? '']: '0'.repeat(64) } }, /report\.txt does not match .*sha256/],
    ['a file that cannot be read', { sums: { [names[1] ?? '']: null } }, /schema\.sql\.gz could not be read/],
    ['no list', { lists: { sha256: null } }, /sha256 is missing/],
    [
      'a list that leaves one out',
      { lists: { sha256: `${set.manifest.sha256}  ${names[0]}\n` } },
      /does not list .*report\.txt/,
    ],
    ['a list of another dump', { lists: { md5: `${'0'.repeat(32)}  ${names[0]}\n` } }, /md5 and the manifest disagree/],
  ];
  for (const [what, change, fault] of table) test(what, () => assert.match(reading(change), fault));

  test('what was not made is not missed; what was is, and so is what a list names', () => {
    const globals = of('globals.sql.gz');
    const shorter = names
      .filter((name) => name !== globals)
      .map((name) => `${sumOf(name)}  ${name}\n`)
      .join('');
    const unread = { sums: { [globals]: null }, lists: { sha256: shorter } };
    assert.equal(reading(unread), `${globals} could not be read`);
    const checks = set.manifest.checks.filter(({ name }) => name !== 'globals');
    const without = { ...set, manifest: { ...set.manifest, checks } };
    assert.equal(reading(unread, without), '');
    assert.equal(reading({ sums: { [globals]: null } }, without), `${globals} could not be read`);
  });
});
