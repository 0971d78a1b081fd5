import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asUser, type Finding, Findings, tallyOf, worstFirst } from '../../../shared/drill/finding.ts';
import { Failure } from '../../../shared/failure.ts';

const finding = (result: Finding['result'], severity: Finding['severity'] = 'error'): Finding => ({
  name: `${result} ${severity}`,
  group: 'setup',
  result,
  severity,
  detail: '',
  remedy: null,
  ms: 0,
});
const [passed, warning, failed, unable] = [
  finding('passed'),
  finding('failed', 'warning'),
  finding('failed'),
  finding('could-not-check'),
];

describe('what checks come to', () => {
  const table: [what: string, findings: Finding[], error: string, warning: string][] = [
    ['nothing was looked at', [], 'could-not-verify', 'could-not-verify'],
    ['all passed', [passed, passed], 'verified', 'verified'],
    ['a warning', [passed, warning], 'verified', 'failed'],
    ['one failed', [passed, failed, warning], 'failed', 'failed'],
    ['one could not be made', [passed, unable], 'could-not-verify', 'could-not-verify'],
    ['one could not be made, beside a warning', [passed, unable, warning], 'could-not-verify', 'failed'],
    ['one failed, and one could not be made', [failed, unable], 'failed', 'failed'],
  ];
  for (const [what, findings, error, warnings] of table) {
    test(what, () => {
      assert.equal(tallyOf(findings, 'error').status, error);
      assert.equal(tallyOf(findings, 'warning').status, warnings);
    });
  }
});

test('each is counted once', () => {
  const { status: _, ...counts } = tallyOf([passed, passed, warning, failed, unable], 'error');
  assert.deepEqual(counts, { passed: 2, warnings: 1, failed: 1, couldNotCheck: 1 });
});

test('the worst come first, and equals keep their order', () => {
  assert.deepEqual(worstFirst([passed, warning, unable, failed]), [failed, unable, warning, passed]);
});

describe('a check', () => {
  test('passes with what it returns, fails with a problem or a Failure, and breaks with a defect', () => {
    const findings = new Findings('setup');
    assert.equal(
      findings.check('good', () => 'seen'),
      true,
    );
    assert.equal(
      findings.check('bad', () => ({ detail: 'seen', remedy: 'type this' })),
      false,
    );
    findings.check('worse', () => {
      throw new Failure('defect', 'what happened', { hint: 'what to type' });
    });
    assert.deepEqual(
      findings.list.map(({ result, detail, remedy }) => [result, detail, remedy]),
      [
        ['passed', 'seen', null],
        ['failed', 'seen', 'type this'],
        ['failed', 'what happened', 'what to type'],
      ],
    );
    assert.throws(() =>
      findings.check('defect', () => {
        throw new TypeError('a defect');
      }),
    );
  });

  test('that stands on another one is not made where that has not passed, or was not made', () => {
    const findings = new Findings('setup');
    findings.check('first', () => ({ detail: '', remedy: 'mend it' }));
    findings.after('first', 'second', () => assert.fail('it was made'));
    findings.after('second', 'third', () => assert.fail('it was made'));
    findings.after('never', 'fourth', () => assert.fail('it was made'));
    assert.deepEqual(
      findings.list.slice(1).map(({ result, detail, remedy }) => [result, detail, remedy]),
      [
        // The one thing to mend is said once, at the root.
        ['could-not-check', '"first" must pass first', null],
        ['could-not-check', '"first" must pass first', null],
        ['could-not-check', '"never" must pass first', null],
      ],
    );
  });

  test('says as which user its commands are typed', () => {
    const remedies = [
      ['On the host: docker ps', 'On the host, as deploy: docker ps'],
      ['On the host, as root: apt-get install age', 'On the host, as root: apt-get install age'],
      ['As deploy or root: chmod 700 /b', 'As deploy or root: chmod 700 /b'],
      ['Make room: docker system df', 'On the host, as deploy. Make room: docker system df'],
      ['Set "db-service"', 'Set "db-service"'],
    ];
    const findings = new Findings('setup');
    for (const [remedy = ''] of remedies) findings.check('x', () => ({ detail: '', remedy }));
    assert.deepEqual(
      asUser(findings.list, 'deploy').map(({ remedy }) => remedy),
      remedies.map(([, said]) => said),
    );
  });

  test('says on one line what a hostile host has said', () => {
    const findings = new Findings('backups');
    findings.check('files', () => 'a\n::error::b\u001b[31mc');
    assert.doesNotMatch(findings.list[0]?.detail ?? '', /\n|\u001b|^::/);
  });
});
