import { Failure } from '../failure.ts';

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

/** Milliseconds for an answer, with one more try. */
const patience = 20_000;

/**
 * Asks for one name under the prefix: that shows whether address, login, bucket and the right to list hold. Nothing is
 * written. The login is the standard chain of AWS: environment, OIDC, profile, the machine's own role.
 *
 * @throws Failure `bucket-region`, `bucket-login`, `bucket-unreachable`, `bucket-missing`, `bucket-refuses`
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
  try {
    const question = new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}/`, MaxKeys: 1 });
    await client.send(question, { abortSignal: AbortSignal.any([signal, AbortSignal.timeout(patience)]) });
  } catch (error) {
    signal.throwIfAborted();
    throw explained(error, place);
  } finally {
    client.destroy();
  }
}

/** That the login itself is not taken. */
const logins =
  /Credential|^ExpiredToken$|^InvalidToken$|^InvalidAccessKeyId$|^SignatureDoesNotMatch$|^TokenRefreshRequired$/;
/** That another region has the bucket. */
const regions = /Redirect$|^AuthorizationHeaderMalformed$|^IllegalLocationConstraintException$/;

/** What the store says, in our words and its own. */
function explained(error: unknown, { bucket, endpoint }: BucketPlace): Failure {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const at = endpoint?.host ?? 'S3';
  const said = `${name}: ${message.split('\n')[0]}`;
  const isAnswer = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode !== undefined;
  if (/Region is missing/.test(message)) {
    return new Failure('bucket-region', `Which region the bucket "${bucket}" is in is not known`, {
      hint: 'Give "s3-region", or set AWS_REGION in the job',
    });
  }
  if (logins.test(name)) {
    return new Failure('bucket-login', `${at} does not take the login: ${said}`, {
      hint: 'Before this step run aws-actions/configure-aws-credentials, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    });
  }
  if (!isAnswer) {
    return new Failure('bucket-unreachable', `${at} cannot be reached from the runner: ${said}`, {
      hint: 'Correct "s3-endpoint" or "s3-region"; see whether the network of the runner lets it through',
    });
  }
  if (name === 'NoSuchBucket' || name === 'NotFound') {
    return new Failure('bucket-missing', `There is no bucket "${bucket}" at ${at}`, {
      hint: 'Correct "s3-bucket" or "s3-endpoint", or make the bucket',
    });
  }
  return new Failure('bucket-refuses', `${at} does not let the bucket "${bucket}" be listed: ${said}`, {
    hint: regions.test(name) ? 'Correct "s3-region"' : 'Grant that login s3:ListBucket on the bucket',
  });
}
