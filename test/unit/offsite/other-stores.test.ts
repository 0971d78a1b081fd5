// The table of stores in docs/offsite.md: what it says to leave out, a store refuses here as that one does. With the settings that
// the table leaves, all goes; with any other, the error names the input.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, beforeEach, describe, test } from 'node:test';
import { readCopyInputs } from '../../../shared/inputs/copy-inputs.ts';
import { readOffsiteInputs } from '../../../shared/inputs/offsite-inputs.ts';
import { openS3Store } from '../../../shared/offsite/s3-store.ts';
import { readInputs } from '../../../shared/runner/input-reader.ts';
import { type Answer, type Asked, refusal, startFalseStore } from './false-store.ts';

// This file is a process of its own.
process.env['AWS_ACCESS_KEY_ID'] = 'id';
process.env['AWS_SECRET_ACCESS_KEY'] = 'secret';

const server = await startFalseStore();
after(() => server.close());
beforeEach(() => {
  server.asked.length = 0;
});

/** The header of each input that a store may lack, and a value of the input. */
const settings: Record<string, { header: string; value: string; more?: Record<string, string> }> = {
  's3-tags': { header: 'x-amz-tagging', value: 'team=shop' },
  's3-storage-class': { header: 'x-amz-storage-class', value: 'STANDARD_IA' },
  's3-sse': { header: 'x-amz-server-side-encryption', value: 'AES256' },
  's3-kms-key': {
    header: 'x-amz-server-side-encryption-aws-kms-key-id',
    value: 'alias/backups',
    more: { 's3-sse': 'aws:kms' },
  },
};

type Refusal = (header: string, value: string) => Answer;
const notImplemented: Refusal = (header, value) =>
  refusal(501, 'NotImplemented', `Header '${header}' with value '${value}' not implemented`);
/** How each store of the table says that it does not take a header. */
const words: Record<string, Refusal> = {
  'Cloudflare R2': notImplemented,
  'Backblaze B2': (header) =>
    refusal(400, 'InvalidArgument', `Unsupported header '${header}' received for this API call.`),
  MinIO: (header) =>
    header === 'x-amz-storage-class'
      ? refusal(400, 'InvalidStorageClass', 'Invalid storage class.')
      : refusal(501, 'NotImplemented', 'Server side encryption specified but KMS is not configured'),
  Hetzner: notImplemented,
  'OpenStack Swift': notImplemented,
};

interface Row {
  store: string;
  endpoint: string;
  region: string;
  leftOut: string[];
}

function rowsOf(page: string): Row[] {
  const [, table = ''] = /^\| store \| `s3-endpoint` .*\n\|[ |-]+\n((?:\|.*\n)+)/m.exec(page) ?? [];
  return table
    .trim()
    .split('\n')
    .map((line) => line.slice(2, -2).split(' | '))
    .map(([store = '', endpoint = '', region = '', leave = '']) => {
      const leftOut = Array.from(leave.matchAll(/`(s3-[a-z-]+)(?:: [^`]+)?`/g), ([, name = '']) => name);
      return { store: store.trim(), endpoint, region, leftOut };
    });
}

const rows = rowsOf(readFileSync(join(import.meta.dirname, '../../../docs/offsite.md'), 'utf8'));
const others = rows.filter(({ store }) => store !== 'AWS S3');

test('the table has the stores whose words are known, and names only inputs that exist', () => {
  assert.deepEqual(
    others.map(({ store }) => store),
    Object.keys(words),
  );
  for (const { leftOut } of others) for (const input of leftOut) assert.ok(input in settings, input);
});

/** Stores an object of one part and one of several, with these inputs. */
async function storeWith(given: Record<string, string>): Promise<void> {
  const { endpoint } = server.place();
  const inputs = { 's3-bucket': 'acme', 's3-endpoint': endpoint?.href ?? '', 's3-region': 'auto', ...given };
  for (const [name, value] of Object.entries(inputs)) process.env[`INPUT_${name.toUpperCase()}`] = value;
  const keep = { daily: 7, weekly: 4, monthly: 'all', predeployment: 30, prerollback: 'all' } as const;
  const { bucket, upload } = readInputs((input) => {
    const offsite = readOffsiteInputs(input);
    return { ...offsite, ...readCopyInputs(input, offsite, keep) };
  });
  for (const name of Object.keys(process.env)) if (name.startsWith('INPUT_')) delete process.env[name];
  assert.ok(bucket !== null);
  const store = await openS3Store({ ...bucket, ...upload }, new AbortController().signal, { attempts: 1 });
  try {
    for (const bytes of [1, 9 * 2 ** 20]) {
      const content = Readable.from([Buffer.alloc(bytes)], { objectMode: false });
      await store.write('x/object', content, bytes, () => {}, {
        tags: { tier: 'daily', environment: 'prod' },
        metadata: { folder: 'x' },
      });
      assert.equal((await store.facts('x/object'))?.bytes, bytes);
    }
  } finally {
    store.close();
  }
}

for (const { store, endpoint, leftOut } of others) {
  describe(store, () => {
    beforeEach(() => {
      server.instead = ({ headers }: Asked) => {
        const header = leftOut.map((input) => settings[input]?.header ?? '').find((name) => name in headers);
        return header === undefined ? null : (words[store]?.(header, String(headers[header])) ?? null);
      };
    });

    test('has an address that the input takes', () => {
      if (endpoint === 'your own') return;
      const address = /`(https:[^`]+)`/.exec(endpoint)?.[1]?.replaceAll(/<[a-z]+>/g, 'eu-central-003') ?? '';
      assert.equal(new URL(address).protocol, 'https:');
      assert.equal(new URL(address).pathname, '/');
    });

    test('takes a copy with what the table leaves', async () => {
      const rest = Object.entries(settings).filter(([name]) => !leftOut.includes(name) && name !== 's3-kms-key');
      await storeWith({});
      await storeWith(Object.fromEntries(rest.map(([name, { value }]) => [name, value])));
    });

    for (const input of leftOut) {
      test(`does not take ${input}, and the error says so`, async () => {
        const { value = '', more = {} } = settings[input] ?? {};
        await assert.rejects(storeWith({ ...more, [input]: value }), (error: Error & { hint?: string }) => {
          assert.match(error.hint ?? '', new RegExp(`Clear .*"(${[input, ...Object.keys(more)].join('|')})"`));
          return true;
        });
      });
    }
  });
}
