// Copies of backups in a bucket, as verify-action sees them: whether they are there, whole, recent and those of the host; and
// whether they restore, from the bucket and with the private key on the runner alone.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { ObjectMetadata, ObjectStore } from '../../shared/offsite/object-store.ts';
import { openS3Store } from '../../shared/offsite/s3-store.ts';
import { cutConnections, stopDatabase, until } from '../lab/faults.ts';
import { type KeyPair, makeKey } from '../lab/keys.ts';
import { startObjectStore } from '../lab/object-store.ts';
import { needPrograms } from '../lab/packages.ts';
import { freePort } from '../lab/port.ts';
import { type ActionResult, type RunningAction, startAction } from '../lab/runner.ts';
import { startStoreFront } from '../lab/store-front.ts';
import { hostIsClean } from './expectations.ts';
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
await needPrograms({ age: 'age' });
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
/** When the test began. */
let begun: string;

async function copyPrefix(from: string, to: string): Promise<void> {
  for await (const { key } of bucket.list(`${from}/`)) {
    const content = await contentOf(key);
    await put(`${to}${key.slice(from.length)}`, content);
  }
}

const put = (key: string, content: Buffer, metadata: ObjectMetadata = {}) =>
  bucket.write(key, Readable.from([content], { objectMode: false }), content.length, () => {}, { metadata });

beforeEach(async () => {
  front.interfere({});
  begun = new Date().toISOString();
  count += 1;
  prefix = `test-${count}`;
  dir = await copyOf(host, source);
  await copyPrefix('first', prefix);
});

