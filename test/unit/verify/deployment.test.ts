import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { observed } from '../../../shared/history/observation.ts';
import { parseTarget } from '../../../shared/plan/target.ts';
import type { ComposeProject, ComposeService } from '../../../shared/releases/project.ts';
import type { DeploymentFacts } from '../../../verify-action/deployment/deployment-facts.ts';
import { deploymentRecord, judgeDeployment } from '../../../verify-action/deployment/judge-deployment.ts';
import type { Watched, WatchedContainer } from '../../../verify-action/deployment/watch.ts';
import { service as anyService } from '../releases/shop.ts';

const id = (digit: string) => `sha256:${digit.repeat(64)}`;

const service = (name: string, image: string): ComposeService =>
  anyService(name, { image, imageTemplate: image, networks: [] });
const project: ComposeProject = {
  name: 'shop',
  services: new Map([
    ['web', service('web', 'ghcr.io/acme/web:latest')],
    ['db', service('db', 'postgres:17')],
  ]),
};

const container = (changes: Partial<WatchedContainer> = {}): WatchedContainer => ({
  id: 'w1',
  service: 'web',
  image: 'ghcr.io/acme/web:latest',
  imageId: id('2'),
  created: '2026-11-25T02:00:00Z',
  state: 'running',
  exit: 0,
  started: '2026-11-25T02:00:00Z',
  restarts: 0,
  policy: 'unless-stopped',
  health: 'healthy',
  rollback: null,
  ...changes,
});
const database = container({ id: 'd1', service: 'db', image: 'postgres:17', imageId: id('9') });

const watched = (web: Partial<WatchedContainer> = {}, later: Partial<WatchedContainer> = {}): Watched => ({
  settled: [container(web), database],
  after: [container({ ...web, ...later }), database],
  words: new Map([['w1', 'fatal: no']]),
  passes: new Set(),
  fails: new Set(['w1']),
  addresses: [],
  images: [],
  url: null,
  clock: Date.parse('2026-11-25T03:00:00Z'),
});

const facts = (changes: Partial<DeploymentFacts> = {}): DeploymentFacts => ({
  project,
  compose: 'On the host, as deploy: cd /opt/shop && docker compose',
  watched: watched(),
  images: [
    { id: id('1'), repoTags: ['ghcr.io/acme/web:v1'], repoDigests: [] },
    { id: id('2'), repoTags: ['ghcr.io/acme/web:v2', 'ghcr.io/acme/web:latest'], repoDigests: [] },
  ],
  databases: new Set(['db']),
  stopped: new Map(),
  expect: null,
  meanings: new Map(),
  history: [],
  environment: 'prod',
  registry: 'ghcr.io',
  healthUrl: null,
  healthTimeout: 300_000,
  stableFor: 10_000,
  ...changes,
});

const judge = (changes: Partial<DeploymentFacts> = {}) => {
  const judged = judgeDeployment(facts(changes));
  const bad = judged.findings.list.filter(({ result }) => result !== 'passed');
  return { ...judged, bad: bad.map(({ name, detail }) => `${name}: ${detail}`) };
};

test('the release is what runs at the end', () => {
  assert.equal(judge({ watched: watched({}, { imageId: id('1') }) }).release['web']?.imageId, id('1'));
});

test('all is well: by the name that tells the release', () => {
  const { bad, verdict, findings } = judge();
  assert.deepEqual([bad, verdict], [[], 'good']);
  assert.equal(
    findings.list.find(({ name }) => name === 'image: web')?.detail,
    'runs v2 (222222222222), as the compose file says',
  );
});

