// What must hold when things go wrong around a backup: on the host's disk, in its database, in its folders, in what was
// asked for. Faults of the connection and of the runner have their own file.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { asRoot, run } from '../lab/command.ts';
import * as faults from '../lab/faults.ts';
import type { FileFact } from '../lab/files.ts';
import type { Host } from '../lab/host.ts';
import type { ActionResult, RunningAction } from '../lab/runner.ts';
import { adviceIn, hostIsClean, nothingPartial, type Refusal, refused, succeeded, untouched } from './expectations.ts';
import {
  backup,
  bash,
  type Inputs,
  idDaysAgo,
  idsIn,
  manifestOf,
  namesIn,
  plant,
  read,
  smallDatabase,
  startBackup,
  write,
} from './sets.ts';
import { hostForFile } from './stage.ts';

const small = { 'db-name': 'small' };
const { host } = await hostForFile({ name: 'faults' });
await smallDatabase(host, 'small', 1_000);
/** A backup folder with a verified set of the small database, older than a day, and one of now. */
const dir = host.newBackupDir();
await plant(host, dir, await manifestOf(host, await backup(host, dir, small)), idDaysAgo(2));
let earlier: FileFact[];

beforeEach(() => {
  earlier = host.files(dir);
});

/** The run failed in good order, nothing that was there has changed, and the next run is as good as any. */
async function survived(result: ActionResult, refusal: Refusal, within = dir): Promise<void> {
  refused(result, refusal);
  untouched(earlier, host.files(within));
  await hostIsClean(host);
  await nextIsGood(within);
}

async function nextIsGood(within = dir): Promise<void> {
  succeeded(await backup(host, within, small));
  nothingPartial(host.files(within));
  assert.ok(!namesIn(host.files(within)).includes('.lock.holder'));
}

/** Runs a backup of the large database whose dump stands still in the middle while something happens to it. */
async function midDump(
  fault: (action: RunningAction) => Promise<unknown>,
  inputs: Inputs = {},
  within = dir,
): Promise<ActionResult> {
  const release = await faults.stallDumps(host);
  try {
    const action = await startBackup(host, within, inputs);
    await Promise.race([faults.dumpStalled(host), action.finished]);
    await fault(action);
    await release();
    return await action.finished;
  } finally {
    await release();
  }
}

