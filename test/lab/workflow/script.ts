import { attempt } from '../command.ts';
import { Step } from '../runner/step.ts';

/** How a `run` step ended. */
export interface ScriptResult {
  code: number | null;
  stdout: string;
  summary: string;
  outputs: Record<string, string>;
}

/** Runs a script as the runner does where no shell is named: `bash -e`, in a workspace. */
export async function runScript(script: string, env: Readonly<Record<string, string>>): Promise<ScriptResult> {
  const step = new Step();
  const { code, stdout, stderr } = await attempt(['bash', '-e', '-c', script], {
    cwd: step.workspace,
    env: step.environment(env),
    timeoutMs: 300_000,
  });
  return {
    code,
    stdout: stdout + stderr,
    summary: step.text('GITHUB_STEP_SUMMARY'),
    outputs: step.pairs('GITHUB_OUTPUT'),
  };
}
