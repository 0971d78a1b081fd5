// What a run decides from what a survey found, before anything is changed: rollback-action/decide.ts, and the restore that it plans.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { type Decision, decide } from '../../../rollback-action/decide.ts';
import { type RollbackInputs, readRollbackInputs } from '../../../rollback-action/inputs.ts';
import { type Failure, isFailure } from '../../../shared/failure.ts';
import type { Connection } from '../../../shared/host/connection.ts';
import { Records } from '../../../shared/host/records.ts';
import { pack } from '../../../shared/packed.ts';
import type { Survey } from '../../../shared/survey/survey.ts';
import type { ComposeSurvey } from '../../../shared/survey/survey-compose.ts';
import { temporaryFolder } from '../../lab/folder.ts';
import { composeSurvey } from '../compose-survey.ts';
import { hex, image, record, release } from '../history/records.ts';
import { exampleManifest, HostFolder } from '../retention/host-folder.ts';
import { acceptsWith, host, tools } from '../surveyed-host.ts';

afterEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('INPUT_')) delete process.env[name];
});

function inputsOf(given: Record<string, string>): RollbackInputs {
  const all = { host: 'local', 'deploy-dir': '/opt/shop', environment: 'prod', confirm: 'ROLLBACK', ...given };
  for (const [name, value] of Object.entries(all)) process.env[`INPUT_${name.toUpperCase()}`] = value;
  return readRollbackInputs();
}

const networks = { default: null };
const project = {
  name: 'shop',
  services: {
    web: { image: 'ghcr.io/acme/web:v3', networks },
    edge: { image: 'nginx:1', networks, ports: [{ target: 80, published: '80' }] },
    db: { image: 'postgres:17', networks },
  },
};
const config = JSON.stringify(project);
const known = ['v1', 'v2', 'v3'].map((tag) => image(`web:${tag}`));
const other = (name: string, service: string) => ({
  image: name,
  tag: name.split(':')[1] ?? null,
  digest: null,
  imageId: `sha256:${hex(service)}`,
});
const [edge, db] = [other('nginx:1', 'edge'), other('postgres:17', 'db')];
const local = [
  ...known.map(({ imageId, image: tag, digest }) => ({
    id: imageId ?? '',
    repoTags: [tag ?? ''],
    repoDigests: [`ghcr.io/acme/web@${digest}`],
  })),
  ...[edge, db].map(({ imageId, image: tag }) => ({ id: imageId, repoTags: [tag], repoDigests: [] })),
];
const shop = (tag: string) => ({ ...release(`web:${tag}`), edge, db });

/** A shop whose newest release, v3, runs: v2 was good, v1 was found bad. */
const history = [
  record({ release: shop('v1'), verdict: 'bad', event: 'check' }),
  record({ release: shop('v2'), verdict: 'good', event: 'check' }),
  record({ release: shop('v3') }),
];

function surveyed(compose: Partial<ComposeSurvey> = {}, changes: Partial<Survey> = {}): Survey {
  const [base] = host().containers;
  const container = (service: string, name: string, imageId: string | null) => ({
    ...(base ?? assert.fail()),
    service,
    id: `id-of-${service}`,
    name: `/shop-${service}-1`,
    image: name,
    imageId: imageId ?? '',
    created: '2026-11-24T00:00:00Z',
    health: 'healthy',
    healthTest: 'CMD',
    networks: ['shop_default'],
    exposedPorts: ['80/tcp'],
  });
  return host({
    containers: [
      container('web', 'ghcr.io/acme/web:v3', known[2]?.imageId ?? null),
      container('edge', 'nginx:1', `sha256:${hex('edge')}`),
      container('db', 'postgres:17', `sha256:${hex('db')}`),
    ],
    images: local.map(({ id, repoDigests }) => ({ id, repoDigests, variables: [] })),
    compose: composeSurvey({
      config,
      template: config,
      projectState: hex('state'),
      images: local,
      proxies: [{ service: 'edge', answers: ['127.0.0.1:80'], looksUpOnce: [] }],
      ...compose,
    }),
    history: history.map((each) => `${JSON.stringify(each)}\n`).join(''),
    ...changes,
  });
}

