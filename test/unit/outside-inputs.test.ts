import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { InputError } from '../../shared/failure.ts';
import type { HostInputs } from '../../shared/inputs/host-inputs.ts';
import { readNoticeInputs } from '../../shared/inputs/notice-inputs.ts';
import { readOffsiteInputs } from '../../shared/inputs/offsite-inputs.ts';
import type { Addressed, NoticeInputs } from '../../shared/notify/addressed.ts';
import { readInputs } from '../../shared/runner/input-reader.ts';

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

describe('a mail server', () => {
  const login = { user: 'a@b.c', password: 'p:/@%' };
  const good: [string, NoticeInputs['mailServer']][] = [
    ['smtps://mail.example', { host: 'mail.example', port: 465, isTls: true, login: null }],
    ['smtp://mail.example', { host: 'mail.example', port: 587, isTls: false, login: null }],
    ['smtp://[2001:db8::7]:25', { host: '2001:db8::7', port: 25, isTls: false, login: null }],
    ['smtp://a%40b.c:p%3A%2F%40%25@m:2525\n', { host: 'm', port: 2525, isTls: false, login }],
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

describe('a bucket', () => {
  test('is nowhere where it is not given', () => assert.equal(offsite({}), null));

  test('has a prefix of ours, and no region and endpoint by itself', () => {
    const place = { bucket: 'acme-backups', prefix: 'atlasia-backups', region: null, endpoint: null };
    assert.deepEqual(offsite({ 's3-bucket': 'acme-backups' }), place);
  });

  const bad: Record<string, string>[] = [
    { 's3-bucket': 's3://acme' },
    { 's3-bucket': 'Acme' },
    { 's3-bucket': 'acme', 's3-prefix': '/a/' },
    { 's3-bucket': 'acme', 's3-prefix': 'a//b' },
    { 's3-bucket': 'acme', 's3-region': 'eu central' },
    { 's3-bucket': 'acme', 's3-endpoint': 'minio:9000' },
    { 's3-endpoint': 'https://minio.example' },
  ];
  for (const given of bad) {
    test(`is not ${JSON.stringify(given)}`, () => assert.throws(() => offsite(given), InputError));
  }
});
