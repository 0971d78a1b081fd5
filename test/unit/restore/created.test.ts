// A database that is created for a restore because it was dropped: whoever it belongs to, and whatever is in it by now, nobody
// loses anything, and nothing stays that nobody knows of.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  type Created,
  type CreatingRun,
  createDropped,
  withoutCreated,
} from '../../../rollback-action/dropped-database.ts';
import type { RollbackInputs } from '../../../rollback-action/inputs.ts';
import { Failure } from '../../../shared/failure.ts';
import type { Connection } from '../../../shared/host/connection.ts';
import type { ProgramOptions } from '../../../shared/host/program.ts';
import { acceptsWith, host, tools } from '../surveyed-host.ts';
import { inContainer } from './in-container.ts';

const lacks = { "SELECT 'missing ' ||": 'missing shop' };

describe('it is dropped again only as it was created', () => {
  const dropped = { 'FROM pg_database d WHERE datname = current_database()': '16384|t', 'DROP DATABASE': 'dropped' };
  for (const [what, answers, said] of [
    ['nothing is in it', dropped, 'dropped'],
    ['it is gone', lacks, 'gone'],
    ['somebody has changed it', { 'FROM pg_database d WHERE datname = current_database()': '16384|f' }, 'not-empty'],
    ['another restore fills its copy', { ...dropped, 'atlasia.restore=incomplete': '1' }, 'restoring'],
    ['another has its name by now', { ...dropped, 'DROP DATABASE': 'not-empty' }, 'not-empty'],
    ['somebody is connected', { ...dropped, 'DROP DATABASE': 'FAIL' }, 'in-use'],
  ] as const)
    test(what, () => {
      const { stdout, stderr, status } = inContainer('drop_created', answers);
      assert.deepEqual([stdout, status], [`${said}\n`, 0], stderr);
      assert.equal(stderr.includes('DROP DATABASE'), 'DROP DATABASE' in answers && said !== 'restoring', stderr);
      if (stderr.includes('DROP DATABASE')) assert.match(stderr, /oid=16384.*pg_advisory_lock.*oid = :oid.*DROP/s);
    });

  test('and if the server does not tell, not at all', () => {
    for (const part of ["SELECT 'missing ' ||", 'FROM pg_database d WHERE datname = current_database()', 'count(*)']) {
      const { stdout, stderr, status } = inContainer('drop_created', { ...dropped, [part]: 'FAIL' });
      assert.equal(stdout, '');
      assert.notEqual(status, 0);
      assert.doesNotMatch(stderr, /DROP DATABASE/);
    }
  });
});

describe('it is created with its mark, or not at all', () => {
  const copy = 'shop_restore_01234567';
  const able = { ...lacks, is_superuser: 'created', "'_restore_'": copy };

  test('under its name once it has the mark', () => {
    const { stdout, stderr } = inContainer('create_missing', able);
    assert.equal(stdout, 'created shop\n');
    const [create = -1, rename, mark] = ['CREATE DATABASE :"copy"', 'RENAME TO :"name"', 'SET atlasia.created'].map(
      (at) => stderr.indexOf(at),
    );
    assert.ok(create > 0 && create < (rename ?? 0) && (rename ?? 0) < (mark ?? 0), stderr);
    assert.match(stderr, /--single-transaction .*copy=shop_restore_01234567/);
    assert.doesNotMatch(stderr, /DROP DATABASE/);
  });

  test('one that is there is let be', () => {
    const { stdout, stderr } = inContainer('create_missing', {});
    assert.equal(stdout, '');
    assert.doesNotMatch(stderr, /CREATE/);
  });

  test('by nobody who could not mark it', () => {
    for (const state of ['plain-user', 'standby']) {
      const { stdout, stderr } = inContainer('create_missing', { ...able, is_superuser: state });
      assert.equal(stdout, `${state} shop\n`);
      assert.doesNotMatch(stderr, /CREATE/);
    }
  });

  test('if the mark cannot be set, what was created is dropped', () => {
    const { stdout, stderr, status } = inContainer('create_missing', { ...able, 'SET atlasia.created': 'FAIL' });
    assert.equal(stdout, '');
    assert.notEqual(status, 0);
    assert.match(stderr, /name=shop_restore_01234567.*live=shop.*DROP DATABASE/s);
  });
});