const keyOf = (name: string, of = id) => `${prefix}/prod/${of}/${name}`;
const dumpKey = () => keyOf(manifest.file);
const part = (ending: string) => keyOf(`backup_${id}.${ending}`);
const contentOf = async (key: string) =>
  buffer((await bucket.read(key))?.content ?? assert.fail(`${key} is not there`));
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
      'lack the newest set, while an older copy is recent',
      () => plant(host, dir, manifest, idDaysAgo(0)),
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

  test('could not be checked if the store gives no answer in time', async () => {
    front.interfere({
      breaks: ({ method, url = '' }) =>
        method === 'GET' && url.includes(manifest.file) ? { bytes: 1_000, end: 'stall' } : null,
    });
    const result = await check({ timeout: '5s' });
    await verified(host, result, 'could-not-verify', { 'off-site checksum': 'could-not-check' });
    assert.match(findingOf(result, 'off-site checksum').detail, /could not be read within 5\.0 s/);
  });

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

  test('are those of this backup folder, where the host knows its id', async () => {
    const ownId = (await bash(host, 'cat -- "$1"/.folder-id', dir)).trim();
    const copiedFrom = async (folder: string) => {
      const key = part('manifest.json');
      await put(key, await contentOf(key), { folder });
    };
    await copiedFrom(ownId);
    await verified(host, await check(), 'verified');

    const otherId = ownId.replaceAll(/./g, (digit) => (digit === '0' ? '1' : '0'));
    await copiedFrom(otherId);
    const others = await check();
    assert.deepEqual(
      ['newest', 'sets', 'agrees'].map((name) => findingOf(others, `off-site ${name}`).result),
      ['failed', 'failed', 'passed'],
    );
    assert.match(others.stdout, new RegExp(`The bucket also holds a copy of "small" .*\\(${otherId}\\)`));
    assert.match((await drill()).stdout, /No complete copy of "small" found/);

    await bash(host, 'echo lost >"$1"/.folder-id', dir);
    const damaged = await check();
    await verified(host, damaged, 'could-not-verify', { 'off-site newest': 'could-not-check' });
    assert.match(findingOf(damaged, 'off-site newest').detail, /\.folder-id does not hold the id/);
    const undrilled = await drill();
    assert.equal(undrilled.outputs['status'], 'could-not-verify', undrilled.stdout);
    assert.match(undrilled.stdout, /\.folder-id does not hold the id/);

    // A new host, which has copied nothing so far.
    await bash(host, 'rm -- "$1"/.folder-id', dir);
    await verified(host, await check(), 'verified');
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

/** The folders of pipes in which this test's may be. Others come and go meanwhile. */
const findPipes = 'find /tmp -ignore_readdir_race -maxdepth 1 -name "atlasia-incoming-*" -newermt "$1"';

/** No container of such a drill is there, no pipe, and no file with a part of it. */
async function nothingLeft(): Promise<void> {
  const format = '{{.ID}} {{.Label "atlasia.backup"}}';
  await until('the scratch container is gone', async () => {
    const lines = await host.docker('ps', '--all', '--filter', 'label=atlasia.drill', '--format', format);
    return lines.includes(`${prefix}/`) || lines.includes(`${dir}/`) ? undefined : true;
  });
  await hostIsClean(host);
  // Other tests have such pipes too, for a moment each.
  await until('the pipe is gone', async () => ((await bash(host, findPipes, begun)) === '' ? true : undefined));
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
    assert.match(findingOf(result, 'proof').detail, /is not on the host, .* so only the history/);
    const { restored, recoveryMs } = JSON.parse(result.outputs['evidence'] ?? '{}');
    assert.deepEqual(restored, { id, sha256: manifest.sha256, copy: `s3://acme/${dumpKey()}` });
    assert.equal(String(recoveryMs), result.outputs['drill-duration-ms']);
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
    const image = (await host.docker('inspect', '--format', '{{.Image}}', await host.container('db'))).trim();
    const name = `postgres:${Number.parseInt(String(manifest['serverVersion']), 10)}`;
    await host.docker('tag', image, name);
    const mend = await stopDatabase(host);
    try {
      const result = await drill({ 'db-name': '' });
      assert.equal(findingOf(result, 'restore').result, 'passed', result.stdout);
    } finally {
      await mend();
      await host.docker('rmi', name);
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

  test('restores nothing beside a file that has other bytes', async () => {
    const kept = await contentOf(part('globals.sql.gz'));
    await put(part('globals.sql.gz'), flipped(kept, kept.length - 10));
    const result = await drill();
    await verified(host, result, 'could-not-verify', { drill: 'could-not-check' });
    assert.match(findingOf(result, 'drill').detail, /globals\.sql\.gz of .* does not match .*\.sha256/);
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

  const ends: [what: string, end: (action: RunningAction) => Promise<ActionResult>, told: RegExp][] = [
    [
      'cancelled',
      (action) => {
        action.child.kill('SIGINT');
        return action.finished;
      },
      /Cancelled/,
    ],
    [
      'cut off from the host',
      (action) => {
        cutConnections(host);
        return action.finished;
      },
      /could-not-verify/,
    ],
    ['killed', (action) => action.kill(), /Restoring/],
  ];
  for (const [what, end, told] of ends) {
    test(`is ${what} while the dump flows: nothing is proven, and nothing of it stays`, async () => {
      front.interfere({
        breaks: ({ url = '' }) => (url.includes(manifest.file) ? { bytes: 20_000, end: 'stall' } : null),
      });
      const action = await startAction('verify', backupInputs(host, dir, drillInputs()), { env: credentials });
      await action.sawLog(/Restoring/);
      // Meanwhile there is a pipe, and an empty file that says that the end has not come.
      const script = `sleep 1; ${findPipes} -exec find {} -type f,p -printf "%y %s\\n" \\;`;
      const lies = (await bash(host, script, begun)).trim().split('\n');
      assert.deepEqual([...new Set(lies)].sort(), ['f 0', 'p 0']);
      const result = await end(action);
      assert.notEqual(result.exitCode, 0);
      assert.match(result.stdout, told);
      await nothingLeft();
    });
  }
});

describe('a drill of an encrypted backup', () => {
  const identity = execFileSync('age-keygen', { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const recipient = /age1\w+/.exec(identity)?.[0] ?? '';
  const secret = /AGE-SECRET-KEY-\w+/.exec(identity)?.[0] ?? '';
  let ssh: KeyPair;
  before(async () => {
    ssh = await makeKey();
  });

  /** The backup as a host makes it that encrypts, by bare name. @param spoil what becomes of the encrypted dump */
  async function sealed(spoil: (dump: Buffer) => Buffer = (dump) => dump): Promise<Map<string, Buffer>> {
    const files = new Map<string, Buffer>();
    const seal = (plain: Buffer) => execFileSync('age', ['-r', recipient, '-r', ssh.publicKey], { input: plain });
    const dump = spoil(seal(await contentOf(dumpKey())));
    files.set(`${manifest.file}.age`, dump);
    for (const side of ['schema', 'globals', 'settings'])
      files.set(`backup_${id}.${side}.sql.gz.age`, seal(await contentOf(part(`${side}.sql.gz`))));
    files.set(`backup_${id}.report.txt`, await contentOf(part('report.txt')));
    const changes = { file: `${manifest.file}.age`, encryption: 'age', sizeBytes: dump.length };
    const sums = { sha256: hash('sha256', dump), md5: hash('md5', dump) };
    files.set(`backup_${id}.manifest.json`, Buffer.from(JSON.stringify({ ...manifest, ...changes, ...sums }, null, 2)));
    const lines = [...files].map(([name, content]) => `${hash('sha256', content)}  ${name}\n`);
    files.set(`backup_${id}.sha256`, Buffer.from(lines.join('')));
    files.set(`backup_${id}.md5`, Buffer.from(`${sums.md5}  ${changes.file}\n`));
    return files;
  }

  async function inBucket(files: Map<string, Buffer>): Promise<void> {
    prefix = `${prefix}-sealed`;
    for (const [name, content] of files) await put(keyOf(name), content);
  }

  async function onHost(files: Map<string, Buffer>): Promise<void> {
    await bash(host, 'rm -rf -- "$1"/*/', root());
    const script = 'umask 077; mkdir -p -- "$1" && cd -- "$1" && base64 --decode >"$2"';
    for (const [name, content] of files) {
      const command = ['bash', '-c', script, 'bash', join(root(), 'daily'), name];
      const outcome = await host.exec(command, { input: content.toString('base64') });
      assert.equal(outcome.code, 0, outcome.stderr);
    }
  }

  /** Neither the log nor anything else has a line of the key. */
  function nowhere(result: ActionResult, key: string): void {
    const told = [
      result.stdout.replaceAll(/^::add-mask::.*$/gm, ''),
      result.stderr,
      result.summary,
      ...Object.values(result.outputs),
    ];
    for (const line of key.split('\n').filter((each) => each.length > 20 && !each.startsWith('#')))
      assert.ok(!told.join('\n').includes(line), 'the key is told');
  }

  test('in the bucket is decrypted on the runner, and proven', async () => {
    await inBucket(await sealed());
    await bash(host, 'rm -rf -- "$1"', root());
    const result = await drill({ 'decrypt-key': identity });
    await verified(host, result, 'verified');
    assert.match(findingOf(result, 'same bytes').detail, /\.dump(\.zst)?\.age matches its manifest/);
    nowhere(result, identity);
    await nothingLeft();
  });

  test('on the host is decrypted on the runner, with an SSH key too', async () => {
    await onHost(await sealed());
    const result = await drill({
      's3-bucket': '',
      's3-endpoint': '',
      'drill-from': 'host',
      'decrypt-key': ssh.privateKey,
    });
    await verified(host, result, 'verified');
    nowhere(result, ssh.privateKey);
    await nothingLeft();
  });

  test('cannot be made without the key, or with another', async () => {
    await inBucket(await sealed());
    const other = execFileSync('age-keygen', { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const unmade: [Inputs, RegExp, RegExp][] = [
      [{}, /is encrypted, and can be restored only with a private key/, /"decrypt-key"/],
      [{ 'decrypt-key': other }, /does not belong to any recipient/, /"encrypt-to"/],
    ];
    for (const [inputs, detail, remedy] of unmade) {
      const result = await drill(inputs);
      await verified(host, result, 'could-not-verify', { drill: 'could-not-check' });
      assert.match(findingOf(result, 'drill').detail, detail);
      assert.match(findingOf(result, 'drill').remedy ?? '', remedy);
    }
    await nothingLeft();
  });

  const damages: [what: string, spoil: (dump: Buffer) => Buffer, isListed: boolean, detail: RegExp][] = [
    ['altered', (dump) => flipped(dump, dump.length - 1_000), false, /cannot be decrypted/],
    ['cut off, which its manifest does not know', (dump) => dump.subarray(0, -3_000), true, /its end is missing/],
  ];
  for (const [what, spoil, isListed, detail] of damages) {
    test(`finds ciphertext that is ${what}`, async () => {
      const files = await sealed(isListed ? spoil : undefined);
      if (!isListed) files.set(`${manifest.file}.age`, spoil(files.get(`${manifest.file}.age`) ?? Buffer.alloc(0)));
      await inBucket(files);
      const result = await drill({ 'decrypt-key': secret });
      assert.equal(result.outputs['status'], 'failed', result.stdout);
      assert.equal(findingOf(result, 'same bytes').result, isListed ? 'passed' : 'failed');
      assert.match(findingOf(result, 'restore').detail, detail);
      await nothingLeft();
    });
  }

  test('refuses what is no key, without telling it', async () => {
    const misspelled = secret.replace(/.$/, (letter) => (letter === 'Q' ? 'P' : 'Q'));
    const result = await drill({ 'decrypt-key': misspelled });
    assert.equal(result.exitCode, 1);
    assert.match(result.stdout, /"decrypt-key" has a key that is misspelled/);
    nowhere(result, misspelled);
  });
});

const hash = (algorithm: string, content: Buffer) => createHash(algorithm).update(content).digest('hex');
