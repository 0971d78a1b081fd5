// What the host tells of a drill, and what is made of it: above all, what proves nothing of the backup.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { drill } from '../../shared/drill/drill.ts';
import { Failure } from '../../shared/failure.ts';
import type { Connection } from '../../shared/host/connection.ts';
import { Records } from '../../shared/host/records.ts';
import { verifiedSet } from './retention/host-folder.ts';

const set = verifiedSet('20261125_021700', ['daily']);
const facts =
  'sequences-before []\nlarge-objects 0\nextensions []\nmembers []\nempty-views []\ntable {"schema":"a","name":"b","rows":1,"exact":true}\nsequences-after []';
const whole: [string, string][] = [
  ['restored', '0'],
  ['restore-ms', '12'],
  ['sha256', set.manifest.sha256],
  ['facts', `${facts}\nend\n\nexit 0`],
  ['schema', 'a'.repeat(64)],
  ['indexes', 'reading 4\nend\n\nexit 0'],
  ['found', 'tool zstd'],
];

/** What becomes of what the host tells, or of how it failed; a key that comes again takes the place of the first. */
async function outcomeOf(told: [string, string][] | Failure, words: string[] = []) {
  const changes = told instanceof Failure ? [] : told;
  const changed = new Set(changes.map(([key]) => key));
  const records = new Records([...whole.filter(([key]) => !changed.has(key)), ...changes]);
  const connection: Connection = {
    name: 'db1',
    run() {
      const result = told instanceof Failure ? Promise.reject(told) : Promise.resolve(records);
      return { result, lastLines: () => words, release: async () => true };
    },
    close: async () => {},
  };
  return drill(connection, {
    sent: null,
    backupDir: '/backups',
    set,
    tables: [],
    image: 'postgres:17',
    token: '00000000',
    memory: 2 ** 30,
    largestValue: 200 * 2 ** 20,
    neededBytes: 3 * 2 ** 30,
    leastBytes: 2 ** 30,
    timezone: '',
    statements: [],
    timeout: 1,
    signal: new AbortController().signal,
    onLog: () => {},
    onProgress: () => {},
  });
}

const code = (expected: string) => (error: unknown) => error instanceof Failure && error.code === expected;

test('what is whole is told as it is', async () => {
  const { restored, fault } = await outcomeOf([]);
  assert.equal(fault, null);
  assert.deepEqual(restored?.indexes, { checked: 4, faults: [], unread: [] });
  assert.deepEqual(restored?.schema, { sha256: 'a'.repeat(64), ofFile: null, lines: [] });
  assert.deepEqual(restored?.assertions, []);
});

describe('what was not looked at to its end proves nothing', () => {
  test('facts', () => assert.rejects(outcomeOf([['facts', `${facts}\n\nexit 3`]]), code('drill-incomplete')));
  for (const schema of ['exit 1', 'cut 41943040', '']) {
    test(`a schema: ${JSON.stringify(schema)}`, () =>
      assert.rejects(outcomeOf([['schema', schema]]), code('drill-incomplete')));
  }
});

describe('what was cut off is no answer, whatever stands in it', () => {
  const cut: [key: string, text: string][] = [
    ['facts', `${facts}\nend\n`],
    ['facts', `${facts}\nend\n\nexit 0`],
    ['indexes', 'reading 4\nend\n\nexit 0'],
  ];
  for (const [key, text] of cut) {
    test(`${key}: ${JSON.stringify(text)}`, () =>
      assert.rejects(outcomeOf([[key, `${text}\ncut 4096`]]), code('drill-incomplete')));
  }
});

describe('what somebody else has said in between is no answer', () => {
  const foreign = ['table {"schema":"a"', 'table []', 'table {"schema":"a","name":"b","rows":-1,"exact":true}'];
  for (const line of foreign) {
    test(line, () =>
      assert.rejects(outcomeOf([['facts', `${line}\n${facts}\nend\n\nexit 0`]]), code('drill-incomplete')),
    );
  }
  test('a fact that is missing', () =>
    assert.rejects(outcomeOf([['facts', 'large-objects 0\nextensions []\nend\n\nexit 0']]), code('drill-incomplete')));
  test('an end on a line with something else; the reason is that something was printed, not that memory lacked', () =>
    assert.rejects(outcomeOf([['facts', `${facts}\n${'x'.repeat(900)}end\n\nexit 0`]]), (error) => {
      assert.ok(code('drill-incomplete')(error) && error instanceof Failure);
      assert.match(error.message, /^Something else was printed amid the counts/);
      assert.doesNotMatch(error.hint ?? '', /memory/);
      assert.ok(String(error.cause).length < 700);
      return true;
    }));
  test('a session that ended badly was cut short', () =>
    assert.rejects(outcomeOf([['facts', `${facts}\n\nexit 137`]]), /was cut short/));
});

