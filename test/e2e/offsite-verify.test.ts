// Copies of backups in a bucket, as verify-action sees them: whether they are there, whole, recent and those of the host; and
// whether they restore, from the bucket and with the private key on the runner alone.
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, beforeEach, describe, test } from 'node:test';
import type { ObjectStore } from '../../shared/offsite/object-store.ts';
import { openS3Store } from '../../shared/offsite/s3-store.ts';
import { until } from '../lab/faults.ts';
import { startObjectStore } from '../lab/object-store.ts';
import { freePort } from '../lab/port.ts';
import { startAction } from '../lab/runner.ts';
import { startStoreFront } from '../lab/store-front.ts';
import { hostIsClean, runnerIsClean } from './expectations.ts';
import {
  backup,
  backupInputs,
  bash,
  copyOf,
  type Inputs,
  idDaysAgo,
  type ManifestJson,
  manifestOf,
  plant,
  smallDatabase,
} from './sets.ts';
import { atEnd, hostForFile } from './stage.ts';
import { findingOf, notPassed, verified, verify } from './verifications.ts';

const { host } = await hostForFile({ name: 'offsite-verify' });
const swift = await startObjectStore();
atEnd(() => swift.close());
await swift.createBucket('acme');
const front = await startStoreFront(swift.endpoint);
atEnd(() => front.close());
const credentials = {
  ...swift.credentials,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
};
Object.assign(process.env, credentials);
const place = { bucket: 'acme', prefix: '', region: swift.region, endpoint: new URL(swift.endpoint) };
const bucket: ObjectStore = await openS3Store(place, new AbortController().signal);
after(() => bucket.close());

await smallDatabase(host, 'small', 1_000);
const source = host.newBackupDir();
const placeOf = (prefix: string, inputs: Inputs = {}): Inputs => ({
  'db-name': 'small',
  's3-bucket': 'acme',
  's3-endpoint': front.endpoint,
  's3-prefix': prefix,
  ...inputs,
});
const manifest: ManifestJson = await manifestOf(
  host,
  await backup(host, source, placeOf('first'), { env: credentials }),
);
const { id } = manifest;

/** Each test has a backup folder and copies of its own. */
let dir: string;
let prefix: string;
let count = 0;

async function copyPrefix(from: string, to: string): Promise<void> {
  for await (const { key } of bucket.list(`${from}/`)) {
    const content = await buffer((await bucket.read(key)) ?? Readable.from([]));
    await put(`${to}${key.slice(from.length)}`, content);
  }
}

const put = (key: string, content: Buffer) =>
  bucket.write(key, Readable.from([content], { objectMode: false }), content.length);

beforeEach(async () => {
  front.interfere({});
  count += 1;
  prefix = `test-${count}`;
  dir = await copyOf(host, source);
  await copyPrefix('first', prefix);
});

const keyOf = (name: string, of = id) => `${prefix}/prod/${of}/${name}`;
const dumpKey = () => keyOf(manifest.file);
const part = (ending: string) => keyOf(`backup_${id}.${ending}`);
const contentOf = async (key: string) => buffer((await bucket.read(key)) ?? assert.fail(`${key} is not there`));
const flipped = (content: Buffer, at: number) => {
  const changed = Buffer.from(content);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
};

const check = (inputs: Inputs = {}, env = credentials) =>
  verify(host, dir, placeOf(prefix, { checks: 'backups', 'require-offsite': 'true', ...inputs }), { env });

