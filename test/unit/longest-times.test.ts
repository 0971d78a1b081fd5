// The table of the longest times in docs/protocol.md, against the deadlines that the programs are given.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { copyOffsite } from '../../backup-action/offsite.ts';
import { createDropped } from '../../rollback-action/dropped-database.ts';
import { awaitTurn } from '../../shared/backups/await-turn.ts';
import { logRun, publish, reject } from '../../shared/backups/publish.ts';
import { take } from '../../shared/backups/take.ts';
import { drill } from '../../shared/drill/drill.ts';
import { Failure, isFailure } from '../../shared/failure.ts';
import { appendHistory, releaseHold } from '../../shared/history/host-file.ts';
import type { Connection } from '../../shared/host/connection.ts';
import { usualGrace } from '../../shared/host/run-program.ts';
import { askRegistry } from '../../shared/releases/ask-registry.ts';
import { compareVolumes } from '../../shared/releases/compare-volumes.ts';
import { keepImages } from '../../shared/releases/keep-images.ts';
import { keepCompose, readKept } from '../../shared/releases/kept-compose.ts';
import { pullImages } from '../../shared/releases/pull.ts';
import { createMissing, dropCreated } from '../../shared/restore/create-missing.ts';
import { discard, load } from '../../shared/restore/load.ts';
import { lookAtServer } from '../../shared/restore/standing.ts';
import { readTwoSchemas } from '../../shared/restore/two-schemas.ts';
import { addProof } from '../../shared/sets/proof.ts';
import { readFiles } from '../../shared/sets/read-files.ts';
import { readSets } from '../../shared/sets/read-sets.ts';
import { wholeManifest } from '../../shared/sets/whole-manifest.ts';
import { survey } from '../../shared/survey/survey.ts';
import { abortTransaction, findTransaction, startTransaction } from '../../shared/transaction/start-transaction.ts';
import { resumeTransaction } from '../../shared/transaction/transaction.ts';
import { followToTheEnd } from '../../shared/transaction/unfinished.ts';
import { watch } from '../../verify-action/deployment/watch.ts';
import { acceptsWith, host, tools } from './surveyed-host.ts';

const seconds = 1_000;
const minutes = 60_000;
const hours = 3_600_000;

// No two sums of these are the same, so that no formula passes for another.
const timeout = 2 * hours;
const lockWait = 5 * minutes;
const healthTimeout = 4 * minutes;
const stableFor = 10 * seconds;
const references = [
  'registry/web@sha256:1',
  'registry/api@sha256:2',
  'registry/jobs@sha256:3',
  'registry/mail@sha256:4',
];
const tags = ['registry/web:v1', 'registry/api:v1'];

/** What the second column says, in milliseconds for the values above; several, if it depends on who runs the program. */
const times: Readonly<Record<string, readonly number[]>> = {
  '90 s': [90 * seconds],
  '150 s': [150 * seconds],
  '330 s': [330 * seconds],
  '10 minutes and 30 s': [10 * minutes + 30 * seconds],
  '`timeout` and 30 s': [timeout + 30 * seconds],
  '`lock-wait` and 90 s': [lockWait + 90 * seconds],
  'two `lock-wait`s, `timeout` and 3 minutes': [2 * lockWait + timeout + 3 * minutes],
  '120 s, and 30 s for each image, and 60 s for each tag whose meaning is asked': [
    120 * seconds + references.length * 30 * seconds + tags.length * 60 * seconds,
  ],
  '`lock-wait`, while another run restores a database that was dropped; whatever hangs, 8 times `timeout`, `lock-wait` and 30 s':
    [8 * timeout + lockWait + 30 * seconds],
  '`lock-wait`, while another run copies; whatever hangs, 8 times `timeout` and 30 s': [8 * timeout + 30 * seconds],
  '`health-timeout`, `stable-for` and 150 s': [healthTimeout + stableFor + 150 * seconds],
  // Of one session: how many follow one another is not held here.
  'sessions of 10 minutes and 30 s, one after the other, as long as the transaction goes on: 24 h, or `timeout` if an earlier run has left it unfinished':
    [10 * minutes + 30 * seconds],
};

