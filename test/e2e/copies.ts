// Copies of backups as tests find them in a bucket, and what a run tells whose copy has failed.
import assert from 'node:assert/strict';
import { GetObjectCommand, ListMultipartUploadsCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import type { ObjectStore } from '../lab/object-store.ts';
import type { ActionResult } from '../lab/runner.ts';
import { adviceIn, errorsOf, logOf, runnerIsClean } from './expectations.ts';

/** A client of its own, past whatever stands in front of the store. */
export function clientOf({ endpoint, region, credentials }: Pick<ObjectStore, 'endpoint' | 'region' | 'credentials'>) {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = credentials;
  return new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
}

/** What lies in a bucket. */
export interface Bucket {
  keys(): Promise<string[]>;
  /** Of the sets whose manifest is there. */
  ids(): Promise<string[]>;
  content(key: string): Promise<Buffer>;
  /** The names of objects of which there are parts only. */
  unfinished(): Promise<string[]>;
}

export function bucketOf(client: S3Client, name: string): Bucket {
  const keys = async () => {
    const found: string[] = [];
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: name }))
      found.push(...Contents.map(({ Key = '' }) => Key));
    return found;
  };
  return {
    keys,
    async ids() {
      return (await keys()).flatMap((key) => (key.endsWith('.manifest.json') ? [key.split('/').at(-2) ?? ''] : []));
    },
    async content(key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: name, Key: key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    async unfinished() {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: name }));
      return Uploads.map(({ Key = '' }) => Key);
    },
  };
}

/** The backup is kept, and the run is incomplete because its copy is not there, for that reason. */
export function notCopied(result: ActionResult, reason: RegExp, advice: RegExp): void {
  const log = logOf(result);
  assert.deepEqual([result.exitCode, result.outputs['status'], result.outputs['s3-uri']], [1, 'incomplete', ''], log);
  const [error, ...others] = errorsOf(result);
  assert.deepEqual(others, [], log);
  assert.match(error?.message ?? '', /^A verified backup is kept, but the run is incomplete: off-site copy: /);
  assert.match(error?.message ?? '', reason);
  assert.match(adviceIn(result), advice);
  assert.match(result.summary, /is verified, but the run is incomplete/);
  assert.match(result.summary, /Off-site copy \| missing/);
  runnerIsClean(result);
}
