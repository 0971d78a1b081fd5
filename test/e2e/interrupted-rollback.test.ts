// A rollback whose runner, connection, engine or all of them die, at every step: the host comes by itself, or by the next
// run, to one of two states, and says truly to which.
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cutConnections, holdLock, leaveRoom, type Mend, smallDisk, stallDumps, until } from '../lab/faults.ts';
import { type ActionResult, runAction, startAction } from '../lab/runner.ts';
import { errorsOf } from './expectations.ts';
import {
  historyFile,
  historyIn,
  nothingLeft,
  notRolledBack,
  rollbackInputs,
  rolledBack,
  type Snapshot,
  sameContainers,
  snapshotOf,
} from './rollbacks.ts';
import { bash, type Inputs, write } from './sets.ts';
import { applicationForFile } from './stage.ts';
import {
  dockerTells,
  killEngine,
  killSupervisorAndEngine,
  type Transaction,
  watchTransaction,
} from './transactions.ts';

const restarts = { restart: 'unless-stopped' };
const { app } = await applicationForFile({
  name: 'half',
  services: { backend: restarts, dashboard: restarts },
  versions: ['v1', 'v2', { version: 'falls', ill: 'start' }],
  runs: 'v1',
});
const backupDir = app.host.newBackupDir();
/** What runs; each test rolls to the other of the two. */
let current = 'v1';

/** With the services named: some of these tests end in a bad word on their target, which others name again. */
const inputs = (more: Inputs = {}) =>
  rollbackInputs(app, backupDir, {
    target: current === 'v1' ? 'v2' : 'v1',
    services: 'backend\ndashboard',
    ...more,
  });

/** Starts a rollback to the other version, and strikes as soon as it has come to a step. */
async function strikeAt(step: string, strike: (transaction: Transaction) => Promise<unknown>, more = {}) {
  const seen = await snapshotOf(app);
  const watch = watchTransaction(app, backupDir);
  const action = await startAction('rollback', inputs(more));
  await strike(await watch.reached(step));
  return { action, seen, watch };
}

/** The journal says what the host decided: the containers agree with it. */
async function endedAs(journal: string[][], seen: Snapshot): Promise<string> {
  const [, ending = 'none'] = journal.find(([step]) => step === 'ended') ?? [];
  if (ending === 'rolled-back') current = current === 'v1' ? 'v2' : 'v1';
  else sameContainers(seen, await snapshotOf(app));
  await app.serves(current);
  await nothingLeft(app);
  return ending;
}

/** What becomes of a transaction whose engine was killed: the journal up to there decides. */
function expectedOf(journal: string[][]): string {
  const steps = journal.map(([step]) => step);
  if (steps.includes('commit')) return 'rolled-back';
  return steps.includes('stopping') ? 'reverted' : 'refused';
}

/** The runner tells what the host has come to. */
function saysSo(result: ActionResult, ending: string): void {
  const log = result.stdout + result.stderr;
  assert.equal(result.outputs['status'], ending, log);
  assert.equal(result.exitCode, ending === 'rolled-back' ? 0 : 1, log);
  assert.equal(errorsOf(result).length, ending === 'rolled-back' ? 0 : 1, log);
}

/** Somebody else has the lock meanwhile, and leaves nothing when it is given back. */
async function whileLocked<T>(work: () => Promise<T>): Promise<T> {
  const release = await holdLock(app.host, backupDir, 'a deployment that takes long');
  try {
    return await work();
  } finally {
    await release();
    rmSync(join(app.host.deployDir, backupDir, '.lock.holder'));
  }
}

const steps = [
  'begin',
  'checked',
  'created',
  'prepared',
  'stopping',
  'started',
  'answers',
  'healthy',
  'stable',
  'commit',
];

describe('the engine is killed', { concurrency: 1 }, () => {
  for (const step of steps) {
    test(`at "${step}": its supervisor brings it to an end`, async () => {
      const { action, seen, watch } = await strikeAt(step, killEngine);
      const result = await action.finished;
      const { journal, times, questions } = await watch.ended();
      const ending = await endedAs(journal(), seen);
      assert.equal(ending, expectedOf(journal()));
      saysSo(result, ending);
      if (ending === 'reverted') {
        const last = questions('backend').at(-1);
        assert.ok(
          last !== undefined && last > (times('reverting')[0] ?? Number.POSITIVE_INFINITY),
          'the way back was not measured',
        );
      }
      if (ending !== 'rolled-back') assert.match(result.stdout, /: engine-died::|%3A engine-died::/);
    });
  }
});

