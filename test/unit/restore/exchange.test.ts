// How the script in the database's container exchanges databases, and runs the user's own statements: before a server that is made up.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inContainer } from './in-container.ts';

const [live, copy, aside] = ['shop', 'shop_restore_0123abcd', 'shop_before_20261129_021700'];
const words = [live, copy, aside, '7'];
const standing = { "('restored', :'restored')": 'live restored' };
const [toEnd, toRename] = ['pg_terminate_backend', 'RENAME TO'];

describe('whoever asked for an exchange waits for it no longer than so', () => {
  /** The sessions have ended so many seconds after it began. */
  const endedAfter = (seconds: number) =>
    inContainer('exchange', standing, {
      words,
      // The first look at the clock comes before anything is asked of the server.
      more: `clock=$(mktemp)
        date() { if [ -s "$clock" ]; then echo ${1_000_000 + seconds}; rm -f "$clock"; else echo 1000000 | tee "$clock"; fi; }`,
    });

  test('in time, the names are exchanged', () => {
    const { stdout, stderr, status } = endedAfter(44);
    assert.deepEqual([stdout, status], ['exchanged\n', 0], stderr);
    assert.ok(stderr.indexOf(toEnd) < stderr.indexOf(toRename), stderr);
  });

  test('later, they are not, and the live database is open again', () => {
    const { stdout, stderr, status } = endedAfter(45);
    assert.equal(stdout, '', stderr);
    assert.notEqual(status, 0);
    assert.ok(!stderr.includes(toRename), stderr);
    assert.match(stderr, /name=shop\n?[^\n]*ALLOW_CONNECTIONS true/);
  });
});

test('names are exchanged from a database that nobody restores, so that the one called "postgres" can be', () => {
  for (const verb of ['exchange', 'exchange_back']) {
    const { stdout, stderr } = inContainer(verb, standing, { words });
    assert.match(stdout, /^exchanged/, stderr);
    const sessions = [...stderr.matchAll(/^(\S+) \[/gm)].map(([, database]) => database);
    assert.ok(sessions.length > 2);
    assert.deepEqual([...new Set(sessions)], ['template1'], stderr);
  }
});

test("the first of the user's own statements that fails is the last", () => {
  const { stderr } = inContainer('after', { server_version_num: '150000' }, { input: 'UPDATE shop.customers' });
  assert.match(stderr, /^shop .*-v ON_ERROR_STOP=1.* UPDATE shop\.customers$/m);
  assert.equal(inContainer('after', { server_version_num: '150000', UPDATE: 'FAIL' }, { input: 'UPDATE' }).status, 3);
});
