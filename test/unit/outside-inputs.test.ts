import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { InputError } from '../../shared/failure.ts';
import { type CopyInputs, readCopyInputs } from '../../shared/inputs/copy-inputs.ts';
import { readDumpInputs } from '../../shared/inputs/dump-inputs.ts';
import type { HostInputs } from '../../shared/inputs/host-inputs.ts';
import { readNoticeInputs } from '../../shared/inputs/notice-inputs.ts';
import { readOffsiteInputs } from '../../shared/inputs/offsite-inputs.ts';
import { readSealingInputs } from '../../shared/inputs/sealing-inputs.ts';
import type { Addressed, NoticeInputs } from '../../shared/notify/addressed.ts';
import { readInputs } from '../../shared/runner/input-reader.ts';
import { withoutSecrets } from '../../shared/runner/secrets.ts';

function withInputs<T>(given: Record<string, string>, read: () => T): T {
  for (const [name, value] of Object.entries(given)) process.env[`INPUT_${name.toUpperCase()}`] = value;
  return read();
}

afterEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('INPUT_')) delete process.env[name];
});

const host = { environment: 'prod', databaseName: null } as HostInputs;
const notices = (given: Record<string, string>, onRead: (addressed: Addressed) => void = () => {}) =>
  withInputs(given, () => readInputs((input) => readNoticeInputs(input, host, onRead)));
const offsite = (given: Record<string, string>) => withInputs(given, () => readInputs(readOffsiteInputs).bucket);

const keep = { daily: 7, weekly: 4, monthly: 'all', predeployment: 30, prerollback: 'all' } as const;
const copies = (given: Record<string, string>): CopyInputs =>
  withInputs(given, () => readInputs((input) => readCopyInputs(input, readOffsiteInputs(input), keep)));

describe('how copies are made', () => {
  const aws = { 's3-bucket': 'acme' };
  const other = { ...aws, 's3-endpoint': 'https://s3.example.com' };
  const plain = { storageClass: null, sse: null, kmsKey: null, tags: null, maxParts: null };

  test('on AWS: with a cheaper class and the two tags', () =>
    assert.deepEqual(copies(aws).upload, { ...plain, storageClass: 'STANDARD_IA', tags: {} }));
  test('elsewhere: with nothing that a store may lack', () => assert.deepEqual(copies(other).upload, plain));
  test('with tags, where they are given', () => {
    assert.deepEqual(copies({ ...other, 's3-tags': 'team=shop\ncost centre = 7' }).upload.tags, {
      team: 'shop',
      'cost centre': '7',
    });
    assert.equal(copies({ ...aws, 's3-tags': 'none' }).upload.tags, null);
  });
  test('kept as on the host, unless they are told otherwise', () => {
    assert.deepEqual(copies(aws).offsiteKeep, { daily: 7, weekly: 4, monthly: 'all' });
    const given = { ...aws, 's3-keep-daily': '30', 's3-keep-weekly': '0', 's3-keep-monthly': '12' };
    assert.deepEqual(copies(given).offsiteKeep, { daily: 30, weekly: 0, monthly: 12 });
  });
  test('to a store on the runner itself, without TLS', () =>
    assert.ok(copies({ ...aws, 's3-endpoint': 'http://127.0.0.1:9000' })));

  const bad: [given: Record<string, string>, field: string, why: RegExp][] = [
    [{ ...aws, 's3-endpoint': 'http://s3.example.com' }, 's3-endpoint', /not an https address/],
    [{ ...aws, 's3-endpoint': 'http://127.0.0.1.example.com' }, 's3-endpoint', /not an https address/],
    [{ ...aws, 's3-kms-key': 'alias/x' }, 's3-kms-key', /without "s3-sse"/],
    [{ ...aws, 's3-kms-key': 'alias/x', 's3-sse': 'AES256' }, 's3-kms-key', /with s3-sse: AES256/],
    [{ ...aws, 's3-sse': 'on' }, 's3-sse', /must be one of/],
    [{ ...aws, 's3-storage-class': 'cold storage' }, 's3-storage-class', /not a storage class/],
    [{ ...aws, 's3-tags': 'tier=gold' }, 's3-tags', /set already/],
    [{ ...aws, 's3-tags': 'a=1\na=2' }, 's3-tags', /twice/],
    [{ ...aws, 's3-tags': 'shop' }, 's3-tags', /not a tag/],
    [{ ...aws, 's3-max-parts': '0' }, 's3-max-parts', /not from 1/],
    [{ 's3-keep-daily': '7' }, 's3-bucket', /"s3-keep-daily" was given/],
    [{ 's3-storage-class': 'STANDARD' }, 's3-bucket', /"s3-storage-class" was given/],
  ];
  for (const [given, field, why] of bad) {
    test(`not with ${JSON.stringify(given)}`, () =>
      assert.throws(
        () => copies(given),
        (error) => error instanceof InputError && error.field === field && why.test(error.message) && error.hint !== '',
      ));
  }
});

