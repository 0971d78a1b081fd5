// Which backup is restored, of the host or of a bucket, and that what lies beside its dump is what was written: a real folder of backups, read by the
// program itself.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { connectLocally } from '../../../shared/host/local.ts';
import { type BackupSource, type SourceRequest, sourceOf } from '../../../shared/restore/backup-source.ts';
import { namesOf } from '../../../shared/sets/read-sets.ts';
import { wholeSet } from '../offsite/copied-sets.ts';

const backupDir = mkdtempSync(join(tmpdir(), 'backup-source-'));
after(() => rmSync(backupDir, { recursive: true }));
mkdirSync(join(backupDir, 'daily'));

const { set } = wholeSet('20261127_021700', { database: 'shop' });
const other = wholeSet('20261127_090000', { database: 'staging' }).set;
const names = namesOf(set);
const at = (name: string) => join(backupDir, 'daily', name);
const list = (content: Buffer) =>
  writeFileSync(at(names.sha256), `${createHash('sha256').update(content).digest('hex')}  ${names.globals}\n`);
const globals = gzipSync('CREATE ROLE app;\n');

function find(changes: Partial<SourceRequest> = {}): Promise<BackupSource> {
  return sourceOf(
    connectLocally(),
    { sets: [other, set], failed: [], partial: [], foreign: [] },
    {
      wanted: set.id,
      from: 'host',
      bucket: null,
      folderIds: [],
      environment: 'prod',
      backupDir,
      database: null,
      decryptKey: null,
      input: 'restore-database',
      timeout: 60_000,
      signal: AbortSignal.timeout(60_000),
      log: { host: () => {} } as unknown as SourceRequest['log'],
      ...changes,
    },
  );
}

test('a backup is found by its id, and none of another database, or that is broken', async () => {
  assert.equal((await find()).set, set);
  assert.equal((await find({ database: 'shop' })).set, set);
  await assert.rejects(find({ database: 'staging' }), {
    code: 'no-backup',
    message: /^No verified backup 20261127_021700 of "staging" found/,
  });
  const { state: _, ...broken } = { ...set, id: '20261127_100000' };
  const sets = [{ ...broken, state: 'broken', reason: 'its dump is missing' } as const];
  const catalogue = { sets, failed: [], partial: [], foreign: [] };
  const request = {
    wanted: broken.id,
    from: 'host',
    bucket: null,
    database: null,
    backupDir,
  } as unknown as SourceRequest;
  await assert.rejects(sourceOf(connectLocally(), catalogue, request), { code: 'no-backup' });
});

test('the newest of a database is not that of another', async () => {
  assert.equal((await find({ wanted: 'latest', database: 'shop' })).set, set);
  await assert.rejects(find({ wanted: 'latest' }), { code: 'no-backup' });
});

describe('a file beside the dump', () => {
  beforeEach(() => {
    writeFileSync(at(names.globals), globals);
    list(globals);
  });
  const besides = async () => (await find()).beside('globals');

  test('is read as it was written', async () => {
    assert.equal(await besides(), 'CREATE ROLE app;\n');
  });

  test('is not used if somebody has changed it', async () => {
    writeFileSync(at(names.globals), gzipSync('CREATE ROLE app SUPERUSER;\n'));
    await assert.rejects(besides(), { code: 'copy-differs' });
  });

  test('is not used if no checksum is known of it', async () => {
    writeFileSync(at(names.sha256), '');
    await assert.rejects(besides(), { code: 'copy-differs' });
  });

  test('fills no memory, packed or not', async () => {
    truncateSync(at(names.globals), 33 * 1024 * 1024);
    await assert.rejects(besides(), { code: 'result-too-large' });
    const bomb = gzipSync(Buffer.alloc(257 * 1024 * 1024), { level: 1 });
    writeFileSync(at(names.globals), bomb);
    list(bomb);
    await assert.rejects(besides(), { code: 'checksum-failed', message: /cannot be decompressed/ });
  });
});

