// A backup is restored for real, beside the database that is in use, and compared. What is wrong with it is found; what the
// drill has made is gone afterwards, also when it is killed.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { holdLock } from '../lab/faults.ts';
import { temporaryFolder } from '../lab/folder.ts';
import { startHost } from '../lab/host.ts';
import { startAction } from '../lab/runner.ts';
import { drillsOf, noDrillLeft } from './drills.ts';
import {
  backup,
  backupInputs,
  bash,
  copyOf,
  type Inputs,
  type ManifestJson,
  manifestOf,
  read,
  smallDatabase,
} from './sets.ts';
import { hostForFile } from './stage.ts';
import { findingOf, notPassed, verified, verify } from './verifications.ts';

const { lab, host } = await hostForFile({ name: 'drill', deployFolder: "it's $HOME" });
await smallDatabase(host, 'small', 1_000);
await host.psql('CREATE TABLE more AS SELECT n, n * 2 AS twice FROM generate_series(1, 50) n', 'small');
await host.database.create('empty');
const files = temporaryFolder('drill-sql');
let dir: string;

beforeEach(() => {
  dir = host.newBackupDir();
});

const drillInputs = (inputs: Inputs = {}) => ({ checks: 'drill', 'db-name': 'small', ...inputs });
const drill = (inputs: Inputs = {}) => verify(host, dir, drillInputs(inputs));
const root = () => join(host.deployDir, dir);

/** Such a backup is taken once; each test has a copy of its own. */
const small = host.newBackupDir();
const manifestOfSmall = await manifestOf(host, await backup(host, small, { 'db-name': 'small' }));

async function backupOfSmall(): Promise<ManifestJson> {
  dir = await copyOf(host, small);
  return manifestOfSmall;
}

const drillsHere = () => drillsOf(host, dir);
const nothingLeft = () => noDrillLeft(host, dir);

async function statementsFile(sql: string): Promise<string> {
  const path = join(files, 'assertions.sql');
  writeFileSync(path, sql);
  return path;
}

describe('a backup that is whole', () => {
  test('is proven: restored, compared, and told of beside it and in the history', async () => {
    const taken = await backup(host, dir);
    const manifest = await manifestOf(host, taken);
    const content = await host.database.contentOf();
    const result = await verify(host, dir, { checks: 'drill' });
    await verified(host, result, 'verified');
    assert.match(
      findingOf(result, 'restore').detail,
      new RegExp(`^restored ${manifest.id} of "atlasia" into an empty server in `),
    );
    assert.match(findingOf(result, 'tables').detail, /^all 25 tables were restored$/);
    assert.match(findingOf(result, 'indexes').detail, /^all are valid; amcheck read [1-9]\d* of them$/);
    assert.equal(findingOf(result, 'schema').detail, 'a new dump of it is identical');
    assert.ok(Number(result.outputs['drill-duration-ms']) > 0);

    const proofs = await bash(host, 'cd -- "$1" && stat --format %i -- */*.proof.jsonl', root());
    const inodes = proofs.trim().split('\n');
    assert.equal(inodes.length, 3, 'daily, weekly and monthly');
    assert.equal(new Set(inodes).size, 1);
    const proof = JSON.parse(await read(host, join(root(), 'daily', `backup_${manifest.id}.proof.jsonl`)));
    assert.deepEqual([proof.what, proof.result, proof.checks.rows], ['drill', 'passed', 'passed']);
    const history = (await read(host, join(root(), 'rollback', 'history.jsonl'))).trim().split('\n');
    const record = JSON.parse(history.at(-1) ?? '');
    assert.deepEqual(
      [record.id, record.event, record.status, record.verdict, record.backupId],
      [result.outputs['history-id'], 'drill', 'succeeded', 'unknown', manifest.id],
    );

    assert.deepEqual(await host.database.contentOf(), content, 'the database in use is another one');
    await nothingLeft();
  });

  const forms: [format: string, compression: string][] = [
    ['custom', 'gzip'],
    ['custom', 'none'],
    ['plain', 'gzip'],
    ['plain', 'zstd'],
  ];
  for (const [format, compression] of forms) {
    test(`${format} with ${compression}`, async () => {
      await backup(host, dir, { 'db-name': 'small', format, compression });
      await verified(host, await drill(), 'verified');
      await nothingLeft();
    });
  }

  test('of the database that every server has', async () => {
    await host.psql('CREATE TABLE own AS SELECT 1 AS n', 'postgres');
    await backup(host, dir, { 'db-name': 'postgres' });
    const result = await drill({ 'db-name': 'postgres' });
    await host.psql('DROP TABLE own', 'postgres');
    await verified(host, result, 'verified');
    await nothingLeft();
  });

  test('in an image without zstd, it is unpacked on the host', async () => {
    const lean = await startHost(lab, { name: 'lean', postgres: 'lean' });
    try {
      const folder = lean.newBackupDir();
      const taken = await backup(lean, folder, { compression: 'zstd' });
      await verified(lean, await verify(lean, folder, { checks: 'drill' }), 'verified');

      const damage = 'head -c 5000 /dev/zero | dd of="$1" bs=1000 seek=20 conv=notrunc status=none';
      await bash(lean, damage, taken.outputs['backup-file'] ?? '');
      const result = await verify(lean, folder, { checks: 'drill' });
      assert.equal(result.outputs['status'], 'failed');
      assert.match(findingOf(result, 'restore').detail, /it cannot be decompressed completely/);
    } finally {
      await lean.stop();
    }
  });
});

