// What is restored may be hostile, or only large: whatever it prints and writes while it is drilled, the host keeps its
// memory and its disk, and what was cut off is never taken for an answer.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { drillScript } from '../../shared/postgres/scripts.ts';
import { asRoot, attempt, run } from '../lab/command.ts';
import { temporaryFolder } from '../lab/folder.ts';
import { type MainResult, startAction } from '../lab/runner.ts';
import { databaseThatActs, drillsOf, noDrillLeft } from './drills.ts';
import { backup, backupInputs, bash, type Inputs } from './sets.ts';
import { hostForFile } from './stage.ts';
import { findingOf, verified } from './verifications.ts';

const { host } = await hostForFile({ name: 'drill-limits', seed: false });
const files = temporaryFolder('drill-sql');
let dir: string;

beforeEach(() => {
  dir = host.newBackupDir();
});

const MiB = 2 ** 20;
/** Bash with our programs takes some 10 MiB. */
const mostMemory = 64 * MiB;

/** Takes a backup of a database, drills it, and ends it where the programs on the host take more memory than they may. */
async function drill(database: string, inputs: Inputs = {}): Promise<MainResult> {
  await backup(host, dir, { 'db-name': database });
  const action = await startAction(
    'verify',
    backupInputs(host, dir, { checks: 'drill', 'db-name': database, timeout: '5m', ...inputs }),
  );
  let isOver = false;
  const finished = action.finished.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const peak = memoryOfPrograms();
    if (peak > mostMemory) {
      await action.kill();
      assert.fail(`the program on the host took ${Math.round(peak / MiB)} MiB:\n${action.log().slice(-2_000)}`);
    }
    await sleep(50);
  }
  return finished;
}

/** Bytes that one of ours had at most; the clients of Docker are not ours. */
function memoryOfPrograms(): number {
  const peaks = host
    .sessionProcesses()
    .filter(({ command }) => command.startsWith('bash '))
    .map(({ pid }) => {
      try {
        return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
      } catch {
        return 0;
      }
    });
  return Math.max(0, ...peaks);
}

function statementsFile(statements: readonly string[]): string {
  const path = join(files, 'assertions.sql');
  writeFileSync(path, statements.join(';\n'));
  return path;
}

