// release.yml, step by step, as GitHub's runner runs it: from a tag to the releases of this repository and of the mirrors. The
// repositories are bare ones on this disk, and gh works on those. What a run needs of others' actions is done here.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { attempt, run } from '../lab/command.ts';
import { temporaryFolder } from '../lab/folder.ts';
import { needPrograms } from '../lab/packages.ts';
import { filled } from '../lab/workflow/expression.ts';
import { brokenUpload, type Release, refusedTags, releasesFile } from '../lab/workflow/gh.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const workflow = parse(readFileSync(join(root, '.github/workflows/release.yml'), 'utf8'));
const actions = ['backup-action', 'rollback-action', 'verify-action'];
await needPrograms({ jq: 'jq' });

const lab = temporaryFolder('github');
const who = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' };
const gitEnv = { ...process.env, ...who, GIT_CONFIG_GLOBAL: '/dev/null' };
const bare = (name: string) => join(lab, 'atlasia', `${name}.git`);
const git = (folder: string, ...words: string[]) =>
  execFileSync('git', ['-C', folder, ...words], { env: gitEnv, encoding: 'utf8', stdio: 'pipe' }).trim();
for (const name of ['actions', ...actions])
  run(['git', 'init', '--quiet', '--bare', '--initial-branch=main', bare(name)]);

/** A developer's clone, with this checkout as it is. */
const developer = temporaryFolder('developer');
const files = git(root, 'ls-files', '--cached', '--others', '--exclude-standard').split('\n');
for (const file of files) cpSync(join(root, file), join(developer, file));
git(developer, 'init', '--quiet', '--initial-branch=main');
git(developer, 'remote', 'add', 'origin', bare('actions'));

const programs = temporaryFolder('programs');
program('gh', `exec ${process.execPath} ${join(root, 'test/lab/workflow/gh.ts')} "$@"`);
// A build takes minutes, and .ci/run has made one: here it changes something or nothing. The packages are those of this checkout.
program(
  'npm',
  `case "$*" in
     'run build') [[ ! -e ${lab}/another-build ]] || echo >>dist/backup/index.js ;;
     'run mirrors') exec ${process.execPath} scripts/mirrors.ts ;;
     'run release -- '*) shift 3; exec ${process.execPath} scripts/release.ts "$@" ;;
     'sbom '*) cd ${root}; PATH=$NPM_PATH exec npm "$@" ;;
     *) exit 9 ;;
   esac`,
);

function program(name: string, script: string): void {
  writeFileSync(join(programs, name), `#!/bin/bash\n${script}\n`);
  chmodSync(join(programs, name), 0o755);
}

let releasing = 0;

/** Commits a version, and tags it. `base`: where the commit is made, instead of at the tip of main. */
function tagged(version: string, { base = 'main', merged = true } = {}): string {
  if (releasing > 0) git(developer, 'checkout', '--quiet', '--detach', base);
  for (const file of ['package.json', 'package-lock.json']) {
    const text = readFileSync(join(developer, file), 'utf8');
    writeFileSync(
      join(developer, file),
      text.replaceAll(/^( {2,6}"version": )"[^"]+"(?=,\n {2,6}"(?:desc|lic|lock))/gm, `$1"${version}"`),
    );
  }
  const changelog = readFileSync(join(developer, 'CHANGELOG.md'), 'utf8');
  writeFileSync(
    join(developer, 'CHANGELOG.md'),
    changelog.replace(
      /^(?=## \[)/m,
      `## [${version}] - 2026-12-01\n\nWhat is new in ${version}: [security](docs/security.md).\n\n`,
    ),
  );
  git(developer, 'add', '--all');
  git(developer, 'commit', '--quiet', '--message', version);
  git(developer, 'tag', `v${version}`);
  if (releasing > 0 && merged) {
    git(developer, 'checkout', '--quiet', 'main');
    git(developer, 'merge', '--quiet', '--strategy-option=theirs', '--message', 'merge', `v${version}`);
  }
  git(developer, 'push', '--quiet', 'origin', 'main', `v${version}`);
  releasing += 1;
  return `v${version}`;
}

interface Step {
  name?: string;
  id?: string;
  uses?: string;
  with?: Record<string, string>;
  env?: Record<string, string>;
  run?: string;
}

/** What a job was given by an earlier one. */
type Artifacts = Map<string, string>;