/** Another dump in the place of the set's own, with a manifest that was made to agree with it. */
async function substitute(manifest: ManifestJson, script: string): Promise<void> {
  const make = `set -euo pipefail; cd -- "$1/daily"; umask 077; ${script} >new; mv new "$2"; stat --format %s "$2"; sha256sum "$2"`;
  const told = await bash(host, make, root(), manifest.file, await host.container('db'));
  const [size = '', sums = ''] = told.split('\n');
  await forge(manifest, { sizeBytes: Number(size), sha256: sums.split(' ')[0] });
}

/** In each folder that the set stands in. */
async function forge(manifest: ManifestJson, changes: Readonly<Record<string, unknown>>): Promise<void> {
  const script = `cd -- "$1"; umask 077
    for folder in daily weekly monthly; do
      [[ -e $folder/$2 ]] || continue
      [[ $folder/$2 -ef daily/$2 ]] || ln -f -- "daily/$2" "$folder/"
      rm -- "$folder/$3" && printf '%s' "$4" >"$folder/$3"
    done`;
  const names = [manifest.file, `backup_${manifest.id}.manifest.json`];
  await bash(host, script, root(), ...names, JSON.stringify({ ...manifest, ...changes }, null, 2));
}

const dumpOf = (database: string, options = '') =>
  `docker exec "$3" pg_dump -U atlasia -d ${database} -Fc -Z0 ${options} | zstd -q -c`;

