import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importLegacy } from '../../../shared/history/legacy.ts';
import { historyLine, isRecordId, parseHistory } from '../../../shared/history/record.ts';

const tags = (log: string) =>
  importLegacy(log, 'prod').map(({ release }) => [release['backend']?.tag, release['frontend']?.tag]);

test("a line of the scripts' log becomes a record that proves nothing", () => {
  const [read, ...others] = importLegacy('20261124_233059,v1.4.2,main-0abc\n', 'prod');
  assert.deepEqual(others, []);
  assert.ok(read !== undefined);
  const { id, ...facts } = read;
  assert.ok(isRecordId(id) && id.startsWith('0-0-'));
  const image = (tag: string) => ({ image: null, tag, digest: null, imageId: null });
  assert.deepEqual(facts, {
    version: 1,
    at: '2026-11-24T23:30:59.000Z',
    environment: 'prod',
    event: 'observed',
    status: 'succeeded',
    verdict: 'unknown',
    release: { backend: image('v1.4.2'), frontend: image('main-0abc') },
    previous: null,
    schemaSha256: null,
    backupId: null,
    restoredId: null,
    reason: "Imported from the old scripts' log, where the tag may be the one that was replaced",
    actor: null,
    runUrl: null,
    commit: null,
    settings: null,
    durationMs: null,
    downtimeMs: null,
  });
  assert.deepEqual(parseHistory(historyLine(read)), { records: [read], problems: [] });
});

test('the same line has the same id, on every host, and another environment another one', () => {
  const line = '20261124_233059,v1,v2';
  const id = (log: string, environment = 'prod') => importLegacy(log, environment)[0]?.id;
  assert.equal(id(line), id(`\n20261101_000000,v0,v0\n${line}\r\n`.split('\n').slice(2).join('\n')));
  assert.notEqual(id(line), id(line, 'staging'));
  assert.notEqual(id(line), id('20261124_233059,v2,v1'));
});

test('a line that stands there twice is one record', () => {
  const line = '20261124_233059,v1,v2\n';
  assert.deepEqual(tags(line + line), [['v1', 'v2']]);
});

test('what is no line of theirs is passed over', () => {
  const log = [
    '2026-11-24T02:00:00.000Z rollback succeeded good web=v1@sha256:x by=a run=b id=1-1-0123abcd',
    '20261124_233059,v1',
    '20261124_233059,v1,v2,v3',
    '20261124_233059, v1, v2',
    '20261324_233059,v1,v1',
    '20260230_000000,v1,v1',
    '20261124_240000,v1,v1',
    '20261124_233059,$(reboot),v1',
    '20261124_233059,v1,v1;reboot',
    '20261124_233059,-v1,v1',
    '20261124_233059,<none>,<none>',
    '# 20261124_233059,v1,v1',
    '20261124_233059,v1,v2',
    '',
  ].join('\n');
  assert.deepEqual(tags(log), [['v1', 'v2']]);
});

test('of very many lines only the last ones are taken over', () => {
  const log = Array.from({ length: 50_000 }, (_, index) => `20261124_233059,v1,v${index}\n`).join('');
  const read = tags(log);
  assert.equal(read.length, 200);
  assert.deepEqual(read.at(-1), ['v1', 'v49999']);
});
