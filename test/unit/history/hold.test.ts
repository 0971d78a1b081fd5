import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { describeHold, type Hold, holdText, parseHold } from '../../../shared/history/hold.ts';

const hold: Hold = {
  reason: 'v3 answers with 500: a=b',
  since: '2026-11-25T02:03:04.567Z',
  run: 'https://github.com/acme/shop/actions/runs/4711?x=y',
  by: 'octocat',
  from: 'api=v3 web=v3',
  to: 'api=v2 web=v2',
  id: '4711-1-0123abcd',
};
const nothing: Hold = { reason: null, since: null, run: null, by: null, from: null, to: null, id: null };

test('the file reads back as what it says', () => {
  assert.deepEqual(parseHold(holdText(hold)), hold);
  assert.deepEqual(parseHold(holdText({ ...nothing, by: 'octocat' })), { ...nothing, by: 'octocat' });
  assert.equal(holdText({ ...nothing, by: 'octocat' }), 'by=octocat\n');
});

test('a value makes no second line, and no other key', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (reason) => {
      const text = holdText({ ...hold, reason: `${reason}\nid=forged` });
      assert.equal(text.split('\n').length, 8);
      assert.deepEqual({ ...parseHold(text), reason: null }, { ...hold, reason: null });
    }),
  );
});

const byHand: [text: string, read: Partial<Hold>][] = [
  ['', {}],
  ['do not deploy, Anna\n', {}],
  ['reason = the disk is being changed\r\nby=Anna', { reason: 'the disk is being changed', by: 'Anna' }],
  ['reason=\nsince=', {}],
  ['__proto__=x\nconstructor=y\n=z\n', {}],
  ['reason=x\x1b[2J##[error]y', { reason: 'x##\\[error]y' }],
];
for (const [text, read] of byHand) {
  test(`a file that says ${JSON.stringify(text.slice(0, 40))} holds as well`, () => {
    assert.deepEqual(parseHold(text), { ...nothing, ...read });
  });
}

test('is told in a sentence', () => {
  assert.equal(
    describeHold(hold),
    `deployments have been on hold since ${hold.since}; reason: v3 answers with 500: a=b; see ${hold.run}`,
  );
  assert.equal(describeHold(nothing), 'deployments are on hold');
});