const settings = (id: string): ComposeSurvey['settings'][number] => ({
  id,
  environment: [],
  labels: null,
  command: null,
  entrypoint: null,
  user: '',
  hostname: '',
  workingDir: '',
  ports: null,
  mounts: [],
});

/** A host whose programs answer like that. */
function answering(answers: Record<string, (parameters: Record<string, unknown>) => [string, string][]>) {
  const asked: string[] = [];
  const connection = {
    run({ name }: { name: string }, parameters: Record<string, unknown>) {
      asked.push(name);
      const answer = answers[name] ?? assert.fail(`Nobody expects ${name}`);
      return {
        result: (async () => new Records(answer(parameters)))(),
        lastLines: () => [],
        release: async () => true,
      };
    },
  } as unknown as Connection;
  return { connection, asked };
}

const never = new AbortController().signal;
const noCopies = { texts: [], notices: [] };

/** What is decided, or why it is refused, and which releases an operator can choose from. */
async function decided(
  given: Record<string, string>,
  seen = surveyed(),
  { connection, asked }: ReturnType<typeof answering> = answering({}),
): Promise<{ decision: Decision | null; code: Failure['code'] | null; choices: string[]; asked: string[] }> {
  const choices: string[] = [];
  const told = { choices, asked };
  try {
    const decision = await decide(connection, seen, noCopies, inputsOf(given), never, (list) => {
      choices.push(...list.map(({ id }) => id));
    });
    return { decision, code: null, ...told };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { decision: null, code: error.code, ...told };
  }
}

const refusalOf = async (...given: Parameters<typeof decided>) => (await decided(...given)).code;
const off = { 'schema-guard': 'off' };

describe('a rollback', () => {
  test('goes to the last good release, without a gap if a proxy allows it', async () => {
    const { decision } = await decided(off);
    assert.deepEqual(
      decision?.plan.services.map(({ service, strategy, toImage }) => [service, strategy, toImage.tag]),
      [['web', 'blue-green', 'v2']],
    );
    assert.equal(decision?.restoring, null);
    const notes = decision?.plan.notes.map(({ text }) => text).join();
    assert.doesNotMatch(notes ?? '', /not the newest one in the history/);
  });

  test('from a release that nobody has recorded is told as such', async () => {
    const older = history.slice(0, 2).map((each) => `${JSON.stringify(each)}\n`);
    const { decision } = await decided(off, surveyed({}, { history: older.join('') }));
    assert.match(
      decision?.plan.notes.map(({ text }) => text).join() ?? '',
      /The running release is not the newest one in the history/,
    );
  });

  test('with the compose files of the target is refused where those were not kept', async () => {
    assert.equal(await refusalOf({ ...off, compose: 'kept' }), 'not-kept');
  });

  test('that would lose a file of a container, or a variable, is refused', async () => {
    const web = { ...project.services.web, secrets: [{ source: 'key' }] };
    const secrets = { key: { environment: 'KEY' } };
    const withSecret = JSON.stringify({ ...project, services: { ...project.services, web }, secrets });
    assert.equal(await refusalOf(off, surveyed({ config: withSecret, template: withSecret })), 'cannot-swap');
    const wanting = JSON.stringify({
      ...project,
      services: { ...project.services, web: { ...project.services.web, environment: { KEY: '' } } },
    });
    const template = wanting.replace('"KEY":""', `"KEY":"$${'{KEY}'}"`);
    const own = { ...settings('id-of-web'), environment: ['KEY=secret'] };
    const unset = [{ in: 'compose-file' as const, file: 'docker-compose.yml', line: 1, name: 'KEY' }];
    const gone = { config: wanting, template, settings: [own], unset, unsetNames: ['KEY'], envNames: [] };
    assert.equal(await refusalOf(off, surveyed(gone)), 'cannot-swap');
  });

  test('to a release that was found bad is refused where only its tag names it, but may be planned', async () => {
    assert.equal(await refusalOf({ ...off, target: 'v1' }), 'target-bad');
    assert.equal(await refusalOf({ ...off, target: history[0]?.id ?? '' }), null);
    const { decision } = await decided({ ...off, target: 'v1', 'plan-only': 'true' });
    assert.equal(decision?.plan.to['web']?.tag, 'v1');
  });

  test('that has no target tells all the same what there is to choose from', async () => {
    const { code, choices } = await decided({ ...off, target: '4711-1-0123abcd' });
    assert.equal(code, 'record-unknown');
    assert.ok(choices.length > 0);
  });

  test('whose schema nobody can compare is refused where any change would be, but may be planned', async () => {
    const any = { 'schema-guard': 'any' };
    const silent = surveyed({}, { probe: null });
    assert.equal(await refusalOf(any, silent), 'schema-changed');
    const planned = await decided({ ...any, 'plan-only': 'true' }, silent);
    assert.match(planned.decision?.plan.notes.map(({ text }) => text).join() ?? '', /this would be refused/);
    assert.equal(await refusalOf(off, silent), null);
  });

  const unsure: [what: string, compose: Partial<ComposeSurvey>, code: Failure['code']][] = [
    ['from other files than were deployed', { otherFiles: ['docker-compose.yml'] }, 'other-files'],
    ['where Docker did not describe all', { projectState: null }, 'survey-incomplete'],
    ['with a compose that cannot do it', { version: '2.19.0' }, 'compose-too-old'],
  ];
  for (const [what, compose, code] of unsure) {
    test(`${what} is refused`, async () => assert.equal(await refusalOf(off, surveyed(compose)), code));
  }
});

