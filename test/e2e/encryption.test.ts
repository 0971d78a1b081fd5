// Backups that are encrypted on the host with age: what lies on its disk, who can read it, and what must hold when it goes wrong.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, createReadStream, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { before, describe, test } from 'node:test';
import { decryptStream } from '../../shared/sets/decrypt.ts';
import { asRoot, attempt, run } from '../lab/command.ts';
import * as faults from '../lab/faults.ts';
import { temporaryFolder } from '../lab/folder.ts';
import { makeKey } from '../lab/keys.ts';
import { needPrograms } from '../lab/packages.ts';
import { type ActionResult, type RunningAction, runAction } from '../lab/runner.ts';
import { hostIsClean, logOf, nothingPartial, refused, succeeded, untouched } from './expectations.ts';
import { printedCommand } from './printed.ts';
import {
  backup,
  type Inputs,
  type ManifestJson,
  manifestOf,
  namesIn,
  read,
  smallDatabase,
  startBackup,
} from './sets.ts';
import { hostForFile } from './stage.ts';
import { verify } from './verifications.ts';

await needPrograms({ age: 'age', zstd: 'zstd' });
const { host } = await hostForFile({ name: 'encryption' });
const keys = temporaryFolder('age');
const identity = await run(['age-keygen']);
const ed25519 = await makeKey({ comment: 'somebody@example.com' });
const rsa = await makeKey({ type: 'rsa' });
const recipients = [/age1\w+/.exec(identity)?.[0], '# the safe', ed25519.publicKey, rsa.publicKey].join('\n');
const sealed: Inputs = { encrypt: 'age', 'encrypt-to': recipients };
const keyFiles = { age: identity, ed25519: ed25519.privateKey, rsa: rsa.privateKey };
for (const [name, text] of Object.entries(keyFiles)) writeFileSync(join(keys, name), text, { mode: 0o600 });

// Plain text wherever a backup holds any: in rows, in the schema, in a setting of the database.
await host.psql(`
  CREATE SCHEMA aaa; CREATE TABLE aaa.notes (id int PRIMARY KEY, body text DEFAULT 'planted-default');
  CREATE TABLE aaa.marked_name (id int);
  INSERT INTO aaa.notes SELECT n, 'planted-row-' || n FROM generate_series(1, 20000) n;
  ALTER DATABASE atlasia SET app.motto = 'planted-setting';`);
// Compressed rows would hide what is not encrypted.
const unpacked: Inputs = { compression: 'none' };
await smallDatabase(host, 'small', 1000);

/** Files of a backup folder in which a text can be read, gzip or not; the planted ones if none is given. */
async function readable(dir: string, text = 'planted-\\(row\\|default\\|setting\\)'): Promise<string[]> {
  const script = `find . -type f | while IFS= read -r file; do
    { cat "$file"; gzip -dc <"$file" 2>/dev/null || true; } | grep -aq "$1" && echo "$file"
  done; true`;
  const found = await run(['bash', '-c', script, 'bash', text], { cwd: join(host.deployDir, dir) });
  return found.split('\n').filter(Boolean).sort();
}

const decrypted = (key: keyof typeof keyFiles, file: string) =>
  run(['bash', '-c', 'age -d -i "$1" "$2" | sha256sum | cut -c -64', 'bash', join(keys, key), file]);

