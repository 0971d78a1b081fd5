import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Outcome, outcomeOf, parseJournal, parseJournalLine } from '../../../shared/transaction/journal.ts';
import { nothing } from './no-outcome.ts';

/** A journal in short: `1 begin`, `12 stopping web`; the first word is a time in milliseconds. */
function journal(...lines: string[]): string {
  return lines
    .map((line) => {
      const [, at, step, detail = ''] = /^(\d+) (\S+) ?(.*)$/.exec(line) ?? [];
      return `${1_790_000_000_000 + Number(at)}\t${step}\t${detail}\n`;
    })
    .join('');
}
const outcome = (...lines: string[]) => outcomeOf(parseJournal(journal(...lines)));

describe('a line', () => {
  const good: [text: string, at: number, step: string, detail: string][] = [
    ['1790000000123\tbegin\t', 1_790_000_000_123, 'begin', ''],
    ['1790000000123\tstarted\tweb 17', 1_790_000_000_123, 'started', 'web 17'],
    ['5\turl-answers\t  x "y" \\z ', 5, 'url-answers', '  x "y" \\z '],
  ];
  for (const [text, at, step, detail] of good) {
    test(JSON.stringify(text), () => assert.deepEqual(parseJournalLine(text), { at, step, detail }));
  }

  for (const text of [
    '',
    'x',
    '1\tbegin',
    '\tbegin\t',
    '1\t\tx',
    '-1\tbegin\t',
    '1\tBegin\t',
    '1\tbegin\ta\tb',
    '1 begin x',
    '1\tbegin\tx\n2\tended\t',
    '1790000000123456\tbegin\t',
  ]) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parseJournalLine(text), null));
  }
});

describe('a journal', () => {
  test('is read line by line; what is no line is passed over', () => {
    const text = `${journal('1 begin')}garbage\n\0\0\0\n${journal('2 ended rolled-back')}`;
    assert.deepEqual(
      parseJournal(text).map(({ step, detail }) => [step, detail]),
      [
        ['begin', ''],
        ['ended', 'rolled-back'],
      ],
    );
    assert.deepEqual(parseJournal(''), []);
  });

  test('cut anywhere tells of nothing that is not there', () => {
    const text = journal('1 begin', '2 stopping web', '5 measured web 31 2 80', '7 ended rolled-back');
    const whole = parseJournal(text);
    for (let length = 0; length < text.length; length += 1) {
      const lines = parseJournal(text.slice(0, length));
      assert.deepEqual(lines, whole.slice(0, lines.length), `cut at ${length}`);
      assert.equal(outcomeOf(lines).ending, null);
    }
  });

  test('whatever it holds, it is read', () => {
    const step = fc.constantFrom('begin', 'measured', 'failure', 'ended', 'problem', 'left', 'constructor');
    const line = fc.tuple(fc.nat(), step, fc.string({ unit: 'binary' })).map((parts) => parts.join('\t'));
    fc.assert(
      fc.property(fc.array(fc.oneof(line, fc.string())), (lines) => {
        const { downtimeMs, failedRequests } = outcomeOf(parseJournal(`${lines.join('\n')}\n`));
        assert.equal(downtimeMs === null, failedRequests === null);
      }),
    );
  });
});

describe('the outcome', () => {
  const table: [what: string, lines: string[], outcome: Partial<Outcome>][] = [
    ['of nothing', [], {}],
    ['that is still open', ['100 begin', '250 checked'], {}],
    [
      'that was wanted',
      [
        '0 begin',
        '1 created web',
        '2 stopping web',
        '3 started web 2',
        '20 commit',
        '21 measured .health-url 90 1 70',
        '21 measured web 104 2 80',
        '30 ended rolled-back',
      ],
      {
        ending: 'rolled-back',
        measurements: [
          { service: null, gapMs: 90, failed: 1, asked: 70 },
          { service: 'web', gapMs: 104, failed: 2, asked: 80 },
        ],
        downtimeMs: 104,
        failedRequests: 3,
      },
    ],
    [
      'that was taken back, with the first reason',
      [
        '0 begin',
        '1 starting web',
        '9 failure unhealthy web is unhealthy: a b',
        '9 failure crashed x',
        '12 reverted',
        '12 ended reverted',
      ],
      {
        ending: 'reverted',
        failure: { code: 'unhealthy', text: 'web is unhealthy: a b' },
      },
    ],
    [
      'that was refused before anything happened',
      ['0 waiting somebody', '5 failure lock-held', '5 ended refused'],
      { ending: 'refused', failure: { code: 'lock-held', text: '' } },
    ],
    ['that was left as it is', ['0 begin', '1 left', '2 ended failed'], { ending: 'failed', left: true }],
    ['of a kind that is none', ['0 begin', '1 ended succeeded'], {}],
    ['with an ending that every object has', ['0 begin', '0 ended constructor'], {}],
    [
      'with what went wrong and who did not listen',
      ['0 begin', '0 disobeyed web', '0 problem Could not remove the old container', '0 problem Could not write HOLD'],
      { problems: ['Could not remove the old container', 'Could not write HOLD'] },
    ],
    [
      'where nothing could be measured',
      ['0 begin', '0 measured web - 80 80'],
      { measurements: [{ service: 'web', gapMs: null, failed: 80, asked: 80 }] },
    ],
    [
      'where not all could be measured',
      ['0 begin', '0 measured web 0 0 80', '0 measured api - 3 3'],
      {
        measurements: [
          { service: 'web', gapMs: 0, failed: 0, asked: 80 },
          { service: 'api', gapMs: null, failed: 3, asked: 3 },
        ],
        downtimeMs: 0,
        failedRequests: 3,
      },
    ],
    [
      'where the measurement of one was given up',
      ['0 begin', '0 measured web 40 1 80', '0 measured api - 0 0'],
      {
        measurements: [
          { service: 'web', gapMs: 40, failed: 1, asked: 80 },
          { service: 'api', gapMs: null, failed: 0, asked: 0 },
        ],
        failedRequests: 1,
      },
    ],
    [
      'that was measured again by the engine that took over',
      ['0 begin', '0 measured web 40 1 80', '0 measured web 90 3 120'],
      { measurements: [{ service: 'web', gapMs: 90, failed: 3, asked: 120 }], downtimeMs: 90, failedRequests: 3 },
    ],
    ['during which Docker was restarted', ['0 begin', '0 docker-restarted'], { dockerRestarted: true }],
    ['that put deployments on hold', ['0 begin', '0 held'], { held: true }],
    [
      'with measurements that are none',
      ['0 begin', '0 measured web 1', '0 measured web x 1 1', `0 measured web ${'9'.repeat(400)} 1 1`],
      {},
    ],
    ['where the clock went back', ['100 begin', '50 ended rolled-back'], { ending: 'rolled-back' }],
  ];
  for (const [what, lines, expected] of table) {
    test(what, () => assert.deepEqual(outcome(...lines), { ...nothing, ...expected }));
  }
});