/** Phases that no call of a `Connection` shows, and why. */
const notHeld: Readonly<Record<string, string>> = {
  connecting: 'no program: ssh.ts waits 40 s for its master, and 1 s for it to end: ssh.test.ts',
  pour: 'takes the options of the program that it fills, inside of the connection: pour.ts',
  'any phase that follows one in which the host was silent': 'the same deadlines: silent-host.test.ts',
  'release of the lock after a publication, or after the copies off the host':
    'no program: the default of `release`: test/e2e/silent-host.test.ts',
  'waiting for the note of the failure in the log on the host (backup-action)':
    'the run waits no longer, whatever *log-run* may take: tellFailure in backup.ts, test/e2e/silent-host.test.ts',
  disconnecting: 'no program: `patienceAtClose`, and 1 s for the master of ssh to end',
};

/** The first two columns of the table. */
const rows = readTable(readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8'));

function readTable(text: string): { phase: string; most: string }[] {
  const [, table = ''] =
    /^\| phase \| takes at most, if the host speaks \|.*\n\|[ |-]+\n((?:\|.*\n)+)/m.exec(text) ?? [];
  return table
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, phase = '', most = ''] = line.split('|').map((cell) => cell.trim());
      return { phase, most };
    });
}

/** The programs that a phase consists of: `take, drill: each`. */
const programsIn = (phase: string) => phase.replace(/: each$/, '').split(', ');

/** By the name of the program: the longest time until the runner gives it up, of each call. */
const seen = new Map<string, number[]>();

const cutOff = new Failure('connection-lost', 'Noted what it was asked');

/** Notes what it is asked to run, and fails. */
const connection: Connection = {
  name: 'a stub',
  run: ({ name }, _, { deadline, grace = usualGrace, files }) => {
    seen.set(name, [...(seen.get(name) ?? []), deadline + grace]);
    files?.close(cutOff);
    const result = Promise.reject(cutOff);
    // As with a connection, which listens itself: who reads files hears it from those.
    result.catch(() => {});
    return { result, lastLines: () => [], release: async () => true };
  },
  close: async () => {},
};

const { signal } = new AbortController();
const onLog = () => {};
const common = { signal, onLog, backupDir: '/backups', kind: 'scheduled', holder: 'this test', timeout };
const lock = { path: '/backups/.lock', wait: lockWait, holder: 'this test' };
const server = { container: 'db', user: 'app', database: 'shop', access: { place: null, password: null } };
const manifest = {
  id: '20261124_021700',
  database: 'shop',
  file: 'backup_20261124_021700.dump',
  format: 'custom',
  compression: 'none',
  encryption: 'none',
  localeProvider: null,
  checks: [],
  tables: [],
};
const set = { state: 'verified', id: manifest.id, folders: ['daily'], manifest };
const ending = { ...common, logFile: '/backups/backup.log', logLine: 'x' };
const keep = { keeper: '', kept: [], released: [] };
const inputs = { ...common, lockWait, planOnly: false, environment: '', sealTo: [] };

/** Only what the program's parameters are made from: the deadline depends on nothing else. */
// biome-ignore lint/suspicious/noExplicitAny: each is a small part of another type.
const part = (value: unknown) => value as any;

