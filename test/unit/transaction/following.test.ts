// A transaction may take hours, and is followed in sessions of which each has its time.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../../shared/failure.ts';
import type { Connection } from '../../../shared/host/connection.ts';
import { Records } from '../../../shared/host/records.ts';
import { followToTheEnd } from '../../../shared/transaction/unfinished.ts';

const hour = 3_600_000;

/** How following ends where the sessions end so, one after the other; and what each was given: milliseconds, lines known. */
async function follow(sessions: readonly (string | Failure)[], deadline = 24 * hour) {
  const asked: [deadline: number, linesSeen: unknown][] = [];
  const connection: Connection = {
    name: 'db1',
    run(_program, parameters, options) {
      const journal = sessions[asked.length];
      asked.push([options.deadline, 'lines_seen' in parameters ? parameters.lines_seen : undefined]);
      options.onProgress?.('journal', '1\tbegin\t');
      const result =
        typeof journal === 'string' ? Promise.resolve(new Records([['journal', journal]])) : Promise.reject(journal);
      return { result, lastLines: () => [], release: async () => true };
    },
    close: async () => {},
  };
  const quiet = { onLine: () => {}, onLog: () => {} };
  const outcome = followToTheEnd(connection, '/backups', 'x', 0, { ...quiet, deadline }).then(
    ({ outcome }) => outcome.ending,
    (error: Failure) => error.code,
  );
  return { outcome: await outcome, asked };
}

const ended = '1\tbegin\t\n2\tended\trolled-back\n';
const over = new Failure('deadline', 'it is over');

describe('a session that is over', () => {
  test('is followed by another, which knows what was told', async () => {
    const { outcome, asked } = await follow([over, over, ended]);
    assert.equal(outcome, 'rolled-back');
    assert.deepEqual(asked, [
      [600_000, '0'],
      [600_000, '1'],
      [600_000, '2'],
    ]);
  });

  test('is the last where the time for all of it is', async () => {
    const { outcome, asked } = await follow([over, ended], 5_000);
    assert.equal(outcome, 'deadline');
    assert.ok((asked[0]?.[0] ?? 0) <= 5_000);
  });

  test('is the last where its grace may take what is left', async () => {
    const { outcome, asked } = await follow([over, ended], 620_000);
    assert.deepEqual([outcome, asked.length], ['deadline', 1]);
  });
});

test('a host that is silent is not followed again', async () => {
  const { outcome, asked } = await follow([new Failure('host-silent', 'it says nothing'), ended]);
  assert.equal(outcome, 'host-silent');
  assert.equal(asked.length, 1);
});
