// One copy in the bucket that is archived, locked or broken off: what that does to it, and that it does nothing to the others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../shared/failure.ts';
import { bucketFailure } from '../../../shared/offsite/bucket-failure.ts';
import { offsiteTierOf } from '../../../shared/offsite/plan-copies.ts';
import { contentsOf } from '../../../shared/offsite/stored-sets.ts';
import { day, hostWith, idsIn, keep, rules, setsOf } from './keeping.ts';
import { MemoryStore } from './memory-store.ts';

const folder = (date: number) => `backups/prod/${day(date)}/`;
const file = (date: number, ending: string) => `${folder(date)}backup_${day(date)}.${ending}`;
const filesOf = (store: MemoryStore, date: number) =>
  [...store.objects.keys()].filter((key) => key.startsWith(folder(date)));

/** With a copy of each of these nights, of which none was deleted. */
async function storeWith(...dates: number[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (const date of dates) await keep(store, hostWith(day(date)), { mayDelete: false });
  return store;
}

/** As a store says of one object that it gives nobody. */
function refusesToGive(store: MemoryStore, key: string, name: string): void {
  const said = Object.assign(new Error('The operation is not valid'), { name });
  const refusal = bucketFailure(`"memory" does not give ${key}`, said, { rights: [] });
  store.fault = (line) => (line === `read ${key}` ? refusal : null);
}

for (const name of ['InvalidObjectState', 'KMS.DisabledException'])
  test(`a manifest that the store does not give (${name}) concerns its own set alone, which is left as it is`, async () => {
    const store = await storeWith(20, 24, 25, 26);
    refusesToGive(store, file(26, 'manifest.json'), name);
    const { copied, deleted, unread, problems } = await keep(store, hostWith(day(26), day(27)));
    assert.deepEqual([copied.map(({ id }) => id), problems], [[day(27)], []]);
    assert.deepEqual(deleted, [day(20)]);
    assert.deepEqual(
      unread.map(({ id }) => id),
      [day(26)],
    );
    assert.match(unread[0]?.why ?? '', new RegExp(`^its manifest cannot be read\\. .*${name}`));
    assert.equal(filesOf(store, 26).length, 8);
  });

test('a login that may not read manifests at all ends the run: else all would be copied again', async () => {
  const store = await storeWith(26);
  refusesToGive(store, file(26, 'manifest.json'), 'AccessDenied');
  const { copied, problems } = await keep(store, hostWith(day(26), day(27)));
  assert.deepEqual([copied.length, problems.length], [0, 1]);
});

test('of a set with one locked file, nothing is deleted', async () => {
  const store = await storeWith(20, 24, 25, 26);
  store.locks.set(file(20, 'dump.zst'), new Date('2030-01-01'));
  const { retained, deleted, problems } = await keep(store, hostWith(day(27)));
  assert.deepEqual([retained, deleted, problems], [[day(20)], [day(24)], []]);
  assert.equal(filesOf(store, 20).length, 8);
});

test('a copy that fails leaves nothing of itself', async () => {
  const store = await storeWith(26);
  store.fault = (line) => (line === `write ${file(27, 'md5')}` ? new Failure('bucket-unusable', 'SlowDown') : null);
  const { problems } = await keep(store, hostWith(day(27)));
  assert.equal(problems.length, 1);
  assert.deepEqual(filesOf(store, 27), []);
});

test('what a killed run has left of a copy goes with the next run, if the host still has that set, and nobody else copies there', async () => {
  const leave = async (store: MemoryStore) => {
    for (const date of [24, 25]) store.objects.delete(file(date, 'manifest.json'));
    return store;
  };
  // Of two of one day, only the newer one is wanted.
  const host = () => hostWith(`20261124_150000`, day(24), day(27));
  const ours = await leave(await storeWith(24, 25, 26));
  assert.deepEqual((await keep(ours, host())).problems, []);
  assert.deepEqual([filesOf(ours, 24).length, filesOf(ours, 25).length], [0, 7]);

  const shared = await storeWith(24, 25);
  await keep(shared, hostWith(day(26)), { folderIds: ['1'.repeat(32)] });
  await keep(await leave(shared), host());
  assert.equal(filesOf(shared, 24).length, 7);
});

test('why it cannot be deleted, and what to do, is said as the store says it', async () => {
  const refusal = new Failure('bucket-unusable', 'SlowDown', { hint: 'Later' });
  const old = await storeWith(20, 24, 25, 26);
  old.fault = (line) => (line.startsWith(`remove ${folder(20)}`) ? refusal : null);
  assert.equal((await keep(old, hostWith(day(27)))).problems[0]?.hint, 'Later');

  const half = await storeWith(27);
  half.objects.delete(file(27, 'dump.zst'));
  half.fault = (line) => (line.startsWith(`remove ${folder(27)}`) ? refusal : null);
  assert.equal((await keep(half, hostWith(day(27)))).problems[0]?.hint, 'Later');
});

test('each copy is told as soon as it is whole: the run may be cancelled during the next one', async () => {
  const store = new MemoryStore();
  const cancel = new AbortController();
  const told: string[] = [];
  store.fault = (line) => {
    if (line === `write ${file(26, 'dump.zst')}`) cancel.abort(new Error('cancelled'));
    return cancel.signal.aborted ? new Failure('bucket-unusable', 'cut off') : null;
  };
  const run = keep(store, hostWith(day(26), day(27)), {
    signal: cancel.signal,
    onCopied: async ({ id }) => void told.push(id),
  });
  await assert.rejects(run, /cancelled/);
  assert.deepEqual(told, [day(27)]);
});

test('a copy that takes too long is not blamed on the database, nor on the disk of the host', async () => {
  for (const code of ['deadline', 'host-silent'] as const) {
    const run = (timeout: number) =>
      keep(new MemoryStore(), hostWith(day(27)), {
        timeout,
        read: () => ({
          [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Failure(code, 'Find out what blocks it')) }),
        }),
      });
    const [slow] = (await run(0)).problems;
    assert.match(slow?.message ?? '', /^Copying 20261127_021700 to the bucket took longer than/);
    assert.match(slow?.hint ?? '', /^Raise "timeout"/);
    assert.match((await run(3_600_000)).problems[0]?.message ?? '', /^Find out what blocks/);
  }
});