test('the engine is killed between the restart policy and the stop: the old ones get theirs back', async () => {
  const updated = dockerTells(app, 'update');
  const { action, seen, watch } = await strikeAt('prepared', async (transaction) => {
    await updated;
    await killEngine(transaction);
  });
  const result = await action.finished;
  const { journal } = await watch.ended();
  const ending = await endedAs(journal(), seen);
  assert.equal(ending, 'reverted');
  saysSo(result, ending);
});

test('it is told to abort before anything is stopped: it refuses, and nothing stays', async () => {
  const { action, seen, watch } = await strikeAt('checked', ({ folder }) =>
    app.host.exec(['touch', join(folder, 'abort')]),
  );
  const result = await action.finished;
  const ending = await endedAs((await watch.ended()).journal(), seen);
  assert.equal(ending, 'refused');
  assert.match(result.stdout, /Cancelled before anything was stopped/);
});

test('the target is started anew while it is to be stable: what ran before runs again', async () => {
  const { action, seen, watch } = await strikeAt(
    'healthy',
    async () => {
      const [target] = (await app.containers('backend')).filter(({ state }) => state === 'running');
      await app.host.docker('restart', '--time', '0', target?.id ?? '');
    },
    { 'stable-for': '5s' },
  );
  const result = await action.finished;
  const ending = await endedAs((await watch.ended()).journal(), seen);
  assert.equal(ending, 'reverted');
  assert.match(result.stdout, /backend was restarted|backend is not running: (exited|restarting)|crashed/);
});

test('a target in a crash loop is taken back, and what both have said is kept, without their environment', async () => {
  const seen = await snapshotOf(app);
  const result = await runAction('rollback', inputs({ target: 'falls' }));
  await notRolledBack(app, result, {
    status: 'reverted',
    code: 'crashed',
    message: /exited and was restarted|is not running: exited/,
    hint: /./,
  });
  sameContainers(seen, await snapshotOf(app));
  assert.equal(historyIn(app, backupDir).at(-1)?.verdict, 'bad');
  const evidence = `${backupDir}/rollback/transactions/${result.outputs['transaction-id']}/evidence`;
  const kept = (await app.host.exec(['bash', '-c', 'cd -- "$1" && ls && cat -- *', 'bash', evidence])).stdout;
  assert.match(kept, /backend\.before\.[0-9a-f]{12}\.json/);
  assert.match(kept, /backend\.target\.[0-9a-f]{12}\.log/);
  assert.match(kept, /version v[12] is serving/);
  assert.match(kept, /fatal: cannot start/);
  assert.doesNotMatch(kept, /POSTGRES_|"Env"|PATH=/);
});

test('a second supervisor leaves the first alone, and says who carries it', async () => {
  let carrier = '';
  let meanwhile = '';
  let second: ReturnType<typeof app.host.exec> | undefined;
  const { action, seen, watch } = await strikeAt('stopping', async ({ folder }) => {
    carrier = await readFile(join(folder, 'carrier'), 'utf8');
    second = app.host.exec(['bash', join(folder, 'engine.sh')]);
    await sleep(500);
    meanwhile = await readFile(join(folder, 'carrier'), 'utf8');
  });
  const result = await action.finished;
  const outcome = await second;
  assert.equal(meanwhile, carrier);
  assert.equal(outcome?.code, 0, outcome?.stderr);
  assert.match(outcome?.stderr ?? '', new RegExp(`Process ${carrier.trim()} is already working on it; waiting for it`));
  const ending = await endedAs((await watch.ended()).journal(), seen);
  assert.equal(ending, 'rolled-back');
  saysSo(result, ending);
});

