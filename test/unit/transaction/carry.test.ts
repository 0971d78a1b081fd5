// A transaction is carried by the host; the run that started it finds it again, says how it ended, or says that it does not know.
import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { handOver } from '../../../rollback-action/hand-over.ts';
import { noOutputs } from '../../../rollback-action/outputs.ts';
import { Failure, isFailure } from '../../../shared/failure.ts';
import type { FailureCode } from '../../../shared/failure-codes.ts';
import type { Connection } from '../../../shared/host/connection.ts';
import { Records } from '../../../shared/host/records.ts';
import { plain } from './plain-request.ts';

const id = '20261125_020304';
/** What a program comes to: its records, or a failure; `never` where it does not end. It may tell lines of the journal before. */
type Answer = { records: [string, string][]; lines?: string[] } | { failure: Failure; lines?: string[] } | 'never';
type Name = 'start' | 'find' | 'follow' | 'abort';

const failing = (code: FailureCode, lines: string[] = []): Answer => ({
  failure: new Failure(code, `It is ${code}`),
  lines,
});
const lost = failing('connection-lost');
const started: Answer = { records: [['transaction', id]] };
const notFound: Answer = { records: [] };
const ended = (how = 'rolled-back'): Answer => ({ records: [['journal', `1\tbegin\t\n2\tended\t${how}\n`]] });

/** What is true of a run on a host that answers like that, each program one answer after the other. */
async function carried(
  answers: Partial<Record<Name, Answer[]>>,
  {
    reconnects = [],
    signal = new AbortController().signal,
  }: { reconnects?: (Failure | (() => void))[]; signal?: AbortSignal } = {},
) {
  const said: string[] = [];
  let connections = 0;
  const connect = (): Connection => {
    connections += 1;
    const number = connections;
    return {
      name: 'db1',
      run({ name }, parameters, { onProgress }) {
        said.push(`${name} ${'lines_seen' in parameters ? `${parameters.lines_seen} ` : ''}on ${number}`);
        const answer = answers[name as Name]?.shift() ?? assert.fail(`Nobody expects ${name}`);
        const { lines = [] } = answer === 'never' ? {} : answer;
        for (const line of lines) onProgress?.('journal', line);
        const result =
          answer === 'never'
            ? new Promise<Records>(() => {})
            : 'failure' in answer
              ? Promise.reject(answer.failure)
              : Promise.resolve(new Records(answer.records));
        return { result, lastLines: () => [], release: async () => true };
      },
      close: async () => {},
    };
  };
  const outputs = noOutputs();
  let isDropped = false;
  const restoring = {
    drop: async () => {
      isDropped = true;
    },
  };
  const reconnect = async () => {
    said.push('reconnect');
    const next = reconnects.shift();
    if (next instanceof Failure) throw next;
    next?.();
    return connect();
  };
  const outcome = await handOver(connect(), { request: plain, signal, reconnect }, outputs, restoring).then(
    (end) => ({ ending: end.outcome.ending, failure: null }),
    (failure) => (isFailure(failure) ? { ending: null, failure } : Promise.reject(failure)),
  );
  const { status, 'transaction-id': known } = outputs;
  return { ...outcome, code: outcome.failure?.code, said, known, status, isDropped };
}

const toFollow = `tail /opt/shop/backups/rollback/transactions/${id}/journal`;
const toFind = `grep -l 4711-1-0123abcd /opt/shop/backups/rollback/transactions/*/plan.tsv`;

describe('a transaction that was started', { concurrency: true }, () => {
  test('is followed to its end', async () => {
    const { ending, said, known } = await carried({ start: [started], follow: [ended()] });
    assert.deepEqual([ending, said, known], ['rolled-back', ['start on 1', 'follow 0 on 1'], id]);
  });

  const losses: FailureCode[] = [
    'connection-lost',
    'program-lost',
    'host-unreachable',
    'connection-timed-out',
    'connection-refused',
    'connection-closed',
  ];
  for (const code of losses) {
    test(`is found again after ${code}, and what was told is not told again`, async () => {
      const { ending, said, known } = await carried({
        start: [started],
        follow: [failing(code, ['1\tbegin\t', '2\tchecked\t']), ended()],
      });
      assert.deepEqual(said, ['start on 1', 'follow 0 on 1', 'reconnect', 'follow 2 on 2']);
      assert.deepEqual([ending, known], ['rolled-back', id]);
    });
  }

  test('is tried again where the host cannot be reached at first', async () => {
    const refused = new Failure('connection-refused', 'It is restarting');
    const { ending, said } = await carried(
      { start: [started], follow: [lost, lost, ended()] },
      { reconnects: [refused] },
    );
    assert.deepEqual(said.slice(2), ['reconnect', 'follow 0 on 1', 'reconnect', 'follow 0 on 2']);
    assert.equal(ending, 'rolled-back');
  });

  for (const code of ['key-refused', 'host-key-changed', 'host-silent'] as const) {
    test(`is said to go on where another connection fails with ${code}`, async () => {
      const failure = new Failure(code, 'x');
      const run = await carried({ start: [started], follow: [lost] }, { reconnects: [failure] });
      assert.deepEqual([run.code, run.failure?.cause], ['outcome-unknown', failure]);
      assert.ok(run.failure?.hint?.includes(toFollow));
    });
  }

  test('is said to go on where the host hangs: another connection would not help', async () => {
    const run = await carried({ start: [started], follow: [failing('host-silent')] });
    assert.deepEqual([run.code, run.said.at(-1)], ['outcome-unknown', 'follow 0 on 1']);
    assert.deepEqual([run.known, run.status, run.isDropped], [id, 'failed', false]);
    assert.ok(run.failure?.hint?.includes(toFollow));
  });

  test('tells any other failure as it is', async () => {
    const { code, said } = await carried({ start: [started], follow: [failing('write-failed')] });
    assert.deepEqual([code, said.at(-1)], ['write-failed', 'follow 0 on 1']);
  });
});