describe('an encrypted backup', () => {
  const dir = host.newBackupDir();
  let result: ActionResult;
  let manifest: ManifestJson;
  let folder: string;

  before(async () => {
    result = await backup(host, dir, { ...sealed, ...unpacked });
    succeeded(result);
    manifest = await manifestOf(host, result);
    folder = join(host.deployDir, dir, 'daily');
  });

  test('holds nothing plain, where a plain one does', async () => {
    assert.deepEqual(await readable(dir), []);
    const plain = host.newBackupDir();
    succeeded(await backup(host, plain, unpacked));
    const found = (await readable(plain)).filter((path) => path.startsWith('./daily/'));
    assert.match(found.join(' '), /\.dump .*\.schema\.sql\.gz .*\.settings\.sql\.gz/);
  });

  test('says what was checked, and how', () => {
    assert.equal(manifest['encryption'], 'age');
    assert.equal(manifest.file, `backup_${manifest.id}.dump.age`);
    const checks = Object.fromEntries(
      (manifest['checks'] as { name: string; result: string; detail: string }[]).map((each) => [each.name, each]),
    );
    for (const { name, result } of Object.values(checks)) assert.equal(result, 'passed', name);
    assert.match(checks['disk']?.detail ?? '', /^the ciphertext was read back from disk in full/);
    assert.match(checks['read-back']?.detail ?? '', /^parsed in full while it was written, before it was encrypted/);
    for (const part of ['schema', 'globals', 'settings']) {
      assert.ok(namesIn(host.files(`${dir}/daily`)).includes(`backup_${manifest.id}.${part}.sql.gz.age`), part);
    }
    nothingPartial(host.files(dir));
  });

  test('is decrypted by age with each of the keys, and by us, and restores', async () => {
    const dump = join(folder, manifest.file);
    const sums = [];
    for (const key of ['age', 'ed25519', 'rsa'] as const) sums.push(await decrypted(key, dump));
    const hash = createHash('sha256');
    await pipeline(createReadStream(dump), decryptStream(identity), hash);
    assert.deepEqual(new Set(sums.map((sum) => sum.trim())), new Set([hash.digest('hex')]));
    // As the report says: where the key is, with the files beside it, and docker sent to the host.
    const elsewhere = temporaryFolder('elsewhere');
    const copy = 'cp "$1"/*"$2"* "$3"/ && cp "$4" "$3"/key.txt';
    await run(['bash', '-c', copy, 'bash', folder, manifest.id, elsewhere, join(keys, 'age')]);
    const block = await printedCommand(host, result);
    assert.match(await run(['bash', '-c', block], { cwd: elsewhere, env: host.env }), /Restored into atlasia_restored/);
    assert.equal(
      (await host.psql("SELECT count(*) FROM aaa.notes WHERE body ~ '^planted'", 'atlasia_restored')).trim(),
      '20000',
    );
    const settings = join(folder, `backup_${manifest.id}.settings.sql.gz.age`);
    const text = await run(['bash', '-c', 'age -d -i "$1" "$2" | gzip -dc', 'bash', join(keys, 'rsa'), settings]);
    assert.match(text, /planted-setting/);
  });

  test('is checked on the host without the key, and not called damaged', async () => {
    const checked = await verify(host, dir, { checks: 'backups' });
    assert.doesNotMatch(logOf(checked), /damaged|corrupt/);
    assert.equal(checked.outputs['status'], 'verified', logOf(checked));
  });

  test('names its tables in the manifest and nowhere else, also after a drill', async () => {
    const drilled = await verify(host, dir, { checks: 'drill', 'decrypt-key': identity });
    assert.equal(drilled.outputs['status'], 'verified', logOf(drilled));
    assert.ok(namesIn(host.files(`${dir}/daily`)).includes(`backup_${manifest.id}.proof.jsonl`));
    const tiers = ['daily', 'monthly', 'weekly'];
    assert.deepEqual(
      await readable(dir, 'marked_name'),
      tiers.map((tier) => `./${tier}/backup_${manifest.id}.manifest.json`),
    );
  });

  test('is warned of when a plain one follows', async () => {
    assert.match(
      logOf(await backup(host, dir, { 'db-name': 'small' })),
      /Other backups on this host are encrypted, and this one is not/,
    );
  });
});

test('other formats and compressors are encrypted as well', async () => {
  const dir = host.newBackupDir();
  for (const inputs of [
    {},
    { format: 'plain' },
    { compression: 'gzip' },
    { format: 'plain', compression: 'zstd' },
  ] as Inputs[]) {
    const result = await backup(host, dir, { ...sealed, ...inputs, 'db-name': 'small' });
    succeeded(result);
    const { file } = await manifestOf(host, result);
    assert.match(file, /\.age$/);
    const filter = file.includes('.zst') ? 'zstd -dc' : file.includes('.gz') ? 'gzip -dc' : 'cat';
    const script = `set -o pipefail; age -d -i "$1" "$2" | ${filter} | head -c 5`;
    const head = await attempt(['bash', '-c', script, 'bash', join(keys, 'age'), result.outputs['backup-file'] ?? '']);
    assert.match(head.stdout, /^(PGDMP|--\n)/, file);
  }
});