/** Runs a job; throws with what the step that failed has printed. */
async function runJob(
  job: string,
  tag: string,
  artifacts: Artifacts,
  matrix: Record<string, string> = {},
): Promise<void> {
  const workspace = temporaryFolder(job);
  const steps: Record<string, { outputs: Record<string, string> }> = {};
  const scope = () => ({
    contexts: {
      matrix,
      steps,
      github: { token: 'of the run', repository_owner: 'atlasia' },
      vars: { MIRROR_APP_CLIENT_ID: 'Iv1' },
      secrets: { MIRROR_APP_PRIVATE_KEY: 'key' },
    },
    state: { failed: false, cancelled: false },
  });
  const given = (values: Record<string, string> = {}) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, filled(String(value), scope())]));
  const env = {
    HOME: workspace,
    PATH: `${programs}:/usr/bin:/bin`,
    NPM_PATH: process.env['PATH'],
    GITHUB_LAB: lab,
    GITHUB_REPOSITORY: 'atlasia/actions',
    GITHUB_REF_NAME: tag,
    GITHUB_SHA: git(bare('actions'), 'rev-parse', `${tag}^{commit}`),
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `url.${lab}/.insteadOf`,
    GIT_CONFIG_VALUE_0: 'https://github.com/',
  };
  for (const { id, uses, run: script, ...step } of workflow.jobs[job].steps as Step[]) {
    const inputs = given(step.with);
    if (script !== undefined) {
      const shell = ['bash', '--noprofile', '--norc', '-eo', 'pipefail', '-c', script];
      const { code, stdout, stderr } = await attempt(shell, { cwd: workspace, env: { ...env, ...given(step.env) } });
      if (code !== 0) throw new Error(`${job}, ${step.name}: ${stdout}${stderr}`);
    } else steps[id ?? ''] = { outputs: useAction(uses ?? '', inputs, workspace, tag, artifacts) };
  }
}

/** By the file, what has a provenance. */
const attested = new Map<string, string>();

function useAction(uses: string, inputs: Record<string, string>, workspace: string, tag: string, artifacts: Artifacts) {
  const matching = (patterns = '') =>
    patterns
      .trim()
      .split('\n')
      .flatMap((pattern) => {
        const found = globSync(pattern.trim(), { cwd: workspace });
        assert.ok(found.length > 0, `nothing is ${pattern}`);
        return found;
      });
  switch (uses.replace(/@.*/, '')) {
    case 'actions/checkout':
      assert.equal(inputs['fetch-depth'], '0');
      git(workspace, 'clone', '--quiet', bare('actions'), '.');
      git(workspace, 'checkout', '--quiet', tag);
      writeFileSync(join(workspace, '.git/info/exclude'), 'node_modules\n');
      symlinkSync(join(root, 'node_modules'), join(workspace, 'node_modules'));
      return {};
    case 'actions/upload-artifact': {
      const folder = temporaryFolder('artifact');
      for (const path of matching(inputs['path']))
        cpSync(join(workspace, path), join(folder, path), { recursive: true });
      artifacts.set(inputs['name'] ?? '', folder);
      return {};
    }
    case 'actions/download-artifact':
      cpSync(artifacts.get(inputs['name'] ?? '') ?? assert.fail('no such artifact'), workspace, { recursive: true });
      return {};
    case 'actions/attest-build-provenance':
      for (const path of matching(inputs['subject-path']))
        attested.set(path.replace('release/', ''), readFileSync(join(workspace, path), 'latin1'));
      return {};
    case 'actions/create-github-app-token':
      assert.deepEqual([inputs['owner'], inputs['permission-contents']], ['atlasia', 'write']);
      return { token: `of the app, for ${inputs['repositories']}` };
    default:
      return assert.fail(`${uses} is not known here`);
  }
}

const publishes = (tag: string, artifacts: Artifacts) => runJob('publish', tag, artifacts);
const movesMajor = (tag: string) => runJob('major', tag, new Map());
const mirrors = async (tag: string, artifacts: Artifacts) => {
  for (const action of workflow.jobs.mirror.strategy.matrix.action) await runJob('mirror', tag, artifacts, { action });
};

async function released(tag: string): Promise<Artifacts> {
  const artifacts: Artifacts = new Map();
  await runJob('build', tag, artifacts);
  await publishes(tag, artifacts);
  await movesMajor(tag);
  await mirrors(tag, artifacts);
  return artifacts;
}

const releasesOf = (name: string): Release[] => JSON.parse(readFileSync(releasesFile(lab, `atlasia/${name}`), 'utf8'));
const releaseOf = (name: string, tag: string) =>
  releasesOf(name).find((release) => release.tag_name === tag) ?? assert.fail(`${name} has no ${tag}`);
const latestOf = (name: string) =>
  releasesOf(name)
    .filter(({ latest }) => latest)
    .map((release) => release.tag_name);
const commitAt = (name: string, ref: string) => git(bare(name), 'rev-parse', `${ref}^{commit}`);
/** All that can be seen of the four repositories. */
const everything = () => ['actions', ...actions].map((name) => [git(bare(name), 'for-each-ref'), releasesOf(name)]);

