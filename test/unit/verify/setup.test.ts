// What a lab's host cannot show: another init, clock, user, or Docker.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Finding } from '../../../shared/drill/finding.ts';
import { gatherHistory } from '../../../shared/history/known-history.ts';
import { type Catalogue, catalogueOf } from '../../../shared/sets/catalogue.ts';
import type { Survey } from '../../../shared/survey/survey.ts';
import type { UnsetVariable } from '../../../shared/survey/survey-compose.ts';
import type { SetupSurvey } from '../../../shared/survey/survey-setup.ts';
import type { VerifyInputs } from '../../../verify-action/inputs.ts';
import { judgeSetup } from '../../../verify-action/setup/judge-setup.ts';
import { composeSurvey } from '../compose-survey.ts';
import { HostFolder } from '../retention/host-folder.ts';
import { accepts, acceptsWith, folder, host, tools } from '../surveyed-host.ts';

const quiet: SetupSurvey = {
  open: [],
  openCount: 0,
  unseen: [],
  killsSessions: 'no',
  dockerFree: 1e12,
  leftHolder: null,
};

const inputs: VerifyInputs = {
  ssh: null,
  environment: 'prod',
  deployDir: '/opt/shop',
  backupDir: '/opt/shop/backups',
  composeFiles: ['docker-compose.yml'],
  envFile: null,
  projectName: null,
  databaseService: null,
  databaseName: null,
  databaseUser: null,
  lockWait: 0,
  timeout: 7_200_000,
  history: [],
  githubToken: null,
  checks: ['setup'],
  maxBackupAge: 1,
  keep: { daily: 7, weekly: 4, monthly: 'all', predeployment: 30, prerollback: 'all' },
  timezone: 'UTC',
  encryption: 'none',
  recipients: [],
  minFreeSpace: 1,
  expect: null,
  registry: 'ghcr.io',
  login: null,
  healthUrl: null,
  healthTimeout: 1,
  stableFor: 1,
  drillBackup: 'latest',
  drillFrom: 'host',
  decryptKey: null,
  requireOffsite: false,
  offsiteKeep: { daily: 7, weekly: 4, monthly: 'all' },
  drillMemory: 1,
  drillStatements: [],
  bucket: null,
  pingUrl: null,
  mailServer: null,
  mailing: null,
  webhook: null,
  evidence: 'none',
  failOn: 'error',
};

function findingIn(
  name: string,
  changes: Partial<Survey>,
  setup: Partial<SetupSurvey> = {},
  given: Partial<VerifyInputs> = {},
  catalogue: Catalogue = catalogueOf([], new Map()),
): Finding {
  const seen = host({ setup: { ...quiet, ...setup }, ...changes });
  const { list } = judgeSetup(
    {
      hostName: 'deploy@db1',
      seen,
      catalogue,
      knownHistory: gatherHistory('prod', null, null, []),
      registry: null,
      reached: {},
      copyNotices: [],
    },
    { ...inputs, ...given },
  );
  return list.find((each) => each.name === name) ?? assert.fail(`there is no check "${name}"`);
}