describe('what somebody has stopped', () => {
  const exited = { state: 'exited', exit: 137, health: null };
  const stopped = (serves: boolean) => new Map([['web', { serves }]]);

  test('is a warning, and no word against the release', () => {
    const worker = judge({ watched: watched(exited), stopped: stopped(false) });
    assert.match(worker.bad.join(), /running: web: it was stopped by hand/);
    assert.deepEqual(
      [
        worker.findings.list.some(({ result, severity }) => result === 'failed' && severity === 'error'),
        worker.verdict,
      ],
      [false, 'good'],
    );
    // What serves others fails the run all the same.
    const server = judge({ watched: watched(exited), stopped: stopped(true) });
    assert.equal(server.verdict, 'unknown');
    assert.ok(server.findings.list.some(({ result, severity }) => result === 'failed' && severity === 'error'));
    const url = { healthUrl: new URL('http://127.0.0.1/'), watched: { ...watched(exited), url: 'failed' as const } };
    assert.equal(judge({ ...url, stopped: stopped(false) }).verdict, 'unknown');
  });

  test('and that a rollback left so: a failure if it serves others', () => {
    const left = { state: 'created', health: null, rollback: '20260101T000000Z-1' };
    const of = (serves: boolean) => judge({ watched: watched(left), stopped: stopped(serves) });
    const hasFailed = ({ findings }: ReturnType<typeof of>) =>
      findings.list.some(({ result, severity }) => result === 'failed' && severity === 'error');
    assert.match(of(false).bad.join(), /running: web: it is stopped: a rollback/);
    assert.deepEqual([hasFailed(of(false)), of(false).verdict], [false, 'good']);
    assert.deepEqual([hasFailed(of(true)), of(true).verdict], [true, 'unknown']);
  });

  test('counts as any other once it was started again, or if it is the database', () => {
    assert.equal(judge({ watched: watched({ health: 'unhealthy' }), stopped: stopped(false) }).verdict, 'bad');
    const all = { ...watched(), settled: [container(), { ...database, ...exited }] };
    const judged = judge({ watched: all, stopped: new Map([['db', { serves: true }]]) });
    assert.match(judged.bad.join(), /running: db: it is not running/);
  });
});

describe('how a container stands', () => {
  const table: [what: string, web: Partial<WatchedContainer>, bad: RegExp | null][] = [
    ['healthy', {}, null],
    ['without a health test', { health: null }, /health tests: web/],
    ['still starting', { health: 'starting' }, /it is still starting .* after its start.*fatal: no/],
    ['unhealthy', { health: 'unhealthy' }, /its health check fails.*fatal: no/],
    ['ended badly', { state: 'exited', exit: 3, policy: 'no', health: null }, /it is not running: exited \(exit 3\)/],
    [
      'ended with 0, and is to run always',
      { state: 'exited', exit: 0, policy: 'always', health: null },
      /it is not running: exited/,
    ],
    ['in a crash loop', { state: 'restarting', restarts: 4, exit: 3 }, /keeps restarting \(exit 3, restart count 4\)/],
    ['ended by itself', { state: 'exited', exit: 0 }, /it is not running: exited \(exit 0\)/],
    ['never started', { state: 'created', exit: 0 }, /it was created, but never started\. Its last/],
    ['not able to start', { state: 'created', exit: 128 }, /it was created, but never started \(exit 128\)/],
    [
      'ended with 0',
      { state: 'exited', exit: 0, policy: 'no', health: null },
      /^running: web: it exited with 0, but no other service waits for it to complete$/,
    ],
    [
      'ended with 0, with a policy for failures',
      { state: 'exited', exit: 0, policy: 'on-failure', health: null },
      /^running: web: it exited with 0/,
    ],
    ['ended with its health test', { state: 'exited', exit: 0, policy: 'no' }, /it is not running: exited/],
    ['fell over an hour ago', { restarts: 1, started: '2026-11-25T02:00:00Z' }, null],
    [
      'fell over just now',
      { restarts: 1, started: '2026-11-25T02:59:00Z' },
      /has been up for only .* \(restart count 1\)/,
    ],
  ];
  for (const [what, web, expected] of table) {
    test(what, () => {
      const { bad } = judge({ watched: watched(web) });
      if (expected === null) assert.deepEqual(bad, []);
      else assert.match(bad.join('\n'), expected);
    });
  }
});

test('what a rollback has left stopped is a warning, and no word against the release', () => {
  const { bad, verdict, findings } = judge({ watched: watched({ state: 'created', health: null, rollback: '2026' }) });
  assert.match(bad.join(), /^running: web: it is stopped: a rollback has made its container/);
  assert.equal(findings.list.find(({ name }) => name === 'running: web')?.severity, 'warning');
  assert.equal(verdict, 'good');
  assert.equal(judge({ watched: watched({ state: 'created', health: null }) }).verdict, 'bad');
});