describe('where to encrypt', () => {
  const sealing = (given: Record<string, string>, hasBucket = true) =>
    withInputs(given, () => readInputs((input) => readSealingInputs(input, readDumpInputs(input), hasBucket)));
  const key = 'age1qhhf744fr59ewnulyf2jwwhlf726z9yawpqe200w6kt4ylq0x36qgqxkyu';
  const age = { encrypt: 'age', 'encrypt-to': key };

  test('on the host by default', () => {
    assert.deepEqual(sealing({}), { encryption: 'none', recipients: [], sealTo: [] });
    assert.deepEqual(sealing(age, false), { encryption: 'age', recipients: [key], sealTo: [] });
  });
  test('on the runner: the host then does not', () =>
    assert.deepEqual(sealing({ ...age, 'encrypt-at': 'runner' }), {
      encryption: 'none',
      recipients: [],
      sealTo: [key],
    }));

  const bad: [given: Record<string, string>, hasBucket: boolean, field: string, why: RegExp][] = [
    [{ ...age, 'encrypt-at': 'runner' }, false, 'encrypt-at', /no bucket/],
    [{ 'encrypt-at': 'runner' }, true, 'encrypt-at', /nothing is to be encrypted/],
    [{ ...age, 'encrypt-at': 'bucket' }, true, 'encrypt-at', /must be one of/],
    [{ encrypt: 'age', 'encrypt-at': 'runner' }, true, 'encrypt-to', /is required/],
    // One mistake, told once: not that the key is missing as well.
    [{ encrypt: 'age', 'encrypt-to': 'age1x' }, true, 'encrypt-to', /cut off or misspelled/],
  ];
  for (const [given, hasBucket, field, why] of bad) {
    test(`not with ${JSON.stringify(given)}${hasBucket ? '' : ' without a bucket'}`, () =>
      assert.throws(
        () => sealing(given, hasBucket),
        (error) => error instanceof InputError && error.field === field && why.test(error.message) && error.hint !== '',
      ));
  }
});

describe('a mail server', () => {
  const login = { user: 'a@b.c', password: 'p:/@%' };
  const good: [string, NoticeInputs['mailServer']][] = [
    ['smtps://mail.example', { host: 'mail.example', port: 465, tls: 'implicit', login: null }],
    ['smtp://mail.example', { host: 'mail.example', port: 587, tls: 'starttls', login: null }],
    ['smtp://[2001:db8::7]:25', { host: '2001:db8::7', port: 25, tls: 'starttls', login: null }],
    ['smtp://relay.internal?tls=none', { host: 'relay.internal', port: 25, tls: 'none', login: null }],
    ['smtp://relay.internal:2525/?tls=none', { host: 'relay.internal', port: 2525, tls: 'none', login: null }],
    ['smtp://a%40b.c:p%3A%2F%40%25@m:2525\n', { host: 'm', port: 2525, tls: 'starttls', login }],
  ];
  for (const [given, server] of good) {
    test(`is ${JSON.stringify(given)}`, () =>
      assert.deepEqual(notices({ 'smtp-url': given, 'mail-on': 'never' }).mailServer, server));
  }

  const bad = [
    'mail.example',
    'https://mail.example',
    'smtp://',
    'smtp://a@m',
    'smtp://:secret@m',
    'smtp://a:secret%@m',
    'smtp://a:secret@m:x',
    'smtp://robot:2024/secret@m',
    'smtp://a:b@m?secret',
    'smtp://a:b@m#secret',
    'smtp://m:0',
    'smtp://a:secret@m?tls=none',
    'smtps://m?tls=none',
    'smtp://m?tls=optional',
  ];
  for (const given of bad) {
    test(`is not ${given}, and the error does not repeat it`, () => {
      assert.throws(
        () => notices({ 'smtp-url': given, 'mail-on': 'never' }),
        (error) => error instanceof InputError && !error.message.includes('secret') && error.hint !== '',
      );
    });
  }
});

