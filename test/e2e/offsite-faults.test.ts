// What the off-site store does wrong, in runs of a whole backup: the backup on the host stays whole, the run says what the store
// said and the one thing to do, no secret and no part of a copy is left, and the next run makes up for it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { CreateBucketCommand, PutObjectCommand, PutObjectLegalHoldCommand } from '@aws-sdk/client-s3';
import type { FileFact } from '../lab/files.ts';
import { startLockingStore } from '../lab/locking-store.ts';
import { startObjectStore } from '../lab/object-store.ts';
import type { ActionResult } from '../lab/runner.ts';
import { type Interference, startStoreFront } from '../lab/store-front.ts';
import { bucketOf, clientOf, notCopied } from './copies.ts';
import { hostIsClean, logOf, nothingPartial, succeeded, untouched } from './expectations.ts';
import { backup, bash, type Inputs, manifestOf, read, sha256, smallDatabase } from './sets.ts';
import { atEnd, hostForFile } from './stage.ts';

const { host } = await hostForFile({ name: 'offsite-faults' });
const store = await startObjectStore();
atEnd(() => store.close());
const client = clientOf(store);
atEnd(() => client.destroy());
// Of two parts.
await smallDatabase(host, 'parts', 150_000);
await smallDatabase(host, 'small', 200);

/** As a workflow has them that has logged in by OIDC. */
const login = {
  ...store.credentials,
  AWS_SESSION_TOKEN: 'FwoGZXIvYXdzEPlanted//////////session/token+of=this/run',
  AWS_EC2_METADATA_DISABLED: 'true',
};

/** What is wrong with one run; the next one is without it. */
interface Fault {
  what: string;
  interference?: Interference;
  inputs?: Inputs;
  env?: Record<string, string>;
  /** The store's own code, or what was found. */
  reason: RegExp;
  advice: RegExp;
  /** Whether parts stay, because the store lets nobody remove them; the next run does. */
  leavesParts?: boolean;
}

const isSecondPart = ({ method, url = '' }: IncomingMessage) => method === 'PUT' && url.includes('partNumber=2&');
const dumpName = /\.dump(\.zst)?(\?|$)/;
const isDump = (method: string) => (asked: IncomingMessage) =>
  asked.method === method && dumpName.test(asked.url ?? '');

/** Lets the store refuse the second part, whenever it is sent; or all that is asked from then on. */
function refusing(
  [status, code, more]: readonly [status: number, code: string, more?: string],
  what: 'the part' | 'all' = 'the part',
): Interference {
  let hasBegun = false;
  return {
    instead(asked, answer) {
      hasBegun ||= isSecondPart(asked);
      if (!isSecondPart(asked) && !(what === 'all' && hasBegun)) return false;
      asked.resume();
      return refuse(answer, status, code, more);
    },
  };
}