describe('copies that are required', () => {
  test('pass if they are there, whole, recent, and those of the host; all of it was read, and nothing written', async () => {
    const before = swift.requests().length;
    const result = await check();
    await verified(host, result, 'verified');
    for (const name of ['newest', 'complete', 'sets', 'checksum', 'agrees'])
      assert.equal(findingOf(result, `off-site ${name}`).result, 'passed');
    assert.match(findingOf(result, 'off-site checksum').detail, /were read in full \(.* KiB\)/);
    for (const request of swift.requests().slice(before)) assert.match(request, /^(GET|HEAD) /);
  });

  test('whose checksum the store reports need not be read', async () => {
    const reports = (sha256: string) => ({
      headers: ({ method, url = '' }: IncomingMessage): Record<string, string> =>
        method === 'HEAD' && url.includes(manifest.file)
          ? {
              'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64'),
              'x-amz-checksum-type': 'FULL_OBJECT',
            }
          : {},
    });
    front.interfere(reports(String(manifest['sha256'])));
    const before = swift.requests().length;
    const result = await check();
    await verified(host, result, 'verified');
    assert.match(findingOf(result, 'off-site checksum').detail, /the store reports the SHA-256 of the dump/);
    const gets = swift.requests().slice(before);
    assert.ok(
      !gets.some((request) => request.startsWith('GET') && request.includes(manifest.file)),
      'the dump was read',
    );

    front.interfere(reports('0'.repeat(64)));
    await verified(host, await check(), 'failed', { 'off-site checksum': 'failed' });
  });

  type Spoiling = [
    what: string,
    spoil: () => Promise<unknown>,
    inputs: Inputs,
    wrong: Record<string, string>,
    detail: RegExp,
  ];
  const spoilt: Spoiling[] = [
    [
      'are not there at all',
      async () => {
        prefix = 'nothing';
      },
      {},
      { newest: 'failed', sets: 'failed' },
      /no complete copy of "small" in s3:\/\/acme\/nothing\/prod/,
    ],
    [
      'are too old, as the backups are',
      async () => {},
      { 'max-backup-age': '1s' },
      { newest: 'failed' },
      /is .* old; the limit is 1\.0 s/,
    ],
    [
      'lack an older set that the bucket should keep',
      () => plant(host, dir, manifest, idDaysAgo(3)),
      {},
      { sets: 'failed' },
      /no copy of \d{8}_\d{6} in/,
    ],
    [
      'lack a file',
      () => bucket.remove([part('report.txt')]),
      {},
      { newest: 'failed', complete: 'failed', sets: 'failed' },
      /report\.txt is missing/,
    ],
    [
      'have a dump of another size',
      async () => put(dumpKey(), (await contentOf(dumpKey())).subarray(0, -7)),
      {},
      { newest: 'failed', complete: 'failed', sets: 'failed' },
      /bytes, but its manifest says/,
    ],
    [
      'have other bytes of the same size',
      async () => put(dumpKey(), flipped(await contentOf(dumpKey()), 500)),
      {},
      { checksum: 'failed' },
      /dump.* does not match/,
    ],
    [
      'have a schema with other bytes',
      async () => put(part('schema.sql.gz'), flipped(await contentOf(part('schema.sql.gz')), 100)),
      {},
      { checksum: 'failed' },
      /schema\.sql\.gz does not match/,
    ],
    [
      'are only half there, without a manifest',
      () => bucket.remove([part('manifest.json')]),
      {},
      { newest: 'failed', complete: 'failed', sets: 'failed' },
      /it has no manifest/,
    ],
    [
      'are of another backup with the same id',
      async () => {
        const text = (await contentOf(part('manifest.json'))).toString('utf8');
        await put(part('manifest.json'), Buffer.from(text.replace(/"largeObjects": \d+/, '"largeObjects": 77')));
      },
      {},
      { checksum: 'failed', agrees: 'failed' },
      /the manifest of .* is not the one on the host/,
    ],
  ];
  for (const [what, spoil, inputs, wrong, detail] of spoilt) {
    test(`fail if they ${what}`, async () => {
      await spoil();
      const result = await check(inputs);
      assert.equal(result.outputs['status'], 'failed', result.stdout);
      const found = Object.entries(notPassed(result)).filter(([name]) => name.startsWith('off-site'));
      assert.deepEqual(
        Object.fromEntries(found.map(([name, how]) => [name.replace('off-site ', ''), how])),
        wrong,
        result.stdout,
      );
      const details = Object.keys(wrong).map((name) => findingOf(result, `off-site ${name}`).detail);
      assert.match(details.join('\n'), detail);
    });
  }

  test('need not be those that the bucket does not keep', async () => {
    await plant(host, dir, manifest, idDaysAgo(3));
    const result = await check({ 's3-keep-daily': '1', 's3-keep-weekly': '0', 's3-keep-monthly': '0' });
    assert.equal(findingOf(result, 'off-site sets').result, 'passed', findingOf(result, 'off-site sets').detail);
  });

  test('are told of as warnings where they are not required', async () => {
    prefix = 'nothing';
    const wrong = { 'off-site newest': 'warning', 'off-site sets': 'warning' };
    await verified(host, await check({ 'require-offsite': 'false' }), 'verified', wrong);
  });

  const unseen: [
    what: string,
    inputs: () => Promise<Inputs>,
    env: Record<string, string>,
    detail: RegExp,
    remedy: RegExp,
  ][] = [
    ['is not there', async () => ({ 's3-bucket': 'nobodys' }), {}, /NoSuchBucket/, /"s3-bucket"/],
    [
      'refuses the login',
      async () => ({}),
      { AWS_SECRET_ACCESS_KEY: 'wrong' },
      /SignatureDoesNotMatch/,
      /configure-aws/,
    ],
    [
      'does not listen',
      async () => ({ 's3-endpoint': `http://127.0.0.1:${await freePort()}` }),
      { AWS_MAX_ATTEMPTS: '1' },
      /ECONNREFUSED/,
      /"s3-endpoint"/,
    ],
  ];
  for (const [what, inputs, env, detail, remedy] of unseen) {
    test(`could not be checked in a bucket that ${what}`, async () => {
      const result = await check(await inputs(), { ...credentials, ...env });
      await verified(host, result, 'could-not-verify', { 'off-site newest': 'could-not-check' });
      assert.match(findingOf(result, 'off-site newest').detail, detail);
      assert.match(findingOf(result, 'off-site newest').remedy ?? '', remedy);
    });
  }

  test('could not be checked if the store does not give the dump', async () => {
    front.interfere({
      instead: ({ method, url = '' }, answer) => {
        if (method !== 'GET' || !url.includes(manifest.file)) return false;
        answer.writeHead(403, { 'content-type': 'application/xml' });
        answer.end('<Error><Code>AccessDenied</Code><Message>No.</Message></Error>');
        return true;
      },
    });
    const result = await check();
    await verified(host, result, 'could-not-verify', { 'off-site checksum': 'could-not-check' });
    assert.match(findingOf(result, 'off-site checksum').remedy ?? '', /s3:GetObject/);
  });

  test('that no check would look at are bad input', async () => {
    const bad: [Inputs, RegExp][] = [
      [{ 's3-bucket': '', 's3-endpoint': '' }, /"require-offsite" needs the bucket/],
      [{ checks: 'setup' }, /"require-offsite" has no effect because "checks" does not include backups/],
    ];
    for (const [inputs, message] of bad) assert.match((await check(inputs)).stdout, message);
  });
});

