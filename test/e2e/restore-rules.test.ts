// What runs in the database's container while a database is restored, rule by rule: the copy is closed until it is live, nothing of
// an earlier run stays, and no exchange that comes late overtakes its undoing.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeEach, describe, test } from 'node:test';
import { replaceScript } from '../../shared/postgres/scripts.ts';
import { attempt, type Outcome } from '../lab/command.ts';
import { identifier } from '../lab/database.ts';
import { until } from '../lab/faults.ts';
import { hostForFile } from './stage.ts';

const { host } = await hostForFile({ name: 'restore-rules', seed: false });
const db = host.database;
const live = 'shop';
const copy = 'shop_restore_0123abcd';
const aside = 'shop_before_20261127_021700';
const image = "ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'";

/** Runs a function of the script, as the programs on the host do. */
async function inside(verb: string, words: readonly string[], input = ''): Promise<Outcome> {
  const names = ['--env', 'PGUSER=atlasia', '--env', `PGDATABASE=${live}`];
  const script = ['sh', '-c', replaceScript(), 'inside', verb, ...words];
  return attempt(['docker', 'exec', '--interactive', ...names, await host.container('db'), ...script], {
    env: host.env,
    input,
  });
}

async function done(verb: string, words: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await inside(verb, words, input);
  assert.equal(code, 0, `${verb}: ${stderr}`);
  return stdout.trim();
}

const restored = async (name = copy, mark = 'complete') => {
  await done('create', [name, live], image);
  await done('mark', [name, live, mark]);
};
const present = async () =>
  (await db.psql("SELECT datname FROM pg_database WHERE datname ~ '^(shop|other)' ORDER BY 1", 'postgres'))
    .split('\n')
    .filter(Boolean);
const exchange = (verb: string, limit = '7') => inside(verb, [live, copy, aside, limit]);
const isOld = async () => (await db.psql("SELECT to_regclass('old') IS NOT NULL", live)) === 't';
const comesIn = async (name: string) => (await db.tryPsql('SELECT 1', name)).code === 0;

/** Whether a role that is no superuser gets in. */
async function plainComesIn(name: string): Promise<boolean> {
  const words = ['exec', '--env', 'PGUSER=plain', '--env', `PGDATABASE=${name}`, await host.container('db')];
  return (await attempt(['docker', ...words, 'psql', '-XAtc', 'SELECT 1'], { env: host.env })).code === 0;
}

