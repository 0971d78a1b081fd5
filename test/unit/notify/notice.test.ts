import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { backupReport, noStory, reportedCopy } from '../../../backup-action/notice.ts';
import { noOutputs } from '../../../backup-action/outputs.ts';
import { evidenceDocument, webhookDocument } from '../../../shared/notify/documents.ts';
import { wantsMail } from '../../../shared/notify/mail.ts';
import {
  isGood,
  type Notice,
  type NoticeFrame,
  noticeOf,
  type RunReport,
  type StepEnding,
  type Verdict,
} from '../../../shared/notify/notice.ts';
import { headlineOf, htmlOf, textOf } from '../../../shared/notify/text.ts';

const frame: NoticeFrame = {
  action: 'backup-action',
  environment: 'prod',
  startedAt: new Date('2026-11-27T02:17:00Z'),
  finishedAt: new Date('2026-11-27T02:18:30Z'),
  run: {
    url: 'https://github.com/acme/shop/actions/runs/7',
    repository: 'acme/shop',
    id: '7',
    attempt: '1',
    event: 'schedule',
    actor: 'octocat',
    commit: 'abc',
  },
  outputs: { status: 'succeeded', results: '[…]', evidence: '{…}' },
};
const told: RunReport = {
  verdict: 'success',
  outcome: 'Backup 20261127_021700 of "shop" is verified: 1.0 MiB',
  remarks: [],
  database: 'shop',
  backup: { id: '20261127_021700', sizeBytes: 1_048_576, sha256: 'a'.repeat(64), file: '/opt/x.dump.zst' },
  lastGood: { id: '20261127_021700', takenAt: new Date('2026-11-27T02:17:00Z') },
  offsite: null,
  checks: [],
  restored: null,
  recoveryMs: null,
};
const well: StepEnding = { exitCode: 0, isCancelled: false, failure: null };
const badly: StepEnding = {
  exitCode: 1,
  isCancelled: false,
  failure: { code: 'disk-full', message: 'The disk is full', hint: 'Make room: df -h\nRun it again' },
};
const nothing = { outcome: null, backup: null } as const;

const make = (changes: Partial<RunReport> = {}, ending = well, hide = (text: string) => text): Notice =>
  noticeOf(frame, { ...told, ...changes }, ending, hide);

describe('the verdict', () => {
  const examples: [what: string, changes: Partial<RunReport>, ending: StepEnding, verdict: Verdict, good: boolean][] = [
    ['all went well', {}, well, 'success', true],
    ['there is something to look at', { verdict: 'warning' }, well, 'warning', true],
    ['a later step failed, and the deployment may go on', { verdict: 'incomplete' }, well, 'incomplete', false],
    ['a later step failed', { verdict: 'incomplete' }, badly, 'incomplete', false],
    ['it failed', {}, badly, 'failure', false],
    ['it failed, with warnings', { verdict: 'warning' }, badly, 'failure', false],
    ['it was cancelled', {}, { ...badly, isCancelled: true }, 'cancelled', false],
    ['it was cancelled after it had done its work', {}, { ...well, isCancelled: true }, 'cancelled', false],
  ];
  for (const [what, changes, ending, verdict, good] of examples) {
    test(`where ${what}`, () => {
      const notice = make(changes, ending);
      assert.deepEqual([notice.verdict, isGood(notice)], [verdict, good]);
    });
  }

  test('of a backup without its copy is incomplete, and a watcher gets a failure', () => {
    const outputs = { ...noOutputs(), status: 'incomplete' as const };
    const offsite = reportedCopy('s3://acme/x', null);
    const kept = { facts: { publicationPlan: { manifest: manifestWith() }, place: { folder: '/b' } }, problems: ['x'] };
    const notice = noticeOf(
      frame,
      backupReport({ ...noStory(), kept: kept as never, offsite }, outputs),
      badly,
      String,
    );
    assert.deepEqual([notice.verdict, isGood(notice)], ['incomplete', false]);
    assert.match(textOf(notice), /Off-site copy: s3:\/\/acme\/x is missing/);
  });
});

test('a copy is told by the digest of its dump in the bucket, and how that is known', () => {
  const file = (name: string, sha256: string) =>
    ({ name, key: `x/${name}`, bytes: 1, sha256, confirmation: 'read-back' }) as const;
  const files = [file('backup_1.sha256', 'b'), file('backup_1.dump.zst.age', 'c')];
  const uri = 's3://acme/x/backup_1.dump.zst.age';
  const copied = { uri, copied: true, sha256: 'c', confirmation: 'read-back' };
  assert.deepEqual(reportedCopy(uri, { id: '1', uri, bytes: 2, files }), copied);
  assert.deepEqual(reportedCopy(uri, null), { uri, copied: false, sha256: null, confirmation: null });
});

const manifestWith = () => ({
  id: '20261127_021700',
  database: 'shop',
  sizeBytes: 1,
  sha256: 'a',
  file: 'f',
  checks: [],
  tables: [],
  dumpWarnings: [],
});

test('mail is for what needs somebody, unless all of it is wanted', () => {
  const wanted = (on: 'failure' | 'always', notice: Notice) =>
    wantsMail({ server: {} as never, from: 'a@x.org', to: ['b@x.org'], on }, notice);
  const ends = [make(), make({ verdict: 'warning' }), make({ verdict: 'incomplete' }), make({}, badly)];
  assert.deepEqual(
    ends.map((notice) => [wanted('failure', notice), wanted('always', notice)]),
    [
      [false, true],
      [false, true],
      [true, true],
      [true, true],
    ],
  );
});