describe('what is printed without an end', () => {
  const floods: [what: string, statement: string][] = [
    ['notices', "RAISE NOTICE '%', repeat('x', 8000);"],
    ['empty lines', "RAISE NOTICE '%', E'\\n\\n\\n\\n\\n\\n\\n\\n';"],
  ];
  for (const [what, statement] of floods) {
    test(`by statements of the user that call a function of the backup: ${what}`, async () => {
      await host.database.create('loud');
      await host.psql(
        `CREATE FUNCTION shout() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN LOOP ${statement} END LOOP; END $$;
         CREATE TABLE items AS SELECT 1 AS n;`,
        'loud',
      );
      try {
        // More than the scratch server has connections: those that shout must not keep theirs.
        const shouts = Array.from({ length: 12 }, () => 'SELECT shout()');
        const file = statementsFile([...shouts, 'SELECT count(*) = 1 FROM items']);
        const result = await drill('loud', { 'drill-sql': file });
        await verified(host, result, 'failed', { 'drill-sql': 'failed' });
        const { detail } = findingOf(result, 'drill-sql');
        assert.match(detail, /^SELECT shout\(\) returned more than 4\.0 KiB instead of one true or false\b/);
        assert.match(detail, /and 7 more$/, 'the one that is true is not among them');
        await noDrillLeft(host, dir);
      } finally {
        await host.database.drop('loud');
      }
    });
  }

  // Into the output of whoever speaks to the scratch server, as a program that was started while it was restored. That one is stopped
  // meanwhile, so that it does not end before enough is printed.
  const intruder = (source: string) =>
    `COPY (SELECT 1) TO PROGRAM $$cat >/dev/null; setsid sh -c 'while :; do for p in /proc/[0-9]*; do
       read -r name <$p/comm; [ "$name" = psql ] || continue;
       case $(readlink $p/fd/1) in pipe:*) kill -STOP \${p#/proc/}; ${source} >$p/fd/1; kill -CONT \${p#/proc/};; esac; done; done' >/dev/null 2>&1 &$$;`;
  const sources: [what: string, source: string][] = [
    ['lines', 'yes'],
    ['a line without an end', 'tr "\\0" x </dev/zero'],
    ['NUL, as between the records of a result', 'cat /dev/zero'],
  ];
  for (const [what, source] of sources) {
    test(`by a program beside the one that counts: ${what}`, async () => {
      await databaseThatActs(host, 'beside', intruder(source));
      // The session that counts lasts long enough to be caught.
      await host.psql('CREATE TABLE many AS SELECT n FROM generate_series(1, 300000) n', 'beside');
      try {
        const result = await drill('beside');
        await verified(host, result, 'could-not-verify', { drill: 'could-not-check' });
        assert.match(
          findingOf(result, 'drill').detail,
          /printed more than \d+\.0 MiB while its \w+ were (counted|read), so its output was cut off and discarded/,
        );
        await noDrillLeft(host, dir);
      } finally {
        await host.database.drop('beside');
      }
    });
  }

  test('by a program beside the one that reads the indexes: more than Docker holds of it, before the rows are counted', async () => {
    // The session that counts is stopped until the other one has ended, and what that was made to print waits in Docker.
    const flood = `COPY (SELECT 1) TO PROGRAM $$cat >/dev/null; setsid sh -c 'facts=; while :; do for p in /proc/[0-9]*; do
      read -r name <$p/comm && [ "$name" = psql ] || continue;
      case $(tr "\\0" " " <$p/cmdline) in
        *"STOP=0 ") yes | head -c 1450000 >$p/fd/1; while [ -e $p ]; do sleep 0.1; done; sleep 3; kill -CONT $facts; exit;;
        *"STOP=1 ") facts=\${p#/proc/}; kill -STOP $facts;;
      esac; done; done' >/dev/null 2>&1 &$$;`;
    await databaseThatActs(host, 'held', flood);
    // Both sessions last long enough to be caught: rows to count and to hash, and an index to read.
    await host.psql(
      'CREATE TABLE many AS SELECT n FROM generate_series(1, 600000) n; ALTER TABLE many ADD PRIMARY KEY (n)',
      'held',
    );
    try {
      const result = await drill('held', { timeout: '2m' });
      await verified(host, result, 'could-not-verify', { drill: 'could-not-check' });
      await noDrillLeft(host, dir);
    } finally {
      await host.database.drop('held');
    }
  });
});

/** Bytes that are free on the disk of Docker. */
async function roomOfDocker(): Promise<number> {
  const root = (await host.docker('info', '--format', '{{.DockerRootDir}}')).trim();
  return Number((await bash(host, 'df --block-size=1 --output=avail -- "$1" | tail -n 1', root)).trim());
}