describe('what is wrong with a backup is found', () => {
  const faults: [what: string, script: string, expected: Record<string, string>][] = [
    ['the dump of another database', dumpOf('atlasia'), { tables: 'failed', rows: 'failed' }],
    ['an empty dump', dumpOf('empty'), { tables: 'failed', rows: 'failed' }],
    [
      'a missing table',
      dumpOf('small', '--exclude-table=more'),
      { tables: 'failed', rows: 'failed', schema: 'warning' },
    ],
  ];
  for (const [what, script, expected] of faults) {
    test(what, async () => {
      const manifest = await backupOfSmall();
      await substitute(manifest, script);
      const found = notPassed(await drill());
      for (const [name, how] of Object.entries(expected)) assert.equal(found[name], how, JSON.stringify(found));
      await nothingLeft();
    });
  }

  test('one missing row', async () => {
    const manifest = await backupOfSmall();
    await host.psql('DELETE FROM more WHERE n = 50', 'small');
    await substitute(manifest, dumpOf('small'));
    await host.psql('INSERT INTO more VALUES (50, 100)', 'small');
    const result = await drill();
    await verified(host, result, 'failed', { rows: 'failed' });
    assert.equal(findingOf(result, 'rows').detail, 'public.more has 49 instead of 50');
    const proof = await read(host, join(root(), 'daily', `backup_${manifest.id}.proof.jsonl`));
    assert.equal(JSON.parse(proof).result, 'failed');
    await nothingLeft();
  });

  test('a flipped bit', async () => {
    const manifest = await manifestOf(host, await backup(host, dir, { 'db-name': 'small', compression: 'none' }));
    const file = join(root(), 'daily', manifest.file);
    // In a row, where no format of PostgreSQL's has a checksum.
    const script = 'printf X | dd of="$1" bs=1 seek=$(($(stat --format %s "$1") - 200)) conv=notrunc status=none';
    await bash(host, script, file);
    const result = await drill();
    assert.equal(findingOf(result, 'same bytes').result, 'failed');
    assert.equal(result.outputs['status'], 'failed');
    await nothingLeft();
  });

  test('an archive that was cut, with a manifest that says so', async () => {
    const manifest = await backupOfSmall();
    await substitute(manifest, `head -c ${Math.floor(Number(manifest['sizeBytes']) / 2)} "$2"`);
    const result = await drill();
    assert.equal(findingOf(result, 'restore').result, 'failed');
    assert.equal(findingOf(result, 'rows').result, 'could-not-check');
    assert.equal(result.outputs['drill-duration-ms'], '');
    await nothingLeft();
  });

  test('a plain dump that was cut between rows', async () => {
    const manifest = await manifestOf(
      host,
      await backup(host, dir, { 'db-name': 'small', format: 'plain', compression: 'none' }),
    );
    await substitute(manifest, 'sed "/^40\\t80$/,\\$d" "$2"');
    const result = await drill();
    assert.match(findingOf(result, 'restore').detail, /its end is missing/);
    await nothingLeft();
  });

  test('a manifest that was changed by hand', async () => {
    const manifest = await backupOfSmall();
    const tables = (manifest['tables'] as { name: string; rows: number }[]).map((table) => ({
      ...table,
      rows: table.name === 'more' ? 51 : table.rows,
    }));
    await forge(manifest, { tables });
    const result = await drill();
    await verified(host, result, 'failed', { rows: 'failed' });
    await nothingLeft();
  });
});

describe('a database without a table', () => {
  const contents: [what: string, sql: string][] = [
    ['that is new', ''],
    [
      'that has functions and a view',
      "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE VIEW ones AS SELECT one();",
    ],
    ['that has not even a language', 'DROP EXTENSION plpgsql;'],
  ];
  const forms: Inputs[] = [
    {},
    { format: 'plain', compression: 'zstd', 'compression-level': '19', 'row-counts': 'off' },
    { format: 'plain', compression: 'gzip', 'row-counts': 'estimate' },
  ];
  for (const [at, [what, sql]] of contents.entries()) {
    test(`${what} is verified by the backup, and proven by the drill`, async () => {
      await host.database.create('bare');
      try {
        await host.psql(sql, 'bare');
        const taken = await backup(host, dir, { 'db-name': 'bare', ...forms[at] });
        assert.equal(taken.outputs['status'], 'succeeded', taken.stdout);
        const result = await drill({ 'db-name': 'bare' });
        await verified(host, result, 'verified');
        assert.equal(findingOf(result, 'tables').detail, 'none: the database had no table when the dump was taken');
        assert.equal(findingOf(result, 'rows').detail, 'none: there are no tables');
        assert.equal(findingOf(result, 'sequences').detail, 'none');
      } finally {
        await host.database.drop('bare');
      }
    });
  }
});