describe('supervisor and engine are killed', { concurrency: 1 }, () => {
  for (const step of steps) {
    test(`at "${step}": the runner that follows starts it again`, async () => {
      const { action, seen, watch } = await strikeAt(step, killSupervisorAndEngine);
      const result = await action.finished;
      const { journal } = await watch.ended();
      const ending = await endedAs(journal(), seen);
      assert.equal(ending, expectedOf(journal()));
      saysSo(result, ending);
    });
  }
});

describe('the runner dies', { concurrency: 1 }, () => {
  for (const step of steps) {
    test(`at "${step}": the host goes on, and rolls back`, async () => {
      const { action, seen, watch } = await strikeAt(step, async () => {});
      await action.kill();
      const { journal } = await watch.ended();
      assert.equal(await endedAs(journal(), seen), 'rolled-back');
      assert.equal(historyIn(app, backupDir).at(-1)?.status, 'succeeded');
      rmSync(join(app.host.deployDir, backupDir, 'rollback', 'HOLD'));
    });
  }

  for (const step of ['checked', 'prepared', 'stopping', 'started', 'stable', 'commit']) {
    test(`with the engine at "${step}", as when the machine goes down: the next run of backup-action ends it`, async () => {
      const { action, seen, watch } = await strikeAt(step, killSupervisorAndEngine);
      await action.kill();
      await until('nothing at work on the host', async () => (await app.host.isAtRest()) || undefined);
      const backup = { ...app.host.inputs(), environment: 'lab', history: '', 'min-free-space': '10MiB' };
      const result = await runAction('backup', { ...backup, 'backup-dir': backupDir });
      assert.equal(result.exitCode, 0, result.stdout + result.stderr);
      const { journal } = await watch.ended();
      assert.equal(await endedAs(journal(), seen), expectedOf(journal()));
      assert.match(result.stdout, /::warning::An earlier rollback is unfinished/);
    });
  }

  test('with the engine at "commit": a backup for a deployment finishes the rollback, and refuses', async () => {
    const { action, seen, watch } = await strikeAt('commit', killSupervisorAndEngine);
    await action.kill();
    const backup = { ...app.host.inputs(), environment: 'lab', history: '', 'min-free-space': '10MiB' };
    const result = await runAction('backup', { ...backup, 'backup-dir': backupDir, kind: 'predeployment' });
    assert.equal(await endedAs((await watch.ended()).journal(), seen), 'rolled-back');
    assert.equal(result.exitCode, 1, result.stdout);
    assert.match(errorsOf(result)[0]?.properties['title'] ?? '', /on-hold/);
    rmSync(join(app.host.deployDir, backupDir, 'rollback', 'HOLD'));
  });

  test('a rollback that finds one half-way ends it first', async () => {
    const { action, seen, watch } = await strikeAt('started', killSupervisorAndEngine);
    await action.kill();
    const result = await runAction('rollback', inputs());
    const { journal } = await watch.ended();
    assert.equal(journal().at(-1)?.join(' '), 'ended reverted');
    const target = current === 'v1' ? 'v2' : 'v1';
    await rolledBack(app, result, { backend: target, dashboard: target });
    current = target;
    assert.notDeepEqual(await snapshotOf(app), seen);
    assert.match(result.stdout, /An earlier rollback is unfinished/);
  });

  test('the command that is printed ends it as well', async () => {
    let folder = '';
    const { action, seen, watch } = await strikeAt('started', (transaction) => {
      folder = transaction.folder;
      return killSupervisorAndEngine(transaction);
    });
    await action.kill();
    const outcome = await app.host.exec(['bash', join(folder, 'engine.sh')]);
    assert.equal(outcome.code, 0, outcome.stderr);
    const { journal } = await watch.ended();
    assert.equal(await endedAs(journal(), seen), 'reverted');
  });
});

describe('the connection is cut', { concurrency: 1 }, () => {
  for (const step of steps) {
    test(`at "${step}": it is found again, and the end is told`, async () => {
      const { action, seen, watch } = await strikeAt(step, async () => cutConnections(app.host));
      const result = await action.finished;
      const { journal } = await watch.ended();
      assert.equal(await endedAs(journal(), seen), 'rolled-back');
      saysSo(result, 'rolled-back');
      assert.match(result.stdout, /Lost the connection; the host carries on/);
    });
  }
});

