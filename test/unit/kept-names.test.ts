// Scripts that are sent in front of programs, in a real bash: who can replace what is written, and whose names images keep.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const shared = join(import.meta.dirname, '../../shared');
const folder = mkdtempSync(join(tmpdir(), 'names-'));
after(() => rmSync(folder, { recursive: true }));

function bash(script: string, code: string, ...words: string[]): string {
  const { stdout, stderr } = spawnSync(
    'bash',
    ['--norc', '-euc', `source "$1"; shift\n${code}`, 'bash', join(shared, script), ...words],
    { encoding: 'utf8' },
  );
  assert.equal(stderr, '');
  return stdout;
}

test('a folder in which anybody can replace entries is found, however the path leads there; one that is sticky is none', () => {
  const made = (path: string, mode: number) => {
    mkdirSync(join(folder, path), { recursive: true });
    chmodSync(join(folder, path), mode);
    return join(folder, path);
  };
  made('open', 0o777);
  made('open/inner', 0o755);
  made('sticky', 0o1777);
  made('own', 0o755);
  symlinkSync(join(folder, 'open', 'inner'), join(folder, 'own', 'leads-there'));
  symlinkSync(join(folder, 'own'), join(folder, 'open', 'leads-away'));
  const found = (path: string) => bash('host/open-parent.sh', 'open_parent "$1"', join(folder, path));
  assert.equal(found('open/log'), join(folder, 'open'));
  assert.equal(found('open/inner/none/log'), join(folder, 'open'));
  assert.equal(found('own/leads-there/log'), join(folder, 'open'));
  assert.equal(found('open/leads-away/log'), join(folder, 'open'));
  assert.equal(found('sticky/log'), '');
  assert.equal(found('own/log'), '');
});

test('only names of this backup folder are taken, by no force, and none from what is kept', () => {
  const id = (digit: string) => `sha256:${digit.repeat(64)}`;
  const tag = (digit: string, keeper = 'ours') => `${digit.repeat(12)}-${keeper}`;
  const said = bash(
    'releases/keep.sh',
    `record() { :; }
    docker() { [[ $1 != image || $2 != ls ]] || printf '%s\\n' ${tag('a')} ${tag('b')} ${tag('b', 'theirs')} ${tag('c')}; echo "$*" >>"$notes"; }
    notes=$1 kept=(${id('a')}) released=(${id('a')} ${id('b')})
    keep_names ours kept released
    cat "$notes"`,
    join(folder, 'notes'),
  );
  assert.deepEqual(
    said.split('\n').filter((line) => /^(tag|image rm)/.test(line)),
    [`tag ${id('a')} atlasia-keep:${tag('a')}`, `image rm atlasia-keep:${tag('b')}`],
  );
});
