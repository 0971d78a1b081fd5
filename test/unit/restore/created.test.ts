// A database that is created for a restore because it was dropped: whoever it belongs to, and whatever is in it by now, nobody
// loses anything, and nothing stays that nobody knows of.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { RollbackInputs } from '../../../rollback-action/inputs.ts';
import { type Created, createDropped, withoutCreated } from '../../../rollback-action/restoring.ts';
import { Failure } from '../../../shared/failure.ts';
import type { Connection } from '../../../shared/host/connection.ts';
import { replaceScript } from '../../../shared/postgres/scripts.ts';
import { quoteForShell } from '../../../shared/shell-quote.ts';
import { acceptsWith, host, tools } from '../surveyed-host.ts';

/** Runs a verb of the real script. What the server answers to a statement stands by a part of it; FAIL: it fails. */
function inContainer(verb: string, answers: Readonly<Record<string, string>>) {
  const cases = Object.entries(answers).map(
    ([part, answer]) => `*${quoteForShell(part)}*) answer=${quoteForShell(answer)} ;;`,
  );
  const server = `
    psql() {
      said="$* $(cat)" answer=''
      printf '%s\\n' "$said" >&2
      case $said in ${cases.join('\n')} esac
      [ "$answer" != FAIL ] || return 3
      [ -z "$answer" ] || printf '%s\\n' "$answer"
    }`;
  // In place of the program, but known to all functions of the script.
  const script = `${server}\n${replaceScript()}`;
  const { stdout, stderr, status } = spawnSync('sh', ['-c', script, 'inside', verb], {
    encoding: 'utf8',
    input: '',
    env: { PATH: process.env['PATH'] ?? '', PGUSER: 'u', PGDATABASE: 'shop' },
  });
  return { stdout, stderr, status };
}

const lacks = { "SELECT 'missing ' ||": 'missing shop' };

describe('it is dropped again only as it was created', () => {
  const dropped = { 'FROM pg_database d WHERE datname = current_database()': 't' };
  for (const [what, answers, said] of [
    ['nothing is in it', dropped, 'dropped'],
    ['it is gone', lacks, 'gone'],
    ['somebody has changed it', { 'FROM pg_database d WHERE datname = current_database()': 'f' }, 'not-empty'],
    ['another restore fills its copy', { ...dropped, 'atlasia.restore=incomplete': '1' }, 'restoring'],
    ['somebody is connected', { ...dropped, 'DROP DATABASE': 'FAIL' }, 'in-use'],
  ] as const)
    test(what, () => {
      const { stdout, stderr, status } = inContainer('drop_created', answers);
      assert.deepEqual([stdout, status], [`${said}\n`, 0], stderr);
      assert.equal(stderr.includes('DROP DATABASE'), said === 'dropped' || said === 'in-use', stderr);
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

/** A host whose real program gets this answer out of the container. */
function answering(answer: string): Connection {
  const script = `
    set -euo pipefail
    takes() { :; }; takes_word() { :; }; record() { printf %s "$2"; }; docker() { printf %s "$answer"; }
    source "$1"
    answer=$2 container=c user= database= server_host= server_port= password_from= inside_script= verb=v
    main`;
  const file = join(import.meta.dirname, '../../../shared/restore/create-missing.sh');
  const { stdout } = spawnSync('bash', ['-c', script, 'bash', file, answer], { encoding: 'utf8' });
  return { run: () => ({ result: Promise.resolve({ get: () => stdout }) }) } as unknown as Connection;
}
const inputs = { databaseService: 'db', databaseName: null, databaseUser: null, planOnly: false } as RollbackInputs;
const surveyed = (probe: string) => ({ output: `${tools}pg-dump pg_dump (PostgreSQL) 17.1\n${probe}` });
const leftover = host({ probe: surveyed(acceptsWith({ isLeftover: true })) });
const refused = host({ probe: surveyed('refuses FATAL:  database "shop" does not exist') });
const created: Created = {
  server: { container: 'c', user: 'app', database: 'shop', access: { place: null, password: null } },
  containerName: 'db',
};
const newRun = (before: Created | null = null) => ({ created: before, signal: new AbortController().signal });
const nobodyLooks = () => assert.fail('looked again');

describe('whose it is', () => {
  test("one that was left is taken over, unless somebody's work on the host is not over", async () => {
    const run = newRun();
    await createDropped(answering(''), leftover, inputs, nobodyLooks, run);
    assert.equal(run.created?.server.database, 'shop');
    const other = newRun();
    await createDropped(answering(''), { ...leftover, lockHolder: 'a' }, inputs, nobodyLooks, other);
    assert.equal(other.created, null);
  });

  test('one that this run has created is not found to be left by another', async () => {
    const run = newRun(created);
    assert.equal(await createDropped(answering(''), leftover, inputs, nobodyLooks, run), leftover);
    assert.equal(run.created, created);
  });

  test('one that is missing is created, and known to be ours whatever comes then', async () => {
    const run = newRun();
    const look = async (name: string | null) => (name === null ? Promise.reject(new Error('lost')) : host());
    await assert.rejects(createDropped(answering('created a\nb \n'), refused, inputs, look, run), /lost/);
    assert.equal(run.created?.server.database, 'a\nb ');
  });

  test('where it cannot be created, the reason is named', async () => {
    for (const [answer, message, hint] of [
      ['plain-user shop\n', /no database "shop", and "app" is not a superuser/, /Nothing was changed.*"db-user"/],
      ['standby shop\n', /no database "shop", and the server is a standby/, /Nothing was changed.*primary/],
      ['missing shop\n', /no database "shop", so there is nothing to plan/, /Nothing was changed.*"plan-only"/],
    ] as const) {
      const run = newRun();
      const failed = createDropped(answering(answer), refused, inputs, async () => host(), run);
      await assert.rejects(failed, { code: 'cannot-restore', message, hint });
      assert.equal(run.created, null);
    }
  });
});

test('what is said of it at the end: no command drops what may hold data', async () => {
  const failure = new Failure('plan-stale', 'x', { hint: 'first' });
  const after = async (answer: string) => (await withoutCreated(answering(`${answer}\n`), created, failure)) as Failure;
  assert.equal(await after('dropped'), failure);
  assert.equal(await after('gone'), failure);
  for (const [fate, said] of [
    ['not-empty', /was kept: somebody has changed it/],
    ['restoring', /was kept: a restored copy is waiting/],
  ] as const) {
    const { hint = '' } = await after(fate);
    assert.match(hint, said);
    assert.doesNotMatch(hint, /dropdb|The empty database/);
  }
  const broken = {
    run: () => ({ result: Promise.reject(new Failure('database-silent', 'y')) }),
  } as unknown as Connection;
  const { hint = '' } = (await withoutCreated(broken, created, failure)) as Failure;
  assert.match(hint, /^first\nThe database "shop".* may still be there/);
  assert.doesNotMatch(hint, /dropdb/);
  assert.match((await after('in-use')).hint ?? '', /in use.* if it is still empty.*docker exec .*dropdb .*-- shop/);
});
