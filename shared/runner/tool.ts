import { getExecOutput } from '@actions/exec';
import { Failure } from '../failure.ts';

export interface ToolOptions {
  /** Set beside the variables of this process. */
  env?: Record<string, string>;
  /** Milliseconds until the tool is ended; 30 s by default. */
  timeout?: number;
}

export interface ToolResult {
  /** null where a signal ended the tool. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs a tool that reads no standard input, without a shell and without an echo in the log. Its exit is the caller's to
 * judge. Nothing may be written to it: @actions/exec does not listen for the EPIPE of a tool that has ended by then.
 * @throws Failure `tool-missing`, `tool-timed-out`
 */
export async function runTool(
  program: string,
  args: readonly string[],
  { env = {}, timeout = 30_000 }: ToolOptions = {},
): Promise<ToolResult> {
  // @actions/exec can neither end a child nor set a deadline; coreutils can, and tell it by their exit.
  const deadline = ['--kill-after=1', String(timeout / 1_000), program, ...args];
  const started = performance.now();
  const result: ToolResult = await getExecOutput('timeout', deadline, {
    silent: true,
    ignoreReturnCode: true,
    env: { ...inheritedEnvironment(), ...env },
  });

  // One that had to be killed takes its timeout with it, which then has no exit of its own.
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