const drillInputs = (inputs: Inputs = {}) => placeOf(prefix, { checks: 'drill', 'drill-from': 's3', ...inputs });
const drill = (inputs: Inputs = {}) => verify(host, dir, drillInputs(inputs), { env: credentials });
const root = () => join(host.deployDir, dir);

/** No container of such a drill is there, no pipe, and no file with a part of it. */
async function nothingLeft(): Promise<void> {
  const format = '{{.ID}} {{.Label "atlasia.backup"}}';
  await until('the scratch container is gone', async () => {
    const lines = await host.docker('ps', '--all', '--filter', 'label=atlasia.drill', '--format', format);
    return lines.includes(`${prefix}/`) || lines.includes(`${dir}/`) ? undefined : true;
  });
  await hostIsClean(host);
  const pipes = (await bash(host, 'ls -d /tmp/atlasia-incoming-* 2>/dev/null || true')).trim();
  assert.equal(pipes, '');
}

describe('a drill from the bucket', () => {
  test('proves the copy, although the host has lost all of its backups', async () => {
    await bash(host, 'rm -rf -- "$1"', root());
    const result = await drill();
    await verified(host, result, 'verified');
    assert.match(
      findingOf(result, 'restore').detail,
      new RegExp(`^restored ${id} from s3://acme/${prefix}/prod/${id}/${manifest.file} of "small"`),
    );
    assert.match(findingOf(result, 'proof').detail, /no longer on the host, so only the history/);
    const history = (await bash(host, 'cat -- "$1"', join(root(), 'rollback', 'history.jsonl'))).trim().split('\n');
    const record = JSON.parse(history.at(-1) ?? '');
    assert.deepEqual([record.event, record.status, record.backupId], ['drill', 'succeeded', id]);
    assert.deepEqual(
      host.files(dir).filter(({ path }) => path.includes(id)),
      [],
    );
    await nothingLeft();
  });

  test('is told of beside the set, where the host still has it', async () => {
    await verified(host, await drill(), 'verified');
    const lines = await bash(host, 'cat -- "$1"', join(root(), 'daily', `backup_${id}.proof.jsonl`));
    const proof = JSON.parse(lines.trim().split('\n').at(-1) ?? '');
    assert.deepEqual([proof.what, proof.from, proof.result], ['drill', 's3', 'passed']);
  });

  test('finds the database by itself, if the bucket has copies of one only and the host knows none', async () => {
    await bash(host, 'rm -rf -- "$1"', root());
    const db = await host.container('db');
    const image = (await host.docker('inspect', '--format', '{{.Image}}', db)).trim();
    await host.docker('tag', image, 'postgres:15');
    await host.docker('stop', db);
    try {
      const result = await drill({ 'db-name': '' });
      assert.equal(findingOf(result, 'restore').result, 'passed', result.stdout);
    } finally {
      await host.docker('start', db);
      await host.docker('rmi', 'postgres:15');
      await until('the database is back', () =>
        host.psql('SELECT 1').then(
          () => true,
          () => undefined,
        ),
      );
    }
  });

  test('finds that the copy has other bytes', async () => {
    const content = await contentOf(dumpKey());
    await put(dumpKey(), flipped(content, content.length - 300));
    const result = await drill();
    assert.equal(result.outputs['status'], 'failed', result.stdout);
    assert.equal(notPassed(result)['same bytes'], 'failed');
    await nothingLeft();
  });

  test('is not given for a copy that is not whole', async () => {
    await put(dumpKey(), (await contentOf(dumpKey())).subarray(0, -7));
    const result = await drill({ 'drill-backup': id });
    await verified(host, result, 'could-not-verify', { drill: 'could-not-check' });
    assert.match(findingOf(result, 'drill').detail, /No complete copy .* its manifest says/);
  });

  test('proves nothing if the store cuts the connection', async () => {
    front.interfere({
      breaks: ({ url = '' }) => (url.includes(manifest.file) ? { bytes: 20_000, end: 'cut' } : null),
    });
    const result = await drill();
    await verified(host, result, 'could-not-verify', { drill: 'could-not-check' });
    assert.match(findingOf(result, 'drill').detail, /does not give .* to its end/);
    await nothingLeft();
  });

  test('is cancelled while the dump flows: nothing of it stays', async () => {
    front.interfere({
      breaks: ({ url = '' }) => (url.includes(manifest.file) ? { bytes: 20_000, end: 'stall' } : null),
    });
    const action = await startAction('verify', backupInputs(host, dir, drillInputs()), { env: credentials });
    await action.sawLog(/Restoring/);
    const lies = await bash(host, 'sleep 1; find /tmp/atlasia-incoming-* -printf "%y %s\\n"');
    assert.deepEqual(
      lies
        .trim()
        .split('\n')
        .map((line) => line.replace(/^d .*/, 'd'))
        .sort(),
      ['d', 'f 0', 'p 0'],
    );
    action.child.kill('SIGINT');
    const result = await action.finished;
    assert.equal(result.exitCode, 1);
    assert.match(result.stdout, /Cancelled/);
    runnerIsClean(result);
    await nothingLeft();
  });
});
