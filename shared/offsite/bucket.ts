import { inTime } from '../reaching.ts';
import { bucketFailure } from './bucket-failure.ts';
import { type BucketPlace, nameOf } from './bucket-place.ts';
import { makeClient } from './s3-client.ts';

/** Milliseconds, including the login: OIDC and a machine's role need further requests. */
const patience = 20_000;

/**
 * Lists one name under the prefix: this proves address, login, bucket and the right to list. Writes nothing. Uses AWS's
 * standard chain for the login: environment, OIDC, profile, the machine's own role.
 *
 * @throws Failure `bucket-unusable`
 */
export async function reachBucket(place: BucketPlace, signal: AbortSignal): Promise<void> {
  const { ListObjectsV2Command } = await import('@aws-sdk/client-s3');
  const client = await makeClient(place, { attempts: 2 });
  const question = new ListObjectsV2Command({ Bucket: place.bucket, Prefix: `${place.prefix}/`, MaxKeys: 1 });
  try {
    const answer = await inTime(patience, signal, client.send(question));
    // Any web page would count as an answer without an error.
    if (answer.Name !== place.bucket) throw new Error('the server there is not an S3 store');
  } catch (error) {
    signal.throwIfAborted();
    throw bucketFailure(`${nameOf(place)} cannot be listed`, error, { rights: ['s3:ListBucket'] });
  } finally {
    client.destroy();
  }
}
