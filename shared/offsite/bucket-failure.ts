import { cleanLine } from '../clean.ts';
import { Failure } from '../failure.ts';
import { reasonOf } from '../reaching.ts';

/** What a request needed and used, to know what to advise. */
export interface RequestFacts {
  /** What the login has to be allowed for it. */
  rights: readonly string[];
  /** Inputs whose values it sent, which not every store takes. */
  inputs?: readonly string[];
}

/** @param what happened, as the beginning of a sentence: `"bucket" at S3 cannot be listed` */
export function bucketFailure(what: string, error: unknown, facts: RequestFacts): Failure {
  if (error instanceof Failure) return error;
  const reason = wordsOf(error);
  const Kind = ofOneObject.test(codeOf(error).code) ? ObjectFailure : Failure;
  return new Kind('bucket-unusable', `${what}: ${reason}`, { hint: remedyFor(reason, facts) });
}

/** The store refuses one object, and may give all others: it has archived this one, or its own key is gone or disabled. */
export class ObjectFailure extends Failure {}

const ofOneObject = /^(InvalidObjectState$|KMS\.)/;

/** The store's own code and words, or those of the library, in one line. */
export function wordsOf(error: unknown): string {
  const { status, code } = codeOf(error);
  const isPage = isWebPage(error);
  // The answer comes from a proxy or another server, so what the login may do does not matter.
  if (status !== null && isPage && status < 500 && status !== 413)
    return `a web page came as the answer (HTTP ${status})`;
  // The answer to HEAD has no body: its status is all there is.
  if (status !== null && (isPage || /^(Unknown(Error)?|\d{3})?$/.test(code)))
    return `${wordForStatus[status] ?? 'HTTP'} (HTTP ${status})`;
  return cleanLine(reasonOf(error), 500);
}

/** Whether the library could not read the body, which then is no answer of a store. */
function isWebPage(error: unknown): boolean {
  return error instanceof Error && /XML parse error/.test(error.message);
}

const wordForStatus: Record<number, string> = {
  400: 'BadRequest',
  403: 'Forbidden',
  404: 'NotFound',
  412: 'PreconditionFailed',
  413: 'EntityTooLarge',
  429: 'TooManyRequests',
  500: 'InternalError',
  501: 'NotImplemented',
  502: 'BadGateway',
  503: 'ServiceUnavailable',
  504: 'GatewayTimeout',
};

/** The HTTP status of the answer, if there was one, and the name of the error. */
export function codeOf(error: unknown): { status: number | null; code: string } {
  if (!(error instanceof Error)) return { status: null, code: '' };
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return { status: $metadata?.httpStatusCode ?? null, code: error.name };
}

export function remedyFor(reason: string, facts: RequestFacts): string {
  const found = remedies.find(([said]) => said.test(reason))?.[1];
  if (found === undefined) return usualRemedy;
  return typeof found === 'string' ? found : found(reason, facts);
}

type Remedy = string | ((reason: string, facts: RequestFacts) => string);

const login =
  'Run aws-actions/configure-aws-credentials before this step, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';

