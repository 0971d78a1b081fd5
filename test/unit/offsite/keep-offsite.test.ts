import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../../shared/failure.ts';
import { planCopies, planOffsitePruning } from '../../../shared/offsite/plan-copies.ts';
import { storedSets } from '../../../shared/offsite/stored-sets.ts';
import { folderIds } from './copied-sets.ts';
import { day, type Host, hostWith, idsIn, keep, rules, setsOf } from './keeping.ts';
import { MemoryStore } from './memory-store.ts';

describe('which sets are copied', () => {
  const planned = (host: Host, most = 7, newest = setsOf(host)[0]?.id ?? '') =>
    planCopies(setsOf(host), [], newest, most, rules).map(({ id }) => id);

  test('those that the policy keeps, the newest first', () =>
    assert.deepEqual(planned(hostWith(day(23), day(24), day(25), day(26), day(27))), [day(27), day(26), day(25)]));
  test('of a day, the newest', () =>
    assert.deepEqual(planned(hostWith(day(27), day(26), day(26, '150000'))), [day(27), day(26, '150000')]));
  test('a number of them at most', () => assert.deepEqual(planned(hostWith(day(26), day(27)), 1), [day(27)]));
  test('the new one in any case', () =>
    assert.deepEqual(planned(hostWith(day(20), day(25), day(26), day(27)), 7, day(20))[0], day(20)));
  test('none of another database', () =>
    assert.deepEqual(planned(hostWith(day(27), [day(26), { database: 'other' }])), [day(27)]));
  test('none that was taken before a rollback: it would take the place of a nightly one', () =>
    assert.deepEqual(planned(hostWith(day(27), [day(26, '180000'), { kind: 'prerollback' }], day(26))), [
      day(27),
      day(26),
    ]));
  test('one that was taken before a deployment', () =>
    assert.deepEqual(planned(hostWith(day(27), [day(26), { kind: 'predeployment' }])), [day(27), day(26)]));
});

test('the newest copy is kept, whatever the policy says', async () => {
  const store = new MemoryStore();
  await keep(store, hostWith(day(20)));
  const stored = await storedSets(store, 'backups', 'prod');
  const none = { ...rules, policy: { daily: 0, weekly: 0, monthly: 0 } };
  assert.deepEqual(
    planOffsitePruning(stored, none).map((decision) => decision.keep),
    [true],
  );
});

test('one bad night heals: the next run copies what is missing, and deletes what is old', async () => {
  const store = new MemoryStore();
  for (const date of [23, 24, 25]) await keep(store, hostWith(day(date)));
  store.uploads.push({ key: `backups/prod/${day(26)}/backup_${day(26)}.dump.zst`, uploadId: '1' });
  store.uploads.push({ key: `backups/other/${day(26)}/backup_${day(26)}.dump.zst`, uploadId: '2' });
  const { copied, deleted, problems } = await keep(store, hostWith(day(25), day(26), day(27)));
  assert.deepEqual(problems, []);
  assert.deepEqual(
    copied.map(({ id }) => id),
    [day(27), day(26)],
  );
  assert.deepEqual(deleted, [day(24), day(23)]);
  assert.equal(copied[0]?.uri, `s3://memory/backups/prod/${day(27)}/backup_${day(27)}.dump.zst`);
  assert.deepEqual(await idsIn(store), [day(27), day(26), day(25)]);
  assert.deepEqual(
    store.uploads.map(({ uploadId }) => uploadId),
    ['2'],
  );
});

test('half a copy does not count, and is made whole', async () => {
  const store = new MemoryStore();
  await keep(store, hostWith(day(26)));
  store.objects.delete(`backups/prod/${day(26)}/backup_${day(26)}.manifest.json`);
  const { copied } = await keep(store, hostWith(day(26), day(27)));
  assert.deepEqual(
    copied.map(({ id }) => id),
    [day(27), day(26)],
  );
  const stored = await storedSets(store, 'backups', 'prod');
  assert.ok(stored.every(({ isComplete }) => isComplete));
});

describe('a copy whose dump is gone from the bucket', () => {
  /** Copies of three nights, the newest of them without its dump. */
  async function damaged(): Promise<MemoryStore> {
    const store = new MemoryStore();
    for (const date of [24, 25, 26]) await keep(store, hostWith(day(date)));
    store.objects.delete(`backups/prod/${day(26)}/backup_${day(26)}.dump.zst`);
    return store;
  }

  test('is made again', async () => {
    const { copied } = await keep(await damaged(), hostWith(day(26), day(27)));
    assert.deepEqual(
      copied.map(({ id }) => id),
      [day(27), day(26)],
    );
  });

  test('drives out none that is whole', async () => {
    const stored = await storedSets(await damaged(), 'backups', 'prod');
    const decisions = planOffsitePruning(stored, { ...rules, policy: { daily: 2, weekly: 0, monthly: 0 } });
    assert.deepEqual(
      [day(25), day(24)].map((id) => decisions.find((decision) => decision.id === id)?.keep),
      [true, true],
    );
  });
});