describe('a service that has ended with 0', () => {
  const ended = watched({ state: 'exited', exit: 0, policy: 'no', health: null });
  const shop = (changes: Partial<ComposeService>, awaitsEnd = false): ComposeProject => ({
    name: 'shop',
    services: new Map([
      ['web', { ...service('web', 'ghcr.io/acme/web:latest'), ...changes }],
      ['db', { ...service('db', 'postgres:17'), dependsOn: [{ service: 'web', restart: false, awaitsEnd }] }],
    ]),
  });

  test('was awaited: it had one task', () => {
    assert.deepEqual(judge({ project: shop({}, true), watched: ended }).bad, []);
  });

  test('has a port of the host: it was stopped, and the release is bad', () => {
    const { bad, verdict, findings } = judge({ project: shop({ publishes: true }), watched: ended });
    assert.match(bad.join(), /^running: web: it exited with 0, but it publishes a port of the host$/);
    assert.equal(findings.list.find(({ name }) => name === 'running: web')?.severity, 'error');
    assert.equal(verdict, 'bad');
  });

  test('and is not there as often as it should be: bad', () => {
    const { verdict, findings } = judge({ project: shop({ replicas: 3 }), watched: ended });
    const running = findings.list.find(({ name }) => name === 'running: web');
    assert.deepEqual([running?.severity, running?.detail, verdict], ['error', 'only 1 of 3 containers exist', 'bad']);
  });

  test('is else a warning, and no fault of the release', () => {
    const { verdict, findings } = judge({ project: shop({}), watched: ended });
    assert.equal(findings.list.find(({ name }) => name === 'running: web')?.severity, 'warning');
    assert.equal(verdict, 'good');
  });
});

describe('how many containers there are', () => {
  const wanting = (replicas: number): ComposeProject => ({
    name: 'shop',
    services: new Map([['web', { ...service('web', 'ghcr.io/acme/web:latest'), replicas }]]),
  });
  const without: Watched = { ...watched(), settled: [database], after: [database] };
  test('as many as are wanted, or more', () => assert.deepEqual(judge({ project: wanting(1) }).bad, []));
  test('fewer are bad', () =>
    assert.match(judge({ project: wanting(3) }).bad.join(), /running: web: only 1 of 3 containers/));
  test('none are bad', () => assert.match(judge({ project: wanting(1), watched: without }).bad.join(), /no container/));
  test('none, where none are wanted', () => assert.deepEqual(judge({ project: wanting(0), watched: without }).bad, []));
});

describe('while it is watched', () => {
  const table: [what: string, later: Partial<WatchedContainer>][] = [
    ['it is started anew', { started: '2026-11-25T02:59:59Z' }],
    ['it is restarted', { restarts: 1 }],
    ['it ends', { state: 'exited' }],
    ['it becomes unhealthy', { health: 'unhealthy' }],
    ['it is replaced', { id: 'w2' }],
  ];
  for (const [what, later] of table) {
    test(`${what}: not stable, and bad, unless somebody else is at work`, () => {
      const { bad, verdict } = judge({ watched: watched({}, later) });
      assert.match(bad.join('\n'), /stable: web fell over or was replaced within 10\.0 s/);
      assert.equal(verdict, 'id' in later ? 'unknown' : 'bad');
    });
  }

  test('an ill database says nothing of the release', () => {
    const ill = { ...database, health: 'unhealthy' };
    const { verdict, bad } = judge({
      watched: { ...watched(), settled: [container(), ill], after: [container(), ill] },
    });
    assert.match(bad.join(), /running: db/);
    assert.equal(verdict, 'unknown');
  });

  test('an address that the host cannot ask says nothing, and has not passed', () => {
    const url = new URL('https://shop.example.org/');
    const { verdict, bad } = judge({ healthUrl: url, watched: { ...watched(), url: 'no-curl' } });
    assert.match(bad.join(), /health-url: the host has no curl/);
    assert.equal(verdict, 'unknown');
  });
});

