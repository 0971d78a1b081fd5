// The decisions of a restore, as tables of examples: what is in the way, which roles are made, who has to stop, what is given up.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { endingFailure } from '../../../rollback-action/endings.ts';
import type { RollbackInputs } from '../../../rollback-action/inputs.ts';
import { demandPaired } from '../../../rollback-action/paired-backup.ts';
import { guardSchema } from '../../../rollback-action/schema-guard.ts';
import type { Plan } from '../../../shared/plan/plan.ts';
import { withRestore } from '../../../shared/plan/plan-rollback.ts';
import { nameWith } from '../../../shared/postgres/database-name.ts';
import type { DatabaseFacts } from '../../../shared/postgres/probe.ts';
import { givenUp } from '../../../shared/restore/given-up.ts';
import {
  demandNoObstacle,
  likeLive,
  type RestoreCase,
  restoreObstacles,
  restoreWarnings,
} from '../../../shared/restore/obstacles.ts';
import { connectionLimitIn, missingRoles, settingsFor } from '../../../shared/restore/roles.ts';
import type { Standing } from '../../../shared/restore/standing.ts';
import { writersOf } from '../../../shared/restore/writers.ts';
import type { Manifest } from '../../../shared/sets/manifest.ts';
import { container, projectOf, service, sha } from '../releases/shop.ts';
import { nothing } from '../transaction/no-outcome.ts';

const made = {
  encoding: 'UTF8',
  locale: 'C',
  ctype: 'C',
  localeProvider: 'libc',
  providerLocale: null,
  icuRules: null,
  serverVersion: '15.8',
} as const;
const manifest = {
  ...made,
  id: '20261127_021700',
  database: 'shop',
  startedAt: '2026-11-27T02:17:00Z',
  extensions: [{ name: 'plpgsql', version: '1.0' }],
  tables: [],
} as unknown as Manifest;
const live = { ...made, database: 'shop', user: 'admin' } as unknown as DatabaseFacts;
const standing: Standing = {
  isSuperuser: true,
  subscriptions: [],
  dataFolder: '/data',
  connectionLimit: -1,
  isStandby: false,
  labels: [],
  tablespace: 'pg_default',
  elsewhere: [],
  cronDatabase: null,
  isEmpty: false,
  prepared: [],
  slots: [],
  roles: ['admin'],
  extensions: ['plpgsql', 'pg_cron'],
  sessions: [],
  freeBytes: 10e9,
  walFreeBytes: 1e9,
  otherFreeBytes: Number.POSITIVE_INFINITY,
  services: new Map(),
};
const caseOf = (changes: {
  manifest?: Partial<Manifest>;
  live?: Partial<DatabaseFacts>;
  standing?: Partial<Standing>;
}): RestoreCase => ({
  manifest: { ...manifest, ...changes.manifest },
  live: { ...live, ...changes.live },
  standing: { ...standing, ...changes.standing },
  needed: 1e9,
  least: 1e9,
});

