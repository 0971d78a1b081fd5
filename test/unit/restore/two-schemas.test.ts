// What a rollback hears of two schemas: a guard that takes half a schema for a whole one, or another file for that of a set, would let
// an application run on a schema that it does not know. The program's own script in a real bash, with a pg_dump that is made up.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Connection } from '../../../shared/host/connection.ts';
import { Records } from '../../../shared/host/records.ts';
import { pack } from '../../../shared/packed.ts';
import { stableSchemaHash } from '../../../shared/report/schema-changes.ts';
import { readTwoSchemas } from '../../../shared/restore/two-schemas.ts';
import { wholeSet } from '../offsite/copied-sets.ts';

const shared = join(import.meta.dirname, '../../../shared');
const folder = mkdtempSync(join(tmpdir(), 'two-schemas-'));
after(() => rmSync(folder, { recursive: true }));
for (const name of ['daily', 'weekly', 'linked']) mkdirSync(join(folder, name));
writeFileSync(join(folder, 'weekly', 'x.schema.sql.gz'), 'packed');
symlinkSync(join(folder, 'weekly', 'x.schema.sql.gz'), join(folder, 'linked', 'x.schema.sql.gz'));

const schema = 'CREATE TABLE shop ();';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** What is told, by name. */
function told({ sum = '', dumps = `printf '%s' '${schema}'`, folders = ['daily', 'weekly'], longest = 1_000 } = {}) {
  const script = `
    set -euo pipefail
    takes() { :; }; takes_list() { :; }; takes_number() { :; }
    source <(sed "s/^readonly most_schema=.*/readonly most_schema=${longest}/" "$1/postgres/stable-schema.sh")
    source "$1/drill/told.sh"; source "$1/restore/two-schemas.sh"
    container=c user=u database=d server_host= server_port= password_from= inside_script= table_wait=1
    backup_dir=$2 schema_sha256=$3 schema_file=x.schema.sql.gz folders=("\${@:4}")
    record() { printf '%s=%s\\n' "$1" "$2"; }; keep_words() { :; }; heard() { shift; "$@"; }; answered() { shift; "$@"; }
    docker() { ${dumps}; }
    main`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script, 'bash', shared, folder, sum, ...folders], {
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  return Object.fromEntries(
    stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

describe('the schema of the database', () => {
  test('is the same only if its hash is', () => {
    assert.deepEqual(told({ sum: sha256(schema) }), { same: 'yes' });
    const { live = '', ...rest } = told({ sum: sha256('other') });
    assert.equal(gunzipSync(Buffer.from(live, 'base64')).toString('utf8'), schema);
    assert.deepEqual(Object.keys(rest), ['file']);
  });

  test('is not known if its dump has failed, whatever came before that', () => {
    assert.deepEqual(told({ sum: sha256(schema), dumps: `printf '%s' '${schema}'; return 1` }), {
      trouble: 'pg_dump failed',
    });
  });

  test('is not known if it is too long, however it begins', () => {
    const { trouble, ...rest } = told({ sum: sha256(schema.slice(0, 5)), longest: 5 });
    assert.match(trouble ?? '', /longer than 5 bytes/);
    assert.deepEqual(rest, {});
  });
});

describe('the schema file of the set', () => {
  test('is sent from the first folder that has it', () => {
    assert.equal(Buffer.from(told().file ?? '', 'base64').toString('utf8'), 'packed');
  });
  test('is not sent if it is a link, or if there is none', () => {
    assert.equal(told({ folders: ['linked'] })['file'], undefined);
    assert.equal(told({ folders: ['daily'] })['file'], undefined);
  });

  test('is not sent if it is longer than anybody needs', () => {
    mkdirSync(join(folder, 'long'));
    writeFileSync(join(folder, 'long', 'x.schema.sql.gz'), '');
    truncateSync(join(folder, 'long', 'x.schema.sql.gz'), 12 * 1024 * 1024 + 1);
    assert.equal(told({ folders: ['long'] })['file'], undefined);
  });
});

describe('what changed', () => {
  const { set } = wholeSet('20261127_021700');
  /** @param file as the host sends it */
  const found = (file: string | null, sha256: string | null) => {
    const records = [['live', pack(`${schema}\n`)] as const, ...(file === null ? [] : [['file', file] as const])];
    const run = () => ({ result: Promise.resolve(new Records(records)), lastLines: () => [] });
    const server = { container: 'c', user: 'u', database: 'd', access: { place: null, password: null } };
    const options = { backupDir: folder, signal: AbortSignal.timeout(10_000), onLog: () => {} };
    const target = { sha256, file: set, whyNoFile: '' };
    return readTwoSchemas({ run } as unknown as Connection, server, target, options);
  };

  test('is known by the schema file of the set', async () => {
    const before = 'CREATE TABLE old ();\n';
    const different = { kind: 'different', before, after: `${schema}\n` };
    assert.deepEqual(await found(pack(before), stableSchemaHash(before)), different);
    assert.deepEqual(await found(pack(before), null), different);
  });

  test('is not known by another file, one that is damaged, or none', async () => {
    for (const [file, why] of [
      [pack('CREATE TABLE other ();\n'), /does not match its manifest$/],
      ['nothing', /is damaged, or longer than/],
      [null, /is missing, or cannot be read$/],
    ] as const) {
      const finding = await found(file, stableSchemaHash('CREATE TABLE old ();\n'));
      assert.match(finding.kind === 'unknown' ? finding.why : finding.kind, why);
    }
  });
});