test('two encrypted backups tell that the schema has changed, and nothing of how', async () => {
  const dir = host.newBackupDir();
  const inputs = { ...sealed, 'db-name': 'small' };
  const taken: ManifestJson[] = [];
  const reports: string[] = [];
  const changes = ['', "ALTER TABLE items ADD COLUMN secret_plan text DEFAULT 'planted-default'", ''];
  for (const sql of changes) {
    if (sql !== '') await host.psql(sql, 'small');
    const result = await backup(host, dir, inputs);
    succeeded(result);
    taken.push(await manifestOf(host, result));
    const report = await read(host, `${dir}/daily/backup_${taken.at(-1)?.id}.report.txt`);
    reports.push(report);
    assert.doesNotMatch(report + result.summary + logOf(result), /secret_plan|planted-default/);
  }
  const [first, second, third] = taken.map((manifest) => manifest['schemaSha256']);
  assert.deepEqual([first === second, second === third], [false, true]);
  assert.deepEqual(
    taken.map((manifest) => manifest['schemaChangedSince']),
    [null, taken[0]?.id, null],
  );
  assert.match(reports[1] ?? '', /Schema changes since \S+\n {2}It has changed/);
  assert.match(reports[2] ?? '', /Schema changes since \S+\n {2}None/);
  assert.deepEqual(await readable(dir), []);
});

test('where the container cannot compress, the host does, and encrypts; a drill needs one of the keys', async () => {
  const dir = host.newBackupDir();
  const inside = async (script: string) =>
    host.docker('exec', '--user', '0', await host.container('db'), 'sh', '-c', script);
  const zstd = (await inside('readlink -f "$(command -v zstd)"')).trim();
  await inside(`mv ${zstd} ${zstd}.away`);
  let result: ActionResult;
  try {
    result = await backup(host, dir, { ...sealed, 'db-name': 'small' });
  } finally {
    await inside(`mv ${zstd}.away ${zstd}`);
  }
  succeeded(result);
  assert.match(logOf(result), /compression zstd, done in the host/);
  const { file } = await manifestOf(host, result);
  assert.match(file, /\.dump\.zst\.age$/);
  const script = 'set -o pipefail; age -d -i "$1" "$2" | zstd -dc | head -c 5';
  const opened = await attempt(['bash', '-c', script, 'bash', join(keys, 'rsa'), result.outputs['backup-file'] ?? '']);
  assert.equal(opened.stdout, 'PGDMP');
  assert.deepEqual(await readable(dir), []);

  const drill = (inputs: Inputs) => verify(host, dir, { 'db-name': 'small', checks: 'drill', ...inputs });
  const without = await drill({});
  assert.equal(without.outputs['status'], 'could-not-verify', logOf(without));
  assert.match(logOf(without), /can be restored only with a private key/);
  for (const key of [ed25519.privateKey, rsa.privateKey]) {
    const drilled = await drill({ 'decrypt-key': key });
    assert.equal(drilled.outputs['status'], 'verified', logOf(drilled));
  }
  await hostIsClean(host);
});

