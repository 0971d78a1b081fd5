// The scripts of dist.yml, which puts a rebuilt dist/ on the branch of an update, with real git and a gh that writes down what it is asked.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse } from 'yaml';

const { jobs } = parse(readFileSync(join(import.meta.dirname, '../../.github/workflows/dist.yml'), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'dist-workflow-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const asked = join(folder, 'asked');
mkdirSync(join(folder, 'bin'));
writeFileSync(join(folder, 'bin', 'gh'), `#!/bin/bash\necho "$*" >>${asked}\n`, { mode: 0o755 });
const who = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' };
const env = { ...process.env, ...who, GIT_CONFIG_GLOBAL: '/dev/null' };
const git = (at: string, ...words: string[]) =>
  execFileSync('git', ['-C', at, ...words], { env, encoding: 'utf8' }).trim();

const branch = 'dependabot/npm_and_yarn/yauzl-4.0.0';
const origin = join(folder, 'origin.git');
const update = join(folder, 'update');
git(folder, 'init', '--quiet', '--bare', origin);
git(folder, 'init', '--quiet', `--initial-branch=${branch}`, update);
write(update, { 'package-lock.json': '{}', 'dist/backup/index.js': 'old', 'dist/backup/157.index.js': 'a chunk' });
git(update, 'add', '--all');
git(update, 'commit', '--quiet', '--message', 'Bump yauzl');
git(update, 'push', '--quiet', origin, branch);

function write(at: string, files: Record<string, string>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(at, name, '..'), { recursive: true });
    writeFileSync(join(at, name), content);
  }
}

/** Runs the job `commit`, as the runner does, with what the build has given. */
function commit(built: Record<string, string>): void {
  rmSync(asked, { force: true });
  const workspace = mkdtempSync(join(folder, 'workspace-'));
  const artifact = mkdtempSync(join(folder, 'artifact-'));
  write(artifact, built);
  for (const { uses, run, with: inputs } of jobs.commit.steps) {
    const [action] = String(uses).split('@');
    // By its number, without a branch, and without what came before: so does actions/checkout.
    if (action === 'actions/checkout') {
      git(folder, 'clone', '--quiet', '--depth', '1', `--branch=${branch}`, `file://${origin}`, workspace);
      git(workspace, 'checkout', '--quiet', '--detach');
    } else if (action === 'actions/download-artifact')
      cpSync(artifact, join(workspace, inputs.path), { recursive: true });
    else {
      assert.equal(uses, undefined, `${uses} is not known here`);
      const PATH = `${join(folder, 'bin')}:${process.env['PATH']}`;
      const result = spawnSync('bash', ['-e', '-c', run], { cwd: workspace, env: { ...env, PATH, BRANCH: branch } });
      assert.equal(result.status, 0, String(result.stderr));
    }
  }
}

test('what was built comes to the branch, and CI runs on it; Dependabot may still rebase', () => {
  commit({ 'backup/index.js': 'new', 'backup/182.index.js': 'another chunk' });
  assert.deepEqual(git(origin, 'ls-tree', '-r', '--name-only', branch).split('\n'), [
    'dist/backup/182.index.js',
    'dist/backup/index.js',
    'package-lock.json',
  ]);
  assert.equal(git(origin, 'show', `${branch}:dist/backup/index.js`), 'new');
  assert.match(git(origin, 'log', '-1', '--format=%an %s', branch), /^.*\[dependabot skip\]$/);
  assert.equal(git(origin, 'rev-list', '--count', branch), '2');
  assert.equal(readFileSync(asked, 'utf8'), `auth setup-git\nworkflow run ci.yml --ref ${branch}\n`);
});

test('nothing is committed where the build gives the same', () => {
  const before = git(origin, 'rev-parse', branch);
  commit({ 'backup/index.js': 'new', 'backup/182.index.js': 'another chunk' });
  assert.equal(git(origin, 'rev-parse', branch), before);
  assert.throws(() => readFileSync(asked), /ENOENT/);
});
