import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Account, as, isAnother } from './account.ts';
import { type FileFact, filesIn } from './files.ts';
import { type Process, withDescendants } from './processes.ts';
import { inputVariables, readActionFile } from './runner/action-file.ts';
import { github, Step } from './runner/step.ts';
import { nodeWithinReach, programWithinReach } from './runner/within-reach.ts';
import { commandsIn, type WorkflowCommand } from './runner/workflow-commands.ts';

export interface ActionOptions {
  /** Added to the environment of the step. */
  env?: Readonly<Record<string, string>>;
  /** `github.token`. */
  token?: string;
  /** Who runs the step, for `host: local`; else whoever runs the tests. */
  account?: Account;
}

/** How an action went, with all that the runner would have learned from it. */
export interface ActionResult {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  durationMs: number;
  stdout: string;
  stderr: string;
  outputs: Readonly<Record<string, string>>;
  /** The job summary, Markdown. */
  summary: string;
  state: Readonly<Record<string, string>>;
  /** Exported by the action for the steps after it. */
  env: Readonly<Record<string, string>>;
  /** Whatever the runner would have executed from the log. */
  commands: readonly WorkflowCommand[];
  /** Those of the commands that people see: errors, warnings, notices. */
  annotations: readonly WorkflowCommand[];
  /** What is left in RUNNER_TEMP. */
  remaining: readonly FileFact[];
  /** What the action started and has not ended. */
  leftovers: readonly Process[];
  /** Whether a child held the log open after the action had ended: the runner then waits 5 s and kills. */
  heldLog: boolean;
}

/** A result that a post-step can follow. */
export interface MainResult extends ActionResult {
  /** Runs the action's `post`, with the state that main saved, as the runner does also after a failure. */
  runPost(): Promise<ActionResult>;
}

/** An action at work. */
export interface RunningAction<Result extends ActionResult = MainResult> {
  readonly child: ChildProcess;
  readonly finished: Promise<Result>;
  /** What it has said so far, in the order in which it arrived. */
  log(): string;
  /** Waits for something in the log; fails where the action ends without it. */
  sawLog(pattern: RegExp): Promise<RegExpExecArray>;
  /** What it has started and what lives, itself included. */
  processes(): Process[];
  /** Cancels as the runner does: SIGINT, after 7.5 s SIGTERM, after 2.5 s everything is killed. */
  cancel(): Promise<Result>;
  /** The runner is gone: everything of it dies at once. */
  kill(): Promise<Result>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a built action to its end, as the Actions runner does: `backup`, or the folder of an action.yml. */
export async function runAction(
  action: string,
  inputs: Readonly<Record<string, string>>,
  options: ActionOptions = {},
): Promise<MainResult> {
  return (await startAction(action, inputs, options)).finished;
}

/** Starts a built action, as the Actions runner does. */
export async function startAction(
  action: string,
  inputs: Readonly<Record<string, string>>,
  options: ActionOptions = {},
): Promise<RunningAction> {
  assertNode24();
  const file = readActionFile(isAbsolute(action) ? action : join(root, `${action}-action`));
  const context = { ...github, token: options.token ?? '' };
  const step = new Step();
  if (options.account !== undefined) await step.giveTo(options.account);
  const variables = { ...inputVariables(file, inputs, context), ...options.env };

  const runPost = async (state: Readonly<Record<string, string>>) => {
    if (file.post === undefined) throw new Error(`${action} has no post-step`);
    step.clearCommandFiles();
    const saved = Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]);
    const command = await commandOf(file.post, options.account);
    return startProgram(command, step, { ...variables, ...Object.fromEntries(saved) }).finished;
  };
  const running = startProgram(await commandOf(file.main, options.account), step, variables);
  const withPost = (result: ActionResult): MainResult => ({ ...result, runPost: () => runPost(result.state) });
  return {
    ...running,
    finished: running.finished.then(withPost),
    cancel: () => running.cancel().then(withPost),
    kill: () => running.kill().then(withPost),
  };
}

