import { Failure } from '../failure.ts';
import { inTime, reasonOf } from '../reaching.ts';

/** Where to keep copies of backups. */
export interface BucketPlace {
  bucket: string;
  /** Names of objects begin with it and a slash. */
  prefix: string;
  /** null: taken from the environment, like AWS's own tools do. */
  region: string | null;
  /** Address of a store other than AWS; null for AWS. */
  endpoint: URL | null;
}

/** Milliseconds, including the login: OIDC and a machine's role need further requests. */
const patience = 20_000;

/**
 * Lists one name under the prefix: this proves address, login, bucket and the right to list. Writes nothing. Uses AWS's
 * standard chain for the login: environment, OIDC, profile, the machine's own role.
 *
 * @throws Failure `bucket-unusable`
 */
export async function reachBucket(place: BucketPlace, signal: AbortSignal): Promise<void> {
  const { S3Client, ListObjectsV2Command } = await import('@aws-sdk/client-s3');
  const { bucket, prefix, region, endpoint } = place;
  const client = new S3Client({
    ...(endpoint === null ? {} : { endpoint: endpoint.href, forcePathStyle: true }),
    // A private store has no regions, but the signature needs one.
    ...(region === null ? (endpoint === null ? {} : { region: 'us-east-1' }) : { region }),
    maxAttempts: 2,
  });
  const question = new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}/`, MaxKeys: 1 });
  try {
    const answer = await inTime(patience, signal, client.send(question));
    // Any web page would count as an answer without an error.
    if (answer.Name !== bucket) throw new Error('the server there is not an S3 store');
  } catch (error) {
    signal.throwIfAborted();
    const reason = reasonOf(error);
    throw new Failure('bucket-unusable', `"${bucket}" at ${endpoint?.host ?? 'S3'} cannot be listed: ${reason}`, {
      hint: remedies.find(([said]) => said.test(reason))?.[1] ?? elsewise,
    });
  } finally {
    client.destroy();
  }
}

/** Advice by the words of the store, or of AWS's library. */
const remedies: readonly (readonly [said: RegExp, remedy: string])[] = [
  [
    /\bsts:|AssumeRole|^(ExpiredTokenException|IDPCommunicationError|InvalidIdentityToken)/,
    'Make the role trust this repository and branch, and give the job permissions: id-token: write',
  ],
  [/^Region is missing/, 'Give "s3-region", or set AWS_REGION in the job'],
  [
    /^(CredentialsProviderError|ExpiredToken|InvalidToken|InvalidAccessKeyId|SignatureDoesNotMatch|TokenRefreshRequired)\b/,
    'Run aws-actions/configure-aws-credentials before this step, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  ],
  [/^(NoSuchBucket|NotFound)\b/, 'Correct "s3-bucket" or "s3-endpoint", or create the bucket'],
  [/^(\w*Redirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)\b/, 'Correct "s3-region"'],
  [/^(AccessDenied|Forbidden)\b/, 'Grant that login s3:ListBucket on the bucket'],
  [/^RequestTimeTooSkewed\b/, "Correct the runner's clock"],
];
const elsewise = 'Correct "s3-endpoint" or "s3-region", and check that the network of the runner allows the connection';