function refuse(answer: ServerResponse, status: number, code: string, more = ''): true {
  answer.writeHead(status, { 'content-type': 'application/xml' });
  answer.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>It says ${code}</Message>${more}</Error>`);
  return true;
}

const proxy = createServer();
proxy.on('connect', (_asked, socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'));
await once(proxy.listen(0, '127.0.0.1'), 'listening');
atEnd(() => proxy.close());
const proxyPassword = 'password-of-the-proxy';

const toldOnce: readonly Fault[] = [
  {
    what: 'does not allow it',
    interference: refusing([403, 'AccessDenied']),
    reason: /AccessDenied/,
    advice: /Grant that login s3:PutObject on the bucket/,
  },
  {
    what: 'no longer takes the login',
    // So AWS quotes the token.
    interference: refusing([400, 'ExpiredToken', `<Token-0>${login.AWS_SESSION_TOKEN}</Token-0>`]),
    reason: /ExpiredToken/,
    advice: /The login has expired: run aws-actions\/configure-aws-credentials right before this step/,
  },
  {
    what: 'is in another region',
    inputs: { 's3-region': 'eu-nowhere-7' },
    reason: /AuthorizationHeaderMalformed/,
    advice: /Correct "s3-region"/,
  },
  {
    what: 'has its bucket at another address',
    interference: { instead: (_asked, answer) => refuse(answer, 301, 'PermanentRedirect') },
    reason: /PermanentRedirect/,
    advice: /Correct "s3-region"/,
  },
  {
    what: 'has another time',
    interference: refusing([403, 'RequestTimeTooSkewed']),
    reason: /RequestTimeTooSkewed/,
    advice: /Correct the runner's clock/,
  },
  {
    what: 'reports another checksum than that of what was sent',
    interference: {
      headers: (asked): Record<string, string> =>
        isDump('HEAD')(asked) ? { 'x-amz-checksum-sha256': `${Buffer.alloc(32).toString('base64')}-2` } : {},
    },
    reason: /\.dump\S* has another checksum than what was sent/,
    advice: /Let verify-action check the backups on the host/,
  },
  {
    what: 'gives back other bytes than were sent',
    interference: { spoils: (asked) => (isDump('GET')(asked) ? 'given' : null) },
    reason: /\.dump\S* holds other bytes than were sent/,
    advice: /Let verify-action check the backups on the host/,
  },
  {
    what: 'gets other bytes than were sent',
    interference: { spoils: (asked) => (isSecondPart(asked) ? 'sent' : null) },
    reason: /BadDigest/,
    advice: /Run it again: .* find what changes the bytes on their way/,
  },
  {
    what: 'the proxy of the runner does not let it reach',
    inputs: { 's3-endpoint': 'https://store.example.org' },
    env: { HTTPS_PROXY: `http://runner:${proxyPassword}@127.0.0.1:${(proxy.address() as AddressInfo).port}` },
    reason: /Failed to establish tunnel to store\.example\.org:443 .* 407 Proxy Authentication Required/,
    advice: /Let the proxy of the runner \(HTTPS_PROXY\) allow it, with a login if it needs one/,
  },
];

/** What may pass is tried again for about a minute. */
const triedAgain: readonly Fault[] = [
  {
    what: 'is overloaded',
    interference: refusing([503, 'SlowDown']),
    reason: /SlowDown/,
    advice: /The store is overloaded or down: .*run this again later/,
  },
  {
    what: 'fails, whatever it is asked',
    interference: refusing([500, 'InternalError'], 'all'),
    reason: /InternalError.*Its parts could not be removed: no answer within/,
    advice: /The store is overloaded or down: .*run this again later/,
    leavesParts: true,
  },
  {
    what: 'cuts the connection in the middle of a part',
    interference: {
      instead(asked) {
        if (!isSecondPart(asked)) return false;
        asked.once('data', () => asked.destroy());
        return true;
      },
    },
    reason: /ECONNRESET|EPIPE|socket hang up/,
    advice: /Run it again: the next run copies what is missing/,
  },
];

let count = 0;

/** A run with the fault, and the next one. */
async function isMadeUpFor(fault: Fault): Promise<void> {
  count += 1;
  const bucket = `faults-${count}`;
  await store.createBucket(bucket);
  const dir = host.newBackupDir();
  const place = { 'db-name': 'parts', 's3-bucket': bucket, 's3-region': store.region };
  const there = bucketOf(client, bucket);
  const front = await startStoreFront(store.endpoint);
  try {
    front.interfere(fault.interference ?? {});
    const inputs = { ...place, 's3-endpoint': front.endpoint, ...fault.inputs };
    const first = await backup(host, dir, inputs, { env: { ...login, ...fault.env } });
    notCopied(first, fault.reason, fault.advice);
    noSecrets(first, await read(host, `${dir}/backup.log`));
    const { id, file } = await manifestOf(host, first);
    const files = host.files(dir);
    await isVerified(dir, files, id);
    assert.deepEqual(await there.ids(), []);
    assert.deepEqual(
      (await there.keys()).filter((key) => dumpName.test(key)),
      [],
    );
    assert.equal((await there.unfinished()).length, fault.leavesParts === true ? 1 : 0);

    const next = await backup(host, dir, { ...place, 's3-endpoint': store.endpoint }, { env: login });
    succeeded(next);
    untouched(files.filter(ofWeek), host.files(dir));
    assert.deepEqual(await there.ids(), [id, next.outputs['backup-id']]);
    const content = await there.content(`atlasia-backups/prod/${id}/${file}`);
    assert.equal(sha256(content), first.outputs['sha256']);
    assert.deepEqual(await there.unfinished(), []);
  } finally {
    front.close();
  }
}