const failing: [name: string, changes: Partial<Survey>, detail: RegExp, remedy: RegExp][] = [
  ['tools', { tools: new Set(['docker']) }, /has no flock/, /apt-get install/],
  ['tools', { bash: '3.2' }, /bash is 3\.2/, /apt-get install bash/],
  ['clock', { clockAhead: 400_000 }, /ahead of/, /timedatectl/],
  ['docker', { docker: { error: 'permission denied' } }, /does not answer deploy/, /usermod -aG docker deploy/],
  ['folders', { folders: [{ ...folder('/opt/shop/backups'), owner: 'root' }] }, /belongs to root/, /chown/],
  ['folders', { deployDir: null }, /does not exist/, /deploy-dir/],
  ['project', { containers: [], otherProjects: ['blog in /srv'] }, /No container/, /blog in \/srv/],
  ['database', { candidates: [] }, /No service .* PostgreSQL/, /db-service/],
  ['database accepts', { probe: { error: 'gone' } }, /No command could be run/, /docker logs/],
  [
    'pg_dump',
    { probe: { output: `tool psql\ntool pg_restore\n${accepts}` } },
    /the database container has no pg_dump$/i,
    /"db-service"/,
  ],
  [
    'pg_dump',
    { probe: { output: `${tools}pg-dump Error: You must install at least one client package\n${accepts}` } },
    /cannot dump a server of version 17\.1: Error: You must install/,
    /official image/,
  ],
  [
    'pg_dump',
    { probe: { output: `${tools}pg-dump pg_dump (PostgreSQL) 16.4\n${accepts}` } },
    /cannot dump a server of version 17\.1: 16\.4/,
    /official image/,
  ],
  [
    'docker',
    { docker: { error: 'permission denied while trying to connect' } },
    /does not answer deploy on the host: permission denied/,
    /usermod/,
  ],
  ['space', { freeBytes: 10 }, /10 bytes free|10 B/, /df -h/],
  ['compose', { compose: { error: "docker: 'compose' is not a docker command" } }, /no docker compose/, /plugin/],
];

test('a pg_dump that others have built has a version, too', () => {
  const finding = findingIn('pg_dump', {
    probe: { output: `${tools}pg-dump pg_dump (EnterpriseDB) 17.1.0\n${accepts}` },
  });
  assert.deepEqual([finding.result, finding.detail], ['passed', 'pg_dump 17.1.0 is in the container']);
});

describe('a check fails, and says what to type', () => {
  for (const [name, changes, detail, remedy] of failing) {
    test(`${name}: ${detail.source}`, () => {
      const finding = findingIn(name, changes);
      assert.equal(finding.result, 'failed');
      assert.match(finding.detail, detail);
      assert.match(finding.remedy ?? '', remedy);
    });
  }
});

describe('with encrypt: age', () => {
  const encrypted = { encryption: 'age' as const, recipients: ['age1…', 'ssh-ed25519 …'] };

  test('a host that has age is well', () => {
    const finding = findingIn('encryption', { tools: new Set([...host().tools, 'age']) }, {}, encrypted);
    assert.equal(finding.result, 'passed');
    assert.equal(finding.detail, 'age is installed; backups are encrypted to 2 keys');
  });

  test('and without it nobody looks', () => assert.throws(() => findingIn('encryption', {}), /there is no check/));

  test('one without it is told what to type', () => {
    const finding = findingIn('encryption', {}, {}, encrypted);
    assert.equal(finding.result, 'failed');
    assert.match(finding.remedy ?? '', /as root: apt-get install age/);
  });
});

test('what needs Docker could not be checked without it', () => {
  for (const name of ['project', 'database', 'database accepts', 'pg_dump', 'compressor', 'space', 'compose']) {
    assert.equal(findingIn(name, { docker: { error: 'permission denied' } }).result, 'could-not-check', name);
  }
});