describe('a restore', () => {
  const folder = new HostFolder();
  const [older, newer, staging] = ['20261123_021700', '20261124_021700', '20261124_120000'];
  // What is beside the dump would be read.
  const manifest = (id: string) =>
    exampleManifest(id, {
      database: id === staging ? 'staging' : 'shop',
      finishedAt: '2026-11-24T12:00:00.000Z',
      dumpBytes: 1,
      checks: [{ name: 'settings', result: 'passed', detail: '', ms: 1 }],
    });
  for (const id of [older, newer, staging]) {
    folder.add(id, ['daily']);
    folder.manifests.set(`daily/backup_${id}.manifest.json`, JSON.stringify(manifest(id)));
  }
  const files = [...folder.files].map(([path, bytes]) => ({ path, bytes }));
  const drill = { event: 'drill', release: {} } as const;
  const drills = [
    record({ ...drill, backupId: older, durationMs: 60_000 }),
    record({ ...drill, backupId: newer, durationMs: 120_000 }),
    record({ ...drill, backupId: older, durationMs: 1_000, status: 'failed' }),
  ];
  const seenWith = (changes: Partial<Survey>) =>
    surveyed(
      { settings: [{ ...settings('id-of-edge'), environment: ['UPSTREAM=db:5432'] }] },
      {
        sets: { state: '', files, othersUnnamed: 0, folderIds: [], manifests: folder.manifests },
        history: [...history, ...drills].map((each) => `${JSON.stringify(each)}\n`).join(''),
        clockAhead: 365 * 24 * 3_600_000,
        ...changes,
      },
    );
  const seen = seenWith({});

  const standing = {
    isSuperuser: true,
    subscriptions: [],
    dataFolder: '/var/lib/postgresql/data',
    connectionLimit: 40,
    isStandby: false,
    labels: [],
    tablespace: 'pg_default',
    elsewhere: [],
    cronDatabase: null,
    isEmpty: false,
    prepared: [],
    slots: [],
    roles: ['app'],
    extensions: ['plpgsql'],
    sessions: ['172.18.0.2', '172.18.0.4'].map((address) => ({ address, application: '', count: 2 })),
  };
  const server = (changes: Partial<typeof standing> = {}) => {
    const discarded: unknown[] = [];
    return {
      discarded,
      ...answering({
        standing: () => [
          ['standing', JSON.stringify({ ...standing, ...changes })],
          ['free', '1000000000000\n1000000000000\nnone\n'],
          ['addresses', 'web 172.18.0.4\ndb 172.18.0.2\n'],
        ],
        'whole-manifest': ({ file }) => [
          ['manifest', pack(JSON.stringify(manifest(/\d{8}_\d{6}/.exec(String(file))?.[0] ?? ''), null, 2))],
        ],
        discard: ({ restored, live }) => {
          discarded.push(restored, live);
          return [];
        },
      }),
    };
  };
  const given = { 'restore-database': older, 'confirm-restore': 'RESTORE' };

  test('of the database alone stops what writes, and tells what is given up', async () => {
    const { decision } = await decided(given, seen, server());
    const { services, restore } = decision?.plan ?? assert.fail('It is refused');
    assert.deepEqual(services, []);
    assert.deepEqual(
      [restore?.backupId, restore?.sha256, restore?.copy, restore?.database, restore?.takenAt],
      [older, 'a'.repeat(64), null, 'shop', '2026-11-23T02:17:00.000Z'],
    );
    assert.match(restore?.costs.at(-1) ?? '', /20261123_021700 was restored in 1 min/);
    assert.deepEqual(
      restore?.restarted.map(({ service }) => service),
      ['edge', 'web'],
    );
    assert.match(restore?.givenUp.join() ?? '', /is lost,Compared with backup 20261124_021700: /);
    // By the clock of the host.
    assert.ok(Number(/in the last (\d+) h/.exec(restore?.givenUp[0] ?? '')?.[1]) > 365 * 24);
    const { exchange, settings } = decision?.restoring ?? assert.fail();
    assert.match(exchange.restored, /^shop_restore_[0-9a-f]{8}$/);
    assert.deepEqual(
      [exchange.name, exchange.aside, exchange.connectionLimit, exchange.restoredLimit, settings],
      ['shop', 'shop_before_@transaction@', 40, 40, null],
    );
  });

  test('with a release stops what it swaps, though a proxy would allow to go without', async () => {
    const { decision } = await decided({ ...given, target: 'v2' }, seen, server());
    assert.deepEqual(
      decision?.plan.services.map(({ service, strategy }) => [service, strategy]),
      [['web', 'recreate']],
    );
    assert.deepEqual(
      decision?.plan.restore?.restarted.map(({ service }) => service),
      ['edge'],
    );
  });

  test('that cannot be made is refused before anything is changed', async () => {
    assert.equal(await refusalOf(given, seen, server({ isSuperuser: false })), 'cannot-restore');
    assert.equal(await refusalOf({ ...given, 'restore-database': '20261122_021700' }, seen, server()), 'no-backup');
  });

  test('needs room for what the database has become, but a backup of another one does not', async () => {
    const grown = {
      output: `${tools}pg-dump pg_dump (PostgreSQL) 17.1\n${acceptsWith({ sizeBytes: 950_000_000_000 })}`,
    };
    const full = seenWith({ probe: grown });
    assert.equal(await refusalOf(given, full, server()), 'cannot-restore');
    assert.equal(await refusalOf({ ...given, 'restore-database': staging }, full, server()), null);
  });

  test('has the statements that run behind it in its hash', async () => {
    const sql = join(temporaryFolder('sql'), 'after.sql');
    const planned = async (text: string) => {
      writeFileSync(sql, text);
      return (await decided({ ...given, 'after-restore-sql': sql }, seen, server())).decision?.plan;
    };
    const [one, other] = [await planned('SELECT 1;'), await planned('SELECT 2;')];
    assert.equal(one?.restore?.afterSqlSha256, createHash('sha256').update('SELECT 1;').digest('hex'));
    assert.notEqual(one?.hash, other?.hash);
  });

  test('of the newest backup compares it with none', async () => {
    const { asked } = await decided({ ...given, 'restore-database': newer }, seen, server());
    assert.deepEqual(asked, ['whole-manifest', 'standing']);
    const { asked: both } = await decided(given, seen, server());
    assert.deepEqual(both, ['whole-manifest', 'standing', 'whole-manifest']);
  });

  test('drops its own copy, and no other', async () => {
    const { discarded, connection, asked } = server();
    const { decision } = await decided(given, seen, { connection, asked });
    await decision?.restoring?.drop(connection);
    assert.deepEqual(discarded, [decision?.restoring?.exchange.restored, 'shop']);
  });
});
