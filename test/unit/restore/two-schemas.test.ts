// What a rollback hears of two schemas: a guard that takes half a schema for a whole one, or another file for that of a set, would let
// an application run on a schema that it does not know. The program's own script in a real bash, with a pg_dump that is made up.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';

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
});
