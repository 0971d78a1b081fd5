import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A step as the runner starts it: a program of its own, with the files that it may write. */
export interface Step {
  child: ChildProcess;
  /** What it has printed so far, both streams. */
  output(): string;
  /** Resolves once `text` was printed or the step has ended. */
  printed(text: string): Promise<void>;
  ended: Promise<Ending>;
}

export interface Ending {
  code: number | null;
  output: string;
  /** The job summary, Markdown. */
  summary: string;
  outputs: Record<string, string>;
  state: Record<string, string>;
  ms: number;
}

/** Starts a fixture of this folder. An environment variable that is undefined is left out. */
export function startStep(fixture: string, args: string[] = [], env: Record<string, string | undefined> = {}): Step {
  const folder = mkdtempSync(join(tmpdir(), 'step-'));
  const files = {
    GITHUB_OUTPUT: join(folder, 'output'),
    GITHUB_STATE: join(folder, 'state'),
    GITHUB_STEP_SUMMARY: join(folder, 'summary'),
  };
  for (const file of Object.values(files)) writeFileSync(file, '');

  const started = performance.now();
  const child = spawn(process.execPath, [join(import.meta.dirname, fixture), ...args], {
    env: { PATH: process.env['PATH'], RUNNER_TEMP: folder, ...files, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const waiting: [string, () => void][] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
      for (const [text, resolve] of waiting) if (output.includes(text)) resolve();
    });
  }
  const ended = new Promise<Ending>((resolve) => {
    child.on('close', (code) => {
      for (const [, release] of waiting) release();
      resolve({
        code,
        output,
        summary: readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8'),
        outputs: fileCommands(files.GITHUB_OUTPUT),
        state: fileCommands(files.GITHUB_STATE),
        ms: performance.now() - started,
      });
      rmSync(folder, { recursive: true });
    });
  });
  return {
    child,
    output: () => output,
    printed: (text) => new Promise((resolve) => (output.includes(text) ? resolve() : waiting.push([text, resolve]))),
    ended,
  };
}

/** What a file of `name<<delimiter` entries says, as the runner reads it: the last entry of a name holds. */
function fileCommands(file: string): Record<string, string> {
  const entries = readFileSync(file, 'utf8').matchAll(/^(.+?)<<(ghadelimiter_\S+)\n([\s\S]*?)\n\2$/gm);
  return Object.fromEntries(Array.from(entries, ([, name, , value]) => [name, value]));
}