describe('the disk of Docker has too little room while it goes on', () => {
  const ended = async (detail: string) => {
    const error = await outcomeOf(new Failure('drill-room-gone', detail)).catch((error) => error);
    assert.ok(error instanceof Failure);
    return `${error.message}. ${error.hint}`;
  };
  test('because of the drill: what it has filled is told, beside what was expected', async () => {
    const text = await ended(`${2 ** 20} ${4 * 2 ** 30} gone`);
    assert.match(text, /only 1\.0 MiB left, less than "min-free-space" \(1\.0 GiB\)/);
    assert.match(text, /Its container had used 4\.0 GiB; at most 2\.0 GiB was expected/);
    assert.match(text, /The container was removed .*nothing else was touched.*Check what the functions/);
  });
  test('because of others: nothing is said of the backup', async () => {
    const text = await ended(`${2 ** 20} ${2 ** 20} gone`);
    assert.match(text, /Make room, or lower "min-free-space"/);
    assert.doesNotMatch(text, /functions/);
  });
  test('for files, where bytes are free', async () => {
    const text = await ended(`${2 ** 40} ${2 ** 20} gone`);
    assert.match(text, /almost out of inodes.*docker system df\. To see which disk: df -i/);
  });
  test('what is not known is not said, and what stays is told', async () => {
    const text = await ended('unseen unseen kept');
    assert.match(
      text,
      /could no longer tell how much .*\. The container could not be removed: docker rm .* atlasia-drill-00000000/,
    );
    assert.match(text, /Check that Docker answers/);
    assert.doesNotMatch(text, /had used|NaN|Make room/);
  });
});

describe('indexes', () => {
  const indexesOf = async (said: string) => (await outcomeOf([['indexes', said]])).restored?.indexes;
  const damaged =
    'ERROR:  XX002: item order invariant violated for index "a"\nDETAIL:  Lower index tid=(1,2)\nLOCATION:  x';
  const table: [
    what: string,
    said: string,
    expected: { checked: number | null; faults: string[]; unread: string[] },
  ][] = [
    [
      'that are invalid',
      'invalid orders_pkey\nreading 3\nend\n\nexit 0',
      { checked: 3, faults: ['invalid orders_pkey'], unread: [] },
    ],
    [
      'that amcheck finds damaged, and others that it cannot read',
      `reading 3\n${damaged}\nERROR:  58P01: could not access file "$libdir/x"\nend\n\nexit 0`,
      {
        checked: 1,
        faults: ['item order invariant violated for index "a"'],
        unread: ['could not access file "$libdir/x"'],
      },
    ],
    ['without amcheck', 'unchecked\n\nexit 0', { checked: null, faults: [], unread: [] }],
    [
      'where amcheck lacks its library',
      'ERROR:  could not access file "$libdir/amcheck": No such file or directory\nunchecked\n\nexit 0',
      {
        checked: null,
        faults: [],
        unread: ['could not access file "$libdir/amcheck": No such file or directory'],
      },
    ],
    [
      'whose session was ended',
      'reading 3\n\nexit 2',
      { checked: 3, faults: [], unread: ['the session ended before all were read'] },
    ],
  ];
  for (const [what, said, expected] of table) {
    test(what, async () => assert.deepEqual(await indexesOf(said), expected));
  }
});

describe('a schema that is not as the source has it', () => {
  const again = (told: [string, string][]) => outcomeOf([['schema', 'b'.repeat(64)], ...told]);
  test('is restored a second time, and the same', async () => {
    const { restored } = await again([
      ['schema-restored', '\nexit 0'],
      ['schema-of-file', 'b'.repeat(64)],
    ]);
    assert.deepEqual(restored?.schema.ofFile, { sha256: 'b'.repeat(64) });
  });
  test('is another one: with lines', async () => {
    const { restored } = await again([
      ['schema-restored', '\nexit 0'],
      ['schema-of-file', 'c'.repeat(64)],
      ['schema-lines', '-CREATE INDEX a\n+CREATE INDEX b\n'],
    ]);
    assert.deepEqual(restored?.schema.lines, ['-CREATE INDEX a', '+CREATE INDEX b']);
  });
  for (const [said, reason] of [
    ['psql: x\nERROR:  no such role\n\nexit 41', /does not restore: ERROR: {2}no such role/],
    ['\nexit 137', /no reason given/],
    ['anything\ncut 16384', /does not restore/],
  ] as const) {
    test(`cannot be compared: ${JSON.stringify(said)}`, async () => {
      const { restored } = await again([['schema-restored', said]]);
      assert.match(JSON.stringify(restored?.schema.ofFile), reason);
    });
  }
});

test('a statement is true where it ended well and says so', async () => {
  const { restored } = await outcomeOf([
    ['reader', '\nexit 0'],
    ['assertion', 't\n\nexit 0'],
    ['assertion', 't\n\nexit 1'],
    ['assertion', 'f\n\nexit 0'],
    ['assertion', 't\n\ncut 4096'],
    ['assertion', 't\nexit 0\n\ncut 4096'],
  ]);
  assert.deepEqual(
    restored?.assertions?.map(({ isTrue }) => isTrue),
    [true, false, false, false, false],
  );
});