describe('what is expected', () => {
  const table: [expect: string, bad: RegExp | null][] = [
    ['v2', null],
    ['v1', /runs v2 \(.*\), not v1, which "expect" asks for/],
    ['v3', /runs v2 \(.*\); the host does not have v3, which "expect" asks for/],
    ['web=v2', null],
    ['web=v1', /not v1/],
    ['api=v1', /expect: it names api/],
    ['db=17', /expect: it names db/],
  ];
  for (const [expect, expected] of table) {
    test(`"${expect}" where v2 runs`, () => {
      const meanings = new Map([['ghcr.io/acme/web:v2', { whole: null, parts: [id('2')] }]]);
      const { bad, verdict } = judge({ expect: parseTarget(expect), meanings });
      if (expected === null) assert.deepEqual(bad, []);
      else assert.match(bad.join('\n'), expected);
      assert.equal(verdict, 'good', 'a wrong image is no ill one');
    });
  }

  test('a name that this host alone gives an image is no proof, and may be shown to be wrong', () => {
    const judged = (meanings: DeploymentFacts['meanings']) => {
      const { findings } = judge({ expect: parseTarget('v2'), meanings });
      const { result, detail } = findings.list.find(({ name }) => name === 'image: web') ?? assert.fail('not judged');
      return `${result}: ${detail}`;
    };
    assert.match(judged(new Map()), /^could-not-check: runs v2 .*, and whether that is v2 cannot be told/);
    assert.match(
      judged(new Map([['ghcr.io/acme/web:v2', { whole: null, parts: [id('3')] }]])),
      /^failed: runs v2 .*, which is called v2 on this host, but is not v2/,
    );
  });

  test('a digest: of the repository that the compose file names, and of no other', () => {
    const digest = `sha256:${'d'.repeat(64)}`;
    const pulled = (repository: string) => [{ id: id('2'), repoTags: [], repoDigests: [`${repository}@${digest}`] }];
    const expect = parseTarget(`web=${digest}`);
    assert.deepEqual(judge({ expect, images: pulled('ghcr.io/acme/web') }).bad, []);
    assert.match(judge({ expect, images: pulled('ghcr.io/evil/web') }).bad.join(), /the host does not have sha256:ddd/);
  });

  test('a tag of another repository is another image', () => {
    const images = [{ id: id('2'), repoTags: ['ghcr.io/evil/web:v2'], repoDigests: [] }];
    assert.match(
      judge({ expect: parseTarget('v2'), images }).bad.join(),
      /image: web: runs latest \(.*\); the host does not have v2/,
    );
  });

  test('containers of one service that run different images', () => {
    const one = watched();
    const mixed = { ...one, after: [...one.after, container({ id: 'w0', imageId: id('1') })] };
    assert.match(judge({ watched: mixed }).bad.join(), /image: web: its containers run different images/);
  });

  test('what was only seen to run was wanted by nobody', () => {
    const { release } = judge({ watched: watched({ imageId: id('1') }) });
    const history = [{ ...observed(release, circumstances, null), event: 'check' as const }];
    assert.match(judge({ watched: watched({ imageId: id('1') }), history }).bad.join(), /not latest/);
  });

  test('a tag that is meant for no service', () => {
    const { bad } = judge({ expect: parseTarget('v2'), registry: 'registry.example.org' });
    assert.match(bad.join(), /expect: the tag .* applies to no service: none has an image from registry\.example\.org/);
  });

  test('a tag for a service that is only built', () => {
    const built: ComposeProject = {
      name: 'shop',
      services: new Map([['web', { ...service('web', ''), image: null }]]),
    };
    assert.match(
      judge({ project: built, expect: parseTarget('web=v2') }).bad.join(),
      /the compose file gives it no image/,
    );
  });

  test('the last record, where the compose file says something else since a rollback', () => {
    const release = { web: { image: 'ghcr.io/acme/web:latest', tag: 'latest', digest: null, imageId: id('1') } };
    const history = [{ ...observed(release, circumstances, null), event: 'rollback' as const }];
    const rolledBack = watched({ imageId: id('1') });
    assert.deepEqual(judge({ watched: rolledBack, history }).bad, []);
    assert.match(judge({ watched: rolledBack }).bad.join(), /runs v1 .*, not latest, which the compose file asks for/);
  });
});

const circumstances = {
  id: '1-1-00000000',
  at: new Date('2026-11-25T03:00:00Z'),
  environment: 'prod',
  schemaSha256: null,
  backupId: null,
  actor: null,
  runUrl: null,
  commit: null,
  reason: null,
};

