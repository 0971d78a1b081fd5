// Where a request would go, and for which region it is signed: by AWS's own library, which is stopped before it sends anything.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import type { BucketPlace } from '../../../shared/offsite/bucket-place.ts';
import { makeClient } from '../../../shared/offsite/s3-client.ts';

// This file is a process of its own.
process.env['AWS_ACCESS_KEY_ID'] = 'id';
process.env['AWS_SECRET_ACCESS_KEY'] = 'secret';
const folder = mkdtempSync(join(tmpdir(), 'aws-config-'));
after(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  for (const name of ['AWS_CONFIG_FILE', 'AWS_REGION', 'AWS_DEFAULT_REGION']) delete process.env[name];
});

interface Request {
  protocol: string;
  hostname: string;
  headers: Record<string, string>;
}

/** The request as it would be sent. */
async function requestTo(given: Partial<BucketPlace>): Promise<Request> {
  const place = { bucket: 'acme', prefix: 'x', region: null, endpoint: null, ...given };
  const client = await makeClient(place, { attempts: 1 });
  const stop = new Error('not sent');
  let request: Request | undefined;
  client.middlewareStack.add(
    () => async (args) => {
      request = args.request as Request;
      throw stop;
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  const asking = client.send(new HeadObjectCommand({ Bucket: 'acme', Key: 'k' }));
  await assert.rejects(asking, stop);
  client.destroy();
  assert.ok(request !== undefined);
  return request;
}

const profiles = {
  'the profile': 'endpoint_url = http://10.0.0.1:9000\n',
  "the profile's services": 'services = own\n[services own]\ns3 =\n  endpoint_url = http://10.0.0.1:9000\n',
};
for (const [index, [where, lines]] of Object.entries(profiles).entries()) {
  test(`an address in ${where}, which need not be https, is not used`, async () => {
    // Each in a file of its own: the library reads a file once.
    const file = join(folder, `config-${index}`);
    writeFileSync(file, `[default]\nregion = eu-central-1\n${lines}`);
    process.env['AWS_CONFIG_FILE'] = file;
    const { protocol, hostname } = await requestTo({});
    assert.equal(`${protocol}//${hostname}`, 'https://acme.s3.eu-central-1.amazonaws.com');
  });
}

describe('the region', () => {
  const endpoint = new URL('https://s3.example.com');
  const cases: [what: string, job: string | undefined, region: string | null, endpoint: URL | null, used: string][] = [
    ['is that of the input', 'eu-west-1', 'auto', endpoint, 'auto'],
    ["is the job's AWS_REGION on AWS", 'eu-west-1', null, null, 'eu-west-1'],
    ["is the job's AWS_REGION elsewhere as well", 'eu-west-1', null, endpoint, 'eu-west-1'],
    ['is us-east-1 elsewhere if nothing names one', undefined, null, endpoint, 'us-east-1'],
    ['is us-east-1 elsewhere if AWS_REGION is empty', '', null, endpoint, 'us-east-1'],
  ];
  for (const [what, job, region, at, used] of cases) {
    test(what, async () => {
      if (job !== undefined) process.env['AWS_REGION'] = job;
      const { headers } = await requestTo({ region, endpoint: at });
      assert.equal(/Credential=id\/\d+\/([^/]+)\//.exec(headers['authorization'] ?? '')?.[1], used);
    });
  }
});