describe('what is in the way', () => {
  const extension = (name: string) => ({ extensions: [{ name, version: '1' }] });
  const examples: [what: string, changes: Parameters<typeof caseOf>[0], said: RegExp | null][] = [
    ['nothing', {}, null],
    ['a user that is no superuser', { standing: { isSuperuser: false } }, /"admin" is not a superuser/],
    ['a name with a line break', { live: { database: 'sh\nop' } }, /name of the database or of the user has a tab/],
    ['a user with a tab', { live: { user: 'ad\tmin' } }, /name of the database or of the user has a tab/],
    ['the template of all databases', { live: { database: 'template1' } }, /template1 is the template/],
    ['a standby', { standing: { isStandby: true } }, /server is a standby/],
    ['an older server', { manifest: { serverVersion: '16.1' } }, /PostgreSQL 16\.1, and the server is older: 15\.8/],
    ['a newer server', { live: { serverVersion: '18beta1' } }, null],
    ['pg_cron', { manifest: extension('pg_cron'), standing: { cronDatabase: 'shop' } }, /pg_cron can live in only one/],
    ['pg_cron that is installed nowhere yet', { manifest: extension('pg_cron') }, null],
    ['TimescaleDB', { manifest: extension('timescaledb') }, /TimescaleDB needs more/],
    ['an extension that the image lacks', { manifest: extension('postgis') }, /image has no postgis/],
    ['a prepared transaction', { standing: { prepared: ['tx 1'] } }, /prepared transaction .*tx 1/],
    ['a replication slot', { standing: { slots: ['debezium'] } }, /replication slots .*debezium/],
    ['a subscription', { standing: { subscriptions: ['upstream'] } }, /subscriptions .*upstream/],
    ['a disk that is too small', { standing: { freeBytes: 1.9e9 } }, /has 1\.8 GiB free/],
    [
      'a disk of which nothing is known',
      { standing: { freeBytes: null } },
      /free space on the disk of the server's data is unknown$/,
    ],
    [
      'a log on a disk that is too full',
      { standing: { walFreeBytes: 0.9e9 } },
      /\(pg_wal\) has 858\.3 MiB free, less than/,
    ],
    [
      'a log on a disk of which nothing is known',
      { standing: { walFreeBytes: null } },
      /free space on the disk .*\(pg_wal\) is unknown$/,
    ],
    [
      'another tablespace that is too full, and SQL text that may name it',
      { manifest: { format: 'plain' }, standing: { otherFreeBytes: 0.9e9 } },
      /another tablespace of the server has 858\.3 MiB free, less than/,
    ],
    [
      'another tablespace of which nothing is known, and SQL text that may name it',
      { manifest: { format: 'plain' }, standing: { otherFreeBytes: null } },
      /other tablespaces, and a backup in SQL text/,
    ],
    ['SQL text, and no other tablespace', { manifest: { format: 'plain' } }, null],
    [
      'another tablespace that is too full, and an archive, which names none',
      { standing: { otherFreeBytes: 1 } },
      null,
    ],
  ];
  for (const [what, changes, said] of examples)
    test(what, () => {
      const found = restoreObstacles(caseOf(changes));
      if (said === null) assert.deepEqual(found, []);
      else
        assert.ok(
          found.some((text) => said.test(text)),
          found.join('\n'),
        );
    });

  test('is told all at once, and nothing is restored', () => {
    demandNoObstacle(caseOf({}));
    assert.throws(() => demandNoObstacle(caseOf({ standing: { isStandby: true, slots: ['debezium'] } })), {
      code: 'cannot-restore',
      message: /^20261127_021700 cannot be restored here: the server is a standby/,
      hint: /^Nothing was changed\.\nAlso, replication slots/,
    });
  });

  test('a database like the one that it replaces, and like the source if there is nothing in that', () => {
    const changes = { manifest: { encoding: 'LATIN1' }, standing: { tablespace: 'fast' } };
    const clauses = `ENCODING 'UTF8' LOCALE_PROVIDER "libc" LC_COLLATE 'C' LC_CTYPE 'C' TABLESPACE "fast"`;
    assert.equal(likeLive(caseOf(changes)), clauses);
    assert.match(restoreWarnings(caseOf(changes), 'shop').join(), /made with .*UTF8.*, and the source .*LATIN1/);
    const empty = caseOf({ manifest: { encoding: 'LATIN1' }, standing: { isEmpty: true } });
    assert.match(likeLive(empty), /^ENCODING 'LATIN1' /);
    assert.deepEqual(restoreWarnings(empty, 'shop'), []);
  });

  test('every way to make a database has its clause, with values that may hold anything', () => {
    const icu = {
      localeProvider: 'icu',
      providerLocale: "de-u-co-'x",
      icuRules: "&a < \\g\n'",
      locale: 'de',
      ctype: 'C',
    };
    assert.equal(
      likeLive(caseOf({ live: icu as Partial<DatabaseFacts> })),
      "ENCODING 'UTF8' LOCALE_PROVIDER \"icu\" ICU_LOCALE 'de-u-co-''x' ICU_RULES E'&a < \\\\g\n''' LC_COLLATE 'de' LC_CTYPE 'C'",
    );
    const builtin = { localeProvider: 'builtin', providerLocale: 'C.UTF-8' } as const;
    assert.match(likeLive(caseOf({ live: builtin })), /LOCALE_PROVIDER "builtin" BUILTIN_LOCALE 'C\.UTF-8'/);
  });

  test('labels of the database are not restored, and that is told', () => {
    const [warning, ...others] = restoreWarnings(caseOf({ standing: { labels: ['selinux'] } }), 'shop');
    assert.deepEqual(others, []);
    assert.match(warning ?? '', /security labels of selinux, which no backup contains/);
  });

  test('tables in tablespaces of their own come to lie in that of the database, and that is told', () => {
    const standing = { elsewhere: ['fast'] };
    const [warning, ...others] = restoreWarnings(caseOf({ standing }), 'shop');
    assert.deepEqual(others, []);
    assert.match(warning ?? '', /tablespaces fast: the restored ones will all be in that of the database, pg_default/);
    assert.deepEqual(restoreWarnings(caseOf({ standing, manifest: { format: 'plain' } }), 'shop'), []);
  });

  test('sessions from elsewhere are told of', () => {
    const sessions = [
      { address: '172.18.0.3', application: 'web', count: 4 },
      { address: '10.0.0.9', application: 'metabase', count: 1 },
      { address: null, application: '', count: 2 },
    ];
    const services = new Map([['172.18.0.3', 'web']]);
    const [warning, ...others] = restoreWarnings(caseOf({ standing: { sessions, services } }), 'shop');
    assert.deepEqual(others, []);
    assert.match(warning ?? '', /1 from 10\.0\.0\.9 \(metabase\), 2 from the container's own socket/);
  });
});

describe('the roles that a server lacks', () => {
  const globals = `CREATE ROLE admin;
ALTER ROLE admin WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS;
CREATE ROLE app;
ALTER ROLE app WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB LOGIN NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 5 VALID UNTIL '2030-01-01 00:00:00+00';
CREATE ROLE "Re""ad";
ALTER ROLE "Re""ad" WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB NOLOGIN NOREPLICATION NOBYPASSRLS;
ALTER ROLE app SET search_path TO 'shop', 'public';
ALTER ROLE app SET work_mem TO '9MB'; DROP TABLE x;
GRANT "Re""ad" TO app WITH ADMIN OPTION GRANTED BY admin;
GRANT "Re""ad" TO admin GRANTED BY admin;
`;

  test('are made as they were, and what exists is not changed', () => {
    const { names, statements } = missingRoles(globals, ['admin']);
    assert.deepEqual(names, ['app', 'Re"ad']);
    assert.deepEqual(statements.trimEnd().split('\n'), [
      'CREATE ROLE app;',
      "ALTER ROLE app WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB LOGIN NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 5 VALID UNTIL '2030-01-01 00:00:00+00';",
      'CREATE ROLE "Re""ad";',
      'ALTER ROLE "Re""ad" WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB NOLOGIN NOREPLICATION NOBYPASSRLS;',
      "ALTER ROLE app SET search_path TO 'shop', 'public';",
      'GRANT "Re""ad" TO app WITH ADMIN OPTION;',
    ]);
  });

  test('none out of a name with line breaks', () => {
    const hostile = 'CREATE ROLE "a\nCREATE ROLE e;\nALTER ROLE e WITH SUPERUSER LOGIN;\nb";\nCREATE ROLE app;\n';
    assert.deepEqual(missingRoles(hostile, []).names, ['app']);
  });

  test('none out of what a role has written into its settings, or somebody into a comment', () => {
    const hostile = 'CREATE ROLE e;\nALTER ROLE e WITH SUPERUSER LOGIN;\nGRANT admin TO app;';
    for (const line of [
      `ALTER ROLE app SET "app.x" TO '\n${hostile}\n';`,
      `COMMENT ON ROLE app IS E'"\\\\\n${hostile}\n';`,
    ])
      assert.deepEqual(missingRoles(`CREATE ROLE app;\n${line}\nCREATE ROLE later;\n`, ['admin']), {
        names: ['app', 'later'],
        statements: 'CREATE ROLE app;\nCREATE ROLE later;\n',
      });
  });

  test('also behind a heading that quotes a name without care', () => {
    const made = `CREATE ROLE "Re""ad's";\n`;
    const set = `ALTER ROLE "Re""ad's" SET work_mem TO '9MB';\n`;
    assert.equal(missingRoles(`${made}--\n-- User Config "Re"ad's"\n--\n\n${set}`, []).statements, `${made}${set}`);
  });

  test('with their comments, with settings that hold backslashes, and with no more rights than they had', () => {
    const all = [
      'CREATE ROLE app;',
      "COMMENT ON ROLE app IS 'it''s';",
      `ALTER ROLE app SET "app.path" TO E'C:\\\\x ''y''';`,
      'GRANT admin TO app WITH INHERIT FALSE, SET FALSE;',
      'GRANT pg_monitor TO app WITH ADMIN OPTION, INHERIT TRUE;',
      'GRANT SET ON PARAMETER log_statement TO app;',
      'GRANT ALL ON PARAMETER "app.x" TO app WITH GRANT OPTION;',
    ];
    const others = ["COMMENT ON ROLE admin IS 'boss';", 'GRANT SET ON PARAMETER log_statement TO admin;'];
    const globals = [...all, ...others].map((line) => line.replace(/FALSE;$/, 'FALSE GRANTED BY admin;'));
    assert.deepEqual(
      missingRoles(`${globals.join('\n')}\n`, ['admin'])
        .statements.trimEnd()
        .split('\n'),
      all,
    );
  });

  test('and no statement that stands behind one on its line', () => {
    const behind = [
      'CREATE ROLE e; DROP ROLE app;',
      'ALTER ROLE app WITH LOGIN; ALTER ROLE admin WITH NOLOGIN;',
      "ALTER ROLE app SET work_mem TO '9MB'; DROP TABLE x;",
    ];
    const { statements } = missingRoles(`CREATE ROLE app;\n${behind.join('\n')}\n`, ['admin']);
    assert.equal(statements, 'CREATE ROLE app;\n');
  });

  test('none, where all are there or nothing is known', () => {
    assert.deepEqual(missingRoles(globals, ['admin', 'app', 'Re"ad']), { names: [], statements: '' });
    assert.deepEqual(missingRoles(null, []), { names: [], statements: '' });
  });
});

test('the settings of a set name another database, and nothing else in them changes', () => {
  const text = `ALTER DATABASE "my shop" OWNER TO app;
COMMENT ON DATABASE "my shop" IS 'ALTER DATABASE "my shop" is in here';
GRANT CONNECT ON DATABASE "my shop" TO PUBLIC;
ALTER ROLE app IN DATABASE "my shop" SET work_mem TO '1MB';
`;
  assert.equal(
    settingsFor(text, 'my shop', 'new'),
    text.replaceAll(/(?<=^[A-Z ]+(?:app IN )?DATABASE )"my shop"/gm, '"new"'),
  );
});

test('what a role has written into its settings names and limits no database', () => {
  const value = `'\nALTER DATABASE "shop" CONNECTION LIMIT 0;\n'`;
  const own = `ALTER ROLE app IN DATABASE "shop" SET "app.x" TO ${value};\n`;
  assert.equal(connectionLimitIn(own, 'shop'), -1);
  assert.equal(settingsFor(own, 'shop', 'new'), `ALTER ROLE app IN DATABASE "new" SET "app.x" TO ${value};\n`);
  const limit = 'ALTER DATABASE "my\nshop" CONNECTION LIMIT 4;\n';
  assert.equal(settingsFor(limit, 'my\nshop', 'new'), 'ALTER DATABASE "new" CONNECTION LIMIT 4;\n');
  assert.equal(connectionLimitIn(limit, 'my\nshop'), 4);
});

test('the limit of connections is that of the settings, or none', () => {
  const limit = 'ALTER DATABASE "new" CONNECTION LIMIT 40;';
  assert.equal(connectionLimitIn(`ALTER DATABASE "new" OWNER TO app;\n${limit}\n`, 'new'), 40);
  assert.equal(connectionLimitIn(`${limit}\n`, 'newer'), -1);
  assert.equal(connectionLimitIn('ALTER DATABASE "new" OWNER TO app;\n', 'new'), -1);
});

test('a schema that goes back with its data is not compared with that of the database now', async () => {
  const plan = { services: [{}] } as unknown as Plan;
  const inputs = { schemaGuard: 'any', planOnly: false, restore: {} } as unknown as RollbackInputs;
  assert.equal(await guardSchema({} as never, plan, {} as never, inputs, AbortSignal.timeout(1_000)), null);
});

test('a backup of another image than the pull has brought does not go with the target', () => {
  const image = { image: 'ghcr.io/acme/web:v2', tag: 'v2', digest: null, imageId: sha('2') };
  const pairedWith = new Map([['web', image]]);
  demandPaired({ pairedWith, manifest }, { to: { web: image } });
  const to = { web: { ...image, imageId: sha('4') } };
  assert.throws(() => demandPaired({ pairedWith, manifest }, { to }), { code: 'no-backup' });
  assert.throws(() => demandPaired({ pairedWith, manifest }, { to: {} }), { code: 'no-backup' });
  // One that was named was not chosen by an image.
  demandPaired({ pairedWith: new Map(), manifest }, { to });
});

type Outcome = Parameters<typeof endingFailure>[0];
const problem = 'Could not make sure that the old database is back';
const outcomeWith = (changes: Partial<Outcome>): Outcome => ({
  ...nothing,
  ending: 'failed',
  failure: { code: 'not-healthy', text: 'web is ill' },
  ...changes,
});
const ended = (changes: Partial<Outcome>) =>
  endingFailure(outcomeWith(changes), '/b/rollback/transactions/20261127_021700', {
    otherSettings: false,
    services: [],
    restore: { database: 'shop' } as Plan['restore'],
  });

test('where the old database could not be put back, the advice says so first', () => {
  const { hint } = ended({ problems: [problem] });
  assert.ok(hint?.startsWith(`${problem}. On the host: docker ps --all.`), hint);
});

test('it is said which database is live in the end, and how the other one is called', () => {
  const left = ended({ left: true });
  assert.match(left.message, /^The restore failed and was left in place: .*web is ill$/);
  assert.match(
    left.hint ?? '',
    /is in use; the old one is shop_before_20261127_021700\. To swap them back: docs\/restore\.md/,
  );
  assert.match(ended({}).message, /^The restore failed, and not everything could be put back: .*web is ill$/);
  assert.doesNotMatch(ended({}).hint ?? '', /in use/);
  assert.match(ended({ ending: 'reverted' }).hint ?? '', /is running again, with its old database, and was checked/);
  const { message, hint } = ended({ foundStopped: ['web'] });
  assert.match(message, /^Not restored, and web had stopped before the swap and is not well again/);
  assert.doesNotMatch(hint ?? '', /evidence/);
});

test('an ending of a name that we do not know is told as it was', () => {
  const { code, message } = ended({ failure: { code: 'all-is-well', text: 'x' } });
  assert.equal(code, 'stuck');
  assert.match(message, /all-is-well: x$/);
});

describe('who has to stop', () => {
  const project = projectOf(
    service('db', { image: 'postgres:15', aliases: ['main-db'] }),
    service('pool', { image: 'edoburu/pgbouncer:1' }),
    service('web', { dependsOn: [{ service: 'pool', restart: false, awaitsEnd: false }] }),
    service('worker'),
    service('mail'),
    service('queue'),
    service('search'),
    service('report'),
    service('swapped'),
    service('down'),
  );
  const names = ['db', 'pool', 'web', 'worker', 'mail', 'queue', 'search', 'report', 'swapped'];
  // The worker ends for want of its database, again and again.
  const states: Record<string, string> = { down: 'exited', worker: 'restarting' };
  const containers = [...names, 'down'].map((name) =>
    container(name, { id: name, service: name, imageId: sha('1'), state: states[name] ?? 'running' }),
  );
  const environment: Record<string, string[]> = {
    pool: ['DB_HOST=db'],
    worker: ['URL=postgres://u:p@db:5432/shop'],
    mail: ['HOST=dbmail', 'TITLE=my db-like thing'],
    queue: ['DB_HOST=main-db'],
    search: ['DB_HOST=shop-db-1'],
    down: ['DB_HOST=db'],
  };
  const settings = containers.map(({ id }) => ({ id, environment: environment[id] ?? [] }) as never);
  const sessions = [{ address: '172.18.0.9', application: '', count: 1 }];

  test('whatever is connected, depends on the database or names it, also by a pooler; and nothing else', () => {
    const found = writersOf({
      project,
      containers,
      settings,
      databaseService: 'db',
      untouched: new Set(['db']),
      swapped: new Set(['swapped']),
      standing: { sessions, services: new Map([['172.18.0.9', 'report']]) },
    });
    assert.deepEqual(
      found.map(({ service: name, why }) => `${name}: ${why}`),
      [
        'pool: one of its settings names db',
        'queue: one of its settings names main-db',
        'report: it is connected to the database',
        'search: one of its settings names shop-db-1',
        'web: it depends on pool',
        'worker: one of its settings names db',
      ],
    );
  });
});

test('what is given up, table by table as far as both manifests know it', () => {
  const table = (name: string, rows: number | null) => ({ schema: 'public', name, rows }) as never;
  const then = {
    ...manifest,
    tables: [table('orders', 10), table('gone', 3), table('same', 5), table('uncounted', null)],
  };
  const newest = {
    ...manifest,
    id: '20261127_090000',
    tables: [table('orders', 14), table('new', 2), table('same', 5)],
  };
  const now = new Date('2026-11-27T10:17:00Z');
  const [age, compared] = givenUp(then, newest, now);
  assert.match(age ?? '', /the last 8 h/);
  assert.equal(
    compared,
    'Compared with backup 20261127_090000: public.gone comes back with 3 rows, public.new did not exist (2 rows now), public.orders 14 → 10 rows',
  );
  assert.equal(givenUp(then, null, now).length, 1);
  assert.equal(givenUp(then, then, now).length, 1);
  // What another database holds says nothing of this one.
  assert.equal(givenUp(then, { ...newest, database: 'staging' }, now).length, 1);
});

test('names are cut by whole characters, so that none is taken for another', () => {
  assert.equal(nameWith('shop', '_before_x'), 'shop_before_x');
  const long = nameWith('ü'.repeat(40), '_restore_01234567');
  assert.ok(Buffer.byteLength(long) <= 63 && long.endsWith('ü_restore_01234567'));
});

test('the hash of a plan says what is restored and who stops, and not why or how it is called meanwhile', () => {
  const plan = {
    project: 'p',
    services: [],
    leftAlone: [],
    from: {},
    to: {},
    notes: [],
    projectState: 'x',
  } as unknown as Plan;
  const step = {
    backupId: '1',
    sha256: 'a',
    copy: null,
    takenAt: '',
    source: 's',
    database: 's',
    afterSqlSha256: null,
    costs: [],
    givenUp: [],
  };
  const hashOf = (why: string, name: string, id = '1') =>
    withRestore(plan, { ...step, backupId: id, restarted: [{ service: name, imageId: 'i', why }] }, []).hash;
  assert.equal(hashOf('connected', 'web'), hashOf('depends', 'web'));
  assert.notEqual(hashOf('connected', 'web'), hashOf('connected', 'worker'));
  assert.notEqual(hashOf('connected', 'web'), hashOf('connected', 'web', '2'));
});