const refusal = new Failure('bucket-unusable', '"memory" does not take it: SlowDown', { hint: 'Later' });

test('after a failure nothing is deleted, and nothing more is tried', async () => {
  const store = new MemoryStore();
  for (const date of [20, 21, 22, 23]) await keep(store, hostWith(day(date)), { mayDelete: false });
  store.fault = (line) => (line.startsWith('write') ? refusal : null);
  const { copied, deleted, problems } = await keep(store, hostWith(day(26), day(27)));
  assert.deepEqual([copied, deleted, problems], [[], [], [refusal]]);
  assert.deepEqual(await idsIn(store), [day(23), day(22), day(21), day(20)]);
});

test('a set that is damaged on the host is told, and the others are copied', async () => {
  const store = new MemoryStore();
  const host = hostWith(day(25), day(26), day(27));
  host.get(day(26))?.files.set(`backup_${day(26)}.dump.zst`, 'dump of 20261126_021701');
  const { copied, problems } = await keep(store, host);
  assert.deepEqual(
    copied.map(({ id }) => id),
    [day(27), day(25)],
  );
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['copy-differs'],
  );
});

test('a run whose own backup is doubtful deletes nothing', async () => {
  const store = new MemoryStore();
  for (const date of [20, 21, 22, 23]) await keep(store, hostWith(day(date)), { mayDelete: false });
  const { deleted } = await keep(store, hostWith(day(27)), { mayDelete: false });
  assert.deepEqual([deleted.length, (await idsIn(store)).length], [0, 5]);
});

test('what is locked stays whole, and is no error; what cannot be deleted is one', async () => {
  const store = new MemoryStore();
  for (const date of [20, 21, 22, 23]) await keep(store, hostWith(day(date)), { mayDelete: false });
  store.locks.set(`backups/prod/${day(20)}/backup_${day(20)}.manifest.json`, new Date());
  store.fault = (line) => (line.startsWith(`remove backups/prod/${day(21)}`) ? refusal : null);
  const { retained, deleted, problems } = await keep(store, hostWith(day(27)));
  assert.deepEqual([retained, deleted], [[day(20)], []]);
  assert.match(problems[0]?.message ?? '', /cannot be deleted/);
  assert.deepEqual(await idsIn(store), [day(27), day(23), day(22), day(21), day(20)]);
  const [locked] = (await storedSets(store, 'backups', 'prod')).filter(({ id }) => id === day(20));
  assert.deepEqual(locked?.faults, []);
});

test('the copies of another database take no place, and are not deleted', async () => {
  const store = new MemoryStore();
  const other = { database: 'other' };
  for (const date of [20, 21, 22, 23]) await keep(store, hostWith([day(date), other]), { ...other, mayDelete: false });
  for (const date of [24, 25, 26]) await keep(store, hostWith(day(date)), { mayDelete: false });
  const { deleted } = await keep(store, hostWith(day(27)));
  assert.deepEqual(deleted, [day(24)]);
});

test('what is there of a copy of another database may still be on its way, and is not deleted', async () => {
  const store = new MemoryStore();
  const other = { database: 'other' };
  await keep(store, hostWith([day(20), other]), { ...other, mayDelete: false });
  store.objects.delete(`backups/prod/${day(20)}/backup_${day(20)}.dump.zst`);
  for (const date of [24, 25, 26]) await keep(store, hostWith(day(date)), { mayDelete: false });
  const { deleted } = await keep(store, hostWith(day(27)));
  assert.deepEqual(deleted, [day(24)]);
  assert.ok(store.objects.has(`backups/prod/${day(20)}/backup_${day(20)}.manifest.json`));
});

test('a deletion that was broken off is ended by the next run; what is left keeps no other from its place', async () => {
  const store = new MemoryStore();
  for (const date of [20, 21, 22, 23]) await keep(store, hostWith(day(date)), { mayDelete: false });
  store.fault = (line) => (/^remove .*_20261121_021700|^remove .*20261121.*(md5|report)/.test(line) ? refusal : null);
  const first = await keep(store, hostWith(day(26)));
  assert.equal(first.problems.length, 1);
  store.fault = () => null;
  const second = await keep(store, hostWith(day(27)));
  assert.deepEqual(second.problems, []);
  assert.deepEqual(
    [...store.objects.keys()].filter((key) => /2026112[01]_/.test(key)),
    [],
  );
  assert.deepEqual(await idsIn(store), [day(27), day(26), day(23)]);
});