test('without somebody who only reads, nothing was asked', async () => {
  const { restored } = await outcomeOf([
    ['reader', 'ERROR:  no\n\nexit 3'],
    ['assertion', 't\n\nexit 0'],
  ]);
  assert.equal(restored?.assertions, null);
});

describe('a server at fault', () => {
  const killed: [string, string][] = [['restored', '41']];
  const words = ['pg_restore: error: server closed the connection unexpectedly'];
  test('proves nothing of whole bytes', () => assert.rejects(outcomeOf(killed, words), code('drill-unfit')));
  test('had no processes left: that is said, and not that it had too little memory', async () => {
    const error = await outcomeOf(killed, ['sh: 1: Cannot fork']).catch((error) => error);
    assert.match(
      `${error.message}. ${error.hint}`,
      /could not start another process \(its limit is 200\), so the drill proved nothing.*Check what the functions/,
    );
  });
  const reason = async (told: [string, string][], said: string[] = []) => {
    const error = await outcomeOf([...(told[0]?.[0] === 'restored' ? [] : killed), ...told], said).catch(
      (error) => error,
    );
    return `${error.code}: ${error.message}. ${error.hint}`;
  };
  test('ran out of memory, as the kernel says: what to set is said', async () => {
    assert.match(
      await reason([['kills', '2']]),
      /^drill-unfit: Memory ran out in the scratch container, which may use 1\.0 GiB.*Set "drill-memory" to 1536MiB/,
    );
  });
  test('ran out of memory while its data were counted', () =>
    assert.rejects(
      outcomeOf([
        ['kills', '1'],
        ['facts', `${facts}\n\nexit 2`],
      ]),
      code('drill-unfit'),
    ));
  test('was killed, nobody knows why', async () => {
    assert.match(
      await reason([['restored', '137']]),
      /^drill-unfit: .* was killed or ran out.*Raise "drill-memory" to/,
    );
  });
  test('lacks a library that the source loads', async () => {
    assert.match(await reason([['found', 'lacks library pg_cron']]), /^drill-unfit: The image lacks pg_cron, which/);
    const { fault } = await outcomeOf([['found', 'lacks library pg_cron']]);
    assert.equal(fault, null, 'what restores without it is good');
  });
  const lacking: [said: string, what: RegExp][] = [
    [
      'could not connect to server "far"',
      /asks another server, .* and the scratch container has no network, so the drill proved nothing/,
    ],
    ['could not connect to server …', /has no network/],
    ['could not establish connection', /has no network/],
    ['could not open file "/imports/prices.csv" for reading: No such file or directory', /lacks a file that/],
    ['could not open file … for reading: No such file or directory', /lacks a file that/],
    ['could not open dictionary file "/usr/share/x.dict": No such file or directory', /lacks a file that/],
    ['could not open stop-word file …: No such file or directory', /lacks a file that/],
    ['could not create locale "xx_XX.utf8": No such file or directory', /lacks a locale of the source/],
    ['collation "pg_catalog.de_DE.utf8" for encoding "UTF8" does not exist', /lacks a locale of the source/],
    ['could not find function "f" in file "/usr/lib/x.so"', /lacks an extension or library/],
    [
      'could not load library "/usr/lib/x.so": libz.so.9: cannot open shared object file',
      /lacks an extension or library/,
    ],
    ['security label provider "anon" is not loaded', /lacks an extension or library/],
  ];
  for (const [said, what] of lacking) {
    test(`and not the backup: ${said}`, async () => {
      const told = await reason([], [`pg_restore: error: could not execute query: ERROR:  ${said}`]);
      assert.match(told, /^drill-unfit: /);
      assert.match(told, what);
    });
  }
  test('but not for a table that is not there', async () => {
    const said = 'pg_restore: error: could not execute query: ERROR:  collation "public.mine" does not exist';
    assert.match((await outcomeOf(killed, [said])).fault?.why ?? '', /does not restore/);
  });
  test('lacks a locale: that matters where there is money', async () => {
    const lacks: [string, string] = ['found', 'lacks lc_monetary'];
    await assert.rejects(outcomeOf([lacks, ['money', 't\n\nexit 0']]), code('drill-unfit'));
    await assert.rejects(outcomeOf([lacks]), code('drill-unfit'));
    assert.equal((await outcomeOf([lacks, ['money', 'f\n\nexit 0']])).fault, null);
    const said = ['ERROR:  invalid input syntax for type money: "1,50 E"'];
    assert.match(await reason([lacks], said), /^drill-unfit: The image lacks the locale/);
  });
  test('does not excuse damaged ones', async () => {
    const { fault } = await outcomeOf([...killed, ['sha256', '0'.repeat(64)]], words);
    assert.match(fault?.why ?? '', /does not restore/);
  });
});
