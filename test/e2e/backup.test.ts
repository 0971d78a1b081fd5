// A backup that goes well, or well enough: what stands on the host afterwards, and what was told of it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readingValues } from '../../shared/drill/scratch-server.ts';
import { pauseDatabase } from '../lab/faults.ts';
import type { ActionResult } from '../lab/runner.ts';
import { commandsAreOurs, hostIsClean, nothingPartial, refused, succeeded, untouched } from './expectations.ts';
import {
  backup,
  bash,
  idDaysAgo,
  idsIn,
  type ManifestJson,
  manifestOf,
  namesIn,
  plant,
  read,
  sha256,
  smallDatabase,
  write,
} from './sets.ts';
import { hostForFile } from './stage.ts';

const { host } = await hostForFile({ name: 'backup', deployFolder: "it's $HOME" });

const sidecars = [
  ...['dump.zst', 'globals.sql.gz', 'manifest.json', 'md5', 'report.txt'],
  ...['schema.sql.gz', 'settings.sql.gz', 'sha256'],
];

describe('a verified backup', () => {
  let dir: string;
  let result: ActionResult;
  let manifest: ManifestJson;
  let id: string;

  before(async () => {
    dir = host.newBackupDir();
    result = await backup(host, dir, { environment: 'staging' });
    succeeded(result);
    manifest = await manifestOf(host, result);
    id = manifest.id;
  });

  test('is whole, closed to others, and stands in its tiers as the same files', () => {
    const files = host.files(dir);
    const names = sidecars.map((ending) => `backup_${id}.${ending}`);
    const told = namesIn(files).filter((path) => !path.startsWith('.lock'));
    assert.deepEqual(told, [
      'backup.log',
      ...['daily', 'monthly'].flatMap((tier) => names.map((name) => `${tier}/${name}`)),
      'rollback/deployment_tags.log',
      'rollback/history.jsonl',
      ...names.map((name) => `weekly/${name}`),
    ]);
    for (const { path, type, mode, uid } of files) {
      assert.equal(mode, type === 'folder' ? 0o700 : 0o600, path);
      assert.equal(uid, host.account.uid, path);
    }
    const inodes = (name: string) =>
      files.filter(({ path }) => path.endsWith(`/${name}`)).map(({ inode, links }) => `${inode} ${links}`);
    for (const name of names) {
      assert.equal(new Set(inodes(name)).size, 1, name);
      assert.match(inodes(name)[0] ?? '', / 3$/, name);
    }
    assert.equal(host.files('.').find(({ path }) => path === dir)?.mode, 0o700);
  });

  test('has its outputs', async () => {
    const { release, evidence, 'duration-ms': duration, 'history-id': historyId, ...outputs } = result.outputs;
    const folder = `${host.deployDir}/${dir}/daily`;
    const dump = host.files(dir).find(({ path }) => path === `daily/${manifest.file}`);
    const md5 = (await bash(host, 'md5sum <"$1"', `${folder}/${manifest.file}`)).slice(0, 32);
    assert.deepEqual(outputs, {
      status: 'succeeded',
      'backup-id': id,
      'backup-file': `${folder}/backup_${id}.dump.zst`,
      'manifest-file': `${folder}/backup_${id}.manifest.json`,
      'report-file': `${folder}/backup_${id}.report.txt`,
      'size-bytes': String(dump?.size),
      sha256: dump?.content,
      md5,
      tiers: 'daily,weekly,monthly',
      kept: '1',
      deleted: '0',
      's3-uri': '',
    });
    assert.equal(JSON.parse(evidence ?? '').backup.id, id);
    assert.match(id, /^\d{8}_\d{6}$/);
    const [record] = (await read(host, `${dir}/rollback/history.jsonl`)).split('\n');
    assert.equal(JSON.parse(record ?? '').id, historyId);
    assert.deepEqual(JSON.parse(release ?? ''), manifest['release']);
    assert.ok(Number(duration) > 100 && Number(duration) <= result.durationMs, duration);
  });

  test('is described by its manifest as it is', async () => {
    const dump = host.files(dir).find(({ path }) => path === `daily/${manifest.file}`);
    const imageOf = async (service: string) => {
      const words = ['--format', '{{.Config.Image}} {{.Image}}', await host.container(service)];
      const [image = '', imageId] = (await host.docker('inspect', ...words)).trim().split(' ');
      return { image, tag: image.split(':')[1], digest: null, imageId };
    };
    const plain = await bash(host, 'zstd -dc "$1" | wc -c', result.outputs['backup-file'] ?? '');
    const { tables, sequences, members, checks, startedAt, finishedAt, schemaSha256, ...facts } = manifest;
    const version = (await host.psql('SHOW server_version;')).trim();
    const settingsOf = async (names: string[]) =>
      Object.fromEntries(await Promise.all(names.map(async (name) => [name, await host.psql(`SHOW "${name}";`)])));
    // The lab sets the time zone for this database alone, which a new database does not have while it is filled.
    const { TimeZone, ...settings } = await settingsOf([...readingValues, 'lc_monetary', 'shared_preload_libraries']);
    assert.equal(TimeZone, 'Europe/Zurich');
    assert.deepEqual(facts, {
      version: 1,
      id,
      kind: 'scheduled',
      environment: 'staging',
      database: 'atlasia',
      serverVersion: version,
      pgDumpVersion: version,
      encoding: 'UTF8',
      locale: await host.psql('SELECT datcollate FROM pg_database WHERE datname = current_database();'),
      ctype: await host.psql('SELECT datctype FROM pg_database WHERE datname = current_database();'),
      localeProvider: 'libc',
      providerLocale: null,
      icuRules: null,
      bootstrapRole: 'atlasia',
      serverSettings: settings,
      dumpWarnings: [],
      format: 'custom',
      compression: 'zstd',
      encryption: 'none',
      file: `backup_${id}.dump.zst`,
      sizeBytes: dump?.size,
      dumpBytes: Number(plain),
      sha256: dump?.content,
      md5: result.outputs['md5'],
      largeObjects: Number(await host.psql('SELECT count(*) FROM pg_largeobject_metadata;')),
      extensions: await host.database.rows(
        'SELECT extname AS name, extversion AS version FROM pg_extension ORDER BY 1',
      ),
      schemaChangedSince: null,
      release: { db: await imageOf('db'), web: await imageOf('web') },
      runUrl: 'https://github.com/octo-org/shop/actions/runs/1234567890',
      commit: '0123456789abcdef0123456789abcdef01234567',
      actor: 'octo-operator',
    });
    const citext =
      (members as { extension: string; objects: string[] }[]).find(({ extension }) => extension === 'citext')
        ?.objects ?? [];
    assert.ok(
      citext.includes('function public.citext_eq(public.citext,public.citext)') &&
        citext.includes('type public.citext'),
    );
    assert.match(schemaSha256 as string, /^[a-f0-9]{64}$/);
    const [start, end] = [startedAt, finishedAt].map((time) => Date.parse(time as string)) as [number, number];
    assert.equal(new Date(start).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_'), id);
    assert.ok(end > start && end - start < result.durationMs, `${startedAt} ${finishedAt}`);
    for (const check of checks as { name: string; result: string }[]) assert.equal(check.result, 'passed', check.name);
    const names = (checks as { name: string }[]).map(({ name }) => name);
    assert.deepEqual(
      [...new Set(names)].sort(),
      ['counts', 'disk', 'dump', 'file', 'globals', 'read-back', 'schema', 'settings', 'size', 'tables'].sort(),
    );
  });

  test('counts every row of every table, row security or not, and every sequence', async () => {
    // Matviews are filled by their query, so they have no rows of their own.
    const views = await host.psql("SELECT 'table ' || schemaname || '.' || matviewname FROM pg_matviews;");
    const content = Object.entries(await host.database.contentOf());
    const expected = content.flatMap(([what, fact]) =>
      what.startsWith('table ') && !views.split('\n').includes(what)
        ? [[what.slice(6), Number.parseInt(fact, 10)]]
        : [],
    );
    const tables = manifest['tables'] as { schema: string; name: string; rows: number; exact: boolean }[];
    const byName = (a: unknown[], b: unknown[]) => (String(a[0]) < String(b[0]) ? -1 : 1);
    assert.ok(expected.length > 20);
    assert.deepEqual(
      tables.map(({ schema, name, rows }) => [`${schema}.${name}`, rows]).sort(byName),
      expected.sort(byName),
    );
    assert.ok(tables.every(({ exact }) => exact));
    assert.deepEqual(
      (manifest['sequences'] as { name: string; cycles?: boolean }[])
        .map((sequence) => ({ cycles: null, ...sequence }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      await host.database.rows(`
        SELECT schemaname AS schema, sequencename AS name, last_value::text AS before, last_value::text AS after,
          increment_by::text AS increment, CASE WHEN cycle THEN true END AS cycles
        FROM pg_sequences ORDER BY sequencename COLLATE "C"`),
    );
  });

  test('has checksums of all its files, that sha256sum and md5sum accept in every tier', async () => {
    for (const tier of ['daily', 'weekly', 'monthly']) {
      const script = 'cd -- "$1" && sha256sum --strict -c "backup_$2.sha256" && md5sum --strict -c "backup_$2.md5"';
      const checked = (await bash(host, script, `${dir}/${tier}`, id)).trim().split('\n');
      const listed = sidecars.filter((ending) => ending !== 'md5' && ending !== 'sha256');
      const expected = listed.map((ending) => `backup_${id}.${ending}: OK`);
      assert.deepEqual(checked.sort(), [...expected, ...expected].sort());
    }
  });

  test('has the schema beside it, whose hash anybody can recompute', async () => {
    const schema = await bash(host, 'zcat "$1"', `${dir}/daily/backup_${id}.schema.sql.gz`);
    assert.match(schema, /CREATE TABLE shop\.customers \(/);
    assert.doesNotMatch(schema, /^COPY /m);
    const stable = schema.split('\n').filter((line) => !/^(\\(un)?restrict |-- Dumped )/.test(line));
    assert.equal(sha256(stable.join('\n').trimEnd()), manifest['schemaSha256']);
  });

  test('has the roles and settings beside it, without passwords', async () => {
    const globals = await bash(host, 'zcat "$1"', `${dir}/daily/backup_${id}.globals.sql.gz`);
    assert.match(globals, /^CREATE ROLE "app ""writer""'s";$/m);
    assert.match(globals, /^ALTER ROLE reporting SET search_path TO 'shop', 'public';$/m);
    assert.doesNotMatch(globals, /PASSWORD|SCRAM|md5|ALTER DATABASE/i);
    const settings = await bash(host, 'zcat "$1"', `${dir}/daily/backup_${id}.settings.sql.gz`);
    assert.match(settings, /^ALTER DATABASE atlasia SET "?TimeZone"? TO 'Europe\/Zurich';$/im);
    assert.match(settings, /^ALTER ROLE reporting IN DATABASE atlasia SET "?statement_timeout"? TO '7min';$/m);
  });

  test('is told of in the report, the log file and the summary', async () => {
    const report = await read(host, result.outputs['report-file'] ?? '');
    assert.match(report, new RegExp(`^VERIFIED  backup ${id} of "atlasia", staging\n`));
    for (const part of [result.outputs['sha256'], result.outputs['md5'], 'octo-operator', 'atlasia-lab/web:v1']) {
      assert.ok(report.includes(part ?? '?'), `${part} in:\n${report}`);
    }
    assert.match(report, /^ +5,000 {2}shop\.attachments$/m);
    assert.match(report, /This is the first backup\./);

    const log = await read(host, `${dir}/backup.log`);
    assert.match(
      log,
      new RegExp(`^\\d{4}-\\d\\d-\\d\\dT\\S+Z backup succeeded id=${id} kind=scheduled environment=staging `),
    );
    assert.equal(log.split('\n').length, 2);
    assert.ok(log.includes(` sha256=${result.outputs['sha256']} `), log);

    assert.match(result.summary, new RegExp(`^## ✅ Backup ${id} is verified\n`));
    assert.ok(result.summary.includes(result.outputs['backup-file'] ?? '?'));
    assert.match(result.summary, /```bash\n\( set -e -o pipefail\n/);
    assert.match(result.summary, /day 1 of 7/);
    assert.match(result.stdout, /Backup \S+ of "atlasia" is verified: [\d.]+ MiB in /);
  });

  test('leaves nothing behind on the host', async () => {
    await hostIsClean(host);
    nothingPartial(host.files(dir));
  });

  test('costs one log-in and three sessions', async () => {
    const before = host.ssh.log().length;
    succeeded(await backup(host, host.newBackupDir()));
    const log = host.ssh.log().slice(before);
    assert.equal(log.match(/Accepted publickey/g)?.length, 1, log);
    assert.equal(log.match(/Starting session: command/g)?.length, 3, log);
  });

  test('is followed by one with the same schema hash; the older one of the day goes, and tiers keep theirs', async () => {
    const earlier = host.files(dir).filter(({ path }) => !path.startsWith('daily/'));
    const next = await backup(host, dir);
    succeeded(next);
    const second = await manifestOf(host, next);
    assert.equal(second['schemaSha256'], manifest['schemaSha256']);
    assert.equal(second['schemaChangedSince'], null);
    assert.match(
      await read(host, next.outputs['report-file'] ?? ''),
      new RegExp(`Schema changes since ${id}\n {2}None\\.`),
    );
    assert.deepEqual([next.outputs['tiers'], next.outputs['kept'], next.outputs['deleted']], ['daily', '2', '1']);
    assert.deepEqual(idsIn(host, dir, 'daily'), [second.id]);
    assert.deepEqual(idsIn(host, dir, 'weekly'), [id]);
    untouched(earlier, host.files(dir));
    assert.match(next.summary, new RegExp(`\\| daily \\| \` ${id} \` \\| .*deleted`));

    await host.psql('ALTER TABLE shop.places ADD COLUMN country text;');
    try {
      const third = await manifestOf(host, await backup(host, dir));
      assert.notEqual(third['schemaSha256'], second['schemaSha256']);
      assert.equal(third['schemaChangedSince'], second.id);
      const report = await read(host, `${dir}/daily/backup_${third.id}.report.txt`);
      assert.match(
        report,
        new RegExp(`Schema changes since ${second.id}\n  changed  TABLE shop\\.places\n[\\s\\S]*\\+ +country text`),
      );
    } finally {
      await host.psql('ALTER TABLE shop.places DROP COLUMN country;');
    }
  });
});

test('retention removes what the policy does not keep, and nothing that is not its own', async () => {
  const dir = host.newBackupDir();
  await smallDatabase(host, 'shop', 10);
  const small = { 'db-name': 'shop' };
  const first = await manifestOf(host, await backup(host, dir, small));
  const ids = [1, 2, 3, 4, 5, 6].map(idDaysAgo);
  for (const id of ids) await plant(host, dir, first, id);
  const ofOther = idDaysAgo(9);
  await plant(host, dir, first, ofOther, { database: 'shop_2' });
  await write(host, `${dir}/daily/backup_20240229_020000.sql.gz`, 'of the scripts');
  await write(host, `${dir}/daily/notes.txt`, 'mine');
  await write(host, `${dir}/backup_20240229_020000.sql.gz`, 'of the scripts');
  const foreign = host
    .files(dir)
    .filter(
      ({ path }) => /20240229|notes|^daily\/.*$/.test(path) && (/20240229|notes/.test(path) || path.includes(ofOther)),
    );
  assert.equal(foreign.length, 3 + sidecars.length);

  const result = await backup(host, dir, { ...small, 'keep-daily': '3', 'keep-weekly': '0' });
  succeeded(result);
  const kept = [ids[1], ids[0], result.outputs['backup-id']].map((id) => id ?? '');
  assert.deepEqual(
    idsIn(host, dir, 'daily').filter((id) => id !== ofOther),
    kept.sort(),
  );
  assert.deepEqual(idsIn(host, dir, 'weekly'), []);
  assert.deepEqual(idsIn(host, dir, 'monthly'), [first.id]);
  untouched(foreign, host.files(dir));
  for (const file of namesIn(host.files(dir)))
    for (const id of ids.slice(2)) assert.ok(!file.includes(id), `${file} should be gone`);
  nothingPartial(host.files(dir));
  // Four of the days before, the first of today, and its weekly link.
  assert.equal(result.outputs['deleted'], '6');
  await host.database.drop('shop');
});

test('before a deployment the set stands in a folder of its own, with the release', async () => {
  const dir = host.newBackupDir();
  await smallDatabase(host, 'shop', 10);
  const inputs = { 'db-name': 'shop', kind: 'predeployment', 'keep-predeployment': '1' };
  const result = await backup(host, dir, inputs);
  succeeded(result);
  const id = result.outputs['backup-id'] ?? '';
  assert.equal(result.outputs['tiers'], 'daily,weekly,monthly,predeployment');
  const files = host.files(dir);
  const facts = (folder: string) =>
    files
      .filter(({ path, type }) => type === 'file' && path.startsWith(`${folder}/`))
      .map(({ path, inode }) => `${inode} ${path.slice(folder.length + 1)}`);
  assert.equal(facts('daily').length, sidecars.length);
  assert.deepEqual(facts(`predeployment/${id}`), facts('daily'));
  const manifest = await manifestOf(host, result);
  assert.equal(manifest['kind'], 'predeployment');
  assert.deepEqual(JSON.parse(result.outputs['release'] ?? ''), manifest['release']);
  assert.deepEqual(Object.keys(manifest['release'] as object), ['db', 'web']);

  const next = await backup(host, dir, inputs);
  succeeded(next);
  assert.deepEqual(idsIn(host, dir, 'predeployment'), [next.outputs['backup-id']]);
  nothingPartial(host.files(dir));
  await host.database.drop('shop');
});

describe('an incomplete run', () => {
  let pgDumpAll: string;
  const inDatabase = async (script: string) =>
    (await host.docker('exec', '--user', '0', await host.container('db'), 'sh', '-c', script)).trim();

  before(async () => {
    await smallDatabase(host, 'shop', 2_000);
    pgDumpAll = await inDatabase('readlink -f "$(command -v pg_dumpall)"');
  });
  after(() => host.database.drop('shop'));

  async function withoutGlobals(dir: string, kind: string): Promise<ActionResult> {
    await inDatabase(`mv ${pgDumpAll} ${pgDumpAll}.away`);
    try {
      return await backup(host, dir, { 'db-name': 'shop', kind, 'keep-daily': '1', 'keep-weekly': '0' });
    } finally {
      await inDatabase(`mv ${pgDumpAll}.away ${pgDumpAll}`);
    }
  }

  for (const kind of ['scheduled', 'predeployment']) {
    test(`keeps the verified dump, prunes nothing and tells of it: ${kind}`, async () => {
      const dir = host.newBackupDir();
      const first = await manifestOf(host, await backup(host, dir, { 'db-name': 'shop' }));
      await plant(host, dir, first, idDaysAgo(3));
      const earlier = host.files(dir);
      const result = await withoutGlobals(dir, kind);

      // A deployment may go on with a verified dump; a nightly run is to be looked at.
      assert.equal(result.exitCode, kind === 'scheduled' ? 1 : 0, result.stdout);
      const { status, deleted, 'backup-id': id = '' } = result.outputs;
      assert.deepEqual([status, deleted], ['incomplete', '0']);
      const errors = result.annotations.filter(({ name }) => name === 'error');
      assert.equal(errors.length, 1, result.stdout);
      assert.match(errors[0]?.message ?? '', /verified backup is kept.*incomplete: globals: .*pg_dumpall/);
      commandsAreOurs(result);
      untouched(earlier, host.files(dir));

      assert.ok(idsIn(host, dir, 'daily').includes(id));
      if (kind === 'predeployment') assert.deepEqual(idsIn(host, dir, 'predeployment'), [id]);
      assert.match(
        await bash(host, 'cd "$1" && sha256sum -c "$2"', `${dir}/daily`, `backup_${id}.sha256`),
        /dump\.zst: OK/,
      );
      assert.match(await read(host, result.outputs['report-file'] ?? ''), /^INCOMPLETE {2}/);
      assert.match(await read(host, `${dir}/backup.log`), new RegExp(`backup incomplete id=${id} .*error=incomplete`));
      assert.match(result.summary, /^## ⚠️ .* incomplete\n/);
      nothingPartial(host.files(dir));
      await hostIsClean(host);

      succeeded(await backup(host, dir, { 'db-name': 'shop' }));
    });
  }

  test('comes of a backup that is much smaller than the one before', async () => {
    const dir = host.newBackupDir();
    await smallDatabase(host, 'shrinks', 5_000);
    const first = await manifestOf(host, await backup(host, dir, { 'db-name': 'shrinks' }));
    await plant(host, dir, first, idDaysAgo(3));
    const earlier = host.files(dir);
    await host.psql('DELETE FROM items WHERE id > 500;', 'shrinks');

    const inputs = { 'db-name': 'shrinks', 'keep-daily': '1', 'min-size-ratio': '0.5' };
    const result = await backup(host, dir, inputs);
    assert.equal(result.exitCode, 1, result.stdout);
    assert.equal(result.outputs['status'], 'incomplete');
    const [error] = result.annotations.filter(({ name }) => name === 'error');
    assert.match(error?.message ?? '', /size: .* % of \d{8}_\d{6}: smaller than min-size-ratio 0\.5 allows/);
    untouched(earlier, host.files(dir));

    succeeded(await backup(host, dir, { ...inputs, 'min-size-ratio': '0' }));
    assert.equal(idsIn(host, dir, 'daily').length, 1);
    await host.database.drop('shrinks');
  });
});

test('rows are estimated, or not looked at, where the workflow says so', async () => {
  const dir = host.newBackupDir();
  await smallDatabase(host, 'counted', 300);
  await host.psql(
    'ALTER TABLE items SET (autovacuum_enabled = off); ANALYZE; DELETE FROM items WHERE id > 200;',
    'counted',
  );
  const tables = async (mode: string) => {
    const result = await backup(host, dir, { 'db-name': 'counted', 'row-counts': mode });
    succeeded(result);
    const found = (await manifestOf(host, result))['tables'] as Record<string, unknown>[];
    return found.map(({ content, ...table }) => ({ ...table, isHashed: content !== undefined }));
  };
  const items = { schema: 'public', name: 'items' };
  assert.deepEqual(await tables('exact'), [{ ...items, rows: 200, exact: true, isHashed: true }]);
  assert.deepEqual(await tables('estimate'), [{ ...items, rows: 300, exact: false, isHashed: false }]);
  assert.deepEqual(await tables('off'), [{ ...items, rows: null, exact: false, isHashed: false }]);
  await host.database.drop('counted');
});

test('on the host itself no SSH is needed', async () => {
  const dir = join(host.deployDir, host.newBackupDir());
  await smallDatabase(host, 'local', 10);
  const inputs = { ...host.localInputs(), port: '', user: '', 'ssh-key': '', 'known-hosts': '', 'db-name': 'local' };
  const result = await backup(host, dir, inputs, host.localStep());
  succeeded(result);
  assert.equal(result.outputs['tiers'], 'daily,weekly,monthly');
  await hostIsClean(host);

  const resume = await pauseDatabase(host);
  const failed = await backup(host, dir, inputs, host.localStep()).finally(resume);
  refused(failed, {
    message: /is not running: paused$/,
    hint: new RegExp(`^What to do: On the host, as ${host.account.name}: docker unpause`),
  });
  await host.database.drop('local');
});

test('a plain dump of many tables is verified, every one of them', async () => {
  const dir = host.newBackupDir();
  await host.database.create('many');
  await host.psql(
    `SELECT format('CREATE TABLE table_%s AS SELECT n, repeat(md5(n::text), 20) FROM generate_series(1, 20) n', k)
     FROM generate_series(1, 400) k \\gexec`,
    'many',
  );
  for (const compression of ['gzip', 'zstd']) {
    const result = await backup(host, dir, { 'db-name': 'many', format: 'plain', compression });
    succeeded(result);
    assert.match(result.stdout, /tables: all 400 tables are in the dump/);
    const { dumpBytes, file } = await manifestOf(host, result);
    const program = compression === 'gzip' ? 'gzip' : 'zstd';
    const plain = await bash(host, `${program} -dc "$1" | wc -c`, `${host.deployDir}/${dir}/daily/${file}`);
    assert.equal(dumpBytes, Number(plain));
  }
  await host.database.drop('many');
});