describe('the disk of Docker', () => {
  test('is filled by what is restored: the drill is ended, and its room is free again', async () => {
    const fill = "COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; fallocate -l 4G /tmp/filler'; PERFORM pg_sleep(20);";
    await databaseThatActs(host, 'filling', fill);
    try {
      const free = await roomOfDocker();
      // With what a drill needs of itself, and a GiB for the others that use the disk of the lab.
      const least = free - 3 * 1024 * MiB;
      const result = await drill('filling', { 'min-free-space': String(least) });
      await verified(host, result, 'could-not-verify', { drill: 'could-not-check' });
      const { detail, remedy } = findingOf(result, 'drill');
      assert.match(
        detail,
        /^Stopped the drill: Docker's disk had only .* left, less than "min-free-space" .*\. Its container had used 4\.\d GiB; at most 1\.\d GiB was expected/,
      );
      assert.match(remedy ?? '', /^The container was removed and its space freed; nothing else was touched\./);
      assert.match(remedy ?? '', /docker system df/);
      await noDrillLeft(host, dir);
      assert.ok((await roomOfDocker()) > least, 'what it had filled is not free again');
    } finally {
      await host.database.drop('filling');
    }
  });

  test('is watched by somebody whom nothing that is restored can end', async () => {
    const kill = `COPY (SELECT 1) TO PROGRAM $$cat >/dev/null; for p in /proc/[0-9]*; do
      if tr '\\0' ' ' <$p/cmdline | grep -q 'inside room_[b]elow'; then kill -9 \${p#/proc/}; fi; done; true$$; PERFORM pg_sleep(2);`;
    await databaseThatActs(host, 'killing', kill);
    try {
      // A table with an index that calls such a function is not hashed.
      await verified(host, await drill('killing'), 'verified', { content: 'warning' });
      await noDrillLeft(host, dir);
    } finally {
      await host.database.drop('killing');
    }
  });

  test('can take no more files: the watch ends as where it takes no more bytes', async () => {
    const watch = 'mount -t tmpfs -o "nr_inodes=$1" lab /tmp && exec timeout 5 sh -c "$2" inside room_below 1 /tmp';
    const watchWith = (inodes: number) =>
      attempt(asRoot(['unshare', '--mount', 'sh', '-c', watch, 'sh', String(inodes), drillScript()]));
    const ended = await watchWith(9_000);
    assert.equal(ended.code, 0, ended.stderr);
    // At the begin, and at the end.
    assert.match(ended.stdout, /^(\d{5,}\n){2}$/);
    // 0: one that counts no files.
    for (const inodes of [0, 20_000]) assert.equal((await watchWith(inodes)).code, 124, `${inodes}`);
  });

  test('can be watched no more, because nothing can be started there: the drill is ended', async () => {
    // Each fills what is free, and begins again where something becomes free.
    const filler = `setsid sh -c 'while :; do sh -c "while :; do sleep 30 & done"; done' >/dev/null 2>&1 &`;
    const bomb = `COPY (SELECT 1) TO PROGRAM $$cat >/dev/null; ${filler.repeat(5)}$$; PERFORM pg_sleep(20);`;
    await databaseThatActs(host, 'bomb', bomb);
    try {
      const result = await drill('bomb');
      await verified(host, result, 'could-not-verify', { drill: 'could-not-check' });
      assert.match(findingOf(result, 'drill').detail, /could no longer tell how much space is free on Docker's disk/);
      await noDrillLeft(host, dir);
    } finally {
      await host.database.drop('bomb');
    }
  });
});

test('a scratch container that cannot be removed is told of, with what to type', async () => {
  await host.database.create('stuck');
  await host.psql('CREATE TABLE items AS SELECT 1 AS n', 'stuck');
  await backup(host, dir, { 'db-name': 'stuck' });
  const file = statementsFile(['SELECT pg_sleep(5) IS NOT NULL']);
  const inputs = { checks: 'drill', 'db-name': 'stuck', 'drill-sql': file };
  const action = await startAction('verify', backupInputs(host, dir, inputs));
  await action.sawLog(/Checking the restored data/);
  const [short = ''] = await drillsOf(host, dir);
  const [id, name] = (await host.docker('inspect', '--format', '{{.Id}} {{.Name}}', short)).trim().split(' /');
  const root = (await host.docker('info', '--format', '{{.DockerRootDir}}')).trim();
  // Of which Docker cannot remove its files.
  await run(asRoot(['chattr', '+i', join(root, 'containers', id ?? '')]));
  try {
    const result = await action.finished;
    await verified(host, result, 'verified');
    assert.match(result.stdout, /Could not remove the scratch container: .*operation not permitted/);
    assert.match(result.stdout, new RegExp(`On the host: docker rm --force --volumes ${name}$`, 'm'));
  } finally {
    await run(asRoot(['chattr', '-i', join(root, 'containers', id ?? '')]));
    await host.docker('rm', '--force', '--volumes', short);
  }
  await noDrillLeft(host, dir);
});
