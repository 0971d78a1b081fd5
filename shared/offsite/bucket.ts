import { Failure } from '../failure.ts';
import { inTime, reasonOf } from '../reaching.ts';

/** Where copies of backups are to lie. */
export interface BucketPlace {
  bucket: string;
  /** Names of objects begin with it, and a slash. */
  prefix: string;
  /** null: that of the environment, as AWS's own tools have it. */
  region: string | null;
  /** Of a store that is not AWS's; null for that. */
  endpoint: URL | null;
}

/** Milliseconds, for the login as well: OIDC and a machine's role are asked for elsewhere. */
const patience = 20_000;

/**
 * Asks for one name under the prefix: that shows whether address, login, bucket and the right to list hold. Nothing is
 * written. The login is the standard chain of AWS: environment, OIDC, profile, the machine's own role.
 *
 * @throws Failure `bucket-unusable`
 */
export async function reachBucket(place: BucketPlace, signal: AbortSignal): Promise<void> {
  const { S3Client, ListObjectsV2Command } = await import('@aws-sdk/client-s3');
  const { bucket, prefix, region, endpoint } = place;
  const client = new S3Client({
    ...(endpoint === null ? {} : { endpoint: endpoint.href, forcePathStyle: true }),
    // A store of one's own has no regions, but the signature names one.
    ...(region === null ? (endpoint === null ? {} : { region: 'us-east-1' }) : { region }),
    maxAttempts: 2,
  });
  const question = new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}/`, MaxKeys: 1 });
  try {
    const answer = await inTime(patience, signal, client.send(question));
    // Any page of the web is an answer without an error.
    if (answer.Name !== bucket) throw new Error('what answers there is no store');
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

/** By what the store says, or AWS's own library. */
const remedies: readonly (readonly [said: RegExp, remedy: string])[] = [
  [
    /\bsts:|AssumeRole|^(ExpiredTokenException|IDPCommunicationError|InvalidIdentityToken)/,
    'Let the role trust this repository and branch, and give the job permissions: id-token: write',
  ],
  [/^Region is missing/, 'Give "s3-region", or set AWS_REGION in the job'],
  [
    /^(CredentialsProviderError|ExpiredToken|InvalidToken|InvalidAccessKeyId|SignatureDoesNotMatch|TokenRefreshRequired)\b/,
    'Before this step run aws-actions/configure-aws-credentials, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  ],
  [/^(NoSuchBucket|NotFound)\b/, 'Correct "s3-bucket" or "s3-endpoint", or make the bucket'],
  [/^(\w*Redirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)\b/, 'Correct "s3-region"'],
  [/^(AccessDenied|Forbidden)\b/, 'Grant that login s3:ListBucket on the bucket'],
  [/^RequestTimeTooSkewed\b/, 'Set the clock of the runner'],
];
const elsewise = 'Correct "s3-endpoint" or "s3-region"; see whether the network of the runner lets it through';