describe('other databases of the server', () => {
  const shops = Array.from({ length: 44 }, (_, n) => `shop${n}`);
  const table: [otherDatabases: unknown, backedUp: string[], detail: RegExp, result: Finding['result']][] = [
    [{ count: 0, names: [] }, [], /^the server has none$/, 'passed'],
    [{ count: 1, names: ['blog'] }, [], /no verified backup of 1 other database of this server: "blog"$/, 'failed'],
    [{ count: 44, names: shops }, [], /of 44 other databases of this server: "shop0", .*"shop42", "shop43"$/, 'failed'],
    [{ count: 1_200, names: shops }, [], /of 1,200 other databases .*"shop43", and 1156 more$/, 'failed'],
    [
      { count: 1_200, names: shops },
      ['shop0', 'shop2'],
      /of 1,198 other databases of this server: "shop1", "shop3", .*"shop43", and 1156 more$/,
      'failed',
    ],
    [
      { count: 2, names: ['blog', 'wiki'] },
      ['wiki', 'blog'],
      /^all 2 other databases have a verified backup$/,
      'passed',
    ],
    [{ count: 1, names: ['blog'] }, ['blog'], /^the only other database has a verified backup$/, 'passed'],
  ];
  for (const [otherDatabases, backedUp, detail, result] of table) {
    test(`${JSON.stringify(otherDatabases).slice(0, 60)}, of which ${backedUp.length} are backed up`, () => {
      const output = `${tools}pg-dump pg_dump (PostgreSQL) 17.1\n${acceptsWith({ otherDatabases })}`;
      const backups = new HostFolder();
      for (const [at, database] of backedUp.entries()) backups.add(`2026112${at}_021700`, ['daily'], database);
      const finding = findingIn('other databases', { probe: { output } }, {}, {}, backups.catalogue());
      assert.match(finding.detail, detail);
      assert.deepEqual([finding.result, finding.severity], [result, 'warning']);
    });
  }
});