describe('what the history is told', () => {
  const recordOf = (changes: Partial<DeploymentFacts>) => {
    const { event, verdict } = deploymentRecord(judgeDeployment(facts(changes)), circumstances, changes.history ?? []);
    return [event, verdict];
  };

  test('a release that it does not know is a deployment', () => {
    assert.deepEqual(recordOf({}), ['deploy', 'good']);
  });

  test('one that it knows is checked', () => {
    const history = [observed(judgeDeployment(facts()).release, circumstances, null)];
    assert.deepEqual(recordOf({ history }), ['check', 'good']);
  });

  test('one that is ill is bad', () => {
    assert.deepEqual(recordOf({ watched: watched({ health: 'unhealthy' }) }), ['deploy', 'bad']);
  });

  test('nothing is said of one that is well and not the one that was wanted', () => {
    assert.deepEqual(recordOf({ expect: parseTarget('v1') }), ['deploy', 'unknown']);
  });
});

describe('what users get', () => {
  const at = (answer: string) => ({ address: '127.0.0.1:8080', service: 'web', answer });
  const table: [answers: string[], expected: [result: string, severity: string, detail: RegExp] | null][] = [
    [[], null],
    [['other'], null],
    [['200'], ['passed', 'warning', /^users get an answer at 127\.0\.0\.1:8080$/]],
    [
      ['301', '401', '404'],
      ['passed', 'warning', /users get an answer/],
    ],
    [
      ['200', '500'],
      ['failed', 'warning', /^127\.0\.0\.1:8080 answers 500: web fails$/],
    ],
    [
      ['200', '502'],
      ['failed', 'error', /^127\.0\.0\.1:8080 answers 502: web may not reach what is behind it$/],
    ],
    [
      ['504', '503'],
      ['failed', 'error', /^127\.0\.0\.1:8080 answers 504: [^;]+$/],
    ],
    [['503'], ['failed', 'warning', /answers 503/]],
    [['closed'], ['failed', 'warning', /^nobody listens at 127\.0\.0\.1:8080, which web publishes$/]],
  ];
  for (const [answers, expected] of table) {
    test(`answers ${answers.join(', ') || 'of nobody'}`, () => {
      const judged = judgeDeployment(facts({ watched: { ...watched(), addresses: answers.map(at) } }));
      const found = judged.findings.list.find(({ name }) => name === 'addresses');
      if (expected === null) assert.equal(found, undefined);
      else {
        assert.deepEqual([found?.result, found?.severity], expected.slice(0, 2));
        assert.match(found?.detail ?? '', expected[2]);
        const restart = /after a deployment: cd \/opt\/shop && docker compose restart web$/;
        const isOwn = answers.includes('500');
        if (expected[0] === 'failed') assert.match(found?.remedy ?? '', isOwn ? /logs --tail 50 web$/ : restart);
      }
      const isDead = expected?.[0] === 'failed' && expected[1] === 'error';
      assert.equal(judged.verdict, isDead ? 'unknown' : 'good');
    });
  }
});

test('whatever a health check says of a service, counts for more than what its ports do', () => {
  const verdict = (answers: readonly string[], health: string | null) => {
    const addresses = answers.map((answer, port) => ({ address: `127.0.0.1:${port}`, service: 'web', answer }));
    return judgeDeployment(facts({ watched: { ...watched({ health }), addresses } })).verdict;
  };
  for (const answers of [['closed'], ['500'], ['200', '500']]) {
    assert.equal(verdict(answers, 'healthy'), 'good');
    assert.equal(verdict(answers, null), 'unknown', answers.join());
  }
  // It may have a port that it does not use.
  for (const answers of [['200', 'closed'], ['other', 'closed'], ['503'], ['404']])
    assert.equal(verdict(answers, null), 'good');
});

test('one that Docker has not tested yet is well if its own test passes', () => {
  const starting = watched({ health: 'starting' });
  assert.equal(judgeDeployment(facts({ watched: starting })).verdict, 'bad');
  assert.equal(judgeDeployment(facts({ watched: { ...starting, fails: new Set() } })).verdict, 'unknown');
  assert.equal(judgeDeployment(facts({ watched: { ...starting, passes: new Set(['w1']) } })).verdict, 'good');
});