/** A session of another's, in the midst of things: what it is told is done when the promise is fulfilled. */
async function session(database: string) {
  const [program = '', ...words] = await db.psqlCommand(database);
  const child = spawn(program, words, { env: host.env, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  return {
    async tell(statements: string): Promise<void> {
      child.stdin.write(`${statements}; SELECT 'done';\n`);
      await once(child.stdout, 'data');
    },
    async end(): Promise<void> {
      child.stdin.end();
      await ended;
    },
  };
}

/** Waits within the server, since an exchange gives up after a few seconds. */
const untilSomebodyWaits = (locktype: 'object' | 'advisory') =>
  `DO $$ BEGIN WHILE clock_timestamp() < statement_timestamp() + interval '20 s'
     AND NOT EXISTS (SELECT FROM pg_locks WHERE locktype = '${locktype}' AND NOT granted) LOOP
     PERFORM pg_sleep(0.02); END LOOP; END $$`;

beforeEach(async () => {
  for (const name of await present()) {
    const drops = `SELECT format('ALTER SUBSCRIPTION %I DISABLE', subname), format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', subname),
      format('DROP SUBSCRIPTION %I', subname) FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database() \\gexec`;
    if (await comesIn(name)) await db.psql(drops, name);
    await db.drop(name);
  }
  await db.psql('DROP ROLE IF EXISTS plain; CREATE ROLE plain LOGIN;', 'postgres');
  await db.create(live);
  await db.psql('CREATE TABLE old (id int);', live);
});

describe('the copy is closed until it is live', () => {
  test('from its first moment: nobody comes in before it is marked, and then superusers alone', async () => {
    await done('create', [copy, live], image);
    const [row] = await db.rows<object>(
      `SELECT datallowconn, datconnlimit, setconfig FROM pg_database d JOIN pg_db_role_setting ON setdatabase = d.oid WHERE datname = '${copy}'`,
      'postgres',
    );
    assert.deepEqual(row, {
      datallowconn: true,
      datconnlimit: 0,
      setconfig: [`atlasia.restore=incomplete, for ${live}`],
    });
    assert.equal(await plainComesIn(live), true);
    assert.equal(await plainComesIn(copy), false);
    assert.equal(await comesIn(copy), true);
  });

  test('and where its creator dies before the mark, nobody can come in at all', async () => {
    const unmarked = replaceScript().replace(/^mark\(\) \{$/m, '$&\n  exit 9');
    assert.notEqual(unmarked, replaceScript());
    const names = ['--env', 'PGUSER=atlasia', '--env', `PGDATABASE=${live}`];
    const words = ['exec', '--interactive', ...names, await host.container('db'), 'sh', '-c', unmarked, 'inside'];
    await attempt(['docker', ...words, 'create', copy, live], { env: host.env, input: image });
    assert.deepEqual(await present(), [live, copy]);
    assert.equal(await comesIn(copy), false);
    await done('sweep', [live, copy]);
    assert.deepEqual(await present(), [live]);
  });

  test('settings of its own, which would let others in, do not yet', async () => {
    await done('create', [copy, live], image);
    await done('take_settings', [copy], `ALTER DATABASE ${identifier(copy)} CONNECTION LIMIT -1;`);
    assert.equal(await plainComesIn(copy), false);
    assert.equal(await comesIn(copy), true);
  });

  test('once it is live, it has the limit that it should, and the old one is closed', async () => {
    await restored();
    assert.equal((await exchange('exchange')).stdout.trim(), 'exchanged');
    assert.equal(await isOld(), false);
    assert.deepEqual(
      await db.psql(
        "SELECT datname, datconnlimit, datallowconn FROM pg_database WHERE datname ~ '^shop' ORDER BY 1",
        'postgres',
      ),
      `shop|7|t\n${aside}|0|t`,
    );
    assert.equal(await plainComesIn(live), true);
    assert.equal(await plainComesIn(aside), false);
    assert.equal(await db.psql("SELECT current_setting('atlasia.restore', true) IS NULL", live), 't');
  });
});

describe('what the live database is to its server, the restored one becomes', () => {
  const isTemplate = async () =>
    (
      await db.psql("SELECT datname FROM pg_database WHERE datistemplate AND datname ~ '^shop' ORDER BY 1", 'postgres')
    ).split('\n');

  test('a template from which others are made; and the old one, which is none any more, can be dropped', async () => {
    await db.psql(`ALTER DATABASE ${live} IS_TEMPLATE true;`, 'postgres');
    await restored();
    try {
      assert.equal((await exchange('exchange')).stdout.trim(), 'exchanged');
      assert.deepEqual(await isTemplate(), [live]);
      assert.equal((await exchange('exchange_back', '-1')).stdout.trim(), 'exchanged-back');
      assert.deepEqual(await isTemplate(), [live]);
      assert.equal(await isOld(), true);
      await done('discard', [copy, live]);
      assert.deepEqual(await present(), [live]);
    } finally {
      for (const name of await isTemplate())
        if (name !== '') await db.psql(`ALTER DATABASE "${name}" IS_TEMPLATE false;`, 'postgres');
    }
  });

  test('on a server that somebody has made read-only, so that nobody writes meanwhile', async () => {
    await db.psql('ALTER SYSTEM SET default_transaction_read_only = on; SELECT pg_reload_conf();', 'postgres');
    try {
      await restored();
      await done('take_settings', [copy], `ALTER DATABASE ${identifier(copy)} SET work_mem = '9MB';`);
      assert.equal((await exchange('exchange')).stdout.trim(), 'exchanged');
      assert.equal((await exchange('exchange_back', '-1')).stdout.trim(), 'exchanged-back');
      await done('sweep', [live, copy]);
      assert.deepEqual(await present(), [live]);
    } finally {
      await db.psql(
        'SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf();',
        'postgres',
      );
    }
  });
});

describe('what a restore must know of the server', () => {
  /** The first line is JSON, the next three the free bytes of disks. */
  const told = async () => (await done('standing', [])).split('\n');
  const standing = async () => JSON.parse((await told())[0] ?? '') as Record<string, unknown>;

  test('what is nowhere is said to be nowhere', async () => {
    const { prepared, slots, subscriptions, labels, elsewhere, isStandby, cronDatabase, isEmpty, tablespace } =
      await standing();
    assert.deepEqual([prepared, slots, subscriptions, labels, elsewhere], [[], [], [], [], []]);
    assert.deepEqual([isStandby, cronDatabase, isEmpty, tablespace], [false, null, false, 'pg_default']);
    assert.equal((await told())[3], 'none');
  });

  test('all that holds a database: prepared transactions, slots, labels, and a disk of its own', async () => {
    const container = await host.container('db');
    const restart = async () => {
      await host.docker('restart', container);
      await until('the server is up', async () => ((await comesIn('postgres')) ? true : undefined));
    };
    await db.psql('ALTER SYSTEM SET max_prepared_transactions = 5;', 'postgres');
    await db.psql('ALTER SYSTEM SET wal_level = logical;', 'postgres');
    await restart();
    // A disk of its own, in every container.
    await host.docker('exec', container, 'sh', '-c', 'mkdir /dev/shm/fast && chown postgres: /dev/shm/fast');
    try {
      await db.psql("CREATE TABLESPACE fast LOCATION '/dev/shm/fast';", 'postgres');
      await db.psql(`ALTER DATABASE ${live} SET TABLESPACE fast;`, 'postgres');
      await db.psql('CREATE INDEX apart ON old (id) TABLESPACE pg_default;', live);
      // In this order: a slot waits for every transaction that is there before it.
      await db.psql("SELECT pg_create_logical_replication_slot('debezium', 'test_decoding');", live);
      await db.psql("BEGIN; INSERT INTO old VALUES (1); PREPARE TRANSACTION 'left over';", live);
      // As if its provider were there.
      await db.psql(
        "SET allow_system_table_mods = on; INSERT INTO pg_shseclabel SELECT oid, 'pg_database'::regclass, 'selinux', 'x' FROM pg_database WHERE datname = current_database();",
        live,
      );
      const { prepared, slots, labels, tablespace, elsewhere, dataFolder, extensions } = await standing();
      assert.deepEqual([prepared, slots, labels], [['left over'], ['debezium'], ['selinux']]);
      assert.deepEqual([tablespace, elsewhere, dataFolder], ['fast', ['pg_default'], '/dev/shm/fast']);
      const [, free, walFree, otherFree] = (await told()).map(Number);
      assert.ok(Number(free) < Number(walFree), `${free} and ${walFree} bytes`);
      // pg_default, on the disk of the log.
      assert.ok(Number(free) < Number(otherFree), `${free} and ${otherFree} bytes`);
      // A database beside it does not lie there, but SQL text may name the tablespace.
      const watched = (format: string) =>
        host.docker(
          'exec',
          container,
          'sh',
          '-c',
          `sleep 2 | PGUSER=atlasia sh -c "$1" inside watch_disk / "$2" "$3" none_restore_00000000 none; :`,
          'sh',
          replaceScript(),
          String(Number(free) + 1),
          format,
        );
      assert.equal((await watched('plain')).trim().split('\n').length, 2);
      assert.equal((await watched('custom')).trim().split('\n').length, 1);
      assert.ok((extensions as string[]).includes('plpgsql') && !(extensions as string[]).includes('postgis'));
    } finally {
      await db.psql("ROLLBACK PREPARED 'left over'; SELECT pg_drop_replication_slot('debezium');", live);
      await db.drop(live);
      await db.psql('DROP TABLESPACE fast;', 'postgres');
      await db.psql('ALTER SYSTEM RESET ALL;', 'postgres');
      await restart();
    }
  });
});

describe('a database that was created for a restore which came to nothing', () => {
  const missing = 'other';
  const inMissing = async (verb: string, database = missing, user = 'atlasia'): Promise<string> => {
    const names = ['--env', `PGUSER=${user}`, '--env', `PGDATABASE=${database}`];
    const words = ['exec', '--interactive', ...names, await host.container('db'), 'sh', '-c', replaceScript()];
    const { stdout } = await attempt(['docker', ...words, 'inside', verb], { env: host.env, input: '' });
    return stdout.trim();
  };

  test('goes again', async () => {
    assert.equal(await inMissing('create_missing'), `created ${missing}`);
    assert.deepEqual(await present(), [missing, live]);
    assert.equal(await inMissing('create_missing'), '');
    assert.equal(await inMissing('drop_created'), 'dropped');
    assert.deepEqual(await present(), [live]);
    assert.equal(await inMissing('drop_created'), 'gone');
  });

  test('is not created by a user who could not mark it, and not under a name that is taken meanwhile', async () => {
    await db.psql('CREATE ROLE maker LOGIN CREATEDB;', 'postgres');
    assert.equal(await inMissing('create_missing', missing, 'maker'), `plain-user ${missing}`);
    assert.deepEqual(await present(), [live]);
    await db.create(missing);
    assert.equal(await inMissing('create_marked'), '');
    assert.deepEqual(await present(), [missing, live]);
  });

  test('has a name of many bytes, too', async () => {
    const long = `shop ${'é'.repeat(29)}`;
    assert.equal(await inMissing('create_missing', long), `created ${long}`);
    assert.equal(await inMissing('drop_created', long), 'dropped');
  });

  test('has a mark that no backup takes along', async () => {
    await inMissing('create_missing');
    await db.psql(`ALTER DATABASE ${missing} SET work_mem = '9MB';`, 'postgres');
    // An application may be called as we are.
    await db.psql(`ALTER DATABASE ${missing} SET atlasia.tenant = '7';`, 'postgres');
    const settings = await inMissing('settings');
    assert.match(settings, /work_mem/);
    assert.match(settings, /atlasia\.tenant/);
    assert.doesNotMatch(settings, /atlasia\.created/);
  });

  test('stays while another restore fills the copy that is to replace it', async () => {
    await inMissing('create_missing');
    const its = `${missing}_restore_0123abcd`;
    await done('create', [its, missing], image);
    assert.equal(await inMissing('drop_created'), 'restoring');
    await done('mark', [its, missing, 'withdrawn']);
    assert.equal(await inMissing('drop_created'), 'dropped');
  });

  test('is known again by whoever comes next, as long as nothing is in it', async () => {
    const isLeftover = async (database: string) =>
      (JSON.parse(/^accepts (.*)$/m.exec(await inMissing('probe', database))?.[1] ?? '') as { isLeftover: boolean })
        .isLeftover;
    await inMissing('create_missing');
    assert.deepEqual([await isLeftover(missing), await isLeftover(live)], [true, false]);
    await db.psql('CREATE TABLE mine (id int);', missing);
    assert.equal(await isLeftover(missing), false);
    // An empty one that somebody has made is theirs.
    await db.drop(missing);
    await db.create(missing);
    assert.equal(await isLeftover(missing), false);
  });

  test('is told from another that has its name by now: a restore may exchange them while it is dropped', async () => {
    await inMissing('create_missing');
    // As if that came between the look and the drop.
    const names = ['--env', 'PGUSER=atlasia', '--env', `PGDATABASE=${missing}`];
    const late = replaceScript().replace(
      /^ {2}copies=\$\(copies_under_way\) \|\| return$/m,
      '$&\n  echo looked\n  read -r _',
    );
    assert.notEqual(late, replaceScript());
    const container = await host.container('db');
    const dropping = spawn(
      'docker',
      ['exec', '--interactive', ...names, container, 'sh', '-c', late, 'inside', 'drop_created'],
      {
        env: host.env,
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    const [looked] = await once(dropping.stdout, 'data');
    assert.equal(String(looked).trim(), 'looked');
    const said = once(dropping.stdout, 'data');
    await db.psql(`ALTER DATABASE ${missing} RENAME TO other_before;`, 'postgres');
    await db.create(missing);
    dropping.stdin.end('\n');
    assert.equal(String((await said)[0]).trim(), 'not-empty');
    assert.deepEqual(await present(), [missing, 'other_before', live]);
  });

  test('but not if somebody has put anything into it, or is connected', async () => {
    for (const statement of [
      'CREATE TABLE mine (id int)',
      'CREATE SCHEMA mine',
      'CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
      'SELECT lo_create(0)',
      'SET client_min_messages = error; CREATE PUBLICATION mine FOR ALL TABLES',
      'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC',
      'CREATE FOREIGN DATA WRAPPER mine',
      'CREATE COLLATION mine FROM "C"',
      'CREATE TEXT SEARCH CONFIGURATION mine (COPY = simple)',
      'CREATE CAST (int AS point) WITH INOUT',
      'REVOKE ALL ON SCHEMA public FROM PUBLIC',
      `GRANT CREATE ON DATABASE ${missing} TO PUBLIC`,
      `ALTER DATABASE ${missing} SET work_mem = '9MB'`,
      `ALTER ROLE atlasia IN DATABASE ${missing} SET work_mem = '9MB'`,
    ]) {
      await inMissing('create_missing');
      await db.psql(`${statement};`, missing);
      assert.equal(await inMissing('drop_created'), 'not-empty', statement);
      assert.deepEqual(await present(), [missing, live], statement);
      await db.drop(missing);
    }
    await inMissing('create_missing');
    const guest = await session(missing);
    await guest.tell('SELECT');
    assert.equal(await inMissing('drop_created'), 'in-use');
    await guest.end();
    assert.deepEqual(await present(), [missing, live]);
  });
});

describe('what earlier runs have left is swept', () => {
  const subscribe = (name: string) =>
    db.psql(
      `SET client_min_messages = error; CREATE SUBSCRIPTION "from ""there""" CONNECTION 'host=nowhere.invalid' PUBLICATION p WITH (connect = false, slot_name = 'there')`,
      name,
    );

  test('whatever their mark says, and nothing else', async () => {
    const left = ['incomplete', 'complete', 'withdrawn'];
    for (const [at, mark] of left.entries()) await restored(`shop_restore_0000000${at}`, mark);
    // One that somebody made, as people call theirs; one of another database; one that somebody looks into.
    await db.create('shop_restore_20261127');
    await done('create', ['other_restore_00000000', 'other'], image);
    await restored('shop_restore_0000000a');
    await subscribe('shop_restore_0000000a');
    const looker = await session('shop_restore_0000000a');
    await looker.tell('SELECT');
    await done('sweep', [live, copy]);
    const kept = await present();
    assert.equal(await db.psql('SELECT count(*) FROM pg_subscription', 'postgres'), '1');
    await looker.end();
    assert.deepEqual(kept, ['other_restore_00000000', live, 'shop_restore_0000000a', 'shop_restore_20261127']);
    await done('sweep', [live, copy]);
    assert.deepEqual(await present(), ['other_restore_00000000', live, 'shop_restore_20261127']);
  });

  test('one that has no mark, only if it is empty, and closed as nobody closes one', async () => {
    await db.psql('CREATE DATABASE shop_restore_00000001 ALLOW_CONNECTIONS false CONNECTION LIMIT 0;', 'postgres');
    await db.psql('CREATE DATABASE shop_restore_00000002 CONNECTION LIMIT 0;', 'postgres');
    await db.psql('CREATE DATABASE shop_restore_00000003 ALLOW_CONNECTIONS false;', 'postgres');
    await db.create('shop_restore_00000004');
    await db.psql('CREATE TABLE much AS SELECT n FROM generate_series(1, 100000) n;', 'shop_restore_00000004');
    await db.psql('ALTER DATABASE shop_restore_00000004 ALLOW_CONNECTIONS false CONNECTION LIMIT 0;', 'postgres');
    await db.psql('CREATE DATABASE other_restore_00000001 ALLOW_CONNECTIONS false CONNECTION LIMIT 0;', 'postgres');
    await done('sweep', [live, copy]);
    assert.deepEqual(await present(), [
      'other_restore_00000001',
      live,
      'shop_restore_00000002',
      'shop_restore_00000003',
      'shop_restore_00000004',
    ]);
  });

  test('also one that has subscriptions, whose slots it leaves alone', async () => {
    await restored();
    await subscribe(copy);
    // Of the source; what it does would be done with our rights.
    await db.psql(
      `CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'forbidden'; END $$;
       CREATE EVENT TRIGGER forbid ON ddl_command_start WHEN TAG IN ('ALTER SUBSCRIPTION', 'DROP SUBSCRIPTION') EXECUTE FUNCTION forbid();`,
      copy,
    );
    assert.equal(await done('sweep', [live, copy]), '');
    assert.deepEqual(await present(), [live]);
  });

  test('whatever it is told to drop, it drops no database that is live, or is not called as a copy', async () => {
    await done('discard', ['shop_restore_0000000b', live]);
    await done('drop_copy', [live, 'other']);
    await db.create('shop_restore_0000000b');
    await done('drop_copy', ['shop_restore_0000000b', 'shop_restore_0000000b']);
    assert.deepEqual(await present(), [live, 'shop_restore_0000000b']);
    await done('drop_copy', ['shop_restore_0000000b', live]);
    assert.deepEqual(await present(), [live]);
  });

  test('and a copy whose restore has failed is dropped with them, even if it was closed to all', async () => {
    await restored(copy, 'incomplete');
    await subscribe(copy);
    await done('empty_out', [copy]);
    await done('discard', [copy, live, 'incomplete']);
    assert.deepEqual(await present(), [live]);
  });
});

describe('no exchange that comes late overtakes its undoing', () => {
  test('one that was withdrawn is refused, and the old database is open again', async () => {
    await restored();
    assert.equal((await exchange('exchange_back', '-1')).stdout.trim(), 'exchanged-back');
    const late = await exchange('exchange');
    assert.notEqual(late.code, 0);
    assert.deepEqual(await present(), [live, copy]);
    assert.equal(await isOld(), true);
    assert.equal(await plainComesIn(live), true);
  });

  test('one that is under way is waited for, and undone', async () => {
    await restored();
    // The exchange holds its lock and cannot rename.
    const holder = await session('postgres');
    await holder.tell(`BEGIN; COMMENT ON DATABASE ${live} IS 'held'`);
    const exchanging = exchange('exchange');
    await holder.tell(untilSomebodyWaits('object'));
    const back = exchange('exchange_back', '3');
    await holder.tell(`${untilSomebodyWaits('advisory')}; COMMIT`);
    await holder.end();
    assert.equal((await exchanging).stdout.trim(), 'exchanged');
    assert.equal((await back).stdout.trim(), 'exchanged-back');
    assert.deepEqual(await present(), [live, copy]);
    assert.equal(await isOld(), true);
    assert.equal(await db.psql(`SELECT datconnlimit FROM pg_database WHERE datname = '${live}'`, 'postgres'), '3');
  });

  test('however eagerly a pooler connects again, as a superuser, and whatever somebody has left open', async () => {
    await restored();
    const idle = await session(live);
    await idle.tell('BEGIN; LOCK TABLE old; SELECT 1');
    const container = await host.container('db');
    const hammer =
      'rm -f /tmp/enough; while [ ! -e /tmp/enough ]; do for n in 1 2 3 4; do psql -XAtqc "SELECT pg_sleep(1)" >/dev/null 2>&1 & done; wait; done';
    const names = ['--env', 'PGUSER=atlasia', '--env', `PGDATABASE=${live}`];
    const pooler = attempt(['docker', 'exec', ...names, container, 'sh', '-c', hammer], { env: host.env });
    await until('the pooler is there', async () =>
      (await db.psql("SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'")) === '4'
        ? true
        : undefined,
    );
    try {
      assert.equal((await exchange('exchange')).stdout.trim(), 'exchanged');
      assert.equal(await isOld(), false);
      assert.equal((await exchange('exchange_back', '-1')).stdout.trim(), 'exchanged-back');
      assert.equal(await isOld(), true);
    } finally {
      await host.docker('exec', container, 'touch', '/tmp/enough');
      await pooler;
      await idle.end();
    }
  });

  test('both names change, or neither', async () => {
    await restored();
    const holder = await session('postgres');
    await holder.tell(`BEGIN; ALTER DATABASE ${copy} SET work_mem = '9MB'`);
    // Both have their names when it comes to the mark, waits for it in vain, and gives up.
    const outcome = await exchange('exchange');
    await holder.end();
    assert.notEqual(outcome.code, 0);
    assert.deepEqual(await present(), [live, copy]);
    assert.equal(await isOld(), true);
    assert.equal(await plainComesIn(live), true);
  });

  test('an exchange that was told of outlasts a crash of the server, although this one waits for no disk', async () => {
    assert.equal(await db.psql('SHOW synchronous_commit', 'postgres'), 'off');
    // Nor does it write on its own before the crash.
    await db.psql("ALTER SYSTEM SET wal_writer_delay = '10s'; SELECT pg_reload_conf();", 'postgres');
    await restored();
    try {
      assert.equal((await exchange('exchange')).stdout.trim(), 'exchanged');
      const container = await host.container('db');
      await host.docker('kill', container);
      await host.docker('start', container);
      await until('the server is up', async () => ((await comesIn('postgres')) ? true : undefined));
      assert.deepEqual(await present(), [live, aside]);
      assert.equal(await isOld(), false);
    } finally {
      await db.psql('ALTER SYSTEM RESET wal_writer_delay; SELECT pg_reload_conf();', 'postgres');
    }
  });

  test('not under a name that is taken, and then no session is ended', async () => {
    await restored();
    await db.create(aside);
    const user = await session(live);
    const outcome = await exchange('exchange');
    assert.notEqual(outcome.code, 0);
    await user.tell('SELECT 1');
    await user.end();
    assert.equal(await isOld(), true);
  });
});

describe('an exchange that is undone', () => {
  test('ends the sessions of both databases', async () => {
    await restored();
    assert.equal((await exchange('exchange')).code, 0);
    const users = [await session(live), await session(aside)];
    // A docker that is slow would come too late to be in anybody's way.
    for (const user of users) await user.tell('SELECT');
    assert.match((await exchange('exchange_back')).stdout, /exchanged-back/);
    for (const user of users) await user.end();
    assert.equal(await isOld(), true);
  });

  test('leaves both databases open where it fails', async () => {
    await restored();
    await db.psql(`ALTER DATABASE ${live} SET work_mem = '8MB'`);
    assert.equal((await exchange('exchange', '-1')).code, 0);
    const holder = await session('postgres');
    await holder.tell(`BEGIN; ALTER DATABASE ${aside} SET work_mem = '9MB'`);
    const outcome = await exchange('exchange_back', '-1');
    await holder.end();
    assert.notEqual(outcome.code, 0);
    assert.doesNotMatch(outcome.stdout, /exchanged-back/);
    assert.deepEqual(await present(), [live, aside]);
    assert.deepEqual([await plainComesIn(live), await comesIn(aside), await plainComesIn(aside)], [true, true, false]);
  });

  test('is not said to be where all three are there, or none', async () => {
    const isRefused = async () => {
      const outcome = await exchange('exchange_back');
      assert.notEqual(outcome.code, 0);
      assert.doesNotMatch(outcome.stdout, /exchanged-back/);
    };
    for (const name of [aside, copy]) await db.create(name);
    await isRefused();
    for (const name of await present()) await db.drop(name);
    await isRefused();
  });
});

test('a copy that is complete is not dropped as one that is incomplete', async () => {
  await restored();
  await inside('discard', [copy, live, 'incomplete']);
  assert.deepEqual(await present(), [live, copy]);
});
