import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ContainerFacts,
  mixedServices,
  type RunningImage,
  releaseOf,
  sameImage,
  sameRelease,
} from '../../shared/releases/release.ts';

const id = (letter: string): string => `sha256:${letter.repeat(64)}`;

function container(changes: Partial<ContainerFacts> = {}): ContainerFacts {
  const plain = { service: 'web', image: 'ghcr.io/acme/web:v1', imageId: id('1'), created: '2026-11-23T02:00:00.5Z' };
  return { ...plain, ...changes };
}

test('a service has its reference, its tag, the digest of its own repository and its image id', () => {
  const images = [{ id: id('1'), repoDigests: [`ghcr.io/mirror/web@${id('a')}`, `ghcr.io/acme/web@${id('b')}`] }];
  assert.deepEqual(releaseOf([container()], images), {
    web: { image: 'ghcr.io/acme/web:v1', tag: 'v1', digest: id('b'), imageId: id('1') },
  });
});

test('an image of Docker Hub is found under its short name', () => {
  const images = [{ id: id('1'), repoDigests: [`postgres@${id('b')}`] }];
  assert.equal(releaseOf([container({ image: 'postgres:15' })], images)['web']?.digest, id('b'));
});

test('of several digests in one repository the one that is pinned holds, else the first', () => {
  const images = [{ id: id('1'), repoDigests: [`ghcr.io/acme/web@${id('c')}`, `ghcr.io/acme/web@${id('b')}`] }];
  const digestOf = (image: string) => releaseOf([container({ image })], images)['web']?.digest;
  assert.equal(digestOf('ghcr.io/acme/web:v1'), id('b'));
  assert.equal(digestOf(`ghcr.io/acme/web@${id('c')}`), id('c'));
  assert.equal(digestOf(`ghcr.io/acme/web@${id('d')}`), id('b'));
});

test('an image that was built here or carries only another repository has no digest', () => {
  assert.equal(releaseOf([container()], [{ id: id('1'), repoDigests: [] }])['web']?.digest, null);
  assert.equal(releaseOf([container()], [])['web']?.digest, null);
  const other = [{ id: id('1'), repoDigests: [`ghcr.io/evil/web@${id('b')}`] }];
  assert.equal(releaseOf([container()], other)['web']?.digest, null);
});

test('a container that was made from an image id has neither tag nor digest', () => {
  assert.deepEqual(releaseOf([container({ image: id('1') })], [{ id: id('1'), repoDigests: [`sha256@${id('b')}`] }]), {
    web: { image: id('1'), tag: null, digest: null, imageId: id('1') },
  });
});

test('where containers of a service differ, the newest speaks for it, and the service is named', () => {
  const containers = [
    container({ created: '2026-11-23T02:00:00.5Z', imageId: id('1') }),
    container({ created: '2026-11-23T02:00:00.51Z', imageId: id('2'), image: 'ghcr.io/acme/web:v2' }),
    container({ service: 'db', imageId: id('3') }),
    container({ service: 'db', imageId: id('3'), created: '2026-11-20T00:00:00Z' }),
  ];
  for (const order of [containers, containers.toReversed()]) {
    assert.equal(releaseOf(order, [])['web']?.tag, 'v2');
    assert.deepEqual(mixedServices(order), ['web']);
    assert.deepEqual(Object.keys(releaseOf(order, [])), ['db', 'web']);
  }
});

test('what is no reference, digest, id or service name does not get in', () => {
  const hostile = container({ image: 'web:v1\n::set-output name=x::y', imageId: 'sha256:$(id)' });
  assert.deepEqual(releaseOf([hostile], []), { web: { image: null, tag: null, digest: null, imageId: null } });
  const digests = [{ id: id('1'), repoDigests: ['ghcr.io/acme/web@sha256:xyz', 'ghcr.io/acme/web', '<none>@<none>'] }];
  assert.equal(releaseOf([container()], digests)['web']?.digest, null);
  assert.deepEqual(releaseOf([container({ service: 'a b' }), container({ service: '' })], []), {});
  const proto = releaseOf([container({ service: '__proto__' })], []);
  assert.deepEqual(Object.keys(proto), ['__proto__']);
  assert.equal(Object.getPrototypeOf(proto), Object.prototype);
});

test('an image is the same by its id or by its digest, and what is not known is the same as nothing', () => {
  const image = (imageId: string | null, digest: string | null): RunningImage => ({
    image: 'web',
    tag: 'v1',
    digest,
    imageId,
  });
  const known = image(id('1'), id('a'));
  const table: [other: RunningImage, same: boolean][] = [
    [known, true],
    [image(id('1'), null), true],
    [image(id('1'), id('b')), true],
    [image(null, id('a')), true],
    [image(id('2'), id('a')), true],
    [image(id('2'), id('b')), false],
    [image(null, id('b')), false],
    [image(id('2'), null), false],
    [image(null, null), false],
  ];
  for (const [other, same] of table) {
    assert.equal(sameImage(known, other), same);
    assert.equal(sameImage(other, known), same);
    assert.equal(sameRelease({ web: known }, { web: other }), same);
  }
  assert.equal(sameImage(image(null, null), image(null, null)), false);
});

test('a release is the same with the same services, in any order, whatever every object has', () => {
  const [one, two] = [
    releaseOf([container({ imageId: id('1') })], []),
    releaseOf([container({ imageId: id('2') })], []),
  ];
  const [web, other] = [one['web'], two['web']] as [RunningImage, RunningImage];
  assert.ok(sameRelease({ a: web, b: other }, { b: other, a: web }));
  assert.ok(!sameRelease({ a: web, b: other }, { a: other, b: web }));
  assert.ok(!sameRelease({ a: web }, { a: web, b: other }));
  assert.ok(!sameRelease({ a: web, b: other }, { a: web }));
  assert.ok(!sameRelease({ a: web, constructor: web }, { a: web, b: web }));
  assert.ok(sameRelease({}, {}));
});