describe('the server that runs is not the one of the backup', () => {
  /** As if it had been taken from that major version. */
  const ofMajor = async (major: string) => {
    const manifest = await backupOfSmall();
    await forge(manifest, { serverVersion: `${major}.4` });
    return manifest.id;
  };

  test('it is drilled in the official image, where the host has that', async () => {
    const id = await ofMajor('9');
    const image = (await host.docker('inspect', '--format', '{{.Image}}', await host.container('db'))).trim();
    await host.docker('tag', image, 'postgres:9');
    const result = await drill();
    await host.docker('rmi', 'postgres:9');
    // Of the pg_dump in there nothing is known; the schema is the same all the same.
    await verified(host, result, 'verified');
    const proof = await read(host, join(root(), 'daily', `backup_${id}.proof.jsonl`));
    assert.equal(JSON.parse(proof).image, 'postgres:9');
  });

  test('it could not be checked where the host has it not: nothing is pulled', async () => {
    await ofMajor('8');
    const result = await drill();
    await verified(host, result, 'could-not-verify', { drill: 'could-not-check' });
    assert.match(result.stdout, /No such image: postgres:8/);
    assert.doesNotMatch(result.stdout, /Unable to find image|Pulling/);
    assert.match(findingOf(result, 'drill').remedy ?? '', /postgres:8/);
  });
});