test('a tag becomes four releases, whose files have a provenance and agree with the mirrors', async () => {
  const tag = tagged('9.0.0');
  const artifacts = await released(tag);
  const { assets, body, draft } = releaseOf('actions', tag);
  assert.equal(draft, false);
  assert.match(
    body,
    /^What is new in 9\.0\.0: \[security\]\(https:\/\/github\.com\/atlasia\/actions\/blob\/v9\.0\.0\/docs\/security\.md\)/,
  );
  const archives = actions.map((action) => `${action}-${tag}.tar.gz`);
  const others = ['gate.sh', 'programs.sha256', 'sbom.cdx.json', 'SHA256SUMS'];
  assert.deepEqual(new Set(Object.keys(assets)), new Set([...archives, ...others]));
  for (const [name, content] of Object.entries(assets)) assert.equal(attested.get(name), content, name);
  assert.ok(JSON.parse(assets['sbom.cdx.json'] ?? '').components.length > 50);
  for (const name of ['actions', ...actions]) {
    assert.equal(commitAt(name, 'v9'), commitAt(name, tag), name);
    assert.equal(commitAt(name, 'main'), commitAt(name, tag), name);
    assert.deepEqual(latestOf(name), [tag]);
    assert.equal(releaseOf(name, tag).body, body);
  }
  for (const action of actions) {
    const [unpacked, archived] = [temporaryFolder('unpacked'), temporaryFolder('archived')];
    writeFileSync(join(unpacked, 'it.tar.gz'), assets[`${action}-${tag}.tar.gz`] ?? '', 'latin1');
    await run(['tar', '-xzf', join(unpacked, 'it.tar.gz'), '-C', unpacked]);
    // As docs/releasing.md says how to compare.
    await run(['bash', '-c', `git archive ${tag} | tar -x -C '${archived}'`], { cwd: bare(action) });
    await run(['diff', '--recursive', join(unpacked, action), archived]);
    assert.match(git(bare(action), 'log', '-1', '--format=%B', tag), new RegExp(`/commit/${commitAt('actions', tag)}`));
  }

  const before = everything();
  await publishes(tag, artifacts);
  await movesMajor(tag);
  await mirrors(tag, artifacts);
  assert.deepEqual(everything(), before, 'run again, it changes nothing');
});

test('an upload that is cut off leaves no half release: the jobs that failed are run again', async () => {
  const tag = tagged('9.1.0');
  const artifacts: Artifacts = new Map();
  await runJob('build', tag, artifacts);
  writeFileSync(brokenUpload(lab), '');
  await assert.rejects(publishes(tag, artifacts), /connection reset/);
  rmSync(brokenUpload(lab));
  assert.ok(releaseOf('actions', tag).draft);
  assert.notEqual(commitAt('actions', 'v9'), commitAt('actions', tag));
  await publishes(tag, artifacts);
  await movesMajor(tag);
  await mirrors(tag, artifacts);
  assert.deepEqual(
    releasesOf('actions').map((release) => [release.tag_name, release.draft]),
    [
      ['v9.0.0', false],
      [tag, false],
    ],
  );
  assert.equal(Object.keys(releaseOf('actions', tag).assets).length, 7);
  assert.equal(commitAt('actions', 'v9'), commitAt('actions', tag));
});

test('a fix of an older version is neither v9, nor main, nor the latest release', async () => {
  const tag = tagged('9.0.1', { base: 'v9.0.0' });
  await released(tag);
  for (const name of ['actions', ...actions]) {
    assert.equal(releaseOf(name, tag).draft, false);
    assert.equal(commitAt(name, 'v9'), commitAt(name, 'v9.1.0'), name);
    assert.deepEqual(latestOf(name), ['v9.1.0'], name);
  }
  for (const action of actions) assert.equal(commitAt(action, 'main'), commitAt(action, 'v9.1.0'));
});

test('a major version that GitHub does not let the run move ends with the line to type, and holds up no mirror', async () => {
  writeFileSync(refusedTags(lab), '');
  const line = new RegExp(`git push --force origin ${commitAt('actions', 'v9.1.0')}:refs/tags/v9\n`);
  await assert.rejects(movesMajor('v9.1.0'), line);
  rmSync(refusedTags(lab));
  assert.equal(workflow.jobs.mirror.needs, 'publish');
});

test('GitHub that does not answer is not taken for one without a release', async () => {
  const before = everything();
  const elsewhere = { ...process.env, PATH: `${programs}:/usr/bin:/bin`, GITHUB_LAB: lab, GH_TOKEN: 'x' };
  const words = ['scripts/publish-release.sh', 'atlasia/nowhere', 'v9.0.0', 'CHANGELOG.md'];
  const { code, stderr } = await attempt(['bash', ...words], { cwd: root, env: elsewhere });
  assert.equal(code, 1);
  assert.equal(stderr, 'gh: there is no atlasia/nowhere\n');
  assert.deepEqual(everything(), before);
});

test('what is not on main, or is not what a clean build gives, is not built', async () => {
  const tag = tagged('9.2.0', { merged: false });
  await assert.rejects(runJob('build', tag, new Map()), /v9\.2\.0 is not on main/);
  mkdirSync(join(lab, 'another-build'));
  await assert.rejects(runJob('build', 'v9.1.0', new Map()), / M dist\/backup\/index\.js\n::error::/);
});