describe('in a bucket', () => {
  const objects = new Map<string, string>();
  /** By the id of the copy. */
  const folderIds = new Map<string, string>();
  /** Whose manifests the store has archived. */
  const archived = new Set<string>();
  const server = createServer(({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://store');
    const key = pathname.slice('/copies/'.length);
    if (key !== '') {
      const from = /^p\/prod\/([^/]+)\/.*\.manifest\.json$/.exec(key)?.[1] ?? '';
      if (archived.has(from))
        return response.writeHead(403).end('<Error><Code>InvalidObjectState</Code><Message>Archived</Message></Error>');
      const headers = folderIds.has(from) ? { 'x-amz-meta-folder': folderIds.get(from) } : {};
      return response.writeHead(objects.has(key) ? 200 : 404, headers).end(objects.get(key));
    }
    const prefix = searchParams.get('prefix') ?? '';
    const listed = [...objects].filter(([name]) => name.startsWith(prefix));
    const entries = listed.map(([name, { length }]) => `<Contents><Key>${name}</Key><Size>${length}</Size></Contents>`);
    return response.end(
      `<ListBucketResult><Name>copies</Name>${entries.join('')}<IsTruncated>false</IsTruncated></ListBucketResult>`,
    );
  });
  before(async () => {
    process.env['NO_PROXY'] = '127.0.0.1';
    process.env['AWS_ACCESS_KEY_ID'] = process.env['AWS_SECRET_ACCESS_KEY'] = 'x';
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  after(() => server.close());

  /** @param leftOut what never came into the bucket */
  function copy(id: string, database: string, leftOut = /^$/): void {
    const whole = wholeSet(id, { database, environment: 'prod' });
    for (const [name, content] of whole.files) if (!leftOut.test(name)) objects.set(`p/prod/${id}/${name}`, content);
  }
  async function copyOf(changes: Partial<SourceRequest>): Promise<[id: string, folders: readonly string[]]> {
    const { port } = server.address() as AddressInfo;
    const endpoint = new URL(`http://127.0.0.1:${port}`);
    const bucket = { bucket: 'copies', prefix: 'p', region: null, endpoint };
    const source = await find({ from: 's3', bucket, ...changes });
    await source.close();
    return [source.set.id, source.set.folders];
  }

  test('a copy that is not complete is not restored, and no copy of another database', async () => {
    const log = { host: () => {}, warning: () => {} } as unknown as SourceRequest['log'];
    copy('20261126_021700', 'shop');
    copy('20261126_090000', 'shop', /\.dump/);
    copy('20261126_100000', 'staging');
    assert.deepEqual(await copyOf({ wanted: '20261126_021700' }), ['20261126_021700', []]);
    await assert.rejects(copyOf({ wanted: '20261126_090000' }), { code: 'no-backup' });
    assert.deepEqual(await copyOf({ wanted: 'latest', database: 'shop', log }), ['20261126_021700', []]);
    await assert.rejects(copyOf({ wanted: '20261126_100000', database: 'shop' }), { code: 'no-backup' });
    // Which of them is meant, nobody said.
    await assert.rejects(copyOf({ wanted: 'latest', log }), { code: 'no-backup' });
  });

  test('the set on the host with the same id is the same only if its dump is', async () => {
    copy(set.id, 'shop');
    assert.deepEqual(await copyOf({}), [set.id, ['daily']]);
    const whole = wholeSet(set.id, { database: 'shop', environment: 'prod', sha256: 'f'.repeat(64) });
    for (const [name, content] of whole.files) objects.set(`p/prod/${set.id}/${name}`, content);
    assert.deepEqual(await copyOf({}), [set.id, []]);
  });

  test('a copy whose manifest is archived is named: it is not restored, and an older one not without a warning', async () => {
    const warnings: string[] = [];
    const log = { host: () => {}, warning: (text: string) => warnings.push(text) } as unknown as SourceRequest['log'];
    const [older, newer] = ['20261128_021700', '20261129_021700'] as const;
    for (const each of [older, newer]) copy(each, 'cold');
    archived.add(newer);
    await assert.rejects(copyOf({ wanted: newer }), { code: 'manifest-unreadable', message: /InvalidObjectState/ });
    assert.deepEqual(await copyOf({ wanted: older, log }), [older, []]);
    assert.deepEqual(warnings, []);
    assert.deepEqual(await copyOf({ wanted: 'latest', database: 'cold', log }), [older, []]);
    assert.match(
      warnings.join(),
      /^A newer copy, 20261129_021700, is passed over: .*InvalidObjectState.*Taking 20261128/,
    );
    archived.add(older);
    await assert.rejects(copyOf({ wanted: 'latest', database: 'cold', log }), { code: 'manifest-unreadable' });
    archived.clear();
  });

  test('the newest is none that another backup folder made, where the host knows its own; by its id, any is restored', async () => {
    const [ours, theirs] = ['0'.repeat(32), '1'.repeat(32)];
    const [first, second, third] = ['20261128_021700', '20261128_031700', '20261128_041700'] as const;
    for (const each of [first, second, third]) copy(each, 'moved');
    folderIds.set(first, ours);
    folderIds.set(second, theirs);
    folderIds.set(third, theirs);
    const latest = (...folderIds: string[]) => copyOf({ wanted: 'latest', database: 'moved', folderIds });
    assert.deepEqual(await latest(ours), [first, []]);
    assert.deepEqual(await latest(), [third, []]);
    // As after the loss of a host.
    await assert.rejects(latest('2'.repeat(32)), { code: 'no-backup' });
    for (const folderIds of [[ours], [], ['2'.repeat(32)]])
      assert.deepEqual(await copyOf({ wanted: second, database: 'moved', folderIds }), [second, []]);
  });
});