async function commandOf(program: string, account: Account | undefined): Promise<string[]> {
  if (account === undefined || !isAnother(account)) return [process.execPath, program];
  return as(account, [await nodeWithinReach(), await programWithinReach(program)]);
}

function startProgram(
  [command = '', ...commandArguments]: readonly string[],
  step: Step,
  variables: Readonly<Record<string, string>>,
): RunningAction<ActionResult> {
  const startedAt = performance.now();
  const child = spawn(command, commandArguments, {
    cwd: step.workspace,
    env: step.environment(variables),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const streams = { stdout: '', stderr: '', log: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      streams[name] += text;
      streams.log += text;
      child.emit('log');
    });
  }

  const related = () => {
    const relatives = [...step.processes(), ...withDescendants(child.pid ?? -1)];
    return [...new Map(relatives.map((found) => [found.pid, found])).values()];
  };
  const finished = finish(child, related).then(
    (ending): ActionResult => ({
      ...ending,
      durationMs: performance.now() - startedAt,
      stdout: streams.stdout,
      stderr: streams.stderr,
      outputs: step.pairs('GITHUB_OUTPUT'),
      summary: step.text('GITHUB_STEP_SUMMARY'),
      state: step.pairs('GITHUB_STATE'),
      env: step.pairs('GITHUB_ENV'),
      ...commandsOf(streams),
      remaining: filesIn(step.temp),
    }),
  );
  return {
    child,
    finished,
    log: () => streams.log,
    sawLog: (pattern) => sawLog(pattern, child, finished, () => streams.log),
    processes: related,
    cancel: async () => {
      await cancel(child, related);
      return finished;
    },
    kill: async () => {
      killAll(related());
      return finished;
    },
  };
}

interface Ending {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  leftovers: Process[];
  heldLog: boolean;
}

/** The runner waits for the process, and then 5 s for whoever still holds its output. */
async function finish(child: ChildProcess, related: () => Process[]): Promise<Ending> {
  const closed = once(child, 'close').then(() => true);
  const [exitCode, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  const patience = new AbortController();
  const late = sleep(5_000, false, { signal: patience.signal }).catch(() => false);
  // What was killed may need a moment until it is gone.
  for (let looks = 0; looks < 20 && related().length > 0; looks += 1) await sleep(20);
  const leftovers = related();
  const heldLog = !(await Promise.race([closed, late]));
  patience.abort();
  if (heldLog) killAll(related());
  return { exitCode, signal, leftovers, heldLog };
}

async function cancel(child: ChildProcess, related: () => Process[]): Promise<void> {
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  for (const [signal, patienceMs] of [['SIGINT', 7_500] as const, ['SIGTERM', 2_500] as const]) {
    child.kill(signal);
    for (let waited = 0; waited < patienceMs && !ended(); waited += 20) await sleep(20);
    if (ended()) return;
  }
  killAll(related());
}

function killAll(victims: readonly Process[]): void {
  for (const { pid } of victims) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

function sawLog(
  pattern: RegExp,
  child: ChildProcess,
  ended: Promise<unknown>,
  log: () => string,
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const match = pattern.exec(log());
      if (match === null) return;
      child.off('log', look);
      resolve(match);
    };
    const miss = () => reject(new Error(`The action ended without ${pattern} in its log:\n${log()}`));
    child.on('log', look);
    look();
    ended.then(miss, miss);
  });
}

function commandsOf({ stdout, stderr }: { stdout: string; stderr: string }) {
  const commands = [...commandsIn(stdout), ...commandsIn(stderr)];
  return { commands, annotations: commands.filter(({ name }) => ['error', 'warning', 'notice'].includes(name)) };
}

function assertNode24(): void {
  if (!process.version.startsWith('v24.')) throw new Error(`Actions run under Node 24; this is ${process.version}`);
}