describe('it is cancelled', { concurrency: 1 }, () => {
  test('while it waits for the lock: it ends, and nothing was touched', async () => {
    const seen = await snapshotOf(app);
    const watch = watchTransaction(app, backupDir);
    const [result, { journal }] = await whileLocked(async () => {
      const action = await startAction('rollback', inputs());
      await action.sawLog(/Waiting for the lock, held by a deployment that takes long/);
      return [await action.cancel(), await watch.ended()];
    });
    assert.equal(await endedAs(journal(), seen), 'refused');
    saysSo(result, 'refused');
    assert.match(result.stdout, /Cancelled while waiting for the lock/);
  });

  test('after the swap has begun: the host carries it to its end', async () => {
    const { action, seen, watch } = await strikeAt('stopping', async () => {}, { 'stable-for': '8s' });
    const result = await action.cancel();
    assert.equal(result.exitCode, 1, result.stdout);
    assert.equal(result.outputs['status'], 'failed');
    assert.match(result.stdout, /the host is still working on transaction \d{8}_\d{6} and will finish it/);
    assert.equal(await endedAs((await watch.ended()).journal(), seen), 'rolled-back');
  });
});

describe('others are at work', { concurrency: 1 }, () => {
  test('a lock that is held longer than lock-wait refuses, and says who has it', async () => {
    const seen = await snapshotOf(app);
    const result = await whileLocked(() => runAction('rollback', inputs({ 'lock-wait': '1s' })));
    assert.equal(result.outputs['status'], 'refused', result.stdout);
    assert.match(result.stdout, /a deployment that takes long/);
    assert.match(result.stdout, /raise "lock-wait"/);
    sameContainers(seen, await snapshotOf(app));
    await nothingLeft(app);
  });

  /** It waits for the lock, and finds this when it gets it. */
  async function whileItWaits(change: () => Promise<unknown>): Promise<ActionResult> {
    const action = await whileLocked(async () => {
      const waiting = await startAction('rollback', inputs());
      await waiting.sawLog(/Waiting for the lock/);
      await change();
      return waiting;
    });
    return action.finished;
  }

  test('a lock that was replaced while it was waited for guards nothing: it refuses', async () => {
    const seen = await snapshotOf(app);
    const lock = join(app.host.deployDir, backupDir, '.lock');
    const result = await whileItWaits(() => bash(app.host, 'rm -- "$1" && : >"$1"', lock));
    await notRolledBack(app, result, {
      status: 'refused',
      code: 'lock-lost',
      message: /was replaced while we were waiting for it/,
      hint: /./,
    });
    sameContainers(seen, await snapshotOf(app));
  });

  test('another transaction that was left half-way meanwhile: it refuses, and names it', async () => {
    const seen = await snapshotOf(app);
    const other = join(app.host.deployDir, backupDir, 'rollback/transactions/20200101_000000');
    try {
      const result = await whileItWaits(() => write(app.host, join(other, 'journal'), '1\tbegin\t\n'));
      await notRolledBack(app, result, {
        status: 'refused',
        code: 'unfinished',
        message: /unfinished: 20200101_000000/,
        hint: /./,
      });
      sameContainers(seen, await snapshotOf(app));
    } finally {
      rmSync(other, { recursive: true });
    }
  });

  test('during a backup: it waits for that, and then rolls back', async () => {
    const letGo = await stallDumps(app.host);
    const seen = await snapshotOf(app);
    const watch = watchTransaction(app, backupDir);
    const backup = { ...app.host.inputs(), environment: 'lab', history: '', 'min-free-space': '10MiB' };
    const nightly = await startAction('backup', { ...backup, 'backup-dir': backupDir });
    await nightly.sawLog(/Dump/);
    await until('the lock of the backup', async () =>
      app.host.files(backupDir).some(({ path }) => path === '.lock.holder') ? true : undefined,
    );
    const action = await startAction('rollback', inputs());
    try {
      await action.sawLog(/Waiting for the lock, held by backup-action http/);
    } finally {
      await letGo();
    }
    const [taken, result] = await Promise.all([nightly.finished, action.finished]);
    assert.equal(taken.exitCode, 0, taken.stdout + taken.stderr);
    assert.equal(await endedAs((await watch.ended()).journal(), seen), 'rolled-back', result.stdout);
    saysSo(result, 'rolled-back');
  });

  test('two at once: one rolls back, the other does nothing and says why', async () => {
    const seen = await snapshotOf(app);
    const watch = watchTransaction(app, backupDir);
    const actions = await Promise.all([startAction('rollback', inputs()), startAction('rollback', inputs())]);
    const results = await Promise.all(actions.map(({ finished }) => finished));
    const statuses = results.map(({ outputs }) => outputs['status']).toSorted();
    assert.deepEqual(statuses, ['refused', 'rolled-back'], results.map(({ stdout }) => stdout).join('\n'));
    const journals = await watch.all();
    const winner = journals.find(({ journal }) => journal().some(([, detail]) => detail === 'rolled-back'));
    assert.equal(await endedAs(winner?.journal() ?? [], seen), 'rolled-back');
    const refused = results.find(({ outputs }) => outputs['status'] === 'refused');
    assert.match(refused?.stdout ?? '', /plan-stale|rollback-under-way/);
  });
});

