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
  ['ExpiredToken', 'The provided token has expired.', 400, /has run out/],
  ['ExpiredTokenException', 'Token expired', 400, /id-token: write/],
  ['InvalidAccessKeyId', 'The key does not exist', 403, /configure-aws-credentials/],
  ['SignatureDoesNotMatch', 'The signature does not match', 403, /AWS_SECRET_ACCESS_KEY/],
  ['CredentialsProviderError', 'Could not load credentials from any providers', undefined, /configure-aws-credentials/],
  ['PermanentRedirect', 'The bucket must be addressed using the specified endpoint', 301, /s3-region/],
  ['AuthorizationHeaderMalformed', "the region 'x' is wrong; expecting 'y'", 400, /s3-region/],
  ['RequestTimeTooSkewed', 'The difference is too large', 403, /runner's clock/],
  ['InvalidStorageClass', 'The storage class is not valid', 400, /s3-storage-class/],
  ['NotImplemented', 'Header x-amz-tagging is not implemented', 501, /Clear "s3-tags": this store does not take it$/],
  ['NotImplemented', 'A header is not implemented', 501, /Clear "s3-storage-class" and "s3-tags"/],
  ['SlowDown', 'Please reduce your request rate', 503, /run this again later/],
  ['InternalError', 'We encountered an internal error', 500, /status page/],
  ['TimeoutError', 'socket hang up', undefined, /copies what is missing/],
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
