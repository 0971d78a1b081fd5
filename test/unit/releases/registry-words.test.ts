import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RegistryWord, registryWord } from '../../../shared/releases/registry-words.ts';

/** As Docker, containerd and registries write it; IMAGE stands for the reference. */
const table: [said: string, word: RegistryWord | null][] = [
  ['Error response from daemon: manifest for IMAGE not found: manifest unknown: manifest unknown', 'missing'],
  ['Error response from daemon: manifest unknown', 'missing'],
  ['Error response from daemon: failed to resolve reference "IMAGE": IMAGE: not found', 'missing'],
  ['no such manifest: IMAGE', 'missing'],
  ['unexpected status from HEAD request to https://R/v2/P/manifests/T: 404 Not Found', 'missing'],
  ['Error response from daemon: unauthorized: authentication required', 'refused'],
  ['Error response from daemon: Head "https://R/v2/P/manifests/T": denied: denied', 'refused'],
  ['Error response from daemon: Head "https://R/v2/P/manifests/T": no basic auth credentials', 'refused'],
  [
    "Error response from daemon: pull access denied for P, repository does not exist or may require 'docker login'",
    'refused',
  ],
  [
    'failed to resolve reference "IMAGE": unexpected status from HEAD request to https://R/v2/P/manifests/T: 403 Forbidden',
    'refused',
  ],
  ['error parsing HTTP 403 response body: unexpected end of JSON input: ""', 'refused'],
  ['Get "https://R/v2/": unauthorized: incorrect username or password', 'refused'],
  ['login attempt to https://R/v2/ failed with status: 401 Unauthorized', 'refused'],
  ['toomanyrequests: You have reached your pull rate limit. https://www.docker.com/increase-rate-limit', 'busy'],
  ['toomanyrequests: You have reached your unauthenticated pull rate limit', 'busy'],
  ['error parsing HTTP 429 response body: invalid character: "Too Many Requests"', 'busy'],
  ['received unexpected HTTP status: 429 Too Many Requests', 'busy'],
  ['received unexpected HTTP status: 503 Service Unavailable', 'broken'],
  ['received unexpected HTTP status: 500 Internal Server Error', 'broken'],
  ['unexpected status from GET request to https://R/v2/P/manifests/T: 502 Bad Gateway', 'broken'],
  [
    'Error response from daemon: Get "https://R/v2/": dial tcp 10.1.4.1:401: connect: connection refused',
    'unreachable',
  ],
  ['Get "https://R/v2/": dial tcp: lookup R on 127.0.0.53:53: no such host', 'unreachable'],
  [
    'Get "https://R/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded)',
    'unreachable',
  ],
  ['Get "https://R/v2/": context deadline exceeded', 'unreachable'],
  ['no answer within 30 s', 'unreachable'],
  ['failed to copy: httpReadSeeker: failed open: unexpected EOF', 'unreachable'],
  ['no matching manifest for linux/arm64/v8 in the manifest list entries', 'wrong-platform'],
  ['IMAGE: no match for platform in manifest: not found', 'wrong-platform'],
  ['failed to register layer: write /usr/lib/libc.so: no space left on device', 'full'],
  ['error getting credentials - err: exec: "docker-credential-pass": executable file not found in $PATH', 'helper'],
  ['Error response from daemon: denied: permission denied for the package', 'refused'],
  ['permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock', 'docker'],
  [
    'Failed to initialize: unable to resolve docker endpoint: context "x": context not found: open /y: no such file',
    'docker',
  ],
  ['tls: failed to verify certificate: x509: certificate signed by unknown authority', null],
  ['http: server gave HTTP response to HTTPS client', null],
  ['', null],
];

const images =
  `ghcr.io/acme/web:v1 ghcr.io/acme/web:20240315 ghcr.io/acme/web:build-1401 ghcr.io/acme/web:403 ghcr.io/acme/web:denied
  registry.timeout.example:4030/not-found/forbidden-403:unauthorized-401 localhost:40301/access-denied:eof-429
  ghcr.io/toomanyrequests/no-space-left:no-such-host docker.io/library/denied:EOF docker.io/acme/timeout:401
  ghcr.io/acme/web@sha256:${'401'.repeat(21)}4 500.example/acme/503:502`.split(/\s+/);

for (const [said, word] of table) {
  test(`${word ?? 'nothing known'}: ${said}`, () => {
    for (const image of images) {
      const slash = image.indexOf('/');
      const [registry, rest] = [image.slice(0, slash), image.slice(slash + 1)];
      const [path = '', tag = ''] = rest.split(/[:@](?!\d+\/)/);
      const text = said
        .replaceAll('IMAGE', image)
        .replaceAll(/\bR\b/g, registry)
        .replaceAll(/\bP\b/g, path)
        .replaceAll(/\bT\b/g, tag);
      assert.equal(registryWord(text, [image]), word, text);
    }
  });
}
