import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Account, giveTo } from '../account.ts';
import { temporaryFolder } from '../folder.ts';
import { type Process, processes } from '../processes.ts';
import { pairsIn } from './file-commands.ts';

/** The files by which a step talks to the runner, each behind the variable that names it. */
const commandFiles = ['GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY', 'GITHUB_STATE', 'GITHUB_ENV', 'GITHUB_PATH'] as const;
type CommandFile = (typeof commandFiles)[number];

/** What the runner tells of the workflow run: `github.<name>` in action.yml, `GITHUB_<NAME>` in the environment. */
export const github = {
  action: '__run',
  actor: 'octo-operator',
  api_url: 'https://api.github.com',
  event_name: 'workflow_dispatch',
  job: 'lab',
  ref: 'refs/heads/main',
  ref_name: 'main',
  repository: 'octo-org/shop',
  repository_id: '4711',
  repository_owner: 'octo-org',
  run_attempt: '1',
  run_id: '1234567890',
  run_number: '42',
  server_url: 'https://github.com',
  sha: '0123456789abcdef0123456789abcdef01234567',
  workflow: 'Lab',
} as const;

/** Where one step of a job runs: its folders, its command files, its environment. */
export class Step {
  /** RUNNER_TEMP: what an action leaves here, the next step can read. */
  readonly temp: string;
  readonly workspace: string;
  readonly #home: string;
  readonly #root: string;
  readonly #trackingId = `github_${randomUUID()}`;

  constructor() {
    this.#root = temporaryFolder('runner');
    const folderFor = (name: string) => join(this.#root, name);
    this.temp = folderFor('_temp');
    this.workspace = folderFor('work');
    this.#home = folderFor('home');
    for (const folder of [this.temp, this.workspace, this.#home, folderFor('commands')]) mkdirSync(folder);
    this.clearCommandFiles();
    writeFileSync(this.#eventFile, JSON.stringify({ repository: { default_branch: 'main' } }));
  }

  /** Main and post write files of their own. */
  clearCommandFiles(): void {
    for (const name of commandFiles) writeFileSync(this.#commandFile(name), '');
  }

  /** The environment of the action's process, and of all that it starts. */
  environment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'],
      HOME: this.#home,
      LANG: 'C.UTF-8',
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      ...Object.fromEntries(Object.entries(github).map(([name, value]) => [`GITHUB_${name.toUpperCase()}`, value])),
      GITHUB_EVENT_PATH: this.#eventFile,
      GITHUB_WORKSPACE: this.workspace,
      ...Object.fromEntries(commandFiles.map((name) => [name, this.#commandFile(name)])),
      RUNNER_ARCH: process.arch === 'arm64' ? 'ARM64' : 'X64',
      RUNNER_ENVIRONMENT: 'github-hosted',
      RUNNER_NAME: 'lab',
      RUNNER_OS: 'Linux',
      RUNNER_TEMP: this.temp,
      RUNNER_TOOL_CACHE: join(this.#root, 'tools'),
      RUNNER_TRACKING_ID: this.#trackingId,
      ...extra,
    };
  }

  pairs(file: CommandFile): Record<string, string> {
    return pairsIn(this.text(file));
  }

  text(file: CommandFile): string {
    return readFileSync(this.#commandFile(file), 'utf8');
  }

  /** What was started by the step and lives: known by the variable that the runner looks for, or by its files. */
  processes(): Process[] {
    return processes().filter(
      ({ command, environment }) =>
        environment.includes(`RUNNER_TRACKING_ID=${this.#trackingId}`) || command.join(' ').includes(this.temp),
    );
  }

  async giveTo(account: Account): Promise<void> {
    await giveTo(account, dirname(this.temp));
  }

  get #eventFile(): string {
    return join(this.#root, 'event.json');
  }

  #commandFile(name: CommandFile): string {
    return join(this.#root, 'commands', name.toLowerCase());
  }
}