/** Advice by the words of the store, or of AWS's library. The first that fits holds. */
const remedies: readonly (readonly [said: RegExp, remedy: Remedy])[] = [
  [
    /\bsts:|AssumeRole|^(ExpiredTokenException|IDPCommunicationError|InvalidIdentityToken)/,
    'Make the role trust this repository and branch, and give the job permissions: id-token: write',
  ],
  [/^Region is missing/, 'Give "s3-region", or set AWS_REGION in the job'],
  [
    /^ExpiredToken\b/,
    'The login has expired: run aws-actions/configure-aws-credentials right before this step, and give it a longer role-duration-seconds if the copy takes long',
  ],
  [/^(CredentialsProviderError|InvalidToken|InvalidAccessKeyId|SignatureDoesNotMatch|TokenRefreshRequired)\b/, login],
  [/^(NoSuchBucket|NotFound)\b/, 'Correct "s3-bucket" or "s3-endpoint", or create the bucket'],
  // We never ask for an object that must exist, so the store has taken the name of the bucket for that of an object.
  [/^NoSuchKey\b/, 'Give "s3-endpoint" without the name of the bucket, neither in front of its host nor behind it'],
  [
    /^EntityTooLarge\b/,
    'Let the proxy in front of the store accept requests of 64 MiB (nginx: client_max_body_size), or correct "s3-endpoint"',
  ],
  [
    /^(BadDigest|XAmzContent(SHA256|Checksum)Mismatch)\b/,
    'Run it again: the next run copies what is missing. If it happens again, find what changes the bytes on their way: a proxy, or memory of the runner',
  ],
  [/^NoSuchUpload\b/, 'Somebody else ended this upload, such as a lifecycle rule of the bucket. Run it again'],
  [/^(\w*Redirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)\b/, 'Correct "s3-region"'],
  [/^KMS\.|kms:/i, 'Correct "s3-kms-key", and grant that login kms:GenerateDataKey and kms:Decrypt on the key'],
  [/^InvalidStorageClass\b/, 'Clear "s3-storage-class": this store does not have it'],
  [
    /^InvalidObjectState\b/,
    'The store has archived it: bring it back there first (aws s3api restore-object), or name another backup',
  ],
  [/^InvalidTag\b/, 'Correct "s3-tags"'],
  [/[Pp]art ?[Nn]umber|too many parts/i, 'Give "s3-max-parts" the number of parts that this store allows'],
  [
    /^(AccessDenied|Forbidden|AllAccessDisabled|AccountProblem)\b/,
    (_, { rights }) => `Grant that login ${rights.join(' and ')} on the bucket`,
  ],
  [/^RequestTimeTooSkewed\b/, "Correct the runner's clock"],
  [
    /^(NotImplemented|InvalidArgument|InvalidRequest|BadRequest|InvalidEncryptionAlgorithmError|MalformedXML)\b/,
    clearInputs,
  ],
  [
    /^(QuotaExceeded|InsufficientStorage|XMinioStorageFull|StorageLimitExceeded|storage_cap_exceeded)/i,
    'Make room in the store, or raise its limit',
  ],
  [
    /^(SlowDown|Throttling\w*|TooManyRequests\w*|RequestLimitExceeded|InternalError|InternalServerError|ServiceUnavailable|BadGateway|GatewayTimeout)\b/,
    'The store is overloaded or down: check its status page, and run this again later. The next run copies what is missing',
  ],
  [
    /^Failed to establish tunnel\b/,
    'Let the proxy of the runner (HTTPS_PROXY) allow it, with a login if it needs one, or name the host of the store in NO_PROXY',
  ],
  [
    /certificate|self-signed|CERT_/i,
    'Give the certificate of its authority to the job in NODE_EXTRA_CA_CERTS, or correct "s3-endpoint"',
  ],
  [
    /ECONNRESET|EPIPE|ETIMEDOUT|TimeoutError|RequestTimeout|socket hang up|aborted|IncompleteBody|premature/i,
    'Run it again: the next run copies what is missing. If it happens again, check the network between runner and store',
  ],
];
const usualRemedy =
  'Correct "s3-endpoint" or "s3-region", and check that the network of the runner allows the connection';

/** What the words themselves name, else all that was sent and need not be. */
function clearInputs(reason: string, { inputs = [] }: RequestFacts): string {
  const named = inputWords
    .filter(([input, said]) => inputs.includes(input) && said.test(reason))
    .map(([input]) => input);
  const guilty = named.length > 0 ? named : inputs;
  if (guilty.length === 0)
    return 'This store does not support that request. Compare it with the table in docs/offsite.md';
  const list = guilty.map((input) => `"${input}"`).join(' and ');
  return `Clear ${list}: this store does not take ${guilty.length === 1 ? 'it' : 'them'}`;
}

const inputWords: readonly (readonly [input: string, said: RegExp])[] = [
  ['s3-tags', /tag/i],
  ['s3-storage-class', /storage.?class/i],
  ['s3-kms-key', /kms/i],
  ['s3-sse', /encrypt|sse/i],
];