describe('what could not be checked', () => {
  test('rows that were not counted when the backup was taken', async () => {
    await backup(host, dir, { 'db-name': 'small', 'row-counts': 'estimate' });
    await verified(host, await drill(), 'could-not-verify', { rows: 'could-not-check', content: 'warning' });
    // It proved nothing, and is no drill that failed.
    const history = await read(host, join(root(), 'rollback', 'history.jsonl'));
    assert.ok(!history.includes('"drill"'), history);
  });

  test('there is no backup, or not the one that is named', async () => {
    await verified(host, await drill(), 'could-not-verify', { drill: 'could-not-check' });
    await backupOfSmall();
    const result = await drill({ 'drill-backup': '20200101_000000' });
    await verified(host, result, 'could-not-verify', { drill: 'could-not-check' });
    assert.match(findingOf(result, 'drill').detail, /No verified backup 20200101_000000 of "small"/);
  });

  test('what was proven could not be written down: it is told all the same', async () => {
    const manifest = await backupOfSmall();
    await forge(manifest, { largeObjects: 7 });
    const release = await holdLock(host, dir, 'a deployment that takes long');
    const result = await drill({ 'lock-wait': '1s' });
    await release();
    assert.deepEqual(notPassed(result), { 'large objects': 'failed', proof: 'could-not-check' });
    assert.match(findingOf(result, 'proof').detail, /The lock on .* is held by a deployment that takes long/);
    assert.equal(result.outputs['status'], 'failed');
  });

  test('the scratch server has too little memory: nothing is said of the backup', async () => {
    await backup(host, dir);
    const result = await verify(host, dir, { checks: 'drill', 'drill-memory': '40MiB' });
    await verified(host, result, 'could-not-verify', { drill: 'could-not-check' });
    assert.match(findingOf(result, 'drill').remedy ?? '', /drill-memory/);
    await nothingLeft();
  });

  test('there is no room for it: nothing is begun', async () => {
    await backupOfSmall();
    const result = await drill({ 'min-free-space': '900TiB' });
    await verified(host, result, 'could-not-verify', { drill: 'could-not-check' });
    assert.match(findingOf(result, 'drill').detail, /Not enough space on Docker's disk: a drill needs 900/);
    await nothingLeft();
  });
});

describe('statements of the user', () => {
  test('that are true', async () => {
    await backupOfSmall();
    const file = await statementsFile(
      "-- of the small database\nSELECT count(*) = 1000 FROM items;\nSELECT ';' = ';' AND sum(twice) = 2550 FROM more",
    );
    const result = await drill({ 'drill-sql': file });
    await verified(host, result, 'verified');
    assert.equal(findingOf(result, 'drill-sql').detail, '2 statements, all true');
  });

  test('of a database that guards itself: rows, connections, time and changes', async () => {
    await host.database.create('guarded');
    await host.psql(
      `CREATE TABLE items AS SELECT generate_series(1, 1000000) AS n;
       CREATE INDEX ON items (n);
       ALTER TABLE items ENABLE ROW LEVEL SECURITY;
       REVOKE CONNECT ON DATABASE guarded FROM PUBLIC;
       ALTER DATABASE guarded CONNECTION LIMIT 0;
       CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no changes here'; END $$;
       CREATE EVENT TRIGGER no_changes ON ddl_command_start EXECUTE FUNCTION refuse();`,
      'guarded',
    );
    try {
      const { id } = await manifestOf(host, await backup(host, dir, { 'db-name': 'guarded' }));
      // So little time that nothing else could be done with that database either.
      const limit = `gzip -c >>"$1" <<<"ALTER DATABASE guarded SET statement_timeout = '20ms';"`;
      await bash(host, limit, join(root(), 'daily', `backup_${id}.globals.sql.gz`));
      const file = await statementsFile('SELECT count(*) = 1000000 FROM items');
      const result = await drill({ 'db-name': 'guarded', 'drill-sql': file });
      await verified(host, result, 'verified');
      assert.match(findingOf(result, 'indexes').detail, /amcheck read/);
    } finally {
      await host.psql('DROP DATABASE guarded');
    }
  });

  const wrong: [what: string, sql: string, detail: RegExp][] = [
    ['false', 'SELECT count(*) = 1 FROM items', /SELECT count\(\*\) = 1 FROM items returned f/],
    ['no answer', 'SELECT true FROM items WHERE false', /returned nothing/],
    ['several answers', 'SELECT true FROM more', /returned t t/],
    ['a change', 'UPDATE more SET n = 0 RETURNING true', /read-only transaction/],
    ['a file of the server', "SELECT pg_read_file('/etc/passwd') <> ''", /permission denied/],
    ['a program', "COPY more FROM PROGRAM 'id'", /must be superuser|permission denied|read-only/],
  ];
  for (const [what, sql, detail] of wrong) {
    test(`${what} is not true`, async () => {
      await backupOfSmall();
      const result = await drill({ 'drill-sql': await statementsFile(sql) });
      await verified(host, result, 'failed', { 'drill-sql': 'failed' });
      assert.match(findingOf(result, 'drill-sql').detail, detail);
    });
  }

  test('commands of psql, and files that are not there, are bad input', async () => {
    for (const file of [await statementsFile('\\! id'), join(files, 'missing.sql')]) {
      const result = await drill({ 'drill-sql': file });
      assert.equal(result.exitCode, 1);
      assert.match(result.stdout, /"drill-sql" (has a command of psql|is not a readable file)/);
    }
  });
});

describe('a drill at work', () => {
  const sleeping = 'SELECT pg_sleep(60) IS NOT NULL';

  async function startDrill(more: Inputs = {}, sql = sleeping) {
    await backupOfSmall();
    const inputs = drillInputs({ 'drill-sql': await statementsFile(sql), ...more });
    const action = await startAction('verify', backupInputs(host, dir, inputs));
    await action.sawLog(/Checking the restored data/);
    const [id = ''] = await drillsHere();
    assert.match(id, /^[0-9a-f]{12}$/);
    return { action, id };
  }

  test('has no network, no rights, no mounts of the host, and limits', async () => {
    const { action, id } = await startDrill();
    const facts = JSON.parse(
      await host.docker(
        'inspect',
        '--format',
        '{"host":{{json .HostConfig}},"mounts":{{json .Mounts}},"user":{{json .Config.User}}}',
        id,
      ),
    );
    assert.equal(facts.host.NetworkMode, 'none');
    assert.deepEqual(facts.host.CapDrop, ['ALL']);
    assert.deepEqual(facts.host.SecurityOpt, ['no-new-privileges']);
    assert.equal(facts.user, 'postgres');
    // What is written into the output of its first process would fill the disk of the host.
    assert.equal(facts.host.LogConfig.Type, 'none');
    assert.equal(facts.host.Memory, 1024 ** 3);
    assert.ok(facts.host.PidsLimit > 0 && facts.host.NanoCpus > 0 && facts.host.CpuShares === 2);
    assert.deepEqual(facts.host.Binds ?? [], []);
    const live = await host.docker(
      'inspect',
      '--format',
      '{{range .Mounts}}{{.Name}} {{end}}',
      await host.container('db'),
    );
    for (const { Name: name } of facts.mounts) assert.ok(!live.includes(name), 'it has a volume of the live database');
    await action.kill();
    await nothingLeft();
    const left = (await host.docker('volume', 'ls', '--quiet')).split('\n');
    for (const { Name: name } of facts.mounts) assert.ok(!left.includes(name), 'a volume of it is left');
  });

  test('loses its backup: what was found is told, and no proof of what is gone is written', async () => {
    const { action } = await startDrill({}, 'SELECT pg_sleep(3) IS NOT NULL');
    await bash(host, 'rm -- "$1"/*/*.manifest.json', root());
    const result = await action.finished;
    assert.deepEqual(notPassed(result), { proof: 'could-not-check' }, result.stdout);
    assert.match(findingOf(result, 'proof').detail, /no longer exists/);
    assert.deepEqual(
      host.files(dir).filter(({ path }) => path.includes('proof')),
      [],
    );
    await nothingLeft();
  });

  test('is cancelled: nothing of it stays', async () => {
    const { action } = await startDrill();
    action.child.kill('SIGINT');
    const result = await action.finished;
    assert.equal(result.exitCode, 1);
    assert.match(result.stdout, /Cancelled/);
    await nothingLeft();
  });

  /** Programs of the drill on the host, as a machine's own killer would end them. */
  async function killAll(isMeant: (command: string) => boolean): Promise<void> {
    for (const { pid, command, where } of await host.processes()) {
      if (where === 'host' && isMeant(command)) await bash(host, 'kill -KILL "$1" 2>/dev/null || true', String(pid));
    }
  }

  test('removes what killed drills have left, and nothing of one that is at work', async () => {
    await backupOfSmall();
    const image = (await host.docker('inspect', '--format', '{{.Image}}', await host.container('db'))).trim();
    const scratchOf = async (program: number) => {
      const options = ['--detach', '--label', `atlasia.drill=${program}`, '--network', 'none', '--entrypoint', 'sleep'];
      return (await host.docker('run', ...options, image, '600')).trim();
    };
    // Linux gives no process such a number.
    const left = await scratchOf(2 ** 22 + 1);
    const atWork = await scratchOf(process.pid);
    try {
      await verified(host, await drill(), 'verified');
      const there = await host.docker('ps', '--all', '--quiet', '--no-trunc', '--filter', 'label=atlasia.drill');
      assert.ok(!there.includes(left), 'what a killed drill has left is still there');
      assert.ok(there.includes(atWork), 'the scratch container of a drill at work was removed');
    } finally {
      for (const id of [left, atWork]) await host.docker('rm', '--force', '--volumes', id).catch(() => {});
    }
  });

  test('is killed with all that carries it: the watchdog removes the container', async () => {
    const { action } = await startDrill();
    await killAll((command) => !command.includes('docker rm --force'));
    await action.kill();
    await nothingLeft();
  });

  test('is killed with its watchdog: the container ends when its time is over', async () => {
    const { action } = await startDrill({ timeout: '12s' });
    await killAll(() => true);
    await action.kill();
    await nothingLeft();
  });
});