function held(folder: string): boolean {
  return existsSync(join(app.host.deployDir, folder, 'rollback', 'HOLD'));
}

describe('the disk of the backup folder is full', { concurrency: 1 }, () => {
  let mend: Mend;
  let full: string;

  async function onSmallDisk(work: () => Promise<void>): Promise<void> {
    full = app.host.newBackupDir();
    mend = await smallDisk(app.host, full, 16);
    try {
      await work();
    } finally {
      await mend();
    }
  }

  test('before: it is refused, and nothing was touched', async () => {
    await onSmallDisk(async () => {
      await leaveRoom(app.host, full, 0);
      const seen = await snapshotOf(app);
      const result = await runAction('rollback', inputs({ 'backup-dir': full }));
      await notRolledBack(app, result, {
        status: 'refused',
        code: 'disk-full',
        message: /disk is full/,
        hint: /df -h/,
      });
      sameContainers(seen, await snapshotOf(app));
    });
  });

  for (const step of ['checked', 'stopping', 'healthy']) {
    test(`from "${step}" on: it comes to an end all the same, and says which`, async () => {
      await onSmallDisk(async () => {
        const seen = await snapshotOf(app);
        const watch = watchTransaction(app, full);
        const action = await startAction('rollback', inputs({ 'backup-dir': full, 'stable-for': '3s' }));
        await watch.reached(step);
        await leaveRoom(app.host, full, 0);
        const result = await action.finished;
        const ending = await endedAs((await watch.ended()).journal(), seen);
        assert.equal(result.outputs['status'], ending, result.stdout);
        assert.equal(result.exitCode, ending === 'rolled-back' ? 0 : 1, result.stdout);
        // If something could not be written, people see an error; a downtime that was not measured is not shown as a number. Once
        // measuring stops, there may be room for the record again.
        const isNoted = existsSync(historyFile(app, full)) && historyIn(app, full).at(-1)?.event === 'rollback';
        assert.ok(errorsOf(result).length > 0 || (isNoted && ending === 'rolled-back'), result.stdout);
        assert.ok(Number(result.outputs['downtime-ms']) < 3_000, result.stdout);
        assert.equal(/Deployments are on hold:/.test(result.stdout), held(full), result.stdout);
      });
    });
  }

  test('a max-downtime that can be judged no more is not kept: what ran before runs again', async () => {
    await onSmallDisk(async () => {
      const seen = await snapshotOf(app);
      const watch = watchTransaction(app, full);
      const more = { 'backup-dir': full, 'stable-for': '3s', 'max-downtime': '1m' };
      const action = await startAction('rollback', inputs(more));
      await watch.reached('stopping');
      await leaveRoom(app.host, full, 0);
      const result = await action.finished;
      assert.equal(await endedAs((await watch.ended()).journal(), seen), 'reverted', result.stdout);
      saysSo(result, 'reverted');
      assert.match(
        result.stdout,
        /(Cannot measure the downtime of .* any more|stopped measuring downtime): the disk is full/,
      );
      assert.equal(result.outputs['downtime-ms'], '', result.stdout);
    });
  });
});
