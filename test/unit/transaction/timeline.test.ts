import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { JournalLine } from '../../../shared/transaction/journal.ts';
import { timelineOf } from '../../../shared/transaction/timeline.ts';

/** `0 begin`, `12000 stopping web`: milliseconds after some moment. */
function lines(...texts: string[]): JournalLine[] {
  return texts.map((text) => {
    const [at = '', step = '', ...detail] = text.split(' ');
    return { at: 1_790_000_000_000 + Number(at), step, detail: detail.join(' ') };
  });
}
/** What is drawn, without what the signs mean. */
const drawn = (...texts: string[]) => timelineOf(lines(...texts)).slice(0, -2);
const bar = (...parts: [sign: string, length: number][]) => parts.map(([sign, length]) => sign.repeat(length)).join('');

describe('the timeline', () => {
  test('of one after the other: each has its own gap, and the target from then on', () => {
    assert.deepEqual(
      drawn(
        '0 begin',
        '0 created api',
        '0 created web',
        '10000 stopping api',
        '20000 started api 10000',
        '30000 stopping web',
        '31000 started web 1',
        '60000 ended rolled-back',
      ),
      [
        `api  ${bar(['─', 10], ['×', 11], ['━', 39])}`,
        `web  ${bar(['─', 30], ['×', 2], ['━', 28])}`,
        `     0 s${'1 min 00 s'.padStart(57)}`,
      ],
    );
  });

  test('of a new one beside the old: both, then the target, and never a gap', () => {
    assert.deepEqual(
      drawn(
        '0 begin',
        '0 created web',
        '15000 starting web',
        '20000 started web',
        '30000 draining web',
        '45000 drained web',
        '60000 ended rolled-back',
      )[0],
      `web  ${bar(['─', 15], ['═', 30], ['━', 15])}`,
    );
  });

  test('of one that was taken back: as before again', () => {
    assert.deepEqual(
      drawn(
        '0 begin',
        '0 created web',
        '10000 stopping web',
        '20000 started web 1',
        '30000 reverting',
        '30000 stopping web',
        '40000 restored web',
        '60000 ended reverted',
      )[0],
      `web  ${bar(['─', 10], ['×', 11], ['━', 9], ['×', 11], ['─', 19])}`,
    );
  });

  test('of a job: it runs beside the old, and what stays stopped has no bar', () => {
    assert.deepEqual(
      drawn(
        '0 begin',
        '0 created assets',
        '0 created worker',
        '15000 running assets',
        '30000 completed assets',
        '40000 stays-stopped worker',
        '60000 ended rolled-back',
      ),
      [`assets  ${bar(['─', 15], ['═', 15], ['━', 30])}`, `        0 s${'1 min 00 s'.padStart(57)}`],
    );
  });

  test('a gap too short to be seen is seen all the same', () => {
    const [web] = drawn(
      '0 begin',
      '0 created web',
      '30000 stopping web',
      '30001 started web 1',
      '60000 ended rolled-back',
    );
    assert.equal(web, `web  ${bar(['─', 30], ['×', 1], ['━', 29])}`);
  });

  test('where nothing was made there is only the scale', () => {
    assert.deepEqual(drawn('0 begin', '1000 ended refused').length, 1);
    assert.deepEqual(timelineOf([]).at(-1), '─ previous release   × down   ═ both   ━ target');
  });

  test('steps that are none of a service, or have the name of what every object has, draw nothing', () => {
    const [web] = drawn(
      '0 begin',
      '0 created web',
      '1 constructor web',
      '2 problem web could not',
      '3 answers web',
      '60000 ended failed',
    );
    assert.equal(web, `web  ${bar(['─', 60])}`);
  });

  test('a service whose name begins like another is another', () => {
    const [web, worker] = drawn(
      '0 begin',
      '0 created web',
      '0 created web-worker',
      '30000 stopping web-worker',
      '60000 ended failed',
    );
    assert.equal(web, `web         ${bar(['─', 60])}`);
    assert.equal(worker, `web-worker  ${bar(['─', 30], ['×', 30])}`);
  });

  test('a clock that goes back draws nothing before the beginning', () => {
    const [web] = drawn('10000 begin', '10000 created web', '5000 stopping web', '20000 ended failed');
    assert.equal(web, `web  ${bar(['×', 60])}`);
  });

  test('whatever was written, each bar is as wide as the scale', () => {
    const line = fc.record({
      at: fc.nat(100_000),
      step: fc.constantFrom(
        'begin',
        'created',
        'stopping',
        'starting',
        'started',
        'drained',
        'restored',
        'ended',
        'constructor',
        'toString',
      ),
      detail: fc.constantFrom('web', 'api', 'web 17', ''),
    });
    fc.assert(
      fc.property(fc.array(line), (journal) => {
        const rows = timelineOf(journal).slice(0, -2);
        for (const row of rows) assert.equal(row.length, rows[0]?.length, rows.join('\n'));
        for (const row of rows.slice(0, -1)) assert.match(row, /^.* {2}[─×═━]{60}$/);
      }),
    );
  });
});