test('a ping address is taken as it is; another scheme is not, and the error does not repeat it', () => {
  const url = 'https://hc-ping.example/5f0c1d9e?a=b';
  assert.equal(notices({ 'healthcheck-url': `${url}\n` }).pingUrl?.href, url);
  assert.throws(
    () => notices({ 'healthcheck-url': 'ftp://hc-ping.example/5f0c1d9e' }),
    (error) => error instanceof InputError && !error.message.includes('5f0c1d9e'),
  );
});

describe('whom a mail goes to', () => {
  const server = { 'smtp-url': 'smtp://robot%40example.org:secret@mail.example' };
  const good: [given: Record<string, string>, mailing: object | null][] = [
    [
      { ...server, 'mail-to': 'ops@example.org' },
      { from: 'robot@example.org', to: ['ops@example.org'], on: 'failure' },
    ],
    [
      { ...server, 'mail-to': 'a@x.org, b@x.org\na@x.org', 'mail-from': 'c@x.org', 'mail-on': 'always' },
      { from: 'c@x.org', to: ['a@x.org', 'b@x.org'], on: 'always' },
    ],
    [{ ...server, 'mail-on': 'never' }, null],
    [{}, null],
  ];
  for (const [given, expected] of good) {
    test(`with ${JSON.stringify(given)}`, () => {
      const { mailing } = notices(given);
      if (expected === null) assert.equal(mailing, null);
      else assert.deepEqual({ ...mailing, server: undefined }, { ...expected, server: undefined });
    });
  }

  const bad: [given: Record<string, string>, field: string, why: RegExp][] = [
    [server, 'mail-to', /is missing/],
    [{ 'mail-to': 'ops@example.org' }, 'smtp-url', /is missing/],
    [{ 'mail-from': 'ops@example.org' }, 'smtp-url', /is missing/],
    [{ ...server, 'mail-to': 'ops' }, 'mail-to', /not a mail address/],
    [{ ...server, 'mail-to': 'Ops <ops@example.org>' }, 'mail-to', /not a mail address/],
    [{ ...server, 'mail-to': 'ops@example.org; boss@example.org' }, 'mail-to', /not a mail address/],
    [{ ...server, 'mail-to': 'ops@example.org\u0007' }, 'mail-to', /not a mail address/],
    [{ ...server, 'mail-to': ' , ' }, 'mail-to', /names nobody/],
    [{ ...server, 'mail-to': 'a@x.org', 'mail-from': 'a@x.org, b@x.org' }, 'mail-from', /not a mail address/],
    [{ ...server, 'mail-to': 'a@x.org', 'mail-on': 'success' }, 'mail-on', /must be one of/],
    [{ 'smtp-url': 'smtp://mail.example', 'mail-to': 'a@x.org' }, 'mail-from', /is missing/],
    [{ 'smtp-url': 'smtp://robot:secret@mail.example', 'mail-to': 'a@x.org' }, 'mail-from', /is missing/],
  ];
  for (const [given, field, why] of bad) {
    test(`not with ${JSON.stringify(given)}`, () =>
      assert.throws(
        () => notices(given),
        (error) => error instanceof InputError && error.field === field && why.test(error.message) && error.hint !== '',
      ));
  }
});