test('a server that does not tell is not taken for one that has the database', () => {
  for (const [name, verb] of [
    ['create-missing', 'missing'],
    ['discard', ''],
  ] as const) {
    const script = `
      set -euo pipefail
      takes() { :; }; takes_word() { :; }; record() { echo "$*"; }; fail() { echo "fail $1" >&2; exit 1; }
      docker() { echo half; return 1; }
      source "$1"
      container=c user= database= server_host= server_port= password_from= inside_script= verb=$2 restored=x live=y
      main`;
    const file = join(import.meta.dirname, `../../../shared/restore/${name}.sh`);
    const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', script, 'bash', file, verb], {
      encoding: 'utf8',
    });
    assert.equal(stdout, '');
    assert.equal(stderr, verb === '' ? '' : 'fail database-silent\n');
    assert.notEqual(status, 0);
  }
});

/** A host whose real program gets these answers out of the container, one after the other; `took` are the locks that were taken. */
function answering(...answers: readonly string[]): Connection & { took: string[]; asked: string[] } {
  const script = `
    set -euo pipefail
    takes() { :; }; takes_word() { :; }; record() { printf %s "$2"; }; docker() { printf %s "$answer"; }
    source "$1"
    answer=$2 container=c user= database= server_host= server_port= password_from= inside_script= verb=v
    main`;
  const file = join(import.meta.dirname, '../../../shared/restore/create-missing.sh');
  const said = answers.map(
    (answer) => spawnSync('bash', ['-c', script, 'bash', file, answer], { encoding: 'utf8' }).stdout,
  );
  const took: string[] = [];
  const asked: string[] = [];
  const run = ({ name }: { name: string }, { verb }: { verb?: string }, { lock, atEnd }: ProgramOptions) => {
    if (verb !== undefined) asked.push(`${verb}, and would ${atEnd}`);
    if (lock !== undefined) took.push(lock.path);
    const answer = name === 'hold-lock' ? '' : said.length > 1 ? said.shift() : said[0];
    return { result: Promise.resolve({ get: () => answer }), release: async () => true };
  };
  return { took, asked, run } as unknown as Connection & { took: string[]; asked: string[] };
}
const inputs = {
  databaseService: 'db',
  databaseName: null,
  databaseUser: null,
  planOnly: false,
  backupDir: '/b',
} as RollbackInputs;
const theLock = '/b/.lock.created';
const surveyed = (probe: string) => ({ output: `${tools}pg-dump pg_dump (PostgreSQL) 17.1\n${probe}` });
const leftover = host({ probe: surveyed(acceptsWith({ isLeftover: true })) });
const refused = host({ probe: surveyed('refuses FATAL:  database "shop" does not exist') });
const created: Created = {
  server: { container: 'c', user: 'app', database: 'shop', access: { place: null, password: null } },
  containerName: 'db',
};
const held = { release: async () => true };
const mine = { backupDir: '/b', holder: 'us' };
const newRun = (before: Created | null = null): CreatingRun => ({
  created: before,
  held: null,
  holder: 'us',
  signal: new AbortController().signal,
});
const nobodyLooks = () => assert.fail('looked again');