test('a locked plain dump beside an encrypted copy is named', async () => {
  const store = await storeWith(27);
  store.objects.set(file(27, 'dump.zst.age'), { content: Buffer.from('sealed') });
  const host = hostWith([day(27), { encryption: 'age' }]);
  const sealed = new MemoryStore();
  await keep(sealed, host);
  const key = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
  assert.deepEqual((await keep(sealed, host, { sealTo: [key] })).plain, []);
  sealed.objects.set(file(27, 'dump.zst'), { content: Buffer.from('plain') });
  assert.deepEqual((await keep(sealed, host, { sealTo: [key] })).plain, [day(27)]);
});

test('a copy has the tier in which the bucket keeps it for longest, whatever the host keeps', async () => {
  const onHost = setsOf(hostWith('20261101_021700', day(26), day(27)));
  const policy = { daily: 1, weekly: 0, monthly: 'all' } as const;
  const tiers = onHost.map((set) => offsiteTierOf(set, onHost, [], { ...rules, policy }));
  assert.deepEqual(tiers, ['daily', 'daily', 'monthly']);
  const { sets } = await contentsOf(await storeWith(20), 'backups', 'prod');
  // The month has one already.
  assert.deepEqual(
    setsOf(hostWith(day(27))).map((set) => offsiteTierOf(set, [set], sets, { ...rules, policy })),
    ['daily'],
  );
});

test('what is in the bucket is told apart: no manifest, or none of ours', async () => {
  const store = await storeWith(26, 27);
  store.objects.delete(file(26, 'manifest.json'));
  store.objects.set(file(27, 'manifest.json'), { content: Buffer.from('{}') });
  const { parts } = await contentsOf(store, 'backups', 'prod');
  assert.deepEqual(
    parts.map(({ id, state, files }) => [id, state, files.length]),
    [
      [day(27), 'foreign', 8],
      [day(26), 'no-manifest', 7],
    ],
  );
  await keep(store, hostWith(day(27)), { mayDelete: false });
  assert.ok((await idsIn(store)).includes(day(27)));
});
