import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Failure } from '../../shared/failure.ts';
import { parseImageReference } from '../../shared/releases/image-reference.ts';

const digest = `sha256:${'a1'.repeat(32)}`;

const read: [text: string, registry: string, path: string, tag: string | null, digest: string | null][] = [
  ['postgres', 'docker.io', 'library/postgres', 'latest', null],
  ['postgres:15-alpine', 'docker.io', 'library/postgres', '15-alpine', null],
  ['acme/web', 'docker.io', 'acme/web', 'latest', null],
  ['docker.io/postgres', 'docker.io', 'library/postgres', 'latest', null],
  ['index.docker.io/acme/web:v1', 'docker.io', 'acme/web', 'v1', null],
  ['ghcr.io/acme/shop/web:v1.4.2', 'ghcr.io', 'acme/shop/web', 'v1.4.2', null],
  [`ghcr.io/acme/web@${digest}`, 'ghcr.io', 'acme/web', null, digest],
  [`ghcr.io/acme/web:v1@${digest}`, 'ghcr.io', 'acme/web', 'v1', digest],
  ['localhost/web', 'localhost', 'web', 'latest', null],
  ['localhost:5000/web:1', 'localhost:5000', 'web', '1', null],
  ['registry:5000/web', 'registry:5000', 'web', 'latest', null],
  ['[::1]:5000/web:x', '[::1]:5000', 'web', 'x', null],
  ['REGISTRY/web', 'REGISTRY', 'web', 'latest', null],
  ['a--b/c__d/e.f_g:_x', 'docker.io', 'a--b/c__d/e.f_g', '_x', null],
  [`web:${'t'.repeat(128)}`, 'docker.io', 'library/web', 't'.repeat(128), null],
];

for (const [text, registry, path, tag, expectedDigest] of read) {
  test(`reads ${text.slice(0, 60)}`, () => {
    const reference = parseImageReference(text);
    assert.deepEqual({ ...reference }, { registry, path, tag, digest: expectedDigest });
    assert.equal(reference.repository, `${registry}/${path}`);
    assert.deepEqual(parseImageReference(String(reference)), reference);
  });
}

const refused = [
  '',
  ' postgres',
  'postgres ',
  'Postgres',
  'acme/Web',
  'a//b',
  'a/b/',
  '/a',
  'a:',
  'a@',
  'a:b:c',
  'a:-x',
  'a:.x',
  `a:${'t'.repeat(129)}`,
  'a___b',
  'a..b',
  '-a/b',
  'a-/b',
  'http://ghcr.io/acme/web',
  'ghcr.io:port/web',
  '-x.io/web',
  `a@sha256:${'a'.repeat(63)}`,
  `a@sha256:${'A'.repeat(64)}`,
  `a@md5:${'a'.repeat(32)}`,
  `a@${digest}@${digest}`,
  'a'.repeat(64),
  `a/${'b'.repeat(254)}`,
  'web:v1\n',
  'web:$(id)',
  'web:v1;reboot',
  '--privileged',
];

for (const text of refused) {
  test(`refuses ${JSON.stringify(text.slice(0, 60))}`, () => {
    assert.throws(() => parseImageReference(text), { name: 'Failure', code: 'bad-image-reference' });
  });
}

test('any reference made by the grammar reads back as its parts', () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const path = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('/'));
  const registry = fc.constantFrom('ghcr.io', 'localhost', 'db1:5000', 'R', 'a.b-c.d:80');
  const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/));
  const pin = fc.option(fc.stringMatching(/^sha256:[a-f0-9]{64}$/));
  fc.assert(
    fc.property(registry, path, tag, pin, (host, name, label, content) => {
      const text = `${host}/${name}${label === null ? '' : `:${label}`}${content === null ? '' : `@${content}`}`;
      const reference = parseImageReference(text);
      const expectedTag = label ?? (content === null ? 'latest' : null);
      assert.deepEqual({ ...reference }, { registry: host, path: name, tag: expectedTag, digest: content });
    }),
  );
});

test('any text is read, to an equal reference, or refused with a Failure', () => {
  const piece = fc.constantFrom(
    'a',
    'B',
    '0',
    '/',
    ':',
    '@',
    '.',
    '_',
    '-',
    '[',
    ']',
    'sha256:',
    digest,
    'docker.io',
    '\n',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(piece).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(text, (candidate) => {
      try {
        const reference = parseImageReference(candidate);
        assert.deepEqual(parseImageReference(reference.toString()), reference);
        assert.match(reference.toString(), /^[A-Za-z0-9._:/@[\]-]+$/);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});
