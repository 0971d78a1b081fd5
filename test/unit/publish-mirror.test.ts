// How a mirror gets into its repository, with real git: releases stay, the tag of the major version moves forward.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const script = join(import.meta.dirname, '..', '..', 'scripts', 'publish-mirror.sh');
const root = mkdtempSync(join(tmpdir(), 'publish-mirror-'));
after(() => rmSync(root, { recursive: true, force: true }));
const repository = join(root, 'repository.git');
const who = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' };
const env = { ...process.env, ...who, GIT_CONFIG_GLOBAL: '/dev/null' };
const git = (...words: string[]) => execFileSync('git', ['-C', repository, ...words], { env, encoding: 'utf8' }).trim();
execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', repository]);
let clones = 0;

function publish(tag: string, files: Record<string, string>) {
  clones += 1;
  const [tree, clone, message] = ['tree', 'clone', 'message'].map((name) => join(root, `${name}-${clones}`)) as [
    string,
    string,
    string,
  ];
  mkdirSync(tree);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(tree, name), content);
  writeFileSync(message, `backup-action ${tag}\n\nBuilt from https://example.org/commit/123\n`);
  execFileSync('git', ['clone', '--quiet', repository, clone], { env, stdio: 'ignore' });
  return spawnSync('bash', [script, tree, message, tag, clone], { env, encoding: 'utf8' });
}

const at = (name: string) => git('rev-parse', `${name}^{commit}`);
const textAt = (name: string) => git('show', `${name}:action.yml`);

test('releases, one after the other', () => {
  const first = publish('v1.0.0', { 'action.yml': 'one', '.gitignore': 'dist\n', dist: 'kept although ignored' });
  assert.equal(first.status, 0, first.stderr);
  assert.equal(at('v1'), at('v1.0.0'));
  assert.equal(at('main'), at('v1.0.0'));
  assert.equal(git('show', 'v1.0.0:dist'), 'kept although ignored');
  assert.match(git('log', '-1', '--format=%B', 'v1.0.0'), /^backup-action v1\.0\.0\n\nBuilt from https/);

  const second = publish('v1.10.0', { 'action.yml': 'two' });
  assert.equal(second.status, 0, second.stderr);
  assert.equal(at('v1'), at('v1.10.0'));
  assert.deepEqual(git('ls-tree', '--name-only', 'main').split('\n'), ['action.yml']);
  assert.equal(textAt('v1.0.0'), 'one');
});

test('a mend of an older version moves nobody back', () => {
  const result = publish('v1.9.1', { 'action.yml': 'mended' });
  assert.equal(result.status, 0, result.stderr);
  assert.equal(textAt('v1.9.1'), 'mended');
  assert.equal(textAt('v1'), 'two');
  assert.equal(textAt('main'), 'two');
});

test('a new major version leaves the tag of the old one', () => {
  assert.equal(publish('v2.0.0', { 'action.yml': 'three' }).status, 0);
  assert.deepEqual([textAt('v1'), textAt('v2'), textAt('main')], ['two', 'three', 'three']);
});

test('a release that is there is never changed; the same one again is no error', () => {
  const before = at('v1.0.0');
  const changed = publish('v1.0.0', { 'action.yml': 'another' });
  assert.equal(changed.status, 1);
  assert.match(changed.stderr, /published already, with other content/);
  assert.equal(at('v1.0.0'), before);
  const again = publish('v2.0.0', { 'action.yml': 'three' });
  assert.equal(again.status, 0, again.stderr);
  assert.deepEqual([textAt('v1'), textAt('v2'), textAt('main')], ['two', 'three', 'three']);
});

test('what is no version is refused', () => assert.equal(publish('v1', { 'action.yml': 'x' }).status, 1));