test('a deletion that is broken off leaves the manifest, by which the next run knows whose the rest is', async () => {
  const store = new MemoryStore();
  for (const date of [20, 21, 22, 23]) await keep(store, hostWith(day(date)), { mayDelete: false });
  store.fault = (line) => (/^remove .*20261120_021700\.dump/.test(line) ? refusal : null);
  await keep(store, hostWith(day(26)));
  const left = [...store.objects.keys()].filter((key) => key.includes(day(20))).map((key) => key.split('/').at(-1));
  assert.deepEqual(left.toSorted(), [`backup_${day(20)}.dump.zst`, `backup_${day(20)}.manifest.json`]);
});

test('foreign objects under the prefix are never touched', async () => {
  const store = new MemoryStore();
  const keys = [
    'backups/prod/20250101_000000/notes.txt',
    'backups/prod/x',
    `backups/prod2/${day(1)}/backup_${day(1)}.md5`,
  ];
  for (const key of keys) store.objects.set(key, { content: Buffer.from('mine'), tags: {} });
  for (const date of [20, 21, 22, 23, 27]) await keep(store, hostWith(day(date)));
  for (const key of keys) assert.equal(String(store.contentOf(key)), 'mine');
});

test('uploads of others under the prefix are not given up', async () => {
  const store = new MemoryStore();
  const keys = [
    'backups/prod/archive.tar',
    `backups/prod/${day(1)}/notes.txt`,
    `backups/prod/${day(1)}/backup_${day(2)}.dump.zst`,
    `backups/prod/${day(1)}/deeper/backup_${day(1)}.dump.zst`,
  ];
  for (const key of keys) store.uploads.push({ key, uploadId: key });
  store.uploads.push({ key: `backups/prod/${day(1)}/backup_${day(1)}.dump.zst`, uploadId: 'ours' });
  const { problems } = await keep(store, hostWith(day(27)));
  assert.deepEqual(problems, []);
  assert.deepEqual(
    store.uploads.map(({ uploadId }) => uploadId),
    keys,
  );
});

