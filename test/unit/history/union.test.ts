import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  copiesLack,
  entriesOf,
  gatherHistory,
  type HistoryMirror,
  storeCopies,
} from '../../../shared/history/known-history.ts';
import { type HistoryRecord, historyLine, parseHistory } from '../../../shared/history/record.ts';
import { type HistoryEntry, mirrorText, recordsToMend, unite } from '../../../shared/history/union.ts';
import { record, release } from './records.ts';

const text = (records: readonly HistoryRecord[]) => records.map((each) => `${historyLine(each)}\n`).join('');
const idsOf = (entries: readonly HistoryEntry[]) => entries.map((entry) => entry.record.id);
const recordsOf = (entries: readonly HistoryEntry[]) => entries.map((entry) => entry.record);

const [first, second, third] = [record(), record({ release: release('web:v2') }), record()] as const;

/** Few ids and times, so that copies differ over the same record. */
const anyRecord = fc
  .record({
    id: fc.constantFrom('1-1-00000000', '2-1-00000000', '3-1-00000000', '10-1-00000000'),
    at: fc.constantFrom(
      '2026-11-01T00:00:00Z',
      '2026-11-01T00:00:00.000Z',
      '2026-11-01T00:00:00.1Z',
      '2026-11-02T00:00:00Z',
    ),
    verdict: fc.constantFrom<HistoryRecord['verdict']>('good', 'bad', 'unknown'),
  })
  .map((changes) => record(changes));
const anyHistory = fc.array(anyRecord, { maxLength: 6 });
const anyCopies = fc.array(anyHistory, { maxLength: 4 });

describe('the union', () => {
  test('is that of all, oldest first, and says whose word each is', () => {
    assert.deepEqual(unite([second], [[third], [first, second]]), [
      { record: first, source: 'mirror' },
      { record: second, source: 'host' },
      { record: third, source: 'mirror' },
    ]);
  });

  test("the host's word counts", () => {
    const forged = { ...second, verdict: 'good' as const };
    for (const mirrors of [[[forged]], [[forged], [forged]]]) {
      assert.deepEqual(unite([second], mirrors), [{ record: second, source: 'host' }]);
    }
  });

  test('copies that lost updates of one another heal', () => {
    const [a, b] = [
      [first, second],
      [first, third],
    ];
    assert.deepEqual(recordsOf(unite([], [a, b])), [first, second, third]);
  });

  test('is in the order of time, not of its writing: a fraction of a second is later than none', () => {
    const [late, soon] = [record({ at: '2026-11-01T00:00:00.5Z' }), record({ at: '2026-11-01T00:00:00Z' })];
    assert.deepEqual(recordsOf(unite([late, soon], [])), [soon, late]);
  });

  test('does not depend on the order of the copies, nor of the records in them', () => {
    fc.assert(
      fc.property(anyHistory, anyCopies, fc.infiniteStream(fc.nat()), (host, mirrors, dice) => {
        const shuffled = <T>(items: readonly T[]) =>
          items
            .map((item) => ({ item, at: dice.next().value as number }))
            .toSorted((a, b) => a.at - b.at)
            .map(({ item }) => item);
        assert.deepEqual(unite(host, shuffled(mirrors.map(shuffled))), unite(host, mirrors));
      }),
    );
  });

  test('of what was united already is the same again', () => {
    fc.assert(
      fc.property(anyHistory, anyCopies, (host, mirrors) => {
        const once = unite(host, mirrors);
        assert.deepEqual(recordsOf(unite(host, [...mirrors, recordsOf(once)])), recordsOf(once));
        assert.deepEqual(unite(host, [recordsOf(once)]), once);
        assert.deepEqual(new Set(idsOf(once)).size, once.length);
      }),
    );
  });
});

describe('the text of a copy', () => {
  const entries = unite([first, second, third], []);

  test('is the whole history, where it fits', () => {
    assert.equal(mirrorText(entries, 1_000_000), text([first, second, third]));
    assert.equal(mirrorText(entries, text([first, second, third]).length), text([first, second, third]));
    assert.equal(mirrorText([], 10), '');
  });

  test('loses the oldest records, whole ones, where it does not', () => {
    assert.equal(mirrorText(entries, text([first, second, third]).length - 1), text([second, third]));
    assert.equal(mirrorText(entries, 10), '');
  });

  test('is measured in bytes', () => {
    const wide = record({ reason: '戻る'.repeat(100) });
    assert.equal(mirrorText(unite([wide], []), historyLine(wide).length + 1), '');
  });

  test('is never longer than it may be, and has the newest', () => {
    fc.assert(
      fc.property(anyHistory, fc.nat(3_000), (history, limit) => {
        const all = unite(history, []);
        const stored = mirrorText(all, limit);
        assert.ok(Buffer.byteLength(stored) <= limit);
        const { records, problems } = parseHistory(stored);
        assert.deepEqual(problems, []);
        assert.deepEqual(records, recordsOf(all).slice(all.length - records.length));
      }),
    );
  });
});

