// For how long a store that has trouble is tried again: long enough for it to restart, and not where nothing ever answered.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Retries } from '../../../shared/offsite/retries.ts';

const answered = (httpStatusCode: number) => Object.assign(new Error('x'), { $metadata: { httpStatusCode } });
const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

/** The pauses before each further try, in milliseconds, until it is given up. */
async function pausesOf(retries: Retries, errorType: string, error: Error, more = {}): Promise<number[]> {
  const pauses: number[] = [];
  let token = await retries.acquireInitialRetryToken();
  for (;;) {
    try {
      token = await retries.refreshRetryTokenForRetry(token, { errorType, error, ...more });
    } catch {
      return pauses;
    }
    pauses.push(token.getRetryDelay());
    assert.equal(token.getRetryCount(), pauses.length);
  }
}

const sum = (pauses: number[]) => pauses.reduce((all, pause) => all + pause, 0);

for (const [errorType, error] of [
  ['TRANSIENT', answered(500)],
  ['THROTTLING', answered(503)],
] as const) {
  test(`a storm of ${error.$metadata.httpStatusCode} is sat out for most of a minute at least`, async () => {
    const pauses = await pausesOf(new Retries(9), errorType, error);
    assert.equal(pauses.length, 8);
    assert.ok(sum(pauses) >= 40_000 && Math.max(...pauses) <= 20_000, String(pauses));
  });
}

test('so is a store that goes away after it has answered, whatever went wrong before', async () => {
  const retries = new Retries(9);
  retries.recordSuccess();
  for (let storm = 0; storm < 10; storm += 1)
    assert.ok(sum(await pausesOf(retries, 'TRANSIENT', refused)) >= 40_000, `storm ${storm}`);
});

test('an address where nothing ever answered is given up soon', async () =>
  assert.ok(sum(await pausesOf(new Retries(9), 'TRANSIENT', refused)) <= 15_000));

test('what will not pass is not tried again, nor anything more often than it may be', async () => {
  assert.deepEqual(await pausesOf(new Retries(9), 'CLIENT_ERROR', answered(403)), []);
  assert.deepEqual(await pausesOf(new Retries(1), 'TRANSIENT', answered(500)), []);
});

test('a store that says when to come back is not asked before, within reason', async () => {
  const said = async (seconds: number) =>
    (
      await pausesOf(new Retries(2), 'THROTTLING', answered(503), {
        retryAfterHint: new Date(Date.now() + 1_000 * seconds),
      })
    )[0] ?? 0;
  assert.ok((await said(7)) > 6_000);
  assert.ok((await said(3_600)) <= 20_000);
});