describe('two backup folders under one prefix', () => {
  const other = { folderIds: ['1'.repeat(32)] } as const;
  const old = { metadata: {} };
  /** As those of earlier versions, or copied by hand. */
  const forget = (store: MemoryStore) => {
    for (const [key, { content }] of store.objects) store.objects.set(key, { content, ...old });
  };

  test('delete nothing of each other, and count their tiers apart', async () => {
    const store = new MemoryStore();
    for (const date of [20, 21, 22]) await keep(store, hostWith(day(date)), other);
    const ours = hostWith(day(24, '030000'), day(25, '030000'), day(26, '030000'));
    const first = await keep(store, ours);
    assert.deepEqual(
      first.copied.map(({ id }) => id),
      [day(26, '030000'), day(25, '030000'), day(24, '030000')],
    );
    const second = await keep(store, hostWith(day(27)));
    assert.deepEqual([second.deleted, second.problems], [[day(24, '030000')], []]);
    const third = await keep(store, hostWith(day(26)), other);
    assert.deepEqual(third.deleted, [day(20)]);
    assert.deepEqual(await idsIn(store), [
      day(27),
      ...[day(26, '030000'), day(26), day(25, '030000')],
      ...[day(22), day(21)],
    ]);
  });

  test('name the copies of the other in one sentence, with its id, and fail nothing for it', async () => {
    const store = new MemoryStore();
    assert.equal((await keep(store, hostWith(day(20)), other)).others, null);
    assert.match(
      (await keep(store, hostWith(day(26)))).others ?? '',
      /holds a copy of "app" that another .*; it is left/,
    );
    await keep(store, hostWith(day(21)), other);
    await keep(store, hostWith([day(22), { database: 'shop' }]), { ...other, database: 'shop' });
    const { others, problems } = await keep(store, hostWith(day(27)));
    assert.match(
      others ?? '',
      /holds 2 copies of "app" that another backup folder made \(1{32}\); they are left alone/,
    );
    assert.match(others ?? '', /"s3-prefix" of its own/);
    assert.deepEqual(problems, []);
    const third = await keep(store, hostWith(day(27, '040000')), { folderIds: ['2'.repeat(32)] });
    assert.match(third.others ?? '', /4 copies of "app" that 2 other backup folders made/);
  });

  test('do not write over a copy of the same id; the others are copied, and nothing is deleted', async () => {
    const store = new MemoryStore();
    await keep(store, hostWith(day(26)), other);
    for (const date of [20, 21, 22, 23]) await keep(store, hostWith(day(date)), { mayDelete: false });
    const before = [...store.objects].filter(([key]) => key.includes(day(26)));
    const { copied, deleted, problems } = await keep(store, hostWith(day(25), day(26), day(27)));
    assert.deepEqual(
      copied.map(({ id }) => id),
      [day(27), day(25)],
    );
    const [problem, ...more] = problems;
    assert.deepEqual([problem?.code, more, deleted], ['copy-not-ours', [], []]);
    assert.match(problem?.message ?? '', /20261126_021700.*another backup folder \(1{32}\)/);
    assert.match(problem?.hint ?? '', /"s3-prefix" of its own/);
    assert.deepEqual(
      [...store.objects].filter(([key]) => key.includes(day(26))),
      before,
    );
  });

  test('do not give up uploads of the other', async () => {
    const store = new MemoryStore();
    await keep(store, hostWith(day(20)), other);
    for (const date of [26, 27])
      store.uploads.push({ key: `backups/prod/${day(date)}/backup_${day(date)}.dump.zst`, uploadId: String(date) });
    await keep(store, hostWith(day(27)));
    assert.deepEqual(
      store.uploads.map(({ uploadId }) => uploadId),
      ['26'],
    );
  });

  test('do not delete what is left of a copy of the other', async () => {
    const store = new MemoryStore();
    await keep(store, hostWith(day(20)), other);
    store.objects.delete(`backups/prod/${day(20)}/backup_${day(20)}.dump.zst`);
    for (const date of [24, 25, 26]) await keep(store, hostWith(day(date)), { mayDelete: false });
    assert.deepEqual((await keep(store, hostWith(day(27)))).deleted, [day(24)]);
  });

  test('do not warn of what the other has not encrypted', async () => {
    const store = new MemoryStore();
    await keep(store, hostWith(day(20)), other);
    const sealTo = ['age1gde3ncmahlqd9gg50tanl99r960llztrhfapnmx853s4tjum03uqfssgdh'];
    assert.deepEqual((await keep(store, hostWith(), { sealTo, newest: '' })).plain, []);
  });

  test('own copies that note no folder, as before', async () => {
    const store = new MemoryStore();
    for (const date of [20, 21, 22, 23]) await keep(store, hostWith(day(date)), { mayDelete: false });
    forget(store);
    const { deleted, others, copied } = await keep(store, hostWith(day(23), day(27)));
    assert.deepEqual([deleted, others], [[day(21), day(20)], null]);
    assert.deepEqual(
      copied.map(({ id }) => id),
      [day(27)],
    );
  });

  test('are one for its retention, once one has taken the copies of the other over', async () => {
    const store = new MemoryStore();
    for (const date of [20, 21, 22]) await keep(store, hostWith(day(date)), other);
    await keep(store, hostWith(day(26)));
    const both = { folderIds: [...folderIds, ...other.folderIds] as const };
    const { copied, deleted, others, problems } = await keep(store, hostWith(day(22), day(26), day(27)), both);
    assert.deepEqual(
      copied.map(({ id }) => id),
      [day(27)],
    );
    assert.deepEqual([deleted, others, problems], [[day(21), day(20)], null, []]);
    const noted = (await storedSets(store, 'backups', 'prod')).map((set) => set.folderId);
    assert.deepEqual(noted, [folderIds[0], folderIds[0], other.folderIds[0]]);
  });

  test('do not come into it where the host has no id: all copies count', async () => {
    const store = new MemoryStore();
    for (const date of [20, 21]) await keep(store, hostWith(day(date)), other);
    for (const date of [22, 23]) await keep(store, hostWith(day(date)));
    const stored = await storedSets(store, 'backups', 'prod');
    const decisions = planOffsitePruning(stored, { ...rules, folderIds: [] });
    assert.deepEqual(
      decisions.map((decision) => decision.keep),
      [true, true, true, false],
    );
    assert.deepEqual(planCopies(setsOf(hostWith(day(21))), stored, '', 7, { ...rules, folderIds: [] }), []);
  });
});

test('a cancel ends it with its reason', async () => {
  const store = new MemoryStore();
  const cancel = new AbortController();
  store.fault = (line) => {
    if (line.startsWith('write')) cancel.abort(new Error('cancelled'));
    return cancel.signal.aborted ? refusal : null;
  };
  await assert.rejects(keep(store, hostWith(day(27)), { signal: cancel.signal }), /cancelled/);
});

test('tags are those of the caller', async () => {
  const store = new MemoryStore();
  await keep(store, hostWith(day(27)), { tagsOf: () => ({ tier: 'monthly' }) });
  assert.ok([...store.objects.values()].every(({ tags }) => tags?.['tier'] === 'monthly'));
});