describe('the known history', () => {
  const legacyLog = '20261001_120000,v1,v1\n';

  test("has the host's records, what its file lacks, and what cannot be read", () => {
    const torn = historyLine(third).slice(0, 50);
    const knownHistory = gatherHistory('prod', `${text([first, second])}${torn}`, legacyLog, [
      text([first, third]),
      'garbage\n',
    ]);
    assert.deepEqual(knownHistory.host, [first, second]);
    assert.deepEqual(
      knownHistory.missing.map(({ at }) => at),
      ['2026-10-01T12:00:00.000Z'],
    );
    assert.deepEqual(knownHistory.problems, ['line 3 of the history cannot be read: it is not JSON']);
    assert.deepEqual(
      entriesOf(knownHistory).map((entry) => [entry.record.at, entry.source]),
      [
        ['2026-10-01T12:00:00.000Z', 'host'],
        [first.at, 'host'],
        [second.at, 'host'],
        [third.at, 'mirror'],
      ],
    );
  });

  test("takes the scripts' lines over once, however often they stand there", () => {
    const [line] = gatherHistory('prod', null, legacyLog.repeat(3), []).missing;
    assert.ok(line !== undefined);
    assert.equal(gatherHistory('prod', null, legacyLog.repeat(3), []).missing.length, 1);
    assert.deepEqual(gatherHistory('prod', text([line]), legacyLog, []).missing, []);
  });

  test('mends a file that was lost, and does not trust its copies', () => {
    const good = record({ verdict: 'good' });
    const { host, missing } = gatherHistory('prod', null, null, [text([first, good])]);
    assert.deepEqual(host, []);
    assert.deepEqual(missing, recordsToMend([], [[first, good]], 'prod'));
    assert.deepEqual(
      missing.map(({ id, verdict }) => [id, verdict]),
      [
        [first.id, 'unknown'],
        [good.id, 'unknown'],
      ],
    );
  });

  test('is stored whole, with what this run has added, and with what another has stored meanwhile', async () => {
    const stored: string[] = [];
    const mirror: HistoryMirror = {
      load: () => assert.fail('it was loaded already'),
      async save(whole, merge) {
        stored.push(whole, merge(text([third])));
        return { notices: ['noted'] };
      },
    };
    const knownHistory = gatherHistory('prod', text([first]), null, [text([second])]);
    const added = record();
    assert.deepEqual(await storeCopies(knownHistory, [added], mirror), ['noted']);
    assert.deepEqual(stored, [text([first, second, added]), text([first, second, third, added])]);
    const withLegacy = gatherHistory('prod', text([first]), legacyLog, []);
    await storeCopies(withLegacy, [], mirror);
    assert.equal(stored[2], text([...withLegacy.missing, first]));
  });

  test('is stored where the copies lack a record, whoever has added it', () => {
    const lacks = (mirrors: string[], added: HistoryRecord[] = [], legacy: string | null = null) =>
      copiesLack(gatherHistory('prod', text([first, second]), legacy, mirrors), added);
    assert.equal(lacks([text([second]), text([first])]), false);
    assert.equal(lacks([text([second])]), true);
    assert.equal(lacks([]), true);
    assert.equal(lacks([text([first, second])], [third]), true);
    assert.equal(lacks([text([first, second])], [], legacyLog), true);
  });

  test('what is stored of a long history is at most 1 MiB, and has what was added', async () => {
    const long = Array.from({ length: 800 }, () => record({ reason: 'x'.repeat(1_900) }));
    const added = record();
    let stored = '';
    const save: HistoryMirror['save'] = async (whole) => {
      stored = whole;
      return { notices: [] };
    };
    await storeCopies(gatherHistory('prod', text(long), null, []), [added], { save, load: () => assert.fail() });
    assert.ok(Buffer.byteLength(stored) <= 2 ** 20 && Buffer.byteLength(stored) > 2 ** 20 - 4_000);
    assert.ok(stored.endsWith(text([added])));
  });
});