const calls: readonly (() => Promise<unknown>)[] = [
  () => survey(connection, part({ composeFiles: [], compose: null, layout: [] }), signal, onLog),
  () => awaitTurn(connection, part({ ...common, order: inputs }), onLog, onLog),
  () =>
    take(
      connection,
      part({ ...common, lock, encoding: manifest, access: server.access, recipients: [], startedAt: new Date() }),
    ),
  () => publish(connection, part({ ...ending, sidecars: new Map(), tiers: [], deletions: [], records: [] })),
  () => reject(connection, part(ending)),
  () => logRun(connection, part(ending)),
  () => drill(connection, part({ ...common, set, sent: null, token: 'x', tables: [], statements: [], memory: 1e9 })),
  () => readSets(connection, part({ ...common, sets: [set] })),
  () => readFiles(connection, part({ ...common, set, names: [] })).next(),
  () => load(connection, part({ ...common, server, manifest, lock, restored: 'x', source: { set, sent: () => null } })),
  () => discard(connection, server, 'x', onLog),
  () => pullImages(connection, part({ ...common, registry: '', login: null, pulls: [], images: [], keep })),
  () => appendHistory(connection, { ...common, records: [] }),
  () => releaseHold(connection, { ...common, records: [] }),
  () => startTransaction(connection, part(transaction()), onLog),
  () => resumeTransaction(connection, '/backups', 'x', onLog),
  () => abortTransaction(connection, '/backups', 'x', onLog),
  () => findTransaction(connection, '/backups', 'x', onLog),
  () => followToTheEnd(connection, '/backups', 'x', 0, { deadline: 24 * hours, onLog, onLine: () => {} }),
  () =>
    compareVolumes(
      connection,
      [{ container: 'x', imageId: `sha256:${'0'.repeat(64)}`, isAnonymous: true, destination: '/x' }],
      signal,
      onLog,
    ),
  () => keepImages(connection, keep, onLog),
  () => keepCompose(connection, { backupDir: '/backups', id: 'x', config: '', files: [], envFiles: [] }, onLog),
  () => readKept(connection, part({ ...common, call: { envFiles: [] } }), signal, onLog),
  () => wholeManifest(connection, '/backups', part(set), common),
  () => lookAtServer(connection, server, [], common),
  () => createMissing(connection, server, { ...common, mayCreate: true }),
  () => dropCreated(connection, server, { lock, onLog }),
  () => readTwoSchemas(connection, server, { sha256: null, file: null, whyNoFile: '' }, common),
  () => addProof(connection, part(set), part({}), { ...common, lock, records: [] }),
  () => askRegistry(connection, { ...common, registry: '', login: null, references, tags }),
  () => watch(connection, part({ ...common, project: 'shop', healthTimeout, stableFor, healthUrl: null })),
  // Two hold a lock that outlasts a program.
  () =>
    copyOffsite(
      part({ bucket: 'x', prefix: '' }),
      part({ facts: { publicationPlan: { manifest } } }),
      part({ ...common, connection, inputs }),
      () => {},
    ),
  () =>
    createDropped(connection, leftover(), part(inputs), async () => leftover(), {
      ...common,
      created: null,
      held: null,
    }),
];

function transaction() {
  const outcome = { endings: {}, hold: null, token: 'x' };
  const none = { database: null, healthUrl: null, maxDowntime: null, stopTimeout: null };
  const lists = { services: [], proxies: [], lookedUpOnce: [], inlineFiles: new Map(), compose: {} };
  return { ...common, ...none, ...lists, outcome, startedAt: new Date(), lockWait, healthTimeout, stableFor };
}

/** A host whose database a restore has created that was cut off. */
function leftover() {
  return host({ probe: { output: `${tools}${acceptsWith({ isLeftover: true })}` } });
}

/** Every program that there is, by the only form in which one is declared. */
function allPrograms(): string[] {
  const cwd = new URL('../..', import.meta.url).pathname;
  return globSync('{shared,*-action}/**/*.ts', { cwd }).flatMap((file) =>
    Array.from(
      readFileSync(`${cwd}/${file}`, 'utf8').matchAll(/^ {2}name: '([a-z-]+)',\n {2}step: /gm),
      ([, name = '']) => name,
    ),
  );
}

describe('the longest times', () => {
  before(async () => {
    for (const call of calls) {
      await call().catch((error) => {
        if (!isFailure(error)) throw error;
      });
    }
  });

  test('every program is called here, and has a row', () => {
    const named = rows.flatMap(({ phase }) => programsIn(phase));
    const programs = allPrograms();
    assert.ok(programs.length > 25, `only ${programs.length} programs were found`);
    assert.deepEqual([...seen.keys(), 'pour'].toSorted(), programs.toSorted());
    assert.deepEqual(
      programs.filter((name) => named.filter((each) => each === name).length !== 1),
      [],
    );
  });

  test('every row is held here, or known not to be', () => {
    const free = rows.map(({ phase }) => phase).filter((phase) => !programsIn(phase).every((name) => seen.has(name)));
    assert.deepEqual(free.toSorted(), Object.keys(notHeld).toSorted());
    const held = rows.filter(({ phase }) => !free.includes(phase)).map(({ most }) => most);
    assert.deepEqual([...new Set(held)].toSorted(), Object.keys(times).toSorted());
  });

  for (const { phase, most } of rows.filter(({ phase }) => !Object.hasOwn(notHeld, phase))) {
    for (const name of programsIn(phase)) {
      test(`${name} takes as long as the table says`, () => {
        const told = times[most];
        const taken = seen.get(name);
        assert.ok(told !== undefined, `the test does not know what this means: ${most}`);
        assert.ok(taken !== undefined, `the test runs no program ${name}`);
        assert.equal(Math.max(...taken), Math.max(...told));
        for (const each of told) assert.ok(taken.includes(each), `nobody gives it ${each} ms, but ${taken.join(', ')}`);
      });
    }
  }
});