describe('pings and webhooks', () => {
  const names = ['healthcheck-url', 'webhook-url'] as const;
  const urlIn = ({ pingUrl, webhook }: NoticeInputs) => (pingUrl ?? webhook?.url)?.href;
  const good = [
    'https://hooks.example/T0KEN',
    'http://127.0.0.1:8080/T0KEN',
    'http://127.9.9.9/T0KEN',
    'http://localhost/T0KEN',
    'http://[::1]:8080/T0KEN',
  ];
  const bad = [
    'http://hooks.example/T0KEN',
    'http://127.0.0.1.example/T0KEN',
    'http://localhost.example/T0KEN',
    'http://10.0.0.1/T0KEN',
    'ftp://127.0.0.1/T0KEN',
    'hooks.example/T0KEN',
    '//hooks.example/T0KEN',
  ];
  for (const name of names) {
    for (const given of good)
      test(`${name} may be ${given}`, () => assert.equal(urlIn(notices({ [name]: given })), given));
    for (const given of bad) {
      test(`${name} is not ${given}, and the error does not repeat it`, () =>
        assert.throws(
          () => notices({ [name]: given }),
          (error) =>
            error instanceof InputError &&
            error.field === name &&
            /not an https address/.test(error.message) &&
            !(error.message + error.hint).includes('T0KEN'),
        ));
    }
  }

  for (const login of ['robot:100%', '100%:robot']) {
    test(`a bare % is told of before the run: ${login}`, () =>
      assert.throws(() => notices({ 'webhook-url': `https://${login}@hooks.example/` }), /does not begin an escape/));
  }

  test('a secret alone signs nothing', () =>
    assert.throws(
      () => notices({ 'webhook-secret': 's3cret' }),
      (error) => error instanceof InputError && error.field === 'webhook-url' && !error.message.includes('s3cret'),
    ));
  test('a secret counts without the line break behind it', () =>
    assert.equal(notices({ 'webhook-url': good[0] ?? '', 'webhook-secret': 's3cret\n' }).webhook?.secret, 's3cret'));
});

describe('of what must stay secret, no part is told', () => {
  const id = '0123abcd-0000-4000-8000-0123456789ab';
  const told: [given: Record<string, string>, parts: string[]][] = [
    [{ 'healthcheck-url': `https://HC.example.com/${id}` }, [`https://hc.example.com/${id}`, id]],
    [{ 'webhook-url': 'https://robot:geh%C3%A4im1@chat.example.com/' }, ['geh%C3%A4im1', 'gehäim1']],
    [
      {
        'smtp-url': 'smtps://robot:w%40rt-7@mail.example.com',
        'mail-from': 'a@example.com',
        'mail-to': 'b@example.com',
      },
      ['w%40rt-7', 'w@rt-7'],
    ],
  ];
  for (const [given, parts] of told) {
    test(`of ${Object.keys(given)[0]}`, () => {
      notices(given);
      for (const part of parts) assert.equal(withoutSecrets(`it said: ${part}.`), 'it said: ***.');
    });
  }
});

describe('a bucket', () => {
  test('is nowhere where it is not given', () => assert.equal(offsite({}), null));

  test('has a prefix of ours, and no region and endpoint by itself', () => {
    const place = { bucket: 'acme-backups', prefix: 'atlasia-backups', region: null, endpoint: null };
    assert.deepEqual(offsite({ 's3-bucket': 'acme-backups' }), place);
  });

  test('may have a name with dots, a prefix with signs, and an address with a port and a path', () => {
    const given = { 's3-bucket': 'acme.backups', 's3-prefix': "a.b/..c/it's_(1)!", 's3-region': 'auto' };
    const place = offsite({ ...given, 's3-endpoint': 'https://s3.example:9000/storage/v1/s3' });
    assert.deepEqual(
      [place?.bucket, place?.prefix, place?.region, place?.endpoint?.href],
      ['acme.backups', "a.b/..c/it's_(1)!", 'auto', 'https://s3.example:9000/storage/v1/s3'],
    );
  });

  const bad: Record<string, string>[] = [
    { 's3-bucket': 's3://acme' },
    { 's3-bucket': 'Acme' },
    { 's3-bucket': 'acme', 's3-prefix': '/a/' },
    { 's3-bucket': 'acme', 's3-prefix': 'a//b' },
    { 's3-bucket': 'acme', 's3-prefix': '..' },
    { 's3-bucket': 'acme', 's3-prefix': 'a/../b' },
    { 's3-bucket': 'acme', 's3-prefix': 'a/.' },
    { 's3-bucket': 'acme', 's3-region': 'eu central' },
    { 's3-bucket': 'acme', 's3-endpoint': 'https://account.r2.cloudflarestorage.com/acme' },
    { 's3-bucket': 'acme', 's3-endpoint': 'https://s3.example/s3/acme/' },
    { 's3-bucket': 'acme', 's3-endpoint': 'minio:9000' },
    { 's3-endpoint': 'https://minio.example' },
  ];
  for (const given of bad) {
    test(`is not ${JSON.stringify(given)}`, () => assert.throws(() => offsite(given), InputError));
  }
});