describe('the headline', () => {
  const lastGood = { id: '20261125_021700', takenAt: new Date('2026-11-25T02:17:00Z') };
  const examples: [changes: Partial<RunReport>, ending: StepEnding, line: string][] = [
    [{}, well, 'OK: backup of prod, database shop, 1.0 MiB, last good backup 1 min 30 s old'],
    [{ ...nothing, lastGood }, badly, 'FAILED: backup of prod, database shop, last good backup 48 h 02 min old'],
    [{ ...nothing, lastGood: 'none' }, badly, 'FAILED: backup of prod, database shop, no good backup'],
    [
      { ...nothing, lastGood: 'unknown', database: null },
      badly,
      'FAILED: backup of prod, age of the last good backup unknown',
    ],
  ];
  for (const [changes, ending, line] of examples)
    test(line, () => assert.equal(headlineOf(make(changes, ending)), line));

  test('fits on the screen of a phone', () =>
    assert.equal(headlineOf(make({ database: 'x'.repeat(500) })).length, 200));
});

describe('the text', () => {
  test('has the verdict first, then why, then what to do', () => {
    const text = textOf(make(nothing, badly));
    assert.match(text, /^FAILED: .*\n\nThe disk is full\n\nWhat to do: Make room: df -h\nRun it again\n\n/);
    assert.match(text, /^Run: https:\/\/github\.com\/acme\/shop\/actions\/runs\/7$/m);
  });

  test('has no secret, wherever it occurs', () => {
    const secret = 's3cr3t';
    const everywhere = {
      outcome: `outcome ${secret}`,
      remarks: [`remark ${secret}`],
      database: `db ${secret}`,
      backup: { id: '1', sizeBytes: 1, sha256: 'a', file: `/${secret}` },
      offsite: { uri: `s3://${secret}/x`, copied: true, sha256: 'a', confirmation: 'reported' as const },
      restored: { id: '1', sha256: 'a', copy: `s3://${secret}/x` },
      checks: [
        { name: 'n', group: 'g', result: 'failed', severity: 'error', detail: `detail ${secret}`, ms: 1 } as const,
      ],
    };
    const failure = { code: 'disk-full', message: secret, hint: `hint ${secret}` };
    const noticed = noticeOf(
      { ...frame, environment: `prod ${secret}`, outputs: { x: `output ${secret}` } },
      { ...told, ...everywhere },
      { ...badly, failure },
      (text) => text.replaceAll(secret, '***'),
    );
    const all = [textOf(noticed), htmlOf(noticed), webhookDocument(noticed), evidenceDocument(noticed, 65_536)];
    for (const text of all) assert.doesNotMatch(text, new RegExp(secret));
  });

  test('makes no markup, no link and no mention of what comes from elsewhere', () => {
    const notice = make({
      outcome: '<script>x</script> <@U1> https://evil.example\nBcc: x \x1b[31m',
      remarks: ['<b>&'],
    });
    assert.equal(notice.outcome.includes('\n'), false);
    assert.doesNotMatch(textOf(notice), /<script|<@|https:\/\/evil|\x1b/);
    assert.doesNotMatch(htmlOf(notice), /<script|<b>&|href="https:\/\/evil/);
    assert.match(htmlOf(notice), /<a href="https:\/\/github\.com\/acme\/shop\/actions\/runs\/7">/);
  });

  test('is text in a mail, whatever it is made of', () => {
    const html = htmlOf(make({ outcome: '1 < 2 && "a" > 0', database: 'x" < y' }));
    assert.match(html, /<p>1 &lt; 2 &amp;&amp; &quot;a&quot; &gt; 0<\/p>/);
    assert.match(html, /<td>x&quot; &lt; y<\/td>/);
  });

  test('tells the worst, and how many more there are', () => {
    const { remarks } = make({ remarks: Array.from({ length: 30 }, (_, at) => `remark ${at}`) });
    assert.deepEqual([remarks.length, remarks.at(-1)], [11, 'and 20 more: see the log']);
  });
});

describe('the evidence', () => {
  const check = (name: string, result: 'passed' | 'failed') =>
    ({ name, group: 'backup', result, severity: 'error', detail: 'x'.repeat(900), ms: 1 }) as const;
  const checks = [check('broken', 'failed'), ...Array.from({ length: 60 }, (_, at) => check(`good ${at}`, 'passed'))];
  const written = (limit: number) => evidenceDocument(make({ checks }), limit);

  test('has every check where there is room', () => {
    const evidence = JSON.parse(written(100_000));
    assert.deepEqual([evidence.schema, evidence.checks.length, evidence.omittedChecks], ['atlasia-evidence/1', 61, 0]);
    assert.equal(evidence.checks[0].detail.length, 900);
  });
  test('has shorter details where there is less, then counts what passed, and keeps what failed', () => {
    const shorter = JSON.parse(written(20_000));
    assert.deepEqual([shorter.checks.length, shorter.checks[0].detail.length], [61, 120]);
    const counted = JSON.parse(written(3_000));
    assert.deepEqual(
      [counted.checks.map(({ name }: { name: string }) => name), counted.omittedChecks],
      [['broken'], 60],
    );
  });
  test('does not say again what other outputs hold', () =>
    assert.deepEqual(JSON.parse(written(100_000)).outputs, { status: 'succeeded' }));
});