describe('whose it is', () => {
  test("one that was left is taken over under its lock, unless somebody's work on the host is not over", async () => {
    const run = newRun();
    const connection = answering('');
    let looks = 0;
    const look = async () => {
      assert.deepEqual(connection.took, [theLock]);
      looks += 1;
      return leftover;
    };
    await createDropped(connection, leftover, inputs, look, run);
    assert.equal(run.created?.server.database, 'shop');
    assert.equal(looks, 1);
    assert.notEqual(run.held, null);
    const other = newRun();
    const idle = answering('');
    await createDropped(idle, { ...leftover, lockHolder: 'a' }, inputs, nobodyLooks, other);
    assert.deepEqual([other.created, idle.took], [null, []]);
  });

  test('one that was restored while this run waited for its lock is left alone', async () => {
    const run = newRun();
    const whole = host();
    assert.equal(await createDropped(answering(''), leftover, inputs, async () => whole, run), whole);
    assert.equal(run.created, null);
  });

  test('whoever has created it and has no copy yet does not lose it to another', async () => {
    const taken = {
      run: () => ({ result: Promise.reject(new Failure('lock-held', 'them')), release: async () => true }),
    } as unknown as Connection;
    const run = newRun();
    await assert.rejects(createDropped(taken, leftover, inputs, nobodyLooks, run), {
      code: 'lock-held',
      message: /lock\.created is held by them/,
    });
    assert.equal(run.created, null);
    const failure = new Failure('plan-stale', 'x');
    const { hint = '' } = (await withoutCreated(taken, created, mine, failure)) as Failure;
    assert.match(hint, /was kept: another restore is about to replace it/);
  });

  test('one that this run has created is not found to be left by another', async () => {
    const run = newRun(created);
    assert.equal(await createDropped(answering(''), leftover, inputs, nobodyLooks, run), leftover);
    assert.equal(run.created, created);
  });

  test('one that is missing is created, and known to be ours whatever comes then', async () => {
    const run = newRun();
    let looks = 0;
    const look = async (name: string | null) => {
      if (name !== null) return host();
      looks += 1;
      return looks === 1 ? refused : Promise.reject(new Error('lost'));
    };
    const connection = answering('missing a\nb \n', 'created a\nb \n');
    await assert.rejects(createDropped(connection, refused, inputs, look, run), /lost/);
    assert.equal(run.created?.server.database, 'a\nb ');
    assert.deepEqual(connection.took, [theLock]);
    // Without the lock, it may be another run's. A runner that is gone must not leave it without its mark.
    assert.deepEqual(connection.asked, ['missing, and would finish', 'create_missing, and would finish']);
  });

  test('a plan takes over none that was left', async () => {
    const run = newRun();
    const connection = answering('');
    const seen = await createDropped(connection, leftover, { ...inputs, planOnly: true }, nobodyLooks, run);
    assert.deepEqual([seen, run.created, run.held, connection.took], [leftover, null, null, []]);
  });

  test('a server that could not be asked is not one that lacks it', async () => {
    const connection = answering('');
    const silent = host({ probe: { error: 'no answer' } });
    await assert.rejects(createDropped(connection, silent, inputs, nobodyLooks, newRun()), { code: 'database-silent' });
    assert.deepEqual(connection.asked, []);
  });

  test('where it cannot be created, the reason is named', async () => {
    for (const [answer, message, hint] of [
      ['plain-user shop\n', /no database "shop", and "app" is not a superuser/, /Nothing was changed.*"db-user"/],
      ['standby shop\n', /no database "shop", and the server is a standby/, /Nothing was changed.*primary/],
      ['missing shop\n', /no database "shop", so there is nothing to plan/, /Nothing was changed.*"plan-only"/],
    ] as const) {
      const planOnly = answer.startsWith('missing');
      const run = { ...newRun(), held: planOnly ? null : held };
      const failed = createDropped(answering(answer), refused, { ...inputs, planOnly }, async () => host(), run);
      await assert.rejects(failed, { code: 'cannot-restore', message, hint });
      assert.equal(run.created, null);
    }
  });
});

test('what is said of it at the end: no command drops what may hold data', async () => {
  const failure = new Failure('plan-stale', 'x', { hint: 'first' });
  const after = async (answer: string) =>
    (await withoutCreated(answering(`${answer}\n`), created, mine, failure)) as Failure;
  const connection = answering('dropped\n');
  assert.equal(await withoutCreated(connection, created, mine, failure), failure);
  assert.deepEqual(connection.took, [theLock]);
  assert.deepEqual(connection.asked, ['drop_created, and would finish']);
  assert.equal(await after('gone'), failure);
  for (const [fate, said] of [
    ['not-empty', /was kept: somebody has changed it/],
    ['restoring', /was kept: another restore is about to replace it/],
  ] as const) {
    const { hint = '' } = await after(fate);
    assert.match(hint, said);
    assert.doesNotMatch(hint, /dropdb|The empty database/);
  }
  const broken = {
    run: () => ({ result: Promise.reject(new Failure('database-silent', 'y')) }),
  } as unknown as Connection;
  const { hint = '' } = (await withoutCreated(broken, created, mine, failure)) as Failure;
  assert.match(hint, /^first\nThe database "shop".* may still be there/);
  assert.doesNotMatch(hint, /dropdb/);
  assert.match((await after('in-use')).hint ?? '', /in use.* if it is still empty.*docker exec .*dropdb .*-- shop/);
});