/** Of a day, the newest is kept; the first of a folder is also the first of its week, and stays. What its proofs say grows. */
const ofWeek = ({ path }: FileFact) => path.startsWith('weekly/') && !path.endsWith('.proof.jsonl');

/** The set is there with nothing missing, and nothing says that there is a copy. */
async function isVerified(dir: string, files: readonly FileFact[], id: string): Promise<void> {
  nothingPartial(files);
  const folder = `${host.deployDir}/${dir}/daily`;
  await bash(host, 'cd -- "$1" && sha256sum --check --strict --quiet -- "backup_$2.sha256"', folder, id);
  assert.deepEqual(
    files.map(({ path }) => path).filter((path) => path.endsWith('.proof.jsonl')),
    [],
  );
}

/** Nobody is told any of them, neither in the log nor in what is kept of a run. */
function noSecrets(result: ActionResult, hostLog: string): void {
  const told = [logOf(result).replaceAll(/^::add-mask::.*$/gm, ''), result.summary, hostLog];
  const all = [...told, ...Object.values(result.outputs)].join('\n');
  for (const secret of [login.AWS_SECRET_ACCESS_KEY, login.AWS_SESSION_TOKEN, proxyPassword])
    assert.ok(!all.includes(secret), `${secret} is told:\n${all}`);
}

describe('the next run makes up for a copy to a store that', () => {
  for (const fault of toldOnce) {
    test(fault.what, async () => {
      await isMadeUpFor(fault);
      await hostIsClean(host);
    });
  }

  test(triedAgain.map(({ what }) => what).join('; that '), async () => {
    await Promise.all(triedAgain.map(isMadeUpFor));
    await hostIsClean(host);
  });
});

test('a copy that is locked stays without an error, among more than 1,000 names of others, until the lock is gone', async () => {
  const locking = await startLockingStore();
  const others = clientOf({ ...locking, credentials: store.credentials });
  const Bucket = 'locked';
  const there = bucketOf(others, Bucket);
  try {
    await others.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    // One page of a list is theirs alone: names of ours begin with the year.
    const foreign = Array.from({ length: 1_050 }, (_, at) => `atlasia-backups/prod/1-of-others/${1_000 + at}.dump`);
    for (let at = 0; at < foreign.length; at += 50) {
      const put = (Key: string) => others.send(new PutObjectCommand({ Bucket, Key, Body: 'theirs' }));
      await Promise.all(foreign.slice(at, at + 50).map(put));
    }
    const dir = host.newBackupDir();
    const inputs = {
      'db-name': 'small',
      's3-bucket': Bucket,
      's3-endpoint': locking.endpoint,
      's3-region': locking.region,
      's3-keep-daily': '1',
      's3-keep-weekly': '0',
      's3-keep-monthly': '0',
    };
    const copying = async () => {
      const result = await backup(host, dir, inputs, { env: login });
      succeeded(result);
      return { id: result.outputs['backup-id'] ?? '', log: logOf(result), files: host.files(dir) };
    };
    const first = await copying();
    const copied = (await there.keys()).filter((key) => key.includes(`/${first.id}/`));
    const hold = (Status: 'ON' | 'OFF') =>
      Promise.all(
        copied.map((Key) => others.send(new PutObjectLegalHoldCommand({ Bucket, Key, LegalHold: { Status } }))),
      );
    await hold('ON');

    const second = await copying();
    assert.match(second.log, new RegExp(`Due for deletion, but locked in the bucket: ${first.id}`));
    assert.doesNotMatch(second.log, new RegExp(`${first.id} is copied|Deleted from the bucket`));
    assert.deepEqual(await there.ids(), [first.id, second.id]);
    assert.deepEqual(
      (await there.keys()).filter((key) => copied.includes(key)),
      copied,
    );

    await hold('OFF');
    const third = await copying();
    assert.match(third.log, new RegExp(`Deleted from the bucket by its retention: ${second.id}, ${first.id}`));
    assert.deepEqual(await there.ids(), [third.id]);
    const left = await there.keys();
    assert.deepEqual(
      left.filter((key) => !key.includes(`/${third.id}/`)),
      foreign,
    );
    untouched(first.files.filter(ofWeek), third.files);
    await hostIsClean(host);
  } finally {
    others.destroy();
    await locking.close();
  }
});