describe('when something goes wrong', () => {
  const dir = host.newBackupDir();
  before(async () => succeeded(await backup(host, dir, sealed)));

  /** Something happens to a dump that stands still in the middle. Meanwhile, too, nothing plain is there. */
  async function midDump(fault: (action: RunningAction) => Promise<unknown>, within = dir): Promise<ActionResult> {
    const release = await faults.stallDumps(host);
    try {
      const action = await startBackup(host, within, { ...sealed, ...unpacked });
      await Promise.race([faults.dumpStalled(host), action.finished]);
      assert.deepEqual(await readable(within), []);
      assert.ok(namesIn(host.files(within)).some((path) => /\.partial-.*\.age$/.test(path)));
      await fault(action);
      await release();
      return await action.finished;
    } finally {
      await release();
    }
  }

  const kill = async (command: RegExp) => {
    const { pid } = await faults.hostProcess(host, command);
    await run(asRoot(['kill', '-KILL', String(pid)]));
  };

  test('age is killed, the dump is killed, the reader is killed: nothing is published', async () => {
    const cases: [RegExp, RegExp][] = [
      [/^age --encrypt/, /age failed on the host \(exit 137\)/],
      [/^(\S*\/)?pg_restore /, /could not be parsed in full while it was written/],
      [/^(\S*\/)?pg_dump /, /pg_dump failed|Something stopped the dump/],
    ];
    for (const [victim, message] of cases) {
      const earlier = host.files(dir);
      refused(await midDump(() => kill(victim)), { message, hint: /Earlier backups are unchanged|does not count/ });
      untouched(earlier, host.files(dir));
      nothingPartial(host.files(dir));
      await hostIsClean(host);
      assert.deepEqual(await readable(dir), []);
    }
  });

  test('the runner is killed: nothing plain stays', async () => {
    await midDump((action) => action.kill());
    await hostIsClean(host);
    nothingPartial(host.files(dir));
    assert.deepEqual(await readable(dir), []);
    succeeded(await backup(host, dir, sealed));
  });

  test('the disk gets full', async () => {
    const disk = host.newBackupDir();
    const remove = await faults.smallDisk(host, disk, 24);
    try {
      succeeded(await backup(host, disk, { ...sealed, 'db-name': 'small' }));
      const earlier = host.files(disk);
      const result = await midDump(() => faults.leaveRoom(host, disk, 64), disk);
      await host.exec(['rm', join(disk, 'ballast')]);
      refused(result, { message: /^The disk of .* is full: \d+ bytes left/, hint: /Make room: df -h/ });
      untouched(earlier, host.files(disk));
      nothingPartial(host.files(disk));
    } finally {
      await remove();
    }
  });

  test('keys that cannot be encrypted to are refused before anything is touched, and private ones never shown', async () => {
    const secret = /AGE-SECRET-KEY-\w+/.exec(identity)?.[0] ?? '';
    const fresh = host.newBackupDir();
    const all = host.files();
    const misspelled = recipients.slice(0, 61) + (recipients[61] === 'q' ? 'p' : 'q');
    const cases: [string, Inputs, RegExp][] = [
      ['none', { encrypt: 'age' }, /"encrypt-to" is required with encrypt: age/],
      ['without encrypt', { 'encrypt-to': recipients }, /"encrypt-to" is given, but nothing is to be encrypted/],
      ['private', { encrypt: 'age', 'encrypt-to': secret }, /"encrypt-to" has a private key: give the public one/],
      ['private SSH', { encrypt: 'age', 'encrypt-to': ed25519.privateKey }, /"encrypt-to" has /],
      ['misspelled', { encrypt: 'age', 'encrypt-to': misspelled }, /"encrypt-to" has a key that is/],
    ];
    for (const [name, inputs, message] of cases) {
      const result = await backup(host, fresh, inputs);
      assert.equal(result.exitCode, 1, name);
      const said = logOf(result) + result.summary;
      assert.match(said, message, name);
      const shown = said
        .split('\n')
        .filter((line) => !line.startsWith('::add-mask::'))
        .join('\n');
      assert.ok(!shown.includes(secret.slice(20, 50)), name);
      assert.ok(!shown.includes(ed25519.privateKey.split('\n')[2] ?? '?'), name);
    }
    assert.deepEqual(host.files(), all);
  });

  test('the host has no age: refused before the dump, with what to install', async () => {
    const bin = join(temporaryFolder('bin'), 'bin');
    chmodSync(dirname(bin), 0o755);
    mkdirSync(bin);
    for (const folder of (process.env['PATH'] ?? '').split(':').filter(existsSync)) {
      for (const name of readdirSync(folder)) {
        if (name === 'age') continue;
        try {
          symlinkSync(join(folder, name), join(bin, name));
        } catch {} // an earlier folder has it
      }
    }
    const step = host.localStep();
    const fresh = host.newBackupDir();
    const inputs = { ...host.localInputs(), 'backup-dir': fresh, 'min-free-space': '10MiB', ...sealed };
    const result = await runAction('backup', inputs, { ...step, env: { ...step.env, PATH: bin } });
    refused(result, { message: /^age is not installed on the host/, hint: /apt-get install age/ });
    assert.ok(!namesIn(host.files()).some((path) => path.startsWith(fresh)));
  });
});