describe('the disk of the host', () => {
  test('gets full in the middle', async () => {
    const disk = host.newBackupDir();
    const remove = await faults.smallDisk(host, disk, 24);
    try {
      succeeded(await backup(host, disk, small));
      earlier = host.files(disk);
      const result = await midDump(() => faults.leaveRoom(host, disk, 64), {}, disk);
      await bash(host, 'rm "$1"/ballast', disk);
      await survived(result, { message: /^The disk of .* is full: \d+ bytes left/, hint: /Make room: df -h/ }, disk);
      assert.match(await read(host, `${disk}/backup.log`), /backup failed .*error=disk-full/);
    } finally {
      await remove();
    }
  });

  test('has too little room from the start: nothing is written', async () => {
    const fresh = host.newBackupDir();
    const all = host.files();
    const result = await backup(host, fresh, { 'min-free-space': '100TiB' });
    refused(result, { message: /free; 100\.?0? TiB needed \(the input "min-free-space"\)/, hint: /df -h/ });
    assert.deepEqual(host.files(), all);
    assert.match(result.summary, /^## ❌ No backup of prod was taken/);
  });
});

describe('the database', () => {
  test('is killed in the middle', async () => {
    let mend: faults.Mend | undefined;
    const result = await midDump(async () => {
      mend = await faults.killDatabase(host);
    });
    await mend?.();
    await survived(result, {
      message: /Something stopped the dump|pg_dump failed|did not export a snapshot|The session that counts/,
      hint: /docker (ps|logs)|Earlier backups are unchanged/,
    });
  });

  test('is paused, stopped, absent: refused before anything is written', async () => {
    const states: [string, (host: Host) => Promise<faults.Mend>, Refusal][] = [
      [
        'paused',
        faults.pauseDatabase,
        { message: /\(service db\) is not running: paused/, hint: /docker unpause [a-f0-9]{12}/ },
      ],
      [
        'stopped',
        faults.stopDatabase,
        {
          message: /\(service db\) is not running: exited/,
          hint: /On the host, as [a-z]\S*: docker start [a-f0-9]{12}, then /,
        },
      ],
      [
        'absent',
        faults.removeDatabase,
        { message: /No service of the project runs a PostgreSQL image; it has web/, hint: /"db-service"/ },
      ],
    ];
    for (const [state, fault, refusal] of states) {
      const before = host.files(dir);
      const mend = await fault(host);
      try {
        const result = await backup(host, dir, small);
        refused(result, refusal);
        assert.deepEqual(listOf(host.files(dir)), listOf(before), state);
      } finally {
        await mend();
      }
    }
    await hostIsClean(host);
    await nextIsGood();
  });

  test('stands still in the middle: the deadline ends it, the next run ends its sessions', async () => {
    const release = await faults.stallDumps(host);
    try {
      // Long enough for a busy machine to come as far as that.
      const action = await startBackup(host, dir, { timeout: '20s' });
      await Promise.race([faults.dumpStalled(host), action.finished]);
      const resume = await faults.pauseDatabase(host);
      const result = await action.finished;
      assert.ok(result.durationMs < 90_000, `${result.durationMs} ms`);
      refused(result, { message: /20 s|deadline|timeout/i, hint: /"timeout"/ });
      untouched(earlier, host.files(dir));
      await resume();

      const left = (await host.database.sessions()).map(({ pid }) => pid);
      const next = await startBackup(host, dir);
      await faults.until('the end of the sessions that were left', async () => {
        const now = (await host.database.sessions()).map(({ pid }) => pid);
        return left.every((pid) => !now.includes(pid)) || undefined;
      });
      await faults.dumpStalled(host);
      await release();
      succeeded(await next.finished);
    } finally {
      await release();
    }
    nothingPartial(host.files(dir));
    await hostIsClean(host);
  });

  test('ends the session that dumps', async () => {
    const result = await midDump(() => faults.terminateDump(host));
    await survived(result, {
      message: /^pg_dump failed: terminating connection due to administrator command/,
      hint: /server ended the session.*\/postgres-\d{8}_\d{6}\.log/,
    });
    assert.match(result.stdout, /terminating connection due to administrator command/);
    assert.match(await read(host, `${dir}/backup.log`), /backup failed .*error=dump-failed/);
  });

  test('floods the log: its beginning is shown, the rest is counted, and the backup is as good as any', async () => {
    const restore = await wrapDump(
      'yes \'pg_dump: warning: there are circular foreign-key constraints\' | head -n 1000000 >&2; exec "$real" "$@"',
    );
    try {
      const result = await backup(host, dir, small);
      succeeded(result);
      // One line says where the rest is, and one what pg_dump warned of.
      assert.equal(result.stdout.match(/circular foreign-key/g)?.length, 2_000);
      assert.match(result.stdout, /\d{4} more lines \(\d+\.\d (KiB|MiB)\) were left out/);
    } finally {
      await restore();
    }
    nothingPartial(host.files(dir));
  });

  test('loses the compressor', async () => {
    const result = await midDump(() => faults.killCompressor(host));
    await survived(result, { message: /compressor zstd failed/, hint: /memory/ });
  });

  test('loses what parses the dump while it is written', async () => {
    const result = await midDump(() => faults.killDecompressor(host));
    await survived(result, {
      message: /read-back: could not be parsed in full while it was written: .*decompress exited with 137/,
      hint: /The failed dump was put aside/,
    });
  });

  test('has a table that somebody has locked', async () => {
    const release = await faults.lockTable(host, 'public', 'items', 'small');
    try {
      const result = await backup(host, dir, { ...small, 'lock-wait': '2s' });
      await release();
      await survived(result, {
        message: /^A table stayed locked for 2(\.0)? s, .*: public\.items, held by pid \d+ \(/,
        hint: /"lock-wait".*SELECT pg_terminate_backend\(\d+\);/,
      });
    } finally {
      await release();
    }
  });
});

test('what was asked for is not there: each is named, with the way out', async () => {
  const wrong: [Inputs, Refusal][] = [
    [{ 'db-name': 'nowhere' }, { message: /database "nowhere" does not exist/, hint: /"db-name"/ }],
    [{ 'db-user': 'nobody at all' }, { message: /role "nobody at all" does not exist/, hint: /"db-user"/ }],
    [{ 'db-service': 'postgres' }, { message: /no service "postgres"; it has db, web/, hint: /"db-service"/ }],
    [{ 'project-name': 'other' }, { message: /compose project called other/, hint: new RegExp(host.project) }],
    [
      { 'deploy-dir': '/nowhere', 'backup-dir': join(host.deployDir, dir) },
      { message: /folder \/nowhere does not exist/, hint: /"deploy-dir"/ },
    ],
  ];
  for (const [inputs, refusal] of wrong) {
    const result = await backup(host, dir, inputs);
    refused(result, refusal);
    assert.deepEqual(listOf(host.files(dir)), listOf(earlier));
  }
  await hostIsClean(host);
});

describe('the backup folder', () => {
  test('is open to others: refused, with the command that closes it', async () => {
    for (const folder of [dir, `${dir}/daily`]) {
      await bash(host, 'chmod 755 "$1"', folder);
      const opened = host.files(dir);
      const result = await backup(host, dir, small);
      refused(result, { message: /has mode 755: others on the host can reach/, hint: /chmod 700 \S+/ });
      assert.deepEqual(listOf(host.files(dir)), listOf(opened));
      const [command] = /chmod 700 \S+/.exec(adviceIn(result)) ?? [''];
      await bash(host, command);
    }
    await nextIsGood();
  });

  test('has a tier on another file system: refused before anything is written', async () => {
    const fresh = host.newBackupDir();
    await bash(host, 'mkdir -m 0700 "$1"', fresh);
    const remove = await faults.smallDisk(host, `${fresh}/monthly`, 8);
    try {
      const result = await backup(host, fresh, small);
      refused(result, {
        message: /monthly is on a different file system than/,
        hint: /Mount that file system at the backup/,
      });
      assert.deepEqual(namesIn(host.files(fresh)), ['backup.log'], 'more than the line about the run was written');
    } finally {
      await remove();
    }
  });

  test('changes all the time: what is ours stops the run before it takes anything, what is foreign does not', async () => {
    const busy = host.newBackupDir();
    succeeded(await backup(host, busy, small));
    earlier = host.files(busy);
    const changing = (name: string) =>
      bash(
        host,
        'touch "$1/stop-$2"; while [ -e "$1/stop-$2" ]; do echo >>"$1/daily/$2"; sleep 0.02; done; rm "$1/daily/$2"',
        busy,
        name,
      );
    const whileChanging = async (name: string) => {
      const writer = changing(name);
      await faults.until(
        'a file that changes',
        async () => existsSync(join(host.deployDir, busy, 'daily', name)) || undefined,
      );
      const result = await backup(host, busy, small);
      await bash(host, 'rm "$1"', `${busy}/stop-${name}`);
      await writer;
      return result;
    };
    refused(await whileChanging('backup_20200101_000000.dump.zst'), {
      message: /^Other sets in .* have changed/,
      hint: /No backup was taken/,
    });
    untouched(earlier, host.files(busy));
    nothingPartial(host.files(busy));
    succeeded(await whileChanging('access.log'));
    await hostIsClean(host);
  });

  test('belongs to somebody else: refused, with the command that gives it back', async () => {
    await run(asRoot(['chown', '0:0', join(host.deployDir, dir)]));
    const result = await backup(host, dir, small);
    const [, command = ''] = /As root: (.*)/.exec(adviceIn(result)) ?? [];
    await run(asRoot(['bash', '-c', command]));
    refused(result, { message: /belongs to root|cannot write to/, hint: /As root: (chown -R|install -d) / });
    untouched(earlier, host.files(dir));
    await nextIsGood();
  });
});

test('earlier sets are damaged: they are told of, count for nothing and stay; the run is as good as any', async () => {
  const within = host.newBackupDir();
  const first = await manifestOf(host, await backup(host, within, small));
  const planted = async (minutes: number, damage: string) => {
    const id = idDaysAgo(minutes / 1440);
    const dump = await plant(host, within, first, id);
    await bash(host, damage, dump, dump.replace(/\.dump\.zst$/, '.manifest.json'));
    return id;
  };
  const hostile = JSON.stringify({
    ...first,
    id: '../../x',
    database: '$(touch /tmp/atlasia-pwned)\n::set-output name=status::succeeded',
    file: '../../../../etc/passwd',
    sizeBytes: -1,
    schemaSha256: '##[error]',
  });
  const broken = [
    await planted(-9, 'truncate -s 100 "$1"'),
    await planted(-8, ': >"$1"'),
    await planted(-7, 'rm "$1"'),
    await planted(-6, 'echo garbage >"$2"'),
    await planted(-5, ': >"$2"'),
    await planted(-4, 'head -c 9000000 /dev/zero | tr "\\0" "[" >"$2"'),
    await planted(-3, `printf %s ${shellQuoted(hostile)} >"$2"`),
  ];
  // In the scripts' time backups had no manifest, and stood in the folder itself.
  for (const name of ['backup_20230101_020000.sql.gz', 'daily/backup_20230101_020000.sql.gz', 'weekly/x', 'failed/y'])
    await write(host, `${within}/${name}`, 'foreign');
  const before = host.files(within).filter(({ path }) => !path.includes(first.id));

  const result = await backup(host, within, { ...small, 'keep-daily': '1', 'keep-weekly': '0', 'keep-monthly': '0' });
  succeeded(result);
  untouched(before, host.files(within));
  const newest = await manifestOf(host, result);
  const size = (newest['checks'] as { name: string; detail: string }[]).find(({ name }) => name === 'size');
  assert.match(size?.detail ?? '', new RegExp(`100 % of ${first.id}`));
  assert.deepEqual(
    idsIn(host, within, 'daily').filter((id) => !broken.includes(id)),
    [newest.id],
  );
  for (const id of broken) assert.ok(result.stdout.includes(id), `${id} is not told of:\n${result.stdout}`);
  assert.doesNotMatch(result.summary, /::set-output|##\[error/);
});

describe('a dump that is not what it should be', () => {
  /** What pg_dump is replaced by, as if it, the disk or the memory had failed without a word. */
  const damages: [name: string, wrapper: string, inputs: Inputs, reason: RegExp][] = [
    ['nothing at all came out', 'exit 0', {}, /^file: only \d+ bytes/],
    ['it ends in the middle', '"$real" "$@" | head -c 100000', {}, /read-back: .*read exited with 1/],
    [
      'a plain one ends in the middle',
      '"$real" "$@" | head -c 100000',
      { format: 'plain' },
      /read-back: .*read exited with 1/,
    ],
    [
      "a table's rows are missing",
      'exec "$real" --exclude-table-data=public.items "$@"',
      {},
      /tables: not in the dump: 1 of 1 table: public\.items/,
    ],
  ];

  for (const [name, wrapper, inputs, reason] of damages) {
    test(`${name}: it is put aside and counts for nothing`, async () => {
      const restore = await wrapDump(wrapper);
      let result: ActionResult;
      try {
        result = await backup(host, dir, { ...small, ...inputs, 'keep-daily': '1' });
      } finally {
        await restore();
      }
      await putAside(result, reason);
    });
  }

  test('the bytes on the disk are not those of the stream', async () => {
    const flip =
      'printf XYZ | dd of="$(echo "$1"/daily/.partial-*/backup_*.dump)" bs=1 seek=4000 conv=notrunc status=none';
    // What is compressed comes to the disk in large blocks; of this, the beginning is there already.
    const result = await midDump(() => bash(host, flip, dir), { compression: 'none' });
    await putAside(result, /disk: the bytes on disk have the SHA-256/);
  });

  async function putAside(result: ActionResult, reason: RegExp): Promise<void> {
    refused(result, {
      message: /failed its verification and does not count as a backup/,
      hint: /put aside: \S+failed_/,
    });
    const failed = namesIn(host.files(`${dir}/failed`)).map((path) => path.slice(path.lastIndexOf('/') + 1));
    const [, id = ''] = /^failed_(\d{8}_\d{6})\./.exec(failed[0] ?? '') ?? [];
    assert.equal(failed.length, 2, `only the last one is kept: ${failed}`);
    assert.ok(failed.includes(`failed_${id}.reason.txt`), `${failed}`);
    assert.match(await read(host, `${dir}/failed/failed_${id}.reason.txt`), new RegExp(reason.source, 'm'));
    assert.match(await read(host, `${dir}/backup.log`), new RegExp(`backup failed id=${id} .*error=not-verified`));
    assert.match(result.summary, /^## ❌ No backup of prod was taken/);

    // Those of the earlier failures go; every backup stays.
    const backups = (files: readonly FileFact[]) => files.filter(({ path }) => !path.startsWith('failed/'));
    untouched(backups(earlier), host.files(dir));
    assert.deepEqual(idsIn(host, dir, 'daily'), idsOf(earlier));
    await hostIsClean(host);
    await nextIsGood();
  }
});

/** Replaces pg_dump in the database's container; the dump of the schema alone stays as it is. */
async function wrapDump(body: string): Promise<faults.Mend> {
  const inside = async (script: string, ...words: string[]) =>
    host.docker('exec', '--user', '0', await host.container('db'), 'sh', '-c', script, 'sh', ...words);
  const path = (await inside('readlink -f "$(command -v pg_dump)"')).trim();
  const wrapper = `#!/bin/sh
real=${path}.real
case " $* " in *" --schema-only "* | *" --version "*) exec "$real" "$@" ;; esac
${body}
`;
  await inside('mv "$1" "$1.real" && printf %s "$2" >"$1" && chmod 755 "$1"', path, wrapper);
  return async () => {
    await inside('mv "$1.real" "$1"', path);
  };
}

/** Without what every run writes anew. */
const listOf = (files: readonly FileFact[]) =>
  files
    .filter(({ path }) => !/^(\.lock(\.\w+)?|(backup|postgres)\.log)$/.test(path))
    .map(({ path, mode, inode, size, content }) => ({ path, mode, inode, size, content }));

const idsOf = (files: readonly FileFact[]) =>
  files.flatMap(({ path }) => /^daily\/backup_(.*)\.manifest\.json$/.exec(path)?.[1] ?? []);

const shellQuoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
