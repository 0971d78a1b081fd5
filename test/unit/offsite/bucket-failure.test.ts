import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketFailure } from '../../../shared/offsite/bucket-failure.ts';

/** As the library throws what a store has answered. */
function answered(name: string, message: string, httpStatusCode?: number): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode } });
}

const facts = { rights: ['s3:PutObject'], inputs: ['s3-storage-class', 's3-tags'] };
const examples: [name: string, message: string, status: number | undefined, remedy: RegExp][] = [
  ['NoSuchBucket', 'The specified bucket does not exist', 404, /create the bucket/],
  ['AccessDenied', 'Access Denied', 403, /Grant that login s3:PutObject/],
  ['ExpiredToken', 'The provided token has expired.', 400, /has expired/],
  ['ExpiredTokenException', 'Token expired', 400, /id-token: write/],
  ['InvalidAccessKeyId', 'The key does not exist', 403, /configure-aws-credentials/],
  ['SignatureDoesNotMatch', 'The signature does not match', 403, /AWS_SECRET_ACCESS_KEY/],
  ['CredentialsProviderError', 'Could not load credentials from any providers', undefined, /configure-aws-credentials/],
  ['PermanentRedirect', 'The bucket must be addressed using the specified endpoint', 301, /s3-region/],
  ['AuthorizationHeaderMalformed', "the region 'x' is wrong; expecting 'y'", 400, /s3-region/],
  ['TemporaryRedirect', 'Please re-send this request to the specified temporary endpoint', 307, /s3-region/],
  ['NoSuchKey', 'The specified key does not exist', 404, /without the name of the bucket/],
  ['EntityTooLarge', 'The part is too large', 400, /client_max_body_size/],
  ['BadDigest', 'The Content-MD5 you specified did not match what we received.', 400, /what changes the bytes/],
  ['XAmzContentSHA256Mismatch', "The provided 'x-amz-content-sha256' header does not match", 400, /the bytes/],
  ['XAmzContentChecksumMismatch', 'The provided checksum header does not match', 400, /what changes the bytes/],
  [
    'AccessDenied',
    'User: arn:aws:iam::1:user/x is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:eu:1:key/y',
    403,
    /grant that login kms:GenerateDataKey and kms:Decrypt/,
  ],
  ['KMS.DisabledException', 'arn:aws:kms:eu:1:key/y is disabled', 400, /s3-kms-key/],
  ['RequestTimeTooSkewed', 'The difference is too large', 403, /runner's clock/],
  [
    'InvalidObjectState',
    "The operation is not valid for the object's storage class",
    403,
    /archived .*aws s3api restore-object.*another backup/,
  ],
  ['InvalidStorageClass', 'The storage class is not valid', 400, /s3-storage-class/],
  ['NotImplemented', 'Header x-amz-tagging is not implemented', 501, /Clear "s3-tags": this store does not take it$/],
  ['NotImplemented', 'A header is not implemented', 501, /Clear "s3-storage-class" and "s3-tags"/],
  ['SlowDown', 'Please reduce your request rate', 503, /run this again later/],
  ['InternalError', 'We encountered an internal error', 500, /status page/],
  ['TimeoutError', 'socket hang up', undefined, /copies what is missing/],
  [
    'Error',
    'Failed to establish tunnel to s3.example.com:443 via http://proxy:3128/: HTTP/1.1 407 Proxy Authentication Required',
    undefined,
    /HTTPS_PROXY.*NO_PROXY/,
  ],
  ['Error', 'self-signed certificate in certificate chain', undefined, /NODE_EXTRA_CA_CERTS/],
  ['Error', 'getaddrinfo ENOTFOUND s3.example.com', undefined, /s3-endpoint/],
];
for (const [name, message, status, remedy] of examples) {
  test(`${name}: ${message}`, () => {
    const failure = bucketFailure('"acme" cannot be used', answered(name, message, status), facts);
    assert.equal(failure.code, 'bucket-unusable');
    assert.match(failure.message, /^"acme" cannot be used: /);
    if (name !== 'Error') assert.match(failure.message, new RegExp(name));
    assert.match(failure.hint ?? '', remedy);
  });
}

test("an answer to HEAD, which has no words, is told by its status's name", () => {
  const { message, hint } = bucketFailure('"acme" cannot be used', answered('403', 'UnknownError', 403), facts);
  assert.equal(message, '"acme" cannot be used: Forbidden (HTTP 403)');
  assert.match(hint ?? '', /Grant that login/);
});

const pages: [status: number, message: string, remedy: RegExp][] = [
  [403, 'a web page came as the answer (HTTP 403)', /Correct "s3-endpoint"/],
  [404, 'a web page came as the answer (HTTP 404)', /Correct "s3-endpoint"/],
  [413, 'EntityTooLarge (HTTP 413)', /client_max_body_size/],
  [502, 'BadGateway (HTTP 502)', /overloaded or down/],
  [504, 'GatewayTimeout (HTTP 504)', /overloaded or down/],
];
for (const [status, message, remedy] of pages) {
  test(`a web page instead of an answer of the store is told by its status: ${status}`, () => {
    const page = answered('Error', '@aws-sdk XML parse error: mismatched tags <hr> and </body>.', status);
    const failure = bucketFailure('"acme" cannot be used', page, facts);
    assert.equal(failure.message, `"acme" cannot be used: ${message}`);
    assert.match(failure.hint ?? '', remedy);
  });
}