describe('a collation that was replaced under what it has sorted', () => {
  const probeOf = (collations: unknown) => ({
    probe: { output: `${tools}pg-dump pg_dump (PostgreSQL) 17.1\n${acceptsWith({}, collations)}` },
  });
  const versions = { recorded: '2.31', actual: '2.36' };

  test("the database's own", () => {
    const finding = findingIn('collations', probeOf({ default: versions, others: [], partitioned: [] }));
    assert.deepEqual([finding.result, finding.severity], ['failed', 'warning']);
    assert.match(finding.detail, /the database's own \(2\.31, now 2\.36\)$/);
    assert.match(
      finding.remedy ?? '',
      /On the host: docker exec shop-db-1 psql -X .*'--command=REINDEX DATABASE "shop"' '--command=ALTER DATABASE "shop" REFRESH COLLATION VERSION'$/,
    );
  });

  test('another, in whatever words its name is', () => {
    const others = [{ schema: 'public', name: `it's "$(id)"`, ...versions }];
    const { remedy } = findingIn('collations', probeOf({ default: null, others, partitioned: [] }));
    assert.ok(
      remedy?.endsWith(`'--command=ALTER COLLATION "public"."it'\\''s ""$(id)""" REFRESH VERSION'`),
      `${remedy}`,
    );
  });

  test('many others: a command stays short enough to be pasted, and another run tells of the rest', () => {
    const others = 'abcdefg'.split('').map((name) => ({ schema: 'public', name, ...versions }));
    const { remedy } = findingIn('collations', probeOf({ default: null, others, partitioned: [] }));
    assert.equal(remedy?.match(/ALTER COLLATION/g)?.length, 5);
    assert.match(remedy ?? '', /"e" REFRESH VERSION'\. Then run it again: it has more of them$/);
  });

  test('that of partitions, whose rows no REINDEX moves', () => {
    const partitioned = [{ schema: 'public', name: 'names' }];
    const { detail, remedy } = findingIn('collations', probeOf({ default: versions, others: [], partitioned }));
    assert.match(detail, /Rows may be in the wrong partition of public\.names$/);
    assert.match(
      remedy ?? '',
      /'--command=REINDEX DATABASE "shop"'\. It moves no rows .* Only then: ALTER DATABASE "shop" REFRESH COLLATION VERSION$/,
    );
  });

  test('could not be looked for', () => {
    assert.equal(findingIn('collations', probeOf(null)).result, 'could-not-check');
  });
});

describe('what a session has started', () => {
  const table: [what: string, user: string, setup: Partial<SetupSurvey>, result: Finding['result']][] = [
    ['goes on', 'deploy', { killsSessions: 'no' }, 'passed'],
    ['is ended with it', 'deploy', { killsSessions: 'yes' }, 'failed'],
    ['goes on without systemd', 'deploy', { killsSessions: null }, 'passed'],
    ['is not known', 'deploy', { killsSessions: 'unknown' }, 'could-not-check'],
  ];
  for (const [what, user, setup, result] of table) {
    test(what, () => {
      const finding = findingIn('sessions', { user }, setup);
      assert.equal(finding.result, result);
      if (result !== 'passed')
        assert.match(
          finding.remedy ?? '',
          new RegExp(`KillExcludeUsers=root ${user}; then systemctl restart systemd-logind$`),
        );
    });
  }
});

test('room that cannot be seen is not enough, and not too little', () => {
  assert.equal(findingIn('space for a drill', {}, { dockerFree: null }).result, 'could-not-check');
  assert.equal(findingIn('space for a drill', {}).result, 'passed');
});

test('files of somebody else need root', () => {
  const finding = findingIn(
    'modes',
    {},
    { open: [{ type: 'f', mode: '600', owner: 'root', path: 'x' }], openCount: 1 },
  );
  assert.equal(finding.detail, 'others on the host can reach x (owned by root)');
  assert.match(finding.remedy ?? '', /^As root: chown -R deploy: /);
});

describe('a variable that compose misses is told of', () => {
  const compose = composeSurvey();
  const place = { file: 'the file', line: 4 };
  const cases: [UnsetVariable, RegExp, RegExp][] = [
    [{ in: 'compose-file', ...place, name: 'TAG' }, /^the file, line 4: the variable TAG is not/, /^Set it in the env/],
    [
      { in: 'compose-file', ...place, name: null },
      /^the file, line 4: compose reads the text after a "\$" as a variable/,
      /or write "\$\$" for a literal "\$"\./,
    ],
    [
      { in: 'env-file', ...place, holder: 'PW' },
      /^the file, line 4: PW contains a "\$"/,
      /^Put the value of PW in single/,
    ],
    [
      { in: 'env-file', ...place, holder: null },
      /^the file, line 4: a value contains a "\$"/,
      /^Put the value of that line/,
    ],
    [
      { in: 'elsewhere' },
      /a file that the compose file refers to uses a variable that is not set$/,
      /^Set it in the env file/,
    ],
  ];
  for (const [variable, detail, remedy] of cases)
    test(`${JSON.stringify(variable)}`, () => {
      const finding = findingIn('compose file', { compose: { ...compose, unset: [variable] } });
      assert.deepEqual([finding.result, finding.severity], ['failed', 'warning']);
      assert.match(finding.detail, detail);
      assert.match(finding.remedy ?? '', remedy);
      assert.match(finding.remedy ?? '', /On the host, as deploy: cd \/opt\/shop && docker compose .*config --quiet$/);
    });

  test('and none is no fault', () => assert.equal(findingIn('compose file', { compose }).result, 'passed'));
});

test('a journal that cannot be read may be that of an unfinished rollback', () => {
  const unread = findingIn('transactions', { journalsUnreadable: true });
  assert.equal(unread?.result, 'failed');
  assert.match(unread?.detail ?? '', /^Cannot read every journal in .*\/rollback\/transactions$/);
  assert.match(unread?.remedy ?? '', /ls -l .*journal/);
});

test('a rollback is at work where somebody holds the lock, else it was left half-way', () => {
  const unfinished = ['20261125_030000'];
  const holder = 'rollback-action https://example.org/runs/1 since 2026-11-25T03:00:00Z';
  const working = findingIn('transactions', { unfinished, lockHolder: holder });
  assert.deepEqual([working.result, working.detail], ['passed', 'rollback 20261125_030000 is running']);
  // A deployment that has the lock carries no rollback.
  const left = findingIn('transactions', { unfinished, lockHolder: 'docker compose up' });
  assert.equal(findingIn('transactions', { unfinished }).result, 'failed');
  assert.equal(left.result, 'failed');
  assert.match(left.remedy ?? '', /bash \/opt\/shop\/backups\/rollback\/transactions\/20261125_030000\/engine\.sh$/);
});