describe('a start', { concurrency: true }, () => {
  test('that the host refuses is not looked for', async () => {
    const { code, said, status, isDropped } = await carried({ start: [failing('disk-full')] });
    assert.deepEqual([code, said], ['disk-full', ['start on 1']]);
    assert.deepEqual([status, isDropped], ['refused', true]);
  });

  test('whose connection was lost may have happened, and is found', async () => {
    const { ending, said, known } = await carried({ start: [lost], find: [lost, started], follow: [ended()] });
    assert.deepEqual(said, ['start on 1', 'find on 1', 'reconnect', 'find on 2', 'follow 0 on 2']);
    assert.deepEqual([ending, known], ['rolled-back', id]);
  });

  test('of which the host said nothing is looked for as well', async () => {
    const { ending } = await carried({ start: [failing('host-silent')], find: [started], follow: [ended()] });
    assert.equal(ending, 'rolled-back');
  });

  for (const code of ['connection-lost', 'host-silent'] as const) {
    test(`that did not happen fails for its own reason, ${code}`, async () => {
      const run = await carried({ start: [failing(code)], find: [notFound] });
      assert.deepEqual([run.code, run.status, run.isDropped], [code, 'refused', true]);
    });
  }

  const aborted = AbortSignal.abort();
  const untold: [what: string, run: () => ReturnType<typeof carried>, cause: FailureCode][] = [
    ['hangs', () => carried({ start: [lost], find: [failing('host-silent')] }), 'host-silent'],
    [
      'refuses us',
      () => carried({ start: [lost], find: [lost] }, { reconnects: [new Failure('key-refused', 'x')] }),
      'key-refused',
    ],
    ['has no time to be asked', () => carried({ start: [lost], find: [lost] }, { signal: aborted }), 'connection-lost'],
  ];
  for (const [what, run, cause] of untold) {
    test(`is not said to have failed where the host ${what}`, async () => {
      const { code, failure, status, isDropped } = await run();
      assert.equal(code, 'outcome-unknown');
      assert.deepEqual([status, isDropped], ['failed', false], 'it may need the copy');
      assert.ok(isFailure(failure?.cause, cause));
      assert.ok(failure?.hint?.endsWith(toFind), failure?.hint);
    });
  }
});

describe('a run that is cancelled', { concurrency: true }, () => {
  const atWork = /the host is still working on transaction 20261125_020304 and will finish it$/;

  test('ends a transaction that has not begun its swap', async () => {
    const answers = { start: [started], follow: [ended('refused')], abort: [{ records: [] }] satisfies Answer[] };
    const { ending, said, isDropped } = await carried(answers, { signal: AbortSignal.abort() });
    assert.deepEqual([ending, said.at(-1), isDropped], ['refused', 'abort on 1', true]);
  });

  for (const [what, abort] of [
    ['has begun it', { records: [] }],
    ['cannot be told', lost],
    ['does not answer', 'never'],
  ] as const) {
    test(`says that the host goes on where that ${what}`, async () => {
      const answers = { start: [started], follow: ['never'] satisfies Answer[], abort: [abort as Answer] };
      const begun = performance.now();
      const { code, failure } = await carried(answers, { signal: AbortSignal.abort() });
      assert.equal(code, 'cancelled');
      assert.match(failure?.message ?? '', atWork);
      assert.ok(failure?.hint?.includes(toFollow));
      assert.ok(performance.now() - begun < 6_000, 'the runner would have killed it');
    });
  }

  test('does not say that nothing was done where the connection was lost', async () => {
    const stopping = new AbortController();
    const nothing = new Failure('cancelled', 'Cancelled while connecting: nothing was done on the host');
    const options = { signal: stopping.signal, reconnects: [nothing] };
    const run = carried({ start: [started], follow: [lost], abort: [lost] }, options);
    setTimeout(() => stopping.abort(), 200);
    const { code, failure } = await run;
    assert.equal(code, 'cancelled');
    assert.match(failure?.message ?? '', atWork);
  });

  test('tells what is wrong with the transaction, if the host says so', async () => {
    const answers = { start: [started], follow: [failing('write-failed')], abort: [lost] };
    assert.equal((await carried(answers, { signal: AbortSignal.abort() })).code, 'write-failed');
  });
});

describe('the host is given up', () => {
  /** Another connection, so many seconds later. */
  const after = (seconds: number, end: Failure | null) => () => {
    mock.timers.setTime(Date.now() + seconds * 1_000);
    if (end !== null) throw end;
  };
  const refused = new Failure('connection-refused', 'x');

  test('after three minutes without a connection', async (context) => {
    mock.timers.enable({ apis: ['Date'] });
    context.after(() => mock.timers.reset());
    const reconnects = [after(170, refused), after(11, refused)];
    const run = await carried({ start: [started], follow: [lost, lost, lost] }, { reconnects });
    assert.deepEqual([run.code, run.said.filter((word) => word === 'reconnect').length], ['outcome-unknown', 2]);
    assert.ok(run.failure?.hint?.includes(toFollow));
  });

  test('but each connection that is lost has its own', async (context) => {
    mock.timers.enable({ apis: ['Date'] });
    context.after(() => mock.timers.reset());
    const reconnects = [after(170, null), after(170, null)];
    const { ending } = await carried({ start: [started], follow: [lost, lost, ended()] }, { reconnects });
    assert.equal(ending, 'rolled-back');
  });
});
