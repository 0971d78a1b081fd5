import { getExecOutput } from '@actions/exec';
import { Failure } from '../failure.ts';

export interface ToolOptions {
  /** Added to the variables of this process. */
  env?: Record<string, string>;
  /** Milliseconds after which the tool is ended; 30 s by default. */
  timeout?: number;
}

export interface ToolResult {
  /** null if a signal ended the tool. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs a tool without a shell, without standard input and without echoing it in the log. The caller judges the exit code.
 * No input, because @actions/exec does not handle the EPIPE of a tool that has already ended.
 * @throws Failure `tool-missing`, `tool-timed-out`
 */
export async function runTool(
  program: string,
  args: readonly string[],
  { env = {}, timeout = 30_000 }: ToolOptions = {},
): Promise<ToolResult> {
  // @actions/exec can neither end a child nor set a deadline; `timeout` can, and shows it by its exit code.
  const deadline = ['--kill-after=1', String(timeout / 1_000), program, ...args];
  const started = performance.now();
  const result: ToolResult = await getExecOutput('timeout', deadline, {
    silent: true,
    ignoreReturnCode: true,
    env: { ...inheritedEnvironment(), ...env },
  });

  // A tool that had to be killed takes `timeout` down with it, which then has no exit code of its own.
  const killed = result.exitCode === null && performance.now() - started >= timeout;
  if (result.exitCode === 124 || killed) {
    throw new Failure('tool-timed-out', `${program} did not end within ${timeout / 1_000} s on the runner`, {
      cause: result.stderr,
    });
  }
  if (result.exitCode === 127) {
    throw new Failure('tool-missing', `${program} is not installed on the runner`, {
      hint: `Install ${program}, or use a runner that has it, such as ubuntu-latest.`,
      cause: result.stderr,
    });
  }
  return result;
}

function inheritedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
