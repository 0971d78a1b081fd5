// What the Marketplace gets: the repository of each action, unpacked by itself, runs as the runner would run it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, lstatSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { relativeLinks } from '../../scripts/mirror-readme.ts';
import { temporaryFolder } from '../lab/folder.ts';
import { readActionFile } from '../lab/runner/action-file.ts';
import { runAction, startAction } from '../lab/runner.ts';
import { runnerIsClean, succeeded } from './expectations.ts';
import { plantHistory, rollbackInputs, rolledBack } from './rollbacks.ts';
import { backupInputs } from './sets.ts';
import { applicationForFile } from './stage.ts';
import { verified } from './verifications.ts';

const root = join(import.meta.dirname, '..', '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const actions = ['backup-action', 'rollback-action', 'verify-action'];
const build = join(temporaryFolder('mirrors'), 'built');
const made = spawnSync(process.execPath, [join(root, 'scripts', 'mirrors.ts'), build], { cwd: root, encoding: 'utf8' });
assert.equal(made.status, 0, made.stdout + made.stderr);

/** Each elsewhere, with nothing of this project beside it. */
const mirrors = Object.fromEntries(
  actions.map((action) => {
    const folder = join(temporaryFolder('mirror'), 'v1');
    cpSync(join(build, action), folder, { recursive: true });
    return [action, folder];
  }),
);
const mirrorOf = (action: string): string => mirrors[action] ?? assert.fail(`there is no mirror of ${action}`);

describe('the mirror', () => {
  for (const action of actions) {
    const files = globSync('**', { cwd: mirrorOf(action) }).filter((file) => !file.endsWith('.'));
    const text = (file: string) => readFileSync(join(mirrorOf(action), file), 'utf8');

    test(`of ${action} has what it needs, and nothing else`, () => {
      const rootFiles = files.filter((file) => !file.includes('/') && file !== '').toSorted();
      assert.deepEqual(rootFiles, ['LICENSE', 'README.md', 'action.yml', 'dist']);
      const bundles = globSync('dist/*', { cwd: mirrorOf(action) }).toSorted();
      assert.deepEqual(bundles, [`dist/${action.replace('-action', '')}`, 'dist/cleanup'].toSorted());
      assert.deepEqual(globSync('**/.*', { cwd: mirrorOf(action) }), []);
      assert.equal(files.filter((file) => /(^|\/)action\.ya?ml$/.test(file)).length, 1);
      for (const file of files) assert.ok(!lstatSync(join(mirrorOf(action), file)).isSymbolicLink(), file);
    });

    test(`of ${action} names only what is in it`, () => {
      const { main, post } = readActionFile(mirrorOf(action));
      for (const program of [main, post ?? '']) {
        assert.doesNotMatch(relative(mirrorOf(action), program), /^\.\./);
        assert.ok(existsSync(program), program);
      }
      for (const link of relativeLinks(text('README.md'))) {
        const [path = ''] = link.split('#');
        assert.ok(existsSync(join(mirrorOf(action), path)) && !path.includes('..'), `the README links to ${link}`);
      }
      // What leads to the sources leads to a file that this release has.
      for (const [, path = ''] of text('README.md').matchAll(
        new RegExp(`https://github\\.com/atlasia/actions/(?:blob|tree|raw)/v${version}/([^)#\\s"']+)`, 'g'),
      ))
        assert.ok(existsSync(join(root, path)), path);
      assert.doesNotMatch(text('README.md'), /\]\(\.\.?\//);
      // A mirror takes no issues.
      assert.match(text('README.md'), /\n## Sources and help\n/);
    });

    test(`of ${action} is otherwise the action's own`, () => {
      const strip = ({ runs, ...rest }: { runs: unknown }) => rest;
      const source = readFileSync(join(root, action, 'action.yml'), 'utf8');
      const atTag = source.replaceAll('/atlasia/actions/blob/main/', `/atlasia/actions/blob/v${version}/`);
      assert.notEqual(atTag, source);
      assert.deepEqual(strip(parse(text('action.yml'))), strip(parse(atTag)));
      const bundled = files.filter((file) => file.startsWith('dist/') && lstatSync(join(root, file)).isFile());
      for (const file of bundled) assert.equal(text(file), readFileSync(join(root, file), 'utf8'), file);
      assert.equal(text('LICENSE'), readFileSync(join(root, 'LICENSE'), 'utf8'));
      const commit = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout.trim();
      const message = readFileSync(join(build, `${action}.commit.txt`), 'utf8');
      assert.match(message, new RegExp(`^${action} ${version.replaceAll('.', '\\.')}\n\n.*/commit/${commit}\n`));
    });
  }

  test('has a name that no other of ours has', () => {
    const names = actions.map((action) => parse(readFileSync(join(mirrorOf(action), 'action.yml'), 'utf8')).name);
    assert.equal(new Set(names).size, actions.length);
  });

  test('is not made over something that is there', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/mirrors.ts', '.'], {
      cwd: root,
      encoding: 'utf8',
    });
    assert.equal(status, 1);
    assert.match(stderr, /backup-action already exists/);
  });
});

describe('unpacked by itself, it runs', { concurrency: 1 }, async () => {
  const { app } = await applicationForFile({ name: 'mirrors', versions: ['v1', 'v2'], runs: 'v2' });
  const { host } = app;
  const backupDir = host.newBackupDir();

  test('backup-action, with its post-step', async () => {
    const result = await runAction(mirrorOf('backup-action'), backupInputs(host, backupDir));
    succeeded(result);
    assert.equal((await result.runPost()).exitCode, 0);
  });

  test('verify-action, with its post-step', async () => {
    const inputs = backupInputs(host, backupDir, { checks: 'backups,drill' });
    const result = await runAction(mirrorOf('verify-action'), inputs);
    await verified(host, result, 'verified');
    assert.equal((await result.runPost()).exitCode, 0);
  });

  test('rollback-action, with its post-step', async () => {
    await plantHistory(app, backupDir, [{ backend: 'v1', dashboard: 'v1' }]);
    const result = await runAction(mirrorOf('rollback-action'), rollbackInputs(app, backupDir));
    await rolledBack(app, result, { backend: 'v1', dashboard: 'v1' });
    assert.equal((await result.runPost()).exitCode, 0);
  });

  test('a post-step removes the key that a killed action has left', async () => {
    const action = await startAction(mirrorOf('backup-action'), backupInputs(host, host.newBackupDir()));
    await action.sawLog(/database/i);
    action.child.kill('SIGKILL');
    const result = await action.finished;
    assert.ok(result.remaining.some(({ path }) => path.endsWith('/key')));
    const post = await result.runPost();
    assert.equal(post.exitCode, 0, post.stdout);
    runnerIsClean(post);
  });
});
